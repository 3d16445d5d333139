"""Reading the registers: who sees what, one entry, and how things stood on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NoReturn, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.orm import Session, contains_eager, selectinload

from webapp import clock
from webapp.accounts.models import Account
from webapp.engine.handler_api import Actor
from webapp.errors import NotFound
from webapp.i18n import _
from webapp.notices.models import Notice, NoticeItem, Objection
from webapp.registers import history
from webapp.registers.evaluation_models import EvaluationConsequence, EvaluationResult
from webapp.registers.models import (
    BarredEntry,
    ConsortiumEnterprise,
    Filing,
    FilingItem,
    Interpretation,
    LeadUnit,
    PublishedList,
    RegisterChange,
)

T = TypeVar("T")

#: See every lead unit (domain.md, "Who takes part").
SEE_ALL = ("office", "working_group", "bureau_meeting", "manager")
#: See their own organisation's entry alone.
SEE_OWN = ("lead_unit", "lead_unit_head", "former_lead_unit")
#: Columns of the history that nobody reads there: keys, and what only the review may show (GB/T 35273 personal data).
UNTOLD = frozenset({"id", "id_number", "materials", "review", "warnings", "organisation_id", "id_kind"})


def sees_all(actor: Actor) -> bool:
    """Whether this person reads every lead unit's entries."""
    return not actor.roles.isdisjoint(SEE_ALL)


def scope(actor: Actor) -> ColumnElement[bool]:
    """Which lead units this person sees, as a condition on `LeadUnit`: the one home of this rule."""
    if sees_all(actor):
        return true()
    if actor.organisation_id is not None and not actor.roles.isdisjoint(SEE_OWN):
        return LeadUnit.organisation_id == actor.organisation_id
    return false()


def in_force(day: date | None) -> ColumnElement[bool]:
    """Memberships in force on a day (None: now). A membership ends on the day on which it is ended."""
    member = ConsortiumEnterprise
    if day is None:
        return member.until.is_(None)
    return and_(member.since <= day, or_(member.until.is_(None), member.until > day))


def lead_unit(session: Session, actor: Actor, unit_id: UUID) -> LeadUnit:
    """Errors: NotFound, also when it is not theirs to see."""
    found = session.scalars(select(LeadUnit).where(LeadUnit.id == unit_id, scope(actor))).one_or_none()
    return _there(found, _("没有找到该牵引单位，或您无权查看。"))


def enterprise(session: Session, actor: Actor, entry_id: UUID) -> ConsortiumEnterprise:
    """Errors: NotFound, also when its lead unit is not theirs to see."""
    query = members().where(ConsortiumEnterprise.id == entry_id, scope(actor))
    return _there(session.scalars(query).unique().one_or_none(), _("没有找到该企业，或您无权查看。"))


def members() -> Select[ConsortiumEnterprise]:
    """Memberships with their lead units joined, for conditions and order by either."""
    return (
        select(ConsortiumEnterprise)
        .join(ConsortiumEnterprise.lead_unit)
        .options(contains_eager(ConsortiumEnterprise.lead_unit))
    )


def filing(session: Session, actor: Actor, filing_id: UUID) -> Filing:
    """A filing with its enterprises. Errors: NotFound, also when its lead unit is not theirs to see."""
    query = select(Filing).join(Filing.lead_unit).where(Filing.id == filing_id, scope(actor))
    found = session.scalars(query.options(contains_eager(Filing.lead_unit), selectinload(Filing.items)))
    return _there(found.unique().one_or_none(), _("没有找到该备案，或您无权查看。"))


def objection(session: Session, objection_id: UUID) -> tuple[Objection, Notice, FilingItem]:
    """An objection with its notice and enterprise. Errors: NotFound."""
    query = (
        select(Objection, Notice, FilingItem)
        .join(Notice, Notice.id == Objection.notice_id)
        .join(FilingItem, FilingItem.id == Objection.filing_item_id)
        .where(Objection.id == objection_id)
    )
    row = session.execute(query).unique().one_or_none()
    return _there(None if row is None else (row[0], row[1], row[2]), _("没有找到该异议，或您无权查看。"))


def _there(found: T | None, message: str) -> T:
    if found is None:
        raise NotFound(message)
    return found


def memberships(session: Session, credit_code: str) -> list[ConsortiumEnterprise]:
    """All memberships of one enterprise, in any consortium, newest first."""
    query = members().where(ConsortiumEnterprise.credit_code == credit_code)
    return list(session.scalars(query.order_by(ConsortiumEnterprise.since.desc())).unique())


def consortium(session: Session, unit_id: UUID) -> list[ConsortiumEnterprise]:
    """Everyone who is or was in a unit's consortium, those who are first, newest first."""
    member = ConsortiumEnterprise
    query = select(member).where(member.lead_unit_id == unit_id)
    order = (member.until.isnot(None), member.since.desc(), member.name)
    return list(session.scalars(query.order_by(*order)).unique())


def filings(session: Session, unit_id: UUID) -> list[Filing]:
    """A unit's filings with their enterprises, newest first."""
    query = select(Filing).where(Filing.lead_unit_id == unit_id).options(selectinload(Filing.items))
    return list(session.scalars(query.order_by(Filing.submitted_at.desc().nulls_first(), Filing.id.desc())).unique())


def notices_of(session: Session, unit_id: UUID) -> list[tuple[Notice, int]]:
    """The published notices that name enterprises of a unit's filings, newest first, with how many of them."""
    query = (
        select(Notice, func.count())
        .join(NoticeItem, NoticeItem.notice_id == Notice.id)
        .join(FilingItem, FilingItem.id == NoticeItem.filing_item_id)
        .join(Filing, Filing.id == FilingItem.filing_id)
        .where(Filing.lead_unit_id == unit_id, Notice.published_at.isnot(None))
        .group_by(Notice.id)
        .order_by(Notice.published_at.desc())
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def open_objections(session: Session, unit_id: UUID) -> int:
    """How many objections against a unit's enterprises are not decided."""
    query = (
        select(func.count(Objection.id))
        .join(FilingItem, FilingItem.id == Objection.filing_item_id)
        .join(Filing, Filing.id == FilingItem.filing_id)
        .where(Filing.lead_unit_id == unit_id, Objection.status == "open")
    )
    return session.scalar(query) or 0


def bars(session: Session, credit_code: str) -> list[BarredEntry]:
    """The entries of the barred list for a code (4.4), newest first."""
    query = select(BarredEntry).where(BarredEntry.credit_code == credit_code)
    return list(session.scalars(query.order_by(BarredEntry.decided_on.desc())))


def interpretations(session: Session) -> list[Interpretation]:
    """All interpretations (5.1), newest first."""
    newest = Interpretation.signed_on.desc(), Interpretation.id.desc()
    return list(session.scalars(select(Interpretation).order_by(*newest)))


def published_lists(session: Session) -> list[PublishedList]:
    """All publications of the list (4.6.3), newest first."""
    return list(session.scalars(select(PublishedList).order_by(PublishedList.published_at.desc())))


def size_over_time(session: Session) -> list[tuple[date, int]]:
    """How many memberships were in force after each day on which that changed, oldest first."""
    member = ConsortiumEnterprise
    steps: dict[date, int] = {}
    for day, count in session.execute(select(member.since, func.count()).group_by(member.since)):
        steps[day] = steps.get(day, 0) + count
    left = select(member.until, func.count()).where(member.until.isnot(None)).group_by(member.until)
    for end, count in session.execute(left):
        if end is not None and end <= clock.today():
            steps[end] = steps.get(end, 0) - count
    size, series = 0, []
    for day in sorted(steps):
        size += steps[day]
        series.append((day, size))
    return series


def changes(session: Session, register: str, entry_ids: Sequence[UUID]) -> list[tuple[RegisterChange, str]]:
    """The history of entries, newest first, each with the name of who did it (empty: the system)."""
    found = history.of_entry(session, register, entry_ids)
    names = names_of(session, [c.actor_id for c in found if c.actor_id])
    return [(change, names.get(change.actor_id, "") if change.actor_id else "") for change in found]


def names_of(session: Session, account_ids: Sequence[UUID | None]) -> dict[UUID | None, str]:
    """Account id -> the person's name."""
    wanted = {key for key in account_ids if key is not None}
    query = select(Account.id, Account.name).where(Account.id.in_(wanted))
    return {key: name for key, name in session.execute(query)} if wanted else {}  # noqa: C416


def missing(message: str) -> NoReturn:
    """Say that there is no such entry. Errors: NotFound, always."""
    raise NotFound(message)


def citing(session: Session, interpretation_id: UUID) -> int:
    """How many enterprises of filings cite an interpretation."""
    query = select(func.count()).where(FilingItem.interpretation_id == interpretation_id)
    return session.scalar(query) or 0


def consequences(session: Session, round_id: UUID) -> list[EvaluationConsequence]:
    """What the conclusions of a round brought about, newest first."""
    query = select(EvaluationConsequence).join(EvaluationConsequence.result)
    query = query.options(contains_eager(EvaluationConsequence.result)).where(EvaluationResult.round_id == round_id)
    return list(session.scalars(query.order_by(EvaluationConsequence.recorded_at.desc())).unique())
