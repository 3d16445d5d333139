"""Nothing that a file says is lost in silence: its parts are counted and compared with what was built from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lxml import etree

from webapp.engine.bpmn import standard
from webapp.engine.bpmn.data import NAME, variable
from webapp.engine.bpmn.model import CompiledProcess, Findings
from webapp.engine.bpmn.normalise import FLOW_NODES
from webapp.engine.bpmn.vocabulary import UNSUPPORTED
from webapp.engine.bpmn.xml import BPMN, CAMUNDA, QIANYIN, flag, local, text
from webapp.engine.sentences import _

_EXTENSIONS = f"{BPMN}extensionElements"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
#: Vendors whose attributes make their engine act; a reader would expect ours to do the same.
ENGINES = {
    "http://flowable.org/bpmn": "flowable",
    "http://activiti.org/bpmn": "activiti",
    "http://www.jboss.org/drools": "jBPM",
    "http://spiffworkflow.org/bpmn/schema/1.0/core": "SpiffWorkflow",
}
_PARTS = ("EventDefinition", "LoopCharacteristics")


def check_lost(root: etree._Element, built: Iterable[CompiledProcess], findings: Findings) -> None:
    """Every flow node and sequence flow of the file stands in a built process, or was told of already."""
    there = {name for process in built for name in (*process.elements, *process.flows)}
    told = {finding.element_id for finding in findings.all}
    for node in flow_elements(root):
        node_id = str(node.get("id"))
        if node_id not in there and node_id not in told:
            message = _("此元素（%(kind)s）写在不该有它的地方，引擎不会执行它。")
            findings.error(node_id, "lost", message, kind=local(node))


def flow_elements(node: etree._Element, *, everything: bool = False) -> Iterator[etree._Element]:
    """Flow nodes and flows wherever they stand, but not inside foreign extensions.

    `everything`: also of processes that are not executable, and what is refused as a whole with its content.
    """
    for child in node:
        kind = local(child)
        if child.tag == _EXTENSIONS or (kind == "process" and not flag(child, "isExecutable") and not everything):
            continue
        if kind in FLOW_NODES or kind == "sequenceFlow" or (everything and kind in UNSUPPORTED):
            yield child
        if kind not in UNSUPPORTED or everything:
            yield from flow_elements(child, everything=everything)


def check_parts(node: etree._Element, findings: Findings) -> None:
    """The parts and plain attributes of a flow node or flow, against the standard."""
    element_id = str(node.get("id"))
    parts = [node, *(child for child in node if local(child).endswith(_PARTS))]
    for part in parts:
        kind = local(part)
        if kind not in ("subProcess", "transaction"):  # their content is a scope of its own
            _check_children(part, kind, element_id, findings)
        _check_attributes(part, kind, element_id, findings)
    _check_associations(node, element_id, findings)
    check_extensions(node, findings)


def check_process(process: etree._Element, findings: Findings) -> None:
    """The attributes and extensions of the process itself; what it holds is its scope's affair."""
    _check_attributes(process, "process", str(process.get("id")), findings)
    check_extensions(process, findings)


def _check_children(part: etree._Element, kind: str, element_id: str, findings: Findings) -> None:
    allowed = standard.children(kind)
    for child in part:
        name = local(child)
        if name.startswith("{"):
            findings.info(
                element_id, "foreign", _("外来元素 %(name)s 只作保留，不影响执行。"), name=_short(str(child.tag))
            )
        elif name not in allowed and name not in FLOW_NODES and name != "sequenceFlow":
            findings.warning(element_id, "not_carried_out", _("引擎不执行其中的 %(name)s。"), name=name)


def _check_attributes(part: etree._Element, kind: str, element_id: str, findings: Findings) -> None:
    allowed = standard.attributes(kind)
    for name, value in part.attrib.items():
        plain = str(name)
        if plain.startswith("{"):
            _check_foreign(plain, element_id, findings)
        elif plain not in allowed:
            findings.warning(
                element_id, "unknown_plain", _("%(kind)s 没有属性 %(name)s，引擎不理会它。"), kind=kind, name=plain
            )
        elif (kind, plain) in standard.FIXED:
            values, what = standard.FIXED[kind, plain]
            if str(value).strip() not in values:
                findings.error(element_id, "unsupported", _("引擎不执行%(what)s。"), what=what)


def _check_foreign(name: str, element_id: str, findings: Findings) -> None:
    """An attribute of another vendor. Camunda's are judged by `checks`."""
    if name.startswith((CAMUNDA, QIANYIN, _XSI)):
        return
    namespace, plain = name[1:].split("}")
    vendor = ENGINES.get(namespace)
    if vendor is None:
        findings.info(element_id, "foreign", _("外来属性 %(name)s 只作保留，不影响执行。"), name=_short(name))
    elif plain not in ("async", "exclusive"):
        message = _("引擎不执行 %(vendor)s 的属性 %(name)s。")
        findings.warning(element_id, "vendor", message, vendor=vendor, name=plain)


def check_extensions(node: etree._Element, findings: Findings) -> None:
    """Extension elements of other vendors: kept, without effect."""
    for item in node.iterfind(f"{_EXTENSIONS}/*"):
        tag = str(item.tag)
        if tag.startswith((CAMUNDA, QIANYIN)):
            continue
        vendor = ENGINES.get(tag[1:].split("}")[0])
        if vendor is not None:
            message = _("引擎不执行 %(vendor)s 的扩展 %(name)s。")
            findings.warning(node.get("id"), "vendor", message, vendor=vendor, name=local(item).split("}")[-1])
        elif "zeebe" not in tag:
            findings.info(node.get("id"), "foreign", _("外来元素 %(name)s 只作保留，不影响执行。"), name=_short(tag))


def _check_associations(node: etree._Element, element_id: str, findings: Findings) -> None:
    """Data associations that are drawn but move no data."""
    for kind, end, far in (("dataInput", "targetRef", "sourceRef"), ("dataOutput", "sourceRef", "targetRef")):
        names = {
            item.get("id"): (item.get("name") or "").strip()
            for holder in (node, *node.findall(f"{BPMN}ioSpecification"))
            for item in holder.findall(f"{BPMN}{kind}")
        }
        for association in node.findall(f"{BPMN}{kind}Association"):
            named = NAME.fullmatch(names.get(text(association.find(f"{BPMN}{end}"))) or "")
            if association.find(f"{BPMN}assignment") is not None:
                findings.error(element_id, "unsupported", _("引擎不执行%(what)s。"), what=_("数据关联里的 assignment"))
            elif named is None:
                findings.info(element_id, "drawn_only", _("这条数据关联只是图示：任务直接读写流程的变量。"))
            elif variable(node, text(association.find(f"{BPMN}{far}"))) is None:
                message = _("数据关联的一端不是数据对象，或其名称不能作变量名，不传递数据。")
                findings.warning(element_id, "not_carried_out", message)
            elif local(node) in ("startEvent", "boundaryEvent", "intermediateCatchEvent"):
                findings.warning(
                    element_id, "not_carried_out", _("捕获事件的数据关联不执行：消息带来的变量直接进入流程。")
                )


def check_surroundings(root: etree._Element, findings: Findings) -> None:
    """Pools, message flows, lanes, vendors of the whole file."""
    ids = {str(node.get("id")) for node in root.iter(f"{BPMN}*") if node.get("id")}
    for process in root.findall(f"{BPMN}process"):
        if not flag(process, "isExecutable"):
            message = _("流程“%(process)s”没有标明可执行（isExecutable），不会部署。")
            findings.warning(
                process.get("id"), "not_executable", message, process=process.get("name") or process.get("id")
            )
    for participant in root.iter(f"{BPMN}participant"):
        ref = participant.get("processRef")
        if ref and ref.split(":")[-1] not in ids:
            findings.warning(participant.get("id"), "pool", _("泳池所指的流程“%(ref)s”不在文件中。"), ref=ref)
        if participant.find(f"{BPMN}participantMultiplicity") is not None:
            findings.info(participant.get("id"), "drawn_only", _("泳池的多重性只是图示。"))
    for message_flow in root.iter(f"{BPMN}messageFlow"):
        findings.info(message_flow.get("id"), "drawn_only", _("消息流只是图示：消息由收发双方的消息名称与关联键送达。"))
        for end in ("sourceRef", "targetRef"):
            ref = message_flow.get(end) or ""
            if ref.split(":")[-1] not in ids:
                findings.warning(message_flow.get("id"), "flow_end", _("消息流的一端“%(ref)s”不在文件中。"), ref=ref)
    for lane in root.iter(f"{BPMN}lane"):
        for item in lane.findall(f"{BPMN}flowNodeRef"):
            if text(item) not in ids:
                message = _("泳道所列的元素“%(ref)s”不在文件中。")
                findings.warning(lane.get("id"), "lane", message, ref=text(item))


def _short(tag: str) -> str:
    """`{http://example.org/x}name` as `name（example.org）`."""
    namespace, _sep, name = tag[1:].partition("}")
    host = namespace.split("//")[-1].split("/")[0]
    return f"{name}（{host}）"
