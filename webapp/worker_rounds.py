"""The worker's rounds: what no notification announces. Timers, rests that are over, and jobs that somebody lost.

A job is lost when its worker was killed (it beats no more), when a living worker does not have it in hand (the answer
of the database was lost on the way), or when the queue has given it up. Each is found by looking, within seconds.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp import db, demo_clock
from webapp.config import Config
from webapp.engine import jobs, messages, timers
from webapp.engine.runtime import Engine

logger = logging.getLogger(__name__)

#: Seconds after which a silent worker counts as killed (it beats every two).
SILENT = 10.0
#: Rounds in which a job has to be missing from a worker's hands before it is taken back.
MISSED = 2

_STALLED = text(
    "SELECT j.id FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id"
    " WHERE j.status = 'doing' AND (w.id IS NULL OR w.last_heartbeat < now() - make_interval(secs => :silent))"
    " ORDER BY j.id FOR UPDATE OF j SKIP LOCKED"
)
_MINE = text("SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = :worker ORDER BY id")
_LOCK = text("SELECT id FROM procrastinate_jobs WHERE id = :id AND status = 'doing' AND worker_id = :worker FOR UPDATE")
_REQUEUE = text("SELECT procrastinate_retry_job_v2(:id, now(), NULL, NULL, NULL)")


class Holding:
    """What this worker has in hand: the ids of Procrastinate's jobs. Written by its event loop, read by the rounds."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A new life of the worker: it has nothing in hand, and no name yet."""
        self.worker_id: int | None = None
        self.jobs: set[int] = set()
        self._missing: dict[int, int] = {}

    async def hold(self, call_next: Callable[[], Awaitable[Any]], context: Any, worker: Any) -> Any:
        """Procrastinate's middleware around each job."""
        self.worker_id = worker.worker_id
        self.jobs.add(context.job.id)
        try:
            return await call_next()
        finally:
            self.jobs.discard(context.job.id)

    def missing(self, ids: list[int]) -> list[int]:
        """Which of the jobs that the database counts as ours have not been in hand for some rounds."""
        self._missing = {id: self._missing.get(id, 0) + 1 for id in ids if id not in self.jobs}
        return [id for id, rounds in self._missing.items() if rounds > MISSED]


def requeue_stalled(session: Session) -> int:
    """Take back the jobs of workers that were killed in the middle; how many."""
    found = session.scalars(_STALLED, {"silent": SILENT}).all()
    for job_id in found:
        session.execute(_REQUEUE, {"id": job_id})
    return len(found)


def requeue_missing(session: Session, holding: Holding) -> int:
    """Take back jobs that the database counts as this worker's and that it does not have; how many."""
    worker = holding.worker_id
    if worker is None:
        return 0
    missing = holding.missing(list(session.scalars(_MINE, {"worker": worker})))
    for job_id in missing:
        if session.scalar(_LOCK, {"id": job_id, "worker": worker}) is not None:
            session.execute(_REQUEUE, {"id": job_id})
    return len(missing)


def run(engine: Engine, config: Config, holding: Holding, stop: threading.Event) -> None:
    """Look until `stop` is set; each look has its own pace, in seconds."""
    looks: tuple[tuple[float, Callable[[], object]], ...] = (
        (1.0, lambda: timers.fire_due(engine)),
        (1.0, lambda: db.retrying(jobs.enqueue_due)),
        (5.0, lambda: db.retrying(messages.enqueue_matching)),
        (2.0, lambda: db.retrying(requeue_stalled)),
        (5.0, lambda: db.retrying(lambda session: requeue_missing(session, holding))),
        (15.0, lambda: db.retrying(jobs.release_lost)),
        (60.0, lambda: db.retrying(messages.expire)),
    )
    last = dict.fromkeys(range(len(looks)), float("-inf"))
    while not stop.wait(0.5):
        try:
            demo_clock.tick(config.demo)
            for number, (pace, look) in enumerate(looks):
                if time.monotonic() - last[number] >= pace and not stop.is_set():
                    last[number] = time.monotonic()
                    look()
        except Exception:  # the database is away, for instance: the next round tries again
            logger.exception("a round of the worker failed")
            stop.wait(2.0)
