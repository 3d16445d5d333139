"""清退 (4.4): what a signed decision does, all of it in the transaction of the signature, aimed at this unit's id."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.accounts import service as accounts
from webapp.accounts.models import Account, AccountRole
from webapp.engine.handler_api import Actor
from webapp.engine.tables import process_instance
from webapp.errors import Conflict
from webapp.i18n import _
from webapp.notices import publishing
from webapp.notices.models import Notice, NoticeItem
from webapp.registers import expulsions, filings, handovers, history
from webapp.registers.models import BarredEntry, Expulsion, Filing, FilingItem, LeadUnit
from webapp.registers.values import as_date

#: Roles of a unit that end with its listing; `FORMER` reads the decision and hands over.
SUBMITTING = frozenset({"lead_unit", "lead_unit_head"})
FORMER = "former_lead_unit"
#: Cases of a unit that end as a whole with its listing; filings end by their own rule (`_end_filings`).
ENDING: tuple[str, ...] = ("lead_unit_evaluation", "criticism")

#: Ends one instance with a reason (`HandlerContext.cancel_instance`).
End = Callable[[UUID, str], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """A running case that ends with the decision."""

    instance_id: UUID
    number: str


def expel(session: Session, review: Expulsion, *, actor: Actor | None, now: datetime, end: End) -> Notice:
    """Carry out a signed decision (4.4). Errors: Conflict when the unit is off the list or nothing was confirmed."""
    unit = review.lead_unit
    if unit.status != "listed" or review.closed_at is not None:
        raise Conflict(_("%(unit)s已不在牵引单位名单中，决定不能再次生效。", unit=unit.name))
    if not review.meetings or review.meetings[-1].resolution != "confirm":
        raise Conflict(_("局务会没有确认清退，不能签发决定（第 4.4 条）。"))
    notice = _publish(session, review, actor, now)
    reason = _("牵引单位被清退（%(number)s），本件终止。", number=notice.number)
    _take_off_the_list(session, review, actor)
    _bar(session, review, notice, actor)
    ended = end_running(session, unit, reason, end, actor, review.instance_id, now)
    restricted = restrict(session, unit.organisation_id, actor)
    handovers.enter(session, review, actor)
    before = history.snapshot(review)
    review.status, review.notice_id, review.decision_number = "expelled", notice.id, notice.number
    review.decided_on, review.closed_at = as_date(now), now
    review.ended_cases = [case.number for case in ended]
    review.restricted = restricted
    history.record(session, review, "expelled", before=before, actor=actor, instance_id=review.instance_id)
    return notice


def _publish(session: Session, review: Expulsion, actor: Actor | None, now: datetime) -> Notice:
    unit = review.lead_unit
    notice = Notice(kind="expulsion", title=review.decision_title, body=review.decision_words)
    session.add(notice)
    session.flush()
    row = NoticeItem(lead_unit_name=unit.name, name=unit.name, credit_code=unit.credit_code)
    row.extra = {
        "grounds": told_grounds(review),
        "met_on": review.meetings[-1].met_on.isoformat(),
        "listed_on": unit.listed_on.isoformat() if unit.listed_on else "",
    }
    publishing.set_rows(session, notice, [row])
    return publishing.publish(session, notice, signed_by=actor.name if actor else "", now=now)


def told_grounds(review: Expulsion) -> list[dict[str, str]]:
    """The grounds on which the decision rests: those that the unit was told of before the resolution."""
    unheard = set(expulsions.untold(review))
    return [
        {"clause": ground.clause, "words": expulsions.clause_words(ground.clause), "facts": ground.facts}
        for ground in review.grounds
        if ground.clause not in unheard
    ]


def _take_off_the_list(session: Session, review: Expulsion, actor: Actor | None) -> None:
    unit = review.lead_unit
    before = history.snapshot(unit)
    unit.status, unit.under_expulsion, unit.rectifying = "expelled", False, False
    history.record(session, unit, "expelled", before=before, actor=actor, instance_id=review.instance_id)


def _bar(session: Session, review: Expulsion, notice: Notice, actor: Actor | None) -> None:
    entry = BarredEntry(
        credit_code=review.lead_unit.credit_code,
        name=review.lead_unit.name,
        clause="、".join(ground["clause"] for ground in told_grounds(review)),
        decision_number=notice.number or "",
        decided_on=as_date(notice.published_at),
        reason="；".join(ground["words"] for ground in told_grounds(review)),
    )
    session.add(entry)
    history.record(session, entry, "barred", actor=actor, instance_id=review.instance_id)


# ---- running cases -------------------------------------------------------------------------------------------------


def running(session: Session, unit: LeadUnit) -> list[Ended]:
    """The unit's own cases that a decision would end now."""
    keys = ("partner_filing", *ENDING)
    return [case for key in keys for case in _active(session, unit, key)]


def end_running(
    session: Session,
    unit: LeadUnit,
    reason: str,
    end: End,
    actor: Actor | None,
    instance_id: UUID | None,
    now: datetime,
) -> list[Ended]:
    """End a unit's running cases, but for the one (`instance_id`) whose decision ends them."""
    return [
        *_end_filings(session, unit, reason, end, actor, instance_id, now),
        *_end_others(session, unit, reason, end, instance_id),
    ]


def lock_running(session: Session, unit: LeadUnit) -> None:
    """Lock the unit's running cases, before the unit itself: a step of theirs locks its case first, then the unit.

    So a conclusion that is settled (or a filing that is confirmed) in another window comes wholly before the decision
    or wholly after it, and neither waits for the other in a circle.
    """
    p, keys = process_instance.c, ("partner_filing", "enterprise_review", *ENDING)
    mine = p.org_id == unit.organisation_id, p.definition_key.in_(keys), p.status == "active"
    session.execute(select(p.id).where(*mine).order_by(p.id).with_for_update())


def _active(session: Session, unit: LeadUnit, key: str) -> list[Ended]:
    p = process_instance.c
    query = select(p.id, p.business_key).where(
        p.org_id == unit.organisation_id, p.definition_key == key, p.status == "active"
    )
    return [Ended(row.id, row.business_key or "") for row in session.execute(query.order_by(p.id))]


def _end_others(session: Session, unit: LeadUnit, reason: str, end: End, but: UUID | None) -> list[Ended]:
    ended = [case for key in ENDING for case in _active(session, unit, key) if case.instance_id != but]
    for case in ended:
        end(case.instance_id, reason)
    return ended


def _end_filings(
    session: Session,
    unit: LeadUnit,
    reason: str,
    end: End,
    actor: Actor | None,
    instance_id: UUID | None,
    now: datetime,
) -> list[Ended]:
    """End drafts, and the enterprises of filings that no batch holds; a filing whose last ones they were ends too.

    Enterprises in a batch are struck by 更正公告, and the batch goes on: their filing waits for that (4.6.3).
    """
    ended = []
    for case in _active(session, unit, "partner_filing"):
        filing = session.scalars(select(Filing).where(Filing.instance_id == case.instance_id)).one_or_none()
        if filing is None:  # a draft
            end(case.instance_id, reason)
            ended.append(case)
            continue
        filing = filings.locked(session, filing.id)
        for item in filing.items:
            if item.settled_at is None and item.batch_id is None:
                ended += _strike(session, item, reason, end, actor, instance_id, now)
        if all(item.settled_at is not None for item in filing.items):
            filings.close(session, filing, actor=actor, instance_id=instance_id or case.instance_id, now=now)
            end(case.instance_id, reason)
            ended.append(case)
    return ended


def _strike(
    session: Session,
    item: FilingItem,
    reason: str,
    end: End,
    actor: Actor | None,
    instance_id: UUID | None,
    now: datetime,
) -> list[Ended]:
    if item.status not in filings.FINAL:
        filings.change_status(session, item, "struck", reason=reason, actor=actor, instance_id=instance_id)
    item.settled_at = now
    session.flush()
    if item.instance_id is None:
        return []
    p = process_instance.c
    row = session.execute(select(p.business_key, p.status).where(p.id == item.instance_id)).one()
    if row.status != "active":
        return []
    end(item.instance_id, reason)
    return [Ended(item.instance_id, row.business_key or "")]


# ---- accounts ------------------------------------------------------------------------------------------------------


def members(session: Session, organisation_id: UUID) -> list[Account]:
    """The unit's accounts that may submit."""
    held = select(AccountRole.account_id).where(AccountRole.role.in_(SUBMITTING))
    query = select(Account).where(Account.organisation_id == organisation_id, Account.id.in_(held))
    return list(session.scalars(query.order_by(Account.username)).unique())


def restrict(session: Session, organisation_id: UUID, actor: Actor | None) -> list[dict[str, Any]]:
    """Take from a unit's accounts the right to submit; they read the decision, hand over, and ask for 复核.

    Gives what each of them held: [{account_id, roles}], which a reversal gives back.
    """
    taken = []
    for account in members(session, organisation_id):
        taken.append({"account_id": str(account.id), "roles": sorted(account.roles & SUBMITTING)})
        accounts.set_roles(session, actor, account, (account.roles - SUBMITTING) | {FORMER})
    return taken
