"""Tokens moved, begun again and taken back: what opens, what closes, and that no join is left waiting."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.bpmn.helpers import Run, document, flow, line, path, user
from webapp.engine.bpmn import moving
from webapp.engine.bpmn.marking import Net, marking
from webapp.engine.types import ActivityEnded, TaskClosed, TimerWanted, WaitDropped
from webapp.errors import Conflict, Invalid

BRANCHES = document(
    f'<startEvent id="s"/>{user("t")}<parallelGateway id="fork"/>{user("a")}{user("a2")}{user("b")}'
    f'<parallelGateway id="join"/>{user("c")}<endEvent id="e"/>'
    + path("s", "t", "fork", "a", "a2", "join", "c", "e")
    + path("fork", "b", "join")
)


class Case(Run):
    """A run with the operations."""

    def back(self, element: str, target: str) -> Case:
        plan = moving.back(self.execution.token(self.node(element)), self.execution.goal(target))
        self.execution.carry_out(plan)
        self._note()
        return self

    def move(self, element: str, target: str) -> Case:
        plan = moving.move(self.execution.standing(element)[0], self.execution.goal(target))
        self.execution.carry_out(plan)
        self._note()
        return self

    def recall(self, target: str) -> Case:
        self.execution.carry_out(moving.back_in(self.execution.root, self.execution.goal(target)))
        self._note()
        return self

    def again(self, element: str, index: int) -> Case:
        self.execution.again(self.execution.standing(element)[0], index)
        self._note()
        return self

    @property
    def lawful(self) -> bool:
        root = self.execution.root
        return Net.of(root.task_spec).lawful(marking(root))  # type: ignore[arg-type]


def test_back_along_a_sequence_keeps_variables() -> None:
    case = Case(document(line(user("one"), user("two"), user("three"))))
    case.do("one", amount=5).do("two")
    case.back("three", "one")
    assert case.open == ["one"]
    assert case.execution.variables() == {"amount": 5}
    assert [e.element_id for e in case.of(TaskClosed) if e.cancelled] == ["three"]
    case.do("one").do("two").do("three")
    assert case.execution.ended == "completed"


def test_back_before_a_fork_takes_both_branches_along() -> None:
    case = Case(BRANCHES)
    case.do("t").do("a")
    case.back("a2", "t")
    assert case.open == ["t"]
    case.do("t").do("a").do("a2").do("b").do("c")
    assert case.execution.ended == "completed"


def test_back_from_behind_a_join_leaves_what_the_other_branch_did() -> None:
    case = Case(BRANCHES)
    case.do("t").do("a").do("a2").do("b")
    case.back("c", "a")
    assert case.states() == {"a": "open", "join": "joining"}
    case.do("a").do("a2")
    assert case.open == ["c"]
    assert case.ended_elements().count("b") == 1


def test_back_inside_a_branch_does_not_touch_the_other() -> None:
    case = Case(BRANCHES)
    case.do("t").do("a")
    case.back("a2", "a")
    assert case.open == ["a", "b"]


def test_nobody_returns_into_another_branch() -> None:
    case = Case(BRANCHES)
    case.do("t").do("a").do("b")
    with pytest.raises(Conflict, match="不在当前环节之前"):
        case.back("a2", "b")


def test_a_recall_takes_back_what_went_on() -> None:
    case = Case(BRANCHES)
    case.do("t").do("b")
    case.recall("b")
    assert case.open == ["a", "b"]
    case.do("a").do("a2").do("b").do("c")
    assert case.execution.ended == "completed"


INCLUSIVE = document(
    f'<startEvent id="s"/>{user("t")}<inclusiveGateway id="fork" default="f_fork_c"/>{user("a")}{user("b")}{user("c")}'
    f'<inclusiveGateway id="join"/>{user("d")}<endEvent id="e"/>'
    + path("s", "t", "fork")
    + flow("fork", "a", "x = 1")
    + flow("fork", "b", "y = 1")
    + flow("fork", "c")
    + path("a", "join")
    + path("b", "join")
    + path("c", "join", "d", "e")
)


def test_back_over_an_inclusive_join_opens_one_branch_and_joins_again() -> None:
    case = Case(INCLUSIVE, x=1, y=1)
    case.do("t").do("a").do("b")
    case.back("d", "a")
    assert case.open == ["a"]
    case.do("a")
    assert case.open == ["d"]


def test_back_before_an_inclusive_fork_doubles_nothing() -> None:
    case = Case(INCLUSIVE, x=1, y=1)
    case.do("t").do("a")
    case.back("b", "t")
    assert case.states() == {"t": "open"}
    case.do("t").do("a").do("b").do("d")
    assert case.execution.ended == "completed"


def _many(sequential: str) -> bytes:
    loop = (
        f'<multiInstanceLoopCharacteristics isSequential="{sequential}" camunda:collection="=people"'
        ' camunda:elementVariable="who"/>'
    )
    return document(line(user("t"), user("sign", loop), user("c")))


@pytest.mark.parametrize("sequential", ["true", "false"])
def test_back_out_of_a_loop_takes_the_whole_loop(sequential: str) -> None:
    case = Case(_many(sequential), people=["a", "b", "c"])
    case.do("t").do("sign")
    case.back("sign", "t")
    assert case.states() == {"t": "open"}
    case.do("t").do("sign").do("sign").do("sign").do("c")
    assert case.execution.ended == "completed"


@pytest.mark.parametrize("sequential", ["true", "false"])
def test_back_to_a_loop_asks_everybody_again(sequential: str) -> None:
    case = Case(_many(sequential), people=["a", "b"])
    case.do("t").do("sign").do("sign")
    case.back("c", "sign")
    assert case.open == (["sign"] if sequential == "true" else ["sign", "sign"])
    case.do("sign").do("sign").do("c")
    assert case.execution.ended == "completed"


def test_one_instance_of_a_parallel_loop_begins_anew() -> None:
    case = Case(_many("false"), people=["a", "b", "c"])
    case.do("t").do("sign")  # the oldest: a
    case.again("sign", 0)
    assert case.open == ["sign"] * 3
    counts = case.execution.variables(case.task("sign"))
    assert (counts["nrOfCompletedInstances"], counts["nrOfActiveInstances"]) == (0, 3)
    case.do("sign").do("sign").do("sign")
    assert case.open == ["c"]


def test_an_earlier_instance_of_a_sequential_loop_begins_anew() -> None:
    case = Case(_many("true"), people=["a", "b", "c"])
    case.do("t").do("sign").do("sign")
    case.again("sign", 0)
    assert [case.execution.variables(case.task("sign"))["who"]] == ["a"]
    case.do("sign").do("sign").do("sign").do("c")
    assert case.execution.ended == "completed"
    with pytest.raises(Invalid, match="尚未开始"):
        Case(_many("true"), people=["a", "b"]).do("t").again("sign", 1)  # type: ignore[attr-defined]


SUB = document(
    f'<startEvent id="s"/>{user("t")}<subProcess id="sub"><startEvent id="ss"/>{user("i")}<parallelGateway id="f2"/>'
    f'{user("j")}{user("k")}<parallelGateway id="j2"/>{user("l")}<endEvent id="se"/>'
    + path("ss", "i", "f2", "j", "j2", "l", "se")
    + path("f2", "k", "j2")
    + '</subProcess><boundaryEvent id="late" attachedToRef="sub"><timerEventDefinition>'
    "<timeDuration>P3D</timeDuration></timerEventDefinition></boundaryEvent>"
    f'{user("c")}{user("u")}<endEvent id="e"/><endEvent id="e2"/>'
    + path("s", "t", "sub", "c", "e")
    + path("late", "u", "e2")
)


def test_back_out_of_a_subprocess_takes_all_of_it_and_its_timer() -> None:
    case = Case(SUB)
    case.do("t").do("i").do("j")
    [timer] = case.of(TimerWanted)
    case.back("k", "t")
    assert case.open == ["t"]
    assert timer.node in [dropped.node for dropped in case.of(WaitDropped)]


def test_back_into_a_finished_subprocess_opens_it_there_with_its_timer() -> None:
    case = Case(SUB)
    case.do("t").do("i").do("j").do("k").do("l")
    case.back("c", "j")
    assert case.open == ["j"]
    assert len(case.of(TimerWanted)) == 2
    case.do("j")  # the other branch has been done: its token waits at the join
    assert case.open == ["l"]
    case.do("l").do("c")
    assert case.execution.ended == "completed"


def test_back_after_a_timer_has_fired() -> None:
    case = Case(SUB)
    case.do("t").do("i")
    case.deliver("late")
    case.back("u", "t")
    assert case.open == ["t"]
    case.do("t").do("i").do("j").do("k").do("l").do("c")
    assert case.execution.ended == "completed"


def test_a_token_moved_out_of_a_subprocess_takes_the_whole_along() -> None:
    case = Case(SUB)
    case.do("t").do("i")
    case.move("j", "c")
    assert case.open == ["c"]
    cancelled = [e.element_id for e in case.of(ActivityEnded) if e.cancelled]
    assert sorted(cancelled) == ["j", "k", "sub"]


def test_a_token_moved_into_a_subprocess_opens_it() -> None:
    case = Case(SUB)
    case.move("t", "l")
    assert case.open == ["l"]
    case.do("l").do("c")
    assert case.execution.ended == "completed"


def test_a_move_tells_which_join_would_wait_for_ever() -> None:
    case = Case(BRANCHES)
    plan = moving.move(case.execution.standing("t")[0], case.execution.goal("a"))
    outlook = Net.of(plan.holder.task_spec).outlook(plan.after)  # type: ignore[arg-type]
    assert outlook.stuck == {"join"}
    fine = moving.move(case.execution.standing("t")[0], case.execution.goal("c"))
    assert Net.of(fine.holder.task_spec).outlook(fine.after).lawful  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("target", "words"), [("join", "汇聚网关"), ("late", "没有环节"), ("nothing", "没有环节"), ("s", "")]
)
def test_where_no_token_can_be_put(target: str, words: str) -> None:
    case = Case(BRANCHES)
    if not words:
        case.move("t", target)  # the start: everything begins again
        assert case.open == ["t"]
        return
    with pytest.raises(Invalid, match=words):
        case.move("t", target)


def test_no_token_is_put_inside_a_loop_or_at_its_timer() -> None:
    loop = "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>"
    inner = f'<startEvent id="ss"/>{user("i")}<endEvent id="se"/>{path("ss", "i", "se")}'
    case = Case(document(line(user("t"), f'<subProcess id="sub">{loop}{inner}</subProcess>', user("c"))))
    with pytest.raises(Invalid, match="整体"):
        case.move("t", "i")
    with pytest.raises(Invalid, match="边界事件"):
        Case(SUB).move("t", "late")


def everything(case: Case, rounds: int = 200) -> Any:
    """Complete what is open until the instance ends."""
    for _ in range(rounds):
        if case.execution.ended is not None:
            return case.execution.ended
        case.do(case.open[0])
    raise AssertionError(f"never ends: {case.states()}")
