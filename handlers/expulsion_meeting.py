"""`expulsion_review` (4.4): the proposal, its legality check, the agenda, and the sessions of the 局务会."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.expulsion_review import keep_inside, locked, review_of, shown, words_needed
from webapp.engine.handler_api import FormContext, FormData, HandlerContext, handler, provider, validator
from webapp.i18n import _
from webapp.registers import expulsion_meetings, expulsions, history
from webapp.registers.values import as_date, as_text


@provider("expulsion.propose")
def propose_form(ctx: FormContext) -> FormData:
    """The facts, what the unit said, and why the legality check sent it back."""
    review = review_of(ctx)
    returned = ctx.variables.get("legality_decision") == "return" and review.legality.get("decision") == "return"
    files = [value for said in review.statements for value in said["files"]]
    context = {**shown(review), "has_statement_files": bool(files)}
    context["return_words"] = as_text(review.legality.get("opinion")) if returned else ""
    data = {"findings": review.proposal.get("findings"), "proposal": review.proposal.get("proposal")}
    return FormData(data={**data, "statement_files": files}, context=context)


@validator("expulsion.propose")
def propose(ctx: FormContext) -> Mapping[str, Any]:
    """What the unit said is answered."""
    spoke = any(said["kind"] == "statement" for said in review_of(ctx).statements)
    if spoke and not as_text(ctx.data.get("answer_to_statement")):
        return {"answer_to_statement": _("单位提出了陈述申辩，请逐条写明采纳与否及理由。")}
    return {}


@provider("expulsion.legality")
def legality_form(ctx: FormContext) -> FormData:
    """The proposal and what it rests on."""
    return FormData(context=shown(review_of(ctx)))


@validator("expulsion.legality")
def legality(ctx: FormContext) -> Mapping[str, Any]:
    """Passed only when facts, procedure and basis each are confirmed; a return says why."""
    if ctx.outcome == "return":
        return words_needed(ctx, "return", "legality_opinion", _("请写明退回的理由。"))
    names = ("facts_clear", "procedure_kept", "basis_right")
    return {name: _("请确认此项，或者退回。") for name in names if ctx.data.get(name) is not True}


@handler(
    "expulsion.record_proposal",
    inputs={"findings": "认定的事实和理由", "proposal": "处理建议", "legality_decision": "合法性审核"},
)
def record_proposal(ctx: HandlerContext) -> None:
    """登记处理建议和合法性审核意见（4.4）。"""
    review, given = locked(ctx), ctx.variables
    before = history.snapshot(review)
    names = ("findings", "proposal", "answer_to_statement")
    review.proposal = {name: as_text(given.get(name)) for name in names}
    review.legality = {
        "decision": as_text(given.get("legality_decision")),
        "opinion": as_text(given.get("legality_opinion")),
        "by": ctx.actor.name if ctx.actor else "",
        "at": ctx.now.isoformat(),
    }
    history.record(ctx.session, review, "proposed", before=before, actor=ctx.actor, instance_id=ctx.instance_id)


@provider("expulsion.set_agenda")
def agenda_form(ctx: FormContext) -> FormData:
    """The proposal that goes before the 局务会."""
    return FormData(context=shown(review_of(ctx)))


@validator("expulsion.set_agenda")
def set_agenda(ctx: FormContext) -> Mapping[str, Any]:
    """A meeting that lies ahead."""
    day, today = as_date(ctx.data.get("meeting_on")), as_date(ctx.now)
    return {"meeting_on": _("会议日期早于今日，请核对。")} if day and today and day < today else {}


@handler("expulsion.papers", inputs={"expulsion_id": "清退审议", "meeting_on": "会议日期"})
def papers(ctx: HandlerContext) -> None:
    """列入局务会议题并制作议题材料（4.4）。"""
    review, given = locked(ctx), ctx.variables
    before = history.snapshot(review)
    day = as_date(given.get("meeting_on"))
    review.agenda = {
        "meeting_on": day.isoformat() if day else "",
        "place": as_text(given.get("meeting_place")),
        "note": as_text(given.get("agenda_note")),
    }
    review.status = "meeting"
    history.record(ctx.session, review, "status", before=before, actor=ctx.actor, instance_id=ctx.instance_id)
    ctx.enqueue("documents.expulsion", {"expulsion_id": str(review.id), "kind": "expulsion_agenda"})


# ---- the 局务会 ----------------------------------------------------------------------------------------------------


@provider("expulsion.deliberate")
def deliberate_form(ctx: FormContext) -> FormData:
    """The item on the agenda; grounds that the unit has not been told of yet are named."""
    review = review_of(ctx)
    untold = "、".join(expulsions.untold(review))
    return FormData(
        data={"met_on": as_date(review.agenda.get("meeting_on"))}, context={**shown(review), "untold": untold}
    )


@validator("expulsion.deliberate")
def deliberate(ctx: FormContext) -> Mapping[str, Any]:
    """Quorum, minutes, recusals with their reasons; nothing that the unit was not told of is confirmed."""
    today = as_date(ctx.now) or ctx.now.date()
    return expulsion_meetings.check_meeting(ctx.session, locked(ctx), ctx.data, ctx.outcome, today)


@handler(
    "expulsion.record_meeting",
    inputs={"members": "参会人员", "resolution": "决议", "minutes": "会议纪要", "minutes_files": "纪要原件"},
)
def record_meeting(ctx: HandlerContext) -> None:
    """登记局务会决议（4.4）：到会、回避、纪要；纪要不向单位公开。"""
    review = locked(ctx)
    meeting = expulsion_meetings.resolve(ctx.session, review, ctx.variables, actor=ctx.actor, now=ctx.now)
    keep_inside(ctx, review, meeting.minutes_files)


@handler("expulsion.not_confirmed", inputs={"expulsion_id": "清退审议"})
def not_confirmed(ctx: HandlerContext) -> None:
    """局务会不予确认的，审议结束，单位仍在册（4.4）。"""
    review = locked(ctx)
    reason = _("局务会不予确认清退：%(words)s", words=review.meetings[-1].words)
    expulsions.close(ctx.session, review, "not_confirmed", reason, actor=ctx.actor, now=ctx.now)
