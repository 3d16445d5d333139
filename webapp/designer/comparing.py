"""What differs between two texts of a diagram, element by element, in words: added, removed, changed, moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from webapp.engine.bpmn.xml import BPMN, CAMUNDA, QIANYIN, local, parse_xml, text
from webapp.engine.errors import DeploymentRefused
from webapp.i18n import _, lazy

_DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
_DC = "{http://www.omg.org/spec/DD/20100524/DC}"
#: What the labels of the panel call an attribute or a part.
LABELS: Mapping[str, object] = {
    "name": lazy("名称"),
    "documentation": lazy("说明"),
    "conditionExpression": lazy("条件"),
    "sourceRef": lazy("从"),
    "targetRef": lazy("到"),
    "default": lazy("默认连线"),
    "lane": lazy("泳道"),
    "type": lazy("种类"),
    "candidateGroups": lazy("角色"),
    "role": lazy("角色"),
    "assignee": lazy("指定办理人"),
    "dueDate": lazy("期限"),
    "formRef": lazy("表单"),
    "priority": lazy("优先级"),
    "topic": lazy("处理程序"),
    "decisionRef": lazy("决策表"),
    "resultVariable": lazy("结果变量"),
    "calledElement": lazy("调用的流程"),
    "clause": lazy("条款"),
    "law": lazy("法定环节"),
    "stage": lazy("阶段"),
    "notSameAs": lazy("须与以下环节不同人"),
    "validator": lazy("校验程序"),
    "provider": lazy("数据提供程序"),
    "outcomeVariable": lazy("结果存入变量"),
    "correlationKey": lazy("对应的键"),
    "messageRef": lazy("消息"),
    "signalRef": lazy("信号"),
    "errorRef": lazy("错误"),
    "script": lazy("计算"),
    "timeDate": lazy("时刻"),
    "timeDuration": lazy("期限"),
    "timeCycle": lazy("周期"),
    "condition": lazy("条件"),
    "outcome": lazy("办理结果"),
    "inputParameter": lazy("传入的变量"),
    "outputParameter": lazy("传出的变量"),
    "in": lazy("传入的变量"),
    "out": lazy("带回的变量"),
    "candidateStarterGroups": lazy("谁可以发起"),
    "title": lazy("事项标题"),
    "isExecutable": lazy("可执行"),
    "attachedToRef": lazy("附着于"),
    "cancelActivity": lazy("中断"),
    "loop": lazy("多实例或循环"),
    "event": lazy("事件"),
}
KINDS: Mapping[str, object] = {
    "process": lazy("流程"),
    "participant": lazy("泳池"),
    "lane": lazy("泳道"),
    "userTask": lazy("办理任务"),
    "serviceTask": lazy("系统任务"),
    "sendTask": lazy("发送任务"),
    "receiveTask": lazy("接收任务"),
    "businessRuleTask": lazy("决策任务"),
    "scriptTask": lazy("计算任务"),
    "manualTask": lazy("人工任务"),
    "task": lazy("任务"),
    "callActivity": lazy("调用流程"),
    "subProcess": lazy("子流程"),
    "transaction": lazy("事务子流程"),
    "startEvent": lazy("开始事件"),
    "endEvent": lazy("结束事件"),
    "intermediateCatchEvent": lazy("中间等待事件"),
    "intermediateThrowEvent": lazy("中间发出事件"),
    "boundaryEvent": lazy("边界事件"),
    "exclusiveGateway": lazy("排他网关"),
    "parallelGateway": lazy("并行网关"),
    "inclusiveGateway": lazy("包容网关"),
    "eventBasedGateway": lazy("事件网关"),
    "sequenceFlow": lazy("连线"),
    "messageFlow": lazy("消息流"),
    "association": lazy("关联线"),
    "textAnnotation": lazy("注释"),
    "dataObjectReference": lazy("数据对象"),
    "dataStoreReference": lazy("数据存储"),
}
#: Between the name of what is referred to and its id, which is what counts.
_ID = "\x1f"
_SKIPPED = frozenset({"id", "incoming", "outgoing", "flowNodeRef", "processRef"})
#: Children with an id of their own that belong to what holds them.
_PARTS = ("EventDefinition", "Characteristics", "Expression", "documentation", "script", "condition")
_REFERENCES = frozenset({"sourceRef", "targetRef", "default", "attachedToRef", "messageRef", "signalRef", "errorRef"})


@dataclass(slots=True)
class Facts:
    """What a diagram says of one element, by label; `box`: where its shape stands."""

    kind: str
    name: str
    said: dict[str, list[str]] = field(default_factory=dict)
    box: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """`kind`: added | removed | changed | moved. `rows`: (label, before, after) of what changed."""

    kind: str
    element_id: str
    what: str
    name: str
    rows: tuple[tuple[str, str, str], ...] = ()


def compare(before: bytes | None, after: bytes | None) -> list[Change]:
    """The differences: removed, added, changed, and what only moved. What is no XML says nothing."""
    old, new = read(before), read(after)
    found = [Change("removed", id, one.kind, one.name or id) for id, one in old.items() if id not in new]
    found += [
        Change("added", id, one.kind, one.name or id, _rows(None, one)) for id, one in new.items() if id not in old
    ]
    for id, one in new.items():
        if id not in old:
            continue
        rows = _rows(old[id], one)
        if rows:
            found.append(Change("changed", id, one.kind, one.name or old[id].name or id, rows))
        elif old[id].box != one.box and one.kind != "sequenceFlow":
            found.append(Change("moved", id, one.kind, one.name or id))
    order = ("removed", "added", "changed", "moved")
    return sorted(found, key=lambda change: order.index(change.kind))


def _rows(old: Facts | None, new: Facts) -> tuple[tuple[str, str, str], ...]:
    before = old.said if old is not None else {}
    rows = []
    for key in dict.fromkeys([*before, *new.said]):
        was, now = before.get(key, []), new.said.get(key, [])
        if [one.rpartition(_ID)[2] for one in was] != [one.rpartition(_ID)[2] for one in now]:
            rows.append((label(key), _shown(was), _shown(now)))
    if old is not None and old.kind != new.kind:
        rows.insert(0, (label("type"), kind_word(old.kind), kind_word(new.kind)))
    return tuple(row for row in rows if old is not None or row[0] != label("name"))


def _shown(said: list[str]) -> str:
    return "；".join(one.partition(_ID)[0] for one in said)


def kind_word(kind: str) -> str:
    """What people call an element of this kind."""
    return str(KINDS.get(kind, kind))


def label(key: str) -> str:
    """The word for an attribute or part; its own name when there is none."""
    return str(LABELS.get(key, key))


def read(xml: bytes | None) -> dict[str, Facts]:
    """Element id -> facts; empty for None and for what is no BPMN."""
    try:
        root = parse_xml(xml) if xml is not None else None
    except DeploymentRefused:
        root = None
    if root is None:
        return {}
    names = {str(node.get("id")): _called(node) for node in root.iter(f"{BPMN}*") if node.get("id")}
    found = {}
    for node in _elements(root):
        ends = [names.get(node.get(end) or "", "") for end in ("sourceRef", "targetRef")]
        name = node.get("name") or text(node.find(f"{BPMN}text")) or " → ".join(filter(None, ends))
        facts = Facts(local(node), name)
        _collect(node, facts, names)
        found[str(node.get("id"))] = facts
    for lane in root.iter(f"{BPMN}lane"):
        for member in lane.findall(f"{BPMN}flowNodeRef"):
            if text(member) in found:
                found[text(member)].said["lane"] = [lane.get("name") or str(lane.get("id"))]
    _boxes(root, found)
    return found


def _called(node: etree._Element) -> str:
    return node.get("name") or node.get("errorCode") or str(node.get("id"))


def _elements(root: etree._Element) -> Iterator[etree._Element]:
    """Everything that is drawn or runs: processes, what they hold, pools and lanes, messages between pools."""
    for holder in (*root.findall(f"{BPMN}process"), *root.findall(f"{BPMN}collaboration")):
        for node in holder.iter(f"{BPMN}*"):
            kind = local(node)
            part = kind.endswith(("EventDefinition", "LoopCharacteristics", "laneSet", "Expression"))
            if node.get("id") and not part and kind not in ("collaboration", "ioSpecification"):
                yield node


def _collect(node: etree._Element, facts: Facts, names: Mapping[str, str]) -> None:
    for attribute in node.attrib:
        key = _short(str(attribute))
        if key not in _SKIPPED:
            said = str(node.get(attribute))
            said = f"{names.get(said, said)}{_ID}{said}" if key in _REFERENCES else said
            facts.said.setdefault(key, []).append(said)
    for child in node:
        kind = local(child)
        if kind in _SKIPPED or (child.get("id") and not kind.endswith(_PARTS)):
            continue
        if kind == "extensionElements":
            for item in child:
                _extension(item, facts)
        elif kind.endswith("EventDefinition"):
            facts.said.setdefault("event", []).append(kind.removesuffix("EventDefinition"))
            _collect(child, facts, names)
        elif kind.endswith("LoopCharacteristics"):
            facts.said["loop"] = [_written(child)]
        elif text(child):
            facts.said.setdefault(kind, []).append(text(child))


def _extension(item: etree._Element, facts: Facts) -> None:
    key = _short(str(item.tag))
    if key == "inputOutput":
        for parameter in item:
            facts.said.setdefault(_short(str(parameter.tag)), []).append(f"{parameter.get('name')} = {text(parameter)}")
        return
    values = [str(item.get(name)) for name in item.attrib]
    facts.said.setdefault(key, []).append(" ".join([*values, text(item)]).strip())


def _written(node: etree._Element) -> str:
    parts = [local(node).removesuffix("LoopCharacteristics")]
    parts += [f"{_short(str(name))}={node.get(name)}" for name in node.attrib if name != "id"]
    return " ".join(parts + [f"{local(child)}={text(child)}" for child in node if text(child)])


def _short(name: str) -> str:
    for space in (BPMN, CAMUNDA, QIANYIN):
        name = name.removeprefix(space)
    return name.rsplit("}", 1)[-1]


def _boxes(root: etree._Element, found: Mapping[str, Facts]) -> None:
    for shape in root.iter(f"{_DI}BPMNShape", f"{_DI}BPMNEdge"):
        facts = found.get(shape.get("bpmnElement") or "")
        if facts is not None:
            bounds = shape.find(f"{_DC}Bounds")
            facts.box = (
                ()
                if bounds is None
                else tuple(str(float(bounds.get(side) or 0)) for side in ("x", "y", "width", "height"))
            )


def words(kind: str) -> str:
    """The word for a kind of change."""
    return {"added": _("新增"), "removed": _("删去"), "changed": _("改动"), "moved": _("移动位置")}[kind]


def files(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """(path, kind) of the files that differ."""
    found = []
    for path in sorted({*before, *after}):
        if before.get(path) != after.get(path):
            found.append((path, "added" if path not in before else "removed" if path not in after else "changed"))
    return found
