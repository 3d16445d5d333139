"""公示、名单、更正、撤回 (4.6.3): how a notice is drafted, numbered and published. A published one is never edited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts import settings_service
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, NotFound
from webapp.i18n import _
from webapp.notices.models import Notice, NoticeItem
from webapp.registers import membership, numbers
from webapp.registers.models import FilingItem, PublicityBatch, PublishedList
from webapp.registers.values import as_date, zh_date

#: The template of `processes/*/documents` by the notice's kind.
TEMPLATES: Mapping[str, str] = {
    "publicity": "publicity",
    "correction": "correction",
    "withdrawal": "withdrawal",
    "list": "list",
    "expulsion": "expulsion_decision",
    "reconsideration": "reconsideration_decision",
    "criticism": "criticism_notice",
    "cancellation": "cancellation_decision",
    "criticism_withdrawal": "criticism_withdrawal",
}
LABELS: Mapping[str, str] = {
    "publicity": "公示",
    "correction": "更正公告",
    "withdrawal": "撤回公告",
    "list": "名单",
    "expulsion": "清退决定",
    "reconsideration": "复核决定",
    "criticism": "通报批评",
    "cancellation": "取消资格决定",
    "criticism_withdrawal": "撤销通报公告",
}


def get(session: Session, notice_id: UUID) -> Notice:
    """Errors: NotFound."""
    notice = session.get(Notice, notice_id)
    if notice is None:
        raise NotFound(_("没有找到该公告。"))
    return notice


def of_batch(session: Session, batch_id: UUID, kind: str = "publicity") -> Notice:
    """The publicity notice of a batch. Errors: NotFound."""
    query = select(Notice).where(Notice.batch_id == batch_id, Notice.kind == kind).order_by(Notice.id)
    notice = session.scalars(query).first()
    if notice is None:
        raise NotFound(_("该批次还没有公示。"))
    return notice


def draft_publicity(
    session: Session, batch: PublicityBatch, items: Sequence[FilingItem], *, title: str, days: int, words: str
) -> Notice:
    """The draft of a batch's notice; drafted again, it is the same draft with other words."""
    query = select(Notice).where(Notice.batch_id == batch.id, Notice.kind == "publicity", Notice.status == "draft")
    notice = session.scalars(query).one_or_none()
    if notice is None:
        notice = Notice(kind="publicity", batch_id=batch.id, title=title)
        session.add(notice)
    notice.title, notice.period_days, notice.body = title, days, words
    session.flush()
    set_rows(session, notice, [_row_of_item(item) for item in items])
    return notice


def _row_of_item(item: FilingItem) -> NoticeItem:
    return NoticeItem(
        filing_item_id=item.id,
        lead_unit_name=item.filing.lead_unit.name,
        name=item.name,
        credit_code=item.credit_code,
        need=item.need,
    )


def set_rows(session: Session, notice: Notice, rows: Iterable[NoticeItem]) -> None:
    """Give a draft its lines anew. Errors: Conflict when the notice is published."""
    if notice.status != "draft":
        raise Conflict(_("公告已发布，不得改动；请以更正公告更正。"))
    session.execute(delete(NoticeItem).where(NoticeItem.notice_id == notice.id))
    for seq, row in enumerate(rows, 1):
        row.notice_id, row.seq = notice.id, seq
        session.add(row)
    session.flush()
    session.expire(notice, ["rows"])


def publish(session: Session, notice: Notice, *, signed_by: str, now: datetime) -> Notice:
    """Number a signed draft without gaps and publish it; a publicity notice's period runs from the next day.

    Errors: Conflict when it is published already (a second signature changes nothing).
    """
    if notice.status != "draft":
        raise Conflict(_("公告已发布。"))
    today = as_date(now) or now.date()
    notice.number = numbers.document_number(session, notice.kind, today.year)
    notice.status, notice.published_at, notice.signed_by = "published", now, signed_by
    if notice.kind == "publicity":
        days = notice.period_days or int(settings_service.get(session, "publicity_days"))
        notice.period_days = days
        notice.period_starts_on = clock.add_working_days(today, 1)
        notice.period_ends_at = clock.deadline(now, working_days=days)
    session.flush()
    return notice


def publish_list(
    session: Session,
    batch: PublicityBatch,
    items: Sequence[FilingItem],
    *,
    title: str,
    actor: Actor | None,
    now: datetime,
) -> tuple[PublishedList, Notice]:
    """Publish the changed list 变更后的名单 with these new members, and enter them in the register (4.6.3)."""
    today = as_date(now) or now.date()
    published = PublishedList(
        number=numbers.document_number(session, "list", today.year),
        batch_id=batch.id,
        title=title,
        published_on=today,
        published_at=now,
        added=len(items),
    )
    session.add(published)
    session.flush()
    for item in items:
        membership.enter(session, item, published, actor=actor, instance_id=batch.instance_id or batch.id)
    return published, list_notice(session, published, signed_by=actor.name if actor else "", batch_id=batch.id)


def list_notice(session: Session, published: PublishedList, *, signed_by: str, batch_id: UUID | None) -> Notice:
    """The outward act of a published list: every member of every consortium as of that day, in its own words."""
    notice = Notice(
        kind="list",
        number=published.number,
        title=published.title,
        status="draft",
        batch_id=batch_id,
        list_id=published.id,
        signed_by=signed_by,
    )
    session.add(notice)
    session.flush()
    members = [m for m in membership.all_current(session) if m.lead_unit.status == "listed"]
    members.sort(key=lambda m: (m.lead_unit.listed_on or date.min, m.lead_unit.name, m.since, m.name))
    rows = [
        NoticeItem(
            filing_item_id=member.filing_item_id,
            lead_unit_name=member.lead_unit.name,
            name=member.name,
            credit_code=member.credit_code,
            need=member.need,
            extra={"since": member.since.isoformat(), "new": member.since_list_id == published.id},
        )
        for member in members
    ]
    set_rows(session, notice, rows)
    notice.status, notice.published_at = "published", published.published_at
    session.flush()
    return notice


def period_end(notice: Notice) -> date | None:
    """The last day of the period: objections are taken until its 24:00."""
    return as_date(notice.period_ends_at - timedelta(seconds=1)) if notice.period_ends_at else None


def is_open(notice: Notice, moment: datetime) -> bool:
    """Whether an objection that is received at that moment comes within the period (4.6.3)."""
    published, ends = notice.published_at, notice.period_ends_at
    return (
        notice.kind == "publicity"
        and notice.status in ("published", "closed")
        and published is not None
        and ends is not None
        and published <= moment < ends
    )


def document_data(session: Session, notice: Notice) -> dict[str, Any]:
    """What the notice's template is filled in with (`webapp.documents.rendering`); all values are plain JSON."""
    day = as_date(notice.published_at) or clock.today()
    data: dict[str, Any] = {
        "number": notice.number or "",
        "title": notice.title,
        "published_on": day.isoformat(),
        "rows": [_document_row(row) for row in notice.rows],
    }
    return {**data, **_MORE[notice.kind](session, notice, day)}


def _document_row(row: NoticeItem) -> dict[str, Any]:
    return {
        "lead_unit_name": row.lead_unit_name,
        "name": row.name,
        "credit_code": row.credit_code,
        "need": row.need,
        "since": row.extra.get("since", ""),
        "change": row.extra.get("change", ""),
    }


def _more_publicity(session: Session, notice: Notice, day: date) -> dict[str, Any]:
    days = notice.period_days or int(settings_service.get(session, "publicity_days"))
    starts = notice.period_starts_on or clock.add_working_days(day, 1)
    ends = period_end(notice) or clock.add_working_days(day, days)
    return {
        "period_days": days,
        "starts_on": starts.isoformat(),
        "ends_on": ends.isoformat(),
        "objection_days": int(settings_service.get(session, "objection_days")),
        "words": notice.body,
    }


def _more_list(session: Session, notice: Notice, day: date) -> dict[str, Any]:
    published = session.get(PublishedList, notice.list_id) if notice.list_id else None
    publicity = None
    if notice.batch_id:
        found = of_batch(session, notice.batch_id)
        publicity = {"number": found.number, "title": found.title}
    return {
        "publicity": publicity,
        "added": published.added if published else 0,
        "removed": published.removed if published else 0,
    }


def _more_act(session: Session, notice: Notice, day: date) -> dict[str, Any]:
    original = session.get(Notice, notice.corrects_id) if notice.corrects_id else None
    if original is None:
        raise NotFound(_("没有找到被更正的公告。"))
    published = as_date(original.published_at)
    return {
        "original": {
            "number": original.number or "",
            "title": original.title,
            "published_on": published.isoformat() if published else "",
        },
        "reason": notice.body,
    }


def _more_expulsion(session: Session, notice: Notice, day: date) -> dict[str, Any]:
    """清退决定 (4.4): everything stands in the notice's own line, as it was decided."""
    row = notice.rows[0]
    extra = {name: row.extra[name] for name in ("grounds", "met_on", "listed_on")}
    return {"unit": row.name, "credit_code": row.credit_code, "words": notice.body, **extra}


def _more_reconsideration(session: Session, notice: Notice, day: date) -> dict[str, Any]:
    """复核决定 (4.4): as it was decided, with what it rests on."""
    row = notice.rows[0]
    names = ("outcome", "basis", "met_on", "ruling", "asked_on", "decision_number", "decided_on")
    extra = {name: row.extra[name] for name in names}
    return {"unit": row.name, "credit_code": row.credit_code, "words": notice.body, **extra}


def _more_criticism(session: Session, notice: Notice, day: date) -> dict[str, Any]:
    """通报批评 (4.2), 取消资格决定 (4.3), 撤销通报公告: everything stands in the notice's own line."""
    row = notice.rows[0]
    names = ("grounds", "listed_on", "criticism_number", "criticised_on", "periods")
    extra = {name: row.extra[name] for name in names}
    return {"unit": row.name, "credit_code": row.credit_code, "words": notice.body, **extra}


_MORE = {
    "publicity": _more_publicity,
    "list": _more_list,
    "correction": _more_act,
    "withdrawal": _more_act,
    "expulsion": _more_expulsion,
    "reconsideration": _more_reconsideration,
    "criticism": _more_criticism,
    "cancellation": _more_criticism,
    "criticism_withdrawal": _more_criticism,
}


def case_of(session: Session, notice: Notice, default: UUID | None) -> UUID | None:
    """The case in which a notice was made: its batch's, else the given one (of a correction, of an expulsion)."""
    batch = session.get(PublicityBatch, notice.batch_id) if notice.batch_id else None
    return batch.instance_id if batch and batch.instance_id else default


def filename(notice: Notice, suffix: str) -> str:
    """The name under which people download a notice."""
    return f"{notice.title}{'（' + notice.number.replace(' ', '') + '）' if notice.number else '（稿）'}.{suffix}"


def period_words(notice: Notice) -> str:
    """The period in one sentence."""
    if notice.period_starts_on is None:
        return _("%(n)s 个工作日", n=notice.period_days)
    return _(
        "%(n)s 个工作日，自 %(start)s起至 %(end)s 24:00 止",
        n=notice.period_days,
        start=zh_date(notice.period_starts_on),
        end=zh_date(period_end(notice)),
    )
