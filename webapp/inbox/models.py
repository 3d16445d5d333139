"""What people leave on tasks and cases: drafts, comments, stock phrases, saved views."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base
from webapp.ids import uuid7


class Draft(Base):
    """What a person entered and has not submitted; one per task and person, kept on the server."""

    __tablename__ = "draft"
    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    data: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]


class Comment(Base):
    """A remark on a case; `internal` ones are not shown to organisation-scoped roles."""

    __tablename__ = "comment"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    root_instance_id: Mapped[UUID]
    instance_id: Mapped[UUID]
    task_id: Mapped[UUID | None]
    author_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    internal: Mapped[bool] = mapped_column(default=True)
    words: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    __table_args__ = (Index("ix_comment_root", "root_instance_id", "created_at"),)


class StockPhrase(Base):
    """常用意见: a phrase of one person (or of everyone, account_id None), for one kind of task or all."""

    __tablename__ = "stock_phrase"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    scope: Mapped[str] = mapped_column(Text, default="")  # element id, or empty for every task
    words: Mapped[str] = mapped_column(Text)


class SavedView(Base):
    """我的视图: a named filter of the list `page` (tasks | instances), as the query string of its address.

    A shared one is shown to everybody who may open that list; only its owner changes it.
    """

    __tablename__ = "saved_view"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    query: Mapped[str] = mapped_column(Text)
    page: Mapped[str] = mapped_column(Text, default="tasks", server_default="tasks")
    shared: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
