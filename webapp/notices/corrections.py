"""更正与撤回 (4.6.3): what a correction or a withdrawal may say, and what it does to the enterprises concerned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.engine.handler_api import Actor
from webapp.errors import Conflict
from webapp.i18n import _
from webapp.notices import publishing
from webapp.notices.models import Notice, NoticeItem
from webapp.registers import checks, filing_checks, filings, membership
from webapp.registers.filing_checks import Checked, Errors, Known
from webapp.registers.models import FilingItem, PublicityBatch
from webapp.registers.values import as_text, as_uuid

FIELDS: Mapping[str, str] = {
    "name": "企业名称",
    "credit_code": "统一社会信用代码",
    "need": "承担的工作",
    "strike": "撤下该企业",
}


def correctable(session: Session) -> list[Notice]:
    """Published notices and lists that can be corrected, newest first."""
    query = select(Notice).where(Notice.kind.in_(("publicity", "list")), Notice.status.in_(("published", "closed")))
    return list(session.scalars(query.order_by(Notice.published_at.desc()).limit(50)))


def check(session: Session, data: Mapping[str, Any], now: datetime) -> Errors:
    """What keeps a correction or withdrawal from being signed, by field."""
    found = Checked()
    notice_id = as_uuid(data.get("notice_id"))
    notice = session.get(Notice, notice_id) if notice_id else None
    if notice is None or notice not in correctable(session):
        found.add("notice_id", _("请选择一份已发布、没有撤回的公告。"))
        return found.errors
    if data.get("correction_kind") == "withdrawal":
        if not publishing.is_open(notice, now):
            found.add("correction_kind", _("只有公示期内的公示可以撤回；其他公告请更正。"))
        return found.errors
    lines: Sequence[Mapping[str, Any]] = data.get("lines") or ()
    if not lines:
        found.add("lines", _("请至少写明一项更正的内容。"))
    for index, line in enumerate(lines):
        _check_line(session, found, f"lines[{index}]", notice, line)
    return found.errors


def _check_line(session: Session, found: Checked, path: str, notice: Notice, line: Mapping[str, Any]) -> None:
    row = row_of(notice, line)
    if row is None:
        found.add(f"{path}.line", _("该企业不在所选的公告中，请重新选择。"))
        return
    field, after = line.get("field"), as_text(line.get("after"))
    if field == "strike":
        item = filings.locked_item(session, row.filing_item_id) if row.filing_item_id else None
        if item is None or item.status not in ("public", "objected", "struck"):
            found.add(f"{path}.field", _("该企业已发布入名单，规程没有由公告撤下的规定；撤下须依据其他案件的决定。"))
        return
    if field not in FIELDS:
        found.add(f"{path}.field", _("请选择更正事项。"))
    elif not after:
        found.add(f"{path}.after", _("请写明更正为什么。"))
    elif after == getattr(row, str(field)):
        found.add(f"{path}.after", _("与原公告相同，没有需要更正的内容。"))
    elif field == "credit_code":
        found.add(f"{path}.after", checks.credit_code(after) or _taken(session, row, checks.normalise_code(after)))


def _taken(session: Session, row: NoticeItem, code: str) -> str | None:
    """Why a corrected code cannot be this enterprise's: its unit has it already (4.6)."""
    item = session.get(FilingItem, row.filing_item_id) if row.filing_item_id else None
    if item is None:
        return None
    known = Known.load(session, item.filing.lead_unit, [{"credit_code": code}], item.id)
    return filing_checks.code_taken(code, known)


def row_of(notice: Notice, line: Mapping[str, Any]) -> NoticeItem | None:
    """The line of the notice that is corrected."""
    wanted = as_uuid(line.get("line"))
    return next((row for row in notice.rows if row.id == wanted), None)


def draft(
    session: Session, original: Notice, *, kind: str, title: str, words: str, lines: Sequence[Any], known: UUID | None
) -> Notice:
    """The draft of a 更正公告 or 撤回公告; `known` is the draft that it replaces."""
    notice = session.get(Notice, known) if known else None
    if notice is None:
        notice = Notice(corrects_id=original.id, kind=kind, title=title)
        session.add(notice)
    notice.corrects_id, notice.kind, notice.title, notice.body = original.id, kind, title, words
    session.flush()
    publishing.set_rows(session, notice, [_line(original, line) for line in (lines if kind == "correction" else ())])
    return notice


def _line(original: Notice, line: Mapping[str, Any]) -> NoticeItem:
    row = row_of(original, line)
    if row is None:
        raise Conflict(_("该企业不在被更正的公告中。"))
    field, after = str(line["field"]), as_text(line.get("after"))
    if field == "credit_code":
        after = checks.normalise_code(after)
    before = "" if field == "strike" else str(getattr(row, field))
    change = _("撤下") if field == "strike" else _("%(label)s更正为：%(after)s", label=FIELDS[field], after=after)
    return NoticeItem(
        filing_item_id=row.filing_item_id,
        lead_unit_name=row.lead_unit_name,
        name=row.name,
        credit_code=row.credit_code,
        need=row.need,
        extra={"line": str(row.id), "field": field, "before": before, "after": after, "change": change},
    )


def publish(
    session: Session, notice: Notice, *, actor: Actor | None, instance_id: UUID, now: datetime
) -> tuple[list[UUID], UUID | None]:
    """Publish the signed act and let it take effect. The original stays as it was published, linked.

    Gives the enterprises whose outcome must now be told (ids of filing items), and the case of the batch that a
    withdrawal ends.
    """
    original = publishing.get(session, notice.corrects_id) if notice.corrects_id else None
    if original is None:
        raise Conflict(_("没有找到被更正的公告。"))
    publishing.publish(session, notice, signed_by=actor.name if actor else "", now=now)
    if notice.kind == "withdrawal":
        return _withdraw(session, original, notice, actor=actor, instance_id=instance_id)
    for row in notice.rows:
        _apply(session, row, notice, actor=actor, instance_id=instance_id)
    return [], None


def _apply(session: Session, row: NoticeItem, notice: Notice, *, actor: Actor | None, instance_id: UUID) -> None:
    item = filings.locked_item(session, row.filing_item_id) if row.filing_item_id else None
    if item is None:
        return
    field = row.extra["field"]
    if field != "strike":
        membership.correct(session, item, field, row.extra["after"], actor=actor, instance_id=instance_id)
    elif item.status in ("public", "objected"):
        reason = _("由更正公告 %(number)s 撤下：%(words)s", number=notice.number, words=notice.body)
        filings.change_status(session, item, "struck", reason=reason, actor=actor, instance_id=instance_id)


def _withdraw(
    session: Session, original: Notice, notice: Notice, *, actor: Actor | None, instance_id: UUID
) -> tuple[list[UUID], UUID | None]:
    """撤回: enterprises go back to the pool; those already struck by an upheld objection keep that outcome."""
    original.status = "withdrawn"
    batch = session.get(PublicityBatch, original.batch_id) if original.batch_id else None
    if batch is None:
        return [], None
    batch.status = "withdrawn"
    struck = []
    taken = select(FilingItem.id).where(FilingItem.batch_id == batch.id).order_by(FilingItem.id)
    for item in [filings.locked_item(session, item_id) for item_id in session.scalars(taken)]:
        if item.status in ("public", "objected"):
            item.batch_id = None
            filings.change_status(session, item, "pooled", actor=actor, instance_id=instance_id)
        elif item.status == "struck":
            struck.append(item.id)
    return struck, batch.instance_id
