"""What the schema of BPMN 2.0 allows on and inside the elements that we read; what we do with each part.

Parts that are not listed here are told to the designer: nothing that a file says is dropped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping

from webapp.engine.bpmn.normalise import ACTIVITIES, EVENTS, GATEWAYS
from webapp.engine.sentences import _


def _words(written: str) -> frozenset[str]:
    return frozenset(written.split())


def _split(**named: str) -> Mapping[str, frozenset[str]]:
    return {kind: _words(written) for kind, written in named.items()}


ANY_CHILD = _words("documentation extensionElements incoming outgoing")
_ACTIVITY = _words(
    "ioSpecification property dataInputAssociation dataOutputAssociation "
    "multiInstanceLoopCharacteristics standardLoopCharacteristics"
)
_EVENT = _words(
    "property dataInput dataOutput inputSet outputSet dataInputAssociation dataOutputAssociation "
    "messageEventDefinition signalEventDefinition timerEventDefinition conditionalEventDefinition "
    "errorEventDefinition escalationEventDefinition compensateEventDefinition linkEventDefinition "
    "cancelEventDefinition terminateEventDefinition eventDefinitionRef"
)
_CHILDREN = _split(
    userTask="potentialOwner humanPerformer",
    scriptTask="script",
    sequenceFlow="conditionExpression",
    multiInstanceLoopCharacteristics="loopCardinality loopDataInputRef inputDataItem completionCondition "
    "loopDataOutputRef outputDataItem",
    standardLoopCharacteristics="loopCondition",
    timerEventDefinition="timeDate timeDuration timeCycle",
    conditionalEventDefinition="condition",
)


def children(kind: str) -> frozenset[str]:
    """The parts that an element of this kind may have and that are read (or are documentation and data)."""
    more = _CHILDREN.get(kind, frozenset())
    if kind in ACTIVITIES:
        more |= _ACTIVITY
    elif kind in EVENTS:
        more |= _EVENT
    return ANY_CHILD | more


_ACTIVITY_ATTRIBUTES = _words("isForCompensation default startQuantity completionQuantity")
_ATTRIBUTES = _split(
    process="isExecutable isClosed processType definitionalCollaborationRef",
    sequenceFlow="sourceRef targetRef isImmediate",
    userTask="implementation",
    serviceTask="implementation operationRef",
    businessRuleTask="implementation",
    sendTask="implementation operationRef messageRef",
    receiveTask="implementation operationRef messageRef instantiate",
    scriptTask="scriptFormat",
    callActivity="calledElement",
    subProcess="triggeredByEvent",
    transaction="triggeredByEvent method",
    startEvent="isInterrupting parallelMultiple",
    intermediateCatchEvent="parallelMultiple",
    boundaryEvent="attachedToRef cancelActivity parallelMultiple",
    exclusiveGateway="default",
    inclusiveGateway="default",
    eventBasedGateway="instantiate eventGatewayType",
    multiInstanceLoopCharacteristics="isSequential behavior oneBehaviorEventRef noneBehaviorEventRef",
    standardLoopCharacteristics="testBefore loopMaximum",
    messageEventDefinition="messageRef",
    signalEventDefinition="signalRef",
    errorEventDefinition="errorRef",
    escalationEventDefinition="escalationRef",
    compensateEventDefinition="activityRef waitForCompletion",
    linkEventDefinition="name",
)


def attributes(kind: str) -> frozenset[str]:
    """The attributes without namespace that an element of this kind may have."""
    more = _ATTRIBUTES.get(kind, frozenset())
    if kind in ACTIVITIES:
        more |= _ACTIVITY_ATTRIBUTES
    elif kind in GATEWAYS:
        more |= frozenset(["gatewayDirection"])
    return frozenset(["id", "name"]) | more


#: (kind of element, attribute) -> the values that change nothing; any other value is refused with the reason.
FIXED: Mapping[tuple[str, str], tuple[frozenset[str], str]] = {
    **{
        (kind, name): (frozenset(["1"]), _("每个令牌以外的启动或完成数量"))
        for kind in ACTIVITIES
        for name in ("startQuantity", "completionQuantity")
    },
    ("compensateEventDefinition", "waitForCompletion"): (frozenset(["true", "1"]), _("不等待完成的补偿")),
    ("multiInstanceLoopCharacteristics", "behavior"): (frozenset(["All"]), _("多实例完成时抛出的事件")),
    ("eventBasedGateway", "eventGatewayType"): (frozenset(["Exclusive"]), _("并行的事件网关")),
    ("transaction", "method"): (
        frozenset(["##Compensate", "##compensate", "compensate"]),
        _("补偿以外的事务方法"),
    ),
    **{
        (kind, "parallelMultiple"): (frozenset(["false", "0"]), _("须全部发生的多重事件"))
        for kind in ("startEvent", "intermediateCatchEvent", "boundaryEvent")
    },
}
