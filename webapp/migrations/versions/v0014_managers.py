"""Searchable variables beside each case; saved views of the list of cases, which may be shared; targets."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

#: The latest value of each searchable variable, from the history (tagged values: the text inside).
_BUSINESS = """
update process_instance i set business = found.business from (
  select id, jsonb_object_agg(name, value) as business from (
    select distinct on (p.id, n.name) p.id, n.name,
      case when jsonb_typeof(h.variables->n.name) = 'object' then h.variables->n.name->'v' else h.variables->n.name end
        as value
    from process_instance p
    join process_definition d on d.id = p.definition_id
    cross join lateral jsonb_array_elements_text(coalesce(d.info->'searchable', '[]')) n(name)
    join activity_history h on h.instance_id = p.id and h.variables ? n.name
    order by p.id, n.name, h.ended_at desc, h.id desc
  ) latest where value is not null and jsonb_typeof(value) in ('string', 'number', 'boolean') group by id
) found where found.id = i.id
"""


def upgrade() -> None:
    op.execute("alter table process_instance add column business jsonb not null default '{}'")
    op.execute(_BUSINESS)
    op.execute("alter table saved_view add column page text not null default 'tasks'")
    op.execute("alter table saved_view add column shared boolean not null default false")
    op.execute(
        "create table process_target (definition_key text constraint pk_process_target primary key,"
        " days integer not null, set_by uuid, set_at timestamptz not null)"
    )


def downgrade() -> None:
    op.execute("drop table process_target")
    op.execute("alter table saved_view drop column shared")
    op.execute("alter table saved_view drop column page")
    op.execute("alter table process_instance drop column business")
