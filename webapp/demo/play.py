"""Playing a case as people do: start it, open a person's task, hand in the form by the same door as the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.engine import runtime
from webapp.engine.commands import StartInstance
from webapp.engine.handler_api import Actor
from webapp.engine.tables import process_instance, user_task
from webapp.errors import NotFound
from webapp.inbox import completing

_t, _p = user_task.c, process_instance.c


def start(session: Session, actor: Actor, key: str, variables: Mapping[str, Any] | None = None) -> UUID:
    """Open a case. Errors: those of the process's starter."""
    command = StartInstance(key=key, variables=dict(variables or {}))
    return runtime.engine().start(session, command, actor).instance_id


def open_task(session: Session, instance_id: UUID, element_id: str) -> UUID:
    """The open task at an element of an instance. Errors: NotFound when none is."""
    query = select(_t.id).where(_t.instance_id == instance_id, _t.element_id == element_id, _t.status == "open")
    found: UUID | None = session.scalar(query)
    if found is None:
        raise NotFound(f"no open task {element_id} in {instance_id}")
    return found


def do(
    session: Session,
    actor: Actor,
    instance_id: UUID,
    element_id: str,
    data: Mapping[str, Any] | None = None,
    outcome: str | None = None,
) -> None:
    """Do a task with what the person enters and the button that is pressed. Errors: those of the page."""
    task_id = open_task(session, instance_id, element_id)
    completing.complete(session, actor, task_id, variables=dict(data or {}), outcome=outcome)


def fill_in(session: Session, actor: Actor, instance_id: UUID, element_id: str) -> dict[str, Any]:
    """What the form of an open task holds before the person enters anything."""
    from webapp.inbox.task_form import open_form

    task_id = open_task(session, instance_id, element_id)
    row = session.execute(select(user_task).where(_t.id == task_id)).one()
    return dict(open_form(session, actor, row, with_draft=False).data)
