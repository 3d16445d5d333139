"""Deadlock and lack of synchronisation, found by walking through every state of the control flow (bounded).

Each scope is a workflow net by itself (van der Aalst, "The Application of Petri Nets to Workflow Management", 1998): a
subprocess counts as one activity. Conditions are unknown, so every way out of a decision is tried; a joining inclusive
gateway follows the engine's own rule. A finding is certain only when the whole state space was seen and no run ends.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from webapp.engine.bpmn.joins import EventGateway, Exclusive, Inclusive, Join, Parallel
from webapp.engine.bpmn.model import Flow
from webapp.engine.bpmn.specs import Activity, EventSub, Node, Scope
from webapp.engine.bpmn.throwing import interrupting

MAX_STATES = 1500
_MOST_CHOICES = 4  # so many conditional flows are combined in every way; of more, each alone and all together
#: A token: the flow that it came by, and the non-interrupting event that it began with ("" for the main run).
Token = tuple[str, str]
State = tuple[Token, ...]
Step = tuple[Token, ...] | None  # what an element puts out; None: its scope ends at once


@dataclass(slots=True)
class Soundness:
    """What was found in one scope; `complete`: every state was seen."""

    deadlocks: set[str] = field(default_factory=set)  # joins that can wait for ever
    doubled: set[str] = field(default_factory=set)  # elements that two tokens of one run can come to by one flow
    ends: bool = False
    complete: bool = True

    @property
    def never_ends(self) -> bool:
        return self.complete and not self.ends and not self.doubled


def examine(scope: Scope, inside: Mapping[str, Node]) -> Soundness:
    """Every state of a scope that its start can lead to. `inside`: the elements of the scope itself, by id."""
    return _Search(inside).run(_beginnings(scope))


def _beginnings(scope: Scope) -> list[tuple[Node, ...]]:
    """Each start event alone; without start events, all elements that nothing leads to at once."""
    if scope.starts and scope.starts[0].element.type == "startEvent":
        return [(start,) for start in scope.starts]
    return [scope.starts]


class _Search:
    def __init__(self, inside: Mapping[str, Node]) -> None:
        self.inside = inside
        self.flows = {flow.id: flow for node in inside.values() for flow in node.outgoing}
        self.found = Soundness()
        self.seen: set[State] = set()
        self.todo: deque[State] = deque()

    def run(self, beginnings: list[tuple[Node, ...]]) -> Soundness:
        for starts in beginnings:
            states: list[State] = [()]
            for start in starts:
                states = [
                    (*state, *step) for state in states for step in self._leave(start, "", ()) if step is not None
                ]
            for state in states:
                self._note(state)
        while self.todo:
            if len(self.seen) > MAX_STATES:
                self.found.complete = False
                break
            self._expand(self.todo.popleft())
        return self.found

    def _note(self, tokens: Iterable[Token]) -> None:
        """A state that was reached: tokens are moved past everything that has but one way to go on."""
        state = tuple(sorted(self._settle(token) for token in tokens))
        if state in self.seen:
            return
        self.seen.add(state)
        if not state:
            self.found.ends = True
            return
        twice = [token for token, count in Counter(state).items() if count > 1 and not token[1]]
        for flow_id, _colour in twice:
            self._doubled(flow_id)
        if not twice and max(Counter(flow for flow, _colour in state).values()) <= 2:
            self.todo.append(state)

    def _settle(self, token: Token) -> Token:
        flow = self.flows[token[0]]
        for _step in range(len(self.inside)):
            node = self.inside[flow.target]
            if not _plain(node):
                break
            flow = node.outgoing[0]
        return flow.id, token[1]

    def _doubled(self, flow_id: str) -> None:
        """Blame the last activity that both tokens have passed; two tokens that only end are harmless."""
        flow = self.flows[flow_id]
        node = self.inside[flow.source]
        while _plain(node) and not isinstance(node, Activity) and len(node.incoming) == 1:
            node = self.inside[node.incoming[0].source]
        target = self.inside[flow.target]
        if _plain(node) and isinstance(node, Activity):
            self.found.doubled.add(node.name)
        elif target.outgoing or (isinstance(target, Activity) and target.element.type != "endEvent"):
            self.found.doubled.add(target.name)

    def _expand(self, state: State) -> None:
        moved = False
        for name in sorted({self.flows[flow].target for flow, _colour in state}):
            for taken in self._enabled(self.inside[name], state):
                moved = True
                rest = Counter(state) - Counter(taken)
                left = tuple(rest.elements())
                colour = min(colour for _flow, colour in taken)
                for step in self._leave(self.inside[name], colour, left):
                    if step is None:
                        self.found.ends = True
                    else:
                        self._note((*left, *step))
        if not moved:
            waiting = {self.flows[flow].target for flow, _colour in state}
            self.found.deadlocks |= {name for name in waiting if isinstance(self.inside[name], Join)}

    def _enabled(self, node: Node, state: State) -> Iterator[tuple[Token, ...]]:
        """The ways in which an element can take its tokens now."""
        here = sorted(token for token in set(state) if self.flows[token[0]].target == node.name)
        if not isinstance(node, Join) or not node.joins:
            yield from ((token,) for token in here)
            return
        one_each = tuple({token[0]: token for token in reversed(here)}.values())
        full = {flow for flow, _colour in one_each}
        empty = {flow.id for flow in node.incoming} - full
        if not empty or (isinstance(node, Inclusive) and not self._coming(node, state, full, empty)):
            yield one_each

    def _coming(self, node: Inclusive, state: State, full: set[str], empty: set[str]) -> bool:
        """The engine's rule (`Join.still_coming`): a token elsewhere can reach an empty flow and no full one."""
        for flow, _colour in state:
            target = self.inside[self.flows[flow].target]
            if target is not node:
                reached = node.ways_from(target)
                if reached & empty and not reached & full:
                    return True
        return False

    # ---- what an element puts out

    def _leave(self, node: Node, colour: str, left: State) -> Iterator[Step]:
        if node.element.type == "endEvent" and node.event.kind in ("terminate", "error", "cancel"):
            yield None
            return
        choices = _choices(node)
        for flows in choices:
            yield tuple((flow.id, colour) for flow in flows)
        if not isinstance(node, Activity):
            return
        for event in node.boundary:
            if interrupting(event):
                for flows in _choices(event):
                    yield tuple((flow.id, colour) for flow in flows)
            elif not any(token[1] == event.name for token in left):
                for flows in choices:
                    for more in _choices(event):
                        yield (*((flow.id, colour) for flow in flows), *((flow.id, event.name) for flow in more))


def _plain(node: Node) -> bool:
    """One way on, no waiting for others, no events at it."""
    return (
        len(node.outgoing) == 1
        and node.outgoing[0].condition is None
        and not (isinstance(node, Join) and node.joins)
        and not (isinstance(node, Activity) and node.boundary)
    )


def _choices(node: Node) -> list[tuple[Flow, ...]]:
    """The sets of flows that a token may leave by."""
    flows = node.outgoing
    if isinstance(node, Exclusive | EventGateway):
        return [(flow,) for flow in flows]
    if isinstance(node, Parallel) or all(flow.condition is None and not flow.default for flow in flows):
        return [flows]
    always = () if isinstance(node, Inclusive) else tuple(f for f in flows if f.condition is None and not f.default)
    maybe = tuple(flow for flow in flows if flow.condition is not None)
    found = [(*always, *chosen) for chosen in _subsets(maybe)]
    default = tuple(flow for flow in flows if flow.default)
    return [*found, (*always, *default)] if default or always else found


def _subsets(flows: tuple[Flow, ...]) -> Iterator[tuple[Flow, ...]]:
    sizes = range(1, len(flows) + 1) if len(flows) <= _MOST_CHOICES else (1, len(flows))
    for size in sizes:
        yield from combinations(flows, size)


def scopes(nodes: Mapping[str, Node]) -> Iterator[tuple[Scope, dict[str, Node]]]:
    """Every scope of a process with the elements that it holds directly."""
    for node in nodes.values():
        if isinstance(node, Scope):
            holder = node.element.id if node.element.type != "process" else None
            yield (
                node,
                {
                    inner.name: inner
                    for inner in nodes.values()
                    if inner.element.type != "process" and inner.element.parent_id == holder
                },
            )


def may_be_left(scope: Scope) -> bool:
    """Whether something other than the end of its tokens can end it: events at it or in it that interrupt."""
    inside = any(sub.interrupting for sub in scope.event_subs)
    return inside or isinstance(scope, EventSub) or any(interrupting(event) for event in scope.boundary)
