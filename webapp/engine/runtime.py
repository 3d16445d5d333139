"""The runtime: every change of an instance goes through `Engine.step`, a new one through `Engine.start`.

A step is part of the caller's transaction: lock the instance and validate the cached execution in one statement, run
until everything waits (local handlers under savepoints), write all rows in one statement, enqueue jobs on the same
connection. The edge commits; then the execution goes back into the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.engine import actions, holding, messages, store, writing
from webapp.engine.bpmn import Execution
from webapp.engine.cache import Cache, Entry
from webapp.engine.case import Case
from webapp.engine.commands import (
    Cancel,
    Command,
    CompleteTask,
    Migrate,
    Resume,
    SetVariables,
    StartInstance,
    StepResult,
    Suspend,
)
from webapp.engine.definitions import Definition, Definitions
from webapp.engine.errors import InstanceNotActive, InstanceNotFound, InstanceSuspended
from webapp.engine.handler_api import Actor, Hooks, StartContext
from webapp.engine.host import Step, StepHost
from webapp.engine.messages import Correlated
from webapp.engine.outside import Caller, call_here
from webapp.engine.recorder import Recorder
from webapp.engine.store import Changes, Instance
from webapp.engine.tables import process_definition
from webapp.errors import Conflict, NotFound
from webapp.ids import uuid7

#: How long a thrown message waits for a receiver before it becomes an incident.
MESSAGE_TTL: Final = timedelta(days=90)
_RUNNING: Final = "webapp.engine.running"
#: What may be done to a suspended instance: nothing of this moves a token forward.
_WHEN_SUSPENDED: Final = Cancel | Resume | Suspend | SetVariables | Migrate


class Engine:
    """One per process, shared by its threads. It is given the domain's hooks; it never imports the domain."""

    def __init__(
        self,
        handlers: Hooks,
        org_scoped_roles: frozenset[str],
        resolve_account: Callable[[Session, str], UUID | None],
        *,
        actor_of: Callable[[Session, UUID], Actor | None] = lambda _session, _account_id: None,
        cache_size: int = 512,
        message_ttl: Callable[[Session], timedelta] = lambda _session: MESSAGE_TTL,
        outside: Caller = call_here,
    ) -> None:
        self.hooks = handlers
        self.org_scoped_roles = org_scoped_roles
        self.resolve_account = resolve_account
        self.actor_of = actor_of
        self.message_ttl = message_ttl
        #: how external handlers are called; the worker puts its child processes here
        self.outside = outside
        self.definitions = Definitions()
        self.cache = Cache(cache_size)

    # ---- the doors

    def definition(
        self, session: Session, *, key: str | None = None, definition_id: UUID | None = None
    ) -> tuple[Definition, bool]:
        """A definition version, or the latest of a process; and whether it takes no new cases now. Errors: NotFound."""
        d = process_definition.c
        statement = select(d.id, d.suspended).order_by(d.version.desc()).limit(1)
        statement = statement.where(d.key == key if definition_id is None else d.id == definition_id)
        row = session.execute(statement).one_or_none()
        if row is None:
            raise NotFound(f"没有流程“{key or definition_id}”。")
        return self.definitions.get(session, row.id), row.suspended

    def start(
        self,
        session: Session,
        command: StartInstance,
        actor: Actor | None = None,
        *,
        definition: Definition | None = None,
    ) -> StepResult:
        """Start an instance; it runs until everything waits. A registered starter is asked first.

        `definition`: what the command names, when the caller has looked it up, with whether it takes new cases.
        Errors: NotFound (no such process), Conflict (it takes no new cases), Invalid, what the starter says.
        """
        if definition is None:
            definition, suspended = self.definition(session, key=command.key, definition_id=command.definition_id)
            if suspended:
                raise Conflict(f"流程“{definition.name}”已暂停受理，不能发起。")
        instance_id = command.instance_id or uuid7()
        command = self._planned(session, command, definition, instance_id, actor)
        step = Step(
            self,
            session,
            instance_id,
            command.root_instance_id or instance_id,
            command.business_key,
            command.org_id,
            definition.deployment_id,
            actor,
            clock.now(),
        )
        recorder = self._recorder(step, definition, _new_row(command, definition, step), new=True)
        recorder.audit("instance.start")
        with _running(step):
            host = StepHost()
            host.step = step
            execution = Execution.start(
                definition.compiled, command.variables, host, start_element=command.start_element
            )
            recorder.changed.update(command.variables)
            return self._finish(step, recorder, execution, host, version=1, title=command.title or definition.name)

    def step(self, session: Session, instance_id: UUID, command: Command, actor: Actor | None = None) -> StepResult:
        """THE one door: change a running instance by a command, in the session's transaction.

        Errors: InstanceNotFound, InstanceNotActive, InstanceSuspended, TaskNotOpen, NotFound (no such task, job …),
        Invalid (variables that cannot be kept).
        """
        if instance_id in _steps(session):
            raise Conflict("该办理事项正在本次操作中办理，不能再次进入。")
        entry = self.cache.take(session, instance_id)
        task_id = command.task_id if isinstance(command, CompleteTask) else None
        cached = entry.version if entry else -1
        found = holding.take(session, instance_id, cached, task_id) or store.lock(session, instance_id, cached, task_id)
        if found is None:
            raise InstanceNotFound()
        instance, task = found
        if instance.status != "active":
            raise actions.closed_task(session, task_id) if task_id else InstanceNotActive()
        if instance.suspended and not isinstance(command, _WHEN_SUSPENDED):
            raise InstanceSuspended()
        definition = self.definitions.get(session, instance.definition_id)
        step = Step(
            self,
            session,
            instance_id,
            instance.root_instance_id,
            instance.business_key,
            instance.org_id,
            definition.deployment_id,
            actor,
            clock.now(),
        )
        entry = self._hydrated(entry, instance, definition)
        entry.host.step = step
        recorder = self._recorder(step, definition, {}, new=False, suspended=instance.suspended)
        with _running(step):
            actions.apply(command, actions.Context(session, step, recorder, entry.execution, instance, task))
            return self._finish(
                step,
                recorder,
                entry.execution,
                entry.host,
                version=instance.version + 1,
                title=instance.title,
                instance=instance,
                stood=entry.incidents,
            )

    def correlate(
        self,
        session: Session,
        name: str,
        *,
        correlation_key: str | None = None,
        business_key: str | None = None,
        instance_id: UUID | None = None,
        payload: Mapping[str, Any] | None = None,
        actor: Actor | None = None,
    ) -> Correlated:
        """Give a message to exactly one waiting instance, or start one by its message start event (Camunda 7).

        Errors: NobodyWaits when nobody or more than one waits.
        """
        wanted = messages.Wanted(name, correlation_key, business_key, instance_id)
        return messages.correlate(self, session, wanted, payload or {}, actor)

    def signal(
        self, session: Session, name: str, payload: Mapping[str, Any] | None = None, actor: Actor | None = None
    ) -> int:
        """Give a signal to everyone who waits for it now, each in a transaction of its own; how many."""
        return messages.broadcast(self, session, name, payload or {})

    def running_step(self, session: Session, instance_id: UUID) -> Step | None:
        """The step of that instance that is running in this session, if there is one."""
        return _steps(session).get(instance_id)

    # ---- parts of a step

    def _planned(
        self, session: Session, command: StartInstance, definition: Definition, instance_id: UUID, actor: Actor | None
    ) -> StartInstance:
        """Ask the process's starter; what the command names itself goes first."""
        starter = self.hooks.starters.get(definition.key)
        if starter is None:
            return command
        context = StartContext(session, instance_id, definition.key, command.variables, actor, clock.now())
        plan = starter(context)
        return replace(
            command,
            variables={**command.variables, **plan.variables},
            business_key=command.business_key or plan.business_key,
            title=command.title or plan.title,
            org_id=command.org_id or plan.org_id,
        )

    def _recorder(
        self, step: Step, definition: Definition, row: store.Row, *, new: bool, suspended: bool = False
    ) -> Recorder:
        def external(topic: str) -> bool:
            registered = self.hooks.handlers.get(topic)
            return registered is not None and registered.external

        case = Case(
            step.instance_id,
            step.root_instance_id,
            definition,
            step.business_key,
            step.org_id,
            step.now,
            step.actor.id if step.actor else None,
            lambda name: self.resolve_account(step.session, name),
            external,
            self.org_scoped_roles,
            lambda: self.message_ttl(step.session),
            suspended,
        )
        return Recorder(case, Changes(step.instance_id, row, b"", new=new, settled_by=case.actor_id))

    def _hydrated(self, entry: Entry | None, instance: Instance, definition: Definition) -> Entry:
        """The execution as of the locked row: from the cache, else from its state."""
        if instance.state is None:
            return cast(Entry, entry)
        host = StepHost()
        execution = Execution.load(definition.compiled, instance.state, host)
        return Entry(instance.version, execution, host, writing.in_incident(execution.tokens()))

    def _finish(
        self,
        step: Step,
        recorder: Recorder,
        execution: Execution,
        host: StepHost,
        *,
        version: int,
        title: str,
        instance: Instance | None = None,
        stood: frozenset[UUID] = frozenset(),
    ) -> StepResult:
        """Write what the step did, and what follows from it in the same transaction."""
        session, changes = step.session, recorder.changes
        recorder.take(execution.drain())
        incidents = writing.complete(recorder, execution, title, instance, stood)
        host.step = None
        changes.defers += step.defers
        changes.messages += messages.for_signals(session, recorder)
        thrown = store.write(session, changes, step.now)
        changes.defers += messages.deliveries(session, recorder, thrown)
        super_instance_id = changes.row.get("super_instance_id") if instance is None else instance.super_instance_id
        if recorder.ended is not None and super_instance_id is not None:
            changes.defers.append(store.Defer("qianyin.answer", {"instance_id": str(step.instance_id)}))
        store.defer(session, changes.defers)
        self.cache.keep(session, step.instance_id, Entry(version, execution, host, incidents))
        actions.cancel_called(self, step, recorder)
        opened = tuple(task["id"] for task in changes.tasks if task["status"] == "open")
        ended = recorder.ended.state if recorder.ended else None
        result = StepResult(step.instance_id, opened, ended, step.business_key)
        return self._afterwards(step, result)

    def _afterwards(self, step: Step, result: StepResult) -> StepResult:
        """Carry out what a handler asked of the very instance that it ran in."""
        _steps(step.session).pop(step.instance_id, None)
        for instance_id, command in step.after:
            if result.ended is None:
                result = self.step(step.session, instance_id, command, step.actor)
        return result


def _steps(session: Session) -> dict[UUID, Step]:
    return cast(dict[UUID, Step], session.info.setdefault(_RUNNING, {}))


@contextmanager
def _running(step: Step) -> Iterator[None]:
    """While it runs, a step cannot be entered a second time (by a handler that reaches for its own instance)."""
    steps = _steps(step.session)
    steps[step.instance_id] = step
    try:
        yield
    finally:
        steps.pop(step.instance_id, None)


def _new_row(command: StartInstance, definition: Definition, step: Step) -> store.Row:
    return {
        "definition_id": definition.id,
        "definition_key": definition.key,
        "business_key": command.business_key,
        "status": "active",
        "org_id": command.org_id,
        "started_by": command.started_by or (step.actor.id if step.actor else None),
        "started_at": step.now,
        "ended_at": None,
        "end_reason": None,
        "super_instance_id": command.super_instance_id,
        "super_node": command.super_node,
        "root_instance_id": step.root_instance_id,
    }


_engine: Engine | None = None


def install(engine: Engine) -> None:
    """Make `engine` the process's engine (the composition root does this once)."""
    global _engine
    _engine = engine


def engine() -> Engine:
    """The process's engine. Errors: RuntimeError before `install`."""
    if _engine is None:
        raise RuntimeError("no engine is installed: call runtime.install(engine) first")
    return _engine


__all__ = ["Engine", "engine", "install"]
