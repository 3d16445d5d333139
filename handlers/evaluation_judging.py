"""`lead_unit_evaluation`, third part: experts judge alone, the scores are computed and told (3.2, 3.3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.lead_unit_evaluation import result_of
from webapp import clock
from webapp.accounts import settings_service
from webapp.engine.handler_api import FormContext, FormData, HandlerContext, handler, provider, validator
from webapp.i18n import _
from webapp.registers import evaluation_rounds as rounds
from webapp.registers import evaluation_scoring as scoring
from webapp.registers import evaluation_units as units
from webapp.registers.values import as_decimal, as_text


@handler(
    "evaluation.assign",
    inputs={"result_id": "评价结果", "used_experts": "已评分或已回避的专家"},
    outputs={"asked_experts": "请其评分的专家", "experts_short": "名册内是否不够"},
)
def assign(ctx: HandlerContext) -> Mapping[str, Any]:
    """轮流选派专家各自独立评分；被评单位及其联合体的人员回避（工作口径）。"""
    result, used = result_of(ctx), list(ctx.variables.get("used_experts") or [])
    if result.status == "checking":
        units.change(ctx.session, result, "changed", status="scoring")
    wanted = units.wanted(ctx.session, result)
    found = units.free(ctx.session, result, result.round.experts, used)[:wanted]
    return {"asked_experts": found, "experts_short": len(found) < wanted, "given_scores": []}


@provider("lead_unit_evaluation.name_experts")
def name_experts_form(ctx: FormContext) -> FormData:
    """Everybody who may judge; the tied are refused with the reason."""
    result = result_of(ctx)
    panel = [{"value": a.username, "label": a.name} for a in rounds.experts(ctx.session)]
    context = {"lead_unit_name": result.lead_unit.name, "wanted": units.wanted(ctx.session, result)}
    return FormData(data={"experts": ctx.variables.get("asked_experts")}, options={"panel": panel}, context=context)


@validator("lead_unit_evaluation.name_experts")
def name_experts(ctx: FormContext) -> Mapping[str, Any]:
    """As many as are wanted, none of them tied to the unit (回避) nor asked before."""
    return units.check_named(ctx.session, result_of(ctx), ctx.data, ctx.variables.get("used_experts") or [])


@provider("lead_unit_evaluation.score")
def score_form(ctx: FormContext) -> FormData:
    """The unit's figures and report; nothing of what other experts think."""
    result = result_of(ctx)
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
    result = result_of(ctx)
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
    result, given = result_of(ctx), ctx.variables.get("given_scores") or []
    recused = units.take_opinions(ctx.session, result, given)
    known = [*(ctx.variables.get("used_experts") or []), *recused, *(o["username"] for o in result.expert_scores)]
    return {"experts_wanted": units.wanted(ctx.session, result), "used_experts": list(dict.fromkeys(known))}


@handler("evaluation.compute", inputs={"result_id": "评价结果"}, outputs={"total": "得分"})
def compute(ctx: HandlerContext) -> Mapping[str, Any]:
    """按季度末的台账数字和专家评分计算得分；没有基数的指标不适用，权重分给其他指标（3.2）。"""
    result = result_of(ctx)
    return {"total": units.compute(ctx.session, result, ctx.now), "newly_admitted": result.newly_admitted}


@handler(
    "evaluation.tell_result",
    inputs={"result_id": "评价结果", "grade": "等次"},
    outputs={"statement_due_at": "陈述申辩期限"},
)
def tellresult_of(ctx: HandlerContext) -> Mapping[str, Any]:
    """告知初步结果，给予陈述申辩的期限（工作口径）。"""
    result = result_of(ctx)
    units.change(ctx.session, result, "scored", status="stating", grade=as_text(ctx.variables["grade"]))
    days = int(settings_service.get(ctx.session, "statement_days"))
    return {"statement_due_at": clock.deadline(ctx.now, working_days=days)}
