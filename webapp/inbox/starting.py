"""发起办理: the processes that a person may start, and starting one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from webapp.accounts.roles import ORG_SCOPED
from webapp.engine import runtime
from webapp.engine.commands import StartInstance
from webapp.engine.handler_api import Actor
from webapp.engine.tables import process_definition, process_instance, user_task
from webapp.errors import NotFound
from webapp.i18n import _
from webapp.inbox.claiming import claim
from webapp.inbox.visibility import to_do


@dataclass(frozen=True, slots=True)
class Startable:
    """The newest version of a process that the person may start. `stages`: labels in order."""

    key: str
    name: str
    documentation: str
    stages: tuple[str, ...]
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """A case that has begun; `task_id`: its first task, when it is this person's."""

    instance_id: UUID
    number: str
    task_id: UUID | None


def startable(session: Session, actor: Actor) -> list[Startable]:
    """The processes whose starter groups hold a role of the actor, by name."""
    d = process_definition.c
    newest = select(d.id, d.key, d.name, d.info, d.suspended).ext(distinct_on(d.key))
    rows = session.execute(newest.order_by(d.key, d.version.desc()))
    found = [_startable(session, row) for row in rows if not row.suspended and _may(actor, row.info)]
    return sorted(found, key=lambda one: one.name)


def _may(actor: Actor, info: dict[str, Any]) -> bool:
    return not actor.roles.isdisjoint(info.get("starter_groups") or ())


def _startable(session: Session, row: Any) -> Startable:
    elements = runtime.engine().definitions.get(session, row.id).compiled.elements.values()
    clauses = next((element.clauses for element in elements if element.type == "userTask"), ())
    stages = tuple(str(label) for _key, label in row.info.get("stages") or ())
    return Startable(row.key, row.name, row.info.get("documentation") or "", stages, clauses)


def find(session: Session, actor: Actor, key: str) -> Startable:
    """One of them. Errors: NotFound (no such process, or not for this person)."""
    for one in startable(session, actor):
        if one.key == key:
            return one
    raise NotFound(_("没有这种办理事项，或您无权发起。"))


def start(session: Session, actor: Actor, key: str) -> Started:
    """Start a case; its first task is taken for whoever started it, when it is theirs to do.

    A person of an organisation starts its own organisation's case. Errors: NotFound; whatever the domain's starter
    refuses (a number is given, the case may not open …).
    """
    one = find(session, actor, key)
    org_id = actor.organisation_id if actor.roles & ORG_SCOPED else None
    command = StartInstance(key=one.key, started_by=actor.id, org_id=org_id)
    result = runtime.engine().start(session, command, actor)
    mine = select(user_task.c.id).where(user_task.c.id.in_(result.opened), to_do(actor)).limit(1)
    task_id = session.scalar(mine)
    if task_id is not None:
        claim(session, actor, task_id)
    number = session.scalar(select(process_instance.c.business_key).where(process_instance.c.id == result.instance_id))
    return Started(result.instance_id, number or "", task_id)
