"""Which markings of a scope its model can produce: the measure of what an operation may leave behind.

A marking is where the tokens of one scope stand: an element's id for a token at work there, a flow's id for one that
waits at the join behind it. The net is explored once per version from its start, conditions left open. A return goes
back to the nearest marking from which the present one could have come about: so no join is left waiting, no token
is doubled, and what parallel branches have done meanwhile stays where it does not hang on the returned step.
"""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from webapp.engine.bpmn.events import BoundaryEvent, EndEvent
from webapp.engine.bpmn.joins import EventGateway, Exclusive, Inclusive, Join, Parallel
from webapp.engine.bpmn.model import Flow
from webapp.engine.bpmn.specs import ROOT, Activity, EventSub, Node, Scope
from webapp.engine.bpmn.tokens import ERROR, WAITING, Token

Marking = tuple[str, ...]  # sorted; a place twice: two tokens
#: So many markings of one scope are looked at: five branches of five tasks have 7,776.
MOST: Final = 12_000
#: So many outgoing conditional flows are combined; of more, each alone and all together.
_COMBINED: Final = 6
#: So many tokens in one place are followed when a marking is looked at that the model cannot produce.
_PILED: Final = 2


@dataclass(frozen=True, slots=True)
class Outlook:
    """What can become of a marking. `stuck`: joins at which a token would wait for ever, whatever happens; `perhaps`:
    on some ways only. `known`: false when there were too many markings to say.
    """

    lawful: bool
    stuck: frozenset[str] = frozenset()
    perhaps: frozenset[str] = frozenset()
    doubled: frozenset[str] = frozenset()
    known: bool = True


@dataclass(slots=True)
class Net:
    """The markings of one scope. Made once, then only read: shared by all threads."""

    scope: Scope
    following: dict[Marking, tuple[Marking, ...]] = field(default_factory=dict)
    complete: bool = True
    _before: dict[Marking, list[Marking]] = field(default_factory=dict)

    @classmethod
    def of(cls, scope: Scope) -> Net:
        found: Net | None = scope.__dict__.get("net")
        if found is None:
            found = cls(scope)
            found._explore()
            scope.__dict__["net"] = found
        return found

    def _explore(self) -> None:
        todo = deque(self._initial())
        self.following.update((marking, ()) for marking in todo)
        while todo:
            marking = todo.popleft()
            nexts = tuple(dict.fromkeys(m for m in self.moves(marking) if _once(m)))
            self.following[marking] = nexts
            for one in nexts:
                self._before.setdefault(one, []).append(marking)
                if one in self.following:
                    continue
                if len(self.following) >= MOST:
                    self.complete = False
                    continue
                self.following[one] = ()
                todo.append(one)

    def _initial(self) -> list[Marking]:
        starts = [start.name for start in self.scope.starts]
        events = [start.name for start in self.scope.starts if start.element.type == "startEvent"]
        if self.scope.name == ROOT and events:
            return [(name,) for name in events]  # the process begins by one of them
        return [tuple(sorted(starts))]

    # ---- looking

    def lawful(self, marking: Marking) -> bool:
        """Whether the model can produce this marking (the empty one: all has ended)."""
        return marking in self.following

    def before(self, here: Marking, target: str, *, undoing: str | None = None) -> Marking | None:
        """The nearest marking with a token at `target` from which `here` could have come about; None: there is none.

        `undoing`: the place whose token is returned: it must be gone from there.
        """
        if here not in self.following:
            return None
        wanted = here.count(undoing) if undoing else 0
        seen, todo = {here}, deque([here])
        while todo:
            marking = todo.popleft()
            if target in marking and marking != here and (not undoing or marking.count(undoing) < wanted):
                return marking
            for one in self._before.get(marking, ()):
                if one not in seen:
                    seen.add(one)
                    todo.append(one)
        return None

    def outlook(self, marking: Marking) -> Outlook:
        """What becomes of a marking: told before a move is made."""
        if self.lawful(marking):
            return Outlook(lawful=True)
        dead: list[frozenset[str]] = []
        doubled: set[str] = set()
        seen, todo, ended = {marking}, deque([marking]), False
        while todo:
            one = todo.popleft()
            following = [m for m in self.moves(one) if max(Counter(m).values(), default=0) <= _PILED]
            doubled |= {p for p, n in Counter(one).items() if n > 1 and p not in self._flows}
            ended = ended or not one
            if one and not following:
                dead.append(self._waiting_at(one))
            for m in following:
                if m not in seen:
                    if len(seen) >= MOST:
                        return Outlook(lawful=False, doubled=frozenset(doubled), known=False)
                    seen.add(m)
                    todo.append(m)
        always = frozenset.intersection(*dead) if dead and not ended else frozenset()
        ever: frozenset[str] = frozenset().union(*dead)
        return Outlook(False, always, ever - always, frozenset(doubled))

    def _waiting_at(self, marking: Marking) -> frozenset[str]:
        return frozenset(self._flow(place).target for place in marking if place in self._flows)

    # ---- firing

    @property
    def _flows(self) -> dict[str, Flow]:
        found: dict[str, Flow] | None = self.scope.siblings.__dict__.get("flows_to_joins")
        if found is None:
            joins = [node for node in self.scope.siblings.task_specs.values() if isinstance(node, Join) and node.joins]
            found = {flow.id: flow for node in joins for flow in node.incoming}
            self.scope.siblings.__dict__["flows_to_joins"] = found
        return found

    def _flow(self, place: str) -> Flow:
        return self._flows[place]

    def moves(self, marking: Marking) -> Iterator[Marking]:
        """Every marking that one move makes of this one."""
        for place in dict.fromkeys(marking):
            if place in self._flows:
                continue
            rest = _without(marking, place)
            node = self.scope.siblings.node(place)
            if isinstance(node, EndEvent) and node.event.kind in ("terminate", "error", "cancel"):
                yield ()
                continue
            for flows in ways(node):
                yield tuple(sorted([*rest, *(self._arrival(flow) for flow in flows)]))
            if isinstance(node, Activity):
                for event in node.boundary:
                    stays = isinstance(event, BoundaryEvent) and not event.cancels
                    yield tuple(sorted([*(marking if stays else rest), event.name]))
        yield from self._joined(marking)

    def _arrival(self, flow: Flow) -> str:
        return flow.id if flow.id in self._flows else flow.target

    def _joined(self, marking: Marking) -> Iterator[Marking]:
        waiting: dict[str, set[str]] = {}
        for place in marking:
            if place in self._flows:
                waiting.setdefault(self._flow(place).target, set()).add(place)
        for name, full in waiting.items():
            join = self.scope.siblings.node(name)
            empty = {flow.id for flow in join.incoming} - full
            if isinstance(join, Inclusive):
                opens = not empty or not self._coming(join, marking, full, empty)
            else:
                opens = not empty
            if opens:
                yield tuple(sorted([*_less(marking, full), name]))

    def _coming(self, join: Join, marking: Marking, full: set[str], empty: set[str]) -> bool:
        """As `Join.still_coming`, for a marking."""
        for place in marking:
            name = self._flow(place).target if place in self._flows else place
            if name == join.name:
                continue
            reached = join.ways_from(self.scope.siblings.node(name))
            if reached & empty and not reached & full:
                return True
        return False


def ways(node: Node) -> list[tuple[Flow, ...]]:
    """The sets of flows by which a token may leave an element, conditions left open."""
    flows = node.outgoing
    if not flows:
        return [()]
    if isinstance(node, Exclusive | EventGateway):
        return [(flow,) for flow in flows]
    if isinstance(node, Parallel) or (
        not isinstance(node, Inclusive) and all(flow.condition is None for flow in flows)
    ):
        return [flows]
    plain = () if isinstance(node, Inclusive) else tuple(f for f in flows if f.condition is None and not f.default)
    open_ = [flow for flow in flows if flow not in plain]
    sizes: Iterable[int] = range(1, len(open_) + 1) if len(open_) <= _COMBINED else (1, len(open_))
    return [(*plain, *chosen) for size in sizes for chosen in itertools.combinations(open_, size)]


def place(token: Token) -> str:
    """Where a token stands, in the words of a marking."""
    spec = token.task_spec
    if isinstance(spec, Join) and spec.joins and token.state in (WAITING, ERROR) and token.info.get("flow"):
        return str(token.info["flow"])
    return str(spec.name)


def tokens_of(scope: Token) -> list[Token]:
    """The tokens of a scope that its marking counts: not listeners, not what an event subprocess does beside it."""
    return [kid for kid in scope.kids if not kid.listener and not isinstance(kid.task_spec, EventSub)]


def marking(scope: Token) -> Marking:
    """Where the tokens of a scope stand."""
    return tuple(sorted(place(token) for token in tokens_of(scope)))


def _once(one: Marking) -> bool:
    """Markings with two tokens in one place are left out: a sound model has none, and they need not end."""
    return len(set(one)) == len(one)


def _without(marking: Marking, place: str) -> tuple[str, ...]:
    index = marking.index(place)
    return marking[:index] + marking[index + 1 :]


def _less(marking: Marking, places: set[str]) -> tuple[str, ...]:
    left = marking
    for one in places:
        left = _without(left, one)
    return left
