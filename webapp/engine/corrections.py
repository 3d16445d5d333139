"""Which variables an operation may correct in a process that the law guards (decision 0023), and in which kind.

A variable stays as it is when something that decides reads it: a condition, a decision, a loop, a timer, a correlation
key, any mapping or script; when it is the outcome of a task; when an element that the law demands brings it forth; and
when the handler of such an element documents it as an input. A handler that documents nothing may read everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from webapp.engine.bpmn.model import CompiledProcess, EventDefinition
from webapp.engine.bpmn.specs import Activity, Node
from webapp.engine.bpmn.tasks import CallActivity, ScriptTask, UserTask
from webapp.engine.errors import LawForbids
from webapp.engine.feel import Expression
from webapp.engine.handler_api import Hooks
from webapp.errors import Invalid

#: The names that a decision of the deployment may read, by its key.
DecisionNames = Callable[[str], frozenset[str]]


def check(
    compiled: CompiledProcess, hooks: Hooks, decisions: DecisionNames, before: Mapping[str, Any], new: Mapping[str, Any]
) -> None:
    """Errors: LawForbids (which variable, and what reads it)."""
    guarded = [element for element in compiled.elements.values() if element.law]
    if not guarded:
        return
    why = readers(compiled, hooks, decisions)
    for name in new:
        if name not in before:
            raise LawForbids(f"该流程有规程规定的环节（如“{guarded[0].name}”），不能由操作增加变量“{name}”。")
        if name in why or "*" in why:
            label = why.get(name) or why["*"]
            raise LawForbids(f"变量“{name}”由{label}使用，关系到规程规定的环节，不能由操作更正。")


def same_kinds(before: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Errors: Invalid (another kind of value)."""
    for name, value in new.items():
        if name in before and kind(before[name]) != kind(value) and None not in (before[name], value):
            raise Invalid(f"变量“{name}”现在是{kind(before[name])}，不能更正为{kind(value)}。")


def kind(value: Any) -> str:
    """What sort of value it is, in words."""
    if isinstance(value, bool):
        return "是否"
    for types, word in (
        ((int, Decimal, float), "数"),
        (str, "文字"),
        (datetime, "时刻"),
        (date, "日期"),
        (list, "列表"),
        (Mapping, "对象"),
    ):
        if isinstance(value, types):
            return word
    return "其他"


def readers(compiled: CompiledProcess, hooks: Hooks, decisions: DecisionNames) -> dict[str, str]:
    """Variable -> the element that reads it so that it decides; "*" when an element may read everything."""
    found: dict[str, str] = {}
    for node in compiled.spec.task_specs.values():
        for name in _names(node, hooks, decisions):
            found.setdefault(name, node.label)
    return found


def _names(node: Node, hooks: Hooks, decisions: DecisionNames) -> Iterator[str]:
    for expression in _expressions(node):
        if expression is not None:
            yield from expression.names
    element = node.element
    if element.decision_ref:
        yield from decisions(element.decision_ref)
    if element.type == "userTask":
        yield element.outcome_variable
    if element.law:
        yield from (output.name for output in element.outputs)
        if element.result_variable:
            yield element.result_variable
        handler = hooks.handlers.get(element.topic or "")
        if handler is not None:
            yield from handler.inputs or ("*",)


def _expressions(node: Node) -> Iterator[Expression | None]:
    yield from (flow.condition for flow in node.outgoing)
    yield from _of_event(node.event)
    if isinstance(node, Activity):
        yield from (expression for _, expression in (*node.maps_in, *node.maps_out))
        if node.loop is not None:
            loop = node.loop
            yield from (loop.collection, loop.cardinality, loop.completion, loop.output_element, loop.condition)
    if isinstance(node, UserTask):
        yield from (value.expression for value in (node.users, node.assignee, node.due, node.priority) if value)
    if isinstance(node, CallActivity):
        yield node.key
        yield from (expression for _, expression in node.passed)
    if isinstance(node, ScriptTask):
        yield node.script


def _of_event(event: EventDefinition) -> Iterator[Expression | None]:
    yield from (event.condition, event.correlation_key)
    if event.value is not None:
        yield event.value.expression
