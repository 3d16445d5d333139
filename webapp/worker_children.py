"""The worker's child processes: external handlers run there, so that none can take the worker with it.

A handler that hangs is killed at its time limit; one that eats memory or kills its process fails alone. A few children
are kept and used again: the first is forked from a process that has loaded everything (`webapp.worker_preload`).
"""

from __future__ import annotations

import functools
import logging
import multiprocessing
import signal
import threading
from collections.abc import Callable
from typing import Any

from webapp import clock, worker_child
from webapp.config import Config
from webapp.engine.bpmn.codec import decode
from webapp.engine.errors import BpmnError, HandlerFailed
from webapp.engine.handler_api import ExternalContext, Hooks
from webapp.engine.outside import Interrupted, registered
from webapp.worker_child import Answer

logger = logging.getLogger(__name__)

#: A child is replaced after so many calls, so that what a library leaks never adds up.
CALLS = 500
#: Seconds that a child has to get ready, on a busy machine.
START = 120.0

_context = multiprocessing.get_context("forkserver")


class Child:
    """One process and the pipe to it."""

    def __init__(self, make_ready: Callable[[], Hooks], memory: int) -> None:
        self.calls = 0
        self.killed_for = ""
        self.pipe, theirs = _context.Pipe()
        arguments = (theirs, make_ready, memory)
        self.process = _context.Process(target=worker_child.serve, args=arguments, daemon=True, name="handlers")
        try:
            self.process.start()
            theirs.close()
            self._received(START)
        except (EOFError, OSError) as error:
            logger.exception("a process of handlers did not start")
            theirs.close()
            self.end()
            raise HandlerFailed("运行处理程序的进程不能启动，详见日志。") from error

    def call(self, topic: str, context: ExternalContext, limit: float) -> Answer:
        """Have it call a handler, for `limit` seconds at most. Errors: EOFError when the process has ended."""
        self.calls += 1
        try:
            self.pipe.send((topic, context, limit, clock.clock.offset))
        except OSError as error:  # killed between two calls, or because the worker stops
            raise EOFError from error
        return self._received(limit)

    def _received(self, limit: float) -> Answer:
        watchdog = threading.Timer(limit, self.kill, ["time"])
        watchdog.daemon = True
        watchdog.start()
        try:
            answer: Answer = self.pipe.recv()
            return answer
        except OSError as error:
            raise EOFError from error
        finally:
            watchdog.cancel()

    def kill(self, reason: str) -> None:
        """End it at once, whatever it does; `killed_for` tells why."""
        self.killed_for = self.killed_for or reason
        self.process.kill()

    def end(self) -> None:
        """Let it go: it leaves when the pipe closes, or is killed."""
        self.pipe.close()
        if self.process.pid is not None:
            self.process.join(0.5)
            if self.process.exitcode is None:
                self.process.kill()
                self.process.join()


class Children:
    """A few processes that are used again; a `Caller` for the engine. Thread-safe."""

    def __init__(
        self, make_ready: Callable[[], Hooks], *, size: int, seconds: float, memory: int, preload: tuple[str, ...] = ()
    ) -> None:
        self._make_ready, self._size, self._seconds, self._memory = make_ready, size, seconds, memory
        self._idle: list[Child] = []
        self._busy: set[Child] = set()
        self._lock, self._growing = threading.Lock(), threading.Lock()
        self._closed = False
        _context.set_forkserver_preload(list(preload))

    @classmethod
    def of(cls, config: Config) -> Children:
        """The product's."""
        return cls(
            functools.partial(worker_child.prepare, config),
            size=config.worker_threads,
            seconds=config.handler_seconds,
            memory=config.handler_memory,
            preload=("webapp.worker_preload",),
        )

    def __call__(self, hooks: Hooks, topic: str, context: ExternalContext) -> dict[str, Any]:
        """Call the handler of a topic in a child.

        Errors: BpmnError, HandlerFailed with what went wrong in words, Interrupted when the worker stops.
        """
        limit = registered(hooks, topic).time_limit or self._seconds
        child = self._take()
        try:
            answer = child.call(topic, context, limit)
        except EOFError:
            self._lose(child)
            raise self._lost(child, limit) from None
        except BaseException:
            self._lose(child)
            raise
        self._give_back(child, again=answer.kind != "memory")
        return self._told(answer)

    def _told(self, answer: Answer) -> dict[str, Any]:
        if answer.kind == "fault":
            raise BpmnError(answer.code, answer.words)
        if answer.kind == "memory":
            raise HandlerFailed(f"处理程序占用的内存超过 {self._memory // 2**20} MB，已被终止。")
        if answer.kind == "failed":
            raise HandlerFailed(answer.words, permanent=answer.permanent)
        result: dict[str, Any] = decode(answer.result)
        return result

    def _lost(self, child: Child, limit: float) -> Exception:
        if child.killed_for == "stop":
            return Interrupted()
        if child.killed_for == "time":
            return HandlerFailed(f"处理程序运行超过 {limit:g} 秒，已被终止。")
        return HandlerFailed(f"处理程序运行中，其进程意外终止（{_cause(child.process.exitcode)}）。")

    # ---- the pool

    def warm(self) -> None:
        """Have one child ready before the first call."""
        if not self._idle and not self._busy:
            self._give_back(self._take())

    def _take(self) -> Child:
        if (child := self._idle_one()) is not None:
            return child
        with self._growing:  # one after the other: what the first loads, the others share
            if (child := self._idle_one()) is not None:
                return child
            child = Child(self._make_ready, self._memory)
        with self._lock:
            self._busy.add(child)
            if self._closed:
                child.kill("stop")
        return child

    def _idle_one(self) -> Child | None:
        with self._lock:
            if self._closed:
                raise Interrupted
            while self._idle:
                child = self._idle.pop()
                if child.process.is_alive():
                    self._busy.add(child)
                    return child
                child.end()
        return None

    def _give_back(self, child: Child, *, again: bool = True) -> None:
        with self._lock:
            self._busy.discard(child)
            kept = again and child.calls < CALLS and len(self._idle) < self._size and not self._closed
            if kept:
                self._idle.append(child)
        if not kept:
            child.end()

    def _lose(self, child: Child) -> None:
        with self._lock:
            self._busy.discard(child)
        child.end()

    def pids(self) -> list[int]:
        """The processes that are at work now."""
        with self._lock:
            return [child.process.pid for child in self._busy if child.process.pid]

    def close(self) -> None:
        """End all of them; calls under way are interrupted."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for child in self._busy:
                child.kill("stop")
        for child in idle:
            child.end()


def _cause(exit_code: int | None) -> str:
    """The end of a process in words."""
    if exit_code is None or exit_code >= 0:
        return f"退出码 {exit_code}"
    try:
        return f"信号 {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"信号 {-exit_code}"
