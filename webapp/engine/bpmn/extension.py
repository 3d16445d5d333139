"""What a model says in the `camunda:` namespace and in our own (`https://qianyin.example/schema/bpmn`), as Element.

Only reading; `checks` judges what was read. Ours carries what has no counterpart: on a node `qianyin:clause`,
`law`, `outcomeVariable`, `notSameAs`, `validator`, `provider`, `stage`, `correlationKey`, `<qianyin:outcome>`; on the
process `title`, `searchable`, `startVariables` and `<qianyin:stage key label>`; on a lane `role`. Others land in
`Element.properties`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lxml import etree

from webapp.engine.bpmn.data import data_inputs, data_outputs, performers
from webapp.engine.bpmn.xml import BPMN, CAMUNDA, QIANYIN, local, text
from webapp.engine.types import Element, IOParameter, Outcome, ProcessInfo

_OWN = frozenset(["clause", "law", "outcomeVariable", "notSameAs", "validator", "provider", "stage"])


def words(value: str | None) -> tuple[str, ...]:
    """A list written with commas or blanks."""
    return tuple(part for part in re.split(r"[\s,，]+", value or "") if part)


def commas(value: str | None) -> tuple[str, ...]:
    """A list written with commas."""
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


def extensions(node: etree._Element, name: str) -> list[etree._Element]:
    """Direct children of the node's extensionElements with that qualified name."""
    holder = node.find(f"{BPMN}extensionElements")
    return [] if holder is None else holder.findall(name)


def lane_roles(process: etree._Element, known: frozenset[str]) -> dict[str, str]:
    """Flow node id -> role id of its innermost lane: `qianyin:role`, else its id or name, whichever is a known role."""
    roles: dict[str, str] = {}
    for lane in process.iter(f"{BPMN}lane"):  # inner lanes come later in document order and win
        for ref in lane.findall(f"{BPMN}flowNodeRef"):
            lane_id, name = lane.get("id") or "", lane.get("name") or ""
            by_name = name in known and lane_id not in known
            roles[text(ref)] = lane.get(f"{QIANYIN}role") or (name if by_name else lane_id)
    return roles


def _parameters(node: etree._Element, name: str) -> tuple[IOParameter, ...]:
    found = []
    for holder in extensions(node, f"{CAMUNDA}inputOutput"):
        for item in holder.findall(f"{CAMUNDA}{name}"):
            found.append(IOParameter(item.get("name") or "", text(item)))
    return tuple(found)


def _call_mapping(node: etree._Element, name: str) -> tuple[IOParameter, ...]:
    return tuple(
        IOParameter(
            item.get("target") or item.get("source") or "", item.get("sourceExpression") or item.get("source") or ""
        )
        for item in extensions(node, f"{CAMUNDA}{name}")
        if item.get("source") or item.get("sourceExpression")
    )


def _call_all(node: etree._Element, name: str) -> bool:
    return any(item.get("variables") == "all" for item in extensions(node, f"{CAMUNDA}{name}"))


def _business_key(node: etree._Element) -> str | None:
    keys = [item.get("businessKey") for item in extensions(node, f"{CAMUNDA}in") if item.get("businessKey")]
    return str(keys[0]) if keys else None


def _binding(node: etree._Element) -> str:
    binding = node.get(f"{CAMUNDA}calledElementBinding", "latest")
    return f"version:{node.get(f'{CAMUNDA}calledElementVersion', '')}" if binding == "version" else binding


def _outcomes(node: etree._Element) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(
            item.get("value") or "",
            item.get("label") or item.get("value") or "",
            item.get("style") or "plain",
            item.get("asksReason") in ("true", "1"),
        )
        for item in extensions(node, f"{QIANYIN}outcome")
    )


def _properties(node: etree._Element) -> Mapping[str, str]:
    """Other attributes of ours, and `camunda:properties`."""
    found = {
        str(name)[len(QIANYIN) :]: str(value)
        for name, value in node.attrib.items()
        if str(name).startswith(QIANYIN) and str(name)[len(QIANYIN) :] not in _OWN
    }
    for holder in extensions(node, f"{CAMUNDA}properties"):
        for item in holder.findall(f"{CAMUNDA}property"):
            found[item.get("name") or ""] = item.get("value") or ""
    for item in extensions(node, f"{CAMUNDA}failedJobRetryTimeCycle"):
        found["failedJobRetryTimeCycle"] = text(item)
    return found


def read_element(node: etree._Element, parent_id: str | None, roles: Mapping[str, str]) -> Element:
    """Everything that the model says about one flow node. `parent_id` is the subprocess that holds it."""
    element_id = node.get("id") or ""
    groups = commas(node.get(f"{CAMUNDA}candidateGroups"))
    users, assignee = node.get(f"{CAMUNDA}candidateUsers"), node.get(f"{CAMUNDA}assignee")
    if local(node) == "userTask":
        named = performers(node)
        groups, users, assignee = groups or named.groups, users or named.users, assignee or named.assignee
    if not groups and not users and not assignee and roles.get(element_id) and local(node) == "userTask":
        groups = (roles[element_id],)
    return Element(
        id=element_id,
        type=local(node),
        name=node.get("name") or "",
        documentation=text(node.find(f"{BPMN}documentation")),
        parent_id=parent_id,
        attached_to=node.get("attachedToRef"),
        candidate_groups=groups,
        candidate_users=users,
        assignee=assignee,
        due_date=node.get(f"{CAMUNDA}dueDate"),
        priority=node.get(f"{CAMUNDA}priority"),
        form_ref=node.get(f"{CAMUNDA}formRef"),
        topic=_topic(node),
        external=_external(node),
        decision_ref=node.get(f"{CAMUNDA}decisionRef"),
        result_variable=node.get(f"{CAMUNDA}resultVariable"),
        map_decision_result=node.get(f"{CAMUNDA}mapDecisionResult") or "resultList",
        called_key=node.get("calledElement"),
        called_binding=_binding(node),
        called_business_key=_business_key(node),
        called_inputs=_call_mapping(node, "in"),
        called_all_inputs=_call_all(node, "in"),
        called_outputs=_call_mapping(node, "out"),
        called_all_outputs=_call_all(node, "out"),
        inputs=(*data_inputs(node), *_parameters(node, "inputParameter")),
        outputs=(*_parameters(node, "outputParameter"), *data_outputs(node)),
        clauses=words(node.get(f"{QIANYIN}clause")),
        law=node.get(f"{QIANYIN}law") in ("true", "1"),
        outcomes=_outcomes(node),
        outcome_variable=node.get(f"{QIANYIN}outcomeVariable") or "outcome",
        not_same_as=words(node.get(f"{QIANYIN}notSameAs")),
        validator=node.get(f"{QIANYIN}validator"),
        provider=node.get(f"{QIANYIN}provider"),
        stage=node.get(f"{QIANYIN}stage"),
        properties=_properties(node),
    )


def _topic(node: etree._Element) -> str | None:
    """The topic stands on the task, or on the message definition of a throwing event (as in Camunda 7)."""
    definition = node.find(f"{BPMN}messageEventDefinition")
    return node.get(f"{CAMUNDA}topic") or (None if definition is None else definition.get(f"{CAMUNDA}topic"))


def _external(node: etree._Element) -> bool:
    definition = node.find(f"{BPMN}messageEventDefinition")
    holders = [node] if definition is None else [node, definition]
    return any(holder.get(f"{CAMUNDA}type") == "external" for holder in holders)


def read_process(process: etree._Element) -> ProcessInfo:
    """The process as a whole; its start timer and message are filled in by the parser."""
    starters = process.get(f"{CAMUNDA}candidateStarterGroups")
    stages = tuple(
        (item.get("key") or "", item.get("label") or item.get("key") or "")
        for item in extensions(process, f"{QIANYIN}stage")
    )
    defaults = ProcessInfo(key="", name="")
    return ProcessInfo(
        key=process.get("id") or "",
        name=process.get("name") or process.get("id") or "",
        version_tag=process.get(f"{CAMUNDA}versionTag"),
        documentation=text(process.find(f"{BPMN}documentation")),
        starter_groups=defaults.starter_groups if starters is None else commas(starters),
        stages=stages,
        title=process.get(f"{QIANYIN}title"),
        searchable=words(process.get(f"{QIANYIN}searchable")),
        start_variables=words(process.get(f"{QIANYIN}startVariables")),
    )
