"""What a step reads and writes, in as few statements as there can be: one locks and loads, one writes everything.

The rows of all tables travel as JSON, one parameter per table, and are spread by `json_to_recordset` inside one
statement with data-modifying CTEs: its text depends only on which tables are touched, so prepared statements serve it.
The column types come from `tables`, there is no second list of them.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from webapp.db import direct
from webapp.engine import tables

Row = dict[str, Any]

_INSTANCE = (
    "p.id, p.version, CASE WHEN p.version = %(cached)s THEN NULL ELSE p.state END AS state, p.definition_id, p.status,"
    " p.suspended, p.business_key, p.title, p.org_id, p.root_instance_id, p.stage, p.super_instance_id, p.super_node"
)
LOCK = f"SELECT {_INSTANCE} FROM process_instance p WHERE p.id = %(id)s FOR NO KEY UPDATE"
LOCK_WITH_TASK = (
    f"SELECT {_INSTANCE}, t.node, t.element_id FROM process_instance p"
    " LEFT JOIN user_task t ON t.id = %(task)s AND t.instance_id = p.id WHERE p.id = %(id)s FOR NO KEY UPDATE OF p"
)
#: For how long a queued job is left to the queue, in seconds (the database's own clock, not the movable one). Longer
#: than any queue and any handler: a job that the queue has lost is found by looking (`jobs.release_lost`).
LEASE = 6 * 3600


@dataclass(frozen=True, slots=True)
class Instance:
    """The row of a locked instance; `state` is None when the cached execution is still the newest."""

    id: UUID
    version: int
    state: bytes | None
    definition_id: UUID
    status: str
    suspended: bool
    business_key: str | None
    title: str
    org_id: UUID | None
    root_instance_id: UUID
    stage: str | None
    super_instance_id: UUID | None
    super_node: UUID | None


@dataclass(frozen=True, slots=True)
class Defer:
    """A job for the workers: its Procrastinate task, arguments, and the lock that keeps jobs in order."""

    task: str
    args: Mapping[str, Any]
    lock: str | None = None
    queue: str = "engine"


@dataclass(slots=True)
class Changes:
    """Everything that one step changes, ready to be written."""

    instance_id: UUID
    row: Row  # the columns of process_instance that change (all of them for a new instance)
    state: bytes
    new: bool = False
    search: list[str] | None = None  # lexemes, when they changed
    tasks: list[Row] = field(default_factory=list)
    closed: list[Row] = field(default_factory=list)  # user tasks that end: by node
    history: list[Row] = field(default_factory=list)
    timers: list[Row] = field(default_factory=list)
    subscriptions: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    jobs: list[Row] = field(default_factory=list)
    incidents: list[Row] = field(default_factory=list)
    audit: list[Row] = field(default_factory=list)
    dropped: list[UUID] = field(default_factory=list)  # nodes whose timer, subscription or job goes
    settled: list[UUID] = field(default_factory=list)  # nodes whose open incidents are resolved
    settle_all: bool = False  # the instance has ended: nothing of it is open any more
    settled_by: UUID | None = None
    defers: list[Defer] = field(default_factory=list)


def lock(session: Session, instance_id: UUID, cached: int, task_id: UUID | None = None) -> tuple[Instance, Any] | None:
    """Lock the instance; its row and, for a user task, (node, element id); None when there is no such instance.

    The task's columns may be older than the instance's (they are read before a wait for the lock): they never change.
    """
    sql, values = (LOCK, {}) if task_id is None else (LOCK_WITH_TASK, {"task": task_id})
    rows = direct(session, sql, {"id": instance_id, "cached": cached, **values})
    if not rows:
        return None
    [row] = rows
    state = None if row[2] is None else bytes(row[2])
    return Instance(row[0], row[1], state, *row[3:13]), tuple(row[13:])


# ---- writing


_SPECIAL = {"search": "text[]", "queued": "boolean"}


def _source(table: Table, names: tuple[str, ...], parameter: str) -> str:
    types = {n: _SPECIAL.get(n) or table.c[n].type.compile(dialect=postgresql.dialect()) for n in names}  # type: ignore[no-untyped-call]
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    return f"json_to_recordset(%({parameter})s::json) AS x({columns})"


def _value(name: str) -> str:
    return "array_to_tsvector(x.search)" if name == "search" else f"x.{name}"


def _insert(table: Table, parameter: str, names: str, tail: str = "") -> str:
    columns = tuple(names.split())
    values = ", ".join(map(_value, columns))
    source = _source(table, columns, parameter)
    return f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT {values} FROM {source}{tail}"


_JOB = tuple(column.name for column in tables.job.columns if column.name not in ("worker_id", "locked_until"))
_PUT_JOB = (
    f"INSERT INTO job ({', '.join(_JOB)}, locked_until) SELECT {', '.join(map(_value, _JOB))},"
    f" CASE WHEN x.queued THEN now() + interval '{LEASE} seconds' END"
    f" FROM {_source(tables.job, (*_JOB, 'queued'), 'jobs')}"
    " ON CONFLICT (id) DO UPDATE SET retries_left = excluded.retries_left, due_at = excluded.due_at,"
    " attempts = excluded.attempts, error = excluded.error, variables = excluded.variables,"
    " worker_id = NULL, locked_until = excluded.locked_until"
)

#: Part of the one writing statement: field of Changes -> SQL.
_PARTS: dict[str, str] = {
    "tasks": _insert(
        tables.user_task,
        "tasks",
        "id instance_id root_instance_id definition_id definition_key node element_id name title business_key status"
        " candidate_groups candidate_users org_id case_org_id assignee_id claimed_at priority clauses form_ref"
        " created_at due_at due_provisional ended_at search",
    ),
    "closed": "UPDATE user_task t SET status = x.status, ended_at = x.ended_at, completed_by = x.completed_by,"
    " outcome = x.outcome, form_data = x.form_data FROM "
    + _source(tables.user_task, ("node", "status", "ended_at", "completed_by", "outcome", "form_data"), "closed")
    # Not `status = 'open'`: before the first ANALYZE that lured the planner into reading a whole index of open tasks.
    + " WHERE t.instance_id = %(id)s AND t.node = x.node AND t.ended_at IS NULL",
    "history": _insert(
        tables.activity_history,
        "history",
        "id ended_at instance_id node element_id element_name element_type started_at cancelled actor_id task_id"
        " variables",
    ),
    "timers": _insert(tables.timer, "timers", "id instance_id definition_id node element_id cycle due_at held"),
    "subscriptions": _insert(
        tables.event_subscription,
        "subscriptions",
        "id instance_id definition_id node element_id kind name correlation_key created_at",
    ),
    "messages": _insert(
        tables.message,
        "messages",
        "kind name correlation_key payload sender_instance_id created_at expires_at subscription_id",
        tail=" RETURNING id",
    ),
    "jobs": _PUT_JOB,
    "incidents": _insert(tables.incident, "incidents", "id instance_id element_id node job_id kind message created_at"),
    "audit": _insert(tables.audit, "audit", "at actor_id action instance_id task_id subject reason detail address"),
}
_DROPPED = tuple(
    f"DELETE FROM {table} WHERE instance_id = %(id)s AND node = ANY(%(dropped)s)"
    for table in ("timer", "event_subscription", "job")
)
_SETTLE_ALL = (
    "UPDATE incident SET resolved_at = %(settled_at)s, resolved_by = %(settled_by)s"
    " WHERE instance_id = %(id)s AND resolved_at IS NULL"
)
#: Parts that are no CTE of their own name: what goes away or is settled.
_ENDINGS: dict[str, tuple[str, ...]] = {
    "dropped": _DROPPED,
    "settled": (_SETTLE_ALL + " AND node = ANY(%(settled)s)",),
    "settle_all": (_SETTLE_ALL,),
}


@functools.lru_cache(maxsize=512)
def _statement(new: bool, columns: tuple[str, ...], search: bool, parts: tuple[str, ...]) -> str:
    """The text of the writing statement for this shape of Changes."""
    names = (*columns, "state", *(("search",) if search else ()))
    values = {name: f"%({name})s" for name in names}
    values["search"] = "array_to_tsvector(%(search)s::text[])"
    if new:
        targets = ", ".join(("id", *names))
        first = f"INSERT INTO process_instance ({targets}) VALUES (%(id)s, {', '.join(values[n] for n in names)})"
    else:
        sets = ", ".join(f"{name} = {values[name]}" for name in names)
        first = f"UPDATE process_instance SET version = version + 1, {sets} WHERE id = %(id)s"
    clauses = [first]
    for part in parts:
        clauses += _ENDINGS.get(part, ())
    ctes = [f"w{number} AS ({clause})" for number, clause in enumerate(clauses)]
    ctes += [f"{part} AS ({_PARTS[part]})" for part in parts if part in _PARTS]
    chosen = "(SELECT array_agg(id ORDER BY id) FROM messages)" if "messages" in parts else "NULL"
    return f"WITH {', '.join(ctes)} SELECT {chosen}"


def dumps(rows: Any) -> str:
    """Rows as the JSON text of a parameter."""
    return orjson.dumps(rows, default=str).decode()


def write(session: Session, changes: Changes, at: datetime) -> list[int]:
    """Write everything; the ids of the messages that were thrown, in order."""
    if changes.settle_all:
        changes.settled = []
    parts = tuple(part for part in (*_PARTS, *_ENDINGS) if getattr(changes, part))
    values: Row = {**changes.row, "id": changes.instance_id, "state": changes.state}
    for name in ("tokens", "business"):
        if name in values:
            values[name] = dumps(values[name])
    if changes.search is not None:
        values["search"] = changes.search
    for part in parts:
        found = getattr(changes, part)
        values[part] = found if part in _ENDINGS else dumps(found)
    if changes.settled or changes.settle_all:
        values.update(settled_at=at, settled_by=changes.settled_by)
    sql = _statement(changes.new, tuple(changes.row), changes.search is not None, parts)
    [(thrown,)] = direct(session, sql, values)
    return thrown or []


_DEFER = (
    "SELECT procrastinate_defer_jobs_v1(ARRAY(SELECT ROW(x.queue, x.task, 0, x.lock, NULL, x.args, NULL)"
    "::procrastinate_job_to_defer_v1 FROM json_to_recordset(%(jobs)s::json)"
    " AS x(n int, queue text, task text, lock text, args jsonb) ORDER BY x.n))"
)


def defer(session: Session, jobs: list[Defer]) -> None:
    """Enqueue jobs on the session's own connection: they exist when, and only when, the transaction commits."""
    if not jobs:
        return
    rows = [{"n": n, "queue": j.queue, "task": j.task, "lock": j.lock, "args": j.args} for n, j in enumerate(jobs)]
    direct(session, _DEFER, {"jobs": dumps(rows)})
