"""What is refused at deployment: each with the element's id and a stable code, all of a file at once."""
# ruff: noqa: E501  # models read better unbroken

from __future__ import annotations

import pytest

from tests.engine.bpmn.helpers import NAMESPACES, compiled, document, flow, line, path, refused, user
from webapp.engine.bpmn import Known, compile_bpmn
from webapp.engine.bpmn.xml import MAX_BYTES
from webapp.engine.errors import DeploymentRefused

MESSAGE = '<messageEventDefinition messageRef="m"/>'
BOUNDARY = '<boundaryEvent id="b" attachedToRef="u">{}</boundaryEvent>' + flow("b", "x") + user("x")


def catch(inner: str) -> str:
    return line(f'<intermediateCatchEvent id="c">{inner}</intermediateCatchEvent>')


CASES: dict[str, tuple[str, str, str]] = {
    # name: (body, code, element)
    "conditional event without condition": (catch("<conditionalEventDefinition/>"), "condition", "c"),
    "conditional start of a process": (
        f'<startEvent id="s"><conditionalEventDefinition><condition>x</condition></conditionalEventDefinition></startEvent>{user("u")}{flow("s", "u")}',
        "event",
        "s",
    ),
    "two definitions in one event": (catch(MESSAGE + '<signalEventDefinition signalRef="sg"/>'), "event", "c"),
    "catch without definition": (catch(""), "event", "c"),
    "cancel end event": (
        f'<startEvent id="s"/>{flow("s", "e")}<endEvent id="e"><cancelEventDefinition/></endEvent>',
        "cancel",
        "e",
    ),
    "error start of a process": (
        f'<startEvent id="s"><errorEventDefinition/></startEvent>{user("u")}{flow("s", "u")}',
        "event",
        "s",
    ),
    "message event without message": (catch("<messageEventDefinition/>"), "message_missing", "c"),
    "message that is not there": (catch('<messageEventDefinition messageRef="none"/>'), "message_missing", "c"),
    "timer without time": (catch("<timerEventDefinition/>"), "timer_missing", "c"),
    "cycle as duration": (
        catch("<timerEventDefinition><timeDuration>R3/PT1H</timeDuration></timerEventDefinition>"),
        "timer",
        "c",
    ),
    "day that does not exist": (
        catch("<timerEventDefinition><timeDate>2026-02-30</timeDate></timerEventDefinition>"),
        "feel",
        "c",
    ),
    "timer that is no FEEL": (
        catch("<timerEventDefinition><timeDuration>1 +</timeDuration></timerEventDefinition>"),
        "feel",
        "c",
    ),
    "error end without code": (
        f'<startEvent id="s"/>{flow("s", "e")}<endEvent id="e"><errorEventDefinition/></endEvent>',
        "error_code",
        "e",
    ),
    "link without its catch": (
        f'<startEvent id="s"/>{flow("s", "t")}<intermediateThrowEvent id="t"><linkEventDefinition name="L"/></intermediateThrowEvent>',
        "link",
        "t",
    ),
    "JUEL in a condition": (
        f'<startEvent id="s"/>{flow("s", "g")}<exclusiveGateway id="g" default="d"/>{flow("g", "u", "${{x}}", "f1")}{flow("g", "v", flow_id="d")}{user("u")}{user("v")}',
        "juel",
        "f1",
    ),
    "JUEL as assignee": (line('<userTask id="u" camunda:assignee="${starter}"/>'), "juel", "u"),
    "condition that is no FEEL": (
        f'<startEvent id="s"/>{flow("s", "g")}<exclusiveGateway id="g"/>{flow("g", "u", "1 +", "f1")}{user("u")}',
        "feel",
        "f1",
    ),
    "exclusive gateway without condition": (
        f'<startEvent id="s"/>{flow("s", "g")}<exclusiveGateway id="g"/>{flow("g", "u", flow_id="f1")}{flow("g", "v", "x", "f2")}{user("u")}{user("v")}',
        "condition",
        "f1",
    ),
    "conditions behind a parallel gateway": (
        f'<startEvent id="s"/>{flow("s", "g")}<parallelGateway id="g"/>{flow("g", "u", "x")}{flow("g", "v")}{user("u")}{user("v")}',
        "condition",
        "g",
    ),
    "default that is elsewhere": (
        f'<startEvent id="s"/>{flow("s", "g")}<exclusiveGateway id="g" default="nope"/>{flow("g", "u")}{user("u")}',
        "default",
        "g",
    ),
    "task behind an event gateway": (
        f'<startEvent id="s"/>{flow("s", "g")}<eventBasedGateway id="g"/>{flow("g", "u")}{user("u")}',
        "event_gateway",
        "u",
    ),
    "gateway that leads nowhere": (
        f'<startEvent id="s"/>{flow("s", "g")}<exclusiveGateway id="g"/>',
        "outgoing",
        "g",
    ),
    "flow into the start": (line(user("u")) + flow("u", "s", flow_id="back"), "incoming", "s"),
    "flow to nowhere": (line(user("u")) + flow("u", "ghost", flow_id="f1"), "flow_end", "f1"),
    "flow across a subprocess border": (
        line(f'<subProcess id="sp"><startEvent id="i"/>{user("in")}{flow("i", "in")}</subProcess>')
        + flow("s", "in", flow_id="f1"),
        "flow_end",
        "f1",
    ),
    "unreachable element": (line(user("u")) + user("lost"), "unreachable", "lost"),
    "nobody can do it": (line('<userTask id="u"/>'), "nobody", "u"),
    "four eyes with a task that is not there": (line(user("u", attributes='qianyin:notSameAs="v"')), "not_same_as", "u"),
    "two outcomes of one value": (
        line(
            user(
                "u",
                '<extensionElements><qianyin:outcome value="a" label="A"/><qianyin:outcome value="a" label="B"/></extensionElements>',
            )
        ),
        "outcome",
        "u",
    ),
    "stage that is not defined": (line(user("u", attributes='qianyin:stage="review"')), "stage", "u"),
    "service without handler": (line('<serviceTask id="t"/>'), "handler", "t"),
    "Java class": (line('<serviceTask id="t" camunda:topic="x" camunda:class="a.B"/>'), "unknown_attribute", "t"),
    "embedded form": (
        line(user("u", "<extensionElements><camunda:formData/></extensionElements>")),
        "unknown_extension",
        "u",
    ),
    "script inside a mapping": (
        line(
            '<serviceTask id="t" camunda:topic="x"><extensionElements><camunda:inputOutput><camunda:inputParameter name="a"><camunda:script scriptFormat="groovy">1</camunda:script></camunda:inputParameter></camunda:inputOutput></extensionElements></serviceTask>'
        ),
        "mapping",
        "t",
    ),
    "mistyped attribute": (line(user("u", attributes='camunda:candidateGroup="a"')), "unknown_attribute", "u"),
    "decision without result variable": (
        line('<businessRuleTask id="t" camunda:decisionRef="d"/>'),
        "result_variable",
        "t",
    ),
    "unknown mapping of a decision": (
        line(
            '<businessRuleTask id="t" camunda:decisionRef="d" camunda:resultVariable="r" camunda:mapDecisionResult="first"/>'
        ),
        "decision",
        "t",
    ),
    "call of nothing": (line('<callActivity id="t"/>'), "called_process", "t"),
    "loop without collection": (line(user("u", "<multiInstanceLoopCharacteristics/>")), "loop", "u"),
    "loop without condition": (line(user("u", "<standardLoopCharacteristics/>")), "loop", "u"),
    "boundary on nothing": (
        line(user("u")) + BOUNDARY.format(MESSAGE).replace('attachedToRef="u"', 'attachedToRef="zz"'),
        "attached_to",
        "b",
    ),
    "non-interrupting error": (
        line(user("u")) + BOUNDARY.format("<errorEventDefinition/>").replace("attachedToRef", 'cancelActivity="false" attachedToRef'),
        "event",
        "b",
    ),
    "compensation without handler": (
        line(user("u"), after='<boundaryEvent id="b" attachedToRef="u"><compensateEventDefinition/></boundaryEvent>'),
        "compensation",
        "b",
    ),
    "event subprocess without event": (
        line(user("u")) + f'<subProcess id="es" triggeredByEvent="true"><startEvent id="i"/>{user("h")}{flow("i", "h")}</subProcess>',
        "event",
        "i",
    ),
    "empty subprocess": (line('<subProcess id="sp"/>'), "no_start", "sp"),
    "receive task that starts a process": (line('<receiveTask id="r" messageRef="m" instantiate="true"/>'), "instantiate", "r"),
    "id that is no id": (line('<task id="9 x"/>'), "bad_id", "9 x"),
    "same id twice": (line(user("u"), user("v")) + '<textAnnotation id="v"/>', "duplicate_id", "v"),
    "unknown element": (line(user("u")) + '<choreographyTask id="ct"/>', "unsupported", "ct"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_refused(name: str) -> None:
    body, code, element = CASES[name]
    assert refused(document(body.replace("${{", "${")))[code] == element


def test_everything_that_is_wrong_is_told_at_once_in_sentences() -> None:
    with pytest.raises(DeploymentRefused) as caught:
        compile_bpmn(document(line('<userTask id="u"/>', '<serviceTask id="t"/>')), known=Known.anything())
    assert {finding.element_id for finding in caught.value.findings} == {"u", "t"}
    assert all(finding.message.endswith("。") for finding in caught.value.findings)


KNOWN = Known(
    topics=frozenset({"h"}),
    forms=frozenset({"f"}),
    decisions=frozenset({"d"}),
    roles=frozenset({"office", "designer", "manager"}),
)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (line('<serviceTask id="x" camunda:topic="zz"/>'), "handler"),
        (line(user("x", attributes='camunda:formRef="zz"')), "form"),
        (line('<userTask id="x" camunda:candidateGroups="zz"/>'), "role"),
        (line('<businessRuleTask id="x" camunda:decisionRef="zz" camunda:resultVariable="r"/>'), "decision"),
        (line('<callActivity id="x" calledElement="zz"/>'), "called_process"),
        (line(user("x", attributes='qianyin:validator="zz"')), "validator"),
        (line(user("x", attributes='qianyin:provider="zz"')), "provider"),
    ],
)
def test_names_that_the_deployment_does_not_have(body: str, code: str) -> None:
    assert refused(document(body), KNOWN) == {code: "x"}
    warnings = compiled(document(body)).warnings
    assert all(warning.severity == "warning" for warning in warnings)


def test_names_that_it_has() -> None:
    body = line(
        user("u", attributes='camunda:formRef="f"'),
        '<serviceTask id="t" camunda:topic="h"/>',
        '<serviceTask id="w" camunda:topic="anything" camunda:type="external"/>',
        '<businessRuleTask id="d1" camunda:decisionRef="d" camunda:resultVariable="r"/>',
        '<callActivity id="c" calledElement="p"/>',
    )
    assert compiled(document(body), KNOWN).warnings == ()


@pytest.mark.parametrize(
    "xml",
    [
        b"not xml",
        b"",
        b"<definitions/>",
        b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "b">]>' + document(line(user("u"))),
        b'<?xml version="1.0"?><!DOCTYPE d SYSTEM "file:///etc/passwd">' + document(line(user("u"))),
        b" " * (MAX_BYTES + 1),
        f"<definitions {NAMESPACES}/>".encode(),
        document(line(user("u"))).replace(b'isExecutable="true"', b""),
    ],
)
def test_what_is_no_model_is_refused(xml: bytes) -> None:
    with pytest.raises(DeploymentRefused):
        compile_bpmn(xml, known=Known.anything())


def test_what_a_model_says_is_read() -> None:
    task = (
        '<userTask id="u" name="初审" camunda:candidateGroups="office" camunda:formRef="f" qianyin:clause="4.6.2 4.6.3" '
        'qianyin:law="true" qianyin:outcomeVariable="decision" qianyin:notSameAs="v" qianyin:stage="review" qianyin:note="n">'
        '<documentation>怎么办</documentation><extensionElements><qianyin:outcome value="ok" label="同意" style="primary"/>'
        '<qianyin:outcome value="no" label="退回" style="danger" asksReason="true"/></extensionElements></userTask>'
    )
    stages = '<extensionElements><qianyin:stage key="review" label="审核"/></extensionElements>'
    process = compiled(
        document(
            stages + line(task, user("v")),
            attributes='name="备案" camunda:candidateStarterGroups="lead_unit" camunda:versionTag="1.2" qianyin:title="&quot;案 &quot; + number" qianyin:searchable="unit, number"',
        )
    )
    info, element = process.info, process.elements["u"]
    assert (info.key, info.name, info.version_tag, info.starter_groups) == ("p", "备案", "1.2", ("lead_unit",))
    assert (info.stages, info.searchable) == ((("review", "审核"),), ("unit", "number"))
    assert (element.name, element.documentation, element.form_ref) == ("初审", "怎么办", "f")
    assert (element.clauses, element.law, element.stage) == (("4.6.2", "4.6.3"), True, "review")
    assert [(o.value, o.label, o.style, o.asks_reason) for o in element.outcomes] == [
        ("ok", "同意", "primary", False),
        ("no", "退回", "danger", True),
    ]
    assert (element.outcome_variable, element.not_same_as, element.properties) == ("decision", ("v",), {"note": "n"})
    assert set(process.flows) == {"f_s_u", "f_u_v", "f_v_e"}


def test_a_file_may_hold_several_processes_that_call_each_other() -> None:
    other = f'<process id="q" isExecutable="true"><startEvent id="qs"/>{user("qu")}{path("qs", "qu")}</process>'
    xml = document(line('<callActivity id="c" calledElement="q"/>'), other)
    first, second = compile_bpmn(xml, known=KNOWN)
    assert (first.info.key, second.info.key) == ("q", "p")
    assert first.digest == second.digest
