"""Filings 备案 (4.6.1): who may file, what is registered when the head submits, and how a filing ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.accounts import settings_service
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, Forbidden, NotFound
from webapp.i18n import _
from webapp.registers import checks, filing_checks, history
from webapp.registers.models import Filing, FilingItem, LeadUnit
from webapp.registers.values import as_date, as_decimal, as_int, as_text, as_uuid

#: Statuses that are an enterprise's last one.
FINAL = ("published", "rejected", "lapsed", "struck", "withdrawn")
STATUS_LABELS: Mapping[str, str] = {
    "draft": "填报中",
    "review": "审核中",
    "confirming": "待复核",
    "correcting": "补正中",
    "pooled": "待公示",
    "public": "公示中",
    "objected": "异议中",
    "published": "已发布",
    "rejected": "不予通过",
    "lapsed": "逾期未补正",
    "struck": "已撤下",
    "withdrawn": "已撤回",
}


def reason_now(item: FilingItem) -> str:
    """The reason of the state in which an enterprise is, not of one that it has left."""
    return item.outcome_reason if item.status in ("correcting", *FINAL) else ""


def unit_of(session: Session, organisation_id: UUID | None) -> LeadUnit | None:
    """The lead unit that an organisation is, if it is one."""
    if organisation_id is None:
        return None
    return session.scalars(select(LeadUnit).where(LeadUnit.organisation_id == organisation_id)).one_or_none()


def unit_that_may_file(session: Session, actor: Actor | None, today: date) -> LeadUnit:
    """The lead unit for which this person may open a filing (1.2, 4.6, 5.2).

    A unit under rectification (4.2) or under an expulsion review (4.4) is still listed and still files; an expelled,
    cancelled or withdrawn one does not. Errors: Forbidden, Conflict (the regulation is no longer in force).
    """
    unit = unit_of(session, actor.organisation_id if actor else None)
    if unit is None:
        raise Forbidden(_("只有牵引单位的账号可以发起备案。"))
    if unit.status != "listed":
        raise Forbidden(_("%(unit)s不在牵引单位名单中，不能发起备案。", unit=unit.name))
    until: date | None = settings_service.get(session, "valid_until")
    if until is not None and today > until:
        raise Conflict(_("规程已于 %(day)s 期满（第 5.2 条），不再受理新的备案。", day=until.isoformat()))
    return unit


def get(session: Session, filing_id: UUID) -> Filing:
    """Errors: NotFound."""
    filing = session.get(Filing, filing_id)
    if filing is None:
        raise NotFound(_("没有找到该备案。"))
    return filing


def get_item(session: Session, item_id: UUID) -> FilingItem:
    """One enterprise of a filing. Errors: NotFound."""
    item = session.get(FilingItem, item_id)
    if item is None:
        raise NotFound(_("没有找到备案中的该企业。"))
    return item


def locked_item(session: Session, item_id: UUID) -> FilingItem:
    """The enterprise as it stands now, its row locked until the transaction ends. Errors: NotFound."""
    query = select(FilingItem).where(FilingItem.id == item_id).with_for_update(of=FilingItem, key_share=True)
    item = session.scalars(query.execution_options(populate_existing=True)).unique().one_or_none()
    if item is None:
        raise NotFound(_("没有找到备案中的该企业。"))
    return item


def lock_unit(session: Session, unit: LeadUnit) -> None:
    """Let nobody else enter an enterprise for this unit until the transaction ends; read the unit anew."""
    session.execute(select(LeadUnit.id).where(LeadUnit.id == unit.id).with_for_update(key_share=True))
    session.refresh(unit)


def locked(session: Session, filing_id: UUID) -> Filing:
    """The filing with its row locked until the transaction ends. Errors: NotFound."""
    query = select(Filing).where(Filing.id == filing_id).with_for_update(of=Filing, key_share=True)
    filing = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if filing is None:
        raise NotFound(_("没有找到该备案。"))
    return filing


def register(
    session: Session,
    unit: LeadUnit,
    *,
    filing_id: UUID,
    number: str,
    instance_id: UUID,
    data: Mapping[str, Any],
    actor: Actor | None,
    now: datetime,
) -> Filing:
    """Enter a submitted filing with its enterprises and what their reviewers are to be told (4.6.1, 4.6.2)."""
    filing = Filing(
        id=filing_id,
        number=number,
        lead_unit_id=unit.id,
        instance_id=instance_id,
        status="review",
        need=as_text(data.get("need")),
        programme=as_text(data.get("programme")) or "national",
        submitted_at=now,
        submitted_by=actor.id if actor else None,
    )
    session.add(filing)
    today = as_date(now) or now.date()
    enterprises: Sequence[Mapping[str, Any]] = data.get("enterprises") or ()
    for seq, enterprise in enumerate(enterprises, 1):
        item = FilingItem(filing_id=filing.id, seq=seq, status="review")
        take_over(item, enterprise)
        session.add(item)
    session.flush()
    session.refresh(filing)
    told = filing_checks.warnings(session, unit, filing.items, today)
    for item, warnings in zip(filing.items, told, strict=True):
        item.warnings = warnings
    session.flush()
    history.record(session, filing, "submitted", actor=actor, instance_id=instance_id)
    return filing


def take_over(item: FilingItem, enterprise: Mapping[str, Any]) -> None:
    """Copy what the lead unit filled in for one enterprise into its row, in the form in which it is stored."""
    item.name = checks.normalise_text(as_text(enterprise.get("name")))
    item.credit_code = filing_checks.code_of(enterprise)
    item.legal_rep = checks.normalise_text(as_text(enterprise.get("legal_rep")))
    item.id_kind = "other" if enterprise.get("id_kind") == "other" else "resident"
    item.id_number = checks.normalise_code(as_text(enterprise.get("id_number")))
    item.address = checks.normalise_text(as_text(enterprise.get("address")))
    item.registered_capital = as_decimal(enterprise.get("registered_capital"))
    item.founded_on = as_date(enterprise.get("founded_on"))
    item.need = as_text(enterprise.get("need"))
    item.fiscal_year = None if enterprise.get("no_accounts") else as_int(enterprise.get("fiscal_year"))
    item.credit_report_on = as_date(enterprise.get("credit_report_on"))
    item.interpretation_id = as_uuid(enterprise.get("interpretation_id"))
    item.materials = {
        material: [str(found) for found in filing_checks.material_ids(enterprise, material)]
        for material in filing_checks.MATERIALS
    }


def settle(session: Session, item: FilingItem, now: datetime) -> bool:
    """Note that an enterprise's case is over; whether it was the filing's last one (4.6.3).

    The filing's row is locked, so that of two enterprises that end at once exactly one is the last. Errors: Conflict
    when the enterprise has no final status.
    """
    locked(session, item.filing_id)
    session.refresh(item)
    if item.status not in FINAL:
        raise Conflict(_("%(name)s还没有结果，不能办结。", name=item.name))
    item.settled_at = item.settled_at or now
    session.flush()
    open_items = select(func.count()).where(FilingItem.filing_id == item.filing_id, FilingItem.settled_at.is_(None))
    return session.scalar(open_items) == 0


def close(session: Session, filing: Filing, *, actor: Actor | None, instance_id: UUID, now: datetime) -> dict[str, int]:
    """End a filing whose enterprises all have an outcome; how many have which. Errors: Conflict."""
    before = history.snapshot(filing)
    counts: dict[str, int] = {}
    for item in filing.items:
        if item.settled_at is None:
            raise Conflict(_("备案 %(number)s 还有企业没有结果，不能办结。", number=filing.number))
        counts[item.status] = counts.get(item.status, 0) + 1
    filing.status, filing.closed_at = "closed", now
    history.record(session, filing, "closed", before=before, actor=actor, instance_id=instance_id)
    return counts


def change_status(
    session: Session,
    item: FilingItem,
    status: str,
    *,
    reason: str = "",
    actor: Actor | None = None,
    instance_id: UUID | None = None,
) -> None:
    """Move one enterprise of a filing to a status, with the reason that its lead unit reads; kept in the history."""
    before = history.snapshot(item)
    item.status = status
    if reason:
        item.outcome_reason = reason
    history.record(session, item, status, before=before, actor=actor, instance_id=instance_id)
