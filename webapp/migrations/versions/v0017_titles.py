"""An index of titles, as lists of cases are sorted by them: by the beginning that an index can hold."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute('create index ix_process_instance_title on process_instance ("left"(title, 100), id)')


def downgrade() -> None:
    op.execute("drop index ix_process_instance_title")
