"""Data objects, data inputs and outputs, and the people that the standard itself names (BPMN 10.4, 10.3.2).

A data object is the variable of its name. An association is carried out when its other end is a named dataInput or
dataOutput of the activity: it then is an input or output mapping. An association that only decorates the drawing
(no dataInput, as most tools draw it) has no effect and is told as such (`report`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from webapp.engine.bpmn.xml import BPMN, local, text
from webapp.engine.types import IOParameter

NAME = re.compile(r"[^\W\d]\w*")
_ITEMS = ("dataObjectReference", "dataObject", "property", "dataInput", "dataOutput")
_PERSON = re.compile(r"\s*(user|group)\s*\(([^()]*)\)\s*")


def variable(node: etree._Element, ref: str) -> str | None:
    """The variable that a data element stands for: the name of the object behind it, its own name, or the object's id.

    None: there is no such element, or nothing of it can be the name of a variable.
    """
    root = node.getroottree().getroot()
    items = {item.get("id"): item for item in root.iter(*(BPMN + kind for kind in _ITEMS))}
    item = items.get(ref)
    if item is None:
        return None
    behind = items.get(item.get("dataObjectRef"))
    written = [one.get("name") for one in (behind, item) if one is not None]
    whole = behind if behind is not None else item
    if local(whole) == "dataObject" and not any(written):
        written.append(whole.get("id"))
    return next((name.strip() for name in written if name and NAME.fullmatch(name.strip())), None)


def _ends(node: etree._Element, kind: str) -> dict[str, str]:
    """The named data inputs or outputs of an activity or event, by id."""
    holders = [node, *node.findall(f"{BPMN}ioSpecification")]
    found = {}
    for holder in holders:
        for item in holder.findall(f"{BPMN}{kind}"):
            if NAME.fullmatch((item.get("name") or "").strip()):
                found[item.get("id") or ""] = str(item.get("name")).strip()
    return found


def _formula(association: etree._Element, plain: str | None) -> str | None:
    changed = association.find(f"{BPMN}transformation")
    return text(changed) if changed is not None and text(changed) else plain


def data_inputs(node: etree._Element) -> tuple[IOParameter, ...]:
    """What dataInputAssociations bring into an activity: (data input, FEEL over the variables)."""
    names = _ends(node, "dataInput")
    found = []
    for association in node.findall(f"{BPMN}dataInputAssociation"):
        target = names.get(text(association.find(f"{BPMN}targetRef")))
        formula = _formula(association, variable(node, text(association.find(f"{BPMN}sourceRef"))))
        if target and formula:
            found.append(IOParameter(target, formula))
    return tuple(found)


def data_outputs(node: etree._Element) -> tuple[IOParameter, ...]:
    """What dataOutputAssociations take out of an activity: (variable, FEEL over the activity's own)."""
    names = _ends(node, "dataOutput")
    found = []
    for association in node.findall(f"{BPMN}dataOutputAssociation"):
        target = variable(node, text(association.find(f"{BPMN}targetRef")))
        source = _formula(association, names.get(text(association.find(f"{BPMN}sourceRef"))))
        if target and source and (text(association.find(f"{BPMN}sourceRef")) in names):
            found.append(IOParameter(target, source))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Performers:
    """`potentialOwner` and `humanPerformer` of a user task, read as Camunda 7 reads them."""

    groups: tuple[str, ...] = ()
    users: str | None = None
    assignee: str | None = None


def performers(node: etree._Element) -> Performers:
    """`group(x), user(y), z` (a bare name is a group); a resourceRef is the role of the resource's name or id."""
    groups: list[str] = []
    users: list[str] = []
    for owner in node.findall(f"{BPMN}potentialOwner"):
        written = text(owner.find(f"{BPMN}resourceAssignmentExpression/{BPMN}formalExpression"))
        for part in filter(None, (piece.strip() for piece in written.split(","))):
            match = _PERSON.fullmatch(part)
            (users if match and match[1] == "user" else groups).append(match[2].strip() if match else part)
        if not written:
            groups += [_resource(node, text(ref)) for ref in owner.findall(f"{BPMN}resourceRef")]
    assignee = text(node.find(f"{BPMN}humanPerformer/{BPMN}resourceAssignmentExpression/{BPMN}formalExpression"))
    match = _PERSON.fullmatch(assignee)
    return Performers(tuple(groups), ",".join(users) or None, (match[2].strip() if match else assignee) or None)


def _resource(node: etree._Element, ref: str) -> str:
    for resource in node.getroottree().getroot().iter(f"{BPMN}resource"):
        if resource.get("id") == ref:
            return str(resource.get("name") or ref).strip()
    return ref
