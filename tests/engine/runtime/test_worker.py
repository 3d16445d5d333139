"""The worker as a process of its own: works, stops when told, and is made good for when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.engine.runtime.models import boundary, end, model, service, start, timer, user
from webapp import db, worker
from webapp.config import ROOT
from webapp.engine import deployment
from webapp.engine.commands import StartInstance
from webapp.engine.handler_api import Hooks, Registered
from webapp.engine.runtime import Engine

#: A worker process with one external handler that writes down each call and takes as long as its variable says.
PROGRAM = """
import pathlib, signal, sys, threading, time
from webapp import config, db, worker
from webapp.engine import runtime
from webapp.engine.handler_api import Hooks, Registered
settings = config.load()
def slow(context):
    with open(sys.argv[1], "a") as file:
        file.write(f"{context.job_id}\\n")
    time.sleep(context.variables["seconds"])
    return {"slow": "done"}
hooks = Hooks()
hooks.handlers["slow"] = Registered(slow, True, {}, {}, "")
db.configure(settings.database_url)
runtime.install(runtime.Engine(hooks, frozenset(), lambda session, name: None))
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
worker.run(settings, stop)
"""
SLOW = model("slow", start(), service("work", "slow"), user("look"), end(), flows="start>work work>look look>end")


class Site:
    """A database of its own, and workers on it."""

    def __init__(self, url: str, directory: Path) -> None:
        self.url, self.calls = url, directory / "calls"
        self.calls.touch()
        self.environment = {
            **os.environ,
            "DATABASE_URL": url,
            "DATA_DIR": str(directory),
            "DEMO": "0",
            "PYTHONPATH": str(ROOT),
        }
        self.processes: list[subprocess.Popen[bytes]] = []
        hooks = Hooks()
        hooks.handlers["slow"] = Registered(lambda context: None, True, {}, {}, "")
        self.engine = Engine(hooks, frozenset(), lambda session, name: None)
        db.configure(url, pool_size=3)
        with db.transaction() as session:
            deployment.deploy(session, "slow", {"slow.bpmn": SLOW}, hooks=hooks)

    def worker(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(self.calls)], env=self.environment)
        self.processes.append(process)
        return process

    def start(self, seconds: float, key: str = "slow") -> None:
        with db.transaction() as session:
            self.engine.start(session, StartInstance(key, variables={"seconds": seconds}))

    def rows(self, sql: str) -> list[Any]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(sql.encode()).fetchall()

    def until(self, sql: str, wanted: list[Any]) -> None:
        """Wait for what must happen; the whole run's limit ends a wait that never does."""
        while self.rows(sql) != wanted:
            assert all(process.poll() in (None, 0, -signal.SIGKILL) for process in self.processes)
            time.sleep(0.1)

    def called(self) -> list[str]:
        return self.calls.read_text().split()


@pytest.fixture
def site(empty_database: Callable[[], str], tmp_path: Path) -> Iterator[Site]:
    site = Site(empty_database(), tmp_path)
    yield site
    for process in site.processes:
        if process.poll() is None:
            process.kill()
            process.wait()
    db.dispose()


OPEN = "select element_id from user_task where status = 'open'"


def test_a_worker_does_jobs_and_timers_and_stops_when_told(site: Site) -> None:
    """SIGTERM in the middle of a job: the job is finished first, nothing is left in the queue."""
    late = model(
        "late",
        start(),
        user("work"),
        boundary("due", "work", timer("timeDuration", "PT1S")),
        user("remind"),
        end(),
        flows="start>work work>end due>remind remind>end",
    )
    with db.transaction() as session:
        deployment.deploy(session, "late", {"late.bpmn": late}, hooks=site.engine.hooks)
    site.start(0, "late")
    process = site.worker()
    site.until(OPEN, [("remind",)])
    site.start(2)
    while not site.called():
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0
    assert sorted(site.rows(OPEN)) == [("look",), ("remind",)]
    assert site.rows("select 1 from procrastinate_jobs") == []
    assert len(site.called()) == 1


def test_a_killed_workers_job_is_done_by_the_next(site: Site) -> None:
    """kill -9 in the middle of an external handler: run again with the same key, its result recorded once."""
    site.start(600)
    first = site.worker()
    while not site.called():
        time.sleep(0.05)
    first.kill()
    first.wait()
    assert site.rows("select status::text from procrastinate_jobs") == [("doing",)]
    # The dead worker's last sign of life grows old; and this time the work is quick.
    site.rows("update procrastinate_workers set last_heartbeat = now() - interval '1 hour' returning 1")
    site.rows("update job set variables = '{\"seconds\": 0}' returning 1")
    site.worker()
    site.until(OPEN, [("look",)])
    assert len(site.called()) == 2
    assert len(set(site.called())) == 1
    assert site.rows("select count(*) from activity_history where element_id = 'work'") == [(1,)]


def test_stalled_jobs_are_taken_back(site: Site) -> None:
    site.start(0)
    site.rows("select id from procrastinate_fetch_job_v2(NULL, NULL)")
    assert site.rows("select status::text from procrastinate_jobs") == [("doing",)]
    assert db.retrying(worker.requeue_stalled) == 1
    assert site.rows("select status::text from procrastinate_jobs") == [("todo",)]
    assert db.retrying(worker.requeue_stalled) == 0
    assert worker.drain(site.engine) == 1
