"""Which months of the activity history have left the database, and the document that keeps them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, DateTime, ForeignKey, Integer, Table
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from webapp.db import Base

history_archive = Table(
    "history_archive",
    Base.metadata,
    Column("month", Date, primary_key=True),  # its first day
    Column("document_id", PgUUID(as_uuid=True), ForeignKey("document.id"), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("instances", Integer, nullable=False),
    Column("archived_at", DateTime(timezone=True), nullable=False),
)
