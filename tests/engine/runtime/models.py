"""Small models for the tests: processes written as a few lines of BPMN."""

from __future__ import annotations

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'
    ' xmlns:qianyin="https://qianyin.example/schema/bpmn" targetNamespace="t">'
)


def model(key: str, *nodes: str, flows: str, extra: str = "", attributes: str = "", name: str = "") -> bytes:
    """A file with one process. `flows`: "a>b b>c", a condition in brackets: "g>x[=n > 1]" (no blanks outside them)."""
    written = "".join(_flow(number, flow) for number, flow in enumerate(_split(flows)))
    body = "".join(nodes) + written
    return (
        f'{HEAD}{extra}<process id="{key}" name="{name or key}" isExecutable="true" {attributes}>{body}</process>'
        "</definitions>"
    ).encode()


def _split(flows: str) -> list[str]:
    parts, depth = [""], 0
    for letter in flows:
        depth += {"[": 1, "]": -1}.get(letter, 0)
        if letter == " " and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part for part in parts if part]


def _flow(number: int, flow: str) -> str:
    ends, _, condition = flow.partition("[")
    source, target = ends.split(">")
    inner = ""
    if condition:
        text = condition.rstrip("]").replace("<", "&lt;")
        inner = f'<conditionExpression xsi:type="tFormalExpression">{text}</conditionExpression>'
    return f'<sequenceFlow id="f{number}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'


def start(id: str = "start", inner: str = "") -> str:
    return f'<startEvent id="{id}">{inner}</startEvent>'


def end(id: str = "end", inner: str = "") -> str:
    return f'<endEvent id="{id}">{inner}</endEvent>'


def user(id: str, attributes: str = "", inner: str = "", groups: str = "office") -> str:
    return f'<userTask id="{id}" name="{id}" camunda:candidateGroups="{groups}" {attributes}>{inner}</userTask>'


def service(id: str, topic: str, attributes: str = "", inner: str = "") -> str:
    return f'<serviceTask id="{id}" camunda:topic="{topic}" {attributes}>{inner}</serviceTask>'


def gateway(id: str, default: str = "") -> str:
    chosen = f' default="{default}"' if default else ""
    return f'<exclusiveGateway id="{id}"{chosen}/>'


def timer(kind: str, value: str) -> str:
    """kind: timeDuration | timeDate | timeCycle"""
    return f'<timerEventDefinition><{kind} xsi:type="tFormalExpression">{value}</{kind}></timerEventDefinition>'


def message(ref: str) -> str:
    return f'<messageEventDefinition messageRef="{ref}"/>'


def boundary(id: str, attached: str, inner: str, cancel: bool = True) -> str:
    return (
        f'<boundaryEvent id="{id}" attachedToRef="{attached}" cancelActivity="{str(cancel).lower()}">{inner}'
        "</boundaryEvent>"
    )


TWO_TASKS = model(
    "two",
    start(),
    user("apply"),
    gateway("choice", default="f3"),
    service("note", "note"),
    user("review"),
    end(),
    flows="start>apply apply>choice choice>note[=amount > 100] choice>review note>review review>end",
)
