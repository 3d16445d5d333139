"""What an execution asks of its surroundings while a step runs: the time, local handlers, decisions.

One host lives as long as its execution in the cache; each step lends it what belongs to that step alone.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.orm import Session

from webapp import db
from webapp.engine.bpmn.codec import clone, encode
from webapp.engine.commands import Cancel, StartInstance
from webapp.engine.errors import BpmnError, HandlerFailed
from webapp.engine.handler_api import Actor, HandlerContext
from webapp.engine.store import Defer
from webapp.engine.types import Element, Variables
from webapp.errors import NotFound, QianyinError
from webapp.ids import uuid7

if TYPE_CHECKING:
    from webapp.engine.runtime import Engine

logger = logging.getLogger(__name__)


class Parked(HandlerFailed):
    """Not a failure: the topic's handler is an external one, a worker calls it after the commit."""


@dataclass(slots=True)
class Step:
    """What belongs to one step of one instance."""

    engine: Engine
    session: Session
    instance_id: UUID
    root_instance_id: UUID
    business_key: str | None
    org_id: UUID | None
    deployment_id: UUID
    actor: Actor | None
    now: datetime
    defers: list[Defer] = field(default_factory=list)
    after: list[tuple[UUID, Cancel]] = field(default_factory=list)  # of this very instance, when the step is written


class StepHost:
    """The `Host` of an execution."""

    def __init__(self) -> None:
        self.step: Step | None = None

    @property
    def current(self) -> Step:
        assert self.step is not None, "an execution runs only inside a step"
        return self.step

    def now(self) -> datetime:
        return self.current.now

    def decide(self, decision_ref: str, variables: Variables) -> list[dict[str, Any]]:
        """Errors: NotFound."""
        step = self.current
        decision = step.engine.definitions.decision(step.session, step.deployment_id, decision_ref)
        return decision.evaluate(variables, now=step.now)

    def call_handler(self, element: Element, variables: Variables) -> Mapping[str, Any]:
        """Run a local handler, under a savepoint once it uses the database.

        Errors: BpmnError, HandlerFailed (its effects are rolled back).
        """
        step = self.current
        registered = step.engine.hooks.handlers.get(element.topic or "")
        if registered is None:
            raise HandlerFailed(f"没有名为“{element.topic}”的处理程序。", permanent=True)
        if registered.external:
            raise Parked("等待后台处理。")
        enqueued, later = len(step.defers), len(step.after)
        try:
            with ExitStack() as savepoint:
                opened = functools.cache(functools.partial(_opened, step.session, savepoint))
                return dict(registered.call(_context(step, element, variables, opened)) or {})
        except BaseException as error:
            del step.defers[enqueued:], step.after[later:]
            told = _told(error, element)
            if told is error:
                raise
            raise told from error


def _told(error: BaseException, element: Element) -> BaseException:
    """What the execution is told: a fault of the handler never spoils the person's step, a deadlock repeats it.

    When the database went away there is nothing left to roll back to: the whole step has failed.
    """
    if isinstance(error, BpmnError | HandlerFailed) or not isinstance(error, Exception):
        return error
    if db.is_retryable(error) or db.is_lost(error):
        return error
    logger.warning("handler %s failed at %s", element.topic, element.id, exc_info=error)
    if isinstance(error, QianyinError):
        return HandlerFailed(str(error))
    return HandlerFailed(f"{type(error).__name__}: {error}")


def _opened(session: Session, savepoint: ExitStack) -> Session:
    """The session, from now on under a savepoint: many handlers only compute, and need none."""
    savepoint.enter_context(session.begin_nested())
    return session


def _context(step: Step, element: Element, variables: Variables, opened: Callable[[], Session]) -> HandlerContext:
    return HandlerContext(
        opened=opened,
        instance_id=step.instance_id,
        business_key=step.business_key,
        element_id=element.id,
        variables=variables,
        now=step.now,
        actor=step.actor,
        properties=element.properties,
        start_instance=lambda key, variables=None, **keywords: _start(step, opened(), key, variables or {}, keywords),
        enqueue=lambda topic, arguments: _enqueue(step, topic, arguments),
        cancel_instance=lambda instance_id, reason: _cancel(step, opened(), instance_id, reason),
    )


def _start(step: Step, session: Session, key: str, variables: Mapping[str, Any], keywords: Mapping[str, Any]) -> UUID:
    """Start another instance of the same case, in the same transaction. Errors: those of `Engine.start`, TypeError."""
    command = StartInstance(
        key=key,
        variables=variables,
        **{"root_instance_id": step.root_instance_id, **keywords},
    )
    return step.engine.start(session, command, step.actor).instance_id


def _enqueue(step: Step, topic: str, arguments: Mapping[str, Any]) -> None:
    registered = step.engine.hooks.handlers.get(topic)
    if registered is None or not registered.external:
        raise NotFound(f"没有名为“{topic}”的外部处理程序。")
    args = {
        "topic": topic,
        "arguments": encode(clone(dict(arguments))),
        "key": str(uuid7()),
        "instance_id": str(step.instance_id),
    }
    step.defers.append(Defer("qianyin.call", args, queue="external"))


def _cancel(step: Step, session: Session, instance_id: UUID, reason: str) -> None:
    running = step.engine.running_step(session, instance_id)
    if running is not None:  # the handler runs inside it: when its step is written
        running.after.append((instance_id, Cancel(reason)))
    else:
        step.engine.step(session, instance_id, Cancel(reason), step.actor)
