"""Each kind of event at each place where it is carried out: interrupting, not interrupting and more than once."""
# ruff: noqa: E501  # models read better unbroken

from __future__ import annotations

import pytest

from tests.engine.bpmn.helpers import Run, document, flow, line, path, refused, user
from webapp.engine.types import EndState, InstanceEnded, MessageThrown, SignalThrown, SubscriptionWanted, TimerWanted

DEFINITION = {
    "message": '<messageEventDefinition messageRef="m"/>',
    "signal": '<signalEventDefinition signalRef="sg"/>',
    "timer": "<timerEventDefinition><timeCycle>R6/P1D</timeCycle></timerEventDefinition>",
    "conditional": "<conditionalEventDefinition><condition>x &gt; 1</condition></conditionalEventDefinition>",
    "error": '<errorEventDefinition errorRef="er"/>',
    "escalation": '<escalationEventDefinition escalationRef="esc"/>',
    "compensate": "<compensateEventDefinition/>",
    "terminate": "<terminateEventDefinition/>",
    "none": "",
}


def happen(run: Run, element: str, kind: str) -> None:
    """Let the event come from outside."""
    if kind == "conditional":
        run.set(x=2)
        run.set(x=0)
    else:
        run.deliver(element)


@pytest.mark.parametrize("kind", ["message", "signal", "timer", "conditional"])
def test_a_boundary_event_interrupts(kind: str) -> None:
    event = f'<boundaryEvent id="b" attachedToRef="u">{DEFINITION[kind]}</boundaryEvent>{flow("b", "n")}{user("n")}'
    run = Run(document(line(user("u"), user("v"), after=event)), x=0)
    happen(run, "b", kind)
    assert run.open == ["n"]
    assert Run(document(line(user("u"), user("v"), after=event)), x=0).do("u").open == ["v"]


@pytest.mark.parametrize("kind", ["message", "signal", "timer", "conditional"])
def test_a_boundary_event_that_does_not_interrupt_comes_again(kind: str) -> None:
    event = f'<boundaryEvent id="b" attachedToRef="u" cancelActivity="false">{DEFINITION[kind]}</boundaryEvent>{flow("b", "n")}{user("n")}'
    run = Run(document(line(user("u"), after=event)), x=0)
    for _ in range(3):
        happen(run, "b", kind)
    assert run.open == ["n", "n", "n", "u"]
    run.do("u")
    assert run.open == ["n", "n", "n"]
    assert run.do("n").do("n").do("n").ended == "completed"


def event_sub(kind: str, *, interrupting: bool) -> str:
    start = f'<startEvent id="i" isInterrupting="{str(interrupting).lower()}">{DEFINITION[kind]}</startEvent>'
    return f'<subProcess id="es" triggeredByEvent="true">{start}{user("h")}{flow("i", "h")}</subProcess>'


@pytest.mark.parametrize("inside", [False, True], ids=["process", "subprocess"])
@pytest.mark.parametrize("kind", ["message", "signal", "timer", "conditional"])
def test_an_event_subprocess_interrupts_its_scope_or_runs_beside_it(kind: str, inside: bool) -> None:
    for interrupting in (True, False):
        part = line(user("u")) + event_sub(kind, interrupting=interrupting)
        around = f'<startEvent id="s0"/>{flow("s0", "sp")}<subProcess id="sp">{part}</subProcess>{flow("sp", "w")}{user("w")}'
        run = Run(document(around if inside else part), x=0)
        happen(run, "i", kind)
        if not interrupting:
            happen(run, "i", kind)
            assert run.open == ["h", "h", "u"]
            run.do("u").do("h")
        assert run.open == ["h"]
        run.do("h")
        assert (run.open == ["w"]) if inside else (run.ended == "completed")


@pytest.mark.parametrize(("kind", "interrupting"), [("error", True), ("escalation", True), ("escalation", False)])
def test_an_event_subprocess_catches_what_its_scope_throws(kind: str, interrupting: bool) -> None:
    thrown = f'<startEvent id="s"/>{user("u")}{user("v")}<parallelGateway id="g"/>{path("s", "g")}{flow("g", "u")}{flow("g", "v")}<endEvent id="t">{DEFINITION[kind]}</endEvent>{flow("u", "t")}'
    run = Run(document(thrown + event_sub(kind, interrupting=interrupting))).do("u")
    assert run.open == (["h"] if interrupting else ["h", "v"])


@pytest.mark.parametrize("cancels", [True, False])
def test_an_escalation_boundary_event_hears_more_than_once(cancels: bool) -> None:
    inner = f'<startEvent id="i"/>{user("a")}<intermediateThrowEvent id="t">{DEFINITION["escalation"]}</intermediateThrowEvent>{user("b")}<intermediateThrowEvent id="t2">{DEFINITION["escalation"]}</intermediateThrowEvent>{user("c")}{path("i", "a", "t", "b", "t2", "c")}'
    event = f'<boundaryEvent id="x" attachedToRef="sp" cancelActivity="{str(cancels).lower()}">{DEFINITION["escalation"]}</boundaryEvent>{flow("x", "n")}{user("n")}'
    run = Run(document(line(f'<subProcess id="sp">{inner}</subProcess>', after=event))).do("a")
    if cancels:
        assert run.open == ["n"]
    else:
        assert run.do("b").open == ["c", "n", "n"]


@pytest.mark.parametrize("kind", ["message", "signal", "timer", "conditional"])
def test_an_intermediate_event_waits(kind: str) -> None:
    definition = DEFINITION[kind].replace("timeCycle>R6/P1D</timeCycle", "timeDate>2026-05-01</timeDate")
    run = Run(document(line(f'<intermediateCatchEvent id="c">{definition}</intermediateCatchEvent>', user("v"))), x=0)
    assert run.states() == {"c": "waiting"}
    happen(run, "c", kind)
    assert run.open == ["v"]


@pytest.mark.parametrize("kind", ["none", "message", "signal", "escalation", "compensate"])
@pytest.mark.parametrize("place", ["intermediateThrowEvent", "endEvent"])
def test_a_throwing_event_throws_and_goes_on(kind: str, place: str) -> None:
    body = f'<startEvent id="s"/><{place} id="t">{DEFINITION[kind]}</{place}>{flow("s", "t")}'
    run = Run(document(body if place == "endEvent" else body + user("v") + flow("t", "v")))
    assert run.ended == "completed" if place == "endEvent" else run.open == ["v"]
    assert [event.name for event in run.of(MessageThrown)] == (["stop"] if kind == "message" else [])
    assert [event.name for event in run.of(SignalThrown)] == (["sig"] if kind == "signal" else [])


@pytest.mark.parametrize(("kind", "state"), [("error", EndState.FAILED), ("terminate", EndState.TERMINATED)])
def test_an_end_event_that_ends_everything(kind: str, state: EndState) -> None:
    body = f'<startEvent id="s"/><parallelGateway id="g"/>{flow("s", "g")}{flow("g", "u")}{flow("g", "t")}{user("u")}<endEvent id="t">{DEFINITION[kind]}</endEvent>'
    run = Run(document(body))
    assert run.of(InstanceEnded)[0].state is state
    assert run.ended_elements(cancelled=True) == ["u"]


def test_a_message_start_inside_an_event_subprocess_is_told_like_any_wait() -> None:
    run = Run(document(line(user("u")) + event_sub("message", interrupting=True)))
    assert [(event.element_id, event.kind, event.name) for event in run.of(SubscriptionWanted)] == [
        ("i", "message", "stop")
    ]


def test_a_cycle_of_six_days_is_told_as_written_and_counts_down() -> None:
    event = f'<boundaryEvent id="b" attachedToRef="u" cancelActivity="false">{DEFINITION["timer"]}</boundaryEvent>{flow("b", "n")}<task id="n"/>'
    run = Run(document(line(user("u"), after=event)))
    for _ in range(6):
        run.deliver("b")
    assert [event.due for event in run.of(TimerWanted)] == [f"R{left}/P1D" for left in (6, 5, 4, 3, 2, 1)]


def test_a_nested_lane_says_who_and_a_flow_without_id_is_taken() -> None:
    lanes = (
        '<laneSet><lane id="outer"><flowNodeRef>u</flowNodeRef><childLaneSet><lane id="office"><flowNodeRef>u</flowNodeRef></lane>'
        "</childLaneSet></lane></laneSet>"
    )
    body = line('<userTask id="u"/>').replace('<sequenceFlow id="f_s_u"', "<sequenceFlow")
    run = Run(document(lanes + body))
    assert run.process.elements["u"].candidate_groups == ("office",)
    assert run.open == ["u"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<eventBasedGateway id="x" eventGatewayType="Parallel"/>', {"x"}),
        ('<eventBasedGateway id="x" instantiate="true"/>', {"x"}),
        (
            f'<intermediateCatchEvent id="x" parallelMultiple="true">{DEFINITION["message"]}{DEFINITION["signal"]}</intermediateCatchEvent>',
            {"x"},
        ),
        (
            f'<intermediateCatchEvent id="x">{DEFINITION["message"]}{DEFINITION["signal"]}</intermediateCatchEvent>',
            {"x"},
        ),
    ],
)
def test_starts_by_gateways_and_multiple_events_are_refused(body: str, expected: set[str]) -> None:
    found = set(refused(document(line(user("u"), body))).values())
    assert expected <= found
