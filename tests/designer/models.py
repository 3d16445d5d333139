"""Small models for the tests of the designers' tools."""

from __future__ import annotations

from collections.abc import Mapping

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:qianyin="https://qianyin.example/schema/bpmn" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="t">'
)


def bpmn(key: str, body: str, flows: Mapping[str, tuple[str, str]] | None = None, outside: str = "") -> bytes:
    """A file with one process; flows: id -> (source, target)."""
    lines = "".join(
        f'<bpmn:sequenceFlow id="{id}" sourceRef="{source}" targetRef="{target}"/>'
        for id, (source, target) in (flows or {}).items()
    )
    process = f'<bpmn:process id="{key}" name="{key}" isExecutable="true">{body}{lines}</bpmn:process>'
    return f"{HEAD}{outside}{process}</bpmn:definitions>".encode()


def condition(id: str, source: str, target: str, feel: str) -> str:
    """A flow with a condition."""
    return (
        f'<bpmn:sequenceFlow id="{id}" sourceRef="{source}" targetRef="{target}">'
        f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{feel}</bpmn:conditionExpression>'
        "</bpmn:sequenceFlow>"
    )


#: A clerk decides on a grant; the level hangs on a decision, three working days without an answer end it.
GRANT = bpmn(
    "grant",
    '<bpmn:startEvent id="begin"/>'
    '<bpmn:businessRuleTask id="level" name="评定档次" camunda:decisionRef="grant_level" '
    'camunda:resultVariable="level" camunda:mapDecisionResult="singleEntry"/>'
    '<bpmn:userTask id="check" name="审核" camunda:formRef="check" camunda:candidateGroups="office" '
    'qianyin:outcomeVariable="decision">'
    '<bpmn:extensionElements><qianyin:outcome value="pass" label="通过"/><qianyin:outcome value="return" label="退回"/>'
    "</bpmn:extensionElements></bpmn:userTask>"
    '<bpmn:boundaryEvent id="late" name="三个工作日" attachedToRef="check"><bpmn:timerEventDefinition id="late_timer">'
    '<bpmn:timeDuration xsi:type="bpmn:tFormalExpression">P3WD</bpmn:timeDuration></bpmn:timerEventDefinition>'
    "</bpmn:boundaryEvent>"
    '<bpmn:exclusiveGateway id="passed" name="通过？" default="no"/>'
    '<bpmn:receiveTask id="paid" name="等待拨付" messageRef="message_paid"/>'
    '<bpmn:endEvent id="done" name="已拨付"/><bpmn:endEvent id="refused" name="未通过"/>'
    '<bpmn:endEvent id="lapsed" name="逾期"/>' + condition("yes", "passed", "paid", 'decision = "pass"'),
    {
        "f1": ("begin", "level"),
        "f2": ("level", "check"),
        "f3": ("check", "passed"),
        "no": ("passed", "refused"),
        "f4": ("paid", "done"),
        "f5": ("late", "lapsed"),
    },
    '<bpmn:message id="message_paid" name="grant_paid"/>',
)


def dmn(rules: str | None = None, policy: str = "UNIQUE", key: str = "grant_level") -> bytes:
    """The table of levels by amount."""
    rows = rules or "".join(
        f'<rule id="{id}"><inputEntry id="{id}_i"><text>{test}</text></inputEntry>'
        f'<outputEntry id="{id}_o"><text>"{level}"</text></outputEntry></rule>'
        for id, test, level in (("small", "&lt; 100", "small"), ("large", "&gt;= 100", "large"))
    )
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="defs" name="档次" namespace="t">'
        f'<decision id="{key}" name="档次"><decisionTable id="table" hitPolicy="{policy}">'
        '<input id="in" label="金额"><inputExpression id="in_e" typeRef="number"><text>amount</text></inputExpression>'
        f'</input><output id="out" label="档次" name="level" typeRef="string"/>{rows}</decisionTable></decision>'
        "</definitions>"
    ).encode()


FORM = (
    '{"id": "check", "type": "default", "schemaVersion": 19, "components": ['
    '{"id": "f1", "type": "textfield", "key": "words", "label": "意见", "validate": {"required": true}},'
    '{"id": "f2", "type": "number", "key": "granted", "label": "拨付金额"}]}'
).encode()


def folder() -> dict[str, bytes]:
    """The files of the grant."""
    return {"grant.bpmn": GRANT, "grant_level.dmn": dmn(), "forms/check.json": FORM}
