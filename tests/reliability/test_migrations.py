"""The schema that migrations make is the one that the program describes, and histories cannot be rewritten."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from webapp import db, migrate
from webapp.ids import uuid7
from webapp.migrations import metadata, partitions
from webapp.postgres import Server


def test_migrated_schema_equals_the_models(database):
    with db.engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": metadata.include_object})
        assert compare_metadata(context, metadata.load()) == []
        assert migrate.is_current(connection)


def test_two_processes_may_migrate_at_once(server: Server):
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("drop database if exists twice")
        connection.execute("create database twice")
    failures: list[BaseException] = []

    def run() -> None:
        try:
            migrate.upgrade(server.url("twice"))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    engine = create_engine(db.sqlalchemy_url(server.url("twice")))
    with engine.connect() as connection:
        assert migrate.is_current(connection)
        assert connection.scalar(text("select count(*) from activity_history_default")) == 0
    engine.dispose()


@pytest.mark.parametrize("statement", ["update audit set action = 'x'", "delete from audit", "truncate audit"])
def test_audit_trail_cannot_be_rewritten(database, session: Session, statement):
    session.execute(text("insert into audit (at, action) values (now(), 'login')"))
    session.commit()
    with pytest.raises(Exception, match="insert-only"):
        session.execute(text(statement))


def test_history_goes_to_the_partition_of_its_month_and_stays(database, session: Session):
    row = {"id": uuid7(), "i": uuid7(), "at": datetime.now(UTC)}
    session.execute(
        text(
            "insert into activity_history (id, ended_at, instance_id, node, element_id, element_name, element_type,"
            " started_at) values (:id, :at, :i, :i, 'review', '审核', 'userTask', :at)"
        ),
        row,
    )
    session.commit()
    where = session.scalar(text("select tableoid::regclass::text from activity_history"))
    assert where == f"activity_history_{row['at']:%Y_%m}"
    with pytest.raises(Exception, match="insert-only"):
        session.execute(text("delete from activity_history"))


def test_partitions_are_made_once_and_leave_the_default_ones_months_alone(empty_database):
    engine = create_engine(db.sqlalchemy_url(empty_database()))
    with engine.begin() as connection:
        first = date(2039, 11, 1)
        assert partitions.ensure(connection, first, 3) == [
            "activity_history_2039_11",
            "activity_history_2039_12",
            "activity_history_2040_01",
        ]
        assert partitions.ensure(connection, first, 3) == []
        insert = (
            "insert into activity_history (id, ended_at, instance_id, node, element_id, element_name, element_type,"
            " started_at) values (gen_random_uuid(), :at, gen_random_uuid(), gen_random_uuid(), 'a', '', 'task', :at)"
        )
        connection.execute(text(insert), {"at": datetime(2040, 3, 5, tzinfo=UTC)})
        assert partitions.ensure(connection, date(2040, 2, 1), 2) == ["activity_history_2040_02"]
    engine.dispose()
