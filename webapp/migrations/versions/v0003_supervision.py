"""Supervision of a quarter (3.2): questionnaires with one-time links, interviews, site visits, spot checks."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: Rounds that are there already ordered none; a result that names none follows its round.
STATEMENTS = """
alter table evaluation_round add column checks jsonb not null default '[]';
alter table evaluation_round alter column checks drop default;
alter table evaluation_result add column checks jsonb;
alter table evaluation_result add column unchecked jsonb not null default '{}';
alter table evaluation_result alter column unchecked drop default;

create table questionnaire (
  id uuid not null,
  result_id uuid not null,
  form jsonb not null,
  opened_at timestamp with time zone not null,
  ends_at timestamp with time zone not null,
  closed_at timestamp with time zone,
  constraint pk_questionnaire primary key (id),
  constraint uq_questionnaire_result_id unique (result_id),
  constraint fk_questionnaire_result_id_evaluation_result
    foreign key (result_id) references evaluation_result (id)
);

create table questionnaire_invitation (
  id uuid not null,
  questionnaire_id uuid not null,
  pilot_enterprise_id uuid not null,
  answered_at timestamp with time zone,
  answers jsonb,
  score numeric,
  constraint pk_questionnaire_invitation primary key (id),
  constraint uq_questionnaire_invitation_questionnaire_id_pilot_ente_e2f6
    unique (questionnaire_id, pilot_enterprise_id),
  constraint fk_questionnaire_invitation_questionnaire_id_questionnaire
    foreign key (questionnaire_id) references questionnaire (id),
  constraint fk_questionnaire_invitation_pilot_enterprise_id_pilot_e_db92
    foreign key (pilot_enterprise_id) references pilot_enterprise (id)
);
create index ix_questionnaire_invitation_pilot_enterprise_id on questionnaire_invitation (pilot_enterprise_id);

create table questionnaire_link (
  id uuid not null,
  invitation_id uuid not null,
  token_hash text not null,
  made_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  constraint pk_questionnaire_link primary key (id),
  constraint uq_questionnaire_link_token_hash unique (token_hash),
  constraint fk_questionnaire_link_invitation_id_questionnaire_invitation
    foreign key (invitation_id) references questionnaire_invitation (id)
);
create index ix_questionnaire_link_invitation_id on questionnaire_link (invitation_id);

create table supervision_record (
  id uuid not null,
  result_id uuid not null,
  kind text not null,
  held_on date not null,
  pilot_enterprise_id uuid,
  person text not null,
  mark integer,
  words text not null,
  documents jsonb not null,
  entered_at timestamp with time zone not null,
  entered_by text not null,
  constraint pk_supervision_record primary key (id),
  constraint fk_supervision_record_result_id_evaluation_result
    foreign key (result_id) references evaluation_result (id),
  constraint fk_supervision_record_pilot_enterprise_id_pilot_enterprise
    foreign key (pilot_enterprise_id) references pilot_enterprise (id)
);
create index ix_supervision_record_result_id on supervision_record (result_id);

create table spot_check (
  id uuid not null,
  result_id uuid not null,
  seed text not null,
  population jsonb not null,
  drawn jsonb not null,
  drawn_at timestamp with time zone not null,
  findings jsonb not null,
  entered_at timestamp with time zone,
  entered_by text not null,
  constraint pk_spot_check primary key (id),
  constraint uq_spot_check_result_id unique (result_id),
  constraint fk_spot_check_result_id_evaluation_result foreign key (result_id) references evaluation_result (id)
);
"""


def upgrade() -> None:
    op.execute(STATEMENTS)
