"""The traps of SpiffWorkflow 3.2.0 that `docs` and the design list, each shown handled. Numbers as in the design."""
# ruff: noqa: E501  # models read better unbroken

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import webapp.engine.bpmn
from tests.engine.bpmn.helpers import Run, Surroundings, compiled, document, flow, line, path, refused, user
from webapp.engine.bpmn import Execution, decode_variables, lint
from webapp.engine.errors import BpmnError, DeploymentRefused, HandlerFailed, TaskNotOpen
from webapp.engine.types import (
    ActivityEnded,
    IncidentRaised,
    MessageThrown,
    ServiceParked,
    SignalThrown,
    SubscriptionWanted,
    TaskOpened,
    TimerWanted,
)
from webapp.errors import Invalid

MESSAGE = '<messageEventDefinition messageRef="m"/>'
SIGNAL = '<signalEventDefinition signalRef="sg"/>'
ERROR = '<errorEventDefinition errorRef="er"/>'


def looping(body: str, condition: str, *first_and_last: str) -> str:
    """s -> mg -> body ... -> q -> mg while the condition holds, else e."""
    first, last = first_and_last
    return (
        f'<startEvent id="s"/>{flow("s", "mg")}<exclusiveGateway id="mg"/>{flow("mg", first)}{body}{flow(last, "q")}'
        f'<exclusiveGateway id="q" default="out"/>{flow("q", "mg", condition)}{flow("q", "e", flow_id="out")}'
        '<endEvent id="e"/>'
    )


def event_subprocess(start: str, interrupting: str = "true", name: str = "es") -> str:
    return (
        f'<subProcess id="{name}" triggeredByEvent="true"><startEvent id="{name}_s" isInterrupting="{interrupting}">'
        f'{start}</startEvent>{user(f"{name}_h")}<endEvent id="{name}_e"/>{path(f"{name}_s", f"{name}_h", f"{name}_e")}'
        "</subProcess>"
    )


def test_a_loop_turns_a_thousand_times_and_stays_small() -> None:
    """Traps 1 and 22: a loop froze at its 333rd turn; an end join beyond depth 1000 was blind."""
    run = Run(document(looping(user("a"), "n &lt; 1000", "a", "a")), n=0)
    first = len(run.execution.dump())
    for turn in range(1, 1000):
        run.do("a", n=turn)
        assert run.open == ["a"]
    assert len(run.execution.dump()) < first + 100
    run.do("a", n=1000)
    assert run.ended == "completed"


def test_variables_keep_their_types_through_storage() -> None:
    """Trap 2: dates and UUIDs came back as text."""
    values: dict[str, Any] = {
        "money": Decimal("1.20"),
        "day": date(2026, 1, 2),
        "moment": datetime(2026, 1, 2, 3, tzinfo=UTC),
        "clock": time(9, 30),
        "span": timedelta(days=1, seconds=2, microseconds=3),
        "id": uuid4(),
        "big": 10**30,
        "nested": [{"rate": Decimal("0.10")}, None, True, []],
    }
    run = Run(document(line(user("a"))), **values)
    assert run.variables == values
    assert str(run.variables["money"]) == "1.20"
    assert (type(run.variables["moment"]), type(run.variables["day"])) == (datetime, date)
    assert decode_variables(run.execution.dump()) == values


def test_what_people_enter_is_never_taken_for_the_engines_own_marks() -> None:
    """Trap 3: `{'typename': …}` in user data made an instance unloadable."""
    values: dict[str, Any] = {
        "a": {"typename": "Foo"},
        "b": {"$": "n", "v": "no number"},
        "c": [{"$": {"$": 1}, "typename": "timedelta"}],
    }
    run = Run(document(line(user("a"))), **values)
    run.do("a", d={"$": "u", "v": "x"})
    assert run.variables == {**values, "d": {"$": "u", "v": "x"}}


def test_an_edit_in_place_leaks_nowhere() -> None:
    """Trap 4: parallel branches shared nested objects."""

    def edits(variables: Any) -> dict[str, Any]:
        variables["list"].append("secret")
        return {"done": True}

    run = Run(
        document(line('<serviceTask id="t" camunda:topic="h"/>', user("a"))), Surroundings({"h": edits}), list=[1]
    )
    run.execution.variables()["list"].append("also")
    given: dict[str, Any] = {"mine": [1]}
    run.do("a", **given)
    given["mine"].append(2)
    assert run.variables == {"list": [1], "done": True, "mine": [1]}


def test_a_task_is_completed_once() -> None:
    """Trap 5: completing a completed task returned True."""
    run = Run(document(line(user("a"), user("b"))))
    node = run.task("a")
    run.do("a")
    with pytest.raises(TaskNotOpen):
        run.execution.complete(node, {})
    with pytest.raises(TaskNotOpen):
        run.execution.deliver(run.task("b"), {})
    with pytest.raises(TaskNotOpen):
        run.execution.complete(uuid4(), {})
    assert run.open == ["b"]


def test_a_state_of_another_version_is_refused_with_the_missing_element() -> None:
    """Trap 6: a state on a specification without one of its tasks ended in a TypeError."""
    run = Run(document(line(user("a"))))
    with pytest.raises(Invalid, match="a"):
        Execution.load(compiled(document(line(user("other")))), run.execution.dump(), run.host)


def test_nothing_is_ever_evaluated_as_python() -> None:
    """Trap 7: scripts, conditions and mappings ran through exec and eval."""
    source = "\n".join(p.read_text() for p in Path(webapp.engine.bpmn.__file__).parent.glob("*.py"))
    assert not any(f"{name}(" in source.replace(f"_{name}(", "") for name in ("eval", "exec", "__import__"))
    task = '<scriptTask id="t" camunda:resultVariable="r"><script>{}</script></scriptTask>'
    for script in ("x.__class__.__mro__", "x.append"):
        assert Run(document(line(task.format(script))), x="/").variables["r"] is None
    with pytest.raises(DeploymentRefused, match="open"):
        Run(document(line(task.format("open(x)"))), x="/")


def test_a_failing_handler_parks_the_token_with_its_own_message() -> None:
    """Trap 8: every exception of a handler became `NameError: script`."""
    host = Surroundings({"h": lambda v: (_ for _ in ()).throw(HandlerFailed("打印机没有纸"))})
    run = Run(document(line(user("a"), '<serviceTask id="t" camunda:topic="h"/>')), host)
    run.do("a", note="kept")
    parked = run.of(ServiceParked)[-1]
    assert (parked.error, parked.external, parked.topic) == ("打印机没有纸", False, "h")
    assert run.states() == {"t": "parked"}
    assert run.variables == {"note": "kept"}
    host.handlers["h"] = lambda v: {"ok": True}
    run.retry("t")
    assert run.ended == "completed"
    assert run.variables == {"note": "kept", "ok": True}


def test_due_times_are_told_for_every_timer_even_behind_an_event_gateway() -> None:
    """Trap 9: an event-based gateway reported no due time and PT0S needed a second refresh."""
    run = Run(
        document(
            f'<startEvent id="s"/>{path("s", "g")}<eventBasedGateway id="g"/>{flow("g", "t")}{flow("g", "c")}'
            '<intermediateCatchEvent id="t"><timerEventDefinition><timeDuration>PT0S</timeDuration>'
            f"</timerEventDefinition></intermediateCatchEvent>{flow('t', 'late')}"
            f'<intermediateCatchEvent id="c">{MESSAGE}</intermediateCatchEvent>{flow("c", "came")}'
            f"{user('late')}{user('came')}"
        )
    )
    assert [(e.element_id, e.kind, e.due) for e in run.of(TimerWanted)] == [("t", "duration", "PT0S")]
    assert [(e.element_id, e.name) for e in run.of(SubscriptionWanted)] == [("c", "stop")]
    assert run.states() == {"g": "waiting"}
    run.deliver("t")
    assert run.open == ["late"]
    with pytest.raises(TaskNotOpen):
        run.execution.deliver(run.wait("c"), {})


def test_a_message_leaves_by_the_outbox_and_comes_to_one_chosen_wait() -> None:
    """Trap 10: an instance without correlation took any key; a throw needed a listener in the same instance."""
    body = (
        f'<startEvent id="s"/>{path("s", "g")}<parallelGateway id="g"/>{flow("g", "t")}{flow("g", "c")}'
        '<intermediateThrowEvent id="t" qianyin:correlationKey="case">'
        f"<extensionElements>{mapped('note', 'text')}</extensionElements>{MESSAGE}</intermediateThrowEvent>"
        f'<intermediateCatchEvent id="c" qianyin:correlationKey="case">{MESSAGE}</intermediateCatchEvent>'
        f"{flow('c', 'u')}{user('u')}"
    )
    run = Run(document(body), case="A-1", text="hello")
    thrown = run.of(MessageThrown)[0]
    assert (thrown.name, thrown.correlation_key, thrown.payload) == ("stop", "A-1", {"note": "hello"})
    wanted = run.of(SubscriptionWanted)[0]
    assert (wanted.name, wanted.correlation_key) == ("stop", "A-1")
    assert run.states() == {"c": "waiting"}  # it does not catch its own message by itself
    run.deliver("c", note="answer")
    assert run.open == ["u"]
    assert run.variables["note"] == "answer"
    thrower = next(e for e in run.of(ActivityEnded) if e.node == thrown.node)
    assert thrower.variables == {}


def mapped(name: str, expression: str, kind: str = "inputParameter") -> str:
    return f'<camunda:inputOutput><camunda:{kind} name="{name}">{expression}</camunda:{kind}></camunda:inputOutput>'


def test_a_wait_whose_key_has_no_value_is_an_incident_and_takes_nobodys_message() -> None:
    """Trap 10."""
    run = Run(
        document(line(f'<intermediateCatchEvent id="c" qianyin:correlationKey="k">{MESSAGE}</intermediateCatchEvent>')),
        k=None,
    )
    assert run.states() == {"c": "incident"}
    run.set(k="7").retry("c")
    assert run.of(SubscriptionWanted)[0].correlation_key == "7"


def test_a_non_interrupting_boundary_event_fires_again_and_again() -> None:
    """Trap 11: it caught only the first message."""
    run = Run(
        document(
            line(
                user("u"),
                after=f'<boundaryEvent id="b" cancelActivity="false" attachedToRef="u">{MESSAGE}</boundaryEvent>'
                f"{flow('b', 'r')}{user('r')}",
            )
        )
    )
    for number in range(3):
        run.deliver("b", number=number)
    assert run.open == ["r", "r", "r", "u"]
    for _ in range(3):
        run.do("r")
    run.do("u")
    assert run.ended == "completed"


@pytest.mark.parametrize(
    "start", [MESSAGE, SIGNAL, "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>"]
)
def test_an_event_subprocess_interrupts_its_scope(start: str) -> None:
    """Trap 12: it was parsed as a plain subprocess, not interrupting."""
    run = Run(document(line(user("u")) + event_subprocess(start)))
    assert run.open == ["u"]
    run.deliver("es_s", why="asked")
    assert run.open == ["es_h"]
    assert run.ended_elements(cancelled=True) == ["u"]
    run.do("es_h")
    assert run.ended == "completed"
    assert run.variables == {"why": "asked"}


def test_a_non_interrupting_event_subprocess_runs_beside_and_more_than_once() -> None:
    """Trap 12."""
    run = Run(document(line(user("u")) + event_subprocess(MESSAGE, "false")))
    run.deliver("es_s").deliver("es_s")
    assert run.open == ["es_h", "es_h", "u"]
    run.do("u").do("es_h").do("es_h")
    assert run.ended == "completed"


def test_an_error_start_event_catches_an_error_of_its_scope() -> None:
    """Trap 12 and 13: an error start ran at once; a signal or error start was a none event."""
    inner = (
        f'<subProcess id="sp"><startEvent id="i"/>{flow("i", "g")}<parallelGateway id="g"/>{flow("g", "a")}{flow("g", "b")}'
        f'{user("a")}{user("b")}{flow("a", "ee")}<endEvent id="ee">{ERROR}</endEvent>{event_subprocess(ERROR)}</subProcess>'
    )
    run = Run(document(line(inner, user("z"))))
    assert run.open == ["a", "b"]
    run.do("a")
    assert run.open == ["es_h"]
    run.do("es_h")
    assert run.open == ["z"]


def test_links_signal_ends_and_compensation_are_no_none_events() -> None:
    """Trap 13."""
    run = Run(
        document(
            f'<startEvent id="s"/>{flow("s", "lt")}<intermediateThrowEvent id="lt"><linkEventDefinition name="L"/>'
            '</intermediateThrowEvent><intermediateCatchEvent id="lc"><linkEventDefinition name="L"/>'
            f'</intermediateCatchEvent>{path("lc", "u", "e")}{user("u")}<endEvent id="e">{SIGNAL}</endEvent>'
        )
    )
    assert run.open == ["u"]
    run.do("u")
    assert run.ended == "completed"
    assert [(e.element_id, e.name) for e in run.of(SignalThrown)] == [("e", "sig")]


def test_elements_may_be_called_start_and_end() -> None:
    """Trap 14: the ids Start and End collided with SpiffWorkflow's own."""
    run = Run(document(f'<startEvent id="Start"/>{user("Root")}<endEvent id="End"/>{path("Start", "Root", "End")}'))
    run.do("Root")
    assert run.ended == "completed"
    assert run.ended_elements() == ["Start", "Root", "End"]


def test_an_empty_script_is_refused() -> None:
    """Trap 14: an empty scriptTask was a TypeError at run time."""
    assert refused(document(line('<scriptTask id="t" scriptFormat="feel"><script> </script></scriptTask>'))) == {
        "script": "t"
    }


@pytest.mark.parametrize(
    ("body", "code", "element"),
    [
        (line('<complexGateway id="x"/>').replace('sourceRef="x"', 'sourceRef="s"'), "unsupported", "x"),
        (line('<adHocSubProcess id="x"/>'), "unsupported", "x"),
        (line('<intermediateCatchEvent id="x"><cancelEventDefinition/></intermediateCatchEvent>'), "event", "x"),
        (line('<scriptTask id="x" scriptFormat="groovy"><script>1</script></scriptTask>'), "language", "x"),
        (line('<serviceTask id="x" camunda:class="a.B"/>'), "unknown_attribute", "x"),
        (line('<serviceTask id="x" camunda:topic="t" camunda:delegateExpression="${b}"/>'), "unknown_attribute", "x"),
        (
            line(user("x", "<extensionElements><camunda:taskListener event='create'/></extensionElements>")),
            "unknown_extension",
            "x",
        ),
    ],
)
def test_what_is_not_carried_out_is_refused_with_its_element(body: str, code: str, element: str) -> None:
    """Traps 13 and 18: such constructs were silently taken for something else."""
    assert refused(document(body))[code] == element


def test_loops_go_on_after_a_restart() -> None:
    """Trap 19: specifications parsed afresh never merged the children of a loop. (Every step here is a restart.)"""
    loop = '<multiInstanceLoopCharacteristics camunda:collection="xs" camunda:elementVariable="x"/>'
    run = Run(document(line(user("u", loop), user("v"))), xs=["a", "b", "c"])
    assert sorted(e.loop_item for e in run.of(TaskOpened)) == ["a", "b", "c"]
    for _ in range(3):
        assert "v" not in run.open
        run.do("u")
    assert run.open == ["v"]


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_a_join_loses_no_data_and_puts_no_old_value_back(order: str) -> None:
    """Trap 20: lists were merged as sets, an untouched branch put `new` back over `approved`."""
    run = Run(
        document(
            f'<startEvent id="s"/>{flow("s", "g")}<parallelGateway id="g"/>{flow("g", "a")}{flow("g", "b")}{user("a")}{user("b")}'
            f'{flow("a", "j")}{flow("b", "j")}<parallelGateway id="j"/>{flow("j", "v")}{user("v")}'
        ),
        status="new",
        opinions=["x"],
    )
    for name in order:
        changes: dict[str, Any] = {"status": "approved"} if name == "a" else {}
        run.do(name, opinions=[*run.variables["opinions"], "same"], **changes)
    assert run.variables == {"status": "approved", "opinions": ["x", "same", "same"]}


def test_one_instance_does_not_change_the_next_one() -> None:
    """Trap 21: a triggered event subprocess changed the shared specification."""
    xml = document(line(user("u")) + event_subprocess(MESSAGE))
    Run(xml).deliver("es_s")
    assert Run(xml).open == ["u"]
    assert compiled(xml) is compiled(xml)


def test_an_error_is_caught_around_its_own_subprocess_only() -> None:
    """Trap 23: an error in one subprocess fired the boundary event of its sibling too."""

    def part(name: str) -> str:
        return (
            f'<subProcess id="{name}"><startEvent id="{name}i"/>{user(f"{name}u")}<endEvent id="{name}e">{ERROR}</endEvent>'
            f"{path(f'{name}i', f'{name}u', f'{name}e')}</subProcess>"
            f'<boundaryEvent id="{name}b" attachedToRef="{name}">{ERROR}</boundaryEvent>{flow(f"{name}b", f"{name}x")}{user(f"{name}x")}'
        )

    run = Run(
        document(
            f'<startEvent id="s"/>{flow("s", "g")}<parallelGateway id="g"/>{flow("g", "A")}{flow("g", "B")}{part("A")}{part("B")}'
        )
    )
    run.do("Au")
    assert run.open == ["Ax", "Bu"]


@pytest.mark.parametrize("seed", range(40))
def test_inclusive_joins_in_a_loop_wait_for_exactly_the_branches_taken(seed: int) -> None:
    """Trap 24: stock inclusive joins fired early in the second round (80 of 300 random runs)."""
    branches = "".join(
        f"{flow('g', n + '1', n + 'on')}{user(n + '1')}{user(n + '2')}{path(n + '1', n + '2', 'j')}" for n in "abc"
    )
    body = (
        f'<startEvent id="s"/>{flow("s", "g")}<inclusiveGateway id="g" default="fd"/>{flow("g", "j", flow_id="fd")}{branches}'
        f'<inclusiveGateway id="j"/>{flow("j", "v")}{user("v")}{flow("v", "h")}<exclusiveGateway id="h" default="fe"/>'
        f'{flow("h", "g", "rounds &lt; 2")}{flow("h", "e", flow_id="fe")}<endEvent id="e"/>'
    )
    dice = random.Random(seed)
    on: dict[str, Any] = {n + "on": dice.random() < 0.5 for n in "abc"}
    run = Run(document(body), rounds=0, **on)
    for rounds in (1, 2):
        for _ in range(2 * sum(on.values())):
            assert "v" not in run.open
            run.do(dice.choice(run.open))
        assert run.open == ["v"]
        run.do("v", rounds=rounds)
    assert run.ended == "completed"


def test_parallel_joins_in_a_loop_stay_quick() -> None:
    """Trap 24: 120 rounds took 18 s; and each round joins its own tokens."""
    body = (
        f'<exclusiveGateway id="x"/>{flow("x", "g")}<parallelGateway id="g"/>{flow("g", "a")}{flow("g", "b")}'
        '<scriptTask id="a" camunda:resultVariable="n"><script>n + 1</script></scriptTask>'
        '<scriptTask id="b" camunda:resultVariable="k"><script>n</script></scriptTask>'
        f'{flow("a", "j")}{flow("b", "j")}<parallelGateway id="j"/>'
    )
    run = Run(document(looping(body, "n &lt; 500", "x", "j")), n=0)
    assert run.ended == "completed"
    assert run.variables["n"] == 500
    assert run.ended_elements().count("j") == 500


def test_each_activation_has_an_id_of_its_own() -> None:
    """Trap 25: going back to a task reused its id and dropped what had been entered."""
    run = Run(document(looping(user("a"), "again", "a", "a")))
    seen: set[UUID] = set()
    for again in (True, True, False):
        seen.add(run.task("a"))
        run.do("a", again=again, text="kept")
    assert len(seen) == 3
    assert run.variables == {"again": False, "text": "kept"}


def test_plain_and_manual_tasks_pass() -> None:
    """Trap 26: `bpmn:task` waited like a manual task. Both pass here, as in Camunda 7."""
    run = Run(document(line('<task id="t"/>', '<manualTask id="mt"/>')))
    assert run.ended == "completed"
    assert run.ended_elements() == ["s", "t", "mt", "e"]


def test_feel_that_python_cannot_parse_is_accepted() -> None:
    """Trap 26: Spiff's validation called `ast.parse` on every expression."""
    run = Run(
        document(
            f'<startEvent id="s"/>{flow("s", "g")}<exclusiveGateway id="g" default="d"/>'
            f"{flow('g', 'a', 'if amount &gt; 3 then true else false')}{flow('g', 'b', flow_id='d')}{user('a')}{user('b')}"
        ),
        amount=4,
    )
    assert run.open == ["a"]


def test_a_fault_that_nothing_catches_is_an_incident() -> None:
    """Trap 18: never a lost token."""
    host = Surroundings({"h": lambda v: (_ for _ in ()).throw(BpmnError("E9", "没有余额"))})
    run = Run(document(line('<serviceTask id="t" camunda:topic="h"/>')), host)
    assert run.states() == {"t": "incident"}
    assert "E9" in run.of(IncidentRaised)[0].message


def test_a_model_whose_tokens_multiply_stops_soon() -> None:
    """A fork back into its own loop: 15,000 tokens of one step cost 49 s, each looked for among all the others."""
    body = (
        f'<startEvent id="s"/>{flow("s", "x")}<exclusiveGateway id="x"/>{flow("x", "g")}<parallelGateway id="g"/>'
        f"{flow('g', 'x', flow_id='b1')}{flow('g', 'x', flow_id='b2')}{flow('g', 'j')}{flow('s', 'j')}"
        f'<inclusiveGateway id="j"/>{flow("j", "v")}{user("v")}'
    )
    process = compiled(document(body))
    execution = Execution.start(process, {}, Surroundings())
    assert {state for _, _, state, _ in execution.tokens()} == {"incident", "joining"}
    assert ("unsynchronised", "g") in {(finding.code, finding.element_id) for finding in lint(process)}
