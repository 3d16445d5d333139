"""The execution of one instance in memory: what the runtime calls (contract "engine, in memory").

Every method that moves the instance runs until everything waits, and reports by `drain()`. A method that raises
anything but `TaskNotOpen` leaves the execution in an undefined state: drop it and load the last stored state again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from webapp.engine.bpmn import loops, migrating, moving, state
from webapp.engine.bpmn.expressions import Incident
from webapp.engine.bpmn.model import CompiledProcess
from webapp.engine.bpmn.specs import Node
from webapp.engine.bpmn.tasks import CallActivity, ServiceTask, raise_fault, take
from webapp.engine.bpmn.tokens import ERROR, READY, STARTED, WAITING, Token
from webapp.engine.bpmn.workflow import ProcessWorkflow
from webapp.engine.errors import BpmnError, TaskNotOpen
from webapp.engine.types import EndState, Event, Host, TaskClosed
from webapp.errors import Invalid


class Execution:
    """One instance, hydrated. Not thread-safe."""

    def __init__(self, workflow: ProcessWorkflow) -> None:
        self._workflow = workflow

    # ---- life

    @classmethod
    def start(
        cls, compiled: CompiledProcess, variables: Mapping[str, Any], host: Host, *, start_element: str | None = None
    ) -> Self:
        """A new instance, run until everything waits.

        `start_element`: the start event's id; without it the none start event. Errors: Invalid (no such start event,
        a variable of a type that cannot be kept).
        """
        workflow = ProcessWorkflow(compiled, host)
        root = workflow.spawn(compiled.spec.root, None)
        root.locals = workflow.copy(dict(variables))
        chosen = _start(compiled, start_element)
        if chosen is not None:
            root.info["start"] = chosen
        execution = cls(workflow)
        workflow.advance()
        return execution

    @classmethod
    def load(cls, compiled: CompiledProcess, blob: bytes, host: Host) -> Self:
        """From `dump()`. Errors: Invalid when the state refers to an element that `compiled` does not have (trap 6)."""
        return cls(state.load(compiled, blob, host))

    def dump(self) -> bytes:
        """The state: tokens, scopes, compensation records. No specifications."""
        return state.dump(self._workflow)

    @property
    def ended(self) -> EndState | None:
        return self._workflow.ended

    def drain(self) -> list[Event]:
        """What happened since the last drain, in order."""
        events, self._workflow.events = self._workflow.events, []
        return events

    # ---- moving

    def complete(self, node: UUID, variables: Mapping[str, Any]) -> None:
        """A person has done an open user task. Errors: TaskNotOpen."""
        token = self._token(node, READY)
        if not token.task_spec.manual or token.body:
            raise TaskNotOpen()
        workflow = self._workflow
        workflow.results(token, variables)
        workflow.emit(TaskClosed(token.id, token.element_id, cancelled=False))
        workflow.leave_later(token)
        workflow.advance()

    def deliver(self, node: UUID, payload: Mapping[str, Any]) -> None:
        """The message, signal or timer that this node waits for has come. Errors: TaskNotOpen."""
        token = self._token(node, WAITING)
        if token.info.get("wait") not in ("message", "signal", "timer"):
            raise TaskNotOpen()
        token.task_spec.deliver(token, dict(payload))
        self._workflow.advance()

    def resume(self, node: UUID, result: Mapping[str, Any]) -> None:
        """A parked service task or call activity has its result. Errors: TaskNotOpen."""
        take(self._parked(node), result)
        self._workflow.advance()

    def fail(self, node: UUID, fault: BpmnError) -> None:
        """A parked service task or call activity ended with a business fault. Errors: TaskNotOpen."""
        token = self._parked(node)
        try:
            raise_fault(token, fault)
        except Incident as incident:
            self._workflow.stop_waiting(token)
            self._workflow.incident(token, str(incident))
        self._workflow.advance()

    def retry(self, node: UUID) -> None:
        """Do again what failed: a parked local handler, or any element with an incident. Errors: TaskNotOpen."""
        token = self._workflow.tasks.get(node)
        if token is not None and token.state == ERROR:
            self._workflow.retry(token)
        else:
            token = self._parked(node)
            self._workflow.stop_waiting(token)
            token._set_state(READY)
            self._workflow.queue.append(token)
        self._workflow.advance()

    def cancel(self) -> None:
        """An operation ends the instance. Without effect when it has ended."""
        workflow = self._workflow
        if workflow.ended is None:
            for child in workflow.root.kids:
                workflow.cancel(child)
            workflow.end(EndState.CANCELLED)
            workflow.moment = None

    # ---- operations

    def standing(self, element_id: str) -> list[Token]:
        """The tokens at an element; of a loop its body. For plans of `moving`, which the caller judges first."""
        return [
            token
            for token in self._workflow.tasks.values()
            if token.element_id == element_id and not token.listener and not token.info.get("loop") and token.up
        ]

    def token(self, node: UUID) -> Token:
        """A live token by its node. Errors: TaskNotOpen."""
        token = self._workflow.tasks.get(node)
        if token is None or self._workflow.ended is not None:
            raise TaskNotOpen()
        return token

    @property
    def root(self) -> Token:
        """The process itself."""
        return self._workflow.root

    def goal(self, element_id: str) -> Node:
        """An element that a token may be put at. Errors: Invalid."""
        return moving.goal(self._workflow, element_id)

    def carry_out(self, plan: moving.Plan) -> None:
        """An operation takes tokens away and opens others; then everything runs until it waits."""
        moving.carry_out(self._workflow, plan)
        self._workflow.advance()

    def again(self, body: Token, index: int) -> None:
        """One instance of a loop (from 0) begins anew. Errors: Invalid."""
        try:
            loops.again(body, index)
        except Incident as incident:
            raise Invalid(str(incident)) from incident
        self._workflow.advance()

    def hindrances(self, new: CompiledProcess, mapping: Mapping[str, str]) -> list[migrating.Hindrance]:
        """Why the instance cannot go on in another version; nothing: it can."""
        return migrating.hindrances(self._workflow, new, mapping)

    def become(self, new: CompiledProcess, mapping: Mapping[str, str]) -> None:
        """Go on in another version, which has no hindrances; then run until everything waits. Errors: Invalid."""
        try:
            migrating.become(self._workflow, new, mapping)
        except Incident as incident:
            raise Invalid(str(incident)) from incident
        self._workflow.advance()

    def element_at(self, node: UUID) -> str | None:
        """The element of a live token, listeners included."""
        token = self._workflow.tasks.get(node)
        return None if token is None else token.element_id

    # ---- variables and tokens

    def set_variables(self, variables: Mapping[str, Any]) -> None:
        """Set variables of the instance; conditional events may happen by it. Errors: Invalid."""
        root = self._workflow.root
        self._workflow.assign(root, variables)
        root.changed.clear()
        self._workflow.advance()

    def variables(self, node: UUID | None = None) -> dict[str, Any]:
        """A copy of the variables that a node sees, of the instance without one. Errors: TaskNotOpen."""
        token = self._workflow.root if node is None else self._workflow.tasks.get(node)
        if token is None:
            raise TaskNotOpen()
        copied: dict[str, Any] = self._workflow.copy(dict(self._workflow.visible(token)))
        return copied

    def tokens(self) -> list[tuple[str, UUID, str, datetime]]:
        """Where the instance stands: (element id, node, state, since), oldest first.

        States: `open` (user task), `waiting` (event), `joining`, `parked` (service task, call), `incident`, `active`
        (a scope or loop with tokens inside). Listeners of boundary events and event subprocesses are not tokens; the
        process itself is one only while it has an incident (its event subprocesses could not begin to listen).
        """
        if self._workflow.ended is not None:
            return []
        return [
            (token.element_id, token.id, _state(token), token.started_at)
            for token in self._workflow.tasks.values()
            if (token.up is not None or token.state == ERROR) and not token.listener and not (token.body and token.kids)
        ]

    def waits(self) -> dict[UUID, tuple[str, str]]:
        """Every live activation, listeners too: node -> (element id, what it waits for: timer, message … or "")."""
        if self._workflow.ended is not None:
            return {}
        return {t.id: (t.element_id, str(t.info.get("wait") or "")) for t in self._workflow.tasks.values()}

    # ---- inside

    def _token(self, node: UUID, wanted: int) -> Token:
        token = self._workflow.tasks.get(node)
        if token is None or token.state != wanted or self._workflow.ended is not None:
            raise TaskNotOpen()
        return token

    def _parked(self, node: UUID) -> Token:
        token = self._token(node, STARTED)
        if token.info.get("wait") not in ("service", "call") or not isinstance(
            token.task_spec, ServiceTask | CallActivity
        ):
            raise TaskNotOpen()
        return token


def _start(compiled: CompiledProcess, wanted: str | None) -> str | None:
    """The start event to use; None when the process begins without one."""
    starts = compiled.spec.root.starts
    events: list[Node] = [start for start in starts if start.element.type == "startEvent"]
    if wanted is not None:
        if any(start.name == wanted for start in events):
            return wanted
        raise Invalid(f"流程没有开始事件“{wanted}”。")
    if not events:
        return None
    plain = [start for start in events if start.event.kind == "none"]
    if not plain and len(events) > 1:
        raise Invalid("流程有多个开始事件，须指明由哪一个开始。")
    return str((plain or events)[0].name)


def _state(token: Token) -> str:
    if token.state == ERROR:
        return "incident"
    if token.state == READY:
        return "open"
    if token.state == WAITING:
        return "waiting" if "wait" in token.info or token.kids else "joining"
    return "parked" if "wait" in token.info else "active"
