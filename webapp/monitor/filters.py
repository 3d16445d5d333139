"""What a manager looks for among the instances: read from an address, written back to one, and its WHERE clause.

The one home of "which instances": list, counts, export and every figure of a dashboard or a heat map that leads to a
list take the same `Filter`, so that a figure and the list behind it cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, and_, cast, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from webapp import clock
from webapp.engine import queries as engine_queries
from webapp.engine.handler_api import Actor
from webapp.engine.tables import activity_history, audit, incident, process_definition, process_instance, user_task
from webapp.monitor import paths
from webapp.monitor.days import begin, within
from webapp.monitor.visibility import visible_instances

_i, _t, _h = process_instance.c, user_task.c, activity_history.c
VIEWS = ("running", "overdue", "today", "incidents", "suspended", "done", "ended", "all")
#: Views that ask for an open task: its role, person and due date are asked of the same task.
_OF_TASKS = frozenset({"overdue", "today"})
#: What the model did not foresee -> actions of the trail by which it happened.
OFF_MODEL = {
    "moved": ("instance.move",),
    "restarted": ("instance.restart",),
    "migrated": ("instance.migrate",),
    "returned": ("task.return", "task.recall"),
}
#: … and steps that the instance's version of the model does not know (it was migrated).
FOREIGN = "foreign"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Filter:
    """What a manager looks for. Days are Beijing's, both ends included. `sort`: see queries.SORTS, `-` falls.

    `element`: a token stands there now (`waited`: since more than so many working days); `passed`: it was finished
    there, between `passed_from` and `passed_to` (`again`: more than once, one after the other). `at`: was running at
    the end of that day. `role`, `person` and `claimed` are asked of one open task. `variable` holds `value`. `broken`:
    an open incident at this element. `longer`: took more than so many days. `off`: see OFF_MODEL. `variant`: took this
    way (the process and the days of its end make the set of which ways are told).
    """

    view: str = "running"
    process: str = ""
    version: int | None = None
    words: str = ""
    unit: UUID | None = None
    element: str = ""
    waited: int | None = None
    role: str = ""
    person: UUID | None = None
    claimed: str = ""
    started_from: date | None = None
    started_to: date | None = None
    ended_from: date | None = None
    ended_to: date | None = None
    at: date | None = None
    passed: str = ""
    passed_from: date | None = None
    passed_to: date | None = None
    again: str = ""
    variable: str = ""
    value: str = ""
    broken: str = ""
    longer: int | None = None
    off: str = ""
    variant: str = ""
    sort: str = "-started"


#: Fields whose name in an address is another one.
_NAMES = {"words": "q"}
_DEFAULTS = Filter()


def read(args: Mapping[str, str], sorts: Sequence[str] = ()) -> Filter:
    """The filter of an address; what cannot be understood there falls back to what is usual."""
    found: dict[str, Any] = {}
    for field in fields(Filter):
        text = (args.get(_NAMES.get(field.name, field.name)) or "").strip()[:_LONGEST]
        if text and (value := _read(field.name, text)) is not None:
            found[field.name] = value
    if found.get("view") not in VIEWS:
        found.pop("view", None)
    if found.get("sort", "-started").lstrip("-") not in sorts:
        found.pop("sort", None)
    return Filter(**found)


def _read(name: str, text: str) -> Any:
    kind = type(getattr(_DEFAULTS, name))
    if kind is str:
        return text
    try:
        if name in {"unit", "person"}:
            return UUID(text)
        if name in {"version", "waited", "longer"}:
            return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None


def write(filter: Filter) -> dict[str, str]:
    """The parameters of an address, without what is usual."""
    found = {}
    for field in fields(Filter):
        value = getattr(filter, field.name)
        if value is not None and value != getattr(_DEFAULTS, field.name):
            found[_NAMES.get(field.name, field.name)] = str(value)
    return found


def where(actor: Actor, wanted: Filter, now: datetime) -> list[ColumnElement[bool]]:
    """The clauses on `process_instance` for what `actor` may see and `wanted` asks."""
    clauses: list[ColumnElement[bool]] = [visible_instances(actor)]
    clauses += _state(wanted.view)
    clauses += _open_task(wanted, now)
    if wanted.process:
        clauses.append(_i.definition_key == wanted.process)
    if wanted.version is not None:
        clauses.append(_i.definition_id.in_(_versions(wanted)))
    if wanted.unit:
        clauses.append(_i.org_id == wanted.unit)
    if wanted.words:
        clauses.append(or_(engine_queries.matches(_i.search, wanted.words), _i.business_key == wanted.words.strip()))
    if wanted.variable and wanted.value:
        clauses += _variable(wanted)
    clauses += within(_i.started_at, wanted.started_from, wanted.started_to)
    if wanted.longer is not None:
        clauses.append(_i.ended_at - _i.started_at > timedelta(days=wanted.longer))
    clauses += within(_i.ended_at, wanted.ended_from, wanted.ended_to)
    if wanted.at:
        instant = begin(wanted.at + timedelta(days=1))
        clauses += [_i.started_at < instant, or_(_i.ended_at.is_(None), _i.ended_at >= instant)]
    if wanted.variant and wanted.process:
        told = paths.sequences(wanted.process, wanted.version, wanted.ended_from, wanted.ended_to)
        clauses.append(_i.id.in_(select(told.c.instance_id).where(told.c.variant == wanted.variant)))
    return [*clauses, *_places(wanted, now), *_operated(wanted)]


def _state(view: str) -> list[ColumnElement[bool]]:
    if view == "running":
        return [_i.status == "active", _i.suspended.is_(False)]
    if view == "incidents":
        found = select(1).where(incident.c.instance_id == _i.id, incident.c.resolved_at.is_(None))
        return [found.correlate(process_instance).exists()]
    if view == "suspended":
        return [_i.status == "active", _i.suspended.is_(True)]
    if view == "done":
        return [_i.status == "completed"]
    if view == "ended":
        return [_i.status.in_(["terminated", "cancelled", "failed"])]
    return [_i.status == "active"] if view in _OF_TASKS else []


def _open_task(wanted: Filter, now: datetime) -> list[ColumnElement[bool]]:
    """One open task of the instance that is all that was asked of it."""
    asked: list[ColumnElement[bool]] = []
    if wanted.view == "overdue":
        asked.append(_t.due_at < now)
    elif wanted.view == "today":
        asked += [_t.due_at >= now, _t.due_at <= begin(_day(now) + timedelta(days=1))]
    if wanted.role:
        asked.append(_t.candidate_groups.contains([wanted.role]))
    if wanted.person:
        asked.append(_t.assignee_id == wanted.person)
    if wanted.claimed in {"yes", "no"}:
        asked.append(_t.assignee_id.is_not(None) if wanted.claimed == "yes" else _t.assignee_id.is_(None))
    if not asked:
        return []
    return [_i.id.in_(select(_t.instance_id).where(_t.status == "open", *asked))]


def _day(now: datetime) -> date:
    return now.astimezone(clock.BEIJING).date()


def _versions(wanted: Filter) -> Any:
    d = process_definition.c
    asked = [d.version == wanted.version]
    return select(d.id).where(*asked, *([d.key == wanted.process] if wanted.process else []))


def _variable(wanted: Filter) -> list[ColumnElement[bool]]:
    """A searchable variable that holds these words: found by the index of all words, judged by the variable."""
    held = _i.business[wanted.variable].astext
    pattern = "".join(f"\\{c}" if c in "\\%_" else c for c in wanted.value)
    return [engine_queries.matches(_i.search, wanted.value), held.ilike(f"%{pattern}%")]


def _places(wanted: Filter, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.element:
        found.append(_i.tokens.op("@>")(cast(literal([{"element_id": wanted.element}], JSONB), JSONB)))
        if wanted.waited is not None:
            token = func.jsonb_array_elements(_i.tokens).table_valued("value").render_derived()
            value = cast(token.c.value, JSONB)
            since = cast(value["since"].astext, DateTime(timezone=True))
            latest = begin(clock.add_working_days(_day(now), -wanted.waited))
            found.append(
                exists(select(1).select_from(token).where(value["element_id"].astext == wanted.element, since < latest))
            )
    if wanted.broken:
        found.append(
            _i.id.in_(
                select(incident.c.instance_id).where(
                    incident.c.element_id == wanted.broken, incident.c.resolved_at.is_(None)
                )
            )
        )
    if wanted.passed:
        done = [_h.element_id == wanted.passed, _h.cancelled.is_(False)]
        done += within(_h.ended_at, wanted.passed_from, wanted.passed_to)
        found.append(_i.id.in_(select(_h.instance_id).where(*done)))
    if wanted.again:
        told = paths.activities(
            within(_h.ended_at, wanted.passed_from, wanted.passed_to), [_h.element_id == wanted.again]
        )
        found.append(_i.id.in_(select(told.c.instance_id).where(told.c.again)))
    return found


def _operated(wanted: Filter) -> list[ColumnElement[bool]]:
    if wanted.off == FOREIGN:
        known = select(process_definition.c.elements).where(process_definition.c.id == _i.definition_id)
        strange = known.correlate(process_instance).scalar_subquery().op("?")(_h.element_id).is_(False)
        done = select(1).where(_h.instance_id == _i.id, strange).correlate(process_instance)
        return [done.exists()]
    actions = OFF_MODEL.get(wanted.off)
    if actions is None:
        return []
    told = select(1).where(audit.c.instance_id == _i.id, audit.c.action.in_(actions))
    return [and_(told.correlate(process_instance).exists())]
