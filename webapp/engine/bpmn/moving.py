"""Operations on the tokens of a running instance: moved, begun again, taken back. Events tell what happens.

A token that is moved out of a subprocess or a loop takes the whole of it along: were the rest left inside, its end
would go on a second time. A token that is moved into a subprocess opens it, with its timers, at that element.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from webapp.engine.bpmn.joins import Join
from webapp.engine.bpmn.marking import Marking, Net, marking, place, tokens_of
from webapp.engine.bpmn.specs import ROOT, Activity, EventSub, Node, Scope
from webapp.engine.bpmn.tokens import WAITING, Token
from webapp.errors import Conflict, Invalid

if TYPE_CHECKING:
    from webapp.engine.bpmn.workflow import ProcessWorkflow

#: Where a subprocess is entered: places of its marking, each with the places inside it when it is a subprocess itself.
Entry = list[list[Any]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What an operation does to the tokens, before it does it.

    `holder`: the scope in which it happens. `cancelled`: tokens taken away there (with all that is inside them).
    `opened`: places that get a token there; `entry`: where the subprocess among them is entered.
    """

    holder: Token
    cancelled: tuple[Token, ...]
    opened: Marking
    target: Node
    entry: Entry | None = None

    @property
    def after(self) -> Marking:
        """The marking of the holder when the plan is carried out."""
        gone = Counter(place(token) for token in self.cancelled)
        return tuple(sorted((Counter(marking(self.holder)) - gone + Counter(self.opened)).elements()))


# ---- where an element is


def chain(node: Node) -> list[Scope]:
    """The scopes around an element, outermost first: the process, then subprocesses."""
    found: list[Scope] = []
    parent = node.element.parent_id
    while parent is not None and parent in node.siblings.task_specs:
        scope = node.siblings.node(parent)
        assert isinstance(scope, Scope)
        found.append(scope)
        parent = scope.element.parent_id
    return [node.siblings.root, *reversed(found)]


def goal(workflow: ProcessWorkflow, element_id: str) -> Node:
    """The element that a token may be put at. Errors: Invalid, with the reason."""
    node = workflow.spec.task_specs.get(element_id)
    if node is None or node.name == ROOT:
        raise Invalid(f"流程没有环节“{element_id}”。")
    if node.element.type == "boundaryEvent":
        raise Invalid(f"{node.label}是边界事件，不能移入；请触发它的定时或发送它的消息。")
    if any(isinstance(scope, EventSub) for scope in (*chain(node), node)):
        raise Invalid(f"{node.label}属于事件子流程，只能由其事件启动。")
    if isinstance(node, Join) and node.joins:
        raise Invalid(f"{node.label}是汇聚网关，请移到它之前或之后的环节。")
    if any(getattr(other, "compensated_by", None) == node.name for other in workflow.spec.task_specs.values()):
        raise Invalid(f"{node.label}是补偿活动，只能由补偿事件启动。")
    return node


def common(source: Token, target: Node) -> tuple[Token, Token, list[Node]]:
    """The innermost scope token that holds both; its child that holds `source`; the elements from there to `target`.

    Errors: Invalid when the way in leads through a loop: only the loop as a whole can be begun.
    """
    wanted = chain(target)
    child, holder = source, source.up
    while holder is not None and (holder.body or holder.task_spec not in wanted):
        child, holder = holder, holder.up
    assert holder is not None, "the process itself is no source"
    way: list[Node] = [*wanted[wanted.index(holder.task_spec) + 1 :], target]
    for node in way[:-1]:
        if isinstance(node, Activity) and node.loop is not None:
            raise Invalid(f"{target.label}在多实例{node.label}之内，只能从{node.label}整体开始。")
    return holder, child, way


# ---- plans


def move(source: Token, target: Node) -> Plan:
    """One token goes to `target`, the others stay."""
    holder, child, way = common(source, target)
    return Plan(holder, (child,), (way[0].name,), target, _entry(way))


def restart(scope: Token, target: Node) -> Plan:
    """Everything that stands in `scope` is taken away; a single token begins at `target`."""
    wanted = chain(target)
    holder: Token | None = scope
    while holder is not None and (holder.body or holder.task_spec not in wanted):
        holder = holder.up
    assert holder is not None
    way: list[Node] = [*wanted[wanted.index(holder.task_spec) + 1 :], target]
    return Plan(holder, tuple(tokens_of(holder)), (way[0].name,), target, _entry(way))


def back(source: Token, target: Node, *, undo: bool = True) -> Plan:
    """To an earlier element: the nearest state from which the present one came about (see `marking`).

    `undo`: the source's own token is what is returned; else it stays if it can. Errors: Conflict.
    """
    holder, child, way = common(source, target)
    return _back(holder, child if undo else None, way)


def back_in(holder: Token, target: Node) -> Plan:
    """As `back`, for an element inside a live scope: whichever tokens went on from it come back. Errors: Conflict."""
    wanted = chain(target)
    way: list[Node] = [*wanted[wanted.index(_scope(holder)) + 1 :], target]
    for node in way[:-1]:
        if isinstance(node, Activity) and node.loop is not None:
            raise Conflict(f"多实例{node.label}已经结束，不能回到其中。")
    return _back(holder, None, way)


def _back(holder: Token, child: Token | None, way: list[Node]) -> Plan:
    target, first, here = way[-1], way[0], marking(holder)
    found = Net.of(_scope(holder)).before(here, first.name, undoing=None if child is None else place(child))
    found = here if found is None else found
    gone, opened = Counter(here) - Counter(found), Counter(found) - Counter(here)
    strange = [p for p in opened if p != first.name and p in holder.task_spec.siblings.task_specs]
    if strange or found == here:  # not before it, or only if others began anew
        raise Conflict(f"{target.label}不在当前环节之前，不能退到那里。")
    cancelled: list[Token] = []
    for token in sorted(tokens_of(holder), key=lambda one: one is not child):
        if gone[place(token)] > 0:
            gone[place(token)] -= 1
            cancelled.append(token)
    return Plan(holder, tuple(cancelled), tuple(opened.elements()), target, _entry(way, exact=True))


def within(token: Token, scope: Token) -> bool:
    """Whether a token lies anywhere inside a scope."""
    up = token.up
    while up is not None and up is not scope:
        up = up.up
    return up is scope


def _scope(token: Token) -> Scope:
    assert isinstance(token.task_spec, Scope)
    return token.task_spec


def _entry(way: Sequence[Node], *, exact: bool = False) -> Entry | None:
    """How the subprocesses on the way are entered; `exact`: as they were when they came to an end later."""
    if len(way) == 1:
        return None
    outer, inner = way[0], way[1]
    assert isinstance(outer, Scope)
    rest = _entry(way[1:], exact=exact)
    places: Marking = (inner.name,)
    if exact:
        found = Net.of(outer).before((), inner.name)
        places = found if found is not None else places
    return [[name, rest if name == inner.name else None] for name in places]


# ---- carrying out


def carry_out(workflow: ProcessWorkflow, plan: Plan) -> None:
    """Take away, then open; nothing runs yet."""
    for token in plan.cancelled:
        workflow.cancel(token)
    put(workflow, plan.holder, [[name, plan.entry] for name in plan.opened])


def put(workflow: ProcessWorkflow, holder: Token, entry: Entry) -> None:
    """New tokens in a scope: at an element, or waiting at a join with the flow that they would have come by."""
    flows = Net.of(_scope(holder))._flows
    for name, inside in entry:
        if name in flows:
            waiting = Token(workflow, workflow.spec.node(flows[name].target), holder, WAITING, workflow.now)
            waiting.info["flow"] = name
            continue
        token = workflow.spawn(workflow.spec.node(name), holder)
        if inside is not None:
            token.info["entry"] = inside
