"""Timers, messages, signals, errors, escalations, terminate: boundary, intermediate, event subprocess."""
# ruff: noqa: E501  # models read better unbroken

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests.engine.bpmn.helpers import Run, Surroundings, document, flow, line, path, user
from webapp.engine.errors import BpmnError, TaskNotOpen
from webapp.engine.types import (
    ActivityEnded,
    IncidentRaised,
    InstanceEnded,
    SignalThrown,
    SubscriptionWanted,
    TaskClosed,
    TimerWanted,
    WaitDropped,
)

ANY_ERROR = "<errorEventDefinition/>"
ERROR = '<errorEventDefinition errorRef="er"/>'
ERROR_2 = '<errorEventDefinition errorRef="er2"/>'
ESCALATION = '<escalationEventDefinition escalationRef="esc"/>'
MESSAGE = '<messageEventDefinition messageRef="m"/>'


def timer(kind: str, value: str) -> str:
    return f"<timerEventDefinition><time{kind}>{value}</time{kind}></timerEventDefinition>"


def boundary(host: str, definition: str, *, cancels: bool = True, name: str = "b", after: str = "late") -> str:
    return (
        f'<boundaryEvent id="{name}" attachedToRef="{host}" cancelActivity="{str(cancels).lower()}">{definition}</boundaryEvent>'
        f"{flow(name, after)}{user(after)}"
    )


@pytest.mark.parametrize(
    ("kind", "value", "due"),
    [
        ("Duration", "P3D", "P3D"),
        ("Duration", "P5WD", "P5WD"),
        ("Duration", '="P" + string(n) + "D"', "P2D"),
        ("Duration", 'duration("PT90M")', "PT1H30M"),
        ("Date", "2026-03-01T10:00:00+08:00", "2026-03-01T10:00:00+08:00"),
        ("Date", "day", date(2026, 5, 1)),
        ("Date", "moment", datetime(2026, 5, 1, 8, tzinfo=UTC)),
        ("Date", "written", "2026-05-01"),
        ("Cycle", "R3/PT1H", "R3/PT1H"),
        ("Cycle", "R3/2026-05-01T08:00:00Z/P1D", "R3/2026-05-01T08:00:00Z/P1D"),
    ],
)
def test_a_timer_tells_when_it_is_due(kind: str, value: str, due: object) -> None:
    run = Run(
        document(line(f'<intermediateCatchEvent id="c">{timer(kind, value)}</intermediateCatchEvent>')),
        n=2,
        day=date(2026, 5, 1),
        moment=datetime(2026, 5, 1, 8, tzinfo=UTC),
        written="2026-05-01",
    )
    wanted = run.of(TimerWanted)
    assert [(e.element_id, e.kind, e.due) for e in wanted] == [("c", kind.lower(), due)]
    run.deliver("c")
    assert run.ended == "completed"
    assert [e.node for e in run.of(WaitDropped)] == [wanted[0].node]


def test_a_timer_without_a_time_is_an_incident_that_can_be_mended() -> None:
    run = Run(
        document(line(f'<intermediateCatchEvent id="c">{timer("Date", "day")}</intermediateCatchEvent>')), day="soon"
    )
    assert run.states() == {"c": "incident"}
    assert "c" in run.of(IncidentRaised)[0].element_id
    run.set(day=date(2026, 5, 1)).retry("c")
    assert run.of(TimerWanted)[0].due == date(2026, 5, 1)


def test_a_boundary_timer_takes_the_task_away() -> None:
    run = Run(document(line(user("u"), after=boundary("u", timer("Duration", "P1D")))))
    run.deliver("b")
    assert run.open == ["late"]
    assert [(e.element_id, e.cancelled) for e in run.of(TaskClosed)] == [("u", True)]
    assert [(e.element_id, e.cancelled) for e in run.of(ActivityEnded)] == [("s", False), ("u", True), ("b", False)]


def test_a_task_done_in_time_drops_its_timer() -> None:
    run = Run(document(line(user("u"), after=boundary("u", timer("Duration", "P1D")))))
    node = run.wait("b")
    run.do("u")
    assert [e.node for e in run.of(WaitDropped)] == [node]
    assert run.ended == "completed"


def test_a_reminder_repeats_as_often_as_its_cycle_says() -> None:
    run = Run(document(line(user("u"), after=boundary("u", timer("Cycle", "R2/PT1H"), cancels=False))))
    run.deliver("b")
    assert [e.due for e in run.of(TimerWanted)] == ["R2/PT1H", "R1/PT1H"]
    assert len({e.node for e in run.of(TimerWanted)}) == 1
    run.deliver("b")
    with pytest.raises(TaskNotOpen):
        run.execution.deliver(run.wait("b"), {})
    assert run.open == ["late", "late", "u"]


def test_a_cycle_with_a_start_begins_there_once() -> None:
    cycle = timer("Cycle", "R/2026-05-01/P5WD")
    run = Run(document(line(user("u"), after=boundary("u", cycle, cancels=False)))).deliver("b").deliver("b")
    assert [e.due for e in run.of(TimerWanted)] == ["R/2026-05-01/P5WD", "R/P5WD", "R/P5WD"]


def test_a_non_interrupting_duration_fires_once() -> None:
    run = Run(document(line(user("u"), after=boundary("u", timer("Duration", "PT1H"), cancels=False))))
    run.deliver("b")
    with pytest.raises(TaskNotOpen):
        run.execution.deliver(run.wait("b"), {})
    run.do("late").do("u")
    assert run.ended == "completed"


def test_a_receive_task_waits_with_its_boundary_timer() -> None:
    body = line('<receiveTask id="r" messageRef="m2"/>', user("u"), after=boundary("r", timer("Duration", "P1D")))
    run = Run(document(body))
    assert [(e.element_id, e.name) for e in run.of(SubscriptionWanted)] == [("r", "go")]
    run.deliver("r", answer=1)
    assert run.open == ["u"]
    assert len(run.of(WaitDropped)) == 2
    late = Run(document(body)).deliver("b")
    assert late.open == ["late"]


def test_the_correlation_key_of_the_message_definition_is_evaluated() -> None:
    xml = document(
        line(f'<intermediateCatchEvent id="c">{MESSAGE}</intermediateCatchEvent>'),
        definitions='<message id="m" name="stop" qianyin:correlationKey="case.number"/>',
    )
    assert Run(xml, case={"number": "A-7"}).of(SubscriptionWanted)[0].correlation_key == "A-7"


def test_an_event_gateway_with_a_receive_task() -> None:
    run = Run(
        document(
            f'<startEvent id="s"/>{path("s", "g")}<eventBasedGateway id="g"/>{flow("g", "r")}{flow("g", "x")}'
            f'<receiveTask id="r" messageRef="m"/><intermediateCatchEvent id="x"><signalEventDefinition signalRef="sg"/>'
            f"</intermediateCatchEvent>{flow('r', 'u')}{flow('x', 'v')}{user('u')}{user('v')}"
        )
    )
    run.deliver("r", answer=5)
    assert run.open == ["u"]
    assert run.variables == {"answer": 5}
    assert run.ended_elements() == ["s", "g", "r"]


def test_a_handlers_fault_goes_to_the_boundary_event_of_its_code() -> None:
    def fails(variables: object) -> dict[str, object]:
        raise BpmnError("E2", "没有余额")

    definition = (
        '<errorEventDefinition errorRef="{}" camunda:errorCodeVariable="code" camunda:errorMessageVariable="said"/>'
    )
    after = (
        boundary("t", definition.format("er"), name="b1", after="one")
        + boundary("t", definition.format("er2"), name="b2", after="two")
        + boundary("t", '<errorEventDefinition camunda:errorCodeVariable="code"/>', name="b3", after="any")
    )
    task = '<serviceTask id="t" camunda:topic="h"/>'
    run = Run(document(line(task, after=after)), Surroundings({"h": fails}))
    assert run.open == ["two"]
    assert run.variables == {"code": "E2", "said": "没有余额"}

    def unknown(variables: object) -> dict[str, object]:
        raise BpmnError("E7")

    assert Run(document(line(task, after=after)), Surroundings({"h": unknown})).open == ["any"]


def test_an_external_tasks_fault_and_incident() -> None:
    body = line(
        '<serviceTask id="t" camunda:topic="h" camunda:type="external"/>',
        after=boundary("t", ERROR),
    )
    assert Run(document(body)).fail("t", "E1").open == ["late"]
    run = Run(document(body)).fail("t", "E5", "坏了")
    assert run.states() == {"t": "incident"}
    run.retry("t")
    assert run.states() == {"t": "parked"}
    run.resume("t", ok=True)
    assert run.ended == "completed"


def test_an_error_end_that_nothing_catches_fails_the_instance_with_its_code() -> None:
    body = (
        f'<startEvent id="s"/>{flow("s", "g")}<parallelGateway id="g"/>{flow("g", "a")}{flow("g", "b")}{user("a")}{user("b")}'
        f'{flow("a", "x")}<endEvent id="x"><errorEventDefinition errorRef="er"/></endEvent>'
    )
    run = Run(document(body)).do("a")
    assert run.of(InstanceEnded) == [InstanceEnded("failed", "E1")]  # type: ignore[arg-type]
    assert run.ended_elements() == ["s", "g", "a", "x"]
    assert run.ended_elements(cancelled=True) == ["b"]


def test_a_specific_code_wins_and_inner_scopes_come_first() -> None:
    inner = (
        f'<subProcess id="in"><startEvent id="i"/>{user("u")}<endEvent id="ie"><errorEventDefinition errorRef="er"/></endEvent>'
        f"{path('i', 'u', 'ie')}</subProcess>{boundary('in', ERROR_2, name='b2', after='wrong')}"
    )
    outer = (
        f'<subProcess id="out"><startEvent id="o"/>{flow("o", "in")}{inner}</subProcess>'
        f"{boundary('out', ANY_ERROR, name='b3', after='any')}"
        f"{boundary('out', ERROR, name='b4', after='right')}"
    )
    run = Run(document(f'<startEvent id="s"/>{flow("s", "out")}{outer}')).do("u")
    assert run.open == ["right"]


@pytest.mark.parametrize("cancels", [True, False])
def test_an_escalation_is_heard_around_the_subprocess(cancels: bool) -> None:
    inner = (
        f'<subProcess id="sp"><startEvent id="i"/><intermediateThrowEvent id="t"><escalationEventDefinition '
        f'escalationRef="esc"/></intermediateThrowEvent>{user("u")}{path("i", "t", "u")}</subProcess>'
    )
    body = line(inner, after=boundary("sp", ESCALATION, cancels=cancels))
    run = Run(document(body))
    assert run.open == (["late"] if cancels else ["late", "u"])
    assert run.ended_elements().count("t") == 1
    assert "t" not in run.ended_elements(cancelled=True)
    if not cancels:
        run.do("u").do("late")
        assert run.ended == "completed"


def test_an_escalation_that_nobody_hears_goes_on() -> None:
    throw = '<intermediateThrowEvent id="t"><escalationEventDefinition escalationRef="esc"/></intermediateThrowEvent>'
    assert Run(document(line(throw, user("u")))).open == ["u"]


def test_an_escalation_end_event_starts_an_event_subprocess_beside() -> None:
    listening = (
        '<subProcess id="es" triggeredByEvent="true"><startEvent id="es_s" isInterrupting="false"><escalationEventDefinition '
        f'escalationRef="esc"/></startEvent>{user("h")}{flow("es_s", "h")}</subProcess>'
    )
    body = f'<startEvent id="s"/>{user("a")}{path("s", "a", "x")}<endEvent id="x"><escalationEventDefinition escalationRef="esc"/></endEvent>'
    run = Run(document(body + listening)).do("a")
    assert run.open == ["h"]
    run.do("h")
    assert run.ended == "completed"


def test_terminate_ends_everything_in_its_scope() -> None:
    body = (
        f'<startEvent id="s"/>{flow("s", "g")}<parallelGateway id="g"/>{flow("g", "a")}{flow("g", "b")}{user("a")}{user("b")}'
        f'{flow("a", "x")}<endEvent id="x"><terminateEventDefinition/></endEvent>'
    )
    run = Run(document(body)).do("a")
    assert run.ended == "terminated"
    assert run.ended_elements(cancelled=True) == ["b"]
    inside = f'<subProcess id="sp">{body.replace(chr(34) + "s" + chr(34), chr(34) + "i" + chr(34))}</subProcess>'
    inner = Run(document(f'<startEvent id="s0"/>{inside}{user("after")}{path("s0", "sp", "after")}')).do("a")
    assert inner.open == ["after"]


def test_signals_are_told_and_waited_for() -> None:
    signal = '<signalEventDefinition signalRef="sg"/>'
    run = Run(
        document(
            line(
                f'<intermediateThrowEvent id="t">{signal}</intermediateThrowEvent>',
                f'<intermediateCatchEvent id="c">{signal}</intermediateCatchEvent>',
            )
        )
    )
    assert [e.name for e in run.of(SignalThrown)] == ["sig"]
    assert [(e.kind, e.name) for e in run.of(SubscriptionWanted)] == [("signal", "sig")]
    run.deliver("c")
    assert run.ended == "completed"


def test_a_process_begins_at_the_start_event_that_is_named() -> None:
    body = (
        f'<startEvent id="s1"/>{flow("s1", "a")}<startEvent id="s2">{MESSAGE}</startEvent>{flow("s2", "b")}'
        f'<startEvent id="s3">{timer("Cycle", "R/P1D")}</startEvent>{flow("s3", "c")}{user("a")}{user("b")}{user("c")}'
    )
    run = Run(document(body))
    assert run.open == ["a"]
    assert (run.process.info.start_message, run.process.info.start_timer) == ("stop", "R/P1D")
    assert run.process.start_elements == {"s1": "none", "s2": "message", "s3": "timer"}
    assert Run(document(body), start="s2", case=1).open == ["b"]
    assert Run(document(body), start="s3").open == ["c"]


def test_a_process_whose_event_subprocess_cannot_listen_is_an_incident_of_the_process() -> None:
    listening = (
        '<subProcess id="es" triggeredByEvent="true"><startEvent id="es_s"><timerEventDefinition><timeDate>day</timeDate>'
        f"</timerEventDefinition></startEvent>{user('h')}{flow('es_s', 'h')}</subProcess>"
    )
    run = Run(document(line(user("u")) + listening))
    assert run.states() == {"p": "incident"}
    run.set(day=date(2026, 5, 1)).retry("p")
    assert run.open == ["u"]
    assert [e.due for e in run.of(TimerWanted)] == [date(2026, 5, 1)]


CONDITION = "<conditionalEventDefinition><condition>amount &gt; 3</condition></conditionalEventDefinition>"


def test_a_conditional_event_happens_when_its_condition_becomes_true() -> None:
    run = Run(document(line(f'<intermediateCatchEvent id="c">{CONDITION}</intermediateCatchEvent>', user("u"))))
    assert run.states() == {"c": "waiting"}  # no value yet is no incident
    assert run.set(amount=3).states() == {"c": "waiting"}
    assert run.set(amount=4).open == ["u"]
    assert Run(
        document(line(f'<intermediateCatchEvent id="c">{CONDITION}</intermediateCatchEvent>', user("u"))), amount=9
    ).open == ["u"]


def test_a_non_interrupting_condition_happens_each_time_that_it_becomes_true() -> None:
    body = (
        f'<startEvent id="s"/>{flow("s", "g")}<parallelGateway id="g"/>{flow("g", "a")}{flow("g", "b")}{user("a")}{user("b")}'
        + boundary("a", CONDITION, cancels=False, name="bo")
    )
    run = Run(document(body), amount=1)
    run.set(amount=5).set(amount=6)
    assert run.open == ["a", "b", "late"]
    run.set(amount=1).set(amount=7)
    assert run.open == ["a", "b", "late", "late"]
    assert Run(document(body)).do("b", amount=4).open == ["a", "late"]


def test_a_condition_interrupts_a_scope() -> None:
    listening = (
        f'<subProcess id="es" triggeredByEvent="true"><startEvent id="es_s">{CONDITION}</startEvent>{user("h")}'
        f"{flow('es_s', 'h')}</subProcess>"
    )
    assert Run(document(line(user("u"), user("v")) + listening)).do("u", amount=4).open == ["h"]


def test_a_condition_behind_an_event_gateway() -> None:
    body = (
        f'<startEvent id="s"/>{path("s", "g")}<eventBasedGateway id="g"/>{flow("g", "c")}{flow("g", "x")}'
        f'<intermediateCatchEvent id="c">{CONDITION}</intermediateCatchEvent><intermediateCatchEvent id="x">{MESSAGE}'
        f"</intermediateCatchEvent>{flow('c', 'u')}{flow('x', 'v')}{user('u')}{user('v')}"
    )
    run = Run(document(body)).set(amount=4)
    assert run.open == ["u"]
    assert len(run.of(WaitDropped)) == 2


def test_cancelling_takes_everything_away() -> None:
    body = line(user("u"), after=boundary("u", timer("Duration", "P1D")))
    run = Run(document(body)).cancel()
    assert run.ended == "cancelled"
    assert run.of(InstanceEnded) == [InstanceEnded("cancelled")]  # type: ignore[arg-type]
    assert [e.element_id for e in run.of(TaskClosed) if e.cancelled] == ["u"]
    assert len(run.of(WaitDropped)) == 1
    assert run.execution.tokens() == []


def test_a_nested_event_subprocess_and_its_message() -> None:
    deep = (
        f'<subProcess id="es2" triggeredByEvent="true"><startEvent id="es2_s">{MESSAGE}</startEvent>{user("deep")}'
        f"{flow('es2_s', 'deep')}</subProcess>"
    )
    outer = (
        f'<subProcess id="es" triggeredByEvent="true"><startEvent id="es_s" isInterrupting="false">{MESSAGE}</startEvent>'
        f"{user('h')}{flow('es_s', 'h')}{deep}</subProcess>"
    )
    run = Run(document(line(user("u")) + outer)).deliver("es_s")
    assert run.open == ["h", "u"]
    run.deliver("es2_s")
    assert run.open == ["deep", "u"]
    run.do("deep").do("u")
    assert run.ended == "completed"
