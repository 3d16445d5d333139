"""From a file to compiled processes: read, normalise, check, build the specifications that execution runs on."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import replace

from lxml import etree

from webapp.engine.bpmn import accounting, builders, checks
from webapp.engine.bpmn.extension import lane_roles, read_element, read_process
from webapp.engine.bpmn.model import CompiledProcess, Findings, Flow, Known
from webapp.engine.bpmn.normalise import flows, nodes, normalise
from webapp.engine.bpmn.specs import ROOT, Activity, EventSub, Node, ProcessSpec, Scope
from webapp.engine.bpmn.xml import BPMN, flag, local, parse_xml, refuse, text
from webapp.engine.errors import DeploymentRefused
from webapp.engine.sentences import _
from webapp.engine.types import Element


@functools.lru_cache(maxsize=256)
def compile_bpmn(xml: bytes, *, known: Known) -> tuple[CompiledProcess, ...]:
    """All executable processes of a BPMN 2.0 file, in its order. Cached: the same bytes give the same objects.

    Errors: DeploymentRefused with everything that is wrong, each with element id, code and a sentence.
    """
    findings = Findings()
    built = build(xml, known, findings)
    if findings.errors:
        raise DeploymentRefused(findings.errors)
    return tuple(replace(process, warnings=findings.warnings) for process in built)


def build(xml: bytes, known: Known, findings: Findings) -> list[CompiledProcess]:
    """Read a file as far as it can be read; what is wrong goes into `findings`, and then nothing may be run.

    Errors: DeploymentRefused when the file is no BPMN document at all.
    """
    root = parse_xml(xml)
    if root.tag != f"{BPMN}definitions":
        raise refuse(None, "not_bpmn", _("文件不是 BPMN 2.0 模型（根元素应为 definitions）。"))
    normalise(root)
    digest = hashlib.sha256(xml).hexdigest()
    checks.check_document(root, findings)
    if not known.stored:
        accounting.check_surroundings(root, findings)
    definitions = builders.Definitions.read(root, findings)
    built = []
    executable = [node for node in root.findall(f"{BPMN}process") if flag(node, "isExecutable")]
    known = replace(known, processes=known.processes | {str(node.get("id")) for node in executable})
    for process in executable:
        built.append(_ProcessParser(process, definitions, known, findings, digest).parse())
    if not built and not findings.errors:
        findings.error(None, "no_process", _("文件中没有可执行的流程（isExecutable）。"))
    if not known.stored:
        accounting.check_lost(root, built, findings)
    return built


class _ProcessParser:
    """Builds one process."""

    def __init__(
        self,
        process: etree._Element,
        definitions: builders.Definitions,
        known: Known,
        findings: Findings,
        digest: str,
    ) -> None:
        self.process = process
        self.known = known
        self.findings = findings
        self.digest = digest
        self.info = read_process(process)
        self.roles = lane_roles(process, known.roles)
        self.spec = ProcessSpec(self.info.key)
        self.build = builders.Builder(self.spec, definitions, known, findings, self.info)
        self.flows: list[str] = []

    def parse(self) -> CompiledProcess:
        checks.check_process(self.process, self.info, self.known, self.findings)
        if not self.known.stored:
            accounting.check_process(self.process, self.findings)
        root = Scope(self.spec, Element(self.info.key, "process", self.info.name), ROOT)
        self._scope(self.process, root, None)
        info = self.info
        starts: dict[str, str] = {}
        names: dict[str, str] = {}
        for start in root.starts:
            kind = start.event.kind if start.element.type == "startEvent" else "none"
            starts[start.name] = kind
            if kind == "timer" and start.event.value is not None:
                names[start.name] = start.event.value.text
                info = replace(info, start_timer=info.start_timer or names[start.name])
            elif kind in ("message", "signal"):
                names[start.name] = start.event.name
                if kind == "message":
                    info = replace(info, start_message=info.start_message or start.event.name)
        elements = {name: node.element for name, node in self.spec.task_specs.items() if name != ROOT}
        return CompiledProcess(info, elements, tuple(self.flows), self.digest, self.spec, (), starts, names)

    def _scope(self, node: etree._Element, scope: Scope, parent_id: str | None) -> None:
        """Build everything inside a process or subprocess."""
        checks.check_scope(node, self.findings)
        inside: dict[str, tuple[etree._Element, Node]] = {}
        for child in nodes(node):
            element = read_element(child, parent_id, self.roles)
            if element.id in self.spec.task_specs:
                continue  # reported with the document
            checks.check_element(child, element, self.known, self.info, self.findings)
            if not self.known.stored:
                accounting.check_parts(child, self.findings)
            inside[element.id] = (child, self.build.node(child, element))
        self._flows(node, inside)
        self._attach(node, inside)
        for child, spec in inside.values():
            if isinstance(spec, Scope):
                self._scope(child, spec, spec.element.id)
        self._starts(scope, inside)
        checks.check_transactions(node, [spec for __, spec in inside.values()], self.findings)
        if not self.known.stored:
            checks.check_compensation([spec for __, spec in inside.values()], self.spec, self.findings)
        checks.check_reachable(scope, {name: spec for name, (__, spec) in inside.items()}, self.findings)

    def _flows(self, scope: etree._Element, inside: dict[str, tuple[etree._Element, Node]]) -> None:
        found: list[Flow] = []
        for flow in flows(scope):
            flow_id = str(flow.get("id"))
            if not self.known.stored:
                accounting.check_parts(flow, self.findings)
            source, target = flow.get("sourceRef") or "", flow.get("targetRef") or ""
            for end in (source, target):
                if end not in inside:
                    self.findings.error(flow_id, "flow_end", _("连线的一端“%(end)s”不在同一层流程中。"), end=end)
            if source not in inside or target not in inside:
                continue
            default = inside[source][0].get("default") == flow_id
            condition = None if default else self._condition(flow, flow_id)
            found.append(Flow(flow_id, source, target, condition, default))
            self.flows.append(flow_id)
            inside[source][1].connect(inside[target][1])  # Spiff's own graph agrees with ours
        for name, (node, spec) in inside.items():
            spec.outgoing = tuple(flow for flow in found if flow.source == name)
            spec.incoming = tuple(flow for flow in found if flow.target == name)
            checks.check_flows(node, spec, self.findings)
        self._links(inside)

    def _condition(self, flow: etree._Element, flow_id: str) -> builders.MaybeExpression:
        holder = flow.find(f"{BPMN}conditionExpression")
        if holder is None or not text(holder):
            return None
        checks.check_language(holder, flow_id, self.findings)
        return self.build.feel(flow_id, text(holder), _("连线条件"))

    def _links(self, inside: dict[str, tuple[etree._Element, Node]]) -> None:
        """A link throw goes on at the catch of the same name in the same scope."""
        catches: dict[str, Node] = {}
        for __, spec in inside.values():
            if spec.event.kind == "link" and spec.element.type == "intermediateCatchEvent":
                if spec.event.name in catches:
                    self.findings.error(
                        spec.name, "link", _("同一层中有多个名为“%(name)s”的链接捕获事件。"), name=spec.event.name
                    )
                catches[spec.event.name] = spec
        for __, spec in inside.values():
            if spec.event.kind != "link" or spec.element.type != "intermediateThrowEvent":
                continue
            target = catches.get(spec.event.name)
            if target is None:
                self.findings.error(spec.name, "link", _("没有名为“%(name)s”的链接捕获事件。"), name=spec.event.name)
                continue
            jump = Flow(f"#link:{spec.name}", spec.name, target.name)
            spec.outgoing = (*spec.outgoing, jump)
            target.incoming = (*target.incoming, jump)

    def _attach(self, scope: etree._Element, inside: dict[str, tuple[etree._Element, Node]]) -> None:
        """Boundary events to their activities; compensation handlers to what they undo."""
        for node, spec in inside.values():
            if local(node) != "boundaryEvent":
                continue
            host = inside.get(node.get("attachedToRef") or "", (None, None))[1]
            if not isinstance(host, Activity) or host.element.type.endswith("Event") or isinstance(host, EventSub):
                self.findings.error(spec.name, "attached_to", _("边界事件没有附着在同一层的任务或子流程上。"))
            elif spec.event.kind == "cancel" and host.element.type != "transaction":
                self.findings.error(spec.name, "cancel", _("取消边界事件只能附着在事务子流程上。"))
            elif spec.event.kind == "compensate":
                self._compensation(scope, spec, host, inside)
            else:
                host.boundary = (*host.boundary, spec)

    def _compensation(
        self, scope: etree._Element, event: Node, host: Activity, inside: dict[str, tuple[etree._Element, Node]]
    ) -> None:
        targets = [
            str(link.get("targetRef"))
            for link in scope.getroottree().getroot().iter(f"{BPMN}association")
            if link.get("sourceRef") == event.name
        ]
        handler = inside.get(targets[0], (None, None)) if len(targets) == 1 else (None, None)
        if handler[0] is None or not flag(handler[0], "isForCompensation"):
            self.findings.error(
                event.name, "compensation", _("补偿边界事件须以关联线连到一个补偿活动（isForCompensation）。")
            )
        elif host.compensated_by is not None:
            self.findings.error(event.name, "compensation", _("一个活动只能有一个补偿边界事件。"))
        else:
            host.compensated_by = targets[0]

    def _starts(self, scope: Scope, inside: dict[str, tuple[etree._Element, Node]]) -> None:
        """The start events of a scope; without any, all elements that nothing leads to (BPMN 10.4.2)."""
        specs = [spec for __, spec in inside.values()]
        scope.event_subs = tuple(spec for spec in specs if isinstance(spec, EventSub))
        starts = [spec for spec in specs if spec.element.type == "startEvent"]
        if not starts:
            starts = [
                spec
                for node, spec in inside.values()
                if not spec.incoming
                and local(node) != "boundaryEvent"
                and not isinstance(spec, EventSub)
                and not flag(node, "isForCompensation")
                and spec.event.kind != "link"
            ]
        scope.starts = tuple(starts)
        checks.check_starts(scope, self.findings)
        if isinstance(scope, EventSub) and starts:
            scope.start = starts[0]
            scope.interrupting = bool(getattr(starts[0], "cancels", True))
