"""Builds the specification of each kind of element from what was read, compiling its expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from lxml import etree

from webapp.engine.bpmn import checks
from webapp.engine.bpmn.data import variable as data_variable
from webapp.engine.bpmn.events import BoundaryEvent, CatchEvent, EndEvent, StartEvent, ThrowEvent
from webapp.engine.bpmn.expressions import Value, compile_feel, person_value, time_value
from webapp.engine.bpmn.joins import EventGateway, Exclusive, Inclusive, Parallel
from webapp.engine.bpmn.model import EventDefinition, Findings, Known, Loop
from webapp.engine.bpmn.specs import Activity, EventSub, Node, ProcessSpec, Scope
from webapp.engine.bpmn.tasks import (
    CallActivity,
    DecisionTask,
    PassTask,
    ReceiveTask,
    ScriptTask,
    SendTask,
    ServiceTask,
    UserTask,
)
from webapp.engine.bpmn.xml import BPMN, CAMUNDA, QIANYIN, flag, local, text
from webapp.engine.errors import FeelError
from webapp.engine.feel import Expression
from webapp.engine.sentences import _
from webapp.engine.types import Element, IOParameter, ProcessInfo

T = TypeVar("T")
MaybeExpression = Expression | None
_KINDS = [
    "message",
    "signal",
    "error",
    "escalation",
    "timer",
    "conditional",
    "terminate",
    "compensate",
    "link",
    "cancel",
]


@dataclass(slots=True)
class Definitions:
    """Messages, signals, errors and escalations of the file, by id."""

    names: dict[str, str] = field(default_factory=dict)  # of messages and signals
    codes: dict[str, str | None] = field(default_factory=dict)  # of errors and escalations
    keys: dict[str, str] = field(default_factory=dict)  # qianyin:correlationKey of messages

    @classmethod
    def read(cls, root: etree._Element, findings: Findings) -> Definitions:
        found = cls()
        for node in root:
            kind, node_id = local(node), node.get("id") or ""
            if kind in ("message", "signal"):
                name = (node.get("name") or "").strip()
                if not name:
                    findings.error(node_id, "event_name", _("消息或信号没有名称。"))
                elif "${" in name or "#{" in name:
                    findings.error(node_id, "juel", _("消息或信号的名称不得含有 ${…} 表达式。"))
                found.names[node_id] = name
                if node.get(f"{QIANYIN}correlationKey"):
                    found.keys[node_id] = str(node.get(f"{QIANYIN}correlationKey"))
            elif kind in ("error", "escalation"):
                found.codes[node_id] = node.get(f"{kind}Code") or None
        return found


class Builder:
    """Makes nodes of one process; what cannot be compiled becomes a finding."""

    def __init__(
        self, spec: ProcessSpec, definitions: Definitions, known: Known, findings: Findings, info: ProcessInfo
    ) -> None:
        self.spec = spec
        self.definitions = definitions
        self.known = known
        self.findings = findings
        self.info = info
        if info.title:
            self.feel(info.key, info.title, _("标题"))

    # ---- expressions

    def feel(self, element_id: str, source: str, what: str) -> MaybeExpression:
        return self._compile(compile_feel, element_id, source, what)

    def _compile(self, how: Callable[[str], T], element_id: str, source: str, what: str) -> T | None:
        if "${" in source or "#{" in source:
            self.findings.error(element_id, "juel", _("%(what)s使用了 JUEL（${…}），请改写为 FEEL。"), what=what)
            return None
        try:
            return how(source)
        except FeelError as error:
            self.findings.error(element_id, "feel", _("%(what)s不是合法的 FEEL：%(error)s"), what=what, error=error)
            return None

    def _value(self, how: Callable[[str], Value], element: Element, source: str | None, what: str) -> Value | None:
        return None if source is None else self._compile(how, element.id, source, what)

    def _mapping(
        self, element: Element, parameters: tuple[IOParameter, ...], what: str
    ) -> tuple[tuple[str, Expression], ...]:
        found = []
        for parameter in parameters:
            expression = self.feel(element.id, parameter.expression or "null", f"{what} {parameter.name}")
            if expression is not None:
                found.append((parameter.name, expression))
        return tuple(found)

    # ---- nodes

    def node(self, xml: etree._Element, element: Element) -> Node:
        """The specification of a flow node."""
        kind = element.type
        if kind.endswith("Event") or kind.endswith("Gateway"):
            node = self._event_or_gateway(xml, element)
        else:
            node = self._activity(xml, element)
        if kind.endswith("Event") or kind in ("sendTask", "receiveTask"):
            node.event = self.event(xml, element)
        if isinstance(node, Activity):
            node.maps_in = self._mapping(element, element.inputs, _("输入参数"))
            node.maps_out = self._mapping(element, element.outputs, _("输出参数"))
            node.loop = self.loop(xml, element)
        return node

    def _event_or_gateway(self, xml: etree._Element, element: Element) -> Node:
        kind = element.type
        if kind == "boundaryEvent":
            return BoundaryEvent(self.spec, element, cancels=flag(xml, "cancelActivity", default=True))
        if kind == "startEvent":
            start = StartEvent(self.spec, element)
            start.cancels = flag(xml, "isInterrupting", default=True)
            return start
        if element.topic:  # a thrown message that a handler carries
            return ServiceTask(self.spec, element)
        return _SIMPLE[kind](self.spec, element)

    def _activity(self, xml: etree._Element, element: Element) -> Activity:
        kind = element.type
        if kind == "userTask":
            return self._user_task(element)
        if kind in ("subProcess", "transaction"):
            return (EventSub if flag(xml, "triggeredByEvent") else Scope)(self.spec, element)
        if kind == "callActivity":
            return self._call(element)
        if kind == "scriptTask":
            return self._script(xml, element)
        if kind in ("serviceTask", "sendTask", "businessRuleTask") and element.topic:
            return ServiceTask(self.spec, element)
        simple: Mapping[str, type[Activity]] = {
            "task": PassTask,
            "manualTask": PassTask,
            "serviceTask": ServiceTask,
            "sendTask": SendTask,
            "receiveTask": ReceiveTask,
            "businessRuleTask": DecisionTask,
        }
        return simple[kind](self.spec, element)

    def _user_task(self, element: Element) -> UserTask:
        task = UserTask(self.spec, element)
        task.assignee = self._value(person_value, element, element.assignee, _("办理人"))
        task.users = self._value(person_value, element, element.candidate_users, _("候选人"))
        task.due = self._value(time_value, element, element.due_date, _("办理期限"))
        if element.priority is not None:
            plain = element.priority.strip().lstrip("-").isdigit()
            task.priority = self._value(
                lambda source: Value(source, None if plain else compile_feel(source)),
                element,
                element.priority,
                _("优先级"),
            )
        return task

    def _call(self, element: Element) -> CallActivity:
        call = CallActivity(self.spec, element)
        call.passed = self._mapping(element, element.called_inputs, _("传入变量"))
        call.returned = self._mapping(element, element.called_outputs, _("返回变量"))
        if element.called_business_key:
            call.key = self.feel(element.id, element.called_business_key, _("业务编号"))
        return call

    def _script(self, xml: etree._Element, element: Element) -> ScriptTask:
        task = ScriptTask(self.spec, element)
        source = text(xml.find(f"{BPMN}script"))
        if source:
            script = self.feel(element.id, source, _("脚本"))
            if script is not None:
                task.script = script
        return task

    # ---- events

    def event(self, xml: etree._Element, element: Element) -> EventDefinition:
        """What the event waits for or throws."""
        if element.type in ("sendTask", "receiveTask"):
            return EventDefinition() if element.topic else self._named("message", xml, xml, element)
        for kind in _KINDS:
            definition = xml.find(f"{BPMN}{kind}EventDefinition")
            if definition is not None:
                return self._definition(kind, definition, xml, element)
        return EventDefinition()

    def _definition(
        self, kind: str, definition: etree._Element, xml: etree._Element, element: Element
    ) -> EventDefinition:
        if kind in ("message", "signal"):
            return EventDefinition() if element.topic else self._named(kind, definition, xml, element)
        if kind in ("error", "escalation"):
            return self._coded(kind, definition, element)
        if kind == "timer":
            return self._timer(definition, element)
        if kind == "conditional":
            return self._conditional(definition, element)
        if kind == "compensate":
            return EventDefinition(kind, activity_ref=definition.get("activityRef"))
        if kind == "link":
            return EventDefinition(kind, (definition.get("name") or "").strip())
        return EventDefinition(kind)

    def _named(self, kind: str, holder: etree._Element, xml: etree._Element, element: Element) -> EventDefinition:
        ref = holder.get(f"{kind}Ref") or ""
        name = self.definitions.names.get(ref)
        if not name:
            label = _("消息") if kind == "message" else _("信号")
            self.findings.error(
                element.id, f"{kind}_missing", _("没有指明%(label)s，或所指的%(label)s不存在。"), label=label
            )
            name = ""
        source = xml.get(f"{QIANYIN}correlationKey") or self.definitions.keys.get(ref)
        key = None if source is None or kind == "signal" else self.feel(element.id, source, _("关联键"))
        return EventDefinition(kind, name, correlation_key=key)

    def _coded(self, kind: str, definition: etree._Element, element: Element) -> EventDefinition:
        ref = definition.get(f"{kind}Ref")
        throws = element.type in ("endEvent", "intermediateThrowEvent")
        if ref is not None and ref not in self.definitions.codes:
            self.findings.error(element.id, f"{kind}_missing", _("所指的%(kind)s“%(ref)s”不存在。"), kind=kind, ref=ref)
        code = None if ref is None else self.definitions.codes.get(ref)
        if code is None and throws:
            self.findings.error(element.id, f"{kind}_code", _("抛出的错误或升级没有代码。"))
        return EventDefinition(
            kind,
            code=code,
            code_variable=definition.get(f"{CAMUNDA}{kind}CodeVariable"),
            message_variable=definition.get(f"{CAMUNDA}{kind}MessageVariable"),
        )

    def _conditional(self, definition: etree._Element, element: Element) -> EventDefinition:
        condition = definition.find(f"{BPMN}condition")
        if condition is None or not text(condition):
            self.findings.error(element.id, "condition", _("条件事件没有条件。"))
            return EventDefinition("conditional")
        checks.check_language(condition, element.id, self.findings)
        return EventDefinition("conditional", condition=self.feel(element.id, text(condition), _("条件")))

    def _timer(self, definition: etree._Element, element: Element) -> EventDefinition:
        for kind in ("Date", "Duration", "Cycle"):
            holder = definition.find(f"{BPMN}time{kind}")
            if holder is not None and text(holder):
                value = self._compile(time_value, element.id, text(holder), _("定时"))
                if value and value.expression is None and value.text.startswith("R") != (kind == "Cycle"):
                    self.findings.error(
                        element.id, "timer", _("“%(text)s”不能写在 time%(kind)s 里。"), text=value.text, kind=kind
                    )
                return EventDefinition("timer", timer=kind.lower(), value=value)
        self.findings.error(element.id, "timer_missing", _("定时事件没有给出时间。"))
        return EventDefinition("timer", timer="date")

    # ---- loops

    def loop(self, xml: etree._Element, element: Element) -> Loop | None:
        standard = xml.find(f"{BPMN}standardLoopCharacteristics")
        if standard is not None:
            return self._standard_loop(standard, element)
        multi = xml.find(f"{BPMN}multiInstanceLoopCharacteristics")
        return None if multi is None else self._multi_instance(multi, element)

    def _standard_loop(self, node: etree._Element, element: Element) -> Loop | None:
        condition = text(node.find(f"{BPMN}loopCondition"))
        maximum = node.get("loopMaximum")
        if maximum is not None and not maximum.strip().isdigit():
            self.findings.error(element.id, "loop", _("循环的次数上限“%(maximum)s”不是非负整数。"), maximum=maximum)
            return None
        if not condition and maximum is None:
            self.findings.error(element.id, "loop", _("循环既没有条件，也没有次数上限。"))
            return None
        return Loop(
            sequential=True,
            condition=self.feel(element.id, condition, _("循环条件")) if condition else None,
            test_before=flag(node, "testBefore"),
            maximum=None if maximum is None else int(maximum),
        )

    def _multi_instance(self, node: etree._Element, element: Element) -> Loop | None:
        ref = text(node.find(f"{BPMN}loopDataInputRef"))
        collection = node.get(f"{CAMUNDA}collection") or data_variable(node, ref) or ref
        cardinality = text(node.find(f"{BPMN}loopCardinality"))
        if bool(collection) == bool(cardinality):
            self.findings.error(element.id, "loop", _("多实例须给出集合或次数，二者取一。"))
            return None
        item = node.find(f"{BPMN}inputDataItem")
        variable = node.get(f"{CAMUNDA}elementVariable") or (None if item is None else item.get("name"))
        completion = text(node.find(f"{BPMN}completionCondition"))
        gathered, each = self._gathered(node)
        if bool(gathered) != bool(each):
            self.findings.error(element.id, "loop", _("outputCollection 与 outputElement 须同时给出。"))
        return Loop(
            sequential=flag(node, "isSequential"),
            collection=self.feel(element.id, collection, _("多实例集合")) if collection else None,
            cardinality=self.feel(element.id, cardinality, _("多实例次数")) if cardinality else None,
            element_variable=variable,
            completion=self.feel(element.id, completion, _("完成条件")) if completion else None,
            output_collection=gathered,
            output_element=self.feel(element.id, each, _("循环结果")) if each else None,
        )

    def _gathered(self, node: etree._Element) -> tuple[str | None, str | None]:
        """The collection that the results go into, and each result: our attributes, else the standard's elements."""
        ref, item = text(node.find(f"{BPMN}loopDataOutputRef")), node.find(f"{BPMN}outputDataItem")
        collection = node.get(f"{QIANYIN}outputCollection") or data_variable(node, ref) or ref or None
        each = node.get(f"{QIANYIN}outputElement") or (None if item is None else item.get("name"))
        return collection, each


_SIMPLE: Mapping[str, type[Node]] = {
    "endEvent": EndEvent,
    "intermediateThrowEvent": ThrowEvent,
    "intermediateCatchEvent": CatchEvent,
    "exclusiveGateway": Exclusive,
    "parallelGateway": Parallel,
    "inclusiveGateway": Inclusive,
    "eventBasedGateway": EventGateway,
}
