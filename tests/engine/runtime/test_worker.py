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
from webapp import db, worker, worker_rounds
from webapp.config import ROOT
from webapp.engine import deployment, jobs
from webapp.engine.commands import StartInstance
from webapp.engine.handler_api import Hooks, Registered
from webapp.engine.runtime import Engine

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
            "CALLS": str(self.calls),
        }
        self.processes: list[subprocess.Popen[bytes]] = []
        hooks = Hooks()
        hooks.handlers["slow"] = Registered(lambda context: None, True, {}, {}, "")
        self.engine = Engine(hooks, frozenset(), lambda session, name: None)
        db.configure(url, pool_size=3)
        with db.transaction() as session:
            deployment.deploy(session, "slow", {"slow.bpmn": SLOW}, hooks=hooks)

    def worker(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.engine.runtime.slow_worker"]
        process = subprocess.Popen(command, env=self.environment, cwd=ROOT)
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
        """The key of each call."""
        return self.calls.read_text().split()[::2]

    def callers(self) -> list[int]:
        """The process of each call."""
        return [int(pid) for pid in self.calls.read_text().split()[1::2]]


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
    [caller] = site.callers()
    while Path(f"/proc/{caller}").exists():  # the handler's process leaves with its worker
        time.sleep(0.05)
    # The dead worker's last sign of life grows old; and this time the work is quick.
    site.rows("update procrastinate_workers set last_heartbeat = now() - interval '1 hour' returning 1")
    site.rows("update job set variables = '{\"seconds\": 0}' returning 1")
    site.worker()
    site.until(OPEN, [("look",)])
    assert len(site.called()) == 2
    assert len(set(site.called())) == 1
    assert site.rows("select count(*) from activity_history where element_id = 'work'") == [(1,)]


def test_a_job_that_the_queue_has_given_up_is_taken_up_again(site: Site) -> None:
    """The database was away at the last attempt: nobody could write down that it failed."""
    site.start(0)
    assert db.retrying(jobs.release_lost) == 0
    site.rows("delete from procrastinate_jobs returning 1")
    assert worker.drain(site.engine) == 0
    assert db.retrying(jobs.release_lost) == 1
    assert worker.drain(site.engine) == 1
    assert site.rows(OPEN) == [("look",)]


def test_a_job_that_its_living_worker_does_not_have_is_taken_back(site: Site) -> None:
    """The answer to its fetch, or to its end, was lost on the way."""
    site.start(0)
    [(worker_id,)] = site.rows("select procrastinate_register_worker_v1()")
    [(job_id,)] = site.rows(f"select id from procrastinate_fetch_job_v2(NULL, {worker_id})")
    holding = worker_rounds.Holding()
    holding.worker_id = worker_id
    holding.jobs.add(job_id)
    look = lambda: db.retrying(lambda session: worker_rounds.requeue_missing(session, holding))  # noqa: E731
    assert [look() for _ in range(5)] == [0] * 5
    holding.jobs.clear()
    assert [look() for _ in range(4)] == [0, 0, 1, 0]
    assert worker.drain(site.engine) == 1


def test_stalled_jobs_are_taken_back(site: Site) -> None:
    site.start(0)
    site.rows("select id from procrastinate_fetch_job_v2(NULL, NULL)")
    assert site.rows("select status::text from procrastinate_jobs") == [("doing",)]
    assert db.retrying(worker_rounds.requeue_stalled) == 1
    assert site.rows("select status::text from procrastinate_jobs") == [("todo",)]
    assert db.retrying(worker_rounds.requeue_stalled) == 0
    assert worker.drain(site.engine) == 1
