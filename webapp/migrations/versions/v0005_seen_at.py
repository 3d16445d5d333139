"""When a task was first opened by somebody who may do it: what was seen cannot be recalled (收回)."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE user_task ADD COLUMN seen_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE user_task DROP COLUMN seen_at")
