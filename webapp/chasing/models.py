"""Reminders of tasks, what each person is told of them, and how each wants to be told."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base
from webapp.ids import uuid7

#: before: falls due soon; over: is overdue; escalated: the role's head is told; chase: 催办, by a person.
KINDS = ("before", "over", "escalated", "chase")
_KNOWN = "kind in ('before','over','escalated','chase')"


class TaskReminder(Base):
    """One reminder of a task: by the clock (`by_id` None) or by a person, with words."""

    __tablename__ = "task_reminder"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    task_id: Mapped[UUID]
    instance_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text)
    by_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    words: Mapped[str] = mapped_column(Text, default="")
    due_at: Mapped[datetime | None]  # the deadline that it spoke of
    at: Mapped[datetime]
    __table_args__ = (CheckConstraint(_KNOWN, name="kind"), Index("ix_task_reminder_task", "task_id", "kind", "at"))


class PersonalNotice(Base):
    """What one person is told of one reminder."""

    __tablename__ = "personal_notice"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    reminder_id: Mapped[UUID] = mapped_column(ForeignKey("task_reminder.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    mailed_at: Mapped[datetime | None]
    __table_args__ = (
        Index("ix_personal_notice_account", "account_id", text("created_at DESC")),
        Index("ix_personal_notice_unread", "account_id", postgresql_where=text("read_at is null")),
        Index(
            "ix_personal_notice_unmailed",
            "account_id",
            postgresql_where=text("mailed_at is null and read_at is null"),
        ),
    )


class NoticeChoice(Base):
    """How a person wants to be told. `mail`: off | daily (one digest on working mornings) | at_once."""

    __tablename__ = "notice_choice"
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    email: Mapped[str] = mapped_column(Text, default="")
    mail: Mapped[str] = mapped_column(Text, default="off")
    muted: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)  # kinds not wanted; 催办 always comes
    mailed_on: Mapped[date | None]
    __table_args__ = (CheckConstraint("mail in ('off','daily','at_once')", name="mail"),)


__all__ = ["NoticeChoice", "PersonalNotice", "TaskReminder"]
