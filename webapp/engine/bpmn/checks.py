"""Refuses at deployment what the engine would not carry out faithfully: element, code, and a sentence that says why.

Nothing is silently taken for a none event, an ignored attribute or a task that waits for ever (engine.md, trap 18).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lxml import etree

from webapp.engine.bpmn import vocabulary as words
from webapp.engine.bpmn.joins import exits
from webapp.engine.bpmn.model import Findings, Known
from webapp.engine.bpmn.normalise import FLOW_NODES
from webapp.engine.bpmn.specs import Activity, EventSub, Node, ProcessSpec, Scope
from webapp.engine.bpmn.xml import BPMN, CAMUNDA, flag, local, text
from webapp.engine.sentences import _
from webapp.engine.types import Element, ProcessInfo

_ID = re.compile(r"[^\W\d][\w.-]*")
_FEEL = frozenset({"", "feel", "https://www.omg.org/spec/dmn/20191111/feel/", "http://www.omg.org/spec/feel/20140401"})
_MAPPINGS = frozenset({"resultList", "singleResult", "singleEntry", "collectEntries"})
_STYLES = frozenset({"primary", "plain", "danger"})


def check_document(root: etree._Element, findings: Findings) -> None:
    """Children of the definitions."""
    for node in root:
        kind = local(node)
        if not kind.startswith("{") and kind not in words.DOCUMENT:
            findings.error(node.get("id"), "unsupported", _("不支持元素 %(kind)s。"), kind=kind)
    seen: set[str] = set()
    for node in root.iter(f"{BPMN}*"):
        node_id = node.get("id")
        if node_id is not None and node_id in seen:
            findings.error(node_id, "duplicate_id", _("此标识在模型中出现不止一次。"))
        seen.add(node_id or "")


def check_process(process: etree._Element, info: ProcessInfo, known: Known, findings: Findings) -> None:
    """The process itself."""
    if not _ID.fullmatch(info.key):
        findings.error(info.key or None, "bad_id", _("流程的标识须以字母开头，只含字母、数字、点、横线和下划线。"))
    check_attributes(process, findings)
    _check_roles(info.key, info.starter_groups, known, findings)
    if len({key for key, _ in info.stages}) != len(info.stages):
        findings.error(info.key, "stage", _("阶段的标识重复。"))


def check_scope(scope: etree._Element, findings: Findings) -> None:
    """What a process or subprocess holds besides flow nodes."""
    for child in scope:
        kind = local(child)
        if kind in words.UNSUPPORTED:
            findings.error(child.get("id"), "unsupported", _("引擎不执行%(what)s。"), what=words.UNSUPPORTED[kind])
        elif not (kind.startswith("{") or kind.endswith("LoopCharacteristics") or kind in FLOW_NODES | words.SILENT):
            findings.error(child.get("id"), "unsupported", _("不支持元素 %(kind)s。"), kind=kind)


def check_element(node: etree._Element, element: Element, known: Known, info: ProcessInfo, findings: Findings) -> None:
    """One flow node by itself."""
    if not _ID.fullmatch(element.id):
        findings.error(element.id, "bad_id", _("标识须以字母开头，只含字母、数字、点、横线和下划线。"))
    check_attributes(node, findings)
    if element.stage is not None and element.stage not in {key for key, _ in info.stages}:
        findings.error(element.id, "stage", _("流程没有定义阶段“%(stage)s”。"), stage=element.stage)
    for name in ("validator", "provider"):
        hook = getattr(element, name)
        if hook is not None and hook not in getattr(known, f"{name}s"):
            findings.unknown(known, element.id, name, _("没有名为“%(hook)s”的 %(name)s。"), hook=hook, name=name)
    if element.type.endswith("Event"):
        _check_event(node, element, findings)
    kind = _CHECKS.get(element.type)
    if kind is not None:
        kind(node, element, known, findings)


# ---- attributes and extensions


def check_attributes(node: etree._Element, findings: Findings) -> None:
    """The camunda attributes and extension elements of a node and of its own parts."""
    element_id = node.get("id")
    parts = [node, *(child for child in node if local(child).endswith(("EventDefinition", "LoopCharacteristics")))]
    for part in parts:
        allowed = words.ATTRIBUTES.get(local(part), words.HARMLESS)
        for name in map(str, part.attrib):
            short = name[len(CAMUNDA) :]
            if name.startswith(CAMUNDA) and short not in allowed:
                reason = words.REASONS.get(short, f"属性 camunda:{short}")
                findings.error(element_id, "unknown_attribute", _("引擎不执行%(reason)s。"), reason=reason)
            elif name.startswith("{http://camunda.org/schema/zeebe"):
                findings.error(element_id, "unknown_attribute", _("模型为 Camunda 8 所作，请改用 Camunda 7 的属性。"))
        for item in part.iterfind(f"{BPMN}extensionElements/*"):
            _check_extension(item, element_id, findings)


def _check_extension(item: etree._Element, element_id: str | None, findings: Findings) -> None:
    tag = str(item.tag)
    if tag.startswith("{http://camunda.org/schema/zeebe"):
        findings.error(element_id, "unknown_extension", _("模型为 Camunda 8 所作，请改用 Camunda 7 的扩展。"))
    if not tag.startswith(CAMUNDA):
        return
    name = tag[len(CAMUNDA) :]
    if name not in words.EXTENSIONS:
        reason = words.REASONS.get(name, f"扩展 camunda:{name}")
        findings.error(element_id, "unknown_extension", _("引擎不执行%(reason)s。"), reason=reason)
    elif name == "inputOutput":
        for parameter in item:
            if len(parameter) or not parameter.get("name"):
                findings.error(
                    element_id, "mapping", _("输入输出参数须有名称，值须为 FEEL 文本（不支持脚本、列表和映射）。")
                )


def check_language(holder: etree._Element, element_id: str, findings: Findings) -> None:
    """The expression language of a condition."""
    if (holder.get("language") or "").strip().lower() not in _FEEL:
        findings.error(
            element_id, "language", _("不支持表达式语言“%(language)s”，请用 FEEL。"), language=holder.get("language")
        )
    if holder.get(f"{CAMUNDA}resource"):
        findings.error(element_id, "language", _("不支持外部脚本文件。"))


# ---- kinds


def _check_event(node: etree._Element, element: Element, findings: Findings) -> None:
    found = [local(child)[: -len("EventDefinition")] for child in node if local(child).endswith("EventDefinition")]
    if node.findall(f"{BPMN}eventDefinitionRef"):
        findings.error(element.id, "event", _("不支持以引用方式给出的事件定义。"))
    if len(found) > 1:
        findings.error(element.id, "event", _("一个事件只能有一个事件定义。"))
        return
    kind = found[0] if found else "none"
    place = element.type
    if place == "startEvent":
        parent = node.getparent()
        around = None if parent is None else parent.getparent()
        assert parent is not None
        assert around is not None
        inside = "event" if flag(parent, "triggeredByEvent") else local(parent)
        place = f"{inside} start"
        if kind == "compensate" and local(around) == "process":
            findings.error(element.id, "event", _("补偿事件子流程只能写在子流程里：它补偿的是那个子流程。"))
        if kind == "error" and not flag(node, "isInterrupting", default=True):
            findings.error(element.id, "event", _("错误启动事件只能是中断的。"))
    if kind not in words.DEFINITIONS[place]:
        label = words.EVENT_NAMES.get(kind, kind)
        findings.error(element.id, "event", _("此处不支持%(label)s事件。"), label=label)
    if place == "boundaryEvent" and kind == "error" and not flag(node, "cancelActivity", default=True):
        findings.error(element.id, "event", _("错误边界事件只能是中断的。"))


def _check_user_task(node: etree._Element, element: Element, known: Known, findings: Findings) -> None:
    if not element.candidate_groups and not element.candidate_users and not element.assignee:
        findings.error(
            element.id, "nobody", _("用户任务没有候选角色、候选人或办理人，也不在任何泳道内，没有人能办理。")
        )
    _check_roles(element.id, element.candidate_groups, known, findings)
    if element.form_ref is not None and element.form_ref not in known.forms:
        findings.unknown(known, element.id, "form", _("没有名为“%(form_ref)s”的表单。"), form_ref=element.form_ref)
    others = {str(task.get("id")) for task in node.getroottree().getroot().iter(f"{BPMN}userTask")}
    for other in element.not_same_as:
        if other not in others or other == element.id:
            findings.error(
                element.id, "not_same_as", _("回避（notSameAs）所指的“%(other)s”不是另一个用户任务。"), other=other
            )
    values = [outcome.value for outcome in element.outcomes]
    if len(set(values)) != len(values) or "" in values:
        findings.error(element.id, "outcome", _("办理结果须有取值，且不得重复。"))
    for outcome in element.outcomes:
        if outcome.style not in _STYLES:
            findings.error(
                element.id,
                "outcome",
                _("办理结果的样式“%(style)s”不是 primary、plain 或 danger。"),
                style=outcome.style,
            )


def _check_roles(element_id: str, roles: tuple[str, ...], known: Known, findings: Findings) -> None:
    for role in roles:
        if "${" in role or "#{" in role:
            findings.error(element_id, "juel", _("角色不得写成 ${…} 表达式。"))
        elif known.roles and role not in known.roles:
            findings.unknown(known, element_id, "role", _("没有名为“%(role)s”的角色。"), role=role)


def _check_service(node: etree._Element, element: Element, known: Known, findings: Findings) -> None:
    if not element.topic:
        findings.error(element.id, "handler", _("服务任务没有处理程序（camunda:topic）。"))
    elif not element.external and element.topic not in known.topics:
        findings.unknown(known, element.id, "handler", _("没有名为“%(topic)s”的处理程序。"), topic=element.topic)


def _check_send(node: etree._Element, element: Element, known: Known, findings: Findings) -> None:
    if element.topic:
        _check_service(node, element, known, findings)


def _check_decision(node: etree._Element, element: Element, known: Known, findings: Findings) -> None:
    if element.topic:
        _check_service(node, element, known, findings)
        return
    if not element.decision_ref:
        findings.error(element.id, "decision", _("业务规则任务没有指明决策（camunda:decisionRef）。"))
    elif element.decision_ref not in known.decisions:
        findings.unknown(
            known, element.id, "decision", _("没有名为“%(decision_ref)s”的决策。"), decision_ref=element.decision_ref
        )
    if not element.result_variable:
        findings.error(element.id, "result_variable", _("业务规则任务没有结果变量（camunda:resultVariable）。"))
    if element.map_decision_result not in _MAPPINGS:
        findings.error(
            element.id,
            "decision",
            _("不支持结果映射“%(map_decision_result)s”。"),
            map_decision_result=element.map_decision_result,
        )


def _check_script(node: etree._Element, element: Element, known: Known, findings: Findings) -> None:
    language = (node.get("scriptFormat") or "").strip()
    if language.lower() not in _FEEL:
        findings.error(element.id, "language", _("不支持脚本语言“%(language)s”，请用 FEEL。"), language=language)
    if not text(node.find(f"{BPMN}script")):
        findings.error(element.id, "script", _("脚本任务没有脚本。"))


def _check_call(node: etree._Element, element: Element, known: Known, findings: Findings) -> None:
    key = element.called_key or ""
    if not _ID.fullmatch(key):
        findings.error(element.id, "called_process", _("调用活动没有指明流程（calledElement），或其标识不合规。"))
    elif key not in known.processes:
        findings.unknown(known, element.id, "called_process", _("没有标识为“%(key)s”的流程。"), key=key)
    if element.called_binding not in ("latest", "deployment") and not re.fullmatch(
        r"version:\d+", element.called_binding
    ):
        findings.error(element.id, "binding", _("calledElementBinding 须为 latest、deployment 或带版本号的 version。"))


_CHECKS = {
    "userTask": _check_user_task,
    "serviceTask": _check_service,
    "sendTask": _check_send,
    "businessRuleTask": _check_decision,
    "scriptTask": _check_script,
    "callActivity": _check_call,
    "endEvent": _check_send,
    "intermediateThrowEvent": _check_send,
}


# ---- structure


def check_flows(node: etree._Element, spec: Node, findings: Findings) -> None:
    """The flows at one element."""
    kind, name, default = spec.element.type, spec.name, node.get("default")
    if default is not None and not any(flow.default for flow in spec.outgoing):
        findings.error(name, "default", _("默认连线“%(default)s”不从此元素出发。"), default=default)
    if spec.incoming and (kind in ("startEvent", "boundaryEvent") or isinstance(spec, EventSub)):
        findings.error(name, "incoming", _("此元素不能有进入的连线。"))
    if spec.outgoing and (kind == "endEvent" or isinstance(spec, EventSub) or flag(node, "isForCompensation")):
        findings.error(name, "outgoing", _("此元素不能有离开的连线。"))
    if kind.endswith("Gateway") and not spec.outgoing:
        findings.error(name, "outgoing", _("网关没有离开的连线。"))
    open_flows = [flow for flow in spec.outgoing if flow.condition is None and not flow.default]
    if kind in ("exclusiveGateway", "inclusiveGateway") and len(spec.outgoing) > 1:
        for flow in open_flows:
            findings.error(flow.id, "condition", _("网关有多条离开的连线，此连线既没有条件，也不是默认连线。"))
    if kind in ("parallelGateway", "eventBasedGateway") and len(open_flows) != len(spec.outgoing):
        findings.error(name, "condition", _("并行网关和事件网关的连线不能有条件或默认。"))
    if default is not None and all(flow.condition is None for flow in spec.outgoing) and kind == "task":
        findings.error(name, "default", _("没有一条离开的连线有条件，默认连线没有意义。"))
    if isinstance(spec, EventSub) and spec.loop is not None:
        findings.error(name, "loop", _("事件子流程不能有循环。"))
    if flag(node, "instantiate"):
        findings.error(name, "instantiate", _("不支持由网关或接收任务启动流程。"))


def check_reachable(scope: Scope, inside: Mapping[str, Node], findings: Findings) -> None:
    """Every element can be reached; event-based gateways lead to events only."""
    for spec in inside.values():
        if spec.element.type == "eventBasedGateway":
            _check_event_gateway(spec, inside, findings)
    todo: list[Node] = [*scope.starts, *scope.event_subs]
    handlers = [
        inside[spec.compensated_by] for spec in inside.values() if isinstance(spec, Activity) and spec.compensated_by
    ]
    todo.extend(handlers)
    attached = {node.name for spec in inside.values() if isinstance(spec, Activity) for node in spec.boundary}
    seen = {spec.name for spec in todo}
    while todo:
        spec = todo.pop()
        if isinstance(spec, Activity):
            seen.update(node.name for node in spec.boundary)
        for flow in exits(spec):
            if flow.target not in seen and flow.target in inside:
                seen.add(flow.target)
                todo.append(inside[flow.target])
    for name, spec in inside.items():
        compensating = spec.event.kind == "compensate" and spec.element.type == "boundaryEvent"
        if name not in seen and not compensating and (spec.element.type != "boundaryEvent" or name in attached):
            findings.error(name, "unreachable", _("从开始事件无法到达此元素。"))


def _check_event_gateway(gateway: Node, inside: Mapping[str, Node], findings: Findings) -> None:
    for flow in gateway.outgoing:
        target = inside[flow.target]
        right = target.element.type == "receiveTask" or (
            target.element.type == "intermediateCatchEvent" and target.event.waited_for
        )
        if not right:
            findings.error(
                target.name, "event_gateway", _("事件网关之后只能是消息、信号、定时或条件的捕获事件，或接收任务。")
            )
        elif len(target.incoming) > 1 or (isinstance(target, Activity) and (target.boundary or target.loop)):
            findings.error(
                target.name, "event_gateway", _("事件网关之后的元素只能由该网关进入，且不能有边界事件或循环。")
            )


def check_starts(scope: Scope, findings: Findings) -> None:
    """How many start events of which kind a scope may have."""
    name = scope.element.id
    events = [start for start in scope.starts if start.element.type == "startEvent"]
    kinds = [start.event.kind for start in events]
    if not scope.starts:
        findings.error(name, "no_start", _("流程或子流程是空的，或没有开始的地方。"))
    elif isinstance(scope, EventSub):
        if len(events) != 1:
            findings.error(name, "start", _("事件子流程须恰有一个开始事件。"))
    elif scope.element.type in ("subProcess", "transaction"):
        if len(events) > 1:
            findings.error(name, "start", _("子流程只能有一个开始事件。"))
    else:
        if kinds.count("none") > 1:
            findings.error(name, "start", _("流程有多个无触发开始事件，分不清由哪一个开始。"))
        named = [(start.event.kind, start.event.name) for start in events if start.event.name]
        for start in events:
            if named.count((start.event.kind, start.event.name)) > 1:
                findings.error(
                    start.name, "start", _("流程有多个由“%(trigger)s”触发的开始事件。"), trigger=start.event.name
                )


def check_transactions(scope: etree._Element, inside: list[Node], findings: Findings) -> None:
    """Cancel end events and the cancel boundary event that they leave by (BPMN 10.3.5)."""
    ends = [spec for spec in inside if spec.event.kind == "cancel" and spec.element.type == "endEvent"]
    for end in ends if local(scope) != "transaction" else ():
        findings.error(end.name, "cancel", _("取消结束事件只能直接写在事务子流程里。"))
    for spec in inside:
        if spec.element.type != "transaction" or not isinstance(spec, Scope):
            continue
        cancels = [node for node in spec.boundary if node.event.kind == "cancel"]
        if spec.loop is not None:
            findings.error(spec.name, "loop", _("引擎不执行循环的事务子流程，请把循环放在它外面的子流程上。"))
        if len(cancels) > 1:
            findings.error(spec.name, "cancel", _("事务子流程只能有一个取消边界事件。"))
        wanted = any(
            node.event.kind == "cancel" and node.element.parent_id == spec.name and node.element.type == "endEvent"
            for node in spec.siblings.task_specs.values()
        )
        if wanted and not cancels:
            findings.error(spec.name, "cancel", _("事务子流程里有取消结束事件，但没有取消边界事件接着办理。"))


def check_compensation(inside: list[Node], known: ProcessSpec, findings: Findings) -> None:
    """What a compensation event names must exist and be compensable."""
    for spec in inside:
        ref = spec.event.activity_ref if spec.event.kind == "compensate" else None
        if ref is None:
            continue
        target = known.task_specs.get(ref)
        if not isinstance(target, Activity):
            findings.error(spec.name, "compensation", _("补偿事件所指的“%(ref)s”不是流程里的活动。"), ref=ref)
        elif target.compensated_by is None and not isinstance(target, Scope):
            findings.error(spec.name, "compensation", _("补偿事件所指的“%(ref)s”没有补偿处理。"), ref=ref)
