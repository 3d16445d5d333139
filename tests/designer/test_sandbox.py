"""Scenarios run in memory: what they do, how a difference is told, and that nothing goes on for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.designer.models import GRANT, bpmn, condition, dmn
from webapp import clock
from webapp.designer.scenarios import sandbox
from webapp.designer.scenarios.running import Outcome, play, recorded, run
from webapp.designer.scenarios.sandbox import Surroundings
from webapp.designer.scenarios.scenario import Expected, Scenario, Step, read, write
from webapp.engine.bpmn import Known, compile_bpmn
from webapp.engine.decisions import parse_dmn
from webapp.engine.handler_api import Hooks, Registered
from webapp.errors import Invalid, QianyinError


def around(*files: bytes, decisions: bytes | None = None) -> Surroundings:
    hooks = Hooks()
    hooks.handlers["pay"] = Registered(never, True, {}, {"receipt": "回执号"}, "")
    processes = {one.info.key: one for file in files for one in compile_bpmn(file, known=Known.anything())}
    tables = {one.key: one for one in parse_dmn(decisions)} if decisions else {}
    return Surroundings(hooks, processes=processes, decisions=tables)


def never(*_args: object) -> None:
    raise AssertionError("the sandbox calls no handler")


GRANTS = around(GRANT, decisions=dmn())
PASS = Step("complete", "check", {"words": "同意"}, "pass")
PAID = Scenario("grant", variables={"amount": 40}, steps=(PASS, Step("message", "grant_paid")))


def ran(scenario: Scenario, there: Surroundings = GRANTS) -> Outcome:
    return run(scenario, there)


def test_a_scenario_goes_its_way_and_is_covered():
    wanted = Expected("completed", ("begin", "level", "check", "passed", "paid", "done"), variables={"level": "small"})
    outcome = ran(replace(PAID, expected=wanted))
    assert outcome.passed, outcome.difference
    assert outcome.coverage.of_process("grant") == (6, 9)
    assert outcome.coverage.rules == {"small"}
    assert outcome.coverage.of_decision("grant_level") == (1, 2)


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (
            Expected(path=("begin", "level", "check", "passed", "refused")),
            "路径第 5 步应到“未通过”，实际到“等待拨付”。",
        ),
        (Expected(path=("begin", "level")), "路径应到此为止，实际又到了“审核”。"),
        (
            Expected(path=("begin", "level", "check", "passed", "paid", "done", "check")),
            "路径应继续到“审核”，实际案件已正常结束。",
        ),
        (Expected("waiting"), "案件应仍在等待，实际案件已正常结束。"),
        (Expected("completed", variables={"level": "large"}), "变量 level 应为 “large”，实际为 “small”。"),
    ],
)
def test_the_first_difference_is_told_in_words(expected, said):
    assert ran(replace(PAID, expected=expected)).difference == said


def test_a_step_that_cannot_be_taken_says_where_the_case_stands():
    twice = replace(PAID, steps=(PASS, PASS))
    assert ran(twice).difference == "第 2 步：“审核”没有待办；此时等待“等待拨付”。"
    unknown = replace(PAID, steps=(Step("message", "nothing"),))
    assert ran(unknown).difference == "第 1 步：此时没有环节在等消息“nothing”。"
    other = replace(PAID, steps=(Step("complete", "check", {}, "perhaps"),))
    assert ran(other).difference == "“审核”没有办理结果“perhaps”。"


def test_the_clock_steps_over_working_days():
    outcome = ran(replace(PAID, steps=(Step("timer", "late"),), expected=Expected("completed")))
    assert outcome.passed
    assert outcome.box is not None
    assert outcome.box.path[-1] == "lapsed"
    # Monday 2 March 2026 and three working days: the end of Thursday
    assert outcome.box.at.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M") == "2026-03-06 00:00"


SERVICE = bpmn(
    "pays",
    '<bpmn:startEvent id="begin"/><bpmn:serviceTask id="pay" camunda:topic="pay"/>'
    '<bpmn:boundaryEvent id="failed" attachedToRef="pay"><bpmn:errorEventDefinition id="e" errorRef="no_money"/>'
    '</bpmn:boundaryEvent><bpmn:endEvent id="done"/><bpmn:endEvent id="without"/>',
    {"f1": ("begin", "pay"), "f2": ("pay", "done"), "f3": ("failed", "without")},
    '<bpmn:error id="no_money" errorCode="NO_MONEY"/>',
)


def test_handlers_are_doubles_of_their_documented_outputs():
    there = around(SERVICE)
    plain = play(Scenario("pays"), there)
    assert plain.box is not None
    assert plain.box.variables() == {"receipt": None}
    given = play(Scenario("pays", results={"pay": {"receipt": "R-1"}}), there)
    assert given.box is not None
    assert given.box.variables() == {"receipt": "R-1"}
    assert [used.given for used in given.box.used] == [True]
    fault = play(Scenario("pays", results={"pay": {"error": "NO_MONEY"}}), there)
    assert fault.box is not None
    assert fault.box.path[-1] == "without"


def test_a_called_process_runs_along_or_is_a_double():
    caller = bpmn(
        "caller",
        '<bpmn:startEvent id="begin"/><bpmn:callActivity id="call" calledElement="pays"><bpmn:extensionElements>'
        '<camunda:out variables="all"/></bpmn:extensionElements></bpmn:callActivity><bpmn:endEvent id="done"/>',
        {"f1": ("begin", "call"), "f2": ("call", "done")},
    )
    both = play(Scenario("caller", results={"pay": {"receipt": "R-2"}}), around(caller, SERVICE))
    assert both.box is not None
    assert both.box.state == "completed"
    assert both.box.path == ["begin", "pays:begin", "pays:pay", "pays:done", "call", "done"]
    alone = play(Scenario("caller", results={"call": {"receipt": "R-3"}}), around(caller))
    assert alone.box is not None
    assert alone.box.variables() == {"receipt": "R-3"}


LOOP = bpmn(
    "loop",
    '<bpmn:startEvent id="begin"/><bpmn:exclusiveGateway id="in"/>'
    '<bpmn:scriptTask id="work" scriptFormat="feel" camunda:resultVariable="n"><bpmn:script>%s</bpmn:script>'
    '</bpmn:scriptTask><bpmn:exclusiveGateway id="out" default="again"/><bpmn:endEvent id="done"/>'
    + condition("enough", "out", "done", "n = 0").replace("%", "%%"),
    {"f1": ("begin", "in"), "f2": ("in", "work"), "f3": ("work", "out"), "again": ("out", "in")},
)


def test_an_endless_loop_is_stopped_and_told():
    outcome = run(Scenario("loop", expected=Expected("completed")), around(LOOP % b"1"))
    assert "可能陷入循环" in (outcome.difference or "")


def test_a_loop_of_heavy_expressions_is_stopped_by_time(monkeypatch):
    monkeypatch.setattr(sandbox, "MAX_SECONDS", 0.2)
    heavy = b"count(for x in 1..100, y in 1..100 return 1)"
    outcome = run(Scenario("loop"), around(LOOP % heavy))
    assert outcome.difference == "试运行没有停下：流程可能陷入循环，请检查循环的条件。"


def test_a_process_that_calls_itself_is_stopped():
    itself = bpmn(
        "itself",
        '<bpmn:startEvent id="begin"/><bpmn:callActivity id="call" calledElement="itself"/><bpmn:endEvent id="done"/>',
        {"f1": ("begin", "call"), "f2": ("call", "done")},
    )
    assert "没有停下" in (run(Scenario("itself"), around(itself)).difference or "")


def test_a_recording_is_what_it_did_and_comes_back_equal():
    made = recorded(
        replace(PAID, variables={"amount": Decimal("150.5"), "on": date(2026, 3, 2)}), GRANTS, "大额", ["level"]
    )
    again = read(write(made))
    assert again == made
    assert again.expected.variables == {"level": "large"}
    assert run(again, GRANTS).passed
    assert b'"amount": 150.5' in write(made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        '{"process": 5}',
        '{"process": "p", "when": [{"explode": "x"}]}',
        '{"process": "p", "when": 5}',
        '{"process": "p", "when": [5]}',
        '{"process": "p", "given": {"at": "never"}}',
        '{"process": "p", "given": {"at": "9999-12-31T23:59:59"}}',
        '{"process": "p", "given": {"variables": {"x": {"$": "no", "v": 1}}}}',
        '{"process": "p", "given": {"variables": [1]}}',
        '{"process": "p", "then": {"state": "perhaps"}}',
        '{"process": "p", "given": {"variables": ' + '{"a":' * 200 + "1" + "}" * 200 + "}}",
        '{"process": "p", "name": "' + "x" * 600_000 + '"}',
        '{"process": "p", "when": [' + ",".join(['{"timer": "t"}'] * 400) + "]}",
    ],
)
def test_a_file_that_is_no_scenario_is_refused_in_words(text):
    with pytest.raises(Invalid) as refused:
        read(text)
    assert str(refused.value).endswith("。")


def test_what_cannot_be_done_is_not_saved():
    with pytest.raises(QianyinError, match="没有待办"):
        recorded(replace(PAID, steps=(PASS, PASS)), GRANTS, "x")
