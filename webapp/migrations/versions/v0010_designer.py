"""The designers' folders, drafts and kept texts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_UUID = postgresql.UUID(as_uuid=True)
_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "design_folder",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("created_at", _AT, server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", _UUID),
        sa.Column("retired_at", _AT),
        sa.Column("retired_by", _UUID),
        sa.PrimaryKeyConstraint("key", name="pk_design_folder"),
    )
    op.create_table(
        "design_draft",
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("base", _UUID),
        sa.Column("updated_at", _AT, nullable=False),
        sa.Column("updated_by", _UUID, nullable=False),
        sa.PrimaryKeyConstraint("folder", "path", name="pk_design_draft"),
        sa.ForeignKeyConstraint(["base"], ["deployment.id"], name="fk_design_draft_base_deployment"),
    )
    op.create_table(
        "design_kept",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("account_id", _UUID, nullable=False),
        sa.Column("at", _AT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_design_kept"),
    )
    op.create_index("ix_design_kept_file", "design_kept", ["folder", "path", "at"])


def downgrade() -> None:
    for table in ("design_kept", "design_draft", "design_folder"):
        op.drop_table(table)
