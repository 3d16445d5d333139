"""What designers have on the table: folders made here, drafts of files, and texts that a stale save could not place.

What is deployed stands in the engine's tables; a draft lies over it until it is deployed.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base
from webapp.ids import uuid7


class DesignFolder(Base):
    """A folder of the library that the designers have named, made or retired; others exist by their deployments."""

    __tablename__ = "design_folder"
    key: Mapped[str] = mapped_column(Text, primary_key=True)  # the deployment's name: partner_filing
    title: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[UUID | None]
    retired_at: Mapped[datetime | None]  # no new cases; running ones go on
    retired_by: Mapped[UUID | None]


class DesignDraft(Base):
    """The draft of one file; `content` None: the file is left out of the next deployment.

    `version` counts the saves and guards them; `base` is the deployment that the draft was begun on.
    """

    __tablename__ = "design_draft"
    folder: Mapped[str] = mapped_column(Text, primary_key=True)
    path: Mapped[str] = mapped_column(Text, primary_key=True)
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    version: Mapped[int] = mapped_column(default=1)
    base: Mapped[UUID | None] = mapped_column(ForeignKey("deployment.id"))
    updated_at: Mapped[datetime]
    updated_by: Mapped[UUID]


class DesignKept(Base):
    """A text that somebody had saved while another's draft was newer: nothing is overwritten, nothing is lost."""

    __tablename__ = "design_kept"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    folder: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    expected: Mapped[int]  # the version that the writer had seen
    account_id: Mapped[UUID]
    at: Mapped[datetime]
    __table_args__ = (Index("ix_design_kept_file", "folder", "path", "at"),)


__all__ = ["DesignDraft", "DesignFolder", "DesignKept"]
