"""Completing a task: may this person, is the form in order, does the domain agree; then the engine takes the step.

visible? -> still open? -> not another's? -> four eyes -> the schema -> the model's validator -> engine.step
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from webapp import clock
from webapp.db import Compiled
from webapp.engine import holding, runtime
from webapp.engine.commands import CompleteTask, StepResult
from webapp.engine.handler_api import Actor, FormContext
from webapp.engine.tables import user_task
from webapp.engine.types import Element, Outcome
from webapp.errors import Forbidden, Invalid
from webapp.forms.parse import Parsed, parse, without
from webapp.forms.text import shown
from webapp.i18n import _
from webapp.inbox.claiming import look, taken_by
from webapp.inbox.four_eyes import prepared_by_oneself
from webapp.inbox.models import Draft
from webapp.inbox.task_form import EMPTY, TaskForm, asks_nothing, attach_files, element_of, open_form
from webapp.inbox.visibility import to_do, visible_tasks

_c = user_task.c
_has_draft = select(Draft.task_id).where(Draft.task_id == _c.id).exists()


@functools.lru_cache(maxsize=512)
def _reading(actor: Actor) -> Compiled:
    """The task that this person may see, with whether drafts of it are kept."""
    return holding.reading(visible_tasks(actor), _has_draft)


@dataclass(frozen=True, slots=True)
class Completed:
    """What a completion did. `next_task_id`: the task to open now, None when nothing waits for this person."""

    task_id: UUID
    instance_id: UUID
    number: str
    outcome: Outcome | None
    next_task_id: UUID | None


class FormRefused(Invalid):
    """所填内容有需要修改之处，没有提交。"""

    def __init__(self, message: str, *, form: TaskForm, parsed: Parsed) -> None:
        super().__init__(message, fields=parsed.errors)
        self.form = form
        self.parsed = parsed


def complete(
    session: Session,
    actor: Actor,
    task_id: UUID,
    *,
    form: MultiDict[str, str] | None = None,
    variables: Mapping[str, Any] | None = None,
    outcome: str | None = None,
    reason: str = "",
    follow: bool = True,
) -> Completed:
    """Complete a task from the fields of a page (`form`) or from typed `variables` (REST).

    `follow`: look for the task to open now, which a page shows and a program does not ask for.

    Errors: NotFound (not visible), TaskNotOpen (who and when), Conflict (another has it), Forbidden (four eyes),
    FormRefused (sentences by field; `reason` and `outcome` are fields too).
    """
    row = holding.hold(session, _reading(actor), task_id)
    if row is None or row.status != "open" or row.assignee_id not in {None, actor.id}:
        raise taken_by(session, look(session, actor, task_id))  # `look` refuses what is not there, or over
    element = element_of(session, row)
    if sentence := prepared_by_oneself(session, actor, row, element):
        raise Forbidden(sentence)
    bare = asks_nothing(row, element)
    task = TaskForm(row, element, EMPTY) if bare else open_form(session, actor, row, with_draft=False)
    outcome, fields = _fields(task, form, variables, outcome)
    parsed = parse(task.schema, fields, task.environment) if task.schema.components else Parsed()
    if not task.schema.components and variables:
        parsed.data = dict(variables)
    chosen = _outcome(element, outcome, reason, parsed)
    if "outcome" not in parsed.errors:
        _validate(session, actor, task, parsed, outcome)
    if not parsed.ok:
        raise FormRefused("", form=task, parsed=parsed)
    made = _step(session, actor, task, parsed, chosen, reason.strip())
    following = next_task(session, actor, row, made.opened) if follow else None
    return Completed(row.id, row.instance_id, row.business_key or "", chosen, following)


def _fields(
    task: TaskForm, form: MultiDict[str, str] | None, variables: Mapping[str, Any] | None, outcome: str | None
) -> tuple[str | None, MultiDict[str, str]]:
    """The outcome and the form's fields; typed variables are put into the shape of fields, and pass the same checks."""
    if form is not None:
        return outcome, form
    given = dict(variables or {})
    name = task.element.outcome_variable
    if task.element.outcomes and outcome is None and name in given:
        outcome = str(given.pop(name))
    fields: MultiDict[str, str] = MultiDict()
    if task.schema.components:
        flatten("", given, fields)
    return outcome, fields


def flatten(path: str, value: Any, fields: MultiDict[str, str]) -> None:
    """Typed data as the fields that a page would send: {"a": [{"b": 1}]} -> a[0], a[0].b."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            flatten(f"{path}.{key}" if path else str(key), item, fields)
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        for number, item in enumerate(value):
            fields.add(f"{path}[{number}]", "")
            flatten(f"{path}[{number}]", item, fields)
    elif isinstance(value, list):
        for item in value:
            fields.add(path, shown(item))
    elif isinstance(value, bool):
        fields.add(path, "true" if value else "")
    elif value is not None:
        fields.add(path, value.isoformat() if isinstance(value, date | time | datetime) else shown(value))


def _outcome(element: Element, outcome: str | None, reason: str, parsed: Parsed) -> Outcome | None:
    """The pressed button. A decision without one of the model's outcomes is refused, and one without its reason."""
    if not element.outcomes:
        return None
    chosen = next((o for o in element.outcomes if o.value == outcome), None)
    if chosen is None:
        parsed.add("outcome", _("请选择办理结果。"))
    elif chosen.asks_reason and not reason.strip():
        parsed.add("reason", _("请填写“%(label)s”的理由。", label=chosen.label))
    return chosen


def _validate(session: Session, actor: Actor, task: TaskForm, parsed: Parsed, outcome: str | None) -> None:
    """Ask the domain: the named check of the model, which sees nothing of what the schema has refused already."""
    if not task.element.validator:
        return
    context = FormContext(
        session,
        task.row.instance_id,
        task.row.id,
        task.row.element_id,
        task.variables,
        actor,
        clock.now(),
        parsed.data if parsed.ok else without(parsed.data, parsed.errors),
        outcome,
    )
    told = frozenset(parsed.errors)
    for path, sentences in runtime.engine().hooks.validators[task.element.validator](context).items():
        if path in told:
            continue
        for sentence in [sentences] if isinstance(sentences, str) else sentences:
            parsed.add(path, sentence)


def _step(
    session: Session, actor: Actor, task: TaskForm, parsed: Parsed, chosen: Outcome | None, reason: str
) -> StepResult:
    row, data = task.row, dict(parsed.data)
    if chosen and chosen.asks_reason:
        data.setdefault("reason", reason)
    attach_files(session, actor, task, data, row.case_org_id)
    command = CompleteTask(row.id, outcome=chosen.value if chosen else None, form_data=data)
    result = runtime.engine().step(session, row.instance_id, command, actor)
    if row.asked:  # it has drafts
        session.execute(delete(Draft).where(Draft.task_id == row.id))
    return result


def next_task(session: Session, actor: Actor, row: Any, opened: Sequence[UUID]) -> UUID | None:
    """What to open now: what this step opened, else the same case's next task, else the same kind's soonest due.

    Another case follows only where there is a queue, that is, deadlines: who has sent off a filing shall not find
    himself in another, empty one.
    """
    for where in (
        _c.id.in_(opened),
        _c.root_instance_id == row.root_instance_id,
        (_c.definition_key == row.definition_key) & (_c.element_id == row.element_id) & _c.due_at.is_not(None),
    ):
        statement = select(user_task).where(where, to_do(actor)).order_by(_c.due_at.asc().nulls_last(), _c.id).limit(5)
        for candidate in session.execute(statement).all():
            if not prepared_by_oneself(session, actor, candidate, element_of(session, candidate)):
                return UUID(str(candidate.id))
    return None
