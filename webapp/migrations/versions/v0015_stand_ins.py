"""Stand-ins by date, and for whom a task is done."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table stand_in (
      id uuid not null constraint pk_stand_in primary key,
      account_id uuid not null constraint fk_stand_in_account_id_account references account (id) on delete cascade,
      stand_in_id uuid not null constraint fk_stand_in_stand_in_id_account references account (id) on delete cascade,
      first_day date not null, last_day date not null, reason text not null, created_at timestamptz not null,
      created_by uuid not null, ended_at timestamptz,
      constraint ck_stand_in_days check (last_day >= first_day),
      constraint ck_stand_in_another check (account_id <> stand_in_id)
    )
    """,
    "create index ix_stand_in_account_id on stand_in (account_id)",
    "create index ix_stand_in_stand_in_id on stand_in (stand_in_id)",
    "create index ix_stand_in_days on stand_in (last_day)",
    "alter table user_task add column on_behalf_of uuid",
    "create index ix_user_task_open_behalf on user_task (on_behalf_of)"
    " where status = 'open' and on_behalf_of is not null",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("alter table user_task drop column on_behalf_of")
    op.execute("drop table stand_in")
