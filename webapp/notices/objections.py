"""异议 (4.6.3: 公示无异议的): received from anyone, counted by time of receipt, investigated, decided, answered."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts import settings_service
from webapp.engine.commands import StartInstance
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, Invalid, NotFound
from webapp.i18n import _
from webapp.notices import publishing
from webapp.notices.models import Notice, NoticeItem, Objection
from webapp.registers import batches, filings, history, numbers
from webapp.registers.models import FilingItem
from webapp.registers.values import as_date, as_text

#: Letters and digits that nobody confuses when reading a code aloud.
_CODE = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
STATUS_LABELS = {"open": "办理中", "upheld": "异议成立", "dismissed": "异议不成立", "late": "已作为线索登记"}
CHANNELS = {"web": "网上提出", "letter": "来信"}


def receive(
    session: Session,
    *,
    notice_id: UUID,
    filing_item_id: UUID,
    channel: str,
    objector_name: str,
    objector_contact: str,
    words: str,
    evidence: Sequence[UUID] = (),
    entered_by: Actor | None = None,
    received_at: datetime | None = None,
) -> Objection:
    """Take an objection and open its case; one that comes after the period becomes a lead 线索 without a case.

    `received_at`: for a letter, when it came in; else now. Errors: NotFound, Invalid with fields.
    """
    notice, now = publishing.get(session, notice_id), clock.now()
    moment = received_at or now
    item = _item_of(session, notice, filing_item_id)
    _check(notice, words, channel, entered_by, moment, now)
    in_time = publishing.is_open(notice, moment) and item.status in ("public", "objected")
    objection = Objection(
        receipt_number=numbers.case_number(session, "YY", (as_date(now) or now.date()).year),
        lookup_code="".join(secrets.choice(_CODE) for _n in range(8)),
        notice_id=notice.id,
        filing_item_id=item.id,
        channel=channel,
        objector_name=as_text(objector_name),
        objector_contact=as_text(objector_contact),
        words=as_text(words),
        evidence=[str(document) for document in evidence],
        received_at=moment,
        entered_by=entered_by.id if entered_by else None,
        status="open" if in_time else "late",
    )
    session.add(objection)
    session.flush()
    if in_time:
        _open_case(session, objection, notice, item, entered_by)
    return objection


def _item_of(session: Session, notice: Notice, filing_item_id: UUID) -> FilingItem:
    """The enterprise, which must stand in the notice, its row locked. Errors: NotFound."""
    if notice.kind != "publicity" or notice.status == "draft":
        raise NotFound(_("没有找到该公示。"))
    line = select(NoticeItem.id).where(NoticeItem.notice_id == notice.id, NoticeItem.filing_item_id == filing_item_id)
    if session.scalar(line) is None:
        raise NotFound(_("该企业不在这份公示中。"))
    return filings.locked_item(session, filing_item_id)


def _check(notice: Notice, words: str, channel: str, entered_by: Actor | None, moment: datetime, now: datetime) -> None:
    wrong: dict[str, str] = {}
    if len(as_text(words)) < 10:
        wrong["words"] = _("请写明事实和理由，不少于 10 个字。")
    if channel == "letter" and entered_by is None:
        wrong["channel"] = _("来信由工作小组办公室登记。")
    if moment > now:
        wrong["received_at"] = _("收到时间晚于现在，请核对。")
    elif notice.published_at and moment < notice.published_at:
        wrong["received_at"] = _("收到时间早于公示发布，请核对。")
    if wrong:
        raise Invalid(_("异议没有提交，请改正以下内容。"), fields=wrong)


def _open_case(session: Session, objection: Objection, notice: Notice, item: FilingItem, actor: Actor | None) -> None:
    from webapp.engine import runtime

    days = int(settings_service.get(session, "objection_days"))
    variables: dict[str, Any] = {
        "objection_id": str(objection.id),
        "receipt_number": objection.receipt_number,
        "notice_id": str(notice.id),
        "notice_number": notice.number,
        "batch_id": str(notice.batch_id),
        "item_id": str(item.id),
        "enterprise_name": item.name,
        "objection_due_at": clock.deadline(objection.received_at, working_days=days),
    }
    if item.status == "public":
        filings.change_status(session, item, "objected", actor=actor)
    command = StartInstance(key="objection", variables=variables, business_key=objection.receipt_number)
    objection.instance_id = runtime.engine().start(session, command, actor).instance_id
    session.flush()


def get(session: Session, objection_id: UUID) -> Objection:
    """Errors: NotFound."""
    objection = session.get(Objection, objection_id)
    if objection is None:
        raise NotFound(_("没有找到该异议。"))
    return objection


def open_ones(session: Session, item_id: UUID) -> list[Objection]:
    """Undecided objections against an enterprise."""
    query = select(Objection).where(Objection.filing_item_id == item_id, Objection.status == "open")
    return list(session.scalars(query.order_by(Objection.received_at)))


def of_notice(session: Session, notice_id: UUID) -> list[Objection]:
    """Every objection against a notice, by time of receipt."""
    query = select(Objection).where(Objection.notice_id == notice_id).order_by(Objection.received_at, Objection.id)
    return list(session.scalars(query))


def apply(
    session: Session,
    objection: Objection,
    *,
    decision: str,
    findings: str,
    reasons: str,
    actor: Actor | None,
    instance_id: UUID,
    now: datetime,
) -> dict[str, bool]:
    """Record a decision and what follows: upheld strikes the enterprise, dismissed sets it free (4.6.3).

    Gives `tell_batch` (a batch waits for this decision) and `tell_enterprise` (no batch will tell its case). Errors:
    Conflict when it was decided before.
    """
    batch_id = publishing.get(session, objection.notice_id).batch_id
    batch = batches.locked(session, batch_id) if batch_id else None
    session.refresh(objection)
    if objection.status != "open":
        raise Conflict(_("异议 %(number)s 已有决定。", number=objection.receipt_number))
    objection.status, objection.findings, objection.reasons = decision, findings, reasons
    objection.decided_at, objection.decided_by = now, actor.id if actor else None
    item = filings.locked_item(session, objection.filing_item_id)
    alive, in_batch = item.status not in filings.FINAL, batch is not None and item.batch_id == batch.id
    if alive:
        _apply_to_item(session, item, objection, in_batch, actor=actor, instance_id=instance_id)
    session.flush()
    history.record(session, objection, decision, before={"status": "open"}, actor=actor, instance_id=instance_id)
    waits = batch is not None and batch.status == "holding"
    if batch is not None and waits:
        batch.status = "resuming"
    return {"tell_batch": waits, "tell_enterprise": decision == "upheld" and alive and not in_batch}


def _apply_to_item(
    session: Session, item: FilingItem, objection: Objection, in_batch: bool, *, actor: Actor | None, instance_id: UUID
) -> None:
    if objection.status == "upheld":
        reason = _("异议成立（%(number)s）：%(why)s", number=objection.receipt_number, why=objection.reasons)
        filings.change_status(session, item, "struck", reason=reason, actor=actor, instance_id=instance_id)
    elif item.status == "objected" and in_batch and not open_ones(session, item.id):
        filings.change_status(session, item, "public", actor=actor, instance_id=instance_id)
