"""Rounds that are voided whole, the report's number and DOCX, arrangements that are checked, and what was served."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table evaluation_round add column voided_at timestamptz, add column voided_by uuid,"
    " add column void_reason text not null default '', add column report_number text, add column docx_id uuid",
    "alter table evaluation_round alter column void_reason drop default",
    "alter table evaluation_round add constraint uq_evaluation_round_report_number unique (report_number)",
    "alter table evaluation_round drop constraint uq_evaluation_round_year_quarter",
    "create unique index uq_evaluation_round_standing on evaluation_round (year, quarter) where voided_at is null",
    "alter table evaluation_result add column carried_out text not null default '',"
    " add column arrangement_check text not null default '', add column arrangement_check_words text not null default ''",
    "alter table evaluation_result alter column carried_out drop default, alter column arrangement_check drop default,"
    " alter column arrangement_check_words drop default",
    "alter table evaluation_consequence add column fell_at timestamptz,"
    " add column fell_reason text not null default ''",
    "alter table evaluation_consequence alter column fell_reason drop default",
    "create table evaluation_service (id uuid not null, round_id uuid not null, lead_unit_id uuid not null,"
    " kind text not null, served_at timestamptz not null, received_at timestamptz, received_by uuid,"
    " constraint pk_evaluation_service primary key (id),"
    " constraint fk_evaluation_service_round_id_evaluation_round foreign key (round_id) references evaluation_round (id),"
    " constraint fk_evaluation_service_lead_unit_id_lead_unit foreign key (lead_unit_id) references lead_unit (id),"
    " constraint uq_evaluation_service_round_id_lead_unit_id_kind unique (round_id, lead_unit_id, kind))",
    "create index ix_evaluation_service_lead_unit_id on evaluation_service (lead_unit_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
