"""`lead_unit_evaluation`, second part: supervision 监督检查 in the forms that were ordered, side by side (3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.lead_unit_evaluation import result_of
from webapp.audit import service as audit
from webapp.engine import deployment, queries
from webapp.engine.handler_api import FormContext, FormData, HandlerContext, handler, provider, validator
from webapp.i18n import _
from webapp.registers import evaluation_labels as words
from webapp.registers import questionnaires, spot_checks, supervision
from webapp.registers.supervision_models import Questionnaire, SpotCheck
from webapp.registers.values import key, until_words


@handler("evaluation.order_checks", inputs={"result_id": "评价结果"}, outputs={"checks": "要开展的检查形式"})
def order_checks(ctx: HandlerContext) -> Mapping[str, Any]:
    """按本次评价或本单位选定的形式开展监督检查（3.2）；没有对象的不开展，写明原因。"""
    return {"checks": supervision.begin(ctx.session, result_of(ctx))}


# ---- questionnaire 问卷调查 ---------------------------------------------------------------------------------------


@handler(
    "evaluation.send_questionnaires",
    inputs={"result_id": "评价结果"},
    outputs={"questionnaire_ends_at": "问卷截止时刻"},
)
def send_questionnaires(ctx: HandlerContext) -> Mapping[str, Any]:
    """向季度末服务的每家试点企业生成一次性链接（3.2）；题目取自本流程部署的表单。"""
    definition = queries.instance(ctx.session, ctx.instance_id).definition_id
    form = deployment.form(ctx.session, definition, ctx.properties["form"])
    made = questionnaires.send(ctx.session, result_of(ctx), form, ctx.now)
    return {"questionnaire_ends_at": made.ends_at}


def _questionnaire(ctx: FormContext) -> Questionnaire:
    found = questionnaires.of_result(ctx.session, key(ctx.variables["result_id"]))
    assert found is not None
    return found


@provider("lead_unit_evaluation.hand_out")
def hand_out_form(ctx: FormContext) -> FormData:
    """How many were asked and have answered; where the links are."""
    result, questionnaire = result_of(ctx), _questionnaire(ctx)
    told = questionnaires.tally(questionnaire.form, questionnaires.invitations(ctx.session, questionnaire.id))
    context = {
        "lead_unit_name": result.lead_unit.name,
        "invited": told.invited,
        "answered": told.answered,
        "rate": f"{told.rate:f}",
        "ends": until_words(questionnaire.ends_at),
        "page": f"/registers/results/{result.id}/supervision",
    }
    return FormData(context=context)


@validator("lead_unit_evaluation.hand_out")
def hand_out(ctx: FormContext) -> Mapping[str, Any]:
    """Closed before its time only when everyone has answered."""
    questionnaire = _questionnaire(ctx)
    answered, asked = questionnaires.counts(ctx.session, questionnaire.id)
    if answered < asked:
        left, ends = asked - answered, until_words(questionnaire.ends_at)
        return {"": _("还有 %(n)s 家没有作答，不能提前截止；%(ends)s自动截止。", n=left, ends=ends)}
    return {}


@handler("evaluation.close_questionnaire", inputs={"result_id": "评价结果"})
def close_questionnaire(ctx: HandlerContext) -> None:
    """问卷截止，不再接收答卷（工作口径）；满意度、份数和回收率计入评价（3.2）。"""
    result = result_of(ctx)
    questionnaires.close(ctx.session, result.id, ctx.now)
    name = result.lead_unit.name
    audit.record(ctx.session, "questionnaire.close", ctx.actor, instance_id=ctx.instance_id, subject=name)


# ---- interviews 电话访谈 and visits 实地走访 -----------------------------------------------------------------------


def _asked(ctx: FormContext) -> FormData:
    result = result_of(ctx)
    pilots = [{"value": str(pilot.id), "label": pilot.name} for pilot in questionnaires.pilots(ctx.session, result)]
    return FormData(options={"pilots": pilots}, context={"lead_unit_name": result.lead_unit.name})


@provider("lead_unit_evaluation.interview")
def interview_form(ctx: FormContext) -> FormData:
    """The pilot enterprises that may be called."""
    return _asked(ctx)


@validator("lead_unit_evaluation.interview")
def interview(ctx: FormContext) -> Mapping[str, Any]:
    """At least one interview, or why there was none (3.2)."""
    return supervision.check_records("interview", ctx.data, ctx.now)


@handler("evaluation.record_interviews", inputs={"result_id": "评价结果", "interviews": "访谈记录"})
def record_interviews(ctx: HandlerContext) -> None:
    """登记电话访谈记录（3.2）。"""
    given = ctx.variables.get("interviews") or {}
    supervision.enter_records(ctx.session, result_of(ctx), "interview", given, ctx.actor, ctx.now)


@provider("lead_unit_evaluation.visit")
def visit_form(ctx: FormContext) -> FormData:
    """The pilot enterprises that may be visited."""
    return _asked(ctx)


@validator("lead_unit_evaluation.visit")
def visit(ctx: FormContext) -> Mapping[str, Any]:
    """At least one visit, or why there was none (3.2)."""
    return supervision.check_records("visit", ctx.data, ctx.now)


@handler("evaluation.record_visits", inputs={"result_id": "评价结果", "visited": "走访记录"})
def record_visits(ctx: HandlerContext) -> None:
    """登记实地走访记录和照片（3.2）。"""
    given = ctx.variables.get("visited") or {}
    supervision.enter_records(ctx.session, result_of(ctx), "visit", given, ctx.actor, ctx.now)


# ---- spot check 项目抽查 ------------------------------------------------------------------------------------------


@handler("evaluation.draw_sample", inputs={"result_id": "评价结果"})
def draw_sample(ctx: HandlerContext) -> None:
    """按登记的种子从已签合同的项目中抽取（3.2），可以复算。"""
    spot_checks.draw(ctx.session, result_of(ctx), ctx.now)


def _drawn(ctx: FormContext | HandlerContext) -> SpotCheck:
    found = spot_checks.of_result(ctx.session, key(ctx.variables["result_id"]))
    assert found is not None
    return found


@provider("lead_unit_evaluation.spot_check")
def spot_check_form(ctx: FormContext) -> FormData:
    """The drawn projects, each with what the register holds of it."""
    result, check = result_of(ctx), _drawn(ctx)
    rows: list[dict[str, Any]] = [
        {
            "label": f"{project.number} {project.title}",
            "about": _(
                "%(who)s；合同 %(amount)s 万元；%(status)s；水平 %(levels)s",
                who=project.pilot_enterprise.name,
                amount=f"{project.contract_amount:f}",
                status=str(words.PROJECT[project.status][0]),
                levels=words.levels(project.level_before, project.level_after),
            ),
            "verdict": None,
            "words": None,
            "evidence": [],
        }
        for project in spot_checks.projects(ctx.session, check)
    ]
    context = {
        "lead_unit_name": result.lead_unit.name,
        "population": len(check.population),
        "drawn": len(check.drawn),
        "seed": check.seed,
    }
    return FormData(data={"rows": rows}, context=context)


@validator("lead_unit_evaluation.spot_check")
def spot_check(ctx: FormContext) -> Mapping[str, Any]:
    """A verdict for each project; facts where it does not conform (3.2)."""
    return spot_checks.check_findings(ctx.data.get("rows") or [], len(_drawn(ctx).drawn))


@handler("evaluation.record_findings", inputs={"result_id": "评价结果", "spot_findings": "抽查结论"})
def record_findings(ctx: HandlerContext) -> None:
    """登记每个项目的抽查结论（3.2）。"""
    rows = ctx.variables.get("spot_findings") or []
    supervision.keep_inside(ctx.session, spot_checks.enter(ctx.session, _drawn(ctx), rows, ctx.actor, ctx.now))
