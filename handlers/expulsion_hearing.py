"""`expulsion_review` (4.4): facts with evidence per ground, telling the unit, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.expulsion_review import keep_inside, locked, review_of, shown, words_needed
from webapp.audit import service as audit
from webapp.engine.handler_api import FormContext, FormData, HandlerContext, handler, provider, validator
from webapp.i18n import _
from webapp.registers import expulsion_hearing, expulsions, reviews
from webapp.registers.values import as_text, until_words


@provider("expulsion.gather")
def gather_form(ctx: FormContext) -> FormData:
    """The grounds as they stand, and what the 局务会 wants to know when it sent the review back."""
    review = review_of(ctx)
    rows = [{"clause": g.clause, "facts": g.facts, "evidence": list(g.evidence)} for g in review.grounds]
    options = [
        {"value": clause, "label": f"{clause} {expulsions.clause_words(clause)}"} for clause in expulsions.GROUNDS
    ]
    sent_back = review.meetings[-1].words if review.meetings and review.status == "gathering" else ""
    return FormData(
        data={"grounds": rows},
        options={"clauses": options},
        context={**shown(review), "return_words": sent_back},
    )


@validator("expulsion.gather")
def gather(ctx: FormContext) -> Mapping[str, Any]:
    """Each ground once, with evidence; none that was raised is dropped."""
    return expulsions.check_facts(locked(ctx), ctx.data.get("grounds") or ())


@handler(
    "expulsion.record_facts",
    inputs={"grounds": "各项情形、事实和证据"},
    outputs={"voluntary": "是否仅自行退出", "bar_known": "是否已知悉不得重新申请", "hearing_due_at": "期限"},
)
def record_facts(ctx: HandlerContext) -> Mapping[str, Any]:
    """登记查明的事实和证据（4.4）；告知以前，证据不向单位公开。"""
    review = locked(ctx)
    expulsions.keep_facts(ctx.session, review, ctx.variables.get("grounds") or (), ctx.actor)
    keep_inside(ctx, review, [v for g in review.grounds if g.source != "unit" for v in g.evidence])
    voluntary = expulsions.exit_only(review)
    if voluntary and review.bar_known:
        review.status = "proposing"
    due = expulsion_hearing.due_at(ctx.session, ctx.now)
    return {"voluntary": voluntary, "bar_known": review.bar_known, "hearing_due_at": due}


@provider("expulsion.acknowledge")
def acknowledge_form(ctx: FormContext) -> FormData:
    """The unit whose exit it is."""
    return FormData(context=shown(review_of(ctx)))


@validator("expulsion.acknowledge")
def acknowledge(ctx: FormContext) -> Mapping[str, Any]:
    """It says so expressly."""
    return {} if ctx.data.get("bar_known") is True else {"bar_known": _("请确认已知悉退出后不得重新申请纳入。")}


@handler(
    "expulsion.tell",
    inputs={"expulsion_id": "清退审议"},
    outputs={"hearing_due_at": "陈述申辩期限届满的时刻", "hearing_remind_at": "催告的时刻"},
)
def tell(ctx: HandlerContext) -> Mapping[str, Any]:
    """编号告知书，期限自告知次日起算（4.4，期限为工作口径）；证据自此向单位公开。"""
    review = locked(ctx)
    expulsion_hearing.tell(ctx.session, review, ctx.now, actor=ctx.actor)
    keep_inside(ctx, review, [value for g in review.grounds for value in g.evidence], inside=False)
    ctx.enqueue("documents.expulsion", {"expulsion_id": str(review.id), "kind": "expulsion_told"})
    assert review.statement_due_at is not None
    remind = reviews.remind_at(ctx.session, review.statement_due_at, ctx.now)
    return {"hearing_due_at": review.statement_due_at, "hearing_remind_at": remind}


@provider("expulsion.state_case")
def state_case_form(ctx: FormContext) -> FormData:
    """What the unit is told, and until when it may answer."""
    review = review_of(ctx)
    return FormData(context={**shown(review), "due": until_words(review.statement_due_at)})


@validator("expulsion.state_case")
def state_case(ctx: FormContext) -> Mapping[str, Any]:
    """A statement has words; whoever has none waives."""
    return words_needed(ctx, "submit", "statement", _("请写明陈述申辩；没有意见的，请选择放弃。"))


@handler(
    "expulsion.record_statement",
    inputs={"voluntary": "是否仅自行退出", "statement": "陈述申辩", "statement_files": "证明材料"},
    outputs={"bar_known": "是否已知悉不得重新申请"},
)
def record_statement(ctx: HandlerContext) -> Mapping[str, Any]:
    """记录单位的陈述申辩、放弃，或者（4.4.1）知悉不得重新申请。"""
    review, given = locked(ctx), ctx.variables
    if given.get("voluntary") is True and given.get("bar_known") is True:
        review.bar_known, review.status = True, "proposing"
        return {"bar_known": True}
    kind = "waived" if given.get("state_case_decision") == "waive" else "statement"
    words = as_text(given.get("statement")) if kind == "statement" else ""
    files = given.get("statement_files") or ()
    expulsion_hearing.state(ctx.session, review, kind, words, files, actor=ctx.actor, now=ctx.now)
    return {"bar_known": review.bar_known}


@handler("expulsion.remind", inputs={"expulsion_id": "清退审议"}, outputs={"reminded_at": "催告的时刻"})
def remind(ctx: HandlerContext) -> Mapping[str, Any]:
    """催告：期限届满前提醒单位（4.4）。"""
    review = review_of(ctx)
    due = review.statement_due_at.isoformat() if review.statement_due_at else ""
    subject = review.lead_unit.name
    audit.record(
        ctx.session, "expulsion.remind", None, instance_id=ctx.instance_id, subject=subject, detail={"due": due}
    )
    return {"reminded_at": ctx.now}


@handler("expulsion.silence", inputs={"expulsion_id": "清退审议"})
def silence(ctx: HandlerContext) -> None:
    """期限届满未陈述申辩的，如实记录（4.4）。"""
    expulsion_hearing.state(ctx.session, locked(ctx), "silent", "", (), actor=None, now=ctx.now)
