"""Looking before a step: lock a user task's case and read both rows in one statement, as the caller's rule allows.

Whoever completes a task must first see it as it stands behind the lock: is it still open, not another's, visible? The
step that follows in the same transaction then finds the instance already locked and read, and asks the database no
second time, as long as the cached execution is the newest.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, bindparam, event, select
from sqlalchemy.orm import Session, SessionTransaction

from webapp.engine.store import Instance
from webapp.engine.tables import process_instance, user_task

_KEY: Final = "webapp.engine.held"
_p, _t = process_instance.c, user_task.c
#: The columns of `Instance`, in its order, without id and state.
_CASE = tuple(field.name for field in fields(Instance) if field.name not in {"id", "state"})
_TASK = (
    *(_t.id, _t.instance_id, _t.root_instance_id, _t.definition_id, _t.definition_key, _t.node, _t.element_id),
    *(_t.form_ref, _t.business_key, _t.case_org_id, _t.status, _t.assignee_id, _t.claimed_at),
    *(_t.completed_by, _t.ended_at),
)


@dataclass(frozen=True, slots=True)
class _Held:
    instance: Instance  # without its state
    task_id: UUID
    task: tuple[UUID, str]  # node, element id


def reading(allowed: ColumnElement[bool], *more: ColumnElement[Any]) -> Select[Any]:
    """The statement for `hold`: a task for which `allowed` holds, with columns of the caller's own.

    It locks the case first, then the task, the order in which a step locks, so that two people never wait for each
    other. Building it takes longer than running it: keep it.
    """
    mine = select(_t.instance_id).where(_t.id == bindparam("task")).correlate(None).scalar_subquery()
    case = select(_p.id, *(_p[name].label(f"case_of_{name}") for name in _CASE)).where(_p.id == mine)
    held = case.with_for_update(key_share=True).cte("held")
    columns = (*_TASK, *(column for column in held.c if column.name != "id"), *more)
    found = select(*columns).join_from(user_task, held, held.c.id == _t.instance_id)
    return found.where(_t.id == bindparam("task"), allowed).with_for_update(of=user_task)


def hold(session: Session, statement: Select[Any], task_id: UUID) -> Row[Any] | None:
    """The task's row behind the lock, open or not; None when there is none that the statement allows."""
    row = session.connection().execute(statement, {"task": task_id}).one_or_none()
    if row is not None:
        first = len(_TASK)
        version, *rest = row[first : first + len(_CASE)]
        instance = Instance(row.instance_id, version, None, *rest)
        session.info.setdefault(_KEY, {})[row.instance_id] = _Held(instance, task_id, (row.node, row.element_id))
    return row


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
