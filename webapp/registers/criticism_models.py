"""通报批评与限期整改 (4.2, 4.3): the case, its grounds, and each period in which the unit has to rectify."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.db import Base
from webapp.ids import uuid7
from webapp.registers.models import LeadUnit


class Criticism(Base):
    """One case of criticism of one lead unit; further grounds join it until the working group has decided.

    Status: gathering 查明事实 · hearing 陈述申辩 · deciding 认定情形 · drafting 待签发 · rectifying 整改中 ·
    checking 核查中 · weighing 研究处理; final: rectified 整改合格 · cancelled 取消资格 (4.3) ·
    not_established 情形不成立 · lapsed 依据不复存在 (the evaluation it came from was voided) · ended 单位已离开名单.
    """

    __tablename__ = "criticism"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    number: Mapped[str] = mapped_column(Text, unique=True)  # PP-2026-0001, the instance's business key
    lead_unit_id: Mapped[UUID] = mapped_column(ForeignKey("lead_unit.id"), index=True)
    instance_id: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(Text, default="gathering")
    source: Mapped[str] = mapped_column(Text)  # office | consequence
    opened_at: Mapped[datetime]
    opened_by: Mapped[UUID | None]
    told_at: Mapped[datetime | None]
    statement_due_at: Mapped[datetime | None]
    statements: Mapped[list[Any]] = mapped_column(JSONB, default=list)  # [{at, by, words, files, kind}] oldest first
    decision: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)  # {words, by, at}: which grounds stand
    title: Mapped[str] = mapped_column(Text, default="")
    words: Mapped[str] = mapped_column(Text, default="")  # the body of the 通报批评
    notice_id: Mapped[UUID | None]
    notice_number: Mapped[str | None] = mapped_column(Text, unique=True)
    decided_on: Mapped[date | None]  # the day of the 通报批评
    cancel_notice_id: Mapped[UUID | None]  # the decision to cancel the qualification 取消资格决定
    cancel_number: Mapped[str | None] = mapped_column(Text, unique=True)
    restricted: Mapped[list[Any]] = mapped_column(JSONB, default=list)  # [{account_id, roles}] as before the decision
    ended_cases: Mapped[list[Any]] = mapped_column(JSONB, default=list)  # case numbers that ended with it
    closed_at: Mapped[datetime | None]
    closed_reason: Mapped[str] = mapped_column(Text, default="")
    lead_unit: Mapped[LeadUnit] = relationship(lazy="joined")
    grounds: Mapped[list[CriticismGround]] = relationship(order_by="CriticismGround.clause")
    periods: Mapped[list[Rectification]] = relationship(order_by="Rectification.seq")
    __table_args__ = (
        Index(
            "uq_criticism_undecided",
            "lead_unit_id",
            unique=True,
            postgresql_where=text("status in ('gathering', 'hearing', 'deciding')"),
        ),
    )


class CriticismGround(Base):
    """One ground of a case (4.2.1 … 4.2.6) with facts and evidence; `established`: None until it is decided.

    `fell_at`: the evaluation that it came from was voided after the unit had been criticised.
    """

    __tablename__ = "criticism_ground"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    criticism_id: Mapped[UUID] = mapped_column(ForeignKey("criticism.id"))
    clause: Mapped[str] = mapped_column(Text)
    facts: Mapped[str] = mapped_column(Text)
    evidence: Mapped[list[Any]] = mapped_column(JSONB, default=list)  # document ids
    source: Mapped[str] = mapped_column(Text)  # office | consequence
    entered_at: Mapped[datetime]
    entered_by: Mapped[UUID | None]
    told_at: Mapped[datetime | None]
    established: Mapped[bool | None]
    finding: Mapped[str] = mapped_column(Text, default="")
    fell_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("criticism_id", "clause"),)


class Rectification(Base):
    """One period of rectification: the order 责令限期整改通知书, its receipt, the unit's report, the office's check.

    Status: open 整改中 · reported 待核查 · passed 合格 · failed 不合格 · missed 逾期未报 · ended 终止.
    """

    __tablename__ = "rectification"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    criticism_id: Mapped[UUID] = mapped_column(ForeignKey("criticism.id"))
    seq: Mapped[int]  # counts how often the unit was told to rectify: 1 with the criticism, then 继续整改
    number: Mapped[str] = mapped_column(Text, unique=True)  # 文号 of the order
    requirements: Mapped[str] = mapped_column(Text)
    days: Mapped[int]
    served_at: Mapped[datetime]
    due_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    received_by: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(Text, default="open")
    reported_at: Mapped[datetime | None]
    reported_by: Mapped[UUID | None]
    report_words: Mapped[str] = mapped_column(Text, default="")
    report_files: Mapped[list[Any]] = mapped_column(JSONB, default=list)  # document ids
    check_words: Mapped[str] = mapped_column(Text, default="")
    checked_at: Mapped[datetime | None]
    checked_by: Mapped[UUID | None]
    #: {circumstances, severity, words, proposal, reason}: the office's assessment and what the table proposes (4.3)
    assessment: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    #: {outcome continue|cancel, words, by, at}: what the working group decided (4.3)
    resolved: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    criticism: Mapped[Criticism] = relationship(back_populates="periods")
    __table_args__ = (UniqueConstraint("criticism_id", "seq"),)
