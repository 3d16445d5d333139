"""All tables, the job queue's schema, monthly partitions of the history, and what may only ever be inserted."""

from __future__ import annotations

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

from webapp.migrations import partitions

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSERT_ONLY = """
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is insert-only', tg_table_name using errcode = 'restrict_violation';
end $$;
"""

#: A history that may be rewritten is no history. TRUNCATE is refused too; dropping an old partition stays possible.
TRIGGERS = """
create trigger insert_only before update or delete on {table} for each row execute function refuse_change();
create trigger never_truncated before truncate on {table} for each statement execute function refuse_change();
"""


def upgrade() -> None:
    cursor = op.get_bind().connection.cursor()
    cursor.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
    cursor.execute(SchemaManager.get_schema())
    cursor.execute(partitions.DEFAULT)
    cursor.execute(INSERT_ONLY)
    for table in ("audit", "activity_history", "register_change"):
        cursor.execute(TRIGGERS.format(table=table))
