"""After an expulsion: the handover of each project, the review asked for 复核, the roles that accounts had before."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = """
create table expulsion_handover (
  id uuid not null,
  expulsion_id uuid not null,
  project_id uuid not null,
  seq integer not null,
  instance_id uuid,
  status text not null,
  taker_id uuid,
  handed_over_on date,
  note text not null,
  files jsonb not null,
  return_words text not null,
  confirmed_at timestamptz,
  confirmed_by uuid,
  constraint pk_expulsion_handover primary key (id),
  constraint uq_expulsion_handover_expulsion_id_project_id unique (expulsion_id, project_id),
  constraint fk_expulsion_handover_expulsion_id_expulsion foreign key (expulsion_id) references expulsion (id),
  constraint fk_expulsion_handover_project_id_retrofit_project foreign key (project_id) references retrofit_project (id),
  constraint fk_expulsion_handover_taker_id_lead_unit foreign key (taker_id) references lead_unit (id)
);
create index ix_expulsion_handover_project_id on expulsion_handover (project_id);

create table expulsion_reconsideration (
  id uuid not null,
  number text not null,
  expulsion_id uuid not null,
  instance_id uuid,
  status text not null,
  source text not null,
  opened_at timestamptz not null,
  opened_by uuid,
  reasons text not null,
  files jsonb not null,
  findings text not null,
  proposal text not null,
  legality jsonb not null,
  sessions jsonb not null,
  basis text not null,
  ruling jsonb not null,
  decision_title text not null,
  decision_words text not null,
  notice_id uuid,
  decision_number text,
  decided_on date,
  closed_at timestamptz,
  constraint pk_expulsion_reconsideration primary key (id),
  constraint uq_expulsion_reconsideration_number unique (number),
  constraint uq_expulsion_reconsideration_decision_number unique (decision_number),
  constraint fk_expulsion_reconsideration_expulsion_id_expulsion foreign key (expulsion_id) references expulsion (id)
);
create index ix_expulsion_reconsideration_expulsion_id on expulsion_reconsideration (expulsion_id);
create unique index uq_expulsion_reconsideration_open on expulsion_reconsideration (expulsion_id)
  where closed_at is null;

alter table expulsion add column restricted jsonb not null default '[]';
alter table expulsion alter column restricted drop default;
"""


def upgrade() -> None:
    op.get_bind().connection.cursor().execute(TABLES)
