"""Incidents: what stopped an instance or a job of it, told to a manager, who mends the cause and lets it go on.

kinds: `job` (a handler or call used up its attempts) · `element` (the instance cannot go on there) · `call` (the called
instance was cancelled) · `message` (nobody received it) · `handler` (an external handler that a local one asked for) ·
`answer` (the caller could not be told) · `timer`, `due`, `assignee` (told, nothing to repeat).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from webapp import clock
from webapp.engine import store
from webapp.engine.commands import RetryIncident
from webapp.engine.handler_api import Actor
from webapp.engine.tables import audit, incident, message, process_instance
from webapp.errors import NotFound
from webapp.ids import uuid7

if TYPE_CHECKING:
    from webapp.engine.runtime import Engine


def raise_incident(
    session: Session,
    kind: str,
    instance_id: UUID | None,
    told: str,
    *,
    node: UUID | None = None,
    element_id: str | None = None,
    detail: Any = None,
) -> None:
    """An incident that no step raised. `detail` is what `again` needs to repeat it."""
    values = {"id": uuid7(), "instance_id": instance_id, "node": node, "element_id": element_id, "kind": kind}
    written = None if detail is None else orjson.dumps(detail).decode()
    session.execute(insert(incident).values(**values, message=told, detail=written, created_at=clock.now()))


def again(engine: Engine, session: Session, row: Any) -> list[store.Defer]:
    """The jobs that repeat what an incident without a job of its own is about."""
    if row["detail"] is None:
        return []
    detail = orjson.loads(row["detail"])
    if row["kind"] == "handler":
        return [store.Defer("qianyin.call", detail, queue="external")]
    if row["kind"] == "answer":
        return [store.Defer("qianyin.answer", detail)]
    if row["kind"] == "message":
        values = {"status": "waiting", "expires_at": clock.now() + engine.message_ttl(session)}
        expired = (message.c.id == detail["message_id"], message.c.status == "expired")
        session.execute(update(message).where(*expired).values(**values))
        return [store.Defer("qianyin.deliver", detail)]
    return []


def resolve(session: Session, incident_id: UUID, actor_id: UUID | None) -> None:
    values = {"resolved_at": clock.now(), "resolved_by": actor_id}
    session.execute(update(incident).where(incident.c.id == incident_id).values(**values))


def retry(engine: Engine, session: Session, incident_id: UUID, actor: Actor | None, reason: str | None = None) -> None:
    """Let go on what an incident stopped, also when its instance has ended or it belongs to none. Errors: NotFound."""
    open_one = select(incident).where(incident.c.id == incident_id, incident.c.resolved_at.is_(None))
    row = session.execute(open_one.with_for_update()).mappings().one_or_none()
    if row is None:
        raise NotFound(f"没有待处理的异常 {incident_id}。")
    p = process_instance.c
    running = select(p.id).where(p.id == row["instance_id"], p.status == "active")
    if session.scalar(running) is not None:
        engine.step(session, row["instance_id"], RetryIncident(incident_id, reason), actor)
        return
    store.defer(session, again(engine, session, row))
    resolve(session, incident_id, actor.id if actor else None)
    told = {"at": clock.now(), "actor_id": actor.id if actor else None, "instance_id": row["instance_id"]}
    session.execute(insert(audit).values(**told, action="incident.retry", reason=reason, detail={"kind": row["kind"]}))
