"""What the law demands is not passed (decision 0022): the one rule for every operation that puts tokens elsewhere.

An operation may go back to where the case has really been: what lies behind has to be done again. It may go forward
only over elements that the law does not demand. The way of the case is read from its history, and cut where it went
back: a meeting that confirmed the old facts does not count for the new ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from webapp.engine.bpmn.joins import exits
from webapp.engine.bpmn.moving import Plan, chain
from webapp.engine.bpmn.specs import Node, ProcessSpec, Scope
from webapp.engine.bpmn.tasks import CallActivity
from webapp.engine.bpmn.tokens import Token
from webapp.engine.errors import LawForbids
from webapp.engine.types import Element

#: Whether a called process has elements that the law demands.
CalledGuarded = Callable[[Element], bool]


def refuse(element: Element, words: str) -> LawForbids:
    """The refusal, with clause and name."""
    clauses = "、".join(element.clauses)
    told = f"“{element.name or element.id}”是规程规定的环节" + (f"（{clauses}）" if clauses else "")
    return LawForbids(f"{told}，{words}。", detail={"element_id": element.id, "clauses": list(element.clauses)})


# ---- the way of the case


def way_of(spec: ProcessSpec, left: Iterable[str], standing: Iterable[str]) -> list[str]:
    """The elements that the case has passed on its present way, in order.

    `left`: elements that tokens left or were taken from, oldest first, as the history tells. `standing`: where tokens
    stand now. An element that comes a second time cuts off what came after its first time and lies behind it.
    """
    way: list[str] = []
    for name in left:
        if name in spec.task_specs:
            way = _cut(spec, way, name)
            way.append(name)
    for name in standing:
        way = _cut(spec, way, name)
    return way


def _cut(spec: ProcessSpec, way: list[str], name: str) -> list[str]:
    if name not in way:
        return way
    first, node = way.index(name), spec.node(name)
    earlier = [other for other in way[:first] if node not in chain(spec.node(other))]
    later = [
        other
        for other in way[first + 1 :]
        if node in chain(spec.node(other)) or not behind(node, spec.node(other))  # what is inside came before its end
    ]
    return earlier + later


def behind(node: Node, other: Node) -> bool:
    """Whether `other` can come after `node`, each seen in the innermost scope that holds both."""
    if node is other:
        return True
    mine, its = [*chain(node), node], [*chain(other), other]
    level = next((n for n, pair in enumerate(zip(mine, its, strict=False)) if pair[0] is not pair[1]), None)
    if level is None:  # one holds the other
        return True
    return its[level] in reach(mine[level])


def reach(node: Node, *, avoiding: Node | None = None) -> list[Node]:
    """Elements of the same scope that a token at `node` can come to, the nearest first."""
    found: list[Node] = []
    todo = deque([node])
    while todo:
        for flow in exits(todo.popleft()):
            target = node.siblings.node(flow.target)
            if target is not avoiding and target not in found:
                found.append(target)
                todo.append(target)
    return found


# ---- guarded elements


@dataclass(frozen=True, slots=True)
class Law:
    """The elements of one version that the law demands, and the way of one case."""

    spec: ProcessSpec
    way: tuple[str, ...]
    called: CalledGuarded = lambda _element: False

    def inside(self, node: Node) -> Iterator[Element]:
        """What the law demands at an element or anywhere inside it."""
        if node.element.law or (isinstance(node, CallActivity) and self.called(node.element)):
            yield node.element
        if isinstance(node, Scope):
            for other in self.spec.task_specs.values():
                if other is not node and node in chain(other) and other.element.law:
                    yield other.element

    def check(self, plan: Plan) -> None:
        """Errors: LawForbids, when the plan passes what the law demands."""
        returning = plan.target.name in self.way
        stays = {token.task_spec for token in plan.holder.kids if token not in plan.cancelled and not token.listener}
        for token in plan.cancelled:
            self._leave(token, plan, stays, returning=returning)
        if not returning and plan.target.name not in {token.task_spec.name for token in plan.cancelled}:
            self._enter(plan)

    def _leave(self, token: Token, plan: Plan, stays: set[Node], *, returning: bool) -> None:
        """What the cancelled token would still have had to do is still to come, or is not demanded."""
        source = token.task_spec
        first = self._first(plan)
        ahead = [source, *reach(source)]
        if source is first:
            if not returning and plan.entry is not None:
                return
            if source is plan.target:
                return
        if not returning and first in ahead:
            between = [source, *(n for n in reach(source, avoiding=first) if first in reach(n, avoiding=source))]
            for node in between:
                for element in self.pending(node, token):
                    raise refuse(element, f"尚未办结，不能越过它移到“{plan.target.element.name or plan.target.name}”")
            return
        coming = {first, *reach(first)}
        for node in stays:
            coming |= {node, *reach(node)}
        for node in (node for node in ahead if node not in coming):
            for element in self.pending(node, token):
                raise refuse(element, "尚未办结，不能随本次操作撤销")

    def pending(self, node: Node, token: Token) -> Iterator[Element]:
        """What the law demands at `node`; inside a subprocess at work only what its tokens have still before them."""
        if node is not token.task_spec or not isinstance(node, Scope) or token.body:
            yield from self.inside(node)
            return
        if node.element.law:
            yield node.element
        for kid in token.kids:
            if not kid.listener:
                for one in dict.fromkeys([kid.task_spec, *reach(kid.task_spec)]):
                    yield from self.pending(one, kid)

    def _first(self, plan: Plan) -> Node:
        entered = [*chain(plan.target), plan.target]
        return entered[entered.index(plan.holder.task_spec) + 1]

    def _enter(self, plan: Plan) -> None:
        """Forward or sideways: nothing demanded lies between the beginning and the target that has not been done."""
        levels = [*chain(plan.target), plan.target]
        start = levels.index(plan.holder.task_spec)
        first = levels[start + 1]
        if not any(first in {token.task_spec, *reach(token.task_spec)} for token in plan.cancelled):
            self._before(levels[start], first)
        for scope, node in zip(levels[start + 1 :], levels[start + 2 :], strict=False):
            self._before(scope, node)

    def _before(self, scope: Node, target: Node) -> None:
        assert isinstance(scope, Scope)
        begun = dict.fromkeys(node for one in scope.starts for node in (one, *reach(one, avoiding=target)))
        for node in begun:
            if node is not target and target in reach(node) and node.name not in self.way:
                for element in self.inside(node):
                    words = f"尚未办结，不能越过它移到“{target.element.name or target.name}”"
                    raise refuse(element, words)


__all__ = ["CalledGuarded", "Law", "LawForbids", "behind", "reach", "refuse", "way_of"]
