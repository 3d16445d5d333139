"""The sandbox: processes run in memory. Handlers, other folders' processes, the clock and messages are doubles.

Nothing leaves it: no database, no job, no mail; what a model throws is only noted. A model that would never end is
stopped by the number of its steps and by time, and that is told.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from webapp.engine import duetime
from webapp.engine.bpmn import CompiledProcess, Execution
from webapp.engine.decisions import Decision, DecisionFailed
from webapp.engine.errors import BpmnError, TaskNotOpen
from webapp.engine.handler_api import Hooks
from webapp.engine.types import (
    ActivityEnded,
    CallWanted,
    Element,
    EndState,
    Event,
    IncidentRaised,
    InstanceEnded,
    MessageThrown,
    ServiceParked,
    SignalThrown,
    SubscriptionWanted,
    TaskClosed,
    TaskOpened,
    TimerWanted,
    Variables,
    WaitDropped,
)
from webapp.errors import Conflict, Invalid, NotFound
from webapp.i18n import _

MAX_ACTIVITIES: Final = 20_000
MAX_CASES: Final = 200
MAX_SECONDS: Final = 5.0
#: What stands for a result: (element, variables at that point) -> the outputs, None when nothing is known.
Double = Callable[[Element, Variables], Mapping[str, Any] | None]


class Stopped(Conflict):
    """A run took too many steps or too long: the model turns without end."""

    code = "sandbox_stopped"

    def __init__(self) -> None:
        super().__init__(_("试运行没有停下：流程可能陷入循环，请检查循环的条件。"))


@dataclass(frozen=True, slots=True)
class Wait:
    """What a case waits for. `kind`: task | timer | message | signal | incident; `name`: message, signal or why."""

    case: Case
    node: UUID
    kind: str
    element: Element
    name: str = ""
    due: datetime | None = None
    key: str | None = None


@dataclass(slots=True, eq=False)
class Case:
    """One instance in the sandbox; `caller`: the case and node that wait for it."""

    compiled: CompiledProcess
    execution: Execution | None = None
    caller: tuple[Case, UUID] | None = None
    ended: InstanceEnded | None = None

    def running(self) -> Execution:
        assert self.execution is not None
        return self.execution


@dataclass(slots=True)
class Used:
    """A double that stood for a handler or a process: what it gave, and whether the scenario had said so."""

    element: Element
    names: tuple[str, ...]
    values: Mapping[str, Any]
    given: bool


@dataclass(slots=True)
class Surroundings:
    """What is there besides the models themselves. `decision`: of other folders; raises NotFound."""

    hooks: Hooks
    decision: Callable[[str], Decision] | None = None
    processes: Mapping[str, CompiledProcess] = field(default_factory=dict)
    decisions: Mapping[str, Decision] = field(default_factory=dict)


class Sandbox:
    """Runs one process and those of its folder that it calls; also the `Host` of their executions."""

    def __init__(self, around: Surroundings, at: datetime, double: Double, *, seconds: float | None = None) -> None:
        self.around = around
        self.at = at
        self.double = double
        self.cases: list[Case] = []
        self.waits: dict[UUID, Wait] = {}
        self.path: list[str] = []  # what ended, in order; of called processes "key:element"
        self.reached: dict[str, set[str]] = {}  # process -> elements that a token came to
        self.rules: set[str] = set()  # ids of rules hit
        self.decided: list[tuple[str, tuple[str, ...]]] = []  # decision, rules hit
        self.used: list[Used] = []
        self.thrown: list[str] = []
        self._events: deque[tuple[Case, Event]] = deque()
        self._stop_at = time.monotonic() + (MAX_SECONDS if seconds is None else seconds)

    # ---- the Host

    def now(self) -> datetime:
        return self.at

    def tick(self) -> None:
        """Errors: Stopped."""
        if time.monotonic() > self._stop_at or len(self.path) > MAX_ACTIVITIES:
            raise Stopped()

    def call_handler(self, element: Element, variables: Variables) -> Mapping[str, Any]:
        """Errors: BpmnError, when that is what the double gives."""
        self.tick()
        return self._result(element, variables)

    def decide(self, decision_ref: str, variables: Variables) -> list[dict[str, Any]]:
        """Errors: NotFound, DecisionFailed."""
        self.tick()
        decision = self.around.decisions.get(decision_ref)
        if decision is None:
            if self.around.decision is None:
                raise NotFound(_("没有决策“%(key)s”。", key=decision_ref))
            decision = self.around.decision(decision_ref)
        traced = decision.trace(variables, now=self.at)
        self.rules.update(traced.rules)
        self.decided.append((decision_ref, traced.rules))
        if traced.error is not None:
            raise DecisionFailed(traced.error)
        return traced.rows

    def _result(self, element: Element, variables: Variables) -> Mapping[str, Any]:
        given = self.double(element, variables)
        registered = self.around.hooks.handlers.get(element.topic or "")
        names = tuple(registered.outputs) if registered is not None else ()
        values = {name: variables.get(name) for name in names} | dict(given or {})
        code = values.get("error") if given is not None and set(given) == {"error"} else None
        self.used.append(Used(element, names, values, given is not None))
        if code is not None:
            raise BpmnError(str(code))
        return values

    # ---- moving

    def start(self, process: str, variables: Mapping[str, Any]) -> None:
        """Errors: NotFound, Invalid, Stopped."""
        compiled = self.around.processes.get(process)
        if compiled is None:
            raise NotFound(_("本文件夹中没有流程“%(key)s”。", key=process))
        self._open(compiled, variables, None)
        self._settle()

    def complete(self, wait: Wait, data: Mapping[str, Any], outcome: str | None) -> None:
        """A person does an open task, as `CompleteTask` has it. Errors: Invalid, Stopped."""
        element = wait.element
        values = dict(data)
        if outcome is not None:
            if element.outcomes and all(one.value != outcome for one in element.outcomes):
                raise Invalid(_("“%(name)s”没有办理结果“%(outcome)s”。", name=named(element), outcome=outcome[:60]))
            values[element.outcome_variable] = outcome
            if element.outputs and all(output.name != element.outcome_variable for output in element.outputs):
                wait.case.running().set_variables({element.outcome_variable: outcome})
        wait.case.running().complete(wait.node, values)
        self._drained(wait.case)
        self._settle()

    def deliver(self, wait: Wait, payload: Mapping[str, Any]) -> None:
        """A message or signal comes; the clock goes to a timer's due time. Errors: Stopped."""
        if wait.due is not None:
            self.at = max(self.at, wait.due)
        wait.case.running().deliver(wait.node, payload)
        self._drained(wait.case)
        self._settle()

    def timers(self) -> list[Wait]:
        """The timers that wait, the next one first."""
        found = [wait for wait in self.waits.values() if wait.kind == "timer" and wait.due is not None]
        return sorted(found, key=lambda wait: (wait.due or self.at, str(wait.element.id)))

    def of(self, kind: str) -> list[Wait]:
        return [wait for wait in self.waits.values() if wait.kind == kind]

    @property
    def state(self) -> str:
        """completed | terminated | failed | waiting."""
        ended = self.cases[0].ended
        return "waiting" if ended is None else str(ended.state.value)

    def variables(self) -> dict[str, Any]:
        """Those of the process itself, as they are now."""
        return self.cases[0].running().variables()

    # ---- what happened

    def _open(self, compiled: CompiledProcess, variables: Mapping[str, Any], caller: tuple[Case, UUID] | None) -> None:
        if len(self.cases) >= MAX_CASES:
            raise Stopped()
        case = Case(compiled, caller=caller)
        self.cases.append(case)
        case.execution = Execution.start(compiled, variables, self)
        self._drained(case)

    def _drained(self, case: Case) -> None:
        self._events.extend((case, event) for event in case.running().drain())

    def _settle(self) -> None:
        while self._events:
            self.tick()
            case, event = self._events.popleft()
            _TAKE[type(event)](self, case, event)

    def _reach(self, case: Case, element_id: str) -> Element:
        self.reached.setdefault(case.compiled.info.key, set()).add(element_id)
        return case.compiled.elements.get(element_id) or Element(element_id, "process")

    def _wait(self, case: Case, event: Any, kind: str, **more: Any) -> None:
        self.waits[event.node] = Wait(case, event.node, kind, self._element(case, event.element_id), **more)

    def _element(self, case: Case, element_id: str) -> Element:
        return case.compiled.elements.get(element_id) or Element(element_id, "process")

    def _task_opened(self, case: Case, event: TaskOpened) -> None:
        self._reach(case, event.element_id)
        self._wait(case, event, "task", due=_due(event.due, self.at))

    def _dropped(self, case: Case, event: TaskClosed | WaitDropped) -> None:
        self.waits.pop(event.node, None)

    def _ended(self, case: Case, event: ActivityEnded) -> None:
        self.waits.pop(event.node, None)
        if event.cancelled or event.element_type == "process":
            return
        self._reach(case, event.element_id)
        own = case is self.cases[0]
        self.path.append(event.element_id if own else f"{case.compiled.info.key}:{event.element_id}")

    def _timer(self, case: Case, event: TimerWanted) -> None:
        due = _due(event.due, self.at)
        if due is None:
            self._wait(case, event, "incident", name=_("计时没有得到时间。"))
        else:
            self._wait(case, event, "timer", due=due)

    def _subscription(self, case: Case, event: SubscriptionWanted) -> None:
        self._wait(case, event, event.kind, name=event.name, key=event.correlation_key)

    def _message(self, case: Case, event: MessageThrown) -> None:
        """Noted; and delivered when somebody in the sandbox waits for it."""
        self.thrown.append(event.name)
        for wait in self.of("message"):
            if wait.name == event.name and wait.key == event.correlation_key:
                self._pass(wait, event.payload)
                return

    def _signal(self, case: Case, event: SignalThrown) -> None:
        self.thrown.append(event.name)
        for wait in self.of("signal"):
            if wait.name == event.name and wait.node in self.waits:
                self._pass(wait, event.payload)

    def _pass(self, wait: Wait, payload: Mapping[str, Any]) -> None:
        with suppress(TaskNotOpen):  # it was taken away by something that has not been told yet
            wait.case.running().deliver(wait.node, payload)
        self._drained(wait.case)

    def _parked(self, case: Case, event: ServiceParked) -> None:
        """An external handler: its double answers at once."""
        element = self._reach(case, event.element_id)
        try:
            case.running().resume(event.node, self._result(element, event.variables))
        except BpmnError as fault:
            case.running().fail(event.node, fault)
        self._drained(case)

    def _call(self, case: Case, event: CallWanted) -> None:
        element = self._reach(case, event.element_id)
        compiled = self.around.processes.get(event.called_key)
        if compiled is not None and self.double(element, event.variables) is None:
            self._open(compiled, event.variables, (case, event.node))
            return
        try:
            case.running().resume(event.node, self._result(element, event.variables))
        except BpmnError as fault:
            case.running().fail(event.node, fault)
        self._drained(case)

    def _incident(self, case: Case, event: IncidentRaised) -> None:
        self._reach(case, event.element_id)
        self._wait(case, event, "incident", name=event.message)

    def _over(self, case: Case, event: InstanceEnded) -> None:
        case.ended = event
        for node in [node for node, wait in self.waits.items() if wait.case is case]:
            del self.waits[node]
        if case.caller is None:
            return
        caller, node = case.caller
        if event.state is EndState.FAILED:
            caller.running().fail(node, BpmnError(event.error_code or ""))
        else:
            caller.running().resume(node, case.running().variables())
        self._drained(caller)


def named(element: Element) -> str:
    """How an element is called in a sentence."""
    return element.name or element.id


def _due(value: Any, at: datetime) -> datetime | None:
    try:
        due = duetime.compute(value, at)
    except Invalid:
        return None
    return None if due is None else due.at


_TAKE: Final[Mapping[type, Callable[[Sandbox, Case, Any], None]]] = {
    TaskOpened: Sandbox._task_opened,
    TaskClosed: Sandbox._dropped,
    WaitDropped: Sandbox._dropped,
    ActivityEnded: Sandbox._ended,
    TimerWanted: Sandbox._timer,
    SubscriptionWanted: Sandbox._subscription,
    MessageThrown: Sandbox._message,
    SignalThrown: Sandbox._signal,
    ServiceParked: Sandbox._parked,
    CallWanted: Sandbox._call,
    IncidentRaised: Sandbox._incident,
    InstanceEnded: Sandbox._over,
}
