"""Files that come from elsewhere, and copies of one's own: what is taken over, and under which names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lxml import etree
from sqlalchemy.orm import Session

from webapp.audit import service as audit
from webapp.designer import drafts, library
from webapp.engine.bpmn import normalised
from webapp.engine.bpmn.xml import BPMN, parse_xml
from webapp.engine.errors import DeploymentRefused
from webapp.engine.handler_api import Actor
from webapp.errors import Invalid
from webapp.i18n import _, say

_BLANK = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"
 xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:qianyin="https://qianyin.example/schema/bpmn"
 id="definitions_{key}" targetNamespace="https://qianyin.example/processes">
  <bpmn:process id="{key}" isExecutable="true">
    <bpmn:startEvent id="start" />
  </bpmn:process>
  <bpmndi:BPMNDiagram id="diagram_{key}">
    <bpmndi:BPMNPlane id="plane_{key}" bpmnElement="{key}">
      <bpmndi:BPMNShape id="shape_start" bpmnElement="start"><dc:Bounds x="180" y="160" width="36" height="36" />
      </bpmndi:BPMNShape>
    </bpmndi:BPMNPlane>
  </bpmndi:BPMNDiagram>
</bpmn:definitions>
"""


def begin(session: Session, actor: Actor, key: str, title: str) -> None:
    """A new folder with a diagram that holds nothing but its start. Errors: Invalid, Conflict."""
    library.make(session, actor, key, title)
    root = parse_xml(_BLANK.format(key=key).encode(), whole=True)
    process = root.find(f"{BPMN}process")
    assert process is not None
    process.set("name", title.strip()[:200])
    drafts.save(session, actor, key, f"{key}.bpmn", _written(root), 0)


def bring(session: Session, actor: Actor, filename: str, content: bytes, key: str = "") -> str:
    """Take in a BPMN file drawn elsewhere, as the draft of a new folder: ids are added where there are none, nothing
    else is changed. Gives the folder.

    Errors: Invalid with a sentence (no XML, a DTD, too large, no process, a bad key), Conflict (the key is taken).
    """
    try:
        content = normalised(content)
    except DeploymentRefused as refused:
        finding = refused.findings[0]
        raise Invalid(say(finding.pattern, finding.values) if finding.pattern else finding.message) from refused
    root = parse_xml(content, whole=True)
    processes = root.findall(f"{BPMN}process")
    if root.tag != f"{BPMN}definitions" or not processes:
        raise Invalid(_("文件不是 BPMN 2.0 模型，或其中没有流程。"))
    key = key or _key(processes[0].get("id") or filename)
    title = processes[0].get("name") or re.sub(r"\.\w+$", "", filename) or key
    library.make(session, actor, key, title)
    drafts.save(session, actor, key, f"{key}.bpmn", content, 0)
    audit.record(session, "design.import", actor, subject=key, detail={"file": filename[:200], "bytes": len(content)})
    return key


def _key(words: str) -> str:
    found = re.sub(r"[^a-z0-9_]+", "_", re.sub(r"\.\w+$", "", words).lower()).strip("_")[:60]
    return found if re.match(r"[a-z]", found) else f"process_{found}".rstrip("_")[:60]


def make_executable(session: Session, actor: Actor, key: str, path: str) -> None:
    """Mark the processes of a file as executable. Errors: NotFound, StaleSave."""
    text = drafts.read(session, key, path)
    root = parse_xml(text.content, whole=True)
    for process in root.findall(f"{BPMN}process"):
        process.set("isExecutable", "true")
    drafts.save(session, actor, key, path, _written(root), text.version)


def duplicate(session: Session, actor: Actor, source: str, key: str, title: str) -> None:
    """A copy of a folder as it stands, with processes of its own names. Errors: NotFound, Invalid, Conflict."""
    files = library.working(session, source)
    library.make(session, actor, key, title)
    processes = [name for path, content in files.items() if library.kind(path) == "bpmn" for name in _ids(content)]
    names = {name: key if name == source else f"{key}_{name}"[:100] for name in processes}
    copies = {}
    for path, content in files.items():
        if library.kind(path) == "scenario":
            continue  # they tell of the other process
        place = path.replace(source, key, 1) if "/" not in path else path
        copies[place] = _renamed(content, names, title) if library.kind(path) == "bpmn" else content
    drafts.put(session, actor, key, copies)
    audit.record(session, "design.duplicate", actor, subject=key, detail={"from": source})


def _ids(content: bytes) -> list[str]:
    return [str(node.get("id")) for node in parse_xml(content).iter(f"{BPMN}process")]


def _renamed(content: bytes, names: Mapping[str, str], title: str) -> bytes:
    root = parse_xml(content, whole=True)
    for node in root.iter(etree.Element):
        for attribute in ("processRef", "calledElement", "bpmnElement"):
            if node.get(attribute) in names:
                node.set(attribute, names[str(node.get(attribute))])
    processes = [node for node in root.iter(f"{BPMN}process") if node.get("id") in names]
    for node in processes:
        node.set("id", names[str(node.get("id"))])
    if processes:
        processes[0].set("name", title.strip()[:200])
    return _written(root)


def _written(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True))
