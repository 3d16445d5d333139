"""Messages and signals between instances: thrown into a table by a step, delivered by jobs, each exactly once.

One transaction per receiver; in order per sender; kept while nobody waits; expired ones become incidents. A receiver
is found by the message's name AND correlation key: a message without key reaches only those who wait without one.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, insert, select, text, update
from sqlalchemy.orm import Session

from webapp import clock, db
from webapp.engine import incidents, store
from webapp.engine.bpmn.codec import clone, decode, encode
from webapp.engine.commands import DeliverMessage, StartInstance, StepResult
from webapp.engine.errors import InstanceNotActive, InstanceNotFound, InstanceSuspended, NobodyWaits, TaskNotOpen
from webapp.engine.handler_api import Actor
from webapp.engine.recorder import Recorder
from webapp.engine.tables import event_subscription, message, process_instance
from webapp.errors import QianyinError

if TYPE_CHECKING:
    from webapp.engine.runtime import Engine

logger = logging.getLogger(__name__)

_m, _s = message.c, event_subscription.c
#: How many receivers are tried for one message, when those before have gone or are suspended.
_CANDIDATES = 50
_GONE = (TaskNotOpen, InstanceNotActive, InstanceNotFound, InstanceSuspended)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom a message from outside is for."""

    name: str
    correlation_key: str | None
    business_key: str | None
    instance_id: UUID | None


@dataclass(frozen=True, slots=True)
class Correlated:
    """Who got a message; `started`: it made a new instance."""

    instance_id: UUID
    started: bool


# ---- in the thrower's and the receiver's step


def for_signals(session: Session, recorder: Recorder) -> list[store.Row]:
    """One message row for every subscription that waits for the signals of this step."""
    rows: list[store.Row] = []
    for event, own in recorder.signals:
        waiting = session.scalars(select(_s.id).where(_s.kind == "signal", _s.name == event.name)).all()
        row = _signal(event.name, event.payload, recorder.case.instance_id, recorder)
        rows += [{**row, "subscription_id": subscription} for subscription in (*waiting, *own)]
    return rows


def _signal(name: str, payload: Mapping[str, Any], sender: UUID, recorder: Recorder) -> store.Row:
    now = recorder.case.now
    return {
        "kind": "signal",
        "name": name,
        "correlation_key": None,
        "payload": encode(dict(payload)),
        "sender_instance_id": sender,
        "created_at": now,
        "expires_at": now + recorder.case.message_ttl(),
    }


_WAITING = (
    "SELECT m.id, m.sender_instance_id FROM unnest(%(names)s::text[], %(keys)s::text[]) AS w(name, key)"
    " JOIN message m ON m.name = w.name AND m.correlation_key = w.key"
    " WHERE m.status = 'waiting' AND m.subscription_id IS NULL"
    " UNION SELECT m.id, m.sender_instance_id FROM unnest(%(names)s::text[], %(keys)s::text[]) AS w(name, key)"
    " JOIN message m ON m.name = w.name AND m.correlation_key IS NULL AND w.key IS NULL"
    " WHERE m.status = 'waiting' AND m.subscription_id IS NULL ORDER BY 1 LIMIT 200"
)


def deliveries(session: Session, recorder: Recorder, thrown: list[int]) -> list[store.Defer]:
    """The jobs for the messages of this step, and for those that waited for a subscription that it opened."""
    jobs = [_job(message_id, recorder.case.instance_id) for message_id in thrown]
    opened = [row for row in recorder.changes.subscriptions if row["kind"] == "message"]
    if opened:
        values = {"names": [r["name"] for r in opened], "keys": [r["correlation_key"] for r in opened]}
        kept = session.connection().exec_driver_sql(_WAITING, values)
        jobs += [_job(row[0], row[1]) for row in kept if row[0] not in thrown]
    return jobs


def _job(message_id: int, sender: UUID | None) -> store.Defer:
    lock = None if sender is None else f"message:{sender}"
    return store.Defer("qianyin.deliver", {"message_id": message_id}, lock)


# ---- delivery, by a worker


def deliver(engine: Engine, message_id: int) -> None:
    """Deliver a message, and before it the older ones of its sender to the same name and key."""
    while db.retrying(lambda session: _deliver(engine, session, message_id)):
        pass


def _deliver(engine: Engine, session: Session, message_id: int) -> bool:
    """One delivery. True: an older message went first, this one is still to be delivered."""
    row = session.execute(select(message).where(_m.id == message_id, _m.status == "waiting")).one_or_none()
    if row is None:
        return False
    if row.subscription_id is None:
        same = (_m.name == row.name, _is(_m.correlation_key, row.correlation_key))
        sender = _is(_m.sender_instance_id, row.sender_instance_id)
        first = select(message).where(_m.status == "waiting", _m.subscription_id.is_(None), *same, sender)
        row = session.execute(first.order_by(_m.id).limit(1).with_for_update()).one_or_none()
    else:
        row = session.execute(
            select(message).where(_m.id == message_id, _m.status == "waiting").with_for_update()
        ).one_or_none()
    if row is None:
        return False
    receiver = _hand_over(engine, session, row)
    if receiver is not None:
        values = {"status": "delivered", "delivered_at": clock.now(), "receiver_instance_id": receiver}
        session.execute(update(message).where(_m.id == row.id).values(**values))
    elif row.subscription_id is not None:
        session.execute(update(message).where(_m.id == row.id).values(status="expired"))  # it waits no longer
    return receiver is not None and row.id < message_id


def _is(column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
    """Equal, or both null; in words that an index serves."""
    return column.is_(None) if value is None else column == value


def _hand_over(engine: Engine, session: Session, row: Row[Any]) -> UUID | None:
    """Give the message to the first who waits; None when nobody does."""
    if row.subscription_id is not None:
        where = [_s.id == row.subscription_id]
    else:
        where = [_s.kind == "message", _s.name == row.name, _matches_key(row.correlation_key)]
    p = process_instance.c
    waiting = (
        select(event_subscription)
        .outerjoin(process_instance, p.id == _s.instance_id)
        .where(*where, p.suspended.is_not(True))
        .order_by(_s.instance_id.is_(None), _s.created_at, _s.id)
        .limit(_CANDIDATES)
    )
    payload = decode(row.payload)
    for subscription in session.execute(waiting).all():
        try:
            if subscription.instance_id is None:
                return _start(engine, session, subscription, payload, None, None).instance_id
            command = DeliverMessage(subscription.id, payload)
            return engine.step(session, subscription.instance_id, command, None).instance_id
        except _GONE:
            continue
        except QianyinError as error:
            if subscription.instance_id is not None:
                raise
            logger.warning("message %s could not start %s: %s", row.name, subscription.element_id, error)
            _give_up(session, [row], str(error))
            return None
    return None


def _matches_key(key: str | None) -> ColumnElement[bool]:
    """Exact for instances; a start event has no key and takes any."""
    if key is None:
        return _s.correlation_key.is_(None)
    return (_s.correlation_key == key) | (_s.correlation_key.is_(None) & _s.instance_id.is_(None))


def _start(
    engine: Engine,
    session: Session,
    subscription: Row[Any],
    payload: Mapping[str, Any],
    business_key: str | None,
    actor: Actor | None,
) -> StepResult:
    command = StartInstance(
        definition_id=subscription.definition_id,
        variables=payload,
        business_key=business_key,
        start_element=subscription.element_id,
    )
    with session.begin_nested():
        return engine.start(session, command, actor)


def _give_up(session: Session, rows: list[Row[Any]], why: str) -> None:
    """Nobody will get these messages: an incident at their senders."""
    session.execute(update(message).where(_m.id.in_([row.id for row in rows])).values(status="expired"))
    for row in rows:
        told = f"消息“{row.name}”（{row.correlation_key or '无关联键'}）未送达：{why}"
        detail = {"message_id": row.id}
        incidents.raise_incident(session, "message", row.sender_instance_id, told, detail=detail)


def give_up(session: Session, message_id: int, why: str) -> None:
    """The delivery failed again and again for a reason of the receiver's: the sender's incident tells."""
    waiting = select(message).where(_m.id == message_id, _m.status == "waiting").with_for_update()
    row = session.execute(waiting).one_or_none()
    if row is not None:
        _give_up(session, [row], why)


# ---- the workers' rounds

_WAITS = (
    "EXISTS (SELECT 1 FROM event_subscription s LEFT JOIN process_instance p ON p.id = s.instance_id"
    " WHERE s.kind = m.kind AND s.name = m.name AND {0} AND {1})"
)


def _receiver(state: str) -> str:
    """Whether somebody waits for the message `m`, as SQL; `state` restricts the waiting instance `p`."""
    exact = _WAITS.format("s.correlation_key = m.correlation_key", state)
    open_key = _WAITS.format(
        "s.correlation_key IS NULL AND (m.correlation_key IS NULL OR s.instance_id IS NULL)", state
    )
    addressed = _WAITS.format("s.id = m.subscription_id", state)
    return f"CASE WHEN m.subscription_id IS NULL THEN {exact} OR {open_key} ELSE {addressed} END"


_MATCHING = text(
    "SELECT m.id, m.sender_instance_id FROM message m WHERE m.status = 'waiting'"
    f" AND {_receiver('p.suspended IS NOT TRUE')} ORDER BY m.id LIMIT :limit"
)
#: A receiver that is suspended, or that the workers have only not come to, still gets what is late.
_LATE = text(
    "SELECT m.* FROM message m WHERE m.status = 'waiting' AND m.expires_at <= :now"
    f" AND NOT {_receiver('true')} ORDER BY m.id LIMIT :limit FOR UPDATE SKIP LOCKED"
)


def enqueue_matching(session: Session, limit: int = 200) -> int:
    """Messages that somebody waits for although their job is done: thrown while the receiver's step was under way."""
    found = session.execute(_MATCHING, {"limit": limit}).all()
    store.defer(session, [_job(row[0], row[1]) for row in found])
    return len(found)


def expire(session: Session, limit: int = 200) -> int:
    """Messages past their time to live that nobody waits for become incidents; how many."""
    rows = session.execute(_LATE, {"now": clock.now(), "limit": limit}).all()
    if rows:
        _give_up(session, list(rows), "在有效期内没有接收者。")
    return len(rows)


# ---- from outside


def correlate(
    engine: Engine, session: Session, wanted: Wanted, payload: Mapping[str, Any], actor: Actor | None
) -> Correlated:
    """To exactly one waiting instance, else by a message start event. Errors: NobodyWaits."""
    p = process_instance.c
    of_instances = select(event_subscription).join(process_instance, p.id == _s.instance_id)
    where = [_s.kind == "message", _s.name == wanted.name]
    if wanted.business_key is not None:
        where.append(p.business_key == wanted.business_key)
    if wanted.instance_id is not None:
        where.append(p.id == wanted.instance_id)
    if wanted.correlation_key is not None:
        where.append(_s.correlation_key == wanted.correlation_key)
    elif wanted.business_key is None and wanted.instance_id is None:
        where.append(_s.correlation_key.is_(None))  # a wait with a key is never met by a message without one
    waiting = session.execute(of_instances.where(*where).limit(2)).all()
    if len(waiting) > 1:
        raise NobodyWaits(f"不止一个办理事项在等待消息“{wanted.name}”，请给出关联键或业务编号。")
    if waiting:
        row = waiting[0]
        engine.step(session, row.instance_id, DeliverMessage(row.id, clone(dict(payload))), actor)
        return Correlated(row.instance_id, started=False)
    starts = select(event_subscription).where(_s.kind == "message", _s.name == wanted.name, _s.instance_id.is_(None))
    found = session.execute(starts.limit(2)).all() if wanted.instance_id is None else []
    if len(found) != 1:
        raise NobodyWaits(f"没有办理事项在等待消息“{wanted.name}”。")
    result = _start(engine, session, found[0], payload, wanted.business_key, actor)
    return Correlated(result.instance_id, started=True)


def broadcast(engine: Engine, session: Session, name: str, payload: Mapping[str, Any]) -> int:
    """A signal from outside: a message row and a job for each subscription that waits now; how many."""
    waiting = session.scalars(select(_s.id).where(_s.kind == "signal", _s.name == name)).all()
    now = clock.now()
    values = {"kind": "signal", "name": name, "payload": encode(clone(dict(payload))), "created_at": now}
    jobs, expires_at = [], now + engine.message_ttl(session)
    for subscription in waiting:
        statement = insert(message).values(**values, expires_at=expires_at, subscription_id=subscription)
        jobs.append(_job(session.scalars(statement.returning(_m.id)).one(), None))
    store.defer(session, jobs)
    return len(jobs)
