"""The job worker: a composition root. Procrastinate hands it jobs; its rounds look for what has come due.

Any number of workers may run on any number of machines. Each job runs in a thread with sessions of its own; a finished
job is deleted. External handlers are called in processes of their own (`worker_children`). The rounds
(`worker_rounds`) look for what has come due and take back the jobs of workers that were killed. A beat of
Procrastinate's own tells `/healthz` that a worker lives.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import procrastinate
from sqlalchemy import text

from webapp import db, demo_clock, housekeeping, worker_rounds
from webapp.batches import running as batches
from webapp.config import Config
from webapp.engine import incidents, jobs, messages, runtime, timers
from webapp.engine.errors import HandlerFailed
from webapp.engine.runtime import Engine
from webapp.worker_children import Children
from webapp.worker_rounds import SILENT, Holding

logger = logging.getLogger(__name__)

#: Seconds: between looks at the queue, between signs of life.
POLL, BEAT = 1.0, 2.0
#: Seconds of rest before a worker that lost its database begins anew.
PAUSE = 1.0
#: Seconds that running jobs get when the worker is told to stop; the supervisor waits a little longer.
GRACE = 18.0
#: A job that fails for a reason of the machine is tried again after 3, 9, 27 … seconds.
RETRY = procrastinate.RetryStrategy(max_attempts=6, exponential_wait=3)


# ---- what the jobs do


def _run_job(engine: Engine, args: Mapping[str, Any]) -> None:
    jobs.run(engine, UUID(args["job_id"]))


def _deliver(engine: Engine, args: Mapping[str, Any]) -> None:
    messages.deliver(engine, int(args["message_id"]))


def _answer(engine: Engine, args: Mapping[str, Any]) -> None:
    jobs.answer(engine, UUID(args["instance_id"]))


def _instance(args: Mapping[str, Any]) -> UUID | None:
    """The case that asked for a call; a call may also come from outside of every case."""
    return UUID(args["instance_id"]) if args.get("instance_id") else None


def _call(engine: Engine, args: Mapping[str, Any]) -> None:
    jobs.call(engine, args["topic"], args["arguments"], UUID(args["key"]), _instance(args))


TASKS: Mapping[str, Callable[[Engine, Mapping[str, Any]], None]] = {
    "qianyin.run_job": _run_job,
    "qianyin.deliver": _deliver,
    "qianyin.answer": _answer,
    "qianyin.call": _call,
}


def give_up(name: str, args: Mapping[str, Any], error: BaseException) -> None:
    """The last attempt has failed: people are told by an incident, nothing vanishes silently."""
    why = jobs.describe(error)
    if name == "qianyin.deliver":
        db.retrying(lambda session: messages.give_up(session, int(args["message_id"]), why))
    elif name == "qianyin.call":
        told, instance_id = f"{args['topic']}：{why}", _instance(args)
        db.retrying(lambda s: incidents.raise_incident(s, "handler", instance_id, told, detail=dict(args)))
    elif name == "qianyin.run_job":
        db.retrying(lambda session: jobs.release(session, UUID(args["job_id"])))
    elif name == "qianyin.answer":
        db.retrying(lambda session: jobs.unanswered(session, UUID(args["instance_id"]), why))


# ---- one process


def make_app(engine: Engine, url: str, config: Config) -> procrastinate.App:
    """Procrastinate's app with our tasks; `url` as libpq reads it."""
    connector = procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=4)
    app = procrastinate.App(connector=connector)
    for name, work in TASKS.items():
        app.task(name=name, pass_context=True, retry=RETRY)(_task(engine, name, work, config))
    return app


def _task(
    engine: Engine, name: str, work: Callable[[Engine, Mapping[str, Any]], None], config: Config
) -> Callable[..., None]:
    def task(context: Any, **args: Any) -> None:
        try:
            demo_clock.tick(config.demo)
            work(engine, args)
        except Exception as error:
            permanent = isinstance(error, HandlerFailed) and error.permanent
            if not permanent and context.job.attempts < (RETRY.max_attempts or 0):
                raise
            logger.exception("job %s %s is given up", name, args)
            give_up(name, args, error)

    return task


def run(config: Config, stop: threading.Event, children: Children | None = None) -> None:
    """Work until `stop` is set; running jobs are finished first. Signals are the caller's business.

    `children` call the external handlers; those of the product when none are given. When the database goes away, what
    was under way is dropped (its transaction is undone) and all begins anew.
    """
    engine = runtime.engine()
    engine.outside = children = children or Children.of(config)
    holding = Holding()
    rounds = threading.Thread(
        target=worker_rounds.run, args=(engine, config, holding, stop), name="rounds", daemon=True
    )
    warm = threading.Thread(target=children.warm, name="warm", daemon=True)
    rounds.start()
    warm.start()
    threading.Thread(target=_interrupt, args=(children, stop), name="interrupt", daemon=True).start()
    threading.Thread(target=housekeeping.run, args=(config, stop), name="housekeeping", daemon=True).start()
    operating = threading.Thread(target=batches.run, args=(stop,), name="batches", daemon=True)
    operating.start()
    try:
        asyncio.run(_work(engine, config, holding, stop))
    finally:
        stop.set()
        children.close()
        rounds.join(GRACE)
        operating.join(GRACE)


def _interrupt(children: Children, stop: threading.Event) -> None:
    """Handlers get the time of grace, then they are ended: the next worker calls them again."""
    stop.wait()
    time.sleep(GRACE)
    children.close()


async def _work(engine: Engine, config: Config, holding: Holding, stop: threading.Event) -> None:
    threads = ThreadPoolExecutor(config.worker_threads, thread_name_prefix="job")
    asyncio.get_running_loop().set_default_executor(threads)
    while not stop.is_set():
        holding.begin()
        turn = asyncio.create_task(_turn(make_app(engine, config.database_url, config), config, holding))
        while not stop.is_set() and not turn.done():
            await asyncio.sleep(0.2)
        turn.cancel()
        try:
            await turn
        except asyncio.CancelledError:
            logger.info("the worker has stopped")
        except Exception as error:  # a worker that ended for want of a database, or could not begin
            logger.warning("the worker has lost its database and begins anew: %s", error)
        if not stop.is_set():
            await asyncio.sleep(PAUSE)


async def _turn(app: procrastinate.App, config: Config, holding: Holding) -> None:
    """One life of Procrastinate's worker, from its registration to the loss of its connection."""
    async with app.open_async():
        await app.run_worker_async(
            concurrency=config.worker_threads,
            fetch_job_polling_interval=POLL,
            abort_job_polling_interval=60.0,
            shutdown_graceful_timeout=GRACE,
            delete_jobs="always",
            install_signal_handlers=False,
            update_heartbeat_interval=BEAT,
            stalled_worker_timeout=SILENT,
            worker_middleware=[holding.hold],
        )


# ---- without a worker

_FETCH = text("SELECT id, task_name, args FROM procrastinate_fetch_job_v2(NULL, NULL) WHERE id IS NOT NULL")
_FINISH = text("SELECT procrastinate_finish_job_v1(:id, 'succeeded', true)")


def drain(engine: Engine, limit: int = 10_000) -> int:
    """Do everything that is due now, here, until nothing is left; how many jobs and timers that were.

    For tests, scenarios and the demo's data. What was to be done must be committed before. A job's fault is raised.
    """
    done = 0
    while done < limit:
        count = timers.fire_due(engine) + _run_queue(engine)
        if not count:
            db.retrying(jobs.enqueue_due)
            db.retrying(messages.enqueue_matching)
            count = _run_queue(engine)
        if not count:
            return done
        done += count
    raise RuntimeError(f"still not done after {limit} jobs")


def _run_queue(engine: Engine) -> int:
    done = 0
    while True:
        job = db.retrying(lambda session: session.execute(_FETCH).one_or_none())
        if job is None:
            return done
        try:
            TASKS[job.task_name](engine, job.args)
        finally:
            db.retrying(lambda session, id=job.id: session.execute(_FINISH, {"id": id}))  # type: ignore[misc]
        done += 1
