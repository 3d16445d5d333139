"""The worker's part of operations on many: one instance after the other, each in a transaction of its own.

An instance is taken by locking its row of the list, and its result is written in the transaction of its step: a worker
that is killed leaves the row as it was, and whoever comes next takes it. So none is touched twice and none is left.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from webapp import clock, db
from webapp.accounts.models import Account
from webapp.accounts.service import actor_of
from webapp.batches import acts
from webapp.batches.models import Batch, BatchItem
from webapp.engine.handler_api import Actor
from webapp.errors import QianyinError
from webapp.i18n import _
from webapp.monitor import operating

log = logging.getLogger(__name__)
#: Seconds between looks when nothing is to be done.
REST = 0.5
MANAGER = "manager"


def run(stop: threading.Event) -> None:
    """Do what there is to do until `stop` is set."""
    while not stop.is_set():
        try:
            if not turn():
                stop.wait(REST)
        except Exception:  # the database is away: the next look tries again
            log.exception("a batch was interrupted; it goes on")
            stop.wait(2.0)


def drain(limit: int = 10_000) -> int:
    """Do everything that is to be done now, here; how many instances. For tests and the demo's data."""
    done = 0
    while done < limit and turn():
        done += 1
    return done


def turn() -> bool:
    """One instance of one batch: look at it, or carry the operation out. False: there was nothing to do."""
    taken: list[Any] = []
    try:
        return db.retrying(lambda session: _one(session, taken))
    except Exception as error:
        if not taken or (isinstance(error, DBAPIError) and db.is_lost(error)):
            raise
        log.exception("instance %s of a batch failed", taken[-1].instance_id)
        words = _("系统故障，没有执行；可以再试。")
        db.retrying(lambda session: _fail(session, taken[-1], words))
        return True


def _one(session: Session, taken: list[Any]) -> bool:
    todo = (
        select(BatchItem, Batch)
        .join(Batch, Batch.id == BatchItem.batch_id)
        .where(BatchItem.status == "waiting")
        .where((Batch.status == "running") | ((Batch.status == "previewing") & BatchItem.effects.is_(None)))
        .order_by(Batch.status == "running", Batch.number, BatchItem.position)
        .limit(1)
        .with_for_update(of=BatchItem, skip_locked=True)
    )
    found = session.execute(todo).one_or_none()
    if found is None:
        return _close(session)
    item, batch = found
    taken.append(item)
    actor = _actor(session, batch)
    if actor is None:
        words = _("发起人已不是管理者，等待另一位管理者继续。")
        session.execute(update(Batch).where(Batch.id == batch.id).values(status="paused", note=words))
        return True
    if batch.status == "previewing":
        _look(session, actor, batch, item)
    else:
        _do(session, actor, batch, item)
    return True


def _actor(session: Session, batch: Batch) -> Actor | None:
    account = session.get(Account, batch.actor_id)
    return actor_of(account) if account and account.active and MANAGER in account.roles else None


def _look(session: Session, actor: Actor, batch: Batch, item: BatchItem) -> None:
    try:
        found = acts.resolve(session, item.instance_id, batch.kind, batch.params)
        seen = operating.preview(session, actor, item.instance_id, *found)
    except QianyinError as refused:
        item.effects, item.status, item.message = [], "refused", refused.message
    else:
        item.effects, item.warnings = list(seen.effects), list(seen.warnings)
    session.flush()


def _do(session: Session, actor: Actor, batch: Batch, item: BatchItem) -> None:
    reason = _("%(reason)s（批量操作 %(n)s）", reason=batch.reason, n=batch.number)
    try:
        with session.begin_nested():
            for act in acts.resolve(session, item.instance_id, batch.kind, batch.params):
                operating.apply(session, actor, item.instance_id, act, reason)
            session.flush()
    except QianyinError as refused:
        item.status, item.message = "refused", refused.message
    else:
        item.status = "done"
    item.done_at = clock.now()
    session.flush()


def _close(session: Session) -> bool:
    """Batches whose last instance is through; True when there was one."""
    waiting = exists().where(BatchItem.batch_id == Batch.id, BatchItem.status == "waiting")
    unseen = exists().where(BatchItem.batch_id == Batch.id, BatchItem.effects.is_(None))
    ended = update(Batch).where(Batch.status == "running", ~waiting).values(status="done", ended_at=clock.now())
    looked = update(Batch).where(Batch.status == "previewing", ~unseen).values(status="ready")
    return any(session.execute(one.returning(Batch.id)).all() for one in (ended, looked))


def _fail(session: Session, item: Any, words: str) -> None:
    where = (BatchItem.batch_id == item.batch_id, BatchItem.position == item.position, BatchItem.status == "waiting")
    failed = {"status": "failed", "message": words, "done_at": clock.now(), "effects": item.effects or []}
    session.execute(update(BatchItem).where(*where).values(**failed))
