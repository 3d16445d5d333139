"""`expulsion_review` 清退审议 (4.4): from the facts to the signed decision; forms, checks and what each step enters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import update

from webapp.documents.models import Document
from webapp.engine.handler_api import (
    CancelContext,
    FormContext,
    FormData,
    HandlerContext,
    StartContext,
    StartPlan,
    canceller,
    handler,
    provider,
    starter,
    validator,
)
from webapp.errors import Conflict, Forbidden
from webapp.i18n import _
from webapp.registers import expulsion_hearing, expulsion_withdrawal, expulsions, filings, numbers
from webapp.registers.models import Expulsion
from webapp.registers.values import as_date, as_text, as_uuid, key

PROPOSALS = {"expel": "建议清退", "keep": "建议不予清退"}


@starter("expulsion_review")
def open_case(ctx: StartContext) -> StartPlan:
    """A unit's head asks to leave (4.4.1); a review that the office or a consequence opens brings its entry along."""
    entered = as_uuid(ctx.variables.get("expulsion_id"))
    if entered is not None:
        review = expulsions.get(ctx.session, entered)
        if review.instance_id is not None:
            raise Conflict(_("该清退审议已在办理。"))
        return StartPlan()
    unit = filings.unit_of(ctx.session, ctx.actor.organisation_id if ctx.actor else None)
    if ctx.actor is None or unit is None or "lead_unit_head" not in ctx.actor.roles:
        raise Forbidden(_("自行退出由牵引单位负责人提出；办公室请在牵引单位页面提出清退审议。"))
    expulsions.unit_to_expel(ctx.session, unit.id)
    return StartPlan(
        variables={**expulsions.first_variables(unit), "opened_by": "unit", "expulsion_id": None},
        business_key=numbers.case_number(ctx.session, "QT", (as_date(ctx.now) or ctx.now.date()).year),
        org_id=unit.organisation_id,
    )


@canceller("expulsion_review")
def give_up(ctx: CancelContext) -> None:
    """Before its entry, an exit may be dropped; then only the unit itself may withdraw, before the resolution."""
    found = as_uuid(ctx.variables.get("expulsion_id"))
    if found is not None:
        review = expulsions.locked(ctx.session, found)
        expulsion_withdrawal.give_up(ctx.session, review, ctx.actor, ctx.reason, ctx.now)


def review_of(ctx: FormContext | HandlerContext) -> Expulsion:
    return expulsions.get(ctx.session, key(ctx.variables["expulsion_id"]))


def locked(ctx: FormContext | HandlerContext) -> Expulsion:
    return expulsions.locked(ctx.session, key(ctx.variables["expulsion_id"]))


def keep_inside(ctx: HandlerContext, review: Expulsion, values: Iterable[Any], *, inside: bool = True) -> None:
    """Whether the unit reads these files: evidence once it has been told of it, minutes never."""
    found = [document for value in values if (document := as_uuid(value))]
    org_id = None if inside else review.lead_unit.organisation_id
    ctx.session.execute(update(Document).where(Document.id.in_(found)).values(org_id=org_id))


def shown(review: Expulsion) -> dict[str, Any]:
    """What most forms show of a review."""
    return {
        "unit": review.lead_unit.name,
        "code": review.lead_unit.credit_code,
        "grounds_table": [
            {
                "clause": ground.clause,
                "words": expulsions.clause_words(ground.clause),
                "facts": ground.facts,
                "evidence": _("%(n)s 份", n=len(ground.evidence)),
            }
            for ground in review.grounds
        ],
        "said": expulsion_hearing.said_words(review),
        "findings_words": as_text(review.proposal.get("findings")),
        "proposal_words": PROPOSALS.get(as_text(review.proposal.get("proposal")), ""),
        "legality_words": as_text(review.legality.get("opinion")) or _("审核通过"),
        "return_words": "",
    }


def words_needed(ctx: FormContext, outcome: str, name: str, words: str) -> dict[str, str]:
    return {name: words} if ctx.outcome == outcome and not as_text(ctx.data.get(name)) else {}


# ---- a unit's own exit (4.4.1) -------------------------------------------------------------------------------------


@provider("expulsion.request_exit")
def request_exit_form(ctx: FormContext) -> FormData:
    """The unit that asks to leave."""
    return FormData(context={"unit": as_text(ctx.variables.get("lead_unit_name"))})


@validator("expulsion.request_exit")
def request_exit(ctx: FormContext) -> Mapping[str, Any]:
    """It knows that it may not apply again, and hands in a stamped request."""
    wrong = {} if ctx.data.get("bar_known") is True else {"bar_known": _("请确认已知悉退出后不得重新申请纳入。")}
    if not ctx.data.get("exit_files"):
        wrong["exit_files"] = _("请上传加盖公章的退出申请。")
    return wrong


@handler(
    "expulsion.register_exit",
    inputs={"lead_unit_id": "单位", "exit_reasons": "理由", "exit_files": "退出申请"},
    outputs={"expulsion_id": "清退审议", "joined": "是否并入已有的审议"},
)
def register_exit(ctx: HandlerContext) -> Mapping[str, Any]:
    """登记退出申请；本单位已有清退审议的，并入该审议，不因此终结（4.4.1）。"""
    unit = expulsions.unit_to_expel(ctx.session, key(ctx.variables["lead_unit_id"]))
    files = [key(value) for value in ctx.variables.get("exit_files") or ()]
    opened = expulsions.enter(
        ctx.session,
        unit,
        expulsions.EXIT,
        as_text(ctx.variables.get("exit_reasons")),
        "unit",
        number=ctx.business_key or "",
        instance_id=ctx.instance_id,
        evidence=files,
        actor=ctx.actor,
    )
    opened.review.bar_known = True
    return {"expulsion_id": None if opened.joined else str(opened.review.id), "joined": opened.joined}
