"""Seals of the audit trail, and which months of the history have been archived."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_seal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("marks", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_seal"),
        sa.UniqueConstraint("last_id", name="uq_audit_seal_last_id"),
    )
    op.execute(
        "create trigger insert_only before update or delete on audit_seal for each row execute function refuse_change()"
    )
    op.execute(
        "create trigger never_truncated before truncate on audit_seal for each statement"
        " execute function refuse_change()"
    )
    op.create_table(
        "history_archive",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("document_id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("instances", sa.Integer(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("month", name="pk_history_archive"),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name="fk_history_archive_document_id_document"),
    )
