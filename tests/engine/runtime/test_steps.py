"""Start, complete, end: rows written, one transaction, nothing half done."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from tests.engine.runtime.conftest import Bench
from tests.engine.runtime.models import TWO_TASKS, end, model, service, start, user
from webapp import db
from webapp.engine import queries
from webapp.engine.commands import CompleteTask, StartInstance, StepResult
from webapp.engine.errors import TaskNotOpen
from webapp.engine.handler_api import Actor, HandlerContext
from webapp.engine.tables import process_instance, user_task
from webapp.ids import uuid7


def _note(context: HandlerContext) -> dict[str, Any]:
    context.session.execute(text("insert into note values (:w)"), {"w": str(context.variables["amount"])})
    return {"noted": True}


@pytest.fixture
def two(bench: Bench, note: None) -> Bench:
    bench.handler("note", _note)
    bench.deploy(TWO_TASKS)
    return bench


def test_an_instance_runs_from_start_to_end(two: Bench, officer: Actor) -> None:
    started = two.start("two", {"who": "甲"}, business_key="BA-2026-0001")
    assert list(two.open(started.instance_id)) == ["apply"]
    reviewed = two.complete(two.open(started.instance_id)["apply"], officer, form_data={"amount": 150})
    assert two.rows("select words from note") == [("150",)]
    assert list(two.open(started.instance_id).values()) == list(reviewed.opened)
    done = two.complete(reviewed.opened[0], officer, variables={"result": "ok"})
    assert done.ended == "completed"
    assert two.status(started.instance_id) == "completed"
    assert two.passed(started.instance_id) == ["start", "apply", "choice", "note", "review", "end"]
    assert two.variables(started.instance_id) == {"who": "甲", "amount": 150, "noted": True, "result": "ok"}
    [(by, data)] = two.rows("select completed_by, form_data from user_task where element_id = 'apply'")
    assert by == officer.id
    assert data == {"amount": 150}


def test_restart_with_an_empty_cache_goes_on(two: Bench) -> None:
    started = two.start("two")
    two.restarted()
    two.complete(started.opened[0], variables={"amount": 5})
    two.restarted()
    assert two.complete(two.open(started.instance_id)["review"]).ended == "completed"


def test_a_rolled_back_step_leaves_nothing(two: Bench) -> None:
    started = two.start("two")

    def work(session: Session) -> None:
        two.engine.step(session, started.instance_id, CompleteTask(started.opened[0], {"amount": 500}), None)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        db.retrying(work)
    assert two.rows("select 1 from note") == []
    assert list(two.open(started.instance_id)) == ["apply"]
    assert two.variables(started.instance_id) == {}
    two.complete(started.opened[0], variables={"amount": 1})
    assert list(two.open(started.instance_id)) == ["review"]


def test_a_rolled_back_savepoint_leaves_no_dirty_execution(two: Bench) -> None:
    """Bulk completion puts each item under a savepoint; the cache must not keep what was taken back."""
    started = two.start("two")
    with db.transaction() as session:
        savepoint = session.begin_nested()
        two.engine.step(session, started.instance_id, CompleteTask(started.opened[0], {"amount": 500}), None)
        savepoint.rollback()
        session.execute(text("select 1"))
    two.complete(started.opened[0], variables={"amount": 1})
    assert two.variables(started.instance_id) == {"amount": 1}


def test_two_steps_in_one_transaction(two: Bench) -> None:
    with db.transaction() as session:
        started = two.engine.start(session, StartInstance("two"))
        result = two.engine.step(session, started.instance_id, CompleteTask(started.opened[0], {"amount": 1}))
        result = two.engine.step(session, started.instance_id, CompleteTask(result.opened[0]))
    assert result.ended == "completed"


def test_a_second_completion_is_told_who_and_when(two: Bench, officer: Actor, clock_at: Any) -> None:
    clock_at(datetime(2026, 11, 25, 2, tzinfo=UTC))
    started = two.start("two")
    two.complete(started.opened[0], officer, variables={"amount": 1})
    with pytest.raises(TaskNotOpen) as caught:
        two.complete(started.opened[0], variables={"amount": 2})
    assert caught.value.status == 409
    assert caught.value.detail["completed_by"] == officer.id
    ended_at = caught.value.detail["ended_at"]
    assert isinstance(ended_at, datetime)
    assert ended_at.replace(microsecond=0, second=0) == datetime(2026, 11, 25, 2, tzinfo=UTC)
    assert two.variables(started.instance_id) == {"amount": 1}


def test_two_people_at_once_one_wins(two: Bench, officer: Actor) -> None:
    started = two.start("two")
    both = threading.Barrier(2)
    outcomes: list[Any] = []

    def work(amount: int) -> None:
        both.wait()
        try:
            outcomes.append(two.complete(started.opened[0], officer, variables={"amount": amount}))
        except TaskNotOpen as error:
            outcomes.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in (200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lost = [o for o in outcomes if isinstance(o, TaskNotOpen)]
    assert len(outcomes) == 2
    assert len(lost) == 1
    assert lost[0].detail["completed_by"] == officer.id
    assert len(two.rows("select 1 from note")) == 1
    assert len(two.open(started.instance_id)) == 1


def test_a_deadlock_is_run_again_from_the_start(bench: Bench) -> None:
    """Two cases that end each other at the same moment: the database picks a victim, nobody sees an error."""
    meet = threading.Barrier(2)
    met: set[int] = set()

    def end_other(context: HandlerContext) -> None:
        if threading.get_ident() not in met:
            met.add(threading.get_ident())
            meet.wait()
        context.cancel_instance(others[context.instance_id], "互撤")

    bench.handler("end", end_other)
    bench.deploy(
        model(
            "rival", start(), user("go"), service("s", "end"), user("won"), end(), flows="start>go go>s s>won won>end"
        )
    )
    first, second = bench.start("rival"), bench.start("rival")
    others = {first.instance_id: second.instance_id, second.instance_id: first.instance_id}
    outcomes: list[Any] = []

    def work(task: StepResult) -> None:
        command = CompleteTask(task.opened[0])
        try:
            outcomes.append(db.retrying(lambda s: bench.engine.step(s, task.instance_id, command)))
        except TaskNotOpen as error:
            outcomes.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["StepResult", "TaskNotOpen"]
    assert sorted(bench.status(one.instance_id) for one in (first, second)) == ["active", "cancelled"]


def test_statements_of_a_whole_instance(two: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start and two completions with a gateway and a service task: at most 25 statements (SpiffArena: 317)."""
    two.complete(two.start("two").opened[0], variables={"amount": 500})  # the definition is compiled and cached
    seen: list[str] = []
    engine = db.engine()

    usual, short = psycopg.Cursor.execute, db.rows

    def counted(cursor: Any, statement: Any, *arguments: Any, **named: Any) -> Any:
        seen.append(str(statement))
        return usual(cursor, statement, *arguments, **named)

    def counted_too(connection: Any, sql: str, values: Any) -> Any:
        seen.append(sql)
        return short(connection, sql, values)

    monkeypatch.setattr(psycopg.Cursor, "execute", counted)
    monkeypatch.setattr(db, "rows", counted_too)
    listeners: dict[str, Any] = {
        "begin": lambda _c: seen.append("BEGIN"),
        "commit": lambda _c: seen.append("COMMIT"),
    }
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        done = _whole(two)
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)
    assert done.ended == "completed"
    assert any("SAVEPOINT" in statement for statement in seen)  # the handler's
    assert 12 <= len(seen) <= 17, seen


def test_bytes_of_log_of_a_whole_instance(two: Bench) -> None:
    """At most 15 KB of write-ahead log (SpiffArena: 59 to 63 KB), the mean of some instances."""
    position = "select pg_current_wal_insert_lsn() - '0/0'"
    _whole(two)
    [(before,)] = two.rows(position)
    for _ in range(20):
        _whole(two)
    [(after,)] = two.rows(position)
    assert (after - before) / 20 <= 15 * 1024


def _whole(two: Bench) -> StepResult:
    with db.transaction() as session:
        started = two.engine.start(session, StartInstance("two"))
    command = CompleteTask(started.opened[0], form_data={"amount": 500})
    with db.transaction() as session:
        reviewed = two.engine.step(session, started.instance_id, command)
    with db.transaction() as session:
        return two.engine.step(session, started.instance_id, CompleteTask(reviewed.opened[0]))


def test_the_inbox_row_tells_whose_it_is(bench: Bench) -> None:
    bench.deploy(
        model(
            "mine",
            start(),
            user("own", groups="lead"),
            user("both", groups="lead,office"),
            end(),
            flows="start>own own>both both>end",
        )
    )
    org = uuid7()
    started = bench.start("mine", org_id=org)
    bench.complete(started.opened[0])
    assert bench.rows("select element_id, org_id, case_org_id from user_task order by id") == [
        ("own", org, org),
        ("both", None, org),
    ]


def test_search_finds_chinese_by_two_characters(bench: Bench) -> None:
    bench.deploy(
        model(
            "filing",
            start(),
            user("apply"),
            end(),
            flows="start>apply apply>end",
            attributes='qianyin:title="unit + &quot;新增联合体企业&quot;" qianyin:searchable="unit names"',
        )
    )
    started = bench.start("filing", {"unit": "广州智造", "names": [{"name": "越秀软件"}]}, business_key="BA-2026-0187")
    with db.transaction() as session:
        for words in ("智造", "越秀软件", "BA-2026", "0187", "联合体企业 018", "新"):
            for table in (process_instance, user_task):
                found = session.scalars(select(table.c.id).where(queries.matches(table.c.search, words))).all()
                assert len(found) == 1, (table.name, words)
        assert not session.scalars(
            select(process_instance.c.id).where(queries.matches(process_instance.c.search, "深圳"))
        ).all()
        assert queries.instance(session, started.instance_id).title == "广州智造新增联合体企业"
