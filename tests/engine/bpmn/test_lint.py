"""What a model is asked about before it is deployed: deadlocks, branches that are not joined, variables that nothing sets."""
# ruff: noqa: E501  # models read better unbroken

from __future__ import annotations

import pytest

from tests.engine.bpmn.helpers import compiled, document, flow, line, path, user
from webapp.engine.bpmn import Sources, lint


def found(body: str, sources: Sources | None = None, attributes: str = "") -> set[tuple[str, str | None, str]]:
    return {(f.code, f.element_id, f.severity) for f in lint(compiled(document(body, attributes=attributes)), sources)}


def branches(split: str, join: str, default: str = "fb", condition: str = "true") -> str:
    """start, split, tasks a and b, join, task v, end."""
    named = f' default="{default}"' if split in ("exclusiveGateway", "inclusiveGateway") else ""
    chosen = condition if named else None
    return (
        f'<startEvent id="s"/>{flow("s", "g")}<{split} id="g"{named}/>{flow("g", "a", chosen)}{flow("g", "b", flow_id="fb")}'
        f'{user("a")}{user("b")}{flow("a", "j")}{flow("b", "j")}<{join} id="j"/>{flow("j", "v")}{user("v")}<endEvent id="e"/>{flow("v", "e")}'
    )


@pytest.mark.parametrize(
    ("split", "join", "expected"),
    [
        ("parallelGateway", "parallelGateway", set()),
        ("exclusiveGateway", "exclusiveGateway", set()),
        ("inclusiveGateway", "inclusiveGateway", set()),
        ("parallelGateway", "inclusiveGateway", set()),
        ("exclusiveGateway", "inclusiveGateway", set()),
        ("exclusiveGateway", "parallelGateway", {("deadlock", "j", "error")}),
        ("inclusiveGateway", "parallelGateway", {("deadlock", "j", "error")}),
        ("parallelGateway", "exclusiveGateway", {("unsynchronised", "v", "warning")}),
    ],
)
def test_splits_and_joins_that_do_not_match(split: str, join: str, expected: set[tuple[str, str, str]]) -> None:
    assert found(branches(split, join)) == expected


def test_both_ways_of_an_inclusive_gateway_may_be_taken() -> None:
    body = branches("inclusiveGateway", "parallelGateway", default="fd").replace(
        flow("g", "b", flow_id="fb"), flow("g", "b", "true", "fb") + flow("g", "v", flow_id="fd")
    )
    assert ("deadlock", "j", "warning") in found(body)


def test_a_deadlock_that_a_boundary_event_may_escape_is_a_warning() -> None:
    inner = branches("exclusiveGateway", "parallelGateway")
    timer = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
    body = (
        f'<startEvent id="s0"/>{flow("s0", "sp")}<subProcess id="sp">{inner}</subProcess>'
        f'<boundaryEvent id="late" attachedToRef="sp">{timer}</boundaryEvent>{flow("late", "w")}{user("w")}'
    )
    assert found(body) == {("deadlock", "j", "warning")}


def test_a_reminder_beside_its_task_is_no_flaw_but_one_that_comes_back_is() -> None:
    timer = "<timerEventDefinition><timeCycle>R/P1D</timeCycle></timerEventDefinition>"
    boundary = f'<boundaryEvent id="b" attachedToRef="u" cancelActivity="false">{timer}</boundaryEvent>'
    assert found(line(user("u"), user("v"), after=boundary + user("r") + flow("b", "r"))) == set()
    loop = line(user("u"), '<exclusiveGateway id="q" default="f_q_e"/>', after=boundary + user("r") + flow("b", "r"))
    assert found(loop + flow("q", "u", "true", "back")) == set()


def test_a_process_that_cannot_end_is_told() -> None:
    assert found(f'<startEvent id="s"/>{user("u")}{user("v")}{path("s", "u", "v", "u")}') == {
        ("endless", "p", "warning")
    }


def test_a_diagram_with_more_states_than_can_be_seen_is_not_condemned() -> None:
    body = '<startEvent id="s"/><parallelGateway id="g"/>' + flow("s", "g")
    for number in range(12):
        body += f'{flow("g", f"x{number}")}<exclusiveGateway id="x{number}" default="d{number}"/>{user(f"a{number}")}{user(f"b{number}")}'
        body += flow(f"x{number}", f"a{number}", "true") + flow(f"x{number}", f"b{number}", flow_id=f"d{number}")
        body += flow(f"a{number}", f"y{number}") + flow(f"b{number}", f"y{number}")
        body += f'<exclusiveGateway id="y{number}"/>{flow(f"y{number}", "j")}'
    assert found(body + f'<parallelGateway id="j"/>{user("v")}{flow("j", "v")}') == set()


DECIDED = (
    f'<startEvent id="s"/>{{}}{flow("s", "t")}{flow("t", "g")}<exclusiveGateway id="g" default="fd"/>{flow("g", "u", "amount &gt; 3", "fc")}'
    f"{flow('g', 'v', flow_id='fd')}{user('u')}{user('v')}"
)


def test_a_variable_that_nothing_sets() -> None:
    form = DECIDED.format(user("t", attributes='camunda:formRef="f"'))
    missing = {("variable", "fc", "warning")}
    assert found(form) == set()  # the form is not known: it may set anything
    assert found(form, Sources(fields={"f": frozenset({"amounts"})})) == missing
    assert found(form, Sources(fields={"f": frozenset({"amount"})})) == set()
    assert found(form, Sources(fields={"f": frozenset()}, given=frozenset({"amount"}))) == set()
    assert found(form, Sources(fields={"f": frozenset()}, open=True)) == set()
    assert found(form, Sources(fields={"f": frozenset()}), 'qianyin:startVariables="amount"') == set()
    service = DECIDED.format('<serviceTask id="t" camunda:topic="h"/>')
    assert found(service) == set()
    assert found(service, Sources(outputs={"h": frozenset({"total"})})) == missing
    assert found(DECIDED.format('<task id="t"/>')) == missing
    assert (
        found(DECIDED.format('<scriptTask id="t" camunda:resultVariable="amount"><script>1</script></scriptTask>'))
        == set()
    )


def test_every_finding_says_how_to_mend_it() -> None:
    for finding in lint(compiled(document(branches("exclusiveGateway", "parallelGateway")))):
        assert finding.message == finding.pattern
        assert finding.mend.endswith("。")
