"""`expulsion_review` (4.4): the decision is drafted and signed; what the signature sets off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from handlers.expulsion_review import locked, review_of, shown, words_needed
from webapp.engine.handler_api import FormContext, FormData, HandlerContext, handler, provider, validator
from webapp.i18n import _
from webapp.registers import expelling, handovers
from webapp.registers.expulsion_models import ExpulsionHandover
from webapp.registers.values import as_text, zh_date


@provider("expulsion.draft_decision")
def draft_form(ctx: FormContext) -> FormData:
    """A first wording of the decision, and why the signatory sent it back."""
    review = review_of(ctx)
    meeting, returned = review.meetings[-1], ctx.variables.get("sign_decision") == "return"
    title = f"关于清退牵引单位{review.lead_unit.name}的决定"
    words = (
        "（一）自本决定发布之日起，取消其牵引单位资格并予以清退，不得重新申请纳入。\n"
        "（二）其在办的备案、评价等事项自本决定发布之日起终止。\n"
        "（三）尚未完成的改造项目，应当在 10 个工作日内提交移交清单，不得影响试点企业的改造。\n"
        "对本决定不服的，可以向我局申请复核，复核期间不停止执行。"
    )
    return FormData(
        data={"decision_title": review.decision_title or title, "decision_words": review.decision_words or words},
        context={
            **shown(review),
            "met_on": zh_date(meeting.met_on),
            "resolution_words": meeting.words,
            "return_words": as_text(ctx.variables.get("sign_opinion")) if returned else "",
        },
    )


@validator("expulsion.draft_decision")
def draft_decision(ctx: FormContext) -> Mapping[str, Any]:
    """The decision names the unit."""
    name = review_of(ctx).lead_unit.name
    title = as_text(ctx.data.get("decision_title"))
    return {} if name in title else {"decision_title": _("标题须写明被清退的单位：%(name)s。", name=name)}


@provider("expulsion.sign")
def sign_form(ctx: FormContext) -> FormData:
    """The decision as it will be published, and what the signature sets off."""
    review, given = review_of(ctx), ctx.variables
    meeting = review.meetings[-1]
    return FormData(
        context={
            **shown(review),
            "title": as_text(given.get("decision_title")),
            "words": as_text(given.get("decision_words")),
            "met_on": zh_date(meeting.met_on),
            "resolution_words": meeting.words,
            "running": len(expelling.running(ctx.session, review.lead_unit)),
            "projects": len(handovers.unfinished(ctx.session, review.lead_unit)),
            "accounts": len(expelling.members(ctx.session, review.lead_unit.organisation_id)),
        }
    )


@validator("expulsion.sign")
def sign(ctx: FormContext) -> Mapping[str, Any]:
    """A return says why."""
    return words_needed(ctx, "return", "sign_opinion", _("请写明退回修改的理由。"))


@handler(
    "expulsion.expel",
    inputs={"expulsion_id": "清退审议", "decision_title": "决定标题", "decision_words": "处理决定"},
    outputs={"decision_number": "决定文号", "handovers": "待移交的项目数"},
)
def expel(ctx: HandlerContext) -> Mapping[str, Any]:
    """签发即生效（4.4）：状态、不得重新申请名单、在办事项、账号、移交、编号、公告，在同一个事务内。"""
    expelling.lock_running(ctx.session, review_of(ctx).lead_unit)
    review = locked(ctx)
    review.decision_title = as_text(ctx.variables.get("decision_title"))
    review.decision_words = as_text(ctx.variables.get("decision_words"))
    notice = expelling.expel(ctx.session, review, actor=ctx.actor, now=ctx.now, end=ctx.cancel_instance)
    entries = handovers.of_review(ctx.session, review.id)
    for entry in entries:
        entry.instance_id = _start_handover(ctx, entry)
    ctx.enqueue("documents.notice", {"notice_id": str(notice.id)})
    return {"decision_number": notice.number, "handovers": len(entries)}


def _start_handover(ctx: HandlerContext, entry: ExpulsionHandover) -> UUID:
    """A case of its own for each project that is left unfinished."""
    review, project = entry.expulsion, entry.project
    variables = {
        "expulsion_id": str(review.id),
        "handover_id": str(entry.id),
        "project_title": project.title,
        "enterprise_name": project.pilot_enterprise.name,
        "lead_unit_name": review.lead_unit.name,
        "last": False,
    }
    number = f"{review.number}-{entry.seq:02d}"
    org_id = review.lead_unit.organisation_id
    return ctx.start_instance("project_handover", variables, business_key=number, org_id=org_id)
