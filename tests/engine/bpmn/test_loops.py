"""Multi-instance and standard loops; compensation."""
# ruff: noqa: E501  # models read better unbroken

from __future__ import annotations

import pytest

from tests.engine.bpmn.helpers import Run, Surroundings, document, flow, line, path, user
from webapp.engine.errors import BpmnError
from webapp.engine.types import CallWanted, TaskClosed, TaskOpened


def many(sequential: bool = False, inner: str = "", attributes: str = "") -> str:
    return (
        f'<multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}" camunda:collection="xs" '
        f'camunda:elementVariable="x" {attributes}>{inner}</multiInstanceLoopCharacteristics>'
    )


@pytest.mark.parametrize("sequential", [True, False])
def test_a_completion_condition_ends_the_loop_and_takes_the_rest_away(sequential: bool) -> None:
    condition = "<completionCondition>nrOfCompletedInstances / nrOfInstances &gt;= 0.6</completionCondition>"
    run = Run(document(line(user("u", many(sequential, condition)), user("v"))), xs=list("abcde"))
    for _ in range(3):
        assert len(run.open) == (1 if sequential else 5 - len(run.of(TaskClosed)))
        run.do("u")
    assert run.open == ["v"]
    assert len([e for e in run.of(TaskClosed) if e.cancelled]) == (0 if sequential else 2)
    assert [e.loop_item for e in run.of(TaskOpened)][:3] == ["a", "b", "c"]


def test_instances_have_variables_of_their_own_and_their_results_are_gathered_in_order() -> None:
    gather = 'qianyin:outputCollection="opinions" qianyin:outputElement="{who: x, said: opinion}"'
    outputs = '<extensionElements><camunda:inputOutput><camunda:outputParameter name="last">opinion</camunda:outputParameter></camunda:inputOutput></extensionElements>'
    run = Run(document(line(user("u", outputs + many(attributes=gather)), user("v"))), xs=["a", "b", "c"])
    nodes = {e.loop_item: e.node for e in run.of(TaskOpened)}
    assert run.execution.variables(nodes["b"])["loopCounter"] == 1
    for item in ("c", "a", "b"):
        run.execution.complete(nodes[item], {"opinion": item * 2})
        run._note()
    assert run.open == ["v"]
    assert run.variables["opinions"] == [{"who": item, "said": item * 2} for item in "abc"]
    assert "opinion" not in run.variables
    assert "nrOfInstances" not in run.variables


def test_an_empty_collection_is_passed() -> None:
    run = Run(
        document(line(user("u", many(attributes='qianyin:outputCollection="r" qianyin:outputElement="x"')), user("v"))),
        xs=[],
    )
    assert run.open == ["v"]
    assert run.variables == {"xs": [], "r": []}


def test_what_is_no_list_is_an_incident() -> None:
    run = Run(document(line(user("u", many()))), xs=None)
    assert run.states() == {"u": "incident"}
    run.set(xs=["a"]).retry("u")
    assert run.open == ["u"]


def test_a_sequential_loop_keeps_the_collection_that_it_began_with() -> None:
    run = Run(document(line(user("u", many(True)))), xs=["a", "b"])
    run.do("u", xs=[]).do("u")
    assert run.ended == "completed"


def test_a_cardinality_may_be_an_expression() -> None:
    loop = (
        "<multiInstanceLoopCharacteristics><loopCardinality>n + 1</loopCardinality></multiInstanceLoopCharacteristics>"
    )
    assert Run(document(line(user("u", loop))), n=2).open == ["u", "u", "u"]


@pytest.mark.parametrize("sequential", [True, False])
def test_subprocesses_in_a_loop_have_scopes_and_boundary_events_of_the_whole(sequential: bool) -> None:
    sub = (
        f'<subProcess id="sp">{many(sequential)}<startEvent id="i"/>{user("a")}{user("b")}<endEvent id="ie"/>'
        f'{path("i", "a", "b", "ie")}</subProcess><boundaryEvent id="bo" attachedToRef="sp"><messageEventDefinition messageRef="m"/>'
        f"</boundaryEvent>{flow('bo', 'late')}{user('late')}"
    )
    run = Run(document(f'<startEvent id="s"/>{sub}{path("s", "sp", "z")}{user("z")}'), xs=["a", "b"])
    if sequential:
        run.do("a").do("b").do("a").do("b")
    else:
        assert run.open == ["a", "a"]
        run.do("a").do("a").do("b").do("b")
    assert run.open == ["z"]
    stopped = (
        Run(document(f'<startEvent id="s"/>{sub}{path("s", "sp", "z")}{user("z")}'), xs=["a", "b"])
        .do("a")
        .deliver("bo")
    )
    assert stopped.open == ["late"]


def test_each_instance_of_a_loop_listens_for_its_own_event_subprocess() -> None:
    sub = (
        f'<subProcess id="sp">{many()}<startEvent id="i"/>{user("a")}{flow("i", "a")}'
        '<subProcess id="es" triggeredByEvent="true"><startEvent id="es_s"><messageEventDefinition messageRef="m"/></startEvent>'
        f"{user('h')}{flow('es_s', 'h')}</subProcess></subProcess>"
    )
    run = Run(document(line(sub)), xs=["a", "b"]).deliver("es_s")
    assert run.open == ["a", "h"]


def test_services_calls_and_receives_in_loops() -> None:
    host = Surroundings({"h": lambda v: {"r" + v["x"]: v["loopCounter"]}})
    assert Run(
        document(line(f'<serviceTask id="t" camunda:topic="h">{many()}</serviceTask>')), host, xs=["a", "b"]
    ).variables == {
        "xs": ["a", "b"],
        "ra": 0,
        "rb": 1,
    }
    call = f'<callActivity id="c" calledElement="o"><extensionElements><camunda:in source="x" target="y"/></extensionElements>{many()}</callActivity>'
    run = Run(document(line(call)), xs=["a", "b"])
    calls = run.of(CallWanted)
    assert [e.variables for e in calls] == [{"y": "a"}, {"y": "b"}]
    for wanted in calls:
        run.execution.resume(wanted.node, {})
    assert run.execution.ended == "completed"
    receive = Run(document(line(f'<receiveTask id="r" messageRef="m">{many(True)}</receiveTask>')), xs=["a", "b"])
    assert receive.deliver("r").deliver("r").ended == "completed"


def test_a_fault_inside_a_loop_ends_the_whole_activity() -> None:
    def fails(variables: object) -> dict[str, object]:
        raise BpmnError("E1")

    after = f'<boundaryEvent id="b" attachedToRef="t"><errorEventDefinition errorRef="er"/></boundaryEvent>{flow("b", "u")}{user("u")}'
    run = Run(
        document(line(f'<serviceTask id="t" camunda:topic="h">{many()}</serviceTask>', after=after)),
        Surroundings({"h": fails}),
        xs=[1, 2],
    )
    assert run.open == ["u"]


@pytest.mark.parametrize(
    ("test_before", "start", "rounds"), [("false", 5, 1), ("true", 5, 0), ("false", 0, 3), ("true", 0, 3)]
)
def test_standard_loops(test_before: str, start: int, rounds: int) -> None:
    loop = f'<standardLoopCharacteristics testBefore="{test_before}"><loopCondition>k &lt; 3</loopCondition></standardLoopCharacteristics>'
    run = Run(document(line(user("u", loop), user("v"))), k=start)
    for _ in range(rounds):
        assert run.open == ["u"]
        run.do("u", k=run.variables["k"] + 1)
    assert run.open == ["v"]


def test_a_loop_maximum() -> None:
    run = Run(document(line(user("u", '<standardLoopCharacteristics loopMaximum="2"/>'))))
    assert run.do("u").do("u").ended == "completed"


# ---- compensation


def undo(name: str) -> str:
    return (
        f'<boundaryEvent id="b{name}" attachedToRef="{name}"><compensateEventDefinition/></boundaryEvent>'
        f"{user(f'c{name}', attributes='isForCompensation=' + chr(34) + 'true' + chr(34))}"
        f'<association id="as{name}" sourceRef="b{name}" targetRef="c{name}"/>'
    )


THROW = '<intermediateThrowEvent id="t"><compensateEventDefinition {}/></intermediateThrowEvent>'


def test_what_was_done_is_undone_last_first() -> None:
    run = Run(
        document(
            line(user("a"), user("b"), user("n"), THROW.format(""), user("z"), after=undo("a") + undo("b") + undo("n"))
        )
    )
    run.do("a").do("b").do("n")
    for name in ("cn", "cb", "ca"):
        assert run.open == [name]
        run.do(name)
    assert run.open == ["z"]
    run.do("z")
    assert run.ended == "completed"


def test_only_the_named_activity_is_undone_and_only_once() -> None:
    throw = THROW.format('activityRef="a"')
    run = Run(
        document(
            line(
                user("a"), user("b"), throw, throw.replace('id="t"', 'id="t2"'), user("z"), after=undo("a") + undo("b")
            )
        )
    )
    run.do("a").do("b")
    assert run.open == ["ca"]
    assert run.do("ca").open == ["z"]


def test_nothing_done_nothing_undone() -> None:
    assert Run(document(line(THROW.format(""), user("a"), after=undo("a")))).open == ["a"]


def test_a_finished_subprocess_is_undone_from_inside_with_its_variables() -> None:
    given = '<extensionElements><camunda:inputOutput><camunda:inputParameter name="part">7</camunda:inputParameter></camunda:inputOutput></extensionElements>'
    sub = f'<subProcess id="sp">{given}<startEvent id="i"/>{user("a")}{user("b")}<endEvent id="ie"/>{path("i", "a", "b", "ie")}{undo("a")}{undo("b")}</subProcess>'
    run = Run(document(line(sub, THROW.format(""), user("z")))).do("a").do("b")
    assert run.open == ["cb"]
    assert run.execution.variables(run.task("cb"))["part"] == 7
    assert run.do("cb").do("ca").open == ["z"]


def test_a_compensation_end_event_finishes_after_its_handlers() -> None:
    body = f'<startEvent id="s"/>{user("a")}{undo("a")}<endEvent id="x"><compensateEventDefinition/></endEvent>{path("s", "a", "x")}'
    run = Run(document(body)).do("a")
    assert (run.open, run.ended) == (["ca"], None)
    assert run.do("ca").ended == "completed"
