"""代理: who stands in for whom, by date."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base
from webapp.ids import uuid7


class StandIn(Base):
    """`stand_in_id` does the tasks of `account_id` on these days (Beijing, both inclusive), until it is ended."""

    __tablename__ = "stand_in"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    stand_in_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    created_by: Mapped[UUID]
    ended_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("last_day >= first_day", name="days"),
        CheckConstraint("account_id <> stand_in_id", name="another"),
        Index("ix_stand_in_days", "last_day"),
    )


__all__ = ["StandIn"]
