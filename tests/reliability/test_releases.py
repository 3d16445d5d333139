"""Every release's database, running cases and all, upgrades to this program, verifies clean and goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import zstandard
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from click.testing import CliRunner
from sqlalchemy import select, text

from webapp import clock, config, db, migrate
from webapp.accounts import service as accounts
from webapp.backup import making
from webapp.cli import main
from webapp.demo import play
from webapp.documents import storage
from webapp.engine import timers
from webapp.engine.tables import process_instance, user_task
from webapp.migrations import metadata
from webapp.postgres import Server

RELEASES = sorted((Path(__file__).parent / "releases").glob("*.sql.zst"))

#: What the review's form of these releases asks for.
REVIEWED = {
    "licence_verdict": "pass",
    "identity_verdict": "pass",
    "accounts_verdict": "pass",
    "credit_report_verdict": "pass",
    "review_opinion": "四项材料齐全、有效，与申报一致。",
    "correction_days": 5,
}


@pytest.fixture(params=RELEASES, ids=lambda path: path.name.removesuffix(".sql.zst"))
def released(request: pytest.FixtureRequest, server: Server, engine: Any) -> Iterator[str]:
    """The URL of a database as that release left it, not yet upgraded."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("drop database if exists released with (force)")
        connection.execute("create database released")
    with psycopg.connect(server.url("released"), autocommit=True) as connection:
        connection.execute(zstandard.ZstdDecompressor().decompress(request.param.read_bytes()))
    yield server.url("released")
    db.dispose()
    clock.clock.offset = timedelta()


def test_its_running_cases_go_on(released: str, engine: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    migrate.upgrade(released)
    db.configure(released, pool_size=4)
    with db.engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": metadata.include_object})
        assert compare_metadata(context, metadata.load()) == []
        constraint = "select conname from pg_constraint where not convalidated"
        assert connection.scalars(text(constraint)).all() == []

    t, p = user_task.c, process_instance.c
    open_review = (
        select(t.id, t.instance_id).where(t.element_id == "review", t.status == "open").order_by(t.id.desc()).limit(1)
    )
    with db.transaction() as session:
        office = accounts.find(session, "office")
        assert office is not None
        task = session.execute(open_review.limit(1)).one()
        before = session.execute(select(p.version).where(p.id == task.instance_id)).scalar_one()
        play.do(session, accounts.actor_of(office), task.instance_id, "review", REVIEWED, "pass")
    with db.transaction() as session:
        assert session.scalar(select(t.status).where(t.id == task.id)) == "completed"
        assert session.scalar(select(p.version).where(p.id == task.instance_id)) == before + 1

        waiting = session.execute(
            text("select id, instance_id, due_at from timer where instance_id is not null order by due_at, id limit 1")
        ).one()
    clock.clock.offset = timedelta()
    clock.clock.offset = max(waiting.due_at - clock.now(), timedelta()) + timedelta(seconds=1)
    assert timers.fire_due(engine) >= 1
    with db.transaction() as session:
        assert session.scalar(text("select count(*) from timer where id = :id"), {"id": waiting.id}) == 0

    monkeypatch.setenv("DATABASE_URL", released)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    verified = CliRunner().invoke(main, ["verify", "--no-documents"])
    assert verified.exit_code == 0, verified.output


def test_its_backup_restores_into_this_program(
    released: str, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, config: config.Config
) -> None:
    made = making.make(released, storage.store(), tmp_path / "old.tar", lambda _sentence: None)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("drop database if exists restored with (force)")
        connection.execute("create database restored")
    monkeypatch.setenv("DATABASE_URL", server.url("restored"))
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    restored = CliRunner().invoke(main, ["restore", str(tmp_path / "old.tar")])
    storage.configure(config)
    assert restored.exit_code == 3, restored.output  # the documents themselves are no part of the fixture
    kinds = {line.split("\t")[0] for line in restored.output.splitlines() if "\t" in line}
    assert kinds == {"document"}
    with psycopg.connect(server.url("restored")) as connection:
        [(count,)] = connection.execute("select count(*) from process_instance").fetchall()
        assert count == made.tables["process_instance"][0]
        with db.engine().connect() as current:
            assert migrate.is_current(current)
