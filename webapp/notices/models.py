"""Notices 公示/更正/撤回 and objections 异议 (4.6.3)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.db import Base
from webapp.ids import uuid7


class Notice(Base):
    """One published act. Never edited after publication: corrected (更正) or withdrawn (撤回) by another notice.

    kind: publicity 公示 | correction 更正 | withdrawal 撤回 | list 名单 | expulsion 清退决定 |
    reconsideration 复核决定 | criticism 通报批评 | cancellation 取消资格决定 | criticism_withdrawal 撤销通报.
    status: draft | published | closed | withdrawn.
    """

    __tablename__ = "notice"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    kind: Mapped[str] = mapped_column(Text)
    number: Mapped[str | None] = mapped_column(Text, unique=True)  # 文号, given at signing
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[str] = mapped_column(Text, default="draft")
    batch_id: Mapped[UUID | None] = mapped_column(ForeignKey("publicity_batch.id"), index=True)
    list_id: Mapped[UUID | None] = mapped_column(ForeignKey("published_list.id"))
    corrects_id: Mapped[UUID | None] = mapped_column(ForeignKey("notice.id"))
    signed_by: Mapped[str | None] = mapped_column(Text)
    published_at: Mapped[datetime | None]
    period_days: Mapped[int | None]  # working days (house rule)
    period_starts_on: Mapped[date | None]
    period_ends_at: Mapped[datetime | None]
    pdf_id: Mapped[UUID | None]
    docx_id: Mapped[UUID | None]
    rows: Mapped[list[NoticeItem]] = relationship(order_by="NoticeItem.seq")
    __table_args__ = (Index("ix_notice_public", "status", "published_at"),)


class NoticeItem(Base):
    """One line of a notice, as published: a copy of the words, not a reference that could change under it."""

    __tablename__ = "notice_item"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notice.id"), index=True)
    seq: Mapped[int]
    filing_item_id: Mapped[UUID | None] = mapped_column(ForeignKey("filing_item.id"))
    lead_unit_name: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    credit_code: Mapped[str] = mapped_column(Text)
    need: Mapped[str] = mapped_column(Text, default="")
    extra: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    __table_args__ = (UniqueConstraint("notice_id", "seq"),)


class Objection(Base):
    """异议: by anyone on the public page, or entered by the office for a letter; counted by time of receipt.

    status: open | upheld | dismissed | late (came after the period: a lead 线索, not an objection).
    """

    __tablename__ = "objection"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    receipt_number: Mapped[str] = mapped_column(Text, unique=True)  # YY-2026-0006, the confirmation that is shown
    lookup_code: Mapped[str] = mapped_column(Text)  # secret part of the receipt, to look up the answer
    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notice.id"), index=True)
    filing_item_id: Mapped[UUID] = mapped_column(ForeignKey("filing_item.id"), index=True)
    channel: Mapped[str] = mapped_column(Text)  # web | letter
    topic: Mapped[str] = mapped_column(Text, default="other")  # material | need | other
    confidential: Mapped[bool] = mapped_column(default=False)  # the name stays with the office
    objector_name: Mapped[str] = mapped_column(Text)
    objector_contact: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    evidence: Mapped[list[Any]] = mapped_column(JSONB, default=list)  # document ids
    received_at: Mapped[datetime]
    entered_by: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(Text, default="open", index=True)
    instance_id: Mapped[UUID | None]
    findings: Mapped[str] = mapped_column(Text, default="")
    reasons: Mapped[str] = mapped_column(Text, default="")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]


class PublicAct(Base):
    """What somebody without an account did, for the limits of frequency; kept for a day. `address`: a keyed digest."""

    __tablename__ = "public_act"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    kind: Mapped[str] = mapped_column(Text)  # objection | evidence | lookup
    address: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    __table_args__ = (Index("ix_public_act_recent", "kind", "address", "at"),)
