"""`lead_unit_evaluation`, last part: the unit states its case, the conclusion is settled (3.3.2, 4.4.3, 4.2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.lead_unit_evaluation import result_of
from webapp.engine.handler_api import FormContext, FormData, HandlerContext, handler, provider, validator
from webapp.i18n import _
from webapp.registers import evaluation_arrangements as arrangements
from webapp.registers import evaluation_labels as words
from webapp.registers import evaluation_rounds as rounds
from webapp.registers import evaluation_units as units
from webapp.registers.evaluation_models import EvaluationResult
from webapp.registers.values import as_text, key, until_words


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
    context = _score_context(ctx, result_of(ctx))
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
    units.change(ctx.session, result_of(ctx), "changed", actor=ctx.actor, **values)


@handler("evaluation.record_silence", inputs={"result_id": "评价结果"})
def record_silence(ctx: HandlerContext) -> None:
    """期限届满没有陈述申辩的，照常审定（工作口径）。"""
    units.change(ctx.session, result_of(ctx), "changed", status="settling")


@provider("lead_unit_evaluation.settle")
def settle_form(ctx: FormContext) -> FormData:
    """Scores, the experts' opinions, the statement, and what settling would bring about."""
    result = result_of(ctx)
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
        **arrangements.context(ctx.session, result),
    }
    return FormData(context=context)


@validator("lead_unit_evaluation.settle")
def settle(ctx: FormContext) -> Mapping[str, Any]:
    """The arrangement is recorded (3.2), a statement is answered, lagging has its facts (4.2.3).

    The arrangement of the round before is checked (3.2).
    """
    if ctx.outcome != "settle":
        return {}
    found = units.over(result_of(ctx))
    if not as_text(ctx.data.get("arrangement")):
        found["arrangement"] = _("请写明下一阶段工作安排（第 3.2 条）。")
    if result_of(ctx).statement and not as_text(ctx.data.get("statement_answer")):
        found["statement_answer"] = _("该单位作了陈述申辩，请予答复。")
    if ctx.data.get("lagging") and not as_text(ctx.data.get("lagging_reason")):
        found["lagging_reason"] = _("请写明进度滞后的事实。")
    return found | arrangements.check_conclusion(ctx.session, result_of(ctx), ctx.data)


@handler("evaluation.conclude", inputs={"result_id": "评价结果", "settled": "审定内容"})
def conclude(ctx: HandlerContext) -> None:
    """结论生效，登记下一阶段工作安排和后续（3.3.2、3.2、4.4.3、4.2.3）。"""
    units.conclude(ctx.session, result_of(ctx), ctx.variables.get("settled") or {}, ctx.actor, ctx.now)


@handler(
    "evaluation.record_outcome",
    inputs={"round_id": "本次评价"},
    outputs={"last_unit_settled": "是否本次评价的最后一家"},
)
def record_outcome(ctx: HandlerContext) -> Mapping[str, Any]:
    """计入本次评价，并在行锁下判断是否最后一家（3.2）。"""
    return {"last_unit_settled": rounds.count_settled(ctx.session, key(ctx.variables["round_id"]))}
