"""The state as bytes, the codec, and whole runs that end the same way whatever is stored in between."""
# ruff: noqa: E501  # models read better unbroken

from __future__ import annotations

import random
import threading
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.bpmn.helpers import Run, Surroundings, compiled, document, flow, line, path, user
from webapp.engine.bpmn import Execution, decode_variables
from webapp.engine.bpmn.codec import clone, decode, encode
from webapp.engine.feel import YearsMonths
from webapp.errors import Invalid

ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.dates()
    | st.datetimes().map(lambda moment: moment.replace(fold=0))
    | st.datetimes(timezones=st.sampled_from([ZoneInfo("Asia/Shanghai"), ZoneInfo("UTC")]), allow_imaginary=False)
    | st.times().map(lambda clock: clock.replace(fold=0))
    | st.timedeltas()
    | st.uuids()
    | st.builds(YearsMonths, st.integers(-5000, 5000))
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from(["$", "v"]), inner, max_size=4)
    ),
)


@settings(deadline=None, max_examples=150)
@given(VALUES)
def test_every_value_comes_back_as_itself(value: Any) -> None:
    kept = clone(value)
    back = decode(orjson.loads(orjson.dumps(encode(kept))))
    assert back == kept == value
    assert repr(back) == repr(kept)


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x", {1: 2}, float("nan"), float("inf"), "\ud800", {"\ud800": 1}])
def test_what_cannot_be_kept_is_refused(value: Any) -> None:
    with pytest.raises(Invalid):
        clone({"a": [value]})


def test_endless_nesting_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(Invalid):
        clone(value)


def test_a_float_is_kept_as_the_decimal_that_was_written() -> None:
    assert clone([0.1, 1e3]) == [Decimal("0.1"), Decimal("1000")]


def test_a_value_that_cannot_be_kept_changes_nothing() -> None:
    run = Run(document(line(user("a"))), x=1)
    blob = run.execution.dump()
    with pytest.raises(Invalid):
        run.execution.complete(run.task("a"), {"bad": object()})
    again = Execution.load(run.process, blob, run.host)
    assert again.variables() == {"x": 1}


def test_a_named_zone_survives() -> None:
    moment = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Paris"))
    back = decode(orjson.loads(orjson.dumps(encode(moment))))
    assert back.tzinfo.key == "Europe/Paris"
    assert back + timedelta(days=180) == moment + timedelta(days=180)


def test_a_stored_state_is_small_and_holds_no_specification() -> None:
    run = Run(document(line(*[user(f"u{number}") for number in range(30)])), x=1)
    blob = run.execution.dump()
    assert len(blob) < 250
    assert decode_variables(blob) == {"x": 1}


def test_what_was_loaded_is_what_was_stored() -> None:
    loop = '<multiInstanceLoopCharacteristics camunda:collection="xs" camunda:elementVariable="x"/>'
    after = f'<boundaryEvent id="b" attachedToRef="u" cancelActivity="false"><messageEventDefinition messageRef="m"/></boundaryEvent>{flow("b", "v")}{user("v")}'
    run = Run(document(line(user("u", loop), after=after)), xs=[Decimal("1.0"), {"$": 1}]).deliver("b").do("u")
    first = run.execution.dump()
    second = Execution.load(run.process, first, run.host).dump()
    assert first == second


BRANCHY = (
    f'<startEvent id="s"/>{flow("s", "mg")}<exclusiveGateway id="mg"/>{flow("mg", "g")}<parallelGateway id="g"/>{flow("g", "sp")}{flow("g", "i1")}'
    f'<subProcess id="sp"><multiInstanceLoopCharacteristics camunda:collection="xs" camunda:elementVariable="x"/><startEvent id="ss"/>{user("a")}{user("b")}<endEvent id="se"/>{path("ss", "a", "b", "se")}</subProcess>'
    '<boundaryEvent id="bo" attachedToRef="sp" cancelActivity="false"><messageEventDefinition messageRef="m"/></boundaryEvent>'
    f"{flow('bo', 'n')}{user('n')}"
    f'<inclusiveGateway id="i1"/>{flow("i1", "c", "true")}{flow("i1", "d", "round &gt; 0")}{user("c")}{user("d")}{flow("c", "i2")}{flow("d", "i2")}<inclusiveGateway id="i2"/>'
    f'{flow("sp", "j")}{flow("i2", "j")}<parallelGateway id="j"/>{flow("j", "r")}<scriptTask id="r" camunda:resultVariable="round"><script>round + 1</script></scriptTask>'
    f'{flow("r", "q")}<exclusiveGateway id="q" default="out"/>{flow("q", "mg", "round &lt; 3")}{flow("q", "e", flow_id="out")}<endEvent id="e"/>'
)


@pytest.mark.parametrize("seed", range(20))
def test_random_runs_end_with_every_token_accounted_for(seed: int) -> None:
    """Whatever order people work in, and whatever is stored in between: all rounds are run and nothing is left."""
    dice = random.Random(seed)
    run = Run(document(BRANCHY), xs=["p", "q"], round=0)
    told = 0
    while run.ended is None:
        assert run.open, run.states()
        if dice.random() < 0.2 and run.states().get("sp"):
            run.deliver("bo")
            told += 1
        run.do(dice.choice(run.open))
    done = run.ended_elements()
    assert (done.count("a"), done.count("b"), done.count("c"), done.count("d"), done.count("n")) == (6, 6, 3, 2, told)
    assert (run.variables["round"], done.count("j")) == (3, 3)
    assert run.ended_elements(cancelled=True) == []


def test_many_threads_share_one_compiled_process() -> None:
    process = compiled(document(BRANCHY))
    failures: list[str] = []

    def work(seed: int) -> None:
        dice, host = random.Random(seed), Surroundings()
        execution = Execution.start(process, {"xs": ["p", "q"], "round": 0}, host)
        while execution.ended is None:
            ready = [node for _, node, state, _ in execution.tokens() if state == "open"]
            execution.complete(dice.choice(ready), {"who": seed})
        if execution.variables()["who"] != seed or execution.variables()["round"] != 3:
            failures.append(str(seed))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
