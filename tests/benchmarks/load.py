"""Rows by the million, made inside the database: cases and open tasks as years of an office's work leave them.

Indexes are taken away before and made again afterwards, which is what makes a bulk load fast; foreign keys are not
asked for each row. Shares: four processes, cases of 400 organisations, nine tenths of the tasks with a due date.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import psycopg
from sqlalchemy.orm import Session

from tests.support import make_account
from webapp.config import ROOT

Connection = psycopg.Connection[tuple[object, ...]]

PASSWORD = "qianyin-benchmark"
PROCESSES = ("partner_filing", "quarterly_evaluation", "objection", "expulsion_review")
#: Roles and how many open tasks wait for them beside those of `office`, which has all the others.
FEW, SOME, UNITS = "bureau_meeting", "working_group", "lead_unit"


def deploy(session: Session) -> None:
    """The product's own processes. The engine must have been built."""
    from webapp.engine import deployment
    from webapp.engine.handler_api import hooks

    for directory in sorted(path for path in (Path(ROOT) / "processes").iterdir() if path.is_dir()):
        deployment.deploy_directory(session, directory, hooks=hooks, comment="")


def people(session: Session) -> dict[str, UUID]:
    """An account for each role that the pages are looked at with; {role: account id}."""
    made = {role: make_account(session, role, password=PASSWORD, username=role) for role in ("office", FEW, SOME)}
    made["manager"] = make_account(session, "manager", password=PASSWORD, username="manager")
    return {role: account.id for role, account in made.items()}


@contextmanager
def without_indexes(connection: Connection, *tables: str) -> Iterator[None]:
    """Take the indexes of these tables away (not primary keys) and make them again, then gather statistics."""
    found = connection.execute(
        "select indexdef, schemaname || '.' || indexname from pg_indexes where tablename = any(%s)"
        " and indexname not like 'pk_%%'",
        (list(tables),),
    ).fetchall()
    for _definition, name in found:
        connection.execute(f"drop index {name}")
    connection.execute("set session_replication_role = replica")
    yield
    connection.execute("set session_replication_role = origin")
    connection.execute("set maintenance_work_mem = '512MB'")
    for definition, _name in found:
        connection.execute(str(definition))
    for table in tables:
        connection.execute(f"vacuum analyze {table}")


_ORGANISATIONS = """
insert into organisation (id, name, kind)
select md5('organisation' || n)::uuid, '数字化牵引单位' || n, 'firm' from generate_series(1, 400) n
on conflict do nothing
"""

_CASES = """
insert into process_instance (id, definition_id, definition_key, business_key, title, status, state, tokens, org_id,
  started_by, started_at, ended_at, root_instance_id, search)
select i.id, d.id, d.key, i.number, i.title, i.status, %(state)s, case when i.status = 'active' then
    jsonb_build_array(jsonb_build_object('element_id', d.task, 'state', 'open', 'node', i.id, 'since', i.started_at))
    else '[]' end,
  i.org, null, i.started_at, case when i.status <> 'active' then i.started_at + interval '9 days' end, i.id,
  array_to_tsvector(array['ba', '备案', '新增', '企业', '增企', '案企', extract(year from i.started_at)::text,
    lpad((n %% 1000000)::text, 6, '0'), (array['广州','佛山','东莞','中山','珠海','江门'])[1 + n %% 6]])
from (
  select n, uuidv7(interval '-1 day' * (n %% %(days)s)) id,
    'BA-' || (2020 + n %% 7) || '-' || lpad((n %% 1000000)::text, 6, '0') number,
    '新增备案企业 ' || n || ' ' || (array['广州','佛山','东莞','中山','珠海','江门'])[1 + n %% 6] title,
    now() - interval '1 day' * (n %% %(days)s) - interval '1 second' * (n %% 86400) started_at,
    case when %(running)s then 'active' when n %% 50 = 0 then 'terminated' else 'completed' end status,
    md5('organisation' || (1 + n %% 400))::uuid org
  from generate_series(%(first)s::int, %(last)s::int) n
) i
join (
  select row_number() over (order by key) k, id, key, (select e.key from jsonb_each(elements) e
    where e.value->>'type' = 'userTask' order by e.key limit 1) task
  from process_definition where key = any(%(processes)s)
) d on d.k = (array[1, 1, 1, 1, 2, 2, 3, 4])[1 + i.n %% 8]
"""


def cases(connection: Connection, first: int, last: int, *, running: bool, days: int) -> None:
    """Cases number `first` to `last`, begun on the `days` days before today."""
    connection.execute(_ORGANISATIONS)
    values = {"first": first, "last": last, "running": running, "days": days, "state": b"\x01" * 600}
    connection.execute(_CASES, {**values, "processes": list(PROCESSES)})


_TASKS = """
insert into user_task (id, instance_id, root_instance_id, definition_id, definition_key, node, element_id, name, title,
  business_key, status, candidate_groups, org_id, case_org_id, assignee_id, claimed_at, clauses, created_at, due_at,
  search)
select uuidv7(interval '-1 minute' * (n %% 100000)), p.id, p.id, p.definition_id, p.definition_key, gen_random_uuid(),
  p.tokens->0->>'element_id', '审核企业材料', p.title, p.business_key, 'open',
  array[case when n <= 10 then %(few)s when n <= 1010 then %(some)s when n %% 100 = 7 then %(units)s else 'office' end],
  case when n > 1010 and n %% 100 = 7 then p.org_id end, p.org_id,
  case when n > 1010 and n %% 10 = 0 then md5('colleague' || n %% 60)::uuid
       when n > 1010 and n %% 4001 = 1 then %(me)s::uuid end,
  now(), array['4.6.2'], p.started_at,
  case when n %% 10 <> 3 then now() + interval '1 minute' * ((n::bigint * 7919) %% 260000 - 20000) end, p.search
from (select row_number() over () n, * from (select * from process_instance where status = 'active'
  order by md5(business_key), id) q) p
"""


def tasks(connection: Connection, me: UUID) -> None:
    """One open task for each running case, scattered over due dates; `me` has taken a few of the office's."""
    connection.execute(_TASKS, {"few": FEW, "some": SOME, "units": UNITS, "me": str(me)})


_DONE = """
insert into user_task (id, instance_id, root_instance_id, definition_id, definition_key, node, element_id, name, title,
  business_key, status, candidate_groups, case_org_id, created_at, ended_at, search)
select gen_random_uuid(), id, id, definition_id, definition_key, id, 'review', '审核企业材料', title, business_key,
  'completed', array['office'], org_id, started_at, ended_at, search
from process_instance where status <> 'active'
"""
_HISTORY = """
insert into activity_history (id, ended_at, instance_id, node, element_id, element_name, element_type, started_at)
select gen_random_uuid(), ended_at, id, id, 'review', '审核企业材料', 'userTask', started_at
from process_instance where status <> 'active'
"""


def past(connection: Connection) -> None:
    """What the finished cases have left behind: a completed task and a row of the history each."""
    connection.execute(_DONE)
    connection.execute(_HISTORY)
