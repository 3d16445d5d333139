"""Indexes along which an inbox is read: what waits for a role and nobody has taken, whatever waits for others."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_OFFERED = "status = 'open' and assignee_id is null and cardinality(candidate_groups)"
INDEXES = {
    "ix_user_task_offered": f"((candidate_groups[1]), due_at, id) include (definition_key) where {_OFFERED} = 1",
    "ix_user_task_offered_process": f"((candidate_groups[1]), definition_key, due_at, id) where {_OFFERED} = 1",
    "ix_user_task_offered_several": f"(due_at, id) include (candidate_groups, definition_key) where {_OFFERED} > 1",
}
#: How many roles a task names, and which is the first: the planner knows nothing about an expression by itself.
STATISTICS = "(cardinality(candidate_groups)), (candidate_groups[1]), definition_key"


def upgrade() -> None:
    op.execute(f"create statistics user_task_roles on {STATISTICS} from user_task")
    for name, definition in INDEXES.items():
        op.execute(f"create index {name} on user_task {definition}")


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"drop index {name}")
    op.execute("drop statistics user_task_roles")
