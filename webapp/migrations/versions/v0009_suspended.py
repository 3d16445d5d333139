"""The few cases that are suspended have an index of their own."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "create index ix_process_instance_suspended on process_instance (started_at desc, id desc)"
        " where suspended is true"
    )


def downgrade() -> None:
    op.execute("drop index ix_process_instance_suspended")
