"""Errors and escalations find their catcher outward through the scopes (BPMN 10.5.7, 13.5.3).

At each level first the event subprocesses of the scope, then the boundary events of the activity; an exact code before
a catch-all. Only the scopes that really enclose the thrower are asked: a sibling never catches (trap 23).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from webapp.engine.bpmn.specs import Activity, EventSub, Node, Scope
from webapp.engine.bpmn.tokens import Token


def throw(origin: Token, kind: str, code: str | None, message: str = "") -> bool:
    """Give an error or escalation to its catcher; False when there is none. The origin may be gone already."""
    current: Token | None = origin
    while current is not None:
        spec, scope = current.task_spec, current.up
        if isinstance(spec, Activity) and current.alive and not current.info.get("loop"):
            boundary = _match(spec.boundary, kind, code)
            if boundary is not None:
                trigger_boundary(boundary, current, _payload(boundary, code, message))
                return True
        if (
            scope is not None
            and isinstance(scope.task_spec, Scope)
            and not scope.body
            and not isinstance(spec, EventSub)
        ):
            start = _match((sub.start for sub in scope.task_spec.event_subs), kind, code)
            if start is not None:
                trigger_event_sub(start, scope, _payload(start, code, message))
                return True
        current = scope
    return False


def _match(nodes: Iterable[Node], kind: str, code: str | None) -> Node | None:
    found = [node for node in nodes if node.event.kind == kind and node.event.code in (None, code)]
    return min(found, key=lambda node: node.event.code is None, default=None)


def _payload(node: Node, code: str | None, message: str) -> dict[str, Any]:
    event = node.event
    found: dict[str, Any] = {}
    if event.code_variable:
        found[event.code_variable] = code
    if event.message_variable:
        found[event.message_variable] = message
    return found


def trigger_boundary(node: Node, activity: Token, payload: dict[str, Any]) -> None:
    """The boundary event of an activity has happened."""
    workflow, scope = activity.workflow, activity.up
    assert scope is not None
    if interrupting(node):
        workflow.cancel(activity)
    event = workflow.spawn(node, scope, leaving=True)
    workflow.assign(scope, payload, by=event)


def trigger_event_sub(start: Node, scope: Token, payload: dict[str, Any]) -> None:
    """The start event of an event subprocess has happened in `scope`."""
    spec = scope.task_spec
    assert isinstance(spec, Scope)
    workflow = scope.workflow
    sub = next(sub for sub in spec.event_subs if sub.start is start)
    if sub.interrupting:
        for child in scope.kids:
            workflow.cancel(child)
    token = workflow.spawn(sub, scope)
    workflow.assign(scope, payload, by=token)


def interrupting(node: Node) -> bool:
    """Whether a catching event ends what it is attached to."""
    return bool(getattr(node, "cancels", True))
