"""What a person entered and has not submitted, kept on the server."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from webapp import clock
from webapp.engine.handler_api import Actor
from webapp.forms.parse import Parsed, parse
from webapp.inbox.claiming import claim, look, taken_by
from webapp.inbox.models import Draft
from webapp.inbox.task_form import TaskForm, attach_files, open_form


def save_draft(session: Session, actor: Actor, task_id: UUID, form: MultiDict[str, str]) -> datetime:
    """Keep what was entered, right or wrong; the first save takes an unclaimed task. Gives when.

    Errors: NotFound, TaskNotOpen, Conflict (another has it).
    """
    row = look(session, actor, task_id)
    if row.assignee_id not in {None, actor.id}:
        raise taken_by(session, row)
    if row.assignee_id is None:
        claim(session, actor, task_id)
    task = open_form(session, actor, row, with_draft=False)
    parsed = read(task, form)
    attach_files(session, actor, task, parsed.data, row.case_org_id)
    return keep(session, actor, task_id, parsed.data)


def read(task: TaskForm, form: MultiDict[str, str]) -> Parsed:
    """The data of a form as it stands, with whatever is wrong."""
    return parse(task.schema, form, task.environment) if task.schema.components else Parsed()


def keep(session: Session, actor: Actor, task_id: UUID, data: Mapping[str, Any]) -> datetime:
    """Write the draft, open task or not: what was typed is never lost. Gives when."""
    return keep_for(session, actor.id, task_id, data)


def keep_for(session: Session, account_id: UUID, task_id: UUID, data: Mapping[str, Any]) -> datetime:
    """Write a person's draft. Gives when."""
    now = clock.now()
    statement = insert(Draft).values(task_id=task_id, account_id=account_id, data=dict(data), updated_at=now)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Draft.task_id, Draft.account_id],
            set_={"data": statement.excluded.data, "updated_at": now},
        )
    )
    return now
