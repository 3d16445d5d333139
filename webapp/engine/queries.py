"""Reading: rows that the steps wrote. No query loads an instance or needs the engine."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, cast, false, literal, select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from webapp.engine import search
from webapp.engine.bpmn import decode_variables
from webapp.engine.bpmn.codec import decode
from webapp.engine.errors import InstanceNotFound
from webapp.engine.tables import (
    activity_history,
    incident,
    job,
    process_definition,
    process_instance,
    timer,
    user_task,
)
from webapp.errors import NotFound


def matches(column: ColumnElement[Any], words: str) -> ColumnElement[bool]:
    """Whether a `search` column holds what a person typed (all of it); nothing matches words without a letter."""
    query = search.tsquery(words)
    return column.op("@@")(cast(literal(query), TSQUERY)) if query else false()


def decoded(value: Any) -> Any:
    """Typed values of a tagged JSON column (form_data, history variables, message payload, job variables)."""
    return decode(value)


def instance(session: Session, instance_id: UUID) -> Row[Any]:
    """The row of an instance. Errors: InstanceNotFound."""
    row = session.execute(select(process_instance).where(process_instance.c.id == instance_id)).one_or_none()
    if row is None:
        raise InstanceNotFound()
    return row


def task(session: Session, task_id: UUID) -> Row[Any]:
    """The row of a user task, open or not. Errors: NotFound."""
    row = session.execute(select(user_task).where(user_task.c.id == task_id)).one_or_none()
    if row is None:
        raise NotFound(f"没有任务 {task_id}。")
    return row


def open_tasks(session: Session, instance_id: UUID) -> list[Row[Any]]:
    """The open user tasks of an instance, oldest first."""
    t = user_task.c
    statement = select(user_task).where(t.instance_id == instance_id, t.status == "open").order_by(t.id)
    return list(session.execute(statement))


def definition(session: Session, definition_id: UUID) -> Row[Any]:
    """Errors: NotFound."""
    row = session.execute(select(process_definition).where(process_definition.c.id == definition_id)).one_or_none()
    if row is None:
        raise NotFound(f"没有流程定义 {definition_id}。")
    return row


def latest_definition(session: Session, key: str) -> Row[Any]:
    """Errors: NotFound."""
    d = process_definition.c
    statement = select(process_definition).where(d.key == key).order_by(d.version.desc()).limit(1)
    row = session.execute(statement).one_or_none()
    if row is None:
        raise NotFound(f"没有流程“{key}”。")
    return row


def variables(session: Session, instance_id: UUID) -> dict[str, Any]:
    """The instance's variables, typed. Errors: InstanceNotFound."""
    state = session.scalar(select(process_instance.c.state).where(process_instance.c.id == instance_id))
    if state is None:
        raise InstanceNotFound()
    return decode_variables(bytes(state))


def history(session: Session, instance_id: UUID) -> list[Row[Any]]:
    """The finished activations of an instance, in order; `variables` are tagged JSON."""
    h = activity_history.c
    statement = select(activity_history).where(h.instance_id == instance_id).order_by(h.ended_at, h.id)
    return list(session.execute(statement))


def called_instances(session: Session, instance_id: UUID) -> list[Row[Any]]:
    """The instances of the same case that this one called, oldest first."""
    p = process_instance.c
    root = select(p.root_instance_id).where(p.id == instance_id).scalar_subquery()
    statement = select(process_instance).where(p.root_instance_id == root, p.super_instance_id == instance_id)
    return list(session.execute(statement.order_by(p.started_at, p.id)))


def open_incidents(session: Session, instance_id: UUID | None = None) -> list[Row[Any]]:
    """Incidents that nobody has resolved, of one instance or of all, oldest first."""
    statement = select(incident).where(incident.c.resolved_at.is_(None))
    if instance_id is not None:
        statement = statement.where(incident.c.instance_id == instance_id)
    return list(session.execute(statement.order_by(incident.c.created_at, incident.c.id)))


def jobs(session: Session, instance_id: UUID) -> list[Row[Any]]:
    return list(session.execute(select(job).where(job.c.instance_id == instance_id).order_by(job.c.id)))


def timers(session: Session, instance_id: UUID) -> list[Row[Any]]:
    return list(session.execute(select(timer).where(timer.c.instance_id == instance_id).order_by(timer.c.due_at)))
