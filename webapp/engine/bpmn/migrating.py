"""A running instance goes on in another version of its process: which tokens find their place there, and the change.

A token keeps its element's kind, its loop and its surroundings (the same subprocesses around it). A wait whose
definition is the same in both versions goes on as it is: a timer keeps its due time, a message its subscription. A
wait that only the new version has, or that is defined otherwise there, begins now; one that only the old has, ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from webapp.engine.bpmn.joins import Join
from webapp.engine.bpmn.marking import place
from webapp.engine.bpmn.model import CompiledProcess
from webapp.engine.bpmn.moving import chain
from webapp.engine.bpmn.specs import ROOT, Activity, Node, Scope
from webapp.engine.bpmn.tasks import CallActivity, ServiceTask
from webapp.engine.bpmn.tokens import Token
from webapp.engine.bpmn.waits import announce, plan
from webapp.engine.bpmn.workflow import ProcessWorkflow


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why a token has no place in the new version."""

    element_id: str
    message: str


def target_name(mapping: Mapping[str, str], name: str) -> str:
    """The element of the new version; the same id unless mapped."""
    return name if name == ROOT else mapping.get(name, name)


def hindrances(workflow: ProcessWorkflow, new: CompiledProcess, mapping: Mapping[str, str]) -> list[Hindrance]:
    """Every token that cannot go on in `new`, with the reason; none: the instance can be migrated."""
    found: dict[str, Hindrance] = {}
    for token in workflow.tasks.values():
        if token.up is None or token.listener:
            continue
        why = _hindrance(token, new, mapping)
        if why:
            found.setdefault(token.element_id, Hindrance(token.element_id, why))
    for record in workflow.compensations:
        if target_name(mapping, record["element"]) not in new.spec.task_specs:
            found.setdefault(record["element"], Hindrance(record["element"], "新版本没有它，其补偿将无法进行。"))
    return list(found.values())


def _hindrance(token: Token, new: CompiledProcess, mapping: Mapping[str, str]) -> str:
    old = token.task_spec
    there = new.spec.task_specs.get(target_name(mapping, old.name))
    if there is None:
        return f"新版本没有{old.label}，请指定它对应的环节。"
    if type(there) is not type(old) or there.element.type != old.element.type:
        return f"{old.label}与新版本的{there.label}种类不同。"
    if [target_name(mapping, scope.name) for scope in chain(old)] != [scope.name for scope in chain(there)]:
        return f"{old.label}在新版本中处于另一个子流程。"
    if _loop(old) != _loop(there):
        return f"{old.label}的多实例设置与新版本不同。"
    if isinstance(old, Join) and old.joins and _flow(token, there) is None:
        return f"{old.label}前的连线在新版本中不存在，已到达的分支无处等待。"
    if isinstance(old, CallActivity) and old.element.called_key != there.element.called_key:
        return f"{old.label}调用的流程与新版本不同。"
    if isinstance(old, ServiceTask) and token.info.get("wait") and old.element.topic != there.element.topic:
        return f"{old.label}正在执行，其处理程序与新版本不同。"
    if token.info.get("wait") and old.event.kind != there.event.kind:
        return f"{old.label}等待的事件与新版本不同。"
    return ""


def _loop(node: Node) -> tuple[bool, bool] | None:
    return None if node.loop is None else (node.loop.sequential, node.loop.standard)


def _flow(token: Token, there: Node) -> str | None:
    """The flow of the new join by which a waiting token has come: the same id, or from the same element."""
    came = place(token)
    if any(flow.id == came for flow in there.incoming):
        return came
    source = next((flow.source for flow in token.task_spec.incoming if flow.id == came), None)
    return next((flow.id for flow in there.incoming if flow.source == source), None)


def become(workflow: ProcessWorkflow, new: CompiledProcess, mapping: Mapping[str, str]) -> dict[UUID, Node]:
    """Put every token at its element of `new`; the caller has asked `hindrances`. Gives the tokens that changed place.

    Errors: Incident (a new timer cannot be computed).
    """
    before = {token.id: token.task_spec for token in workflow.tasks.values()}
    for token in list(workflow.tasks.values()):
        if token.alive and token.listener:
            _listener(workflow, token, new, mapping)
    workflow.compiled, workflow.spec = new, new.spec
    for token in workflow.tasks.values():
        old, there = before[token.id], new.spec.node(target_name(mapping, before[token.id].name))
        if isinstance(old, Join) and old.joins and token.info.get("flow"):
            token.info["flow"] = _flow(token, there) or token.info["flow"]
        token.task_spec = there
    for record in workflow.compensations:
        record["element"] = target_name(mapping, record["element"])
    for token, node in list(_missing(workflow)):
        workflow.listen(token, [(node, plan(node, token))])
    _waits_anew(workflow, before)
    return {token.id: token.task_spec for token in workflow.tasks.values()}


def _listener(workflow: ProcessWorkflow, token: Token, new: CompiledProcess, mapping: Mapping[str, str]) -> None:
    """A boundary event or event subprocess that the new version lacks, or defines otherwise, is no longer heard."""
    old, host = token.task_spec, token.up
    assert host is not None
    there = new.spec.task_specs.get(target_name(mapping, old.name))
    around = new.spec.task_specs.get(target_name(mapping, host.task_spec.name))
    heard = around is not None and there in [node for node, _ in _heard(around)]
    if there is None or not heard or not _same(old, there):
        workflow.cancel(token)


def _same(old: Node, new: Node) -> bool:
    a, b = old.event, new.event
    texts = [None if event.value is None else event.value.text for event in (a, b)]
    keys = [None if event.correlation_key is None else event.correlation_key.source for event in (a, b)]
    return (a.kind, a.name, a.timer, texts[0], keys[0]) == (b.kind, b.name, b.timer, texts[1], keys[1])


def _heard(node: Node) -> Iterator[tuple[Node, bool]]:
    if isinstance(node, Activity):
        yield from ((event, True) for event in node.boundary if event.event.waited_for)
    if isinstance(node, Scope):
        yield from ((sub.start, False) for sub in node.event_subs if sub.waits)


def _missing(workflow: ProcessWorkflow) -> Iterator[tuple[Token, Node]]:
    """What is to be heard at the tokens as they stand now and is not."""
    for token in list(workflow.tasks.values()):
        if token.listener:
            continue
        known = {kid.task_spec for kid in token.kids if kid.listener}
        for node, boundary in _heard(token.task_spec):
            wanted = not token.info.get("loop") if boundary else not token.body
            if wanted and node not in known and node.event.kind != "none":
                yield token, node


def _waits_anew(workflow: ProcessWorkflow, before: Mapping[UUID, Node]) -> None:
    """An event that is waited for by a token of its own, and is defined otherwise now, is waited for anew."""
    for token in list(workflow.tasks.values()):
        kind = token.info.get("wait")
        if token.up is None or token.id not in before or kind not in ("message", "signal", "timer"):
            continue
        if not token.listener and not _same(before[token.id], token.task_spec):
            wait = plan(token.task_spec, token)
            workflow.stop_waiting(token)
            announce(token, token.task_spec, wait)
