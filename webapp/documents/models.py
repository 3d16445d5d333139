"""Documents: what people upload and what processes make. The bytes lie in the data directory, named by their digest."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base
from webapp.ids import uuid7


class Document(Base):
    """One stored file. Immutable: a new version is a new row. `digest` is SHA-256, hex; `size` bytes."""

    __tablename__ = "document"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    digest: Mapped[str] = mapped_column(Text, index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(Text)
    filename: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text, default="upload")  # upload | notice | list | review_form …
    pages: Mapped[int | None]
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)  # active content of a PDF: javascript, launch …
    root_instance_id: Mapped[UUID | None]  # the case that it belongs to
    instance_id: Mapped[UUID | None]
    org_id: Mapped[UUID | None]  # whose organisation may read it
    public: Mapped[bool] = mapped_column(default=False)  # readable without account (published)
    made_from: Mapped[dict[str, Any] | None]  # template and data, for what processes make
    uploaded_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    __table_args__ = (Index("ix_document_root_instance", "root_instance_id"),)
