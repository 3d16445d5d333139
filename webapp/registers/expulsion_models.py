"""What follows a decision to expel (4.4): the handover of each unfinished project, and the review asked for 复核."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.db import Base
from webapp.ids import uuid7
from webapp.registers.evaluation_models import RetrofitProject
from webapp.registers.models import Expulsion, LeadUnit


class ExpulsionHandover(Base):
    """One unfinished project 改造项目 of an expelled unit: who takes it over, when it was handed over, who confirmed.

    Status: open 待移交 · handed 待确认 · confirmed 已移交 · cancelled (the decision was reversed before).
    """

    __tablename__ = "expulsion_handover"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    expulsion_id: Mapped[UUID] = mapped_column(ForeignKey("expulsion.id"))
    project_id: Mapped[UUID] = mapped_column(ForeignKey("retrofit_project.id"), index=True)
    seq: Mapped[int]
    instance_id: Mapped[UUID | None]  # its own case: project_handover
    status: Mapped[str] = mapped_column(Text, default="open")
    taker_id: Mapped[UUID | None] = mapped_column(ForeignKey("lead_unit.id"))
    handed_over_on: Mapped[date | None]
    note: Mapped[str] = mapped_column(Text, default="")
    files: Mapped[list[Any]] = mapped_column(JSONB, default=list)  # document ids
    return_words: Mapped[str] = mapped_column(Text, default="")  # why the office sent it back last
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[UUID | None]
    expulsion: Mapped[Expulsion] = relationship(lazy="joined")
    project: Mapped[RetrofitProject] = relationship(lazy="joined")
    taker: Mapped[LeadUnit | None] = relationship(lazy="joined", foreign_keys=[taker_id])
    __table_args__ = (UniqueConstraint("expulsion_id", "project_id"),)


class Reconsideration(Base):
    """复核 of a decision to expel: asked for by the unit, or opened by the office for a binding ruling 生效裁判.

    Status: examining 审查 · meeting 局务会审议 · deciding 决定; final: upheld 维持 · reversed 撤销.
    `basis`: meeting (a resolution of the 局务会) | ruling; sessions: as of `ExpulsionMeeting`, resolution
    uphold | reverse | send_back.
    """

    __tablename__ = "expulsion_reconsideration"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    number: Mapped[str] = mapped_column(Text, unique=True)  # FH-2026-0001, the instance's business key
    expulsion_id: Mapped[UUID] = mapped_column(ForeignKey("expulsion.id"))
    instance_id: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(Text, default="examining")
    source: Mapped[str] = mapped_column(Text)  # unit | office
    opened_at: Mapped[datetime]
    opened_by: Mapped[UUID | None]
    reasons: Mapped[str] = mapped_column(Text, default="")
    files: Mapped[list[Any]] = mapped_column(JSONB, default=list)  # document ids
    findings: Mapped[str] = mapped_column(Text, default="")
    proposal: Mapped[str] = mapped_column(Text, default="")  # uphold | reverse
    legality: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    sessions: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    basis: Mapped[str] = mapped_column(Text, default="meeting")
    ruling: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)  # {authority, number, on, words, files}
    decision_title: Mapped[str] = mapped_column(Text, default="")
    decision_words: Mapped[str] = mapped_column(Text, default="")
    notice_id: Mapped[UUID | None]
    decision_number: Mapped[str | None] = mapped_column(Text, unique=True)
    decided_on: Mapped[date | None]
    closed_at: Mapped[datetime | None]
    expulsion: Mapped[Expulsion] = relationship(lazy="joined")
    __table_args__ = (
        Index("ix_expulsion_reconsideration_expulsion_id", "expulsion_id"),
        Index(
            "uq_expulsion_reconsideration_open",
            "expulsion_id",
            unique=True,
            postgresql_where=text("closed_at is null"),
        ),
    )
