"""Makes a parsed model regular before it is read: every flow node and flow gets an id.

The stored file is never changed. Ids that this module makes are deterministic (document order), because running
instances refer to them; they have no shape in the drawing.
"""

from __future__ import annotations

from lxml import etree

from webapp.engine.bpmn.xml import BPMN, local

ACTIVITIES = frozenset(
    [
        "task",
        "userTask",
        "manualTask",
        "scriptTask",
        "serviceTask",
        "sendTask",
        "receiveTask",
        "businessRuleTask",
        "callActivity",
        "subProcess",
        "transaction",
    ]
)
EVENTS = frozenset(["startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"])
GATEWAYS = frozenset(["exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"])
FLOW_NODES = ACTIVITIES | EVENTS | GATEWAYS


def nodes(scope: etree._Element) -> list[etree._Element]:
    """The flow nodes that a scope holds directly."""
    return [child for child in scope if local(child) in FLOW_NODES]


def flows(scope: etree._Element) -> list[etree._Element]:
    """The sequence flows that a scope holds directly."""
    return scope.findall(f"{BPMN}sequenceFlow")


def normalise(root: etree._Element) -> etree._Element:
    """Give every flow node and flow that has no id one of its own; changes and returns `root`."""
    taken = {str(node.get("id")) for node in root.iter() if node.get("id")}
    number = 0
    for node in root.iter(*(BPMN + name for name in sorted(FLOW_NODES | {"sequenceFlow"}))):
        if node.get("id"):
            continue
        number += 1
        while f"generated_{number}" in taken:
            number += 1
        node.set("id", f"generated_{number}")
    return root
