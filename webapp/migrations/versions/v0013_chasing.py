"""Reminders of tasks, what each person is told of them, and how each wants to be told."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table task_reminder (
      id uuid not null constraint pk_task_reminder primary key, task_id uuid not null, instance_id uuid not null,
      kind text not null, by_id uuid constraint fk_task_reminder_by_id_account references account (id),
      words text not null, due_at timestamptz, at timestamptz not null,
      constraint ck_task_reminder_kind check (kind in ('before','over','escalated','chase'))
    )
    """,
    "create index ix_task_reminder_task on task_reminder (task_id, kind, at)",
    """
    create table personal_notice (
      id uuid not null constraint pk_personal_notice primary key,
      account_id uuid not null
        constraint fk_personal_notice_account_id_account references account (id) on delete cascade,
      reminder_id uuid not null
        constraint fk_personal_notice_reminder_id_task_reminder references task_reminder (id) on delete cascade,
      created_at timestamptz not null, read_at timestamptz, mailed_at timestamptz
    )
    """,
    "create index ix_personal_notice_account on personal_notice (account_id, created_at desc)",
    "create index ix_personal_notice_unread on personal_notice (account_id) where read_at is null",
    "create index ix_personal_notice_unmailed on personal_notice (account_id)"
    " where mailed_at is null and read_at is null",
    """
    create table notice_choice (
      account_id uuid not null constraint pk_notice_choice primary key
        constraint fk_notice_choice_account_id_account references account (id) on delete cascade,
      email text not null, mail text not null, muted text[] not null, mailed_on date,
      constraint ck_notice_choice_mail check (mail in ('off','daily','at_once'))
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("notice_choice", "personal_notice", "task_reminder"):
        op.execute(f"drop table {table}")
