"""Several web and worker processes on one PostgreSQL, as on several machines: each with a data directory of its own.

Whatever is killed is started again at once, as systemd or a container's host would do.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import psycopg
from psycopg import sql

from tests import support_s3
from tests.browser.product import waited
from tests.reliability import site
from tests.support import free_port, make_account
from webapp.config import ROOT
from webapp.postgres import Server

USER, PASSWORD = "clerk", "Qianyin-2026-test"


@dataclass
class Node:
    """A process that is started again when it ends, with a directory of its own."""

    kind: str  # web | worker
    command: list[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def keep(self) -> None:
        """Start it unless it runs."""
        if self.process is None or self.process.poll() is not None:
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    self.command, env=dict(self.environment), cwd=ROOT, stdout=log, stderr=log, start_new_session=True
                )

    @property
    def port(self) -> int:
        return int(self.environment["PORT"])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def victims(self, what: str) -> list[int]:
        """Processes to kill: itself (`worker`, `master`), a web process, or one that runs handlers."""
        if self.process is None:
            return []
        own = self.process.pid
        if what == "web":
            return _children(own)
        if what == "handlers":
            return [pid for child in _children(own) for pid in _children(child)]
        return [own]

    def health(self) -> int:
        """The status of its /healthz; 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.address}/healthz") as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0


def _children(pid: int) -> list[int]:
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return []
    return [int(child) for child in found]


@dataclass
class Cluster:
    """The database, the nodes, and a thread that keeps them running."""

    server: Server
    url: str
    nodes: list[Node]
    random: Random
    killed: Counter[str] = field(default_factory=Counter)
    _stop: threading.Event = field(default_factory=threading.Event)

    def of(self, kind: str) -> list[Node]:
        return [node for node in self.nodes if node.kind == kind]

    def keep(self) -> None:
        """Start what has ended, until `stop`. A thread's business: children leave with the thread that began them."""
        while not self._stop.is_set():
            for node in self.nodes:
                node.keep()
            self._stop.wait(0.1)
        for node in self.nodes:
            if node.process is not None:
                with suppress(ProcessLookupError):
                    os.killpg(node.process.pid, signal.SIGKILL)
                node.process.wait()

    def stop(self) -> None:
        self._stop.set()

    def kill(self, what: str) -> None:
        """SIGKILL to a random process: web | master | worker | handlers."""
        nodes = self.of("web" if what in {"web", "master"} else "worker")
        pids = waited(lambda: [pid for node in nodes for pid in node.victims(what)], f"a {what} to kill")
        with suppress(ProcessLookupError):
            os.kill(self.random.choice(pids), signal.SIGKILL)
        self.killed[what] += 1

    def end(self, node: Node) -> None:
        """SIGKILL to one node's own process."""
        for pid in node.victims(node.kind):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Hold a table, so that whoever writes it has to wait."""
        with psycopg.connect(self.url) as connection:
            connection.execute(sql.SQL("lock table {}").format(sql.Identifier(table)))
            yield

    def ready(self) -> bool:
        """Whether all web processes say that all is well, and all workers beat."""
        return all(node.health() == 200 for node in self.of("web")) and self.workers() >= len(self.of("worker"))

    def workers(self) -> int:
        beating = "select count(*) from procrastinate_workers where last_heartbeat > now() - interval '10 s'"
        return int(self.rows(beating)[0][0])

    def said(self) -> str:
        """The end of what each node logged."""
        return "\n".join(
            f"--- {node.log.name}\n{node.log.read_text(encoding='utf-8', errors='replace')[-1500:]}"
            for node in self.nodes
        )

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query, values).fetchall()

    def settled(self) -> None:
        """Wait until every transaction that is open now has ended: what a killed process began is done or undone."""
        [(now,)] = self.rows("select clock_timestamp()")
        older = (
            "select count(*) from pg_stat_activity where backend_type = 'client backend' and state <> 'idle'"
            " and pid <> pg_backend_pid() and datname = current_database() and xact_start < %s"
        )
        waited(lambda: self.rows(older, now) == [(0,)], "the transactions of a killed process have ended")


def _prepare(url: str) -> None:
    from webapp import composition, db, migrate
    from webapp.engine import deployment
    from webapp.engine.handler_api import hooks

    migrate.upgrade(url)
    db.configure(url, pool_size=2)
    composition.build_engine()
    with db.transaction() as session:
        make_account(session, "office", password=PASSWORD, username=USER)
        deployment.deploy(session, "ledger", {"ledger.bpmn": site.MODEL}, hooks=hooks)
    db.dispose()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(site.TABLE)


def _node(kind: str, number: int, url: str, directory: Path, more: Mapping[str, str]) -> Node:
    data = directory / f"{kind}{number}"
    data.mkdir()
    environment = {
        **os.environ,
        **more,
        "DATABASE_URL": url,
        "DATA_DIR": str(data),
        "PORT": str(free_port()),
        "SECRET_KEY": "the same on all machines",
        "DEMO": "0",
        "WEB_WORKERS": "1",
        "WEB_THREADS": "4",
        "WORKER_THREADS": "2",
        "LOG_LEVEL": "WARNING",
    }
    gunicorn = ["gunicorn", "-c", "python:webapp.gunicorn_conf", "tests.reliability.site:made_app()"]
    program = gunicorn if kind == "web" else ["tests.reliability.site_worker"]
    return Node(kind, [sys.executable, "-m", *program], environment, directory / f"{kind}{number}.log")


@contextmanager
def running(*, webs: int = 3, workers: int = 3, seed: int = 0, s3: bool = False) -> Iterator[Cluster]:
    """A cluster on a database with durability on, ready; everything is stopped and removed at the end.

    `s3`: documents lie on an S3 server, else in each node's own directory.
    """
    with tempfile.TemporaryDirectory(prefix="qy-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        server = Server(directory / "postgres", {"max_connections": "120"})
        url = server.start()
        store = support_s3.start(directory / "s3") if s3 else None
        try:
            _prepare(url)
            kinds = ["web"] * webs + ["worker"] * workers
            more = store.environment if store else {}
            nodes = [_node(kind, number, url, directory, more) for number, kind in enumerate(kinds)]
            cluster = Cluster(server, url, nodes, Random(seed))
            keeper = threading.Thread(target=cluster.keep)
            keeper.start()
            try:
                waited(cluster.ready, "all nodes are ready")
                yield cluster
            finally:
                cluster.stop()
                keeper.join()
        finally:
            server.stop()
            if store is not None:
                store.process.kill()
                store.process.wait()


def until(what: str, look: Any, cluster: Cluster) -> Any:
    """`waited`, telling what the nodes logged when it never comes."""
    began = time.monotonic()
    try:
        return waited(look, what)
    except AssertionError as error:
        raise AssertionError(f"{error} ({time.monotonic() - began:.0f} s)\n{cluster.said()}") from None
