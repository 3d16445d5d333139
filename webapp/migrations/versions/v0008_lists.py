"""Indexes of the lists of cases by when they began and of the counts by when they ended."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_process_instance_started": "(started_at desc, id desc)",
    "ix_process_instance_status": "(status, started_at desc, id desc)",
    "ix_process_instance_ended": "(ended_at) include (definition_key, status, started_at) where ended_at is not null",
}


def upgrade() -> None:
    for name, definition in INDEXES.items():
        op.execute(f"create index {name} on process_instance {definition}")


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"drop index {name}")
