"""The run of one instance: tokens that move until everything waits.

A subclass of SpiffWorkflow's BpmnWorkflow with a work queue instead of tree scans, without prediction, event manager or
script engine. Expressions read a chain of scopes (instance, subprocess, loop instance, activity), as in Camunda 7.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from SpiffWorkflow.bpmn.workflow import BpmnWorkflow

from webapp.engine.bpmn import compensation, moving
from webapp.engine.bpmn.expressions import Incident
from webapp.engine.bpmn.model import CompiledProcess, Flow
from webapp.engine.bpmn.scopes import Scopes
from webapp.engine.bpmn.specs import Node, ProcessSpec
from webapp.engine.bpmn.tokens import ERROR, FUTURE, READY, WAITING, Token
from webapp.engine.bpmn.waits import Wait, announce, became_true
from webapp.engine.types import (
    ActivityEnded,
    EndState,
    Event,
    Host,
    IncidentRaised,
    InstanceEnded,
    TaskClosed,
    WaitDropped,
    WatchedHost,
)

MAX_MOVES = 20_000  # automatic moves in one step; a model that turns without ever waiting becomes an incident


class NoScripts:
    """Stands where Spiff expects a script engine: nothing is ever evaluated as Python."""

    def evaluate(self, *_: object, **__: object) -> NoReturn:
        raise AssertionError("expressions are FEEL")

    execute = call_service = evaluate


class ProcessWorkflow(Scopes, BpmnWorkflow):  # type: ignore[misc]  # SpiffWorkflow is untyped
    """Tokens, scopes and the events of one step. Not thread-safe; used by one step at a time."""

    tasks: dict[UUID, Token]
    spec: ProcessSpec

    def __init__(self, compiled: CompiledProcess, host: Host) -> None:
        super().__init__(compiled.spec, script_engine=NoScripts(), deserializing=True)
        self.compiled = compiled
        self.host = host
        self.events: list[Event] = []
        self.queue: deque[Token] = deque()
        self.ended: EndState | None = None
        self.final = EndState.COMPLETED
        self.compensations: list[dict[str, Any]] = []
        self.moment: datetime | None = None
        self.tick = host.tick if isinstance(host, WatchedHost) else None

    # ---- Spiff's hooks

    def get_tasks_iterator(self, first_task: Token | None = None, **criteria: Any) -> Iterator[Token]:
        """All live tokens (optionally of a state), flat: no depth is too deep (trap 1)."""
        mask = criteria.get("state", -1)
        return iter([token for token in self.tasks.values() if token.state & mask])

    def _task_completed_notify(self, task: Token) -> None:
        """Scopes decide completion, see `finish`."""

    # ---- surroundings

    @property
    def now(self) -> datetime:
        """The host's time, the same throughout a step."""
        if self.moment is None:
            self.moment = self.host.now()
        return self.moment

    def emit(self, event: Event) -> None:
        self.events.append(event)

    # ---- tokens

    def spawn(self, spec: Node, parent: Token | None, *, leaving: bool = False) -> Token:
        """A new token that will run in this step; `leaving`: its event has already happened."""
        token = Token(self, spec, parent, FUTURE, self.now)
        if parent is None:
            self.task_tree = token
        token.leaving = leaving
        self.queue.append(token)
        return token

    def enter(self, scope: Token, entry: moving.Entry) -> None:
        """An operation enters a subprocess in the middle."""
        moving.put(self, scope, entry)

    def listen(self, token: Token, waits: list[tuple[Node, Wait]]) -> None:
        """Tokens under `token` that wait for its events."""
        for node, wait in waits:
            listener = Token(self, node, token, WAITING, self.now)
            listener.info["listener"] = True
            announce(listener, node, wait)

    def leave_later(self, token: Token) -> None:
        """The token's work is done: it leaves when its turn comes."""
        token.leaving = True
        self.queue.append(token)

    def advance(self) -> None:
        """Move tokens until everything waits."""
        moves = 0
        while self.ended is None:
            if not self.queue:
                if not self._settle():
                    break
                continue
            token = self.queue.popleft()
            if not token.alive:
                continue
            moves += 1
            if self.tick is not None:
                self.tick()
            if moves > MAX_MOVES:
                self._halt(token)
                break
            try:
                self._move(token)
            except Incident as incident:
                self.incident(token, str(incident))
        self.moment = None

    def _halt(self, token: Token) -> None:
        """Stop every token that still moves: were only one of them stopped, a loop that forks would grow for ever."""
        moving = [token, *self.queue]
        self.queue.clear()
        for one in moving:
            if one.alive and one.state != ERROR:
                self.incident(one, f"流程自动运行超过 {MAX_MOVES} 步仍未停下，可能陷入循环。")

    def _move(self, token: Token) -> None:
        if token.leaving:
            token.complete()
            return
        if token.state == FUTURE:
            token.task_spec._update(token)
        if token.state == READY and token.alive and (token.body or not token.task_spec.manual):
            token.run()

    def _settle(self) -> bool:
        """When nothing moves any more: what becomes possible by that. True when something moves again.

        An inclusive join that no token can reach any more goes on; a parallel one would wait for ever: an incident.
        A conditional event whose condition has become true happens.
        """
        asked = set()
        for token in list(self.tasks.values()):
            if token.state != WAITING:
                continue
            place = (token.task_spec.name, token.up)
            if token.task_spec.joins and place in asked:
                continue  # all that wait at one join get the same answer
            asked.add(place)
            conditional = token.info.get("wait") == "conditional"
            try:
                if conditional and became_true(token):
                    token.task_spec.deliver(token, {})
                    return True
                if token.task_spec.may_open(token):
                    token.task_spec.open(token)
                    self.queue.append(token)
                    return True
            except Incident as incident:
                token.info["at"] = "wait" if conditional else "arrive"
                self.incident(token, str(incident))
                return True
        return False

    def incident(self, token: Token, message: str) -> None:
        """The token stays where it is until `retry`."""
        if not token.alive:
            raise AssertionError(f"incident at a token that has gone: {message}")
        before = "leave" if token.leaving else token.info.get("at") or ("arrive" if token.state == FUTURE else "run")
        token.info.update(incident=message, retry=before)
        token.leaving = False
        token._set_state(ERROR)
        self.emit(IncidentRaised(token.id, token.element_id, message))

    def retry(self, token: Token) -> None:
        """Do again what failed."""
        phase = token.info.pop("retry", "run")
        self._resolve(token)
        token.info.pop("at", None)
        if phase == "wait":
            token._set_state(WAITING)
            return
        token.leaving = phase == "leave"
        token._set_state(FUTURE if phase == "arrive" else READY)
        self.queue.append(token)

    # ---- leaving

    def finish(self, token: Token, outputs: Mapping[str, Any], flows: tuple[Flow, ...]) -> None:
        """The token leaves by `flows`: history, successors, then its scope learns of it."""
        parent = token.up
        if outputs:
            assert parent is not None
            self.assign(parent, outputs, by=token)
        for child in token.kids:
            self.cancel(child)
        if not token.body or not token.info.get("next"):
            self._ended(token, cancelled=False)
        compensation.remember(token)
        for flow in flows:
            successor = self.spawn(self.spec.node(flow.target), parent)
            successor.info["flow"] = flow.id
        self._drop(token)
        if parent is None:
            self.end(self.final)
        else:
            parent.loop_stop = token.loop_stop
            parent.task_spec.child_done(parent)

    def retire(self, token: Token) -> Token:
        """The token has done its work and leaves without successor; gives the scope, which is not yet told."""
        parent = token.up
        assert parent is not None
        self._ended(token, cancelled=False)
        self._drop(token)
        return parent

    def cancel(self, token: Token) -> None:
        """Take a token and everything inside it away, innermost first."""
        for child in token.kids:
            self.cancel(child)
        if token.task_spec.manual and token.state == READY and not token.body:
            self.emit(TaskClosed(token.id, token.element_id, cancelled=True))
        if token.info.get("wait") or token.info.get("incident"):
            self.emit(WaitDropped(token.id))
        if not token.listener and token.up is not None and not (token.body and token.info.get("next")):
            self._ended(token, cancelled=True)
        self.compensations = [record for record in self.compensations if record["scope"] != str(token.id)]
        self._drop(token)

    def absorb(self, token: Token) -> None:
        """A join consumes a waiting token."""
        self._resolve(token)
        self._drop(token)

    def _resolve(self, token: Token) -> None:
        if token.info.pop("incident", None):
            self.emit(WaitDropped(token.id))

    def stop_waiting(self, token: Token) -> None:
        if token.info.pop("wait", None):
            self.emit(WaitDropped(token.id))

    def end(self, state: EndState, error_code: str | None = None) -> None:
        """The instance has ended."""
        self.ended = state
        self.queue.clear()
        self.completed = True
        self.emit(InstanceEnded(state, error_code))

    def tell(self, token: Token) -> None:
        """The history learns now that the token has done its work, whatever becomes of the token."""
        self._ended(token, cancelled=False)
        token.told = True

    def _ended(self, token: Token, *, cancelled: bool) -> None:
        if token.up is None or token.told:
            return
        element = token.task_spec.element
        self.emit(
            ActivityEnded(
                token.id, element.id, element.type, token.started_at, self.now, cancelled, dict(token.changed)
            )
        )

    def _drop(self, token: Token) -> None:
        parent = token.up
        if parent is None:
            return  # the process itself stays: it holds the instance's variables
        parent._children.remove(token.id)
        del self.tasks[token.id]

    def fail(self, error_code: str | None) -> None:
        """An error end event that nothing catches: the instance fails with its code."""
        for child in self.root.kids:
            self.cancel(child)
        self.end(EndState.FAILED, error_code)

    @property
    def root(self) -> Token:
        found: Token = self.task_tree
        return found
