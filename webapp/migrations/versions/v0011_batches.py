"""Operations of managers on many instances: the batch, and the frozen list of its instances."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table batch (
      id uuid not null constraint pk_batch primary key,
      number integer generated always as identity constraint uq_batch_number unique,
      status text not null, kind text not null, params jsonb not null, described text not null, reason text not null,
      note text not null, total integer not null,
      actor_id uuid not null constraint fk_batch_actor_id_account references account (id),
      created_at timestamptz not null, started_at timestamptz, ended_at timestamptz,
      constraint ck_batch_status
        check (status in ('draft','previewing','ready','running','paused','done','cancelled'))
    )
    """,
    "create index ix_batch_busy on batch (number) where status in ('previewing','running')",
    """
    create table batch_item (
      batch_id uuid not null constraint fk_batch_item_batch_id_batch references batch (id) on delete cascade,
      position integer not null, instance_id uuid not null, status text not null, effects jsonb, warnings jsonb,
      message text not null, done_at timestamptz,
      constraint pk_batch_item primary key (batch_id, position),
      constraint ck_batch_item_status check (status in ('waiting','done','refused','failed','cancelled'))
    )
    """,
    "create unique index uq_batch_item_instance on batch_item (batch_id, instance_id)",
    "create index ix_batch_item_waiting on batch_item (batch_id, position) where status = 'waiting'",
    "create index ix_batch_item_of_instance on batch_item (instance_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table batch_item")
    op.execute("drop table batch")
