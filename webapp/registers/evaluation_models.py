"""The registers that quarterly evaluation (3.1–3.3) lives on. Each change writes a row of `register_change`."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.db import Base
from webapp.ids import uuid7
from webapp.registers.models import LeadUnit


class PilotEnterprise(Base):
    """试点企业 (1.3): an enterprise on the list of those to be retrofitted, with the lead unit that serves it."""

    __tablename__ = "pilot_enterprise"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    credit_code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    lead_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("lead_unit.id"), index=True)
    programme: Mapped[str] = mapped_column(Text, default="national")  # 国家级 national | 省级 provincial (1.4)
    industry: Mapped[str] = mapped_column(Text, default="")
    district: Mapped[str] = mapped_column(Text, default="")
    contact: Mapped[str] = mapped_column(Text, default="")
    phone: Mapped[str] = mapped_column(Text, default="")
    listed_on: Mapped[date]
    until: Mapped[date | None]
    lead_unit: Mapped[LeadUnit | None] = relationship(lazy="joined")


class RetrofitProject(Base):
    """改造项目 with its contract 改造合同. Status signed | running | done | accepted | failed.

    Levels of digitalisation run from 1 to 4; the target is 二级 or above (2.2.5).
    """

    __tablename__ = "retrofit_project"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    number: Mapped[str] = mapped_column(Text, unique=True)
    title: Mapped[str] = mapped_column(Text)
    pilot_enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("pilot_enterprise.id"), index=True)
    lead_unit_id: Mapped[UUID] = mapped_column(ForeignKey("lead_unit.id"), index=True)
    programme: Mapped[str] = mapped_column(Text, default="national")
    contract_number: Mapped[str] = mapped_column(Text)
    contract_amount: Mapped[Decimal]  # 10,000 yuan 万元
    signed_on: Mapped[date]
    due_on: Mapped[date]
    done_on: Mapped[date | None]
    accepted_on: Mapped[date | None]
    status: Mapped[str] = mapped_column(Text, default="signed")
    level_before: Mapped[int]
    level_after: Mapped[int | None]
    pilot_enterprise: Mapped[PilotEnterprise] = relationship(lazy="joined")
    lead_unit: Mapped[LeadUnit] = relationship(lazy="joined")


class Commitment(Base):
    """年度绩效任务书 (3.1): one signed version; a supplement is a further version, effective from a quarter on.

    `indicators`: [{key, label, unit, target, cumulative}]; `key` is stable through the versions of a year.
    """

    __tablename__ = "commitment"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    lead_unit_id: Mapped[UUID] = mapped_column(ForeignKey("lead_unit.id"), index=True)
    year: Mapped[int]
    version: Mapped[int] = mapped_column(default=1)
    signed_on: Mapped[date]
    effective_quarter: Mapped[int] = mapped_column(default=1)
    signed_by_unit: Mapped[str] = mapped_column(Text)
    signed_by_group: Mapped[str] = mapped_column(Text)
    indicators: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    lead_unit: Mapped[LeadUnit] = relationship(lazy="joined")
    __table_args__ = (UniqueConstraint("lead_unit_id", "year", "version"),)


class EvaluationRound(Base):
    """季度绩效评价 (3.2): one calendar quarter.

    Status preparing | served | opening | running | settled | closed; or voided: a round is voided 作废 whole, never in
    parts, and its quarter may then be judged again by another round. `indicators`: the set that the working group fixed
    (3.3.2), frozen with `frozen_at`. The counters are kept by the steps of the units' own cases, each under this row's
    lock for a moment, so that nothing has to count them.
    """

    __tablename__ = "evaluation_round"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    number: Mapped[str] = mapped_column(Text, unique=True)  # PJ-2026-0001
    year: Mapped[int]
    quarter: Mapped[int]
    instance_id: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(Text, default="preparing")
    indicators: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    experts: Mapped[list[Any]] = mapped_column(JSONB, default=list)  # account ids of the panel
    checks: Mapped[list[Any]] = mapped_column(JSONB, default=list)  # forms of supervision ordered: supervision.CHECKS
    frozen_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    report_due_at: Mapped[datetime | None]
    total_units: Mapped[int] = mapped_column(default=0)
    opened_units: Mapped[int] = mapped_column(default=0)
    settled_units: Mapped[int] = mapped_column(default=0)
    closed_at: Mapped[datetime | None]
    report_number: Mapped[str | None] = mapped_column(Text, unique=True)  # 文号 of the 季度评价报告
    pdf_id: Mapped[UUID | None]
    docx_id: Mapped[UUID | None]
    xlsx_id: Mapped[UUID | None]
    voided_at: Mapped[datetime | None]
    voided_by: Mapped[UUID | None]
    void_reason: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (
        Index(
            "uq_evaluation_round_standing", "year", "quarter", unique=True, postgresql_where=text("voided_at is null")
        ),
    )


class EvaluationResult(Base):
    """One lead unit in one round: what it reported, its figures, scores, conclusion and next-stage arrangement (3.2).

    Status waiting | reporting | verifying | checking | scoring | stating | settling;
    final: settled | absent | left | voided.
    `scores`: [{key, label, dimension, weight, effective, score, points, note}]; `score` None: 不适用 (no base), its
    weight is shared out among the others in `effective`.
    """

    __tablename__ = "evaluation_result"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    round_id: Mapped[UUID] = mapped_column(ForeignKey("evaluation_round.id"))
    lead_unit_id: Mapped[UUID] = mapped_column(ForeignKey("lead_unit.id"), index=True)
    instance_id: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(Text, default="waiting")
    newly_admitted: Mapped[bool] = mapped_column(default=False)  # admitted within the quarter: 不定等
    report_due_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    urged_at: Mapped[datetime | None]  # 催告
    reported_at: Mapped[datetime | None]
    late: Mapped[bool] = mapped_column(default=False)
    report: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    report_words: Mapped[str] = mapped_column(Text, default="")
    #: forms of supervision ordered for this unit alone; None: those of the round
    checks: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    unchecked: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)  # why an ordered form was not carried out
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    expert_scores: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    scored_at: Mapped[datetime | None]
    scores: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    total: Mapped[Decimal | None]
    grade: Mapped[str | None] = mapped_column(Text)  # excellent | good | pass | fail | none 不定等 | absent
    statement: Mapped[str] = mapped_column(Text, default="")
    stated_at: Mapped[datetime | None]
    statement_answer: Mapped[str] = mapped_column(Text, default="")
    arrangement: Mapped[str] = mapped_column(Text, default="")  # 下一阶段工作安排
    carried_out: Mapped[str] = mapped_column(Text, default="")  # how the unit carried out the last round's arrangement
    arrangement_check: Mapped[str] = mapped_column(Text, default="")  # of the last round's: done | partly | not
    arrangement_check_words: Mapped[str] = mapped_column(Text, default="")
    settled_at: Mapped[datetime | None]
    round: Mapped[EvaluationRound] = relationship(lazy="joined")
    lead_unit: Mapped[LeadUnit] = relationship(lazy="joined")
    __table_args__ = (
        UniqueConstraint("round_id", "lead_unit_id"),
        Index("ix_evaluation_result_unopened", "round_id", postgresql_where=text("instance_id is null")),
    )


class EvaluationConsequence(Base):
    """What a conclusion brings about, with its reason and clause; opened by itself where the case exists.

    Kinds: expulsion_review (4.4.2 absent, 4.4.3 second fail) · criticism (4.2.2 late, 4.2.3 behind schedule).
    """

    __tablename__ = "evaluation_consequence"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    result_id: Mapped[UUID] = mapped_column(ForeignKey("evaluation_result.id"), index=True)
    lead_unit_id: Mapped[UUID] = mapped_column(ForeignKey("lead_unit.id"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    clause: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime]
    instance_id: Mapped[UUID | None]  # the case that was opened for it
    fell_at: Mapped[datetime | None]  # its round was voided
    fell_reason: Mapped[str] = mapped_column(Text, default="")
    result: Mapped[EvaluationResult] = relationship(lazy="joined")
    __table_args__ = (UniqueConstraint("result_id", "kind", "clause"),)


class EvaluationService(Base):
    """送达: what a round serves on a unit, and its receipt 签收. Kinds: indicators (3.3.2) · arrangement (3.2)."""

    __tablename__ = "evaluation_service"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    round_id: Mapped[UUID] = mapped_column(ForeignKey("evaluation_round.id"))
    lead_unit_id: Mapped[UUID] = mapped_column(ForeignKey("lead_unit.id"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    served_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    received_by: Mapped[UUID | None]
    round: Mapped[EvaluationRound] = relationship(lazy="joined")
    __table_args__ = (UniqueConstraint("round_id", "lead_unit_id", "kind"),)
