"""People, handlers, decisions, scripts, calls; mappings and scopes of variables; implicit starts, splits and ends."""
# ruff: noqa: E501  # models read better unbroken

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.engine.bpmn.helpers import Run, Surroundings, document, flow, line, path, user
from webapp.engine.errors import HandlerFailed
from webapp.engine.types import (
    ActivityEnded,
    CallWanted,
    IncidentRaised,
    InstanceEnded,
    MessageThrown,
    ServiceParked,
    TaskOpened,
    WaitDropped,
)


def mapped(*pairs: tuple[str, str, str]) -> str:
    inner = "".join(
        f'<camunda:{kind}putParameter name="{name}">{value}</camunda:{kind}putParameter>' for kind, name, value in pairs
    )
    return f"<extensionElements><camunda:inputOutput>{inner}</camunda:inputOutput></extensionElements>"


def test_a_user_task_tells_who_and_by_when() -> None:
    task = (
        '<userTask id="u" camunda:candidateGroups="office, working_group" camunda:candidateUsers="=helpers" '
        'camunda:assignee="starter" camunda:dueDate="day" camunda:priority="80"/>'
    )
    run = Run(document(line(task)), helpers=["li", "wang"], starter="zhang", day=date(2026, 5, 1))
    opened = run.of(TaskOpened)[0]
    assert opened.candidate_groups == ("office", "working_group")
    assert opened.candidate_users == ("li", "wang")
    assert (opened.assignee, opened.due, opened.priority) == ("zhang", date(2026, 5, 1), 80)


def test_names_that_are_no_variables_are_accounts() -> None:
    task = '<userTask id="u" camunda:candidateUsers="li,wang" camunda:assignee="zhang.san"/>'
    opened = Run(document(line(task))).of(TaskOpened)[0]
    assert (opened.candidate_users, opened.assignee, opened.priority) == (("li", "wang"), "zhang.san", 50)


def test_the_lane_tells_who_when_the_task_does_not() -> None:
    lanes = (
        '<laneSet id="ls"><lane id="office" name="办公室"><flowNodeRef>a</flowNodeRef></lane>'
        '<lane id="lane_2" name="评审专家" qianyin:role="expert"><flowNodeRef>b</flowNodeRef></lane></laneSet>'
    )
    run = Run(document(lanes + line('<userTask id="a"/>', '<userTask id="b"/>'))).do("a")
    assert [e.candidate_groups for e in run.of(TaskOpened)] == [("office",), ("expert",)]


def test_a_wrong_due_date_is_an_incident_and_the_task_opens_after_retry() -> None:
    run = Run(document(line(user("u", attributes='camunda:dueDate="day"'))), day=7)
    assert (run.states(), run.of(TaskOpened)) == ({"u": "incident"}, [])
    run.set(day="P3D").retry("u")
    assert run.open == ["u"]
    assert run.of(TaskOpened)[0].due == "P3D"


def test_history_tells_every_element_and_what_it_changed() -> None:
    run = Run(
        document(
            line(user("u"), '<scriptTask id="t" camunda:resultVariable="double"><script>n * 2</script></scriptTask>')
        )
    )
    run.do("u", n=4)
    told = [(e.element_id, e.element_type, dict(e.variables)) for e in run.of(ActivityEnded)]
    assert told == [
        ("s", "startEvent", {}),
        ("u", "userTask", {"n": 4}),
        ("t", "scriptTask", {"double": 8}),
        ("e", "endEvent", {}),
    ]
    ended = run.of(ActivityEnded)[1]
    assert ended.started_at < ended.ended_at


def test_input_parameters_are_local_and_only_outputs_leave() -> None:
    seen: list[dict[str, Any]] = []

    def handler(variables: Mapping[str, Any]) -> dict[str, Any]:
        seen.append(dict(variables))
        return {"raw": 5, "rest": "x"}

    task = (
        f'<serviceTask id="t" camunda:topic="h">{mapped(("in", "a", "n + 1"), ("in", "b", "a * 2"), ("out", "found", "raw + b"))}'
        "</serviceTask>"
    )
    run = Run(document(line(task, user("u"))), Surroundings({"h": handler}), n=1)
    assert seen == [{"n": 1, "a": 2, "b": 4}]
    assert run.variables == {"n": 1, "found": 9}


def test_without_output_parameters_results_go_to_the_instance() -> None:
    task = f'<serviceTask id="t" camunda:topic="h">{mapped(("in", "a", "1"))}</serviceTask>'
    run = Run(document(line(task, user("u"))), Surroundings({"h": lambda v: {"a": 2, "b": 3}}))
    assert run.variables == {"b": 3}  # `a` lives in the task's own scope


def test_a_subprocess_has_a_scope_for_its_inputs() -> None:
    sub = (
        f'<subProcess id="sp">{mapped(("in", "item", "1"))}<startEvent id="i"/>{user("a")}<endEvent id="ie"/>'
        f"{path('i', 'a', 'ie')}</subProcess>"
    )
    run = Run(document(line(sub, user("z"))), item="outside")
    assert run.execution.variables(run.task("a"))["item"] == 1
    run.do("a", item=2, other=3)
    assert run.variables == {"item": "outside", "other": 3}


def test_a_failing_output_keeps_what_the_person_entered() -> None:
    run = Run(
        document(line(user("u", mapped(("out", "kept", "entered")), attributes='camunda:dueDate="P1D"'), user("v")))
    )
    run.do("u", entered=Decimal("1.10"))
    assert run.variables == {"kept": Decimal("1.10")}


def test_a_condition_that_fails_leaves_the_token_and_the_entered_data() -> None:
    body = f'<startEvent id="s"/>{user("u")}{flow("s", "u")}{flow("u", "a", "x &gt; 1")}{flow("u", "b", "x &lt;= 1")}{user("a")}{user("b")}'
    run = Run(document(body)).do("u", y=1)
    assert (run.states(), run.variables) == ({"u": "incident"}, {"y": 1})
    run.set(x=5).retry("u")
    assert run.open == ["a"]
    assert run.ended_elements() == ["s", "u"]


def test_what_a_person_has_done_is_not_taken_away_by_a_timer_while_an_incident_waits() -> None:
    body = (
        f'<startEvent id="s"/>{user("u")}{path("s", "u")}{flow("u", "a", "x &gt; 1")}{flow("u", "b", "x &lt;= 1")}{user("a")}{user("b")}'
        '<boundaryEvent id="bo" attachedToRef="u"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>'
        f"</boundaryEvent>{flow('bo', 'late')}{user('late')}"
    )
    run = Run(document(body)).do("u", y=1)
    assert run.states() == {"u": "incident"}
    assert run.wait("bo") in {e.node for e in run.of(WaitDropped)}
    assert run.set(x=2).retry("u").open == ["a"]


def test_an_answer_that_cannot_be_mapped_is_kept_and_nobody_is_called_again() -> None:
    call = (
        '<callActivity id="c" calledElement="o"><extensionElements><camunda:out sourceExpression="list[1]" target="first"/>'
        f"</extensionElements></callActivity>{user('a')}{user('b')}"
    )
    body = (
        f'<startEvent id="s"/>{call}{flow("s", "c")}{flow("c", "a", "limit &gt; 1")}{flow("c", "b", "limit &lt;= 1")}'
    )
    run = Run(document(body)).resume("c", list=[5, 6])
    assert run.states() == {"c": "incident"}
    assert run.set(limit=2).retry("c").open == ["a"]
    assert run.variables["first"] == 5
    assert len(run.of(CallWanted)) == 1


def test_several_flows_of_a_task_are_a_parallel_split() -> None:
    body = f"{user('a')}{user('b')}{user('c')}{user('d')}{flow('a', 'b')}{flow('a', 'c')}{flow('a', 'd', 'x = 1')}"
    run = Run(document(body), x=1)
    assert run.open == ["a"]
    assert run.do("a").open == ["b", "c", "d"]
    assert Run(document(body), x=2).do("a").open == ["b", "c"]


def test_a_tasks_default_flow() -> None:
    body = (
        f'<startEvent id="s"/>{user("a", attributes=chr(100) + "efault=" + chr(34) + "d" + chr(34))}{flow("s", "a")}'
        f"{flow('a', 'b', 'x = 1')}{flow('a', 'c', flow_id='d')}{user('b')}{user('c')}"
    )
    assert Run(document(body), x=1).do("a").open == ["b"]
    assert Run(document(body), x=2).do("a").open == ["c"]


def test_without_start_events_everything_begins_that_nothing_leads_to() -> None:
    run = Run(document(user("a") + user("b") + user("c") + flow("a", "c")))
    assert run.open == ["a", "b"]
    run.do("b").do("a").do("c")
    assert run.ended == "completed"


def test_elements_without_ids_run() -> None:
    body = document(line(user("a"))).replace(b'id="f_s_a" ', b"").replace(b'id="f_a_e" ', b"")
    assert Run(body).do("a").ended == "completed"


@pytest.mark.parametrize(
    ("mapping", "rows", "value"),
    [
        ("singleEntry", [{"a": 1}], 1),
        ("singleEntry", [], None),
        ("singleResult", [{"a": 1, "b": 2}], {"a": 1, "b": 2}),
        ("collectEntries", [{"a": 1}, {"a": 2}], [1, 2]),
        ("resultList", [{"a": 1}, {"a": 2}], [{"a": 1}, {"a": 2}]),
    ],
)
def test_decisions_are_mapped_as_in_camunda(mapping: str, rows: list[dict[str, Any]], value: Any) -> None:
    task = f'<businessRuleTask id="t" camunda:decisionRef="d" camunda:resultVariable="r" camunda:mapDecisionResult="{mapping}"/>'
    run = Run(document(line(task)), Surroundings(decisions={"d": lambda v: rows}))
    assert run.variables == {"r": value}


def test_a_decision_with_too_many_rows_is_an_incident() -> None:
    task = '<businessRuleTask id="t" camunda:decisionRef="d" camunda:resultVariable="r" camunda:mapDecisionResult="singleEntry"/>'
    rows = [{"a": 1}, {"a": 2}]
    run = Run(document(line(task)), Surroundings(decisions={"d": lambda v: rows}))
    assert run.states() == {"t": "incident"}
    rows.pop()
    assert run.retry("t").variables == {"r": 1}


def test_a_script_without_result_variable_sets_the_entries_of_its_context() -> None:
    script = '<scriptTask id="t" scriptFormat="feel"><script>={a: n, b: n + 1}</script></scriptTask>'
    assert Run(document(line(script)), n=1).variables == {"n": 1, "a": 1, "b": 2}


def test_a_handler_that_fails_again_parks_again() -> None:
    def fails(variables: Mapping[str, Any]) -> Mapping[str, Any]:
        raise HandlerFailed("坏了", permanent=True)

    run = Run(document(line('<serviceTask id="t" camunda:topic="h"/>')), Surroundings({"h": fails}))
    run.retry("t")
    parked = run.of(ServiceParked)
    assert [(e.error, e.permanent) for e in parked] == [("坏了", True)] * 2
    assert len({e.node for e in parked}) == 1
    assert [e.node for e in run.of(WaitDropped)] == [parked[0].node]
    assert run.states() == {"t": "parked"}


CALL = (
    '<callActivity id="c" calledElement="other" camunda:calledElementBinding="deployment"><extensionElements>'
    '<camunda:in source="n" target="m"/><camunda:in sourceExpression="n * 2" target="k"/><camunda:in businessKey="key"/>'
    '<camunda:out source="answer" target="found"/></extensionElements></callActivity>'
)


def test_a_call_activity_asks_for_an_instance_and_takes_its_answer() -> None:
    run = Run(document(line(CALL, user("u"))), n=3, key="A-1")
    wanted = run.of(CallWanted)[0]
    assert (wanted.called_key, wanted.binding, wanted.business_key) == ("other", "deployment", "A-1")
    assert wanted.variables == {"m": 3, "k": 6}
    assert run.states() == {"c": "parked"}
    run.resume("c", answer=[1], noise=2)
    assert run.open == ["u"]
    assert run.variables == {"n": 3, "key": "A-1", "found": [1]}


def test_a_call_activity_that_failed_goes_to_its_boundary_event() -> None:
    after = f'<boundaryEvent id="b" attachedToRef="c"><errorEventDefinition errorRef="er"/></boundaryEvent>{flow("b", "u")}{user("u")}'
    run = Run(document(line(CALL, after=after)), n=1, key="A-1").fail("c", "E1")
    assert run.open == ["u"]


def test_a_call_with_all_variables() -> None:
    call = CALL.replace('source="n" target="m"', 'variables="all"').replace(
        'source="answer" target="found"', 'variables="all"'
    )
    run = Run(document(line(call)), n=1, key="A")
    assert run.of(CallWanted)[0].variables == {"n": 1, "key": "A", "k": 2}
    assert run.resume("c", answer=1).variables == {"n": 1, "key": "A", "answer": 1}


def test_a_send_task_throws_and_one_with_a_topic_calls_its_handler() -> None:
    run = Run(document(line('<sendTask id="t" messageRef="m"/>')))
    assert [(e.element_id, e.name, e.payload) for e in run.of(MessageThrown)] == [("t", "stop", {})]
    host = Surroundings({"post": lambda v: {"sent": True}})
    assert Run(document(line('<sendTask id="t" camunda:topic="post"/>')), host).variables == {"sent": True}


def test_a_model_that_turns_for_ever_stops_with_an_incident() -> None:
    body = f'<startEvent id="s"/>{flow("s", "mg")}<exclusiveGateway id="mg"/>{flow("mg", "t")}<task id="t"/>{flow("t", "mg")}'
    run = Run(document(body))
    assert "incident" in run.states().values()
    assert len(run.of(IncidentRaised)) == 1


def test_an_ended_instance_keeps_its_variables() -> None:
    run = Run(document(line(user("u")))).do("u", x=1)
    assert run.of(InstanceEnded) == [InstanceEnded("completed")]  # type: ignore[arg-type]
    assert run.variables == {"x": 1}
