"""What the supervision 监督检查 of a quarter (3.2) leaves: questionnaires, interviews, site visits, spot checks."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.db import Base
from webapp.ids import uuid7
from webapp.registers.evaluation_models import EvaluationResult, PilotEnterprise


class Questionnaire(Base):
    """问卷调查: a survey among the pilot enterprises of a unit in a round. `form`: the questions as asked."""

    __tablename__ = "questionnaire"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    result_id: Mapped[UUID] = mapped_column(ForeignKey("evaluation_result.id"), unique=True)
    form: Mapped[dict[str, Any]] = mapped_column(JSONB)
    opened_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    result: Mapped[EvaluationResult] = relationship(lazy="joined")


class QuestionnaireInvitation(Base):
    """One pilot enterprise that is asked, with its answer: at most one. `score`: 0 to 100, the mean of its marks."""

    __tablename__ = "questionnaire_invitation"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    questionnaire_id: Mapped[UUID] = mapped_column(ForeignKey("questionnaire.id"))
    pilot_enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("pilot_enterprise.id"), index=True)
    answered_at: Mapped[datetime | None]
    answers: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    score: Mapped[Decimal | None]
    pilot_enterprise: Mapped[PilotEnterprise] = relationship(lazy="joined")
    __table_args__ = (UniqueConstraint("questionnaire_id", "pilot_enterprise_id"),)


class QuestionnaireLink(Base):
    """A one-time link of an invitation. Only the SHA-256 of its token is kept; a new link ends the one before."""

    __tablename__ = "questionnaire_link"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    invitation_id: Mapped[UUID] = mapped_column(ForeignKey("questionnaire_invitation.id"), index=True)
    token_hash: Mapped[str] = mapped_column(Text, unique=True)
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SupervisionRecord(Base):
    """A telephone interview 电话访谈 or a site visit 实地走访. Kind interview | visit.

    `mark`: 1 to 5 as the person spoken to gave it, None for a visit. `documents`: ids of photos.
    """

    __tablename__ = "supervision_record"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    result_id: Mapped[UUID] = mapped_column(ForeignKey("evaluation_result.id"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    held_on: Mapped[date]
    pilot_enterprise_id: Mapped[UUID | None] = mapped_column(ForeignKey("pilot_enterprise.id"))
    person: Mapped[str] = mapped_column(Text, default="")
    mark: Mapped[int | None]
    words: Mapped[str] = mapped_column(Text)
    documents: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    entered_at: Mapped[datetime]
    entered_by: Mapped[str] = mapped_column(Text, default="")
    pilot_enterprise: Mapped[PilotEnterprise | None] = relationship(lazy="joined")


class SpotCheck(Base):
    """项目抽查: the sample of a unit's projects and what was found. `population`, `drawn`: project numbers.

    `findings`: [{number, title, verdict conform|minor|problem, words, documents}] once they are entered.
    """

    __tablename__ = "spot_check"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    result_id: Mapped[UUID] = mapped_column(ForeignKey("evaluation_result.id"), unique=True)
    seed: Mapped[str] = mapped_column(Text)
    population: Mapped[list[Any]] = mapped_column(JSONB)
    drawn: Mapped[list[Any]] = mapped_column(JSONB)
    drawn_at: Mapped[datetime]
    findings: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    entered_at: Mapped[datetime | None]
    entered_by: Mapped[str] = mapped_column(Text, default="")
