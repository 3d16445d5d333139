"""Due timers, fired by any number of workers, each in a transaction of its own. Rows only: nothing is kept in memory.

The claim locks the INSTANCE (skipping those that a step holds), then the step deletes the timer: the same order as
every other step, so that a firing timer and a person's completion never deadlock.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, delete, text, update
from sqlalchemy.orm import Session

from webapp import clock, db
from webapp.engine import duetime, incidents
from webapp.engine.commands import FireTimer, StartInstance
from webapp.engine.errors import TaskNotOpen
from webapp.engine.tables import timer
from webapp.errors import QianyinError

if TYPE_CHECKING:
    from webapp.engine.runtime import Engine

logger = logging.getLogger(__name__)

_CLAIM = text(
    "SELECT t.id, t.instance_id, t.element_id FROM timer t JOIN process_instance p ON p.id = t.instance_id"
    " WHERE t.due_at <= :now AND NOT t.held AND p.status = 'active' AND NOT p.suspended"
    " ORDER BY t.due_at, t.id LIMIT 1 FOR NO KEY UPDATE OF p SKIP LOCKED"
)
_CLAIM_START = text(
    "SELECT id, definition_id, element_id, cycle, due_at FROM timer"
    " WHERE due_at <= :now AND NOT held AND instance_id IS NULL ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED"
)
#: How long a timer rests whose step failed for a reason that nobody foresaw.
_REST = timedelta(minutes=5)


def fire_due(engine: Engine, limit: int = 1000) -> int:
    """Fire what is due by the clock, at most `limit`; how many fired."""
    fired = 0
    for claim in (_fire_one, _start_one):
        while fired < limit and _guarded(engine, claim):
            fired += 1
    return fired


def _guarded(engine: Engine, claim: Any) -> bool:
    claimed: list[Row[Any]] = []
    try:
        return bool(db.retrying(lambda session: claim(engine, session, claimed)))
    except Exception as error:
        if not claimed or db.is_lost(error):  # the timer is not to blame for a database that went away
            raise
        logger.exception("timer %s failed", claimed[-1].id)
        why = str(error) if isinstance(error, QianyinError) else f"{type(error).__name__}: {error}"
        db.retrying(lambda session: _postpone(session, claimed[-1], why))
        return True


def _fire_one(engine: Engine, session: Session, claimed: list[Row[Any]]) -> bool:
    row = session.execute(_CLAIM, {"now": clock.now()}).one_or_none()
    if row is None:
        return False
    claimed.append(row)
    try:
        engine.step(session, row.instance_id, FireTimer(row.id), None)
    except TaskNotOpen:  # nobody waits for it: it must not stand at the head of the queue for ever
        session.execute(delete(timer).where(timer.c.id == row.id))
    return True


def _start_one(engine: Engine, session: Session, claimed: list[Row[Any]]) -> bool:
    """A timer start event: start an instance and set the next turn. Missed turns count as one."""
    row = session.execute(_CLAIM_START, {"now": clock.now()}).one_or_none()
    if row is None:
        return False
    claimed.append(row)
    _next_turn(session, row)
    try:
        with session.begin_nested():
            engine.start(session, StartInstance(definition_id=row.definition_id, start_element=row.element_id), None)
    except QianyinError as error:
        logger.warning("the timer start %s was refused: %s", row.element_id, error)
        incidents.raise_incident(session, "timer", None, str(error), element_id=row.element_id)
    return True


def _next_turn(session: Session, row: Row[Any]) -> None:
    left = duetime.remaining(row.cycle) if row.cycle else None
    if left is None:
        session.execute(delete(timer).where(timer.c.id == row.id))
        return
    due_at = duetime.next_turn(left, row.due_at, clock.now())
    session.execute(update(timer).where(timer.c.id == row.id).values(cycle=left, due_at=due_at))


def _postpone(session: Session, row: Row[Any], why: str) -> None:
    session.execute(update(timer).where(timer.c.id == row.id).values(due_at=clock.now() + _REST))
    instance_id = getattr(row, "instance_id", None)
    incidents.raise_incident(session, "timer", instance_id, why, element_id=row.element_id)
