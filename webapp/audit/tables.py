"""Seals of the audit trail: each covers the rows after the seal before it, and holds that seal's digest in its own."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Identity, Integer, LargeBinary, Table, UniqueConstraint

from webapp.db import Base

audit_seal = Table(
    "audit_seal",
    Base.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("first_id", BigInteger, nullable=False),
    Column("last_id", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("marks", LargeBinary, nullable=False),  # per row: its id (8 bytes), the first 16 bytes of its SHA-256
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the digest before and the marks
    Column("sealed_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("last_id"),
)
