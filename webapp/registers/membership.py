"""产业生态联合体企业 (4.6.3): who belongs to which consortium, since when and by which published list."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.engine.handler_api import Actor
from webapp.registers import history
from webapp.registers.models import ConsortiumEnterprise, FilingItem, PublishedList


def current(session: Session, lead_unit_id: UUID, credit_code: str) -> ConsortiumEnterprise | None:
    """The enterprise's present membership in a unit's consortium."""
    query = select(ConsortiumEnterprise).where(
        ConsortiumEnterprise.lead_unit_id == lead_unit_id,
        ConsortiumEnterprise.credit_code == credit_code,
        ConsortiumEnterprise.until.is_(None),
    )
    return session.scalars(query).one_or_none()


def enter(
    session: Session, item: FilingItem, published: PublishedList, *, actor: Actor | None, instance_id: UUID
) -> ConsortiumEnterprise:
    """Enter an enterprise of a filing as member, from the day of the list that says so (4.6.3)."""
    member = ConsortiumEnterprise(
        lead_unit_id=item.filing.lead_unit_id,
        name=item.name,
        credit_code=item.credit_code,
        legal_rep=item.legal_rep,
        address=item.address,
        registered_capital=item.registered_capital,
        founded_on=item.founded_on,
        need=item.need,
        programme=item.filing.programme,
        since=published.published_on,
        since_list_id=published.id,
        filing_item_id=item.id,
    )
    session.add(member)
    history.record(session, member, "added", actor=actor, instance_id=instance_id)
    return member


def correct(
    session: Session, item: FilingItem, field: str, value: str, *, actor: Actor | None, instance_id: UUID
) -> None:
    """Correct a word of an enterprise's entry after a correction notice 更正; the history keeps both versions."""
    query = select(ConsortiumEnterprise).where(ConsortiumEnterprise.filing_item_id == item.id)
    for entry in (item, *session.scalars(query)):
        before = history.snapshot(entry)
        setattr(entry, field, value)
        history.record(session, entry, "corrected", before=before, actor=actor, instance_id=instance_id)


def all_current(session: Session) -> list[ConsortiumEnterprise]:
    """Every present member of a listed unit's consortium: what 变更后的名单 says (4.6.3), by unit and date."""
    member = ConsortiumEnterprise
    query = select(member).where(member.until.is_(None)).order_by(member.lead_unit_id, member.since, member.id)
    return list(session.scalars(query).unique())


def moved(session: Session, since: date) -> tuple[list[ConsortiumEnterprise], list[ConsortiumEnterprise]]:
    """Members that came and that left since a day (4.7), that day's too: it may have been after the last review."""
    member = ConsortiumEnterprise
    came = session.scalars(select(member).where(member.since >= since).order_by(member.since, member.id)).unique()
    left = session.scalars(select(member).where(member.until >= since).order_by(member.until, member.id)).unique()
    return list(came), list(left)


def count(session: Session) -> int:
    """How many present members there are."""
    return session.scalar(select(func.count()).where(ConsortiumEnterprise.until.is_(None))) or 0
