"""Looking before a step: one statement serves the look and the step, and never a look that is out of date."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import ColumnElement, literal, text, true
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from tests.engine.runtime.conftest import Bench
from tests.engine.runtime.models import TWO_TASKS
from webapp import db
from webapp.engine import holding
from webapp.engine.commands import CompleteTask, SetVariables
from webapp.engine.tables import user_task


@pytest.fixture
def two(bench: Bench) -> Bench:
    bench.handler("note", lambda context: None)
    bench.deploy(TWO_TASKS)
    return bench


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent to the database from now on."""
    seen: list[str] = []
    usual, short = psycopg.Cursor.execute, db.rows

    def counted(cursor: Any, statement: Any, *arguments: Any, **named: Any) -> Any:
        seen.append(str(statement))
        return usual(cursor, statement, *arguments, **named)

    def counted_too(connection: Any, sql: str, values: Any) -> Any:
        seen.append(sql)
        return short(connection, sql, values)

    monkeypatch.setattr(psycopg.Cursor, "execute", counted)
    monkeypatch.setattr(db, "rows", counted_too)
    return seen


def _hold(session: Session, task_id: UUID, allowed: ColumnElement[bool] | None = None) -> holding.TaskRow | None:
    return holding.hold(session, holding.reading(true() if allowed is None else allowed, literal(7)), task_id)


def test_the_look_serves_the_step(two: Bench, statements: list[str]) -> None:
    started = two.start("two", {"amount": 1})
    statements.clear()
    with db.transaction() as session:
        row = _hold(session, started.opened[0])
        assert row is not None
        assert (row.id, row.instance_id, row.element_id) == (started.opened[0], started.instance_id, "apply")
        assert (row.status, row.asked) == ("open", 7)
        two.engine.step(session, row.instance_id, CompleteTask(row.id))
    assert len(statements) == 2, statements
    assert list(two.open(started.instance_id)) == ["review"]


def test_a_step_after_the_cache_was_emptied_reads_the_state(two: Bench) -> None:
    started = two.start("two", {"amount": 1})
    engine = two.restarted()
    with db.transaction() as session:
        assert _hold(session, started.opened[0])
        engine.step(session, started.instance_id, CompleteTask(started.opened[0]))
    assert list(two.open(started.instance_id)) == ["review"]
    assert two.variables(started.instance_id)["amount"] == 1


def test_a_step_in_between_makes_the_look_out_of_date(two: Bench) -> None:
    started = two.start("two", {"amount": 1})
    with db.transaction() as session:
        assert _hold(session, started.opened[0])
        two.engine.step(session, started.instance_id, SetVariables({"amount": 5}, "补正"))
        two.engine.step(session, started.instance_id, CompleteTask(started.opened[0]))
    [(version,)] = two.rows("select version from process_instance")
    assert version == 3
    assert two.variables(started.instance_id)["amount"] == 5


def test_a_look_in_a_savepoint_that_was_rolled_back_is_forgotten(two: Bench, statements: list[str]) -> None:
    """The lock may be gone, and with it what was read under it."""
    started = two.start("two", {"amount": 1})
    with db.transaction() as session:
        savepoint = session.begin_nested()
        assert _hold(session, started.opened[0])
        savepoint.rollback()
        statements.clear()
        two.engine.step(session, started.instance_id, CompleteTask(started.opened[0]))
        assert "FOR NO KEY UPDATE" in statements[0]


def test_what_the_rule_does_not_allow_is_not_there(two: Bench) -> None:
    started = two.start("two", {"amount": 1})
    with db.transaction() as session:
        assert _hold(session, started.opened[0], user_task.c.element_id == "review") is None
        assert _hold(session, started.instance_id) is None  # the id of no task


def test_the_drivers_errors_are_those_that_an_edge_repeats(session: Session) -> None:
    session.execute(
        text(
            "create function pg_temp.stuck() returns int language plpgsql as"
            " $$ begin raise 'deadlock' using errcode = '40P01'; end $$"
        )
    )
    with pytest.raises(OperationalError) as caught:
        db.direct(session, "select pg_temp.stuck()", {})
    assert db.is_retryable(caught.value)
    session.rollback()
    with pytest.raises(DBAPIError) as caught_other:
        db.direct(session, "select 1 / %(by)s", {"by": 0})
    assert not db.is_retryable(caught_other.value)


def test_a_broken_connection_leaves_the_pool(session: Session) -> None:
    [(victim,)] = db.direct(session, "select pg_backend_pid()", {})
    with db.engine().connect() as other:
        other.execute(text("select pg_terminate_backend(:pid)"), {"pid": victim})
    with pytest.raises(DBAPIError):
        db.direct(session, "select 1", {})
    session.rollback()
    [(fresh,)] = db.direct(session, "select pg_backend_pid()", {})
    assert fresh != victim


def test_a_statement_whose_text_depends_on_its_values_is_refused() -> None:
    with pytest.raises(ValueError, match="depends on its values"):
        holding.reading(user_task.c.element_id.in_(["a", "b"]), literal(1))
