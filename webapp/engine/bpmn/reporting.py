"""What the engine makes of a file, whoever drew it: which elements it carries out, what it does not do, and why.

For a file that cannot be deployed as well as for one that can: the designer shows it when a file is opened.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from lxml import etree

from webapp.engine.bpmn.accounting import flow_elements
from webapp.engine.bpmn.linting import Sources, brings, lint
from webapp.engine.bpmn.model import Findings, Known
from webapp.engine.bpmn.normalise import normalise
from webapp.engine.bpmn.parser import build
from webapp.engine.bpmn.xml import BPMN, flag, local, parse_xml
from webapp.engine.errors import DeploymentRefused, FeelError
from webapp.engine.sentences import _
from webapp.engine.types import Finding


@dataclass(frozen=True, slots=True)
class Reported:
    """One element of the file. `status`: carried_out, partly (read its findings), refused, not_executed."""

    element_id: str
    kind: str
    name: str
    status: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """`deployable`: nothing is refused. `findings`: all, errors first; those of no single element among them."""

    findings: tuple[Finding, ...]
    elements: tuple[Reported, ...] = ()

    @property
    def deployable(self) -> bool:
        return all(finding.severity != "error" for finding in self.findings)

    def of(self, status: str) -> tuple[Reported, ...]:
        return tuple(element for element in self.elements if element.status == status)


def report(xml: bytes, *, known: Known | None = None, sources: Sources | None = None) -> Report:
    """Judge a file. Never raises: what is no BPMN at all is a finding, too."""
    findings = Findings()
    try:
        xml = _as_if_executable(xml, findings)
        built = build(xml, known or Known.anything(), findings)
    except DeploymentRefused as error:
        return Report(error.findings)
    if not findings.errors:
        for process in built:
            findings.all += lint(process, sources)
    order = {"error": 0, "warning": 1, "info": 2}
    found = tuple(sorted(findings.all, key=lambda finding: order[finding.severity]))
    executed = {name for process in built for name in (*process.elements, *process.flows)}
    return Report(found, _elements(normalise(parse_xml(xml)), executed, found))


def _as_if_executable(xml: bytes, findings: Findings) -> bytes:
    """A file without any executable process (drawn for people) is judged as what it would be once it is marked so."""
    root = parse_xml(xml)
    processes = root.findall(f"{BPMN}process")
    if not processes or any(flag(process, "isExecutable") for process in processes):
        return xml
    findings.error(None, "no_process", _("文件中没有可执行的流程（isExecutable）。"))
    for process in processes:
        process.set("isExecutable", "true")
    return etree.tostring(root)


def _elements(root: etree._Element, executed: set[str], findings: tuple[Finding, ...]) -> tuple[Reported, ...]:
    told: dict[str | None, list[Finding]] = defaultdict(list)
    for finding in findings:
        told[finding.element_id].append(finding)
    reported = []
    for node in flow_elements(root, everything=True):
        node_id = str(node.get("id"))
        own = tuple(told[node_id])
        status = "carried_out" if node_id in executed else "not_executed"
        if any(finding.severity == "error" for finding in own):
            status = "refused"
        elif status == "carried_out" and any(finding.severity == "warning" for finding in own):
            status = "partly"
        reported.append(Reported(node_id, local(node), node.get("name") or "", status, own))
    return tuple(reported)


def variables(xml: bytes, sources: Sources) -> dict[str, frozenset[str]]:
    """Which elements of a file set which variables (process key: from the start), right model or wrong; never raises.

    What an element inherits from those before it is for whoever walks the flows.
    """
    try:
        built = build(xml, Known.anything(), Findings())
        return {name: names for process in built for name, names in brings(process, sources).items()}
    except (DeploymentRefused, FeelError):
        return {}


def normalised(xml: bytes) -> bytes:
    """The file with an id on everything that runs, and nothing else changed: comments and foreign parts stay.

    Errors: DeploymentRefused (no XML, a DTD, too large).
    """
    root = normalise(parse_xml(xml, whole=True))
    return etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)
