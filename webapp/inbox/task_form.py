"""The form of one task for one person: schema, what the model's provider gives, what was left in a draft."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import has_request_context, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.documents import service as documents
from webapp.documents.models import Document
from webapp.engine import deployment, queries, runtime
from webapp.engine.handler_api import Actor, FormContext, FormData
from webapp.engine.types import Element
from webapp.forms.render import file_ids
from webapp.forms.schema import Component, Schema, load
from webapp.forms.scope import Environment, merge, prefill
from webapp.inbox.models import Draft

EMPTY = Schema("", ())
_schemas: dict[tuple[UUID, str], Schema] = {}
_lock = threading.Lock()


@dataclass(slots=True)
class TaskForm:
    """All that a page or a completion needs to know of a task's form."""

    row: Any  # of user_task
    element: Element
    schema: Schema
    environment: Environment = field(default_factory=Environment)
    variables: Mapping[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    #: what the page shows: the given values with the draft over them
    data: dict[str, Any] = field(default_factory=dict)
    draft: Draft | None = None


def element_of(session: Session, row: Any) -> Element:
    """The model's words about the task's element."""
    compiled = runtime.engine().definitions.get(session, row.definition_id).compiled
    return compiled.elements[row.element_id]


def schema_of(session: Session, row: Any) -> Schema:
    """The task's form, read and checked once per process: a deployed form never changes. EMPTY when it has none."""
    if not row.form_ref:
        return EMPTY
    key = (row.definition_id, row.form_ref)
    if key not in _schemas:
        found = load(deployment.form(session, row.definition_id, row.form_ref))
        with _lock:
            if len(_schemas) > 1000:
                _schemas.clear()
            _schemas[key] = found
    return _schemas[key]


def asks_nothing(row: Any, element: Element) -> bool:
    """Whether only the engine looks at what completes this task: no form, no decision, no check of the domain."""
    return not (row.form_ref or element.outcomes or element.provider or element.validator)


def open_form(session: Session, actor: Actor, row: Any, *, with_draft: bool = True) -> TaskForm:
    """The form of an open task: the provider is asked, the actor's draft lies over what it gives."""
    element = element_of(session, row)
    schema = schema_of(session, row)
    variables = queries.variables(session, row.instance_id)
    given = _provided(session, actor, row, element, variables)
    initial = prefill(schema.components, {**own_values(schema.components, variables), **given.data})
    environment = Environment(
        options=given.options,
        context={**variables, **given.context},
        initial=initial,
        files=lambda ids: tiles(session, actor, ids),
        now=clock.now(),
        schema_decides=element.validator is None,
        upload_url=url_for("documents.upload") if has_request_context() else "",
        refresh_url=url_for("inbox.refresh", task_id=row.id) if has_request_context() else "",
    )
    form = TaskForm(row, element, schema, environment, variables, given.warnings, initial)
    if with_draft and (draft := session.get(Draft, (row.id, actor.id))):
        form.draft = draft
        form.data = merge(schema.components, initial, draft.data)
    return form


def done_form(session: Session, actor: Actor, row: Any) -> TaskForm:
    """The form of a task that is over, with what was submitted."""
    element, schema = element_of(session, row), schema_of(session, row)
    variables = queries.variables(session, row.instance_id)
    data = queries.decoded(row.form_data) if row.form_data else {}
    given = _provided(session, actor, row, element, variables)
    environment = Environment(
        options=given.options,
        context={**variables, **given.context},
        files=lambda ids: tiles(session, actor, ids),
        now=row.ended_at or clock.now(),
    )
    return TaskForm(row, element, schema, environment, variables, (), dict(data))


def _provided(session: Session, actor: Actor, row: Any, element: Element, variables: Mapping[str, Any]) -> FormData:
    if not element.provider:
        return FormData()
    context = FormContext(session, row.instance_id, row.id, row.element_id, variables, actor, clock.now())
    return runtime.engine().hooks.providers[element.provider](context)


def own_values(components: Sequence[Component], variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables that the form has a place for, by the first part of each key."""
    found: dict[str, Any] = {}
    for component in components:
        if component.type == "group" and not component.key:
            found |= own_values(component.components, variables)
        elif component.key and (name := component.key.split(".")[0]) in variables:
            found[name] = variables[name]
    return found


def tiles(session: Session, actor: Actor, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """File tiles of the documents among these ids that the actor may read."""
    wanted = [UUID(item) for item in ids if _is_uuid(item)]
    if not wanted:
        return {}
    found = session.scalars(select(Document).where(Document.id.in_(wanted), documents.visible(actor)))
    return {str(document.id): documents.tile(document) for document in found}


def _is_uuid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def attach_files(session: Session, actor: Actor, form: TaskForm, data: Mapping[str, Any], org_id: UUID | None) -> None:
    """Make the uploads in this data part of the case, so that whoever works on it next may use them.

    What already belongs to a case, or was uploaded by somebody else, stays as it is.
    """
    ids = [UUID(item) for item in dict.fromkeys(file_ids(form.schema.components, data)) if _is_uuid(item)]
    if not ids:
        return
    loose = (Document.id.in_(ids), Document.root_instance_id.is_(None), Document.uploaded_by == actor.id)
    own = list(session.scalars(select(Document.id).where(*loose)))
    if own:
        documents.attach(
            session,
            own,
            actor=actor,
            instance_id=form.row.instance_id,
            root_instance_id=form.row.root_instance_id,
            org_id=org_id,
        )
