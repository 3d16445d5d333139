"""What an operation on many means for one instance: a batch names elements, an act of one instance names rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from webapp.engine.tables import event_subscription, incident, process_instance, timer, user_task
from webapp.errors import Conflict, Invalid, NotFound
from webapp.i18n import _
from webapp.monitor.operating import Act

Params = Mapping[str, str]


def resolve(session: Session, instance_id: UUID, kind: str, params: Params) -> list[Act]:
    """The acts that carry the operation out on this instance, at least one.

    Errors: NotFound, Conflict (it has ended; nothing there that the operation is about), Invalid (no such operation).
    """
    if kind not in KINDS:
        raise Invalid(_("没有这种操作。"))
    status = session.scalar(select(process_instance.c.status).where(process_instance.c.id == instance_id))
    if status is None:
        raise NotFound(_("没有找到该事项，或您无权查看。"))
    if status != "active":
        raise Conflict(_("该办理事项已结束。"))
    found = KINDS[kind](session, instance_id, kind, params)
    if not found:
        raise Conflict(_NOTHING[kind]())
    return found


def _whole(session: Session, instance_id: UUID, kind: str, params: Params) -> list[Act]:
    return [Act(kind, dict(params))]


def _rows(session: Session, statement: Select[Any], kind: str, name: str, params: Params) -> list[Act]:
    rest = {key: value for key, value in params.items() if key not in {"element", "name"}}
    return [Act(kind, {**rest, name: str(id)}) for id in session.scalars(statement)]


def _tasks(session: Session, instance_id: UUID, kind: str, params: Params) -> list[Act]:
    c = user_task.c
    where = [c.instance_id == instance_id, c.status == "open"]
    if params.get("element"):
        where.append(c.element_id == params["element"])
    return _rows(session, select(c.id).where(*where).order_by(c.id), kind, "task", params)


def _timers(session: Session, instance_id: UUID, kind: str, params: Params) -> list[Act]:
    c = timer.c
    where = (c.instance_id == instance_id, c.element_id == params.get("element", ""))
    return _rows(session, select(c.id).where(*where).order_by(c.id), kind, "timer", params)


def _waits(session: Session, instance_id: UUID, kind: str, params: Params) -> list[Act]:
    c = event_subscription.c
    where = (c.instance_id == instance_id, c.name == params.get("name", ""))
    return _rows(session, select(c.id).where(*where).order_by(c.id), kind, "subscription", params)


def _incidents(session: Session, instance_id: UUID, kind: str, params: Params) -> list[Act]:
    c = incident.c
    where = (c.instance_id == instance_id, c.resolved_at.is_(None))
    return _rows(session, select(c.id).where(*where).order_by(c.id), kind, "incident", params)


KINDS: Final[Mapping[str, Callable[[Session, UUID, str, Params], list[Act]]]] = {
    "reassign": _tasks,
    "candidate": _tasks,
    "due": _tasks,
    "suspend": _whole,
    "resume": _whole,
    "retry": _incidents,
    "move": _whole,
    "migrate": _whole,
    "send": _waits,
    "fire": _timers,
    "cancel": _whole,
}
#: Why an instance has nothing to do for an operation.
_NOTHING: Final[Mapping[str, Callable[[], str]]] = {
    **dict.fromkeys(("reassign", "candidate", "due"), lambda: _("此案没有停在所选环节的任务。")),
    "retry": lambda: _("此案没有异常。"),
    "send": lambda: _("此案没有等待这条消息。"),
    "fire": lambda: _("此案没有这个定时。"),
}
#: What each operation must be told.
NEEDS: Final[Mapping[str, Sequence[str]]] = {
    "reassign": ("to",),
    "candidate": ("to",),
    "due": ("due",),
    "move": ("element", "target"),
    "migrate": ("definition",),
    "send": ("name",),
    "fire": ("element",),
}
