"""`lead_unit_evaluation` 一家牵引单位的季度评价: report, experts, statement, conclusion (3.3, 4.4.2, 4.4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from webapp import clock
from webapp.accounts import settings_service
from webapp.audit import service as audit
from webapp.engine.handler_api import (
    Block,
    CancelContext,
    CasePanel,
    CasePanelContext,
    FormContext,
    FormData,
    HandlerContext,
    canceller,
    case_panel,
    handler,
    provider,
    validator,
)
from webapp.errors import Conflict
from webapp.i18n import _
from webapp.registers import evaluation_labels as words
from webapp.registers import evaluation_rounds as rounds
from webapp.registers import evaluation_scoring as scoring
from webapp.registers import evaluation_units as units
from webapp.registers.evaluation_models import EvaluationResult
from webapp.registers.values import as_decimal, as_text, key, until_words, zh_date

#: Who sees figures and opinions before the result is told.
INSIDE = frozenset({"office", "working_group", "manager"})


def _result(ctx: FormContext | HandlerContext | CancelContext | CasePanelContext) -> EvaluationResult:
    return units.get(ctx.session, key(ctx.variables["result_id"]))


@canceller("lead_unit_evaluation")
def leave(ctx: CancelContext) -> None:
    """Only a unit that has left the list, or with a voided round; the others need a conclusion (3.3.2)."""
    result = _result(ctx)
    if result.lead_unit.status == "listed" and result.round.voided_at is None:
        raise Conflict(_("在册牵引单位的评价不能直接终止：须有评价结论（3.3.2）。"))
    units.leave(ctx.session, result, ctx.reason, ctx.actor, ctx.now)


# ---- reporting (3.3.1) -------------------------------------------------------------------------------------------


@provider("lead_unit_evaluation.report")
def report_form(ctx: FormContext) -> FormData:
    """The commitment's indicators, each with its target and the earlier quarters of the year."""
    result = _result(ctx)
    rows = [
        {
            "label": row["label"],
            "target_words": f"{row['target']} {row['unit']}（{_('全年累计') if row['cumulative'] else _('每季度')}）",
            "earlier": row["earlier"] or "—",
            "actual": None,
            "note": None,
            "evidence": [],
        }
        for row in units.report_rows(ctx.session, result)
    ]
    context = {
        "quarter_words": ctx.variables["quarter_words"],
        "year": result.round.year,
        "ends_on": zh_date(rounds.quarter(result.round).end),
        "due": until_words(result.report_due_at),
        "excuse_words": as_text(ctx.variables.get("absence_words")),
    }
    return FormData(data={"rows": rows}, context=context)


@validator("lead_unit_evaluation.report")
def report(ctx: FormContext) -> Mapping[str, Any]:
    """Every actual is there; a lower cumulative figure is asked about (3.3.1)."""
    return units.check_report(ctx.session, _result(ctx), ctx.data)


@handler("evaluation.remind", inputs={"result_id": "评价结果"})
def remind(ctx: HandlerContext) -> None:
    """期限届满前提醒报送，记入案卷（工作口径）。"""
    result = _result(ctx)
    result.reminded_at = ctx.now
    audit.record(ctx.session, "evaluation.remind", None, instance_id=ctx.instance_id, subject=result.lead_unit.name)


@handler("evaluation.urge", inputs={"result_id": "评价结果"})
def urge(ctx: HandlerContext) -> None:
    """期限届满未报送，发出催告并记为迟报；宽限期满仍未报送的转入核实（4.4.2）。"""
    result = _result(ctx)
    units.change(ctx.session, result, "changed", urged_at=ctx.now, late=True)
    audit.record(ctx.session, "evaluation.urge", None, instance_id=ctx.instance_id, subject=result.lead_unit.name)


@handler("evaluation.accept_report", inputs={"result_id": "评价结果", "report": "报送内容"})
def accept_report(ctx: HandlerContext) -> None:
    """登记报送材料；迟报的记录在案（4.2.2）。"""
    units.accept_report(ctx.session, _result(ctx), ctx.variables.get("report") or {}, ctx.actor, ctx.now)


@handler("evaluation.suspect_absence", inputs={"result_id": "评价结果"})
def suspect_absence(ctx: HandlerContext) -> None:
    """经催告、宽限期满仍未报送，由办公室核实（4.4.2）。"""
    units.change(ctx.session, _result(ctx), "changed", status="verifying")


@provider("lead_unit_evaluation.verify")
def verify_form(ctx: FormContext) -> FormData:
    """The deadline, and when it was summoned."""
    result = _result(ctx)
    context = {
        "lead_unit_name": result.lead_unit.name,
        "quarter_words": ctx.variables["quarter_words"],
        "due": until_words(result.report_due_at),
        "urged": zh_date(result.urged_at),
    }
    return FormData(context=context)


@validator("lead_unit_evaluation.verify")
def verify(ctx: FormContext) -> Mapping[str, Any]:
    """An absence is established in words (4.4.2)."""
    if found := units.over(_result(ctx)):
        return found
    return {} if as_text(ctx.data.get("absence_words")) else {"absence_words": _("请写明核实情况与理由。")}


@handler("evaluation.reopen", inputs={"result_id": "评价结果"}, outputs={"report_due_at": "新的报送期限"})
def reopen(ctx: HandlerContext) -> Mapping[str, Any]:
    """有正当理由的，重新给予报送期限（工作口径）。"""
    result = _result(ctx)
    due = clock.deadline(ctx.now, working_days=int(settings_service.get(ctx.session, "report_grace_days")))
    found = rounds.report_times(ctx.session, due)
    units.change(ctx.session, result, "changed", status="reporting", report_due_at=due, urged_at=None, late=False)
    return found


@handler("evaluation.record_absence", inputs={"result_id": "评价结果", "absence_words": "核实情况与理由"})
def record_absence(ctx: HandlerContext) -> None:
    """认定未按规定参加绩效评价，登记清退审议的事由（4.4.2）。"""
    units.record_absence(ctx.session, _result(ctx), ctx.variables, ctx.actor, ctx.now)


# ---- experts and scores (3.3.2) ----------------------------------------------------------------------------------


@handler(
    "evaluation.assign",
    inputs={"result_id": "评价结果", "used_experts": "已评分或已回避的专家"},
    outputs={"asked_experts": "请其评分的专家", "experts_short": "名册内是否不够"},
)
def assign(ctx: HandlerContext) -> Mapping[str, Any]:
    """轮流选派专家各自独立评分；被评单位及其联合体的人员回避（工作口径）。"""
    result, used = _result(ctx), list(ctx.variables.get("used_experts") or [])
    wanted = units.wanted(ctx.session, result)
    found = units.free(ctx.session, result, result.round.experts, used)[:wanted]
    return {"asked_experts": found, "experts_short": len(found) < wanted, "given_scores": []}


@provider("lead_unit_evaluation.name_experts")
def name_experts_form(ctx: FormContext) -> FormData:
    """Everybody who may judge; the tied are refused with the reason."""
    result = _result(ctx)
    panel = [{"value": a.username, "label": a.name} for a in rounds.experts(ctx.session)]
    context = {"lead_unit_name": result.lead_unit.name, "wanted": units.wanted(ctx.session, result)}
    return FormData(data={"experts": ctx.variables.get("asked_experts")}, options={"panel": panel}, context=context)


@validator("lead_unit_evaluation.name_experts")
def name_experts(ctx: FormContext) -> Mapping[str, Any]:
    """As many as are wanted, none of them tied to the unit (回避) nor asked before."""
    return units.check_named(ctx.session, _result(ctx), ctx.data, ctx.variables.get("used_experts") or [])


@provider("lead_unit_evaluation.score")
def score_form(ctx: FormContext) -> FormData:
    """The unit's figures and report; nothing of what other experts think."""
    result = _result(ctx)
    quarter = rounds.quarter(result.round)
    values = scoring.figures(ctx.session, result.lead_unit, quarter, result.report)
    rows = [{"label": i["label"], "criteria": i["criteria"], "score": None} for i in units.judged(result)]
    context = {
        "lead_unit_name": result.lead_unit.name,
        "quarter_words": ctx.variables["quarter_words"],
        "figure_rows": [{"label": str(scoring.FIGURES[name]), "value": f"{v:f}"} for name, v in values.items()],
        "report_rows": result.report,
    }
    return FormData(data={"rows": rows}, context=context)


@validator("lead_unit_evaluation.score")
def score(ctx: FormContext) -> Mapping[str, Any]:
    """A score for each criterion; an expert of the judged organisation is refused (回避)."""
    result = _result(ctx)
    if ctx.outcome == "recuse":
        return {} if as_text(ctx.data.get("score_words")) else {"score_words": _("请写明回避的理由。")}
    if units.is_tied(ctx.session, ctx.actor.username, result.lead_unit):
        return {"": _("您所在单位是被评单位或其联合体成员，应当回避，不能评分。")}
    given = ctx.data.get("rows") or []
    return {
        f"rows[{at}].score": _("请评分（0 至 100）。")
        for at in range(len(units.judged(result)))
        if at >= len(given) or as_decimal(given[at].get("score")) is None
    }


@handler(
    "evaluation.gather",
    inputs={"result_id": "评价结果", "given_scores": "各专家的评分"},
    outputs={"experts_wanted": "还须请几名专家", "used_experts": "已评分或已回避的专家"},
)
def gather(ctx: HandlerContext) -> Mapping[str, Any]:
    """汇总评分；有回避的补派，相差超过设置的增加一名专家（工作口径）。"""
    result, given = _result(ctx), ctx.variables.get("given_scores") or []
    recused = units.take_opinions(ctx.session, result, given)
    known = [*(ctx.variables.get("used_experts") or []), *recused, *(o["username"] for o in result.expert_scores)]
    return {"experts_wanted": units.wanted(ctx.session, result), "used_experts": list(dict.fromkeys(known))}


@handler("evaluation.compute", inputs={"result_id": "评价结果"}, outputs={"total": "得分"})
def compute(ctx: HandlerContext) -> Mapping[str, Any]:
    """按季度末的台账数字和专家评分计算得分；没有基数的指标不适用，权重分给其他指标（3.2）。"""
    result = _result(ctx)
    return {"total": units.compute(ctx.session, result, ctx.now), "newly_admitted": result.newly_admitted}


@handler(
    "evaluation.tell_result",
    inputs={"result_id": "评价结果", "grade": "等次"},
    outputs={"statement_due_at": "陈述申辩期限"},
)
def tell_result(ctx: HandlerContext) -> Mapping[str, Any]:
    """告知初步结果，给予陈述申辩的期限（工作口径）。"""
    result = _result(ctx)
    units.change(ctx.session, result, "scored", status="stating", grade=as_text(ctx.variables["grade"]))
    days = int(settings_service.get(ctx.session, "statement_days"))
    return {"statement_due_at": clock.deadline(ctx.now, working_days=days)}


# ---- statement and conclusion ------------------------------------------------------------------------------------


def _score_context(ctx: FormContext, result: EvaluationResult) -> dict[str, Any]:
    none = _("不适用")
    rows = [
        {
            **row,
            "dimension": str(words.DIMENSION[row["dimension"]][0]),
            "score": none if row["score"] is None else row["score"],
            "points": row["points"] or "",
        }
        for row in result.scores
    ]
    return {
        "lead_unit_name": result.lead_unit.name,
        "quarter_words": ctx.variables["quarter_words"],
        "total": none if result.total is None else str(result.total),
        "grade_words": str(words.GRADE[result.grade][0]) if result.grade else "",
        "score_rows": rows,
    }


@provider("lead_unit_evaluation.statement")
def statement_form(ctx: FormContext) -> FormData:
    """The preliminary result with the score of each indicator."""
    context = _score_context(ctx, _result(ctx))
    return FormData(context={**context, "due": until_words(ctx.variables["statement_due_at"])})


@validator("lead_unit_evaluation.statement")
def statement(ctx: FormContext) -> Mapping[str, Any]:
    """A statement has words."""
    if ctx.outcome == "state" and len(as_text(ctx.data.get("statement"))) < 10:
        return {"statement": _("请写明事实和理由，不少于 10 个字。")}
    return {}


@handler("evaluation.record_statement", inputs={"result_id": "评价结果", "statement": "陈述申辩"})
def record_statement(ctx: HandlerContext) -> None:
    """登记陈述申辩，送审定（3.3.2）。"""
    said = as_text(ctx.variables.get("statement")) if ctx.variables.get("statement_decision") == "state" else ""
    values = {"statement": said, "stated_at": ctx.now, "status": "settling"}
    units.change(ctx.session, _result(ctx), "changed", actor=ctx.actor, **values)


@handler("evaluation.record_silence", inputs={"result_id": "评价结果"})
def record_silence(ctx: HandlerContext) -> None:
    """期限届满没有陈述申辩的，照常审定（工作口径）。"""
    units.change(ctx.session, _result(ctx), "changed", status="settling")


@provider("lead_unit_evaluation.settle")
def settle_form(ctx: FormContext) -> FormData:
    """Scores, the experts' opinions, the statement, and what settling would bring about."""
    result = _result(ctx)
    before = units.fails(ctx.session, result.lead_unit_id)
    labels = {i["key"]: i["label"] for i in units.judged(result)}
    opinions = [
        {
            "name": opinion["name"],
            "scores": "；".join(f"{labels.get(name, name)} {value}" for name, value in opinion["scores"].items()),
            "words": opinion["words"],
        }
        for opinion in result.expert_scores
    ]
    follows = ""
    if result.grade == "fail":
        follows = _("计一次不达标。")
        if before:
            follows = _("累计第 %(n)s 次不达标，审定后登记清退审议（第 4.4.3 条）。", n=before + 1)
    context = {
        **_score_context(ctx, result),
        "fails": before,
        "consequence_words": follows,
        "opinion_rows": opinions,
        "statement_words": result.statement or _("没有陈述申辩。"),
    }
    return FormData(context=context)


@validator("lead_unit_evaluation.settle")
def settle(ctx: FormContext) -> Mapping[str, Any]:
    """The arrangement is recorded (3.2), a statement is answered, lagging has its facts (4.2.3)."""
    if ctx.outcome != "settle":
        return {}
    found = units.over(_result(ctx))
    if not as_text(ctx.data.get("arrangement")):
        found["arrangement"] = _("请写明下一阶段工作安排（第 3.2 条）。")
    if _result(ctx).statement and not as_text(ctx.data.get("statement_answer")):
        found["statement_answer"] = _("该单位作了陈述申辩，请予答复。")
    if ctx.data.get("lagging") and not as_text(ctx.data.get("lagging_reason")):
        found["lagging_reason"] = _("请写明进度滞后的事实。")
    return found


@handler("evaluation.conclude", inputs={"result_id": "评价结果", "settled": "审定内容"})
def conclude(ctx: HandlerContext) -> None:
    """结论生效，登记下一阶段工作安排和后续（3.3.2、3.2、4.4.3、4.2.3）。"""
    units.conclude(ctx.session, _result(ctx), ctx.variables.get("settled") or {}, ctx.actor, ctx.now)


@handler(
    "evaluation.record_outcome",
    inputs={"round_id": "本次评价"},
    outputs={"last_unit_settled": "是否本次评价的最后一家"},
)
def record_outcome(ctx: HandlerContext) -> Mapping[str, Any]:
    """计入本次评价，并在行锁下判断是否最后一家（3.2）。"""
    return {"last_unit_settled": rounds.count_settled(ctx.session, key(ctx.variables["round_id"]))}


@case_panel("lead_unit_evaluation")
def unit_file(ctx: CasePanelContext) -> CasePanel:
    """The unit's result so far; before it is told, the unit sees where its case stands and no more."""
    result = _result(ctx)
    inside = bool(ctx.actor.roles & INSIDE)
    told = inside or result.status in ("stating", "settling", "settled")
    total = result.total if isinstance(result.total, Decimal) else None
    facts = [
        (_("牵引单位"), result.lead_unit.name, f"/registers/lead-units/{result.lead_unit_id}"),
        (_("季度"), words.quarter(result.round.year, result.round.quarter), None),
        (_("状态"), str(words.RESULT[result.status][0]), None),
        (_("报送期限"), until_words(result.report_due_at), None),
    ]
    if told and total is not None:
        facts.append((_("得分"), str(total), None))
    blocks = [Block("facts", title=_("评价概要"), items=facts)]
    if result.late:
        blocks.append(Block("hint", text=_("材料迟报，已记录（第 4.2.2 条）。"), style="warn"))
    return CasePanel(blocks=blocks)
