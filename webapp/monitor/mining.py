"""What the history of a process tells: counts and times by element, variants, lengths over time, what stands now.

Everything is one statement each, in SQL. Lengths of time are days of 24 hours. Of a user task, waiting is until it was
claimed and working from then on; catching events, receive tasks and called cases wait; services work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, DateTime, and_, case, cast, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from webapp import clock
from webapp.engine.tables import activity_history, audit, process_instance, user_task
from webapp.monitor import paths
from webapp.monitor.days import begin, within
from webapp.monitor.filters import OFF_MODEL

_i, _h, _t = process_instance.c, activity_history.c, user_task.c
_DAY = 86400.0
#: Elements whose length is that of what lies inside them.
_AROUND = ("subProcess", "transaction", "adHocSubProcess")
_WAITING = ("intermediateCatchEvent", "boundaryEvent", "receiveTask", "callActivity", "eventBasedGateway")
#: A case that stands longer than so many working days at one element is told as stuck.
STUCK = 10


@dataclass(frozen=True, slots=True)
class Scope:
    """Which history: a process, one version or all, between two days (both included)."""

    process: str
    version: int | None
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Heat:
    """One element: activations, cases, cases that came back to it; days waited and worked."""

    element_id: str
    element_type: str
    count: int
    cases: int
    again: int
    wait: float
    wait_ninth: float
    wait_sum: float
    work: float
    work_sum: float


def _seconds(length: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.greatest(func.extract("epoch", length), 0)


def heat(session: Session, scope: Scope) -> list[Heat]:
    """Every element at which something was finished in the scope, the longest in sum first."""
    clauses = paths.of(scope.process, scope.version)
    found = paths.activities(clauses, within(_h.ended_at, scope.first, scope.last), joined=True)
    a = found.c
    claimed = func.least(func.greatest(func.coalesce(_t.claimed_at, a.ended_at), a.started_at), a.ended_at)
    whole = _seconds(a.ended_at - a.started_at)
    waits = a.element_type.in_(_WAITING)
    task = a.element_type == "userTask"
    wait = case((task, _seconds(claimed - a.started_at)), (waits, whole), else_=0) / _DAY
    work = case((task, _seconds(a.ended_at - claimed)), (waits, 0), else_=whole) / _DAY
    timed = (
        select(a.instance_id, a.element_id, a.element_type, a.again, wait.label("wait"), work.label("work"))
        .outerjoin(user_task, _t.id == a.task_id)
        .subquery()
    )
    t = timed.c
    statement = select(
        t.element_id,
        func.max(t.element_type).label("element_type"),
        func.count().label("activations"),
        func.count(t.instance_id.distinct()).label("cases"),
        func.count(t.instance_id.distinct()).filter(t.again).label("again"),
        func.percentile_cont([0.5, 0.9]).within_group(t.wait).label("waits"),
        func.sum(t.wait).label("wait_sum"),
        func.percentile_cont(0.5).within_group(t.work).label("work"),
        func.sum(t.work).label("work_sum"),
    ).group_by(t.element_id)
    rows = [
        Heat(
            row.element_id,
            row.element_type,
            row.activations,
            row.cases,
            row.again,
            float(row.waits[0]),
            float(row.waits[1]),
            float(row.wait_sum),
            float(row.work),
            float(row.work_sum),
        )
        for row in session.execute(statement)
    ]
    return sorted(rows, key=lambda one: (-(one.wait_sum + one.work_sum) * _counts(one), one.element_id))


def _counts(one: Heat) -> bool:
    return one.element_type not in _AROUND


def lengths(found: Sequence[Heat]) -> float:
    """All days waited and worked, of elements that are not made of others."""
    return sum(one.wait_sum + one.work_sum for one in found if _counts(one))


@dataclass(frozen=True, slots=True)
class Now:
    """Cases that stand at an element now; `stuck`: since more than STUCK working days."""

    cases: int
    stuck: int


def stuck_before(now: datetime) -> datetime:
    """The instant before which a token must stand to be stuck: the same that the list's `waited` means."""
    return begin(clock.add_working_days(now.astimezone(clock.BEIJING).date(), -STUCK))


def standing(session: Session, scope: Scope, now: datetime) -> dict[str, Now]:
    """By element, of the cases that run now (whatever the days of the scope)."""
    token = func.jsonb_array_elements(_i.tokens).table_valued("value").render_derived().lateral()
    value = cast(token.c.value, JSONB)
    element = value["element_id"].astext
    since = cast(value["since"].astext, DateTime(timezone=True))
    cases = func.count(_i.id.distinct())
    statement = (
        select(element.label("element"), cases.label("cases"), cases.filter(since < stuck_before(now)).label("stuck"))
        .select_from(process_instance.join(token, text("true")))
        .where(*paths.of(scope.process, scope.version), _i.status == "active")
        .group_by(element)
    )
    return {row.element: Now(row.cases, row.stuck) for row in session.execute(statement)}


@dataclass(frozen=True, slots=True)
class Whole:
    """Completed cases of a scope: how many, and days from beginning to end."""

    done: int
    mean: float | None
    median: float | None
    ninth: float | None


def whole(session: Session, scope: Scope) -> Whole:
    """All of them together."""
    length = func.extract("epoch", _i.ended_at - _i.started_at) / _DAY
    columns = (func.count(), func.avg(length), func.percentile_cont([0.5, 0.9]).within_group(length))
    clauses = paths.ended(scope.process, scope.version, scope.first, scope.last)
    done, mean, parts = session.execute(select(*columns).where(*clauses)).one()
    if not done:
        return Whole(0, None, None, None)
    return Whole(done, float(mean), float(parts[0]), float(parts[1]))


def trend(session: Session, scope: Scope) -> list[tuple[date, int, float, float]]:
    """(first day of the week or month, completed, median, 90th percentile), in order; months for more than 18 weeks."""
    unit = "week" if (scope.last - scope.first).days <= 126 else "month"
    span = cast(func.date_trunc(unit, func.timezone("Asia/Shanghai", _i.ended_at)), Date).label("span")
    length = func.extract("epoch", _i.ended_at - _i.started_at) / _DAY
    statement = (
        select(span, func.count().label("done"), func.percentile_cont([0.5, 0.9]).within_group(length).label("parts"))
        .where(*paths.ended(scope.process, scope.version, scope.first, scope.last))
        .group_by(text("1"))
        .order_by(text("1"))
    )
    return [(row.span, row.done, float(row.parts[0]), float(row.parts[1])) for row in session.execute(statement)]


@dataclass(frozen=True, slots=True)
class Variant:
    """One way that completed cases took: its steps in order, how many took it, the median of their days."""

    key: str
    steps: tuple[str, ...]
    cases: int
    median: float


def variants(session: Session, scope: Scope, most: int) -> tuple[list[Variant], int]:
    """The ways that most cases took, and how many ways there are in all."""
    found = paths.sequences(scope.process, scope.version, scope.first, scope.last)
    f = found.c
    length = func.extract("epoch", f.ended_at - f.started_at) / _DAY
    statement = (
        select(
            f.variant,
            func.min(f.path).label("path"),
            func.count().label("cases"),
            func.percentile_cont(0.5).within_group(length).label("median"),
            func.count().over().label("ways"),
        )
        .group_by(f.variant)
        .order_by(func.count().desc(), f.variant)
        .limit(most)
    )
    rows = session.execute(statement).all()
    ways = rows[0].ways if rows else 0
    return [
        Variant(row.variant, tuple(row.path.split(">")) if row.path else (), row.cases, float(row.median))
        for row in rows
    ], ways


def operated(session: Session, scope: Scope) -> Sequence[Any]:
    """(action, from, to, cases) of what operations did to the cases of the process, the most frequent first."""
    actions = [action for group in OFF_MODEL.values() for action in group]
    detail = audit.c.detail
    target = detail["to"].astext
    source = case((func.jsonb_typeof(detail["from"]) == "array", detail["from"][0].astext), else_=detail["from"].astext)
    statement = (
        select(
            audit.c.action,
            source.label("source"),
            target.label("target"),
            func.count(_i.id.distinct()).label("cases"),
            func.max(audit.c.at).label("at"),
        )
        .join(process_instance, and_(_i.id == audit.c.instance_id))
        .where(audit.c.action.in_(actions), *paths.of(scope.process, scope.version))
        .group_by(audit.c.action, source, target)
        .order_by(func.count(_i.id.distinct()).desc(), audit.c.action)
        .limit(30)
    )
    return session.execute(statement).all()


def before(scope: Scope) -> Scope:
    """The span of the same length just before."""
    length = scope.last - scope.first + timedelta(days=1)
    return Scope(scope.process, scope.version, scope.first - length, scope.first - timedelta(days=1))
