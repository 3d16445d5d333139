"""Looking before a step: lock a user task's case and read both rows in one statement, as the caller's rule allows.

Whoever completes a task must first see it as it stands behind the lock: is it still open, not another's, visible? The
step that follows in the same transaction then finds the instance already locked and read, and asks the database no
second time, as long as the cached execution is the newest.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, event, select
from sqlalchemy.orm import Session, SessionTransaction

from webapp.db import Compiled
from webapp.engine.store import Instance
from webapp.engine.tables import process_instance, user_task

_KEY: Final = "webapp.engine.held"
_p, _t = process_instance.c, user_task.c


class TaskRow(NamedTuple):
    """A user task behind the lock, with what its case says, and one answer to a question of the caller's."""

    id: UUID
    instance_id: UUID
    root_instance_id: UUID
    definition_id: UUID
    definition_key: str
    node: UUID
    element_id: str
    form_ref: str | None
    business_key: str | None
    case_org_id: UUID | None
    status: str
    assignee_id: UUID | None
    on_behalf_of: UUID | None
    asked: Any


#: The columns of `Instance`, in its order, without id and state; and those of `TaskRow`.
_CASE = tuple(field.name for field in fields(Instance) if field.name not in {"id", "state"})
_TASK = TaskRow._fields[:-1]


class _Held(NamedTuple):
    instance: Instance  # without its state
    task_id: UUID
    task: tuple[UUID, str]  # node, element id


def reading(allowed: ColumnElement[bool], asked: ColumnElement[Any]) -> Compiled:
    """The statement for `hold`: a task for which `allowed` holds, with what the caller has `asked` besides.

    It locks the case first, then the task, the order in which a step locks, so that two people never wait for each
    other. Making it takes longer than running it: keep it.
    """
    mine = select(_t.instance_id).where(_t.id == bindparam("task")).correlate(None).scalar_subquery()
    case = select(_p.id, *(_p[name].label(f"case_of_{name}") for name in _CASE)).where(_p.id == mine)
    held = case.with_for_update(key_share=True).cte("held")
    columns = (*(_t[name] for name in _TASK), asked, *(held.c[f"case_of_{name}"] for name in _CASE))
    found = select(*columns).join_from(user_task, held, held.c.id == _t.instance_id)
    return Compiled.of(found.where(_t.id == bindparam("task"), allowed).with_for_update(of=user_task))


def hold(session: Session, statement: Compiled, task_id: UUID) -> TaskRow | None:
    """The task's row behind the lock, open or not; None when there is none that the statement allows."""
    for found in statement.rows(session, task=task_id):
        row = TaskRow._make(found[: len(TaskRow._fields)])
        version, *rest = found[len(TaskRow._fields) :]
        instance = Instance(row.instance_id, version, None, *rest)
        held = _Held(instance, task_id, (row.node, row.element_id))
        session.info.setdefault(_KEY, {})[row.instance_id] = held
        return row
    return None


def take(session: Session, instance_id: UUID, cached: int, task_id: UUID | None) -> tuple[Instance, Any] | None:
    """What this transaction holds of the instance, once; None when it must be read (again)."""
    held = cast(dict[UUID, _Held], session.info.get(_KEY, {})).pop(instance_id, None)
    if held is None or held.instance.version != cached or held.task_id != task_id:
        return None
    return held.instance, held.task


@event.listens_for(Session, "after_transaction_end")
def _ended(session: Session, _transaction: SessionTransaction) -> None:
    """Locks end with the transaction; those taken after a savepoint may end with it."""
    session.info.pop(_KEY, None)
