"""复核决定 (4.4): what the signature of a decision upon reconsideration does, all of it in one transaction.

Upheld: the decision is numbered and published, nothing else changes. Reversed: the bar is annulled with its history,
the unit stands on the list again, its accounts get back what they had, and what was not handed over stays with it.
Cases that ended with the expulsion do not come to life again: the unit files and reports anew.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.accounts import service as accounts
from webapp.accounts.models import Account
from webapp.engine.handler_api import Actor
from webapp.engine.tables import process_instance
from webapp.errors import Conflict
from webapp.i18n import _
from webapp.notices import publishing
from webapp.notices.models import Notice, NoticeItem
from webapp.registers import handovers, history, reconsiderations
from webapp.registers.expelling import FORMER, End
from webapp.registers.expulsion_models import Reconsideration
from webapp.registers.models import BarredEntry, Expulsion
from webapp.registers.values import as_date, key


def decide(session: Session, entry: Reconsideration, *, actor: Actor | None, now: datetime, end: End) -> Notice:
    """Carry out a signed decision upon a (locked) reconsideration. Errors: Conflict when nothing was resolved."""
    outcome = reconsiderations.outcome(entry)
    if entry.closed_at is not None or entry.expulsion.status != "expelled":
        raise Conflict(_("该复核已经办结，决定不能再次生效。"))
    notice = _publish(session, entry, outcome, actor, now)
    if outcome == "reverse":
        _annul_bar(session, entry, actor, now)
        _restore_status(session, entry, actor)
        _restore_accounts(session, entry.expulsion, actor)
        _end_handover(session, entry.expulsion, _("清退决定已撤销（%(n)s），不再移交。", n=notice.number), actor, end)
    before = history.snapshot(entry)
    entry.status = "reversed" if outcome == "reverse" else "upheld"
    entry.notice_id, entry.decision_number = notice.id, notice.number
    entry.decided_on, entry.closed_at = as_date(now), now
    history.record(session, entry, entry.status, before=before, actor=actor, instance_id=entry.instance_id)
    return notice


def _publish(session: Session, entry: Reconsideration, outcome: str, actor: Actor | None, now: datetime) -> Notice:
    review = entry.expulsion
    unit = review.lead_unit
    notice = Notice(kind="reconsideration", title=entry.decision_title, body=entry.decision_words)
    notice.corrects_id = review.notice_id
    session.add(notice)
    session.flush()
    row = NoticeItem(lead_unit_name=unit.name, name=unit.name, credit_code=unit.credit_code)
    row.extra = {
        "outcome": outcome,
        "basis": entry.basis,
        "met_on": entry.sessions[-1]["met_on"] if entry.sessions else "",
        "ruling": {name: entry.ruling.get(name, "") for name in ("authority", "number", "on")},
        "asked_on": str(as_date(entry.opened_at)) if entry.source == "unit" else "",
        "decision_number": review.decision_number or "",
        "decided_on": str(review.decided_on or ""),
    }
    publishing.set_rows(session, notice, [row])
    return publishing.publish(session, notice, signed_by=actor.name if actor else "", now=now)


def _annul_bar(session: Session, entry: Reconsideration, actor: Actor | None, now: datetime) -> None:
    review = entry.expulsion
    mine = BarredEntry.decision_number == review.decision_number, BarredEntry.annulled_on.is_(None)
    found = select(BarredEntry).where(BarredEntry.credit_code == review.lead_unit.credit_code, *mine)
    for bar in session.scalars(found.with_for_update()):
        before = history.snapshot(bar)
        bar.annulled_on = as_date(now)
        history.record(session, bar, "annulled", before=before, actor=actor, instance_id=entry.instance_id)


def _restore_status(session: Session, entry: Reconsideration, actor: Actor | None) -> None:
    review, unit = entry.expulsion, entry.expulsion.lead_unit
    before = history.snapshot(unit)
    unit.status = "listed"
    history.record(session, unit, "reinstated", before=before, actor=actor, instance_id=entry.instance_id)
    was = history.snapshot(review)
    review.status = "reversed"
    history.record(session, review, "reversed", before=was, actor=actor, instance_id=entry.instance_id)


def _restore_accounts(session: Session, review: Expulsion, actor: Actor | None) -> None:
    """The roles that the expulsion took away, for accounts that still belong to the unit."""
    for held in review.restricted:
        account = session.get(Account, key(held["account_id"]))
        if account is not None and account.organisation_id == review.lead_unit.organisation_id:
            accounts.set_roles(session, actor, account, (account.roles - {FORMER}) | set(held["roles"]))


def _end_handover(session: Session, review: Expulsion, reason: str, actor: Actor | None, end: End) -> None:
    cases = [entry.instance_id for entry in handovers.give_up(session, review, actor)]
    for case in [*cases, review.instance_id]:
        if case is not None and _is_active(session, case):
            end(case, reason)


def _is_active(session: Session, case: UUID) -> bool:
    p = process_instance.c
    return session.scalar(select(p.status).where(p.id == case)) == "active"
