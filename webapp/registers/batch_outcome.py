"""What becomes of a batch when its period is over (4.6.3): checked again, struck, held back or published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from webapp.engine.handler_api import Actor
from webapp.i18n import _
from webapp.notices import publishing
from webapp.notices.models import Notice, Objection
from webapp.registers import batches, filing_checks, filings, membership
from webapp.registers.filing_checks import Checked, Errors
from webapp.registers.models import Filing, FilingItem, LeadUnit, PublicityBatch, PublishedList
from webapp.registers.values import as_text


@dataclass(slots=True)
class Assessment:
    """Where the enterprises of a batch stand when its period is over."""

    ready: list[FilingItem] = field(default_factory=list)
    held: list[tuple[FilingItem, str]] = field(default_factory=list)
    struck: list[tuple[FilingItem, str]] = field(default_factory=list)
    by_unit: list[FilingItem] = field(default_factory=list)  # struck because the lead unit is no longer listed
    new_bars: list[FilingItem] = field(default_factory=list)  # barred since the review


def assess(session: Session, batch_id: UUID, *, lock: bool = False) -> Assessment:
    """Check every enterprise of a batch again: status of the lead unit, objections, duplicates, bars (4.6.3, 4.4).

    `lock`: the enterprises' rows first, so that no objection is received between this look and what follows from it.
    """
    found = Assessment()
    if lock:
        batches.lock(session, FilingItem.batch_id == batch_id)
    items = batches.items_of(session, batch_id)
    opened = select(Objection).where(
        Objection.filing_item_id.in_([item.id for item in items]), Objection.status == "open"
    )
    waiting = {o.filing_item_id: o.receipt_number for o in session.scalars(opened)}
    first: dict[tuple[UUID, str], FilingItem] = {}
    for item in items:
        if item.status == "struck":
            found.struck.append((item, item.outcome_reason))
        elif item.status in ("public", "objected"):
            earlier = first.setdefault((item.filing.lead_unit_id, item.credit_code), item)
            _assess_one(session, found, item, waiting.get(item.id), None if earlier is item else earlier)
    return found


def _assess_one(
    session: Session, found: Assessment, item: FilingItem, objection: str | None, earlier: FilingItem | None
) -> None:
    unit = item.filing.lead_unit
    if unit.status != "listed":
        found.struck.append((item, _("牵引单位%(unit)s已不在名单中。", unit=unit.name)))
        found.by_unit.append(item)
    elif membership.current(session, unit.id, item.credit_code):
        found.struck.append((item, _("该企业已在本单位联合体名单中。")))
    elif earlier is not None:  # a code was corrected into another's
        found.struck.append((item, _("与本批中的%(name)s为同一家企业。", name=earlier.name)))
    elif objection:
        found.held.append((item, _("异议 %(number)s 未决", number=objection)))
    else:
        found.ready.append(item)
        answered = {warning.get("entry") for warning in item.warnings}
        if any(str(entry.id) not in answered for entry in filing_checks.bars(session, [item.credit_code])):
            found.new_bars.append(item)


def final_check(session: Session, batch: PublicityBatch, *, actor: Actor | None, instance_id: UUID) -> Assessment:
    """Assess the (locked) batch, strike what must go, and end the notice's period.

    Its status is `holding` when it now waits for the decision of an objection, and only then: whoever decides tells it.
    """
    found = strike(session, batch, actor=actor, instance_id=instance_id)
    batch.status = "holding" if found.held and not found.ready else "closing"
    publishing.of_batch(session, batch.id).status = "closed"
    session.flush()
    return found


def strike(session: Session, batch: PublicityBatch, *, actor: Actor | None, instance_id: UUID) -> Assessment:
    """Assess the (locked) batch and strike the enterprises that must not be published (4.6.3)."""
    found = assess(session, batch.id, lock=True)
    for item, reason in found.struck:
        if item.status != "struck":
            filings.change_status(session, item, "struck", reason=reason, actor=actor, instance_id=instance_id)
    return found


def strike_stranded(session: Session, *, actor: Actor | None, instance_id: UUID) -> list[FilingItem]:
    """Strike the passed enterprises of units that are off the list (4.4): no batch will take them any more."""
    off = select(Filing.id).join(LeadUnit).where(LeadUnit.status != "listed")
    waiting = FilingItem.status == "pooled", FilingItem.batch_id.is_(None), FilingItem.filing_id.in_(off)
    batches.lock(session, and_(*waiting))
    struck = list(session.scalars(select(FilingItem).where(*waiting).order_by(FilingItem.id)).unique())
    for item in struck:
        reason = _("牵引单位%(unit)s已不在名单中。", unit=item.filing.lead_unit.name)
        filings.change_status(session, item, "struck", reason=reason, actor=actor, instance_id=instance_id)
    return struck


def check_list(session: Session, batch_id: UUID, data: Mapping[str, Any]) -> Errors:
    """What keeps a list from being signed: enterprises barred since their review need a judgement with reason (4.4)."""
    found = Checked()
    if not as_text(data.get("list_title")):
        found.add("list_title", _("请填写名单标题。"))
    if assess(session, batch_id).new_bars and not as_text(data.get("excluded_reason")):
        found.add("excluded_reason", _("有企业在审核通过后列入不得重新申请名单，请写明判断理由。"))
    return found.errors


def publish_list(
    session: Session,
    batch: PublicityBatch,
    seen: Sequence[UUID],
    *,
    excluded: Sequence[UUID],
    reason: str,
    title: str,
    actor: Actor | None,
    now: datetime,
) -> tuple[PublishedList, Notice] | None:
    """Publish the list with the enterprises that the signatory saw and that still are ready; None when none is.

    An enterprise that an officer judged to be affected by a bar (4.4) is struck; whatever has no outcome yet stays.
    """
    going = []
    for item in assess(session, batch.id, lock=True).ready:
        if item.id not in set(seen):
            continue
        if item.id in set(excluded):
            filings.change_status(session, item, "struck", reason=reason, actor=actor, instance_id=batch.instance_id)
        else:
            going.append(item)
    made = publishing.publish_list(session, batch, going, title=title, actor=actor, now=now) if going else None
    for item in going:
        filings.change_status(session, item, "published", actor=actor, instance_id=batch.instance_id)
    session.flush()
    return made


def rest(session: Session, batch: PublicityBatch) -> tuple[list[FilingItem], list[FilingItem]]:
    """What a list left behind, (held, free): an open objection holds some back, others were decided meanwhile.

    The (locked) batch is `holding`, and told of the next decision, only when nothing is free to go on with.
    """
    left = [item for item in batches.items_of(session, batch.id) if item.status not in filings.FINAL]
    free = [item for item in left if not objections_open(session, item.id)]
    held = [item for item in left if item not in free]
    batch.status = "holding" if held and not free else "closing"
    session.flush()
    return held, free


def objections_open(session: Session, item_id: UUID) -> bool:
    """Whether an objection against an enterprise is undecided."""
    query = select(Objection.id).where(Objection.filing_item_id == item_id, Objection.status == "open").limit(1)
    return session.scalar(query) is not None


def settled(session: Session, batch_id: UUID, told: Iterable[Any]) -> list[FilingItem]:
    """Enterprises of the batch that have an outcome and were not told of it before."""
    known = {str(value) for value in told}
    return [i for i in batches.items_of(session, batch_id) if i.status in filings.FINAL and str(i.id) not in known]
