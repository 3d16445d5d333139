"""Reading notices and objections: what the public may see, and what stands around one notice."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, selectinload

from webapp.documents.models import Document
from webapp.errors import NotFound
from webapp.i18n import _
from webapp.notices.models import Notice, NoticeItem, Objection
from webapp.registers.checks import normalise_code
from webapp.registers.listing import contains
from webapp.registers.models import FilingItem

PAGE = 20


def is_public() -> ColumnElement[bool]:
    """Notices that everyone may read: published ones, also when they are closed or withdrawn."""
    return (Notice.status != "draft") & Notice.published_at.isnot(None)


def public_notice(session: Session, notice_id: UUID) -> Notice:
    """A published notice with its lines. Errors: NotFound (also for a draft)."""
    query = select(Notice).where(Notice.id == notice_id, is_public()).options(selectinload(Notice.rows))
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound(_("没有找到该公告，或它尚未发布。"))
    return found


def any_notice(session: Session, notice_id: UUID) -> Notice:
    """A notice with its lines, published or not, for the working group's side. Errors: NotFound."""
    found = session.get(Notice, notice_id, options=[selectinload(Notice.rows)])
    if found is None:
        raise NotFound(_("没有找到该公告。"))
    return found


def public_notices(session: Session, words: str, kind: str, page: int) -> tuple[list[tuple[Notice, int]], int]:
    """One page of published notices, newest first, each with its number of lines; and how many there are in all."""
    wanted = [is_public()]
    if kind:
        wanted.append(Notice.kind == kind)
    if words.strip():
        lines = select(NoticeItem.notice_id).where(
            contains((NoticeItem.name, NoticeItem.credit_code, NoticeItem.lead_unit_name), words)
        )
        wanted.append(contains((Notice.title, Notice.number), words) | Notice.id.in_(lines))
    total = session.scalar(select(func.count()).select_from(Notice).where(*wanted)) or 0
    count = select(func.count()).where(NoticeItem.notice_id == Notice.id).scalar_subquery()
    query = select(Notice, count).where(*wanted).order_by(Notice.published_at.desc(), Notice.id.desc())
    rows = session.execute(query.limit(PAGE).offset((page - 1) * PAGE))
    return [(row[0], row[1]) for row in rows], total


def corrections(session: Session, notice_id: UUID) -> list[Notice]:
    """The published corrections and withdrawals of a notice, oldest first."""
    query = select(Notice).where(Notice.corrects_id == notice_id, is_public())
    return list(session.scalars(query.order_by(Notice.published_at)))


def items_of(session: Session, notice: Notice) -> dict[UUID, FilingItem]:
    """How the enterprises of a notice stand today, by their ids."""
    wanted = [row.filing_item_id for row in notice.rows if row.filing_item_id]
    query = select(FilingItem).where(FilingItem.id.in_(wanted))
    return {item.id: item for item in session.scalars(query).unique()}


def open_notices(session: Session) -> list[Notice]:
    """Publicity notices on which letters may still be entered: published or past their period, newest first."""
    query = select(Notice).where(Notice.kind == "publicity", Notice.status.in_(("published", "closed")))
    return list(
        session.scalars(query.options(selectinload(Notice.rows)).order_by(Notice.published_at.desc()).limit(50))
    )


def answer(session: Session, receipt_number: str, code: str) -> Objection | None:
    """The objection with this receipt number and code, or None; takes as long either way."""
    number = receipt_number.strip().upper().replace(" ", "")
    found = session.scalars(select(Objection).where(Objection.receipt_number == number)).one_or_none()
    right = hmac.compare_digest((found.lookup_code if found else "-" * 8).encode(), normalise_code(code).encode())
    return found if right else None


def evidence(session: Session, ids: Sequence[str]) -> list[Document]:
    """The documents that stand in an objection's evidence, in order."""
    wanted = [UUID(key) for key in ids]
    found = {d.id: d for d in session.scalars(select(Document).where(Document.id.in_(wanted)))}
    return [found[key] for key in wanted if key in found]


def by_digest(session: Session, digest: str) -> list[tuple[Document, Notice | None]]:
    """Published documents with this SHA-256, each with its notice when it is one."""
    query = (
        select(Document, Notice)
        .outerjoin(Notice, (Notice.pdf_id == Document.id) | (Notice.docx_id == Document.id))
        .where(Document.digest == digest, Document.public.is_(True))
    )
    return [(row[0], row[1]) for row in session.execute(query)]
