"""公示批次 (4.6.3): which enterprises wait, what a batch takes, how its notice is published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from webapp.accounts import settings_service
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, NotFound
from webapp.i18n import _
from webapp.notices import publishing
from webapp.notices.models import Notice, Objection
from webapp.registers import filings
from webapp.registers.filing_checks import Checked, Errors
from webapp.registers.models import FilingItem, PublicityBatch
from webapp.registers.values import as_int, as_text, as_uuid


def get(session: Session, batch_id: UUID) -> PublicityBatch:
    """Errors: NotFound."""
    batch = session.get(PublicityBatch, batch_id)
    if batch is None:
        raise NotFound(_("没有找到该公示批次。"))
    return batch


def locked(session: Session, batch_id: UUID) -> PublicityBatch:
    """The batch with its row locked until the transaction ends. Errors: NotFound."""
    query = select(PublicityBatch).where(PublicityBatch.id == batch_id).with_for_update(key_share=True)
    batch = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if batch is None:
        raise NotFound(_("没有找到该公示批次。"))
    return batch


def items_of(session: Session, batch_id: UUID) -> list[FilingItem]:
    """The enterprises of a batch, by lead unit and filing."""
    query = select(FilingItem).where(FilingItem.batch_id == batch_id).order_by(FilingItem.filing_id, FilingItem.seq)
    return sorted(session.scalars(query).unique(), key=lambda item: item.filing.lead_unit.name)


def pool(session: Session, batch_id: UUID | None = None) -> list[FilingItem]:
    """Enterprises that passed and wait for publicity, oldest filing first; with those that `batch_id` has bound.

    An enterprise with an undecided objection (its notice was withdrawn) waits until the decision.
    """
    open_objection = select(Objection.filing_item_id).where(Objection.status == "open")
    free = (
        FilingItem.batch_id.is_(None) if batch_id is None else func.coalesce(FilingItem.batch_id, batch_id) == batch_id
    )
    query = (
        select(FilingItem)
        .where(FilingItem.status == "pooled", free, FilingItem.id.not_in(open_objection))
        .order_by(FilingItem.filing_id, FilingItem.seq)
    )
    return list(session.scalars(query).unique())


def open_batch(session: Session, batch_id: UUID, number: str, instance_id: UUID, now: datetime) -> PublicityBatch:
    """The batch's row, made when the first draft is."""
    batch = session.get(PublicityBatch, batch_id)
    if batch is None:
        batch = PublicityBatch(id=batch_id, number=number, instance_id=instance_id, created_at=now)
        session.add(batch)
        session.flush()
    return batch


def check_composition(session: Session, data: Mapping[str, Any], batch_id: UUID | None) -> Errors:
    """What keeps a batch from being signed: an enterprise that no longer waits, a period below the house rule.

    The chosen rows are locked first: of two officers who choose one enterprise at once, the second reads why not.
    """
    found = Checked()
    chosen = chosen_ids(data.get("item_ids"))
    lock(session, FilingItem.id.in_(chosen))
    waiting = {item.id: item for item in pool(session, batch_id)}
    if not chosen:
        found.add("item_ids", _("请至少选择 1 家企业。"))
    gone = [identifier for identifier in chosen if identifier not in waiting]
    if gone:
        found.add("item_ids", _("有 %(n)s 家企业已不在待公示之列，请刷新后重新选择。", n=len(gone)))
    for identifier in chosen:
        item = waiting.get(identifier)
        if item is not None and item.filing.lead_unit.status != "listed":
            words = _("%(name)s的牵引单位已不在名单中，不能公示。", name=item.name)
            found.add("item_ids", words)
    least, days = int(settings_service.get(session, "publicity_days")), as_int(data.get("period_days"))
    if days is None or days < least:
        found.add("period_days", _("公示期不少于 %(n)s 个工作日（工作口径）。", n=least))
    if not as_text(data.get("title")):
        found.add("title", _("请填写公示标题。"))
    return found.errors


def lock(session: Session, which: ColumnElement[bool]) -> None:
    """Lock enterprises' rows, in one order, and forget what was read of them before."""
    session.flush()
    session.execute(select(FilingItem.id).where(which).order_by(FilingItem.id).with_for_update(key_share=True))
    session.expire_all()


def chosen_ids(values: Iterable[Any] | None) -> list[UUID]:
    """Keys from a checklist."""
    return [identifier for identifier in map(as_uuid, values or ()) if identifier is not None]


def bind(session: Session, batch: PublicityBatch, chosen: Sequence[UUID]) -> list[FilingItem]:
    """Take enterprises from the pool into the batch, so that no other takes them; let go of those no longer chosen.

    Errors: NotFound when one has gone meanwhile.
    """
    query = select(FilingItem).where(FilingItem.id.in_(chosen) | (FilingItem.batch_id == batch.id))
    query = query.order_by(FilingItem.id).with_for_update(of=FilingItem, key_share=True)
    rows = session.scalars(query.execution_options(populate_existing=True)).unique().all()
    for item in rows:
        wanted = item.id in set(chosen)
        if wanted and (item.status != "pooled" or item.batch_id not in (None, batch.id)):
            raise NotFound(_("%(name)s已不在待公示之列。", name=item.name))
        item.batch_id = batch.id if wanted else None
    batch.status = "signing"
    session.flush()
    return items_of(session, batch.id)


def give_up(session: Session, batch: PublicityBatch) -> None:
    """End a (locked) batch that nothing was published of: its enterprises wait for another (4.6.3).

    Errors: Conflict once its notice is out, which only 撤回 takes back.
    """
    if batch.status == "withdrawn":  # by a 撤回公告, which has given them back
        return
    if batch.status not in ("composing", "signing"):
        raise Conflict(_("公示已发布，不能直接终止；确有错误的，以撤回公告撤回或者更正公告更正。"))
    for item in items_of(session, batch.id):
        item.batch_id = None
    batch.status = "cancelled"
    session.flush()


def publish(session: Session, batch: PublicityBatch, notice: Notice, *, actor: Actor | None, now: datetime) -> Notice:
    """Publish the signed notice; its enterprises are public from now on (4.6.3)."""
    publishing.publish(session, notice, signed_by=actor.name if actor else "", now=now)
    for item in items_of(session, batch.id):
        filings.change_status(session, item, "public", actor=actor, instance_id=batch.instance_id)
    batch.status = "public"
    session.flush()
    return notice
