"""Criticism and rectification (4.2, 4.3): cases, their grounds, the periods of rectification."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLES = """
create table criticism (
  id uuid not null,
  number text not null,
  lead_unit_id uuid not null,
  instance_id uuid,
  status text not null,
  source text not null,
  opened_at timestamptz not null,
  opened_by uuid,
  told_at timestamptz,
  statement_due_at timestamptz,
  statements jsonb not null,
  decision jsonb not null,
  title text not null,
  words text not null,
  notice_id uuid,
  notice_number text,
  decided_on date,
  cancel_notice_id uuid,
  cancel_number text,
  restricted jsonb not null,
  ended_cases jsonb not null,
  closed_at timestamptz,
  closed_reason text not null,
  constraint pk_criticism primary key (id),
  constraint uq_criticism_number unique (number),
  constraint uq_criticism_notice_number unique (notice_number),
  constraint uq_criticism_cancel_number unique (cancel_number),
  constraint fk_criticism_lead_unit_id_lead_unit foreign key (lead_unit_id) references lead_unit (id)
);
create index ix_criticism_lead_unit_id on criticism (lead_unit_id);
create unique index uq_criticism_undecided on criticism (lead_unit_id)
  where status in ('gathering', 'hearing', 'deciding');

create table criticism_ground (
  id uuid not null,
  criticism_id uuid not null,
  clause text not null,
  facts text not null,
  evidence jsonb not null,
  source text not null,
  entered_at timestamptz not null,
  entered_by uuid,
  told_at timestamptz,
  established boolean,
  finding text not null,
  fell_at timestamptz,
  constraint pk_criticism_ground primary key (id),
  constraint uq_criticism_ground_criticism_id_clause unique (criticism_id, clause),
  constraint fk_criticism_ground_criticism_id_criticism foreign key (criticism_id) references criticism (id)
);

create table rectification (
  id uuid not null,
  criticism_id uuid not null,
  seq integer not null,
  number text not null,
  requirements text not null,
  days integer not null,
  served_at timestamptz not null,
  due_at timestamptz not null,
  received_at timestamptz,
  received_by uuid,
  status text not null,
  reported_at timestamptz,
  reported_by uuid,
  report_words text not null,
  report_files jsonb not null,
  check_words text not null,
  checked_at timestamptz,
  checked_by uuid,
  assessment jsonb not null,
  resolved jsonb not null,
  constraint pk_rectification primary key (id),
  constraint uq_rectification_number unique (number),
  constraint uq_rectification_criticism_id_seq unique (criticism_id, seq),
  constraint fk_rectification_criticism_id_criticism foreign key (criticism_id) references criticism (id)
);
"""


def upgrade() -> None:
    op.get_bind().connection.cursor().execute(TABLES)


def downgrade() -> None:
    op.execute("drop table rectification, criticism_ground, criticism")
