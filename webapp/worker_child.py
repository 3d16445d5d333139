"""A process of external handlers: one call after the other, until the worker closes the pipe.

A composition root. It has connections of its own to the database, and a limit of memory. What a handler raises goes
back as words; what it gives goes back as checked variables. The worker kills it when its time is over.
"""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Literal

from webapp import clock, composition, db, logs
from webapp.config import Config
from webapp.engine.bpmn.codec import encode
from webapp.engine.errors import BpmnError, HandlerFailed
from webapp.engine.handler_api import ExternalContext, Hooks, hooks
from webapp.engine.jobs import describe
from webapp.engine.outside import call_here

logger = logging.getLogger(__name__)

#: Seconds after the time limit at which the system itself ends the process, should nobody else have done it.
LATE = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call went. `words`: of a fault or failure; `code`: of a business fault; `result`: encoded variables."""

    kind: Literal["ready", "done", "fault", "failed", "memory"]
    result: Any = None
    words: str = ""
    code: str = ""
    permanent: bool = False


def prepare(config: Config) -> Hooks:
    """Make this process one of the product's: logging, engine, handlers, database."""
    logs.configure(config.log_level)
    composition.build_engine(config)
    db.configure(config.database_url, pool_size=2)
    return hooks


def serve(connection: Connection, make_ready: Callable[[], Hooks], memory: int) -> None:
    """The life of the process. `memory`: bytes it may have for itself; 0 is no limit."""
    threading.Thread(target=_leave_with_worker, name="worker's end", daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the worker, which lets a call come to its end
    known = make_ready()
    if memory:
        _limit_memory(memory)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the worker has gone
        connection.send(Answer("ready"))
        while True:
            topic, context, limit, clock.clock.offset = connection.recv()
            signal.alarm(math.ceil(limit) + LATE)
            answer = answered(known, topic, context)
            signal.alarm(0)
            connection.send(answer)
            if answer.kind == "memory":
                return


def _leave_with_worker() -> None:
    """Nobody wants the answer any more when the worker was killed; the next one calls the handler again."""
    worker = multiprocessing.parent_process()
    if worker is not None:
        wait([worker.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)


def answered(known: Hooks, topic: str, context: ExternalContext) -> Answer:
    """Call a handler, whatever comes of it."""
    try:
        return Answer("done", encode(call_here(known, topic, context)))
    except BpmnError as fault:
        return Answer("fault", words=str(fault), code=fault.error_code)
    except MemoryError:
        return Answer("memory")
    except HandlerFailed as error:
        return Answer("failed", words=error.message, permanent=error.permanent)
    except SystemExit as error:
        return Answer("failed", words=f"处理程序要求退出进程（{error.code}）。")
    except Exception as error:
        logger.warning("external handler %s failed (job %s)", topic, context.job_id, exc_info=error)
        return Answer("failed", words=describe(error), permanent=getattr(error, "permanent", False))


def _limit_memory(most: int) -> None:
    """Let an allocation beyond `most` bytes fail (MemoryError); where the system cannot do that, nothing happens."""
    import resource

    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    logger.debug("process %s may have %s bytes", os.getpid(), most)
