"""Timers: rows, due by the one clock, fired once; periodic starts; due dates in working days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.engine.runtime.conftest import Bench
from tests.engine.runtime.models import boundary, end, model, start, timer, user
from webapp.clock import clock
from webapp.engine import duetime, queries
from webapp.engine.commands import Cancel, FireTimer, Resume, SetVariables, Suspend
from webapp.engine.errors import DeploymentRefused, TaskNotOpen
from webapp.errors import Invalid

WEDNESDAY = datetime(2026, 11, 25, 2, tzinfo=UTC)  # 10:00 in Beijing


@pytest.fixture(autouse=True)
def _wednesday(clock_at: Any) -> None:
    clock_at(WEDNESDAY)


def _deadline(kind: str, value: str, cancel: bool = True) -> bytes:
    return model(
        "late",
        start(),
        user("work"),
        boundary("due", "work", timer(kind, value), cancel),
        user("remind"),
        end(),
        flows="start>work work>end due>remind remind>end",
    )


def test_a_timer_fires_when_the_clock_has_moved(bench: Bench) -> None:
    bench.deploy(_deadline("timeDuration", "P3D"))
    started = bench.start("late")
    assert bench.drain() == 0
    clock.advance(timedelta(days=2, hours=23))
    assert bench.drain() == 0
    bench.restarted()
    clock.advance(timedelta(hours=2))
    assert bench.drain() == 1
    assert list(bench.open(started.instance_id)) == ["remind"]
    assert bench.rows("select status, element_id from user_task order by id") == [
        ("cancelled", "work"),
        ("open", "remind"),
    ]
    assert bench.rows("select 1 from timer") == []


def test_a_completed_task_takes_its_timer_along(bench: Bench) -> None:
    bench.deploy(_deadline("timeDuration", "P3D"))
    started = bench.start("late")
    assert bench.complete(started.opened[0]).ended == "completed"
    assert bench.rows("select 1 from timer") == []
    clock.advance(timedelta(days=9))
    assert bench.drain() == 0


def test_working_days_end_at_midnight_in_beijing(bench: Bench) -> None:
    bench.deploy(_deadline("timeDuration", "P5WD"))
    bench.start("late")
    [(due_at,)] = bench.rows("select due_at from timer")
    assert due_at == datetime(2026, 12, 2, 16, tzinfo=UTC)


def test_a_cycle_fires_as_often_as_it_says(bench: Bench) -> None:
    bench.deploy(_deadline("timeCycle", "R3/PT1H", cancel=False))
    started = bench.start("late")
    for expected in (1, 2, 3, 3):
        clock.advance(timedelta(minutes=61))
        bench.drain()
        assert bench.rows("select count(*) from user_task where element_id = 'remind'") == [(expected,)]
    assert bench.rows("select 1 from timer") == []
    assert "work" in bench.open(started.instance_id)


def test_turns_that_nobody_could_serve_are_one(bench: Bench) -> None:
    bench.deploy(_deadline("timeCycle", "R/PT1H", cancel=False))
    bench.start("late")
    clock.advance(timedelta(days=3))
    bench.drain()
    assert bench.rows("select count(*) from user_task where element_id = 'remind'") == [(1,)]
    [(due_at,)] = bench.rows("select due_at from timer")
    assert clock.now() < due_at <= clock.now() + timedelta(hours=1)


def test_a_cycle_that_begins_now_fires_now_and_then_goes_on(bench: Bench) -> None:
    bench.deploy(_deadline("timeCycle", '="R3/" + substring before(string(now()), "@") + "/PT1H"', cancel=False))
    bench.start("late")
    for hours in (0, 1, 1, 1):
        clock.advance(timedelta(hours=hours))
        bench.drain()
    assert bench.rows("select count(*) from user_task where element_id = 'remind'") == [(3,)]


def test_a_second_turn_is_found_at_once_after_years(bench: Bench) -> None:
    bench.deploy(_deadline("timeCycle", "R/PT1S", cancel=False))
    bench.start("late")
    clock.advance(timedelta(days=3650, milliseconds=500))
    bench.drain()
    [(due_at,)] = bench.rows("select due_at from timer")
    assert clock.now() - timedelta(seconds=30) < due_at < clock.now() + timedelta(seconds=2)


def test_a_cycle_that_stands_still_is_told(bench: Bench) -> None:
    with pytest.raises(DeploymentRefused):
        bench.deploy(_deadline("timeCycle", "R/PT0S", cancel=False))
    bench.deploy(_deadline("timeCycle", '="R/" + pace', cancel=False))
    started = bench.start("late", {"pace": "PT0S"})
    assert len(bench.incidents(started.instance_id)) == 1
    assert bench.rows("select 1 from timer") == []


def test_a_timer_fires_once_only(bench: Bench) -> None:
    bench.deploy(_deadline("timeDuration", "PT1H"))
    started = bench.start("late")
    [(timer_id,)] = bench.rows("select id from timer")
    bench.step(started.instance_id, FireTimer(timer_id, reason="提前"))
    with pytest.raises(TaskNotOpen):
        bench.step(started.instance_id, FireTimer(timer_id))
    assert bench.rows("select reason from audit where action = 'timer.fire'") == [("提前",)]


def test_timers_of_suspended_and_ended_instances_rest(bench: Bench) -> None:
    bench.deploy(_deadline("timeDuration", "PT1H"))
    suspended, ended = bench.start("late"), bench.start("late")
    bench.step(suspended.instance_id, Suspend("核查"))
    bench.step(ended.instance_id, Cancel("撤回"))
    clock.advance(timedelta(hours=2))
    assert bench.drain() == 0
    assert list(bench.open(suspended.instance_id)) == ["work"]
    assert bench.rows("select held from timer") == [(True,)]  # whoever looks for due timers does not step over it
    bench.step(suspended.instance_id, Resume("核查完毕"))
    assert bench.drain() == 1
    assert bench.rows("select 1 from timer") == []


def test_a_timer_that_a_correction_sets_in_a_suspended_case_rests_too(bench: Bench) -> None:
    condition = "<conditionalEventDefinition><condition>ready = true</condition></conditionalEventDefinition>"
    bench.deploy(
        model(
            "late",
            start(),
            f'<intermediateCatchEvent id="when">{condition}</intermediateCatchEvent>',
            f'<intermediateCatchEvent id="pause">{timer("timeDuration", "PT1H")}</intermediateCatchEvent>',
            user("work"),
            end(),
            flows="start>when when>pause pause>work work>end",
        )
    )
    started = bench.start("late", {"ready": False})
    bench.step(started.instance_id, Suspend("核查"))
    bench.step(started.instance_id, SetVariables({"ready": True}, "更正"))
    clock.advance(timedelta(hours=2))
    assert bench.drain() == 0
    bench.step(started.instance_id, Resume("核查完毕"))
    assert bench.drain() == 1
    assert list(bench.open(started.instance_id)) == ["work"]


def test_due_only_is_looked_at(bench: Bench) -> None:
    bench.deploy(_deadline("timeDuration", "PT1H"))
    for _ in range(5):
        bench.start("late")
    clock.advance(timedelta(minutes=30))
    late = [bench.start("late") for _ in range(3)]
    clock.advance(timedelta(minutes=40))
    assert bench.drain() == 5
    assert all(list(bench.open(one.instance_id)) == ["work"] for one in late)


def test_a_periodic_start(bench: Bench) -> None:
    monthly = model(
        "monthly", start("begin", timer("timeCycle", "R/P1D")), user("look"), end(), flows="begin>look look>end"
    )
    bench.deploy(monthly)
    assert bench.drain() == 0
    for count in (1, 2):
        clock.advance(timedelta(days=1, minutes=1))
        bench.drain()
        assert bench.rows("select count(*) from process_instance") == [(count,)]
    bench.deploy(monthly.replace(b'name="look"', b'name="look again"'))
    assert bench.rows("select count(*) from timer") == [(1,)]  # the old version's is gone
    clock.advance(timedelta(days=1, minutes=1))
    bench.drain()
    assert bench.rows(
        "select d.version, count(*) from process_instance p join process_definition d on d.id = p.definition_id"
        " group by 1 order by 1"
    ) == [(1, 2), (2, 1)]


def test_a_refused_periodic_start_is_an_incident_and_comes_again(bench: Bench) -> None:
    from webapp.errors import Conflict

    def never(context: Any) -> Any:
        raise Conflict("本月已经核查过。")

    bench.hooks.starters["monthly"] = never
    bench.deploy(
        model("monthly", start("begin", timer("timeCycle", "R/P1D")), user("look"), end(), flows="begin>look look>end")
    )
    clock.advance(timedelta(days=1, minutes=1))
    bench.drain()
    assert [row.message for row in bench.incidents()] == ["本月已经核查过。"]
    assert bench.rows("select count(*) from timer") == [(1,)]


def test_the_due_date_of_a_task_is_set_once(bench: Bench) -> None:
    bench.deploy(model("dated", start(), user("work", 'camunda:dueDate="P5WD"'), end(), flows="start>work work>end"))
    started = bench.start("dated")
    clock.advance(timedelta(days=1))
    from webapp import db

    with db.transaction() as session:
        [task] = queries.open_tasks(session, started.instance_id)
    assert task.due_at == datetime(2026, 12, 2, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("PT90M", datetime(2026, 11, 25, 3, 30, tzinfo=UTC)),
        ("P1M", datetime(2026, 12, 25, 2, tzinfo=UTC)),
        ("2026-12-01", datetime(2026, 12, 1, 16, tzinfo=UTC)),
        (date(2026, 12, 1), datetime(2026, 12, 1, 16, tzinfo=UTC)),
        ("2026-12-01T09:00:00", datetime(2026, 12, 1, 1, tzinfo=UTC)),
        ("2026-12-01T09:00:00Z", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        ("R/2026-01-01T00:00:00Z/P1M", datetime(2026, 12, 1, 0, tzinfo=UTC)),
        (timedelta(hours=2), datetime(2026, 11, 25, 4, tzinfo=UTC)),
    ],
)
def test_due_time(written: Any, at: datetime) -> None:
    due = duetime.compute(written, WEDNESDAY)
    assert due is not None
    assert due.at == at


@pytest.mark.parametrize("written", ["soon", "P", "R3", "2026-13-01", "R/2026-01-01T00:00:00Z", "R/PT0S"])
def test_what_is_no_time_is_refused(written: str) -> None:
    with pytest.raises(Invalid):
        duetime.compute(written, WEDNESDAY)


def test_working_days_of_a_year_not_yet_decreed_are_provisional() -> None:
    due = duetime.compute("P5WD", datetime(2031, 5, 1, tzinfo=UTC))
    assert due is not None
    assert due.provisional
