"""The figures of the dashboard, in a handful of statements over rows and indexes. Everything is counted in SQL.

Each figure counts what a `Filter` holds; a test counts the lists behind all of them again. Lengths of time are calendar
days. Who calls sees every instance (the page is for roles of scope `all`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, and_, cast, func, select, text
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts.models import Account
from webapp.engine.tables import incident, process_instance, user_task
from webapp.monitor.days import begin, monday, within
from webapp.monitor.models import ProcessTarget

_i, _t = process_instance.c, user_task.c
_DAY = 86400.0
_ZONE = "Asia/Shanghai"


@dataclass(slots=True)
class Standing:
    """The running cases of a process now."""

    running: int = 0
    suspended: int = 0
    overdue: int = 0
    today: int = 0
    incidents: int = 0


@dataclass(frozen=True, slots=True)
class Duration:
    """How long the cases took that were completed in a span: count, and days. `slow`: over the target, None without."""

    done: int = 0
    mean: float | None = None
    median: float | None = None
    ninth: float | None = None  # the 90th percentile
    target: int | None = None
    slow: int | None = None


@dataclass(frozen=True, slots=True)
class Week:
    """A week from its Monday: cases begun, completed, and running at its end (of the present week: now)."""

    begins: date
    started: int
    done: int
    running: int


@dataclass(frozen=True, slots=True)
class Load:
    """Cases with open work for a role or in a person's hands. Each is counted once."""

    key: str
    name: str
    cases: int
    overdue: int
    unclaimed: int


def _of(process: str, column: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    return [column == process] if process else []


def standing(session: Session, process: str, now: datetime) -> dict[str, Standing]:
    """By process key."""
    found: dict[str, Standing] = {}

    def put(statement: Any, *names: str) -> None:
        for key, *values in session.execute(statement):
            for name, value in zip(names, values, strict=True):
                setattr(found.setdefault(key, Standing()), name, value)

    key = _i.definition_key
    mine = _of(process, key)
    put(select(key, func.count()).where(_i.status == "active", *mine).group_by(key), "running")
    paused = _i.suspended.is_(True)
    put(select(key, func.count()).where(paused, _i.status == "active", *mine).group_by(key), "suspended")
    end = begin(now.astimezone(clock.BEIJING).date() + timedelta(days=1))
    pressing = (
        select(_t.definition_key, _t.instance_id, func.bool_or(_t.due_at < now).label("late"))
        .add_columns(func.bool_or(_t.due_at >= now).label("today"))
        .where(_t.status == "open", _t.due_at <= end, *_of(process, _t.definition_key))
        .group_by(_t.definition_key, _t.instance_id)
        .subquery()
    )
    p = pressing.c
    counts = (func.count().filter(p.late), func.count().filter(p.today))
    put(select(p.definition_key, *counts).group_by(p.definition_key), "overdue", "today")
    broken = select(key, func.count(_i.id.distinct())).join(incident, incident.c.instance_id == _i.id)
    put(broken.where(incident.c.resolved_at.is_(None), *mine).group_by(key), "incidents")
    for one in found.values():
        one.running -= one.suspended
    return found


def targets(session: Session) -> dict[str, int]:
    """Days by process key, where a target is set."""
    return {row.definition_key: row.days for row in session.scalars(select(ProcessTarget))}


def durations(session: Session, process: str, first: date, last: date) -> dict[str, Duration]:
    """By process key, and all together under ``""`` (without target), of what was completed between two days."""
    days = func.extract("epoch", _i.ended_at - _i.started_at) / _DAY
    target = ProcessTarget.days
    statement = (
        select(
            func.coalesce(_i.definition_key, "").label("key"),
            func.count().label("done"),
            func.avg(days).label("mean"),
            func.percentile_cont([0.5, 0.9]).within_group(days).label("parts"),
            func.count().filter(_i.ended_at - _i.started_at > func.make_interval(0, 0, 0, target)).label("slow"),
            func.max(target).label("target"),
        )
        .outerjoin(ProcessTarget, target.is_not(None) & (ProcessTarget.definition_key == _i.definition_key))
        .where(_i.status == "completed", *within(_i.ended_at, first, last), *_of(process, _i.definition_key))
        .group_by(func.rollup(_i.definition_key))
    )
    return {row.key: _duration(row) for row in session.execute(statement) if row.done}


def _duration(row: Any) -> Duration:
    median, ninth = (float(part) for part in row.parts)
    whole = row.key == ""
    target = None if whole else row.target
    return Duration(row.done, float(row.mean), median, ninth, target, row.slow if target is not None else None)


def weeks(session: Session, process: str, first: date, today: date) -> list[Week]:
    """The weeks from that of `first` to the present one."""
    start = monday(first)

    def by_week(column: ColumnElement[Any], *more: ColumnElement[bool]) -> dict[date, int]:
        week = cast(func.date_trunc("week", func.timezone(_ZONE, column)), Date).label("week")
        mine = _of(process, _i.definition_key)
        statement = select(week, func.count()).where(column >= begin(start), *more, *mine).group_by(text("1"))
        return {row[0]: row[1] for row in session.execute(statement)}

    begun, over = by_week(_i.started_at), by_week(_i.ended_at)
    done = by_week(_i.ended_at, _i.status == "completed")
    running = session.scalar(select(func.count()).where(_i.status == "active", *_of(process, _i.definition_key))) or 0
    found: list[Week] = []
    day = monday(today)
    while day >= start:
        found.append(Week(day, begun.get(day, 0), done.get(day, 0), running))
        running += over.get(day, 0) - begun.get(day, 0)
        day -= timedelta(days=7)
    return found[::-1]


def loads(session: Session, process: str, now: datetime) -> tuple[list[Load], list[Load]]:
    """(by role, by person), the greatest first: open work as cases."""
    late, free = and_(_t.due_at < now), _t.assignee_id.is_(None)

    def counts(column: ColumnElement[Any]) -> tuple[Any, ...]:
        cases = func.count(_t.instance_id.distinct())
        return (
            column.label("key"),
            cases.label("cases"),
            cases.filter(late).label("overdue"),
            cases.filter(free).label("unclaimed"),
        )

    open_ = [_t.status == "open", *_of(process, _t.definition_key)]
    each = func.unnest(_t.candidate_groups).table_valued("role").render_derived().lateral()
    role = each.c.role
    offered = select(*counts(role)).select_from(user_task.join(each, text("true")))
    roles = session.execute(offered.where(*open_).group_by(role)).all()
    mine = select(*counts(_t.assignee_id)).where(*open_, _t.assignee_id.is_not(None)).group_by(_t.assignee_id)
    people = session.execute(mine).all()
    names = _names(session, [row.key for row in people])
    return (
        sorted((Load(row.key, row.key, row.cases, row.overdue, row.unclaimed) for row in roles), key=_greatest),
        sorted(
            (Load(str(row.key), names.get(row.key, "?"), row.cases, row.overdue, 0) for row in people), key=_greatest
        ),
    )


def _greatest(load: Load) -> tuple[int, str]:
    return -load.cases, load.key


def _names(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, str]:
    found = session.execute(select(Account.id, Account.name).where(Account.id.in_(ids)))
    return {row.id: row.name for row in found}


def incidents(session: Session, process: str, most: int) -> Sequence[Any]:
    """(process key, element, words of the newest, cases, since) of what stands, by element, the oldest first."""
    c = incident.c
    statement = (
        select(
            _i.definition_key,
            c.element_id,
            func.max(c.message).label("message"),
            func.count(_i.id.distinct()).label("cases"),
            func.min(c.created_at).label("since"),
        )
        .join(process_instance, _i.id == c.instance_id)
        .where(c.resolved_at.is_(None), *_of(process, _i.definition_key))
        .group_by(_i.definition_key, c.element_id)
        .order_by(func.min(c.created_at))
        .limit(most)
    )
    return session.execute(statement).all()


def latest(session: Session, process: str, now: datetime, most: int) -> Sequence[Any]:
    """The open tasks that are furthest past their due date, with the case and who has them."""
    statement = (
        select(_t.instance_id, _t.name, _t.title, _t.business_key, _t.due_at, Account.name.label("holder"))
        .outerjoin(Account, Account.id == _t.assignee_id)
        .where(_t.status == "open", _t.due_at < now, *_of(process, _t.definition_key))
        .order_by(_t.due_at, _t.id)
        .limit(most)
    )
    return session.execute(statement).all()
