"""Gateways and joins beyond the traps."""
# ruff: noqa: E501  # models read better unbroken

from __future__ import annotations

from tests.engine.bpmn.helpers import Run, document, flow, path, user
from webapp.engine.types import IncidentRaised, WaitDropped


def test_the_first_true_condition_in_the_files_order_wins() -> None:
    body = (
        f'<startEvent id="s"/>{flow("s", "g")}<exclusiveGateway id="g" default="d"/>{flow("g", "a", "x &gt; 1")}'
        f"{flow('g', 'b', 'x &gt; 0')}{flow('g', 'c', flow_id='d')}{user('a')}{user('b')}{user('c')}"
    )
    assert Run(document(body), x=2).open == ["a"]
    assert Run(document(body), x=1).open == ["b"]
    assert Run(document(body), x=0).open == ["c"]


def test_a_condition_without_value_is_never_guessed() -> None:
    body = (
        f'<startEvent id="s"/>{flow("s", "g")}<exclusiveGateway id="g" default="d"/>{flow("g", "a", "amount &gt; 1")}'
        f"{flow('g', 'b', flow_id='d')}{user('a')}{user('b')}"
    )
    run = Run(document(body))
    assert run.states() == {"g": "incident"}
    assert "f_g_a" in run.of(IncidentRaised)[0].message
    assert run.set(amount=2).retry("g").open == ["a"]


def test_a_parallel_join_takes_one_token_of_each_flow_and_keeps_the_rest() -> None:
    body = (
        f'<startEvent id="s"/>{flow("s", "g")}<parallelGateway id="g"/>{flow("g", "a")}{flow("g", "b")}{flow("g", "c")}'
        f'{user("a")}{user("b")}{user("c")}<exclusiveGateway id="m"/>{flow("a", "mm")}{flow("b", "mm")}'.replace(
            '<exclusiveGateway id="m"/>', '<exclusiveGateway id="mm"/>'
        )
        + f'{flow("mm", "j")}{flow("c", "j")}<parallelGateway id="j"/>{flow("j", "v")}{user("v")}'
    )
    run = Run(document(body)).do("a").do("b")
    assert run.open == ["c"]
    run.do("c")
    assert run.open == ["v"]
    # the second token of the same flow has no partner: people are told instead of an instance that hangs
    assert [e.element_id for e in run.of(IncidentRaised)] == ["j"]


def test_a_join_that_nothing_can_reach_any_more_is_an_incident() -> None:
    body = (
        f'<startEvent id="s"/>{flow("s", "g")}<exclusiveGateway id="g" default="d"/>{flow("g", "a", "x = 1")}{flow("g", "b", flow_id="d")}'
        f'{user("a")}{user("b")}{flow("a", "j")}{flow("b", "j")}<parallelGateway id="j"/>{flow("j", "v")}{user("v")}'
    )
    run = Run(document(body), x=1).do("a")
    assert run.states() == {"j": "incident"}
    assert len(run.of(IncidentRaised)) == 1
    run.retry("j")
    assert len(run.of(IncidentRaised)) == 2
    assert len(run.of(WaitDropped)) == 1


def test_a_join_waits_while_a_boundary_event_can_still_bring_the_missing_token() -> None:
    body = (
        f'<startEvent id="s"/>{flow("s", "g")}<parallelGateway id="g"/>{flow("g", "a")}{flow("g", "b")}{user("a")}{user("b")}'
        '<boundaryEvent id="bo" attachedToRef="b"><messageEventDefinition messageRef="m"/></boundaryEvent>'
        f'{flow("a", "j")}{flow("bo", "j")}{flow("b", "e")}<endEvent id="e"/><parallelGateway id="j"/>{flow("j", "v")}{user("v")}'
    )
    run = Run(document(body)).do("a")
    assert run.states() == {"b": "open", "j": "joining"}
    assert run.deliver("bo").open == ["v"]
    assert Run(document(body)).do("a").do("b").states() == {"j": "incident"}


def test_an_inclusive_join_lets_go_when_a_token_leaves_its_region() -> None:
    body = (
        f'<startEvent id="s"/>{flow("s", "g")}<inclusiveGateway id="g"/>{flow("g", "a", "true")}{flow("g", "b", "true")}{user("a")}{user("b")}'
        f'{flow("a", "x")}<exclusiveGateway id="x" default="fx"/>{flow("x", "j", "toj")}{flow("x", "z", flow_id="fx")}{user("z")}'
        f'{flow("b", "j")}<inclusiveGateway id="j"/>{flow("j", "v")}{user("v")}'
    )
    for order in ("ab", "ba"):
        run = Run(document(body), toj=False)
        for name in order:
            run.do(name)
        assert run.open == ["v", "z"]
    assert Run(document(body), toj=True).do("b").states() == {"a": "open", "j": "joining"}


def test_two_inclusive_joins_behind_each_other() -> None:
    body = (
        f'<startEvent id="s"/>{flow("s", "g")}<inclusiveGateway id="g"/>{flow("g", "a", "true")}{flow("g", "b", "true")}{flow("g", "c", "true")}'
        f'{user("a")}{user("b")}{user("c")}{flow("a", "j1")}{flow("b", "j1")}<inclusiveGateway id="j1"/>{flow("j1", "j2")}{flow("c", "j2")}'
        f'<inclusiveGateway id="j2"/>{flow("j2", "v")}{user("v")}'
    )
    run = Run(document(body)).do("c").do("a")
    assert run.open == ["b"]
    assert run.do("b").open == ["v"]


def test_a_loop_around_a_subprocess_starts_it_afresh() -> None:
    sub = f'<subProcess id="sp"><startEvent id="i"/>{user("a")}<endEvent id="ie"/>{path("i", "a", "ie")}</subProcess>'
    body = (
        f'<startEvent id="s"/>{flow("s", "mg")}<exclusiveGateway id="mg"/>{flow("mg", "sp")}{sub}{flow("sp", "q")}'
        f'<exclusiveGateway id="q" default="out"/>{flow("q", "mg", "again")}{flow("q", "e", flow_id="out")}<endEvent id="e"/>'
    )
    run = Run(document(body)).do("a", again=True)
    assert run.open == ["a"]
    assert run.do("a", again=False).ended == "completed"
