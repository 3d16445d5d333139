"""The way that each instance took: its steps in order, as one text by which equal ways are found. SQL only."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from webapp.engine.tables import activity_history, process_definition, process_instance
from webapp.monitor.days import within

_i, _h, _d = process_instance.c, activity_history.c, process_definition.c

#: BPMN types that people recognise as a step.
STEPS = (
    "userTask",
    "manualTask",
    "serviceTask",
    "receiveTask",
    "sendTask",
    "callActivity",
    "scriptTask",
    "businessRuleTask",
)


def activities(*clauses: list[ColumnElement[bool]], joined: bool = False) -> Subquery:
    """What was finished (not cancelled), with `again`: whether the same element had ended in the case before it began.

    Several at a time (a multi-instance loop) begin together and are no repetition. `joined`: with `process_instance`.
    """
    before = func.max(_h.ended_at).over(
        partition_by=(_h.instance_id, _h.element_id),
        order_by=(_h.started_at, _h.ended_at, _h.id),
        rows=(None, -1),
    )
    statement = select(
        _h.instance_id,
        _h.element_id,
        _h.element_type,
        _h.started_at,
        _h.ended_at,
        _h.task_id,
        func.coalesce(_h.started_at > before, False).label("again"),
    )
    if joined:
        statement = statement.join(process_instance, _i.id == _h.instance_id)
    return statement.where(_h.cancelled.is_(False), *(clause for part in clauses for clause in part)).subquery()


def of(process: str, version: int | None) -> list[ColumnElement[bool]]:
    """Clauses on `process_instance`: of this process, of this version."""
    found: list[ColumnElement[bool]] = [_i.definition_key == process]
    if version is not None:
        found.append(_i.definition_id.in_(select(_d.id).where(_d.key == process, _d.version == version)))
    return found


def ended(process: str, version: int | None, first: date | None, last: date | None) -> list[ColumnElement[bool]]:
    """Clauses: the cases of a process that were completed between two days."""
    return [*of(process, version), _i.status == "completed", *within(_i.ended_at, first, last)]


def sequences(process: str, version: int | None, first: date | None, last: date | None) -> Subquery:
    """(instance_id, started_at, ended_at, path, variant) of each completed case; a step done by several counts once."""
    before = func.lag(_h.element_id).over(partition_by=_h.instance_id, order_by=(_h.ended_at, _h.id))
    steps = (
        select(_h.instance_id, _h.element_id, _h.ended_at, _h.id, before.label("before"))
        .join(process_instance, _i.id == _h.instance_id)
        .where(*ended(process, version, first, last), _h.element_type.in_(STEPS), _h.cancelled.is_(False))
        .subquery()
    )
    s = steps.c
    arrow: Any = aggregate_order_by(literal(">"), s.ended_at, s.id)  # the order stands after the last argument
    changed = select(s.instance_id, func.string_agg(s.element_id, arrow).label("path"))
    joined = changed.where(s.before.is_distinct_from(s.element_id)).group_by(s.instance_id).subquery()
    path = func.coalesce(joined.c.path, "").label("path")
    statement: Select[Any] = (
        select(_i.id.label("instance_id"), _i.started_at, _i.ended_at, path, func.md5(path).label("variant"))
        .outerjoin(joined, joined.c.instance_id == _i.id)
        .where(*ended(process, version, first, last))
    )
    return statement.subquery()
