"""Timers of suspended cases stand outside of the index in which workers look for what is due."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table timer add column held boolean not null default false")
    op.execute(
        "update timer t set held = true from process_instance p where p.id = t.instance_id and p.suspended is true"
    )
    op.execute("drop index ix_timer_due")
    op.execute("create index ix_timer_due on timer (due_at, id) where not held")


def downgrade() -> None:
    op.execute("drop index ix_timer_due")
    op.execute("create index ix_timer_due on timer (due_at, id)")
    op.execute("alter table timer drop column held")
