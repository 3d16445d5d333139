"""Gateways (BPMN 10.5, 13.3). Tokens wait at a join with the flow they came by; nothing is merged but the tokens.

A parallel join takes exactly one token from each incoming flow and leaves excess ones for the next round. An inclusive
join opens when no token elsewhere can still reach a flow that has none, unless it could as well come by one that has.
"""

from __future__ import annotations

from typing import Any

from webapp.engine.bpmn.expressions import Incident
from webapp.engine.bpmn.model import Flow
from webapp.engine.bpmn.specs import Activity, Node, ProcessSpec
from webapp.engine.bpmn.tokens import ERROR, WAITING, Token
from webapp.engine.bpmn.waits import plan
from webapp.engine.types import Element


class Exclusive(Node):
    """Exactly one flow: the first in the file's order whose condition is true, else the default."""

    def choose(self, token: Token) -> tuple[Flow, ...]:
        if len(self.outgoing) == 1 and self.outgoing[0].condition is None:
            return self.outgoing
        for flow in self.outgoing:
            if not flow.default and self.holds(flow, token):
                return (flow,)
        return _default(self, token)


class Join(Node):
    """Base: tokens wait here until all that belong together have come."""

    def __init__(self, spec: ProcessSpec, element: Element, name: str | None = None) -> None:
        super().__init__(spec, element, name)
        self._ways: dict[str, frozenset[str]] = {}  # only ever filled with the same values: safe among threads

    @property
    def joins(self) -> bool:  # type: ignore[override]
        return len(self.incoming) > 1

    def waiting(self, token: Token) -> list[Token]:
        """Tokens of the same scope that wait here, oldest first."""
        scope = token.up
        assert scope is not None
        return [other for other in scope.kids if other.task_spec is self and other.state in (WAITING, ERROR)]

    def take(self, token: Token) -> None:
        """Consume one waiting token of each flow; `token` goes on for all of them."""
        seen = {token.info.get("flow")}
        for other in self.waiting(token):
            if other is not token and other.info.get("flow") not in seen:
                seen.add(other.info.get("flow"))
                token.started_at = min(token.started_at, other.started_at)
                token.workflow.absorb(other)

    def still_coming(self, token: Token, full: set[str | None], empty: set[str]) -> bool:
        """Whether a token elsewhere in the scope can still reach a flow that has none (and no flow that has one)."""
        scope = token.up
        assert scope is not None
        for other in scope.kids:
            if other.listener or other.task_spec is self:
                continue
            reached = self.ways_from(other.task_spec)
            if reached & empty and not reached & full:
                return True
        return False

    def ways_from(self, start: Node) -> frozenset[str]:
        """The incoming flows of this gateway that a token at `start` can come by without passing this gateway."""
        if start.name in self._ways:
            return self._ways[start.name]
        found: set[str] = set()
        seen, todo = {start.name}, [start]
        while todo:
            for flow in exits(todo.pop()):
                if flow.target == self.name:
                    found.add(flow.id)
                elif flow.target not in seen:
                    seen.add(flow.target)
                    todo.append(self.siblings.node(flow.target))
        self._ways[start.name] = frozenset(found)
        return self._ways[start.name]


class Parallel(Join):
    """All flows in, all flows out."""

    def _update_hook(self, my_task: Token) -> bool:
        if not self.joins:
            return True
        my_task._set_state(WAITING)
        arrived = {token.info.get("flow") for token in self.waiting(my_task)}
        if not arrived >= {flow.id for flow in self.incoming}:
            return False
        self.take(my_task)
        return True

    def may_open(self, token: Token) -> bool:
        """Nothing can bring the missing tokens any more: the model is wrong, and people must learn of it."""
        empty = {flow.id for flow in self.incoming} - {other.info.get("flow") for other in self.waiting(token)}
        stuck = all(other.state == WAITING for other in self.waiting(token))
        return stuck and not self.still_coming(token, set(), empty)

    def open(self, token: Token) -> None:
        raise Incident(f"并行汇聚{self.label}等不到其余分支：没有令牌能再到达它。")

    def choose(self, token: Token) -> tuple[Flow, ...]:
        return self.outgoing


class Inclusive(Join):
    """Every flow whose condition is true, else the default; joins exactly the tokens that can still come."""

    def _update_hook(self, my_task: Token) -> bool:
        if not self.joins:
            return True
        my_task._set_state(WAITING)
        return False

    def may_open(self, token: Token) -> bool:
        full = {other.info.get("flow") for other in self.waiting(token)}
        empty = {flow.id for flow in self.incoming} - full
        return not empty or not self.still_coming(token, full, {str(flow) for flow in empty})

    def open(self, token: Token) -> None:
        self.take(token)
        token._ready()

    def choose(self, token: Token) -> tuple[Flow, ...]:
        if len(self.outgoing) == 1 and self.outgoing[0].condition is None:
            return self.outgoing
        chosen = tuple(flow for flow in self.outgoing if not flow.default and self.holds(flow, token))
        return chosen or _default(self, token)


class EventGateway(Node):
    """The first of several events decides which way the token goes."""

    def _update_hook(self, my_task: Token) -> bool:
        targets = [self.siblings.node(flow.target) for flow in self.outgoing]
        waits = [(target, plan(target, my_task)) for target in targets]
        my_task._set_state(WAITING)
        my_task.workflow.listen(my_task, waits)
        return False

    def caught(self, token: Token, event: Node) -> Token:
        """`event` has happened: the gateway ends, the event's own token leaves."""
        scope = token.up
        assert scope is not None
        for child in token.kids:
            token.workflow.cancel(child)
        token.workflow.retire(token)
        return token.workflow.spawn(event, scope, leaving=True)


def behind_gateway(event: Node, listener: Token, payload: dict[str, Any]) -> None:
    """The event of one branch of an event-based gateway has happened."""
    gateway = listener.up
    assert gateway is not None
    assert isinstance(gateway.task_spec, EventGateway)
    token = gateway.task_spec.caught(gateway, event)
    token.workflow.results(token, payload)


def exits(node: Node) -> list[Flow]:
    """All flows by which a token can leave an element, its boundary events included."""
    found = list(node.outgoing)
    if isinstance(node, Activity):
        for event in node.boundary:
            found.extend(event.outgoing)
    return found


def _default(node: Node, token: Token) -> tuple[Flow, ...]:
    for flow in node.outgoing:
        if flow.default:
            return (flow,)
    raise Incident(f"网关{node.label}没有一个条件为真，也没有默认连线。")
