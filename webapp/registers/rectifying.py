"""限期整改 (4.2, 4.3): the notice and the order are served, the unit reports, the office checks, and what comes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, NotFound
from webapp.i18n import _
from webapp.notices import publishing
from webapp.notices.models import Notice, NoticeItem
from webapp.registers import criticisms, expelling, expulsions, history, numbers
from webapp.registers.criticism_models import Criticism, Rectification
from webapp.registers.models import LeadUnit
from webapp.registers.values import as_date


def current(case: Criticism) -> Rectification:
    """The newest period. Errors: Conflict when nothing was ordered yet."""
    if not case.periods:
        raise Conflict(_("还没有责令整改。"))
    return case.periods[-1]


def criticise(
    session: Session,
    case: Criticism,
    *,
    title: str,
    words: str,
    requirements: str,
    days: int,
    actor: Actor | None,
    now: datetime,
) -> Notice:
    """签发: publish the 通报批评 and serve the order, both numbered (4.2). Errors: Conflict when nothing stands."""
    if case.closed_at is not None or case.notice_id is not None or not criticisms.established(case):
        raise Conflict(_("没有成立的情形，或者已经通报批评，不能再次签发。"))
    notice = publish(session, case, "criticism", title, words, actor, now)
    before = history.snapshot(case)
    case.title, case.words, case.notice_id, case.notice_number = title, words, notice.id, notice.number
    case.decided_on = as_date(now)
    order(session, case, requirements, days, now, actor=actor)
    history.record(session, case, "criticised", before=before, actor=actor, instance_id=case.instance_id)
    criticisms.flag(session, case.lead_unit, actor=actor, instance_id=case.instance_id)
    return notice


def publish(
    session: Session, case: Criticism, kind: str, title: str, words: str, actor: Actor | None, now: datetime
) -> Notice:
    """Number and publish a notice about the case. `kind`: criticism | cancellation | criticism_withdrawal."""
    unit = case.lead_unit
    notice = Notice(kind=kind, title=title, body=words, corrects_id=case.notice_id)
    session.add(notice)
    session.flush()
    row = NoticeItem(lead_unit_name=unit.name, name=unit.name, credit_code=unit.credit_code)
    row.extra = {
        "grounds": criticisms.told_grounds(case),
        "listed_on": unit.listed_on.isoformat() if unit.listed_on else "",
        "criticism_number": case.notice_number or "",
        "criticised_on": case.decided_on.isoformat() if case.decided_on else "",
        "periods": [{"seq": p.seq, "number": p.number, "due": p.due_at.isoformat()} for p in case.periods],
    }
    publishing.set_rows(session, notice, [row])
    return publishing.publish(session, notice, signed_by=actor.name if actor else "", now=now)


def order(
    session: Session, case: Criticism, requirements: str, days: int, now: datetime, *, actor: Actor | None
) -> Rectification:
    """责令限期整改: number the order and serve it; its period runs from the next day (4.2; its length: house rule)."""
    seq = len(case.periods) + 1
    period = Rectification(
        criticism_id=case.id,
        seq=seq,
        number=numbers.document_number(session, "rectification_order", (as_date(now) or now.date()).year),
        requirements=requirements,
        days=days,
        served_at=now,
        due_at=clock.deadline(now, days=days),
    )
    session.add(period)
    case.status = "rectifying"
    history.record(session, period, "ordered", actor=actor, instance_id=case.instance_id)
    session.expire(case, ["periods"])
    return period


def receive(session: Session, case: Criticism, actor: Actor, now: datetime) -> None:
    """签收 by a person of the unit. Errors: NotFound (nothing was served on this unit), Conflict (received before)."""
    if actor.organisation_id != case.lead_unit.organisation_id or not case.periods:
        raise NotFound(_("没有找到送达本单位的文书。"))
    period = current(criticisms.locked(session, case.id))
    if period.received_at is not None:
        raise Conflict(_("本单位此前已经签收，无需再次签收。"))
    _take(session, period, actor, now, case.instance_id)


def _take(session: Session, period: Rectification, actor: Actor | None, now: datetime, case: UUID | None) -> None:
    before = history.snapshot(period)
    period.received_at, period.received_by = now, actor.id if actor else None
    history.record(session, period, "received", before=before, actor=actor, instance_id=case)


def report(
    session: Session, case: Criticism, words: str, files: Sequence[Any], *, actor: Actor | None, now: datetime
) -> None:
    """The unit reports what it has rectified; who reports has received the order."""
    period = current(case)
    if period.received_at is None:
        _take(session, period, actor, now, case.instance_id)
    before = history.snapshot(period)
    period.status, period.reported_at, period.reported_by = "reported", now, actor.id if actor else None
    period.report_words, period.report_files = words, [str(key) for key in files]
    history.record(session, period, "reported", before=before, actor=actor, instance_id=case.instance_id)
    case.status = "checking"


def check(session: Session, case: Criticism, *, passed: bool, words: str, actor: Actor | None, now: datetime) -> None:
    """The office's check: rectified ends the case, else it is weighed what follows (4.3)."""
    period = current(case)
    before = history.snapshot(period)
    period.status = "passed" if passed else "failed"
    period.check_words, period.checked_at, period.checked_by = words, now, actor.id if actor else None
    history.record(session, period, "checked", before=before, actor=actor, instance_id=case.instance_id)
    if passed:
        criticisms.close(session, case, "rectified", words, actor=actor, now=now)
    else:
        case.status = "weighing"


def miss(session: Session, case: Criticism) -> None:
    """The period ended without a report: recorded as it is (4.3)."""
    period = current(case)
    before = history.snapshot(period)
    period.status = "missed"
    history.record(session, period, "missed", before=before, instance_id=case.instance_id)
    case.status = "weighing"


def resolve(session: Session, case: Criticism, outcome: str, words: str, *, actor: Actor | None, now: datetime) -> None:
    """What the working group decides upon a period that was not kept: continue | cancel (4.3)."""
    period = current(case)
    before = history.snapshot(period)
    period.resolved = {
        "outcome": outcome,
        "words": words,
        "by": actor.name if actor else "",
        "at": now.isoformat(),
    }
    history.record(session, period, "weighed", before=before, actor=actor, instance_id=case.instance_id)


def cannot_cancel(session: Session, case: Criticism) -> str:
    """Why the qualification cannot be cancelled now, else nothing: an expulsion review goes before (4.4)."""
    review = expulsions.open_of(session, case.lead_unit_id)
    if review is None:
        return ""
    return _("该单位的清退审议 %(number)s 尚未办结，须先由局务会审议（第 4.4 条）。", number=review.number)


def cancel(
    session: Session,
    case: Criticism,
    *,
    title: str,
    words: str,
    actor: Actor | None,
    now: datetime,
    end: expelling.End,
) -> Notice:
    """取消资格 (4.3): off the list, running cases end, accounts lose the right to submit; no bar, which is 4.4's alone.

    Errors: Conflict when the unit is off the list, under expulsion, or nothing was resolved.
    """
    unit = case.lead_unit
    if unit.status != "listed" or case.closed_at is not None:
        raise Conflict(_("%(unit)s已不在牵引单位名单中，决定不能再次生效。", unit=unit.name))
    if reason := cannot_cancel(session, case):
        raise Conflict(reason)
    if current(case).resolved.get("outcome") != "cancel":
        raise Conflict(_("工作小组没有决定取消资格（第 4.3 条）。"))
    notice = publish(session, case, "cancellation", title, words, actor, now)
    _take_off_the_list(session, unit, case, actor)
    why = _("牵引单位资格被取消（%(number)s），本件终止。", number=notice.number)
    ended = expelling.end_running(session, unit, why, end, actor, case.instance_id, now)
    before = history.snapshot(case)
    case.cancel_notice_id, case.cancel_number = notice.id, notice.number
    case.ended_cases = [entry.number for entry in ended]
    case.restricted = expelling.restrict(session, unit.organisation_id, actor)
    history.record(session, case, "signed", before=before, actor=actor, instance_id=case.instance_id)
    criticisms.close(session, case, "cancelled", why, actor=actor, now=now)
    _end_others(session, case, why, actor, now)
    return notice


def _take_off_the_list(session: Session, unit: LeadUnit, case: Criticism, actor: Actor | None) -> None:
    before = history.snapshot(unit)
    unit.status, unit.rectifying = "cancelled", False
    history.record(session, unit, "cancelled", before=before, actor=actor, instance_id=case.instance_id)


def _end_others(session: Session, case: Criticism, why: str, actor: Actor | None, now: datetime) -> None:
    """The unit's other criticisms have nobody left whom they concern."""
    query = select(Criticism).where(
        Criticism.lead_unit_id == case.lead_unit_id, Criticism.closed_at.is_(None), Criticism.id != case.id
    )
    for other in session.scalars(query).unique().all():
        criticisms.close(session, other, "ended", why, actor=actor, now=now)
