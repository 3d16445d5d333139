"""A manager's operation on many instances: what is to be done, and the frozen list of the instances, one row each."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base
from webapp.ids import uuid7


class Batch(Base):
    """One operation on many instances.

    draft (ids are frozen) -> previewing -> ready (waits for reason and confirmation) -> running <-> paused
    -> done | cancelled.
    """

    __tablename__ = "batch"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    number: Mapped[int] = mapped_column(Integer, Identity(always=True), unique=True)
    status: Mapped[str] = mapped_column(Text, default="draft")
    kind: Mapped[str] = mapped_column(Text, default="")
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    described: Mapped[str] = mapped_column(Text, default="")  # how the instances were chosen
    reason: Mapped[str] = mapped_column(Text, default="")
    note: Mapped[str] = mapped_column(Text, default="")  # why it stands still
    total: Mapped[int] = mapped_column(default=0)
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint(
            "status in ('draft','previewing','ready','running','paused','done','cancelled')", name="status"
        ),
        Index("ix_batch_busy", "number", postgresql_where=text("status in ('previewing','running')")),
    )


class BatchItem(Base):
    """One instance of a batch. `effects`: what the preview found, None before it looked; `message`: the refusal.

    waiting -> done | refused (by a rule, with its sentence) | failed (a fault of the machine) | cancelled.
    """

    __tablename__ = "batch_item"
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batch.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(Text, default="waiting")
    effects: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    warnings: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    message: Mapped[str] = mapped_column(Text, default="")
    done_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("status in ('waiting','done','refused','failed','cancelled')", name="status"),
        Index("uq_batch_item_instance", "batch_id", "instance_id", unique=True),
        Index("ix_batch_item_waiting", "batch_id", "position", postgresql_where=text("status = 'waiting'")),
        Index("ix_batch_item_of_instance", "instance_id"),
    )


__all__ = ["Batch", "BatchItem"]
