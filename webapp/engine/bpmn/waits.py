"""What a token waits for: a message, a signal or a timer, evaluated once when the wait begins; or a condition.

SpiffWorkflow neither correlates nor reads a clock here: the wait is told to the runtime (SubscriptionWanted,
TimerWanted), which later delivers to exactly this token. A condition is looked at again whenever a step has changed
something.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from webapp.engine.bpmn.expressions import Incident, due, evaluate
from webapp.engine.bpmn.model import EventDefinition
from webapp.engine.feel import Expression
from webapp.engine.types import SubscriptionWanted, TimerWanted

if TYPE_CHECKING:
    from webapp.engine.bpmn.specs import Node
    from webapp.engine.bpmn.tokens import Token


@dataclass(frozen=True, slots=True)
class Wait:
    """`kind`: message | signal | timer | conditional. `due`: datetime, date or ISO 8601 text."""

    kind: str
    name: str = ""
    correlation_key: str | None = None
    timer: str = ""
    due: Any = None


def key_text(expression: Expression | None, token: Token, what: str) -> str | None:
    """A correlation key as text. Null is an incident: a wait without key would take anybody's message (trap 10)."""
    if expression is None:
        return None
    value = evaluate(expression, token.workflow.visible(token), token.workflow.now, what)
    if value is None or isinstance(value, bool | list | dict):
        raise Incident(f"{what}没有得到值。")
    return str(value)


def plan(node: Node, token: Token) -> Wait:
    """Evaluate what `node` waits for, in the scope of `token`. Errors: Incident."""
    event: EventDefinition = node.event
    if event.kind == "timer":
        assert event.value is not None
        workflow = token.workflow
        found = due(event.value, workflow.visible(token), workflow.now, f"{node.label}的定时")
        if isinstance(found, str) and (event.timer == "cycle") != found.startswith("R"):
            raise Incident(f"{node.label}的定时“{found}”与其类型 {event.timer} 不符。")
        return Wait("timer", timer=event.timer, due=found)
    if event.kind == "conditional":
        return Wait("conditional")
    return Wait(event.kind, event.name, key_text(event.correlation_key, token, f"{node.label}的关联键"))


def announce(token: Token, node: Node, wait: Wait) -> None:
    """Tell the runtime that `token` waits; `node` is the event that is drawn."""
    token.info["wait"] = wait.kind
    if wait.kind == "conditional":
        return
    if wait.kind == "timer":
        if wait.timer == "cycle":
            token.info["cycle"] = wait.due
        token.workflow.emit(TimerWanted(token.id, node.element.id, wait.timer, wait.due))
        return
    token.workflow.emit(SubscriptionWanted(token.id, node.element.id, wait.kind, wait.name, wait.correlation_key))


def became_true(token: Token) -> bool:
    """Whether the condition that the token waits for holds now and did not hold before. Errors: Incident.

    A condition without a value does not hold yet: its variables may still come.
    """
    condition = token.task_spec.event.condition
    assert condition is not None
    what = f"{token.task_spec.label}的条件"
    holds = evaluate(condition, token.workflow.visible(token), token.workflow.now, what) is True
    before = bool(token.info.get("held"))
    token.info["held"] = holds
    return holds and not before


def next_cycle(token: Token) -> str | None:
    """After a cycle timer fired: the cycle that remains (`R2/PT1H` after `R3/PT1H`), None when it is used up.

    A start date counts for the first time only: `R2/PT1H` comes after `R3/2026-01-01/PT1H` too.
    """
    cycle = token.info.get("cycle")
    if cycle is None:
        return None
    parts = str(cycle).split("/")
    head, rest = parts[0], parts[-1]
    if head == "R":
        return f"R/{rest}"
    left = int(head[1:]) - 1
    return f"R{left}/{rest}" if left > 0 else None
