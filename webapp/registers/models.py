"""The registers 台账 that partner-addition filing (4.6) lives on. Each change writes a row of `register_change`."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.accounts.models import Organisation
from webapp.db import Base
from webapp.ids import uuid7


class LeadUnit(Base):
    """牵引单位 (1.2). Status candidate | listed | cancelled | expelled | withdrawn; flags do not change the status."""

    __tablename__ = "lead_unit"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), unique=True)
    credit_code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, default="listed")
    rectifying: Mapped[bool] = mapped_column(default=False)  # 整改中
    under_expulsion: Mapped[bool] = mapped_column(default=False)  # 清退审议中
    legal_rep: Mapped[str] = mapped_column(Text, default="")
    address: Mapped[str] = mapped_column(Text, default="")
    registered_capital: Mapped[Decimal | None]  # 10,000 yuan 万元
    founded_on: Mapped[date | None]
    industry: Mapped[str] = mapped_column(Text, default="")
    contact: Mapped[str] = mapped_column(Text, default="")
    phone: Mapped[str] = mapped_column(Text, default="")
    listed_on: Mapped[date | None]
    organisation: Mapped[Organisation] = relationship(lazy="joined")


class ConsortiumEnterprise(Base):
    """产业生态联合体企业: a membership of one enterprise in one lead unit's consortium, from one published list on."""

    __tablename__ = "consortium_enterprise"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    lead_unit_id: Mapped[UUID] = mapped_column(ForeignKey("lead_unit.id"))
    name: Mapped[str] = mapped_column(Text)
    credit_code: Mapped[str] = mapped_column(Text)
    legal_rep: Mapped[str] = mapped_column(Text, default="")
    address: Mapped[str] = mapped_column(Text, default="")
    registered_capital: Mapped[Decimal | None]
    founded_on: Mapped[date | None]
    need: Mapped[str] = mapped_column(Text, default="")  # the need of the retrofitted enterprises that it serves (4.6)
    programme: Mapped[str] = mapped_column(Text, default="national")  # 国家级 national | 省级 provincial (1.4)
    since: Mapped[date]
    since_list_id: Mapped[UUID | None] = mapped_column(ForeignKey("published_list.id"))
    until: Mapped[date | None]
    until_reason: Mapped[str | None] = mapped_column(Text)
    filing_item_id: Mapped[UUID | None]
    lead_unit: Mapped[LeadUnit] = relationship(lazy="joined")
    __table_args__ = (
        Index(
            "uq_consortium_enterprise_current",
            "lead_unit_id",
            "credit_code",
            unique=True,
            postgresql_where=text("until is null"),
        ),
        Index("ix_consortium_enterprise_code", "credit_code"),
    )


class BarredEntry(Base):
    """不得重新申请名单 (4.4), by unified social credit code."""

    __tablename__ = "barred_entry"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    credit_code: Mapped[str] = mapped_column(Text, index=True)
    name: Mapped[str] = mapped_column(Text)
    clause: Mapped[str] = mapped_column(Text)  # 4.4.1 … 4.4.8
    decision_number: Mapped[str] = mapped_column(Text)
    decided_on: Mapped[date]
    annulled_on: Mapped[date | None]
    reason: Mapped[str] = mapped_column(Text, default="")


class Expulsion(Base):
    """清退审议 (4.4): one review of one lead unit; one open review per unit, further grounds join it.

    Status: gathering 查明事实 · hearing 告知与陈述 · proposing 建议与审核 · meeting 局务会审议 · deciding 决定 ·
    final: expelled 已清退 · not_confirmed 不予清退 · withdrawn 已撤回 (4.4.1 alone, before the resolution) · lapsed
    依据不复存在 (the evaluation that all its grounds came from was voided) · reversed 决定已撤销 (by 复核).
    """

    __tablename__ = "expulsion"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    number: Mapped[str] = mapped_column(Text, unique=True)  # QT-2026-0001, the instance's business key
    lead_unit_id: Mapped[UUID] = mapped_column(ForeignKey("lead_unit.id"), index=True)
    instance_id: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(Text, default="gathering")
    opened_at: Mapped[datetime]
    opened_by: Mapped[UUID | None]
    source: Mapped[str] = mapped_column(Text)  # office | unit | consequence
    bar_known: Mapped[bool] = mapped_column(default=False)  # the unit knows that it may not apply again (4.4.1)
    told_number: Mapped[str | None] = mapped_column(Text)  # 文号 of the last 清退告知书
    told_at: Mapped[datetime | None]
    statement_due_at: Mapped[datetime | None]
    statements: Mapped[list[Any]] = mapped_column(JSONB, default=list)  # [{at, by, words, files, kind}] oldest first
    proposal: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    legality: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    agenda: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    decision_title: Mapped[str] = mapped_column(Text, default="")
    decision_words: Mapped[str] = mapped_column(Text, default="")
    notice_id: Mapped[UUID | None]  # the published decision 清退决定
    decision_number: Mapped[str | None] = mapped_column(Text, unique=True)
    decided_on: Mapped[date | None]
    ended_cases: Mapped[list[Any]] = mapped_column(JSONB, default=list)  # case numbers that ended with the decision
    handover: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)  # {at}: every project was handed over
    restricted: Mapped[list[Any]] = mapped_column(JSONB, default=list)  # [{account_id, roles}] as they were before
    closed_at: Mapped[datetime | None]
    closed_reason: Mapped[str] = mapped_column(Text, default="")
    lead_unit: Mapped[LeadUnit] = relationship(lazy="joined")
    grounds: Mapped[list[ExpulsionGround]] = relationship(order_by="ExpulsionGround.clause")
    meetings: Mapped[list[ExpulsionMeeting]] = relationship(order_by="ExpulsionMeeting.seq")
    __table_args__ = (
        Index("uq_expulsion_open", "lead_unit_id", unique=True, postgresql_where=text("closed_at is null")),
    )


class ExpulsionGround(Base):
    """One ground of a review (4.4.1 … 4.4.8) with its facts and evidence; `told_at`: when the unit was told of it."""

    __tablename__ = "expulsion_ground"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    expulsion_id: Mapped[UUID] = mapped_column(ForeignKey("expulsion.id"))
    clause: Mapped[str] = mapped_column(Text)
    facts: Mapped[str] = mapped_column(Text)
    evidence: Mapped[list[Any]] = mapped_column(JSONB, default=list)  # document ids
    source: Mapped[str] = mapped_column(Text)  # office | unit | consequence
    entered_at: Mapped[datetime]
    entered_by: Mapped[UUID | None]
    told_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("expulsion_id", "clause"),)


class ExpulsionMeeting(Base):
    """One session of the 局务会 on a review (4.4): who was there, what it resolved, its minutes.

    resolution: confirm | not_confirm | send_back; members [{name, post, attendance present|absent|recused, reason}].
    """

    __tablename__ = "expulsion_meeting"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    expulsion_id: Mapped[UUID] = mapped_column(ForeignKey("expulsion.id"))
    seq: Mapped[int]
    met_on: Mapped[date]
    place: Mapped[str] = mapped_column(Text, default="")
    members: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    entitled: Mapped[int]
    present: Mapped[int]
    resolution: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    minutes: Mapped[str] = mapped_column(Text)
    minutes_files: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[UUID | None]
    __table_args__ = (UniqueConstraint("expulsion_id", "seq"),)


class Filing(Base):
    """备案 (4.6.1): one filing of one lead unit; its enterprises are `FilingItem`s. Status draft | review | closed."""

    __tablename__ = "filing"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    number: Mapped[str] = mapped_column(Text, unique=True)  # BA-2026-0187, the instance's business key
    lead_unit_id: Mapped[UUID] = mapped_column(ForeignKey("lead_unit.id"), index=True)
    instance_id: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(Text, default="draft")
    need: Mapped[str] = mapped_column(Text, default="")
    programme: Mapped[str] = mapped_column(Text, default="national")
    submitted_at: Mapped[datetime | None]
    submitted_by: Mapped[UUID | None]
    closed_at: Mapped[datetime | None]
    lead_unit: Mapped[LeadUnit] = relationship(lazy="joined")
    items: Mapped[list[FilingItem]] = relationship(back_populates="filing", order_by="FilingItem.seq")


class FilingItem(Base):
    """One enterprise of a filing and where it stands.

    Status: draft · review 审核中 · confirming 待复核 · correcting 补正中 · pooled 待公示 ·
    public 公示中 · objected 异议中 ·
    final: published 已发布 · rejected 不予通过 · lapsed 逾期未补正 · struck 异议成立/撤下 · withdrawn.
    """

    __tablename__ = "filing_item"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    filing_id: Mapped[UUID] = mapped_column(ForeignKey("filing.id"), index=True)
    seq: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    credit_code: Mapped[str] = mapped_column(Text, index=True)
    legal_rep: Mapped[str] = mapped_column(Text, default="")
    id_kind: Mapped[str] = mapped_column(Text, default="resident")  # resident | other (only under an interpretation)
    id_number: Mapped[str] = mapped_column(Text, default="")  # GB 11643-1999; masked on every page but the review
    address: Mapped[str] = mapped_column(Text, default="")
    registered_capital: Mapped[Decimal | None]
    founded_on: Mapped[date | None]
    need: Mapped[str] = mapped_column(Text, default="")
    fiscal_year: Mapped[int | None]
    credit_report_on: Mapped[date | None]
    interpretation_id: Mapped[UUID | None] = mapped_column(ForeignKey("interpretation.id"))
    materials: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)  # {material: [document id, …]}
    warnings: Mapped[list[Any]] = mapped_column(JSONB, default=list)  # [{code, text, must_answer}]
    review: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)  # the last review
    instance_id: Mapped[UUID | None]  # its own case: enterprise_review
    batch_id: Mapped[UUID | None] = mapped_column(ForeignKey("publicity_batch.id"), index=True)
    status: Mapped[str] = mapped_column(Text, default="draft", index=True)
    correction_due_at: Mapped[datetime | None]
    outcome_reason: Mapped[str] = mapped_column(Text, default="")
    settled_at: Mapped[datetime | None]
    filing: Mapped[Filing] = relationship(back_populates="items", lazy="joined")


class Interpretation(Base):
    """解释 (5.1): how the bureau reads the regulation, cited by the cases that use it."""

    __tablename__ = "interpretation"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    number: Mapped[str] = mapped_column(Text, unique=True)
    clause: Mapped[str] = mapped_column(Text)
    topic: Mapped[str] = mapped_column(Text)  # other_identity | no_accounts | free
    text: Mapped[str] = mapped_column(Text)
    signed_by: Mapped[str] = mapped_column(Text)
    signed_on: Mapped[date]


class PublicityBatch(Base):
    """公示批次 (4.6.3). Status composing | signing | public | closing | holding | published.

    holding: it waits for the decision of an objection. Given up: withdrawn (by 撤回公告) | cancelled (never published).
    """

    __tablename__ = "publicity_batch"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    number: Mapped[str] = mapped_column(Text, unique=True)  # GS-2026-0009
    instance_id: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(Text, default="composing")
    created_at: Mapped[datetime]


class PublishedList(Base):
    """变更后的产业生态联合体企业名单 (4.6.3), one row per publication."""

    __tablename__ = "published_list"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    number: Mapped[str] = mapped_column(Text, unique=True)  # 文号
    batch_id: Mapped[UUID | None] = mapped_column(ForeignKey("publicity_batch.id"))
    title: Mapped[str] = mapped_column(Text)
    published_on: Mapped[date]
    published_at: Mapped[datetime]
    added: Mapped[int] = mapped_column(default=0)
    removed: Mapped[int] = mapped_column(default=0)


class RegisterChange(Base):
    """History of every register: who changed what, from what, to what, in which case."""

    __tablename__ = "register_change"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    register: Mapped[str] = mapped_column(Text)  # table name
    entry_id: Mapped[UUID]
    at: Mapped[datetime]
    actor_id: Mapped[UUID | None]
    instance_id: Mapped[UUID | None]
    action: Mapped[str] = mapped_column(Text)
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    __table_args__ = (Index("ix_register_change_entry", "register", "entry_id", "at"),)


class SerialNumber(Base):
    """Gapless numbers per kind and year (文号, case numbers); taken under a row lock in the act's own transaction."""

    __tablename__ = "serial_number"
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)
