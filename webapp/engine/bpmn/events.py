"""Events: start, end, intermediate, boundary."""

from __future__ import annotations

from typing import Any

from webapp.engine.bpmn import compensation, throwing
from webapp.engine.bpmn.joins import behind_gateway
from webapp.engine.bpmn.specs import Activity, Node, ProcessSpec
from webapp.engine.bpmn.tasks import take, throw_message
from webapp.engine.bpmn.tokens import WAITING, Token
from webapp.engine.bpmn.waits import announce, next_cycle, plan
from webapp.engine.types import Element, EndState, SignalThrown, TimerWanted


class StartEvent(Node):
    """Where a scope begins. As the start of an event subprocess its listener hangs in the scope around it."""

    cancels: bool = True

    def deliver(self, token: Token, payload: dict[str, Any]) -> None:
        scope = token.up
        assert scope is not None
        if not self.cancels:
            _fired(token)
        throwing.trigger_event_sub(self, scope, payload)


class BoundaryEvent(Node):
    """Attached to an activity; its listener hangs under the activity's token."""

    def __init__(self, spec: ProcessSpec, element: Element, *, cancels: bool) -> None:
        super().__init__(spec, element)
        self.cancels = cancels

    def deliver(self, token: Token, payload: dict[str, Any]) -> None:
        activity = token.up
        assert activity is not None
        if not self.cancels:
            _fired(token)
        throwing.trigger_boundary(self, activity, payload)


class CatchEvent(Node):
    """Waits for a message, signal or timer; alone or behind an event-based gateway."""

    def _update_hook(self, my_task: Token) -> bool:
        if self.event.kind in ("none", "link"):
            return True
        wait = plan(self, my_task)
        my_task._set_state(WAITING)
        announce(my_task, self, wait)
        return False

    def deliver(self, token: Token, payload: dict[str, Any]) -> None:
        if token.listener:
            behind_gateway(self, token, payload)
        else:
            take(token, payload)


class ThrowEvent(Activity):
    """Throws and goes on: message, signal, escalation, compensation; none and link just pass."""

    def work(self, token: Token) -> bool | None:
        kind = self.event.kind
        if kind == "compensate":
            return compensation.begin(token)
        throw(self, token)
        if kind == "escalation":
            token.workflow.tell(token)  # its catcher may take the token away
            throwing.throw(token, "escalation", self.event.code)
        return True if token.alive else None

    def child_done(self, token: Token) -> None:
        compensation.advance(token)


class EndEvent(ThrowEvent):
    """Ends its token; terminate ends the scope, an error leaves it."""

    def work(self, token: Token) -> bool | None:
        kind = self.event.kind
        if kind == "terminate":
            self._terminate(token)
        elif kind in ("error", "escalation"):
            self._leave_by(kind, token)
            return None
        elif kind == "cancel":
            return self._cancel(token)
        else:
            return super().work(token)
        return True

    def _terminate(self, token: Token) -> None:
        workflow, scope = token.workflow, token.up
        assert scope is not None
        for other in scope.kids:
            if other is not token:
                workflow.cancel(other)
        if scope.up is None:
            workflow.final = EndState.TERMINATED

    def _cancel(self, token: Token) -> bool | None:
        """The transaction is given up: the rest of it is taken away, what it did is undone (BPMN 10.3.5, 13.5.2)."""
        scope = token.up
        assert scope is not None
        compensation.adopt(scope)
        for other in scope.kids:
            if other is not token:
                token.workflow.cancel(other)
        return compensation.begin(token)

    def _on_complete_hook(self, my_task: Token) -> None:
        if self.event.kind != "cancel":
            super()._on_complete_hook(my_task)
            return
        my_task.leaving = True
        transaction = my_task.workflow.retire(my_task)
        assert isinstance(transaction.task_spec, Activity)
        boundary = next(node for node in transaction.task_spec.boundary if node.event.kind == "cancel")
        throwing.trigger_boundary(boundary, transaction, {})

    def _leave_by(self, kind: str, token: Token) -> None:
        """The end event itself is done; then its error or escalation goes outward."""
        workflow = token.workflow
        scope = workflow.retire(token)
        caught = throwing.throw(token, kind, self.event.code)
        if not caught and kind == "error":
            workflow.fail(self.event.code)
        elif scope.alive:
            scope.task_spec.child_done(scope)


def throw(node: Activity, token: Token) -> None:
    """Report a thrown message or signal; its payload is what the event's input parameters map."""
    workflow = token.workflow
    if node.event.kind == "message":
        throw_message(node, token)
    elif node.event.kind == "signal":
        payload = {name: (token.locals or {})[name] for name, _ in node.maps_in}
        workflow.emit(SignalThrown(token.id, node.element.id, node.event.name, workflow.copy(payload)))


def _fired(listener: Token) -> None:
    """A non-interrupting event has fired: messages and signals go on being heard, timers as long as they repeat."""
    if listener.info.get("wait") != "timer":
        return
    workflow = listener.workflow
    again = next_cycle(listener)
    workflow.stop_waiting(listener)
    if again is None:
        workflow.cancel(listener)
        return
    listener.info.update(wait="timer", cycle=again)
    workflow.emit(TimerWanted(listener.id, listener.element_id, "cycle", again))
