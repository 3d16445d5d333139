"""Issue 6: a batch whose worker is killed in the middle, twice, finishes; each instance is touched exactly once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.browser.product import waited
from tests.engine.runtime.models import end, model, start, user
from tests.support import make_account
from webapp import db
from webapp.accounts.service import actor_of
from webapp.batches import running, service
from webapp.config import ROOT
from webapp.engine import deployment
from webapp.engine.commands import StartInstance
from webapp.engine.handler_api import hooks

CASES = 60
LOCKED = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
MODEL = model("letter", start(), user("draft"), user("sign"), end(), flows="start>draft draft>sign sign>end")


@pytest.fixture
def prepared(engine: Any, empty_database: Callable[[], str]) -> Iterator[str]:
    """The URL of a database with a batch of moves over sixty cases that has just been confirmed."""
    url = empty_database()
    before = db.current_url()
    db.configure(url, pool_size=4)
    with db.transaction() as session:
        deployment.deploy(session, "letter", {"letter.bpmn": MODEL}, hooks=hooks)
        actor = actor_of(make_account(session, "manager", password="Qianyin-2026-test"))
        made = [engine.start(session, StartInstance(key="letter"), actor).instance_id for _ in range(CASES)]
        batch = service.create(session, actor, made, "全部")
        service.look(session, actor, batch.id, "move", {"element": "draft", "target": "sign"})
    running.drain()
    with db.transaction() as session:
        service.start(session, actor, batch.id, "合并办理", str(CASES))
    yield url
    if before:
        db.configure(before, pool_size=6)


@contextmanager
def worker(url: str, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The job worker, in a session of its own; killed at the end with all that it began."""
    environment = {**os.environ, "DATABASE_URL": url, "DATA_DIR": str(directory), "DEMO": "0"}
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "webapp.cli", "worker"],
            env=environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def held(url: str, position: int) -> Iterator[None]:
    """Keep one instance of the batch locked, so that whoever takes it waits in the middle."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "select 1 from process_instance i join batch_item b on b.instance_id = i.id where b.position = %s"
            " for update of i",
            (position,),
        )
        yield


def test_a_killed_batch_finishes_and_touches_each_instance_once(prepared: str, tmp_path: Path) -> None:
    with psycopg.connect(prepared, autocommit=True) as connection:

        def count(query: str) -> int:
            found = connection.execute(query).fetchone()
            return int(found[0]) if found else 0

        for position in (20, 40):  # killed in the middle of the transaction of this instance
            with held(prepared, position), worker(prepared, tmp_path) as process:
                waited(lambda: count(LOCKED), f"waits for {position}: {(tmp_path / 'log').read_text()}")
                assert count("select count(*) from batch_item where status = 'done'") == position - 1
                os.killpg(process.pid, signal.SIGKILL)
        with worker(prepared, tmp_path):
            waited(lambda: count("select count(*) from batch where status = 'done'"), "the end of the batch")
        assert count("select count(*) from user_task where status = 'open' and element_id = 'sign'") == CASES
        assert count("select count(distinct instance_id) from audit where action = 'instance.move'") == CASES
        assert count("select count(*) from audit where action = 'instance.move'") == CASES
        assert count("select count(*) from batch_item where status <> 'done'") == 0
