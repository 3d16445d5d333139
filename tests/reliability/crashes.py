"""Killing parts of the running product at chosen moments, and clients that go on as people and programs do."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import requests

from tests.browser.product import Product, waited
from webapp.demo.people import PASSWORD
from webapp.postgres import Server

#: Seconds that one answer may take on a busy machine.
PATIENCE = 120
#: Answers after which a client tries again: it was refused for now, or a proxy found nobody.
TRY_AGAIN = {502, 503}
_OPEN = (
    "select count(*) from pg_stat_activity where backend_type = 'client backend' and datname = current_database()"
    " and pid <> pg_backend_pid() and state <> 'idle'"
    " and not pid = any(%s::int[]) and not pg_blocking_pids(pid) && %s::int[]"
)
_BUSY = (
    "select count(*) from procrastinate_jobs where queue_name <> 'external' and status in ('todo', 'doing')"
    " and scheduled_at is null"
)
_BLOCKED = "select count(*) from pg_stat_activity where %s = any(pg_blocking_pids(pid))"
_COMMITTING = "select count(*) from pg_stat_activity where wait_event = 'SyncRep' and upper(left(query, 6)) = 'COMMIT'"


@dataclass(frozen=True)
class Crash:
    """What is killed when, seen from one request.

    when: before | middle (after `delay` seconds) | held (it has to wait for `lock`, nothing is committed) |
    committed (its commit is durable, its answer not sent) | after. victim: web (one of the processes) | webs (all of
    them) | master | worker | database.
    """

    when: str
    victim: str
    lock: str = "lock table activity_history in share mode"


@dataclass
class Crasher:
    """Kills processes of a product by their ids.

    `tally`: (when, victim) -> how often; `lost`: answers that never came, by the first part of their path.
    """

    product: Product
    random: Random
    tally: Counter[tuple[str, str]] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    #: the backends that hold a lock for us
    holders: list[int] = field(default_factory=list)

    # ---- processes

    def master(self) -> int | None:
        """The gunicorn master, the child of the supervisor."""
        found = [pid for pid in self.product.pids("gunicorn") if _parent(pid) == self.product.process.pid]
        return found[0] if found else None

    def webs(self) -> list[int]:
        """The gunicorn workers."""
        master = self.master()
        return [pid for pid in self.product.pids("gunicorn") if master is not None and _parent(pid) == master]

    def pids(self, victim: str) -> list[int]:
        """Whom to kill; waits until there is somebody (an earlier crash may not be over)."""

        def now() -> list[int]:
            if victim in {"web", "webs"}:
                webs = self.webs()
                return self.random.sample(webs, 1 if victim == "web" else len(webs)) if len(webs) == 2 else []
            if victim == "master":
                return [pid] if (pid := self.master()) else []
            if victim == "worker":
                return self.product.pids("webapp.cli\0worker")
            return [pid] if (pid := Server(self.product.data_dir / "postgres").pid()) else []

        found: list[int] = waited(now, f"a {victim} to kill\n{self.product.said()[-3000:]}")
        return found

    def kill(self, when: str, victim: str, pids: list[int] | None = None) -> None:
        """SIGKILL; counted."""
        for pid in self.pids(victim) if pids is None else pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.tally[when, victim] += 1

    # ---- the database, looked at from outside

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query; waits for a database that is being started again."""
        for _ in range(1000):
            try:
                return self.product.rows(query, *values)
            except psycopg.OperationalError:
                time.sleep(0.1)
        raise AssertionError("the database does not come back")

    def value(self, query: str, *values: Any) -> Any:
        """The one value of a query."""
        return self.rows(query, *values)[0][0]

    def settled(self) -> None:
        """Wait until no transaction is under way (but ours, and those that wait for it): what a killed process began
        is committed or gone."""
        waited(lambda: self.value(_OPEN, self.holders, self.holders) == 0, "every transaction has ended")

    def idle(self) -> None:
        """Wait until the worker has nothing to do for an instance, so that whatever is blocked next is the request."""
        waited(lambda: self.value(_BUSY) == 0, "the worker is idle")
        self.settled()

    @contextmanager
    def held(self, lock: str) -> Iterator[Callable[[], bool]]:
        """Hold a lock; gives a function that tells whether somebody waits for it."""
        holder = self.product.database()
        pid = holder.info.backend_pid
        self.holders.append(pid)
        try:
            holder.autocommit = False
            holder.execute(lock)
            yield lambda: self.value(_BLOCKED, pid) > 0
        finally:
            self.holders.remove(pid)
            holder.close()  # which ends its transaction, if the server has not ended it

    @contextmanager
    def uncertain(self) -> Iterator[Callable[[], bool]]:
        """Let every commit become durable but wait for a standby that does not exist, until the block ends.

        Gives a function that tells whether a commit waits. Whoever is killed in it has committed and told nobody.
        """
        try:
            self._standby("nobody")
            yield lambda: self.value(_COMMITTING) > 0
        finally:
            self._standby("")

    def _standby(self, name: str) -> None:
        self.value("select 1")  # the database is there
        with self.product.database() as connection:
            connection.execute(f"alter system set synchronous_standby_names = '{name}'")
            connection.execute("select pg_reload_conf()")
        waited(lambda: self.value("show synchronous_standby_names") == name, "the setting is read")

    # ---- the worker

    def kill_worker_when_blocked(self, blocked: Callable[[], bool], what: str) -> None:
        """Kill the job worker in the middle of a transaction."""
        waited(blocked, f"the worker is in the middle of {what}")
        self.kill(what, "worker")


def _parent(pid: int) -> int:
    try:
        return int(
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[1]
        )
    except OSError:
        return 0


class NoAnswer(Exception):
    """The connection was refused or broke before there was an answer."""


@dataclass
class Client:
    """A person at a browser without scripts, or a program with credentials. It never believes what it was not told."""

    crasher: Crasher
    name: str
    session: requests.Session = field(default_factory=requests.Session)
    token: str = ""

    def sign_in(self) -> None:
        """By the form of the page."""
        self.page("/login")
        data = {"username": self.name, "password": PASSWORD, "csrf_token": self.token}
        answer = self.send("POST", "/login", data=data)
        assert not answer.url.endswith("/login"), answer.text[:2000]
        self.page("/account")

    def page(self, path: str) -> str:
        """A page, as often as it takes; its CSRF token is kept."""
        text = self.send("GET", path).text
        if found := re.search(r'name="csrf-token" content="([^"]+)"', text):
            self.token = found[1]
        return text

    @property
    def credentials(self) -> tuple[str, str]:
        """What a program signs in with."""
        return self.name, PASSWORD

    def rest(self, path: str, **query: str) -> Any:
        """What `/engine-rest` gives."""
        return self.send("GET", f"/engine-rest/{path}", params=query, auth=self.credentials).json()

    def send(
        self,
        method: str,
        path: str,
        *,
        crash: Crash | None = None,
        done: Callable[[], bool] | None = None,
        fine: tuple[int, ...] = (200, 201, 204),
        **request: Any,
    ) -> requests.Response:
        """Send until there is an answer. `done`: is it done though nobody said so? Then `NoAnswer` is raised.

        A 409 to a repeated request is `NoAnswer` too, if it is done.
        """
        for attempt in range(400):
            try:
                answer = (
                    self._crashing(crash, method, path, request) if attempt == 0 else self._once(method, path, request)
                )
            except NoAnswer:
                self.crasher.lost[path.split("/")[1] if attempt == 0 and crash else "repeated"] += 1
                self.crasher.settled()
            else:
                if answer.status_code in fine:
                    return answer
                told = f"{method} {path}: {answer.status_code} {answer.text[:300]}"
                if answer.status_code == 409 and attempt and done is not None:
                    assert done(), told
                    raise NoAnswer
                assert answer.status_code in TRY_AGAIN, f"{told}\n{self.crasher.product.said()[-6000:]}"
            if done is not None and done():
                raise NoAnswer
            time.sleep(min(0.05 * (attempt + 1), 0.5))
        raise AssertionError(f"no answer to {method} {path}\n{self.crasher.product.said()[-3000:]}")

    def _once(self, method: str, path: str, request: Mapping[str, Any]) -> requests.Response:
        if "files" in request:
            request = {**request, "files": {k: (name, content) for k, (name, content) in request["files"].items()}}
        try:
            return self.session.request(method, self.crasher.product.address + path, timeout=PATIENCE, **request)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise NoAnswer from error

    def _crashing(self, crash: Crash | None, method: str, path: str, request: Mapping[str, Any]) -> requests.Response:
        """The request, with what is killed around it. Errors: NoAnswer."""
        if crash is None:
            return self._once(method, path, request)
        crasher = self.crasher
        pids = crasher.pids(crash.victim)
        if crash.when == "before":
            crasher.kill("before", crash.victim, pids)
            return self._once(method, path, request)
        if crash.when == "after":
            answer = self._once(method, path, request)
            crasher.kill("after", crash.victim, pids)
            return answer
        answers: list[requests.Response | None] = []
        thread = threading.Thread(target=self._into, args=(answers, method, path, request))
        if crash.when == "middle":
            thread.start()
            time.sleep(crasher.random.uniform(0.0, 0.06))
            crasher.kill("middle", crash.victim, pids)
            thread.join()
        else:
            crasher.idle()
            moment = crasher.held(crash.lock) if crash.when == "held" else crasher.uncertain()
            with moment as reached:
                thread.start()
                waited(lambda: reached() or answers, f"{path} is {crash.when}")
                assert not answers, f"{path} was answered before it could be {crash.when}: {answers[0]}"
                crasher.kill(crash.when, crash.victim, pids)
                waited(lambda: answers, "the broken connection is noticed")
            thread.join()
        if answers[0] is None:
            raise NoAnswer
        # Whoever loses the database alone says so.
        assert crash.when == "middle" or answers[0].status_code in TRY_AGAIN, answers[0].text[:2000]
        return answers[0]

    def _into(
        self, answers: list[requests.Response | None], method: str, path: str, request: Mapping[str, Any]
    ) -> None:
        try:
            answers.append(self._once(method, path, request))
        except NoAnswer:
            answers.append(None)
