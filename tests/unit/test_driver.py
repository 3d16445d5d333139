"""The short way to the database gives what psycopg gives, and loses nothing on its way."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DataError, DBAPIError, OperationalError

from webapp import db, driver

ONE = UUID("01a211a4-d38b-798d-9b43-4b157bd6f96c")


@pytest.fixture
def connection(server):
    with driver.Connection.connect(server.url("postgres")) as connection:
        yield connection


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uuid", ONE),
        ("int8", 2**60),
        ("text", '牵引 100% "a" \\ {x}'),
        ("bool", True),
        ("bytea", b"\0\1\xff"),
        ("timestamptz", datetime(2026, 11, 25, 7, 30, 1, 5, tzinfo=UTC)),
        ("date", date(2026, 11, 25)),
        ("uuid[]", [ONE, ONE]),
        ("text[]", ["", "a,b", 'q"q', "back\\slash", "{}", "NULL", "牵 引"]),
        ("text", None),
        ("numeric", 2.5),  # a type that goes psycopg's way
    ],
)
def test_values_come_back_as_they_went(connection, kind, value):
    sql = f"select %(v)s::{kind}, 100 %% 7"
    for _ in range(2):  # prepared, then again
        assert driver.rows(connection, sql, {"v": value}) == [(value, 2)]
        connection.rollback()
    assert driver.rows(connection, "select %(a)s::uuid, %(b)s::text, %(a)s::uuid", {"a": ONE, "b": "x"}) == [
        (ONE, "x", ONE)
    ]


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_a_text_that_no_column_can_hold_is_refused_whole(connection, value):
    for given in (value, [value]):
        with pytest.raises((psycopg.DataError, UnicodeEncodeError)):
            driver.rows(connection, "select %(v)s", {"v": given})


def test_statements_last_over_a_rollback_to_a_savepoint_and_are_forgotten_when_there_are_many(connection):
    for _ in range(8):
        connection.execute("select 1", prepare=True)
        driver.rows(connection, "select %(v)s::text", {"v": "x"})
        connection.execute("savepoint here")
        connection.execute("rollback to savepoint here")
    for number in range(200):
        assert driver.rows(connection, f"select {number}", {}) == [(number,)]
    kept = connection.execute("select count(*) from pg_prepared_statements where name like 'qy_%'").fetchone()
    assert kept is not None
    assert kept[0] <= 150


def test_a_name_that_sql_does_not_know_is_not_used_again(connection):
    """PgBouncer prepares under names of its own and translates the protocol's messages only, not the SQL."""
    sql = "select %(v)s::uuid"
    assert driver.rows(connection, sql, {"v": ONE}) == [(ONE,)]
    connection.rollback()
    connection.pgconn.close_prepared(connection.kept[sql])
    for _ in range(2):
        assert driver.rows(connection, sql, {"v": ONE}) == [(ONE,)]
        connection.rollback()


def test_a_name_that_sql_does_not_know_when_psycopg_forgets_its_own_at_the_rollback(connection):
    sql = "select %(v)s::uuid"
    connection.execute("select 1", prepare=True)
    assert driver.rows(connection, sql, {"v": ONE}) == [(ONE,)]
    connection.commit()
    connection.pgconn.close_prepared(connection.kept[sql])
    assert driver.rows(connection, sql, {"v": ONE}) == [(ONE,)]


def test_a_statement_that_a_change_of_the_schema_has_spoilt_fails_once(connection):
    connection.execute("create table changed (n int)")
    connection.commit()
    sql = "select n from changed"
    assert driver.rows(connection, sql, {}) == []
    connection.commit()
    connection.execute("alter table changed alter n type text", prepare=False)
    connection.commit()
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        driver.rows(connection, sql, {})
    connection.rollback()
    assert driver.rows(connection, sql, {}) == []
    connection.execute("drop table changed", prepare=False)
    connection.commit()


def test_what_is_committed_is_there_and_what_is_not_is_not(connection, server):
    driver.rows(connection, "select %(v)s::uuid", {"v": ONE})  # begins
    connection.execute("create table kept (n int)")
    connection.commit()
    driver.rows(connection, "insert into kept values (1) returning n", {})
    connection.rollback()
    with psycopg.connect(server.url("postgres")) as other:
        assert other.execute("select count(*) from kept").fetchone() == (0,)
    connection.execute("drop table kept")
    connection.commit()


def test_errors_are_those_of_sqlalchemy_and_a_lost_connection_leaves_the_pool(database, session):
    with pytest.raises(DataError):
        db.direct(session, "select %(v)s::int", {"v": "x"})
    session.rollback()
    session.execute(text("select 1"))
    with pytest.raises(DBAPIError) as broken:
        db.direct(session, "select pg_terminate_backend(pg_backend_pid())", {})
    assert isinstance(broken.value, OperationalError)
    assert db.is_lost(broken.value)
    session.rollback()
    assert db.direct(session, "select 1", {}) == [(1,)]


def test_json_columns_are_written_as_the_program_wants_them(database, session):
    kinds = text("select cast(:v as jsonb)").bindparams(bindparam("v", type_=JSONB))
    assert session.scalar(kinds, {"v": {"amount": Decimal("1.50"), "at": date(2026, 11, 25)}}) == {
        "amount": "1.50",
        "at": "2026-11-25",
    }
