"""Small models, a host that behaves, and an execution that is stored and loaded again after every step."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest

from webapp.engine.bpmn import CompiledProcess, Execution, Known, compile_bpmn
from webapp.engine.errors import BpmnError, DeploymentRefused
from webapp.engine.types import (
    ActivityEnded,
    Element,
    Event,
    InstanceEnded,
    MessageThrown,
    SubscriptionWanted,
    TaskClosed,
    TaskOpened,
    TimerWanted,
)

NAMESPACES = (
    'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
    'xmlns:qianyin="https://qianyin.example/schema/bpmn"'
)
DEFINITIONS = (
    '<message id="m" name="stop"/><message id="m2" name="go"/><signal id="sg" name="sig"/>'
    '<error id="er" name="er" errorCode="E1"/><error id="er2" errorCode="E2"/>'
    '<escalation id="esc" name="esc" escalationCode="ESC"/>'
)
T = TypeVar("T")
Handler = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def document(body: str, extra: str = "", attributes: str = "", definitions: str = DEFINITIONS) -> bytes:
    """A file with one process `p`."""
    return (
        f'<definitions {NAMESPACES} targetNamespace="x">{definitions}{extra}'
        f'<process id="p" isExecutable="true" {attributes}>{body}</process></definitions>'
    ).encode()


def flow(source: str, target: str, condition: str | None = None, flow_id: str | None = None) -> str:
    inner = "" if condition is None else f"<conditionExpression>{condition}</conditionExpression>"
    name = flow_id or f"f_{source}_{target}"
    return f'<sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'


def path(*ids: str) -> str:
    """Flows from each element to the next."""
    return "".join(flow(a, b) for a, b in itertools.pairwise(ids))


def user(element_id: str, inner: str = "", attributes: str = "") -> str:
    return f'<userTask id="{element_id}" camunda:candidateGroups="office" {attributes}>{inner}</userTask>'


def line(*middle: str, before: str = "", after: str = "") -> str:
    """start `s`, the given elements one after the other, end `e`."""
    ids = ["s", *(element.split('id="', 1)[1].split('"', 1)[0] for element in middle), "e"]
    return f'<startEvent id="s"/>{before}{"".join(middle)}{after}<endEvent id="e"/>{path(*ids)}'


class Surroundings:
    """The host of the executions under test: handlers and decisions by name, a clock that is moved by hand."""

    def __init__(
        self, handlers: Mapping[str, Handler] | None = None, decisions: Mapping[str, Any] | None = None
    ) -> None:
        self.handlers = dict(handlers or {})
        self.decisions = dict(decisions or {})
        self.time = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
        self.called: list[str] = []

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time

    def call_handler(self, element: Element, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        self.called.append(element.id)
        return self.handlers[element.topic or ""](variables)

    def decide(self, decision_ref: str, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.decisions[decision_ref](variables)
        return rows


def compiled(xml: bytes, known: Known | None = None) -> CompiledProcess:
    return compile_bpmn(xml, known=known or Known.anything())[0]


def refused(xml: bytes, known: Known | None = None) -> dict[str, str | None]:
    """The findings of a refusal: code -> element id."""
    with pytest.raises(DeploymentRefused) as caught:
        compile_bpmn(xml, known=known or Known.anything())
    return {finding.code: finding.element_id for finding in caught.value.findings}


class Run:
    """An instance that is dumped and loaded again before every step, as it is in production."""

    def __init__(
        self, xml: bytes, host: Surroundings | None = None, start: str | None = None, **variables: Any
    ) -> None:
        self.host = host or Surroundings()
        self.process = compiled(xml)
        self.events: list[Event] = []
        self.execution = Execution.start(self.process, variables, self.host, start_element=start)
        self._note()

    def _note(self) -> None:
        self.events += self.execution.drain()
        self.execution = Execution.load(self.process, self.execution.dump(), self.host)

    # ---- looking

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def open(self) -> list[str]:
        """Element ids of the open user tasks, sorted."""
        return sorted(element for element, _, state, _ in self.execution.tokens() if state == "open")

    def states(self) -> dict[str, str]:
        return {element: state for element, _, state, _ in self.execution.tokens()}

    @property
    def ended(self) -> str | None:
        return None if self.execution.ended is None else self.execution.ended.value

    @property
    def variables(self) -> dict[str, Any]:
        return self.execution.variables()

    def node(self, element: str) -> UUID:
        """The oldest token at an element."""
        return next(node for name, node, _, _ in self.execution.tokens() if name == element)

    def task(self, element: str) -> UUID:
        return next(node for name, node, state, _ in self.execution.tokens() if name == element and state == "open")

    def wait(self, element: str) -> UUID:
        """The node that last began to wait for the event `element`, listeners included."""
        found = [e for e in self.events if isinstance(e, SubscriptionWanted | TimerWanted) and e.element_id == element]
        return found[-1].node

    def ended_elements(self, *, cancelled: bool = False) -> list[str]:
        return [e.element_id for e in self.of(ActivityEnded) if e.cancelled is cancelled]

    # ---- moving

    def do(self, element: str, **variables: Any) -> Run:
        """Complete an open user task."""
        self.execution.complete(self.task(element), variables)
        self._note()
        return self

    def deliver(self, element: str, **payload: Any) -> Run:
        self.execution.deliver(self.wait(element), payload)
        self._note()
        return self

    def resume(self, element: str, **result: Any) -> Run:
        self.execution.resume(self.node(element), result)
        self._note()
        return self

    def fail(self, element: str, code: str, message: str = "") -> Run:
        self.execution.fail(self.node(element), BpmnError(code, message))
        self._note()
        return self

    def retry(self, element: str) -> Run:
        self.execution.retry(self.node(element))
        self._note()
        return self

    def cancel(self) -> Run:
        self.execution.cancel()
        self._note()
        return self

    def set(self, **variables: Any) -> Run:
        self.execution.set_variables(variables)
        self._note()
        return self


__all__ = [
    "DEFINITIONS",
    "InstanceEnded",
    "MessageThrown",
    "Run",
    "Surroundings",
    "TaskClosed",
    "TaskOpened",
    "compiled",
    "document",
    "flow",
    "line",
    "path",
    "refused",
    "user",
]
