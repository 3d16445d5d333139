"""How elements behave: subclasses of SpiffWorkflow's task specification.

Spiff's life cycle is kept: `_update_hook` is arrival (true: READY), `_run_hook` is the work (true: COMPLETED, None:
STARTED and waiting for someone), `_on_complete_hook` is leaving. Nothing is predicted: a token exists when it is there.
Each hook may raise `Incident` before it changes anything, so that `retry` can do it again.
"""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.mixins import BpmnSpecMixin

from webapp.engine.bpmn import loops
from webapp.engine.bpmn.expressions import Incident, evaluate, truth
from webapp.engine.bpmn.model import EventDefinition, Flow, Loop
from webapp.engine.bpmn.tokens import Token
from webapp.engine.bpmn.waits import Wait, plan
from webapp.engine.feel import Expression
from webapp.engine.types import Element

ROOT = "#process"  # no XML id can be this: element ids "Start" and "End" are free (trap 14)


class ProcessSpec(BpmnProcessSpec):  # type: ignore[misc]  # SpiffWorkflow is untyped
    """All elements of a process and of the subprocesses inside it, by id."""

    task_specs: dict[str, Node]

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.task_specs.clear()  # Spiff's own Start, End and EndJoin: completion is decided by scopes here
        self.bpmn_start_events.clear()

    @property
    def root(self) -> Scope:
        found = self.task_specs[ROOT]
        assert isinstance(found, Scope)
        return found

    def node(self, name: str) -> Node:
        return self.task_specs[name]


class Node(BpmnSpecMixin):  # type: ignore[misc]  # SpiffWorkflow is untyped
    """Any element: it runs at once and leaves by its flows."""

    _wf_spec: ProcessSpec
    loop: Loop | None = None
    joins = False  # whether tokens wait here for each other

    def __init__(self, spec: ProcessSpec, element: Element, name: str | None = None) -> None:
        super().__init__(spec, name or element.id)
        self.element = element
        self.event = EventDefinition()
        self.outgoing: tuple[Flow, ...] = ()
        self.incoming: tuple[Flow, ...] = ()

    @property
    def siblings(self) -> ProcessSpec:
        return self._wf_spec

    @property
    def label(self) -> str:
        """How sentences name the element."""
        return f"“{self.element.name or self.element.id}”"

    # ---- Spiff's life cycle

    def test(self) -> None:
        """Checked at deployment; Spiff would do it at each activation."""

    def _predict(self, my_task: Token, seen: Any = None, looked_ahead: int = 0, mask: int = 0) -> None:
        """Nothing is predicted."""

    def _update_hook(self, my_task: Token) -> bool:
        return True

    def _on_ready_hook(self, my_task: Token) -> None:
        """Spiff's observers are not used."""

    def _run_hook(self, my_task: Token) -> bool | None:
        return True

    def _on_complete_hook(self, my_task: Token) -> None:
        my_task.leaving = True
        my_task.workflow.finish(my_task, {}, self.choose(my_task))

    def _on_error_hook(self, my_task: Token) -> None:
        """The workflow reports the incident."""

    # ---- ours

    def may_open(self, token: Token) -> bool:
        """Whether a token that waits here for others need not wait any longer; asked when nothing moves any more."""
        return False

    def open(self, token: Token) -> None:
        """Let it go on; Incident when it would wait for ever."""

    def choose(self, token: Token) -> tuple[Flow, ...]:
        """The flows to leave by. Several without condition are an implicit parallel split (BPMN 10.2.1)."""
        if all(flow.condition is None for flow in self.outgoing):
            return self.outgoing
        plain = tuple(flow for flow in self.outgoing if flow.condition is None and not flow.default)
        chosen = tuple(flow for flow in self.outgoing if flow.condition is not None and self.holds(flow, token))
        chosen = chosen or tuple(flow for flow in self.outgoing if flow.default)
        if not chosen and not plain:
            raise Incident(f"{self.label}之后没有一个条件为真，也没有默认连线。")
        return tuple(flow for flow in self.outgoing if flow in chosen or flow in plain)

    def holds(self, flow: Flow, token: Token) -> bool:
        """Whether the flow's condition is true. Errors: Incident."""
        if flow.condition is None:
            return True
        workflow = token.workflow
        return truth(flow.condition, workflow.visible(token), workflow.now, f"连线 {flow.id} 的条件")

    def child_done(self, token: Token) -> None:
        """A token inside this one has ended."""

    def deliver(self, token: Token, payload: dict[str, Any]) -> None:
        """The message, signal or timer that the token waits for has come."""
        raise AssertionError(f"{self.name} waits for nothing")


class Activity(Node):
    """Tasks, subprocesses, call activities: input and output mappings, boundary events, loops."""

    def __init__(self, spec: ProcessSpec, element: Element, name: str | None = None) -> None:
        super().__init__(spec, element, name)
        self.loop = None
        self.maps_in: tuple[tuple[str, Expression], ...] = ()
        self.maps_out: tuple[tuple[str, Expression], ...] = ()
        self.boundary: tuple[Node, ...] = ()
        self.compensated_by: str | None = None

    # ---- arrival

    def _update_hook(self, my_task: Token) -> bool:
        before = None if my_task.locals is None else dict(my_task.locals)
        try:
            if not my_task.body:
                self._map_inputs(my_task)
            waits = self.listeners(my_task)
            ready = True if my_task.body else self.arrive(my_task)
        except Exception:
            my_task.locals = before
            raise
        my_task.workflow.listen(my_task, waits)
        return ready

    def arrive(self, token: Token) -> bool:
        """What a kind of activity does on arrival, after its inputs were mapped. True: it can run."""
        return True

    def _map_inputs(self, token: Token) -> None:
        if not self.maps_in:
            return
        workflow = token.workflow
        token.locals = dict(token.locals or {})
        for name, expression in self.maps_in:
            value = evaluate(expression, workflow.visible(token), workflow.now, f"{self.label}的输入参数 {name}")
            token.locals[name] = value

    def listeners(self, token: Token) -> list[tuple[Node, Wait]]:
        """What must be listened for while the activity lasts: (event node, its evaluated wait)."""
        if token.info.get("loop"):  # boundary events belong to the loop as a whole
            return []
        return [(node, plan(node, token)) for node in self.boundary if node.event.waited_for]

    # ---- work

    def _run_hook(self, my_task: Token) -> bool | None:
        if my_task.body:
            return loops.begin(my_task)
        return self.work(my_task)

    def work(self, token: Token) -> bool | None:
        """The activity's own work, once for each instance of a loop."""
        return True

    # ---- leaving

    def _on_complete_hook(self, my_task: Token) -> None:
        my_task.leaving = True
        workflow = my_task.workflow
        for listener in my_task.kids:  # what was done is done: no timer takes it away, even if leaving fails
            workflow.cancel(listener)
        results: dict[str, Any] = {}
        if not my_task.body:
            scope = dict(workflow.visible(my_task)) if self.maps_out else {}
            for name, expression in self.maps_out:
                value = evaluate(expression, scope, workflow.now, f"{self.label}的输出参数 {name}")
                results[name] = scope[name] = value
        inside_loop = bool(my_task.info.get("loop"))
        if inside_loop:
            loops.leaving(my_task, results)
        workflow.finish(my_task, results, () if inside_loop else self.choose(my_task))

    def child_done(self, token: Token) -> None:
        if token.body:
            loops.advance(token)


class Scope(Activity):
    """The process, a subprocess or an event subprocess: it lasts as long as a token works inside."""

    def __init__(self, spec: ProcessSpec, element: Element, name: str | None = None) -> None:
        super().__init__(spec, element, name)
        self.starts: tuple[Node, ...] = ()
        self.event_subs: tuple[EventSub, ...] = ()

    def listeners(self, token: Token) -> list[tuple[Node, Wait]]:
        own = [] if token.body else [(sub.start, plan(sub.start, token)) for sub in self.event_subs if sub.waits]
        return super().listeners(token) + own

    def work(self, token: Token) -> None:
        entry = token.info.pop("entry", None)
        if entry is not None:  # an operation enters it in the middle
            token.workflow.enter(token, entry)
            return
        chosen = token.info.pop("start", None)
        for start in self.starts if chosen is None else (self.siblings.node(chosen),):
            token.workflow.spawn(start, token)

    def child_done(self, token: Token) -> None:
        if token.body:
            super().child_done(token)
        elif not token.working:
            token.workflow.leave_later(token)

    @property
    def undoing(self) -> EventSub | None:
        """The event subprocess that compensates this subprocess (BPMN 10.3.5), if it has one."""
        return next((sub for sub in self.event_subs if sub.start.event.kind == "compensate"), None)


class EventSub(Scope):
    """An event subprocess: started by its start event, never by a flow."""

    start: Node
    interrupting: bool = True

    @property
    def waits(self) -> bool:
        return self.start.event.waited_for
