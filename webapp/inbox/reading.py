"""Which variables of a case a person reads: the working group's side all, others what their forms have a place for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.engine import queries
from webapp.engine.handler_api import Actor
from webapp.engine.tables import user_task
from webapp.inbox.personal import is_inside
from webapp.inbox.task_form import own_values, schema_of
from webapp.inbox.visibility import visible_tasks

_c = user_task.c


def variables(session: Session, actor: Actor, instance_id: UUID) -> dict[str, Any]:
    """The variables of a case that the actor may see.

    A lead unit's case holds the office's notes and a review that nobody has confirmed yet: neither is told by name.
    """
    found = dict(queries.variables(session, instance_id))
    if is_inside(actor):
        return found
    forms = select(_c.definition_id, _c.form_ref).where(_c.instance_id == instance_id, visible_tasks(actor)).distinct()
    told: dict[str, Any] = {}
    for row in session.execute(forms):
        told |= own_values(schema_of(session, row).components, found)
    return told
