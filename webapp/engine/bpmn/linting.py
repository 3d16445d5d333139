"""What a deployable model should be asked about before it is deployed: one source for deployment and designer.

Everything here stands on a compiled process (`compile_bpmn` found no error). Findings are warnings, except a deadlock
that no run can escape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from webapp.engine.bpmn.model import CompiledProcess, Findings
from webapp.engine.bpmn.soundness import examine, may_be_left, scopes
from webapp.engine.bpmn.specs import ROOT, Activity, Node
from webapp.engine.bpmn.tasks import CallActivity, ScriptTask
from webapp.engine.feel import Expression, compile_expression
from webapp.engine.sentences import _
from webapp.engine.types import Element, Finding


@dataclass(frozen=True, slots=True)
class Sources:
    """Where variables come from outside the model. A form or topic that is missing here may set anything."""

    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)  # form reference -> keys of its fields
    outputs: Mapping[str, frozenset[str]] = field(default_factory=dict)  # topic -> documented outputs
    given: frozenset[str] = frozenset()  # passed by the call activities of the same deployment
    open: bool = False  # code that is asked at the start may give any variable


def lint(process: CompiledProcess, sources: Sources | None = None) -> tuple[Finding, ...]:
    """Deadlocks, lack of synchronisation, runs without end, variables that nothing sets."""
    findings = Findings()
    _check_soundness(process, findings)
    if sources is None or not sources.open:
        _check_variables(process, sources or Sources(), findings)
    return tuple(findings.all)


def _check_soundness(process: CompiledProcess, findings: Findings) -> None:
    for scope, inside in scopes(process.spec.task_specs):
        if not scope.starts:
            continue
        found = examine(scope, inside)
        certain = found.never_ends and not may_be_left(scope)
        for name in sorted(found.deadlocks):
            if certain:
                findings.error(name, "deadlock", _("并行汇聚永远等不齐各条分支：没有一种走法能办结。"))
            else:
                message = _("并行汇聚可能等不齐：有的走法不会经过它的全部分支，事项会停在这里。")
                findings.warning(name, "deadlock", message)
        for name in sorted(found.doubled):
            message = _("同一次办理可能有两个令牌先后到这里，它会被重复执行：前面的并行分支没有汇聚。")
            findings.warning(name, "unsynchronised", message)
        if certain and not found.deadlocks:
            holder = process.info.key if scope.name == ROOT else scope.name
            findings.warning(holder, "endless", _("没有一种走法能到达结束：事项只能由人终止。"))


# ---- variables


def _check_variables(process: CompiledProcess, sources: Sources, findings: Findings) -> None:
    """A variable that a condition reads and that nothing sets: the condition has no value and the case stops there."""
    nodes = list(process.spec.task_specs.values())
    known: set[str] = set(sources.given) | set(process.info.start_variables)
    for node in nodes:
        found = _set_by(node, sources)
        if found is None:
            return  # something may set any variable
        known |= found
    for element_id, expression in _read_by(nodes):
        for name in sorted(expression.names - known):
            message = _("条件里的变量“%(variable)s”没有任何环节设置，只能在发起时给出。")
            findings.warning(element_id, "variable", message, variable=name)


def brings(process: CompiledProcess, sources: Sources) -> dict[str, frozenset[str]]:
    """Element id -> the variables that it may set, as far as they are known; process key: those from the start."""
    found = {name: frozenset(_set_by(node, sources) or ()) for name, node in process.spec.task_specs.items()}
    info = process.info
    title = compile_expression(info.title).names if info.title else frozenset[str]()
    return {**found, info.key: sources.given | frozenset(info.start_variables) | frozenset(info.searchable) | title}


def _set_by(node: Node, sources: Sources) -> set[str] | None:
    """The variables that an element may set; None: any."""
    element, found = node.element, {name for name, _value in getattr(node, "maps_in", ())}
    maps_out = {name for name, _value in getattr(node, "maps_out", ())}
    loop = node.loop
    if loop is not None:
        found |= {"loopCounter", "nrOfInstances", "nrOfCompletedInstances", "nrOfActiveInstances"}
        found |= {name for name in (loop.element_variable, loop.output_collection) if name}
    event = node.event
    found |= {name for name in (event.code_variable, event.message_variable) if name}
    brought = _brought(node, element, sources)
    if maps_out:
        return found | maps_out | (brought or set())
    return None if brought is None else found | brought


def _brought(node: Node, element: Element, sources: Sources) -> set[str] | None:
    """What the work itself brings: the form's fields, the handler's outputs, a message's contents ..."""
    if element.topic:
        return None if element.topic not in sources.outputs else set(sources.outputs[element.topic])
    if element.type == "userTask":
        if element.form_ref is None or element.form_ref not in sources.fields:
            return {element.outcome_variable} if element.form_ref is None else None
        return {element.outcome_variable, *sources.fields[element.form_ref]}
    if element.result_variable:
        return {element.result_variable}
    if isinstance(node, ScriptTask):
        return None
    if isinstance(node, CallActivity):
        return None if element.called_all_outputs else {name for name, _value in node.returned}
    if node.event.kind in ("message", "signal") and element.type not in (
        "endEvent",
        "intermediateThrowEvent",
        "sendTask",
    ):
        return None
    return set()


def _read_by(nodes: Iterable[Node]) -> Iterator[tuple[str, Expression]]:
    """The conditions that stop a case when a variable has no value, with the element to show."""
    for node in nodes:
        for flow in node.outgoing:
            if flow.condition is not None:
                yield flow.id, flow.condition
        if node.event.condition is not None:
            yield node.element.id, node.event.condition
        if isinstance(node, Activity) and node.loop is not None:
            loop = node.loop
            for expression in (loop.collection, loop.cardinality, loop.completion, loop.condition):
                if expression is not None:
                    yield node.element.id, expression
