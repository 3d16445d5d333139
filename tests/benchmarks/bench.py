"""One finished two-task instance, measured: HTTP time of a step against the floor, SQL statements, WAL bytes."""

from __future__ import annotations

import base64
import http.client
import json
import os
import random
import re
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from tests.benchmarks.model import FLOOR_TABLES, MODEL, VARIABLES
from tests.support import free_port
from webapp.postgres import Server

USER, PASSWORD = "benchmark", "qianyin-benchmark"
ROUNDS, STEPS = int(os.environ.get("ROUNDS", "12")), 60


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure with its goal; `ratio` is measured / goal: at most 1 is reached."""

    name: str
    measured: float
    goal: float
    unit: str

    @property
    def ratio(self) -> float:
        return self.measured / self.goal


class Api:
    """A keep-alive connection that speaks JSON."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        credentials = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        self.headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: Any = None) -> Any:
        self.connection.request(method, path, json.dumps(body) if body is not None else None, self.headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return json.loads(content) if content else None

    def start(self) -> str:
        return str(self.call("POST", "/engine-rest/process-definition/key/benchmark/start", {})["id"])

    def task(self, instance: str) -> str:
        return str(self.call("GET", f"/engine-rest/task?processInstanceId={instance}")[0]["id"])

    def complete(self, task: str) -> None:
        self.call("POST", f"/engine-rest/task/{task}/complete", {"variables": VARIABLES})


@contextmanager
def served(module: str, url: str, data: Path, *, workers: int = 1) -> Iterator[int]:
    """A gunicorn of the product's own class (gthread, `workers` processes) serving `module`; gives its port."""
    port = free_port()
    environment = {**os.environ, "DATABASE_URL": url, "DATA_DIR": str(data), "DEMO": "0", "PORT": str(port)}
    environment["WORKERS"] = str(workers)
    configuration = Path(__file__).with_name("gunicorn_conf.py")
    command = [sys.executable, "-m", "gunicorn", "-c", str(configuration), f"tests.benchmarks.{module}:app"]
    process = subprocess.Popen([*command, "--bind", f"127.0.0.1:{port}"], env=environment)
    try:
        for _ in range(300):
            try:
                http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


def prepare(url: str) -> None:
    """Migrate, make one account, deploy the benchmark's process, make the floor's tables."""
    from tests.support import make_account
    from webapp import composition, db, migrate
    from webapp.engine import deployment
    from webapp.engine.handler_api import hooks

    migrate.upgrade(url)
    db.configure(url)
    composition.build_engine()
    import tests.benchmarks.served  # noqa: F401  (registers the handler that the model names)

    with db.transaction() as session:
        make_account(session, "office", password=PASSWORD, username=USER)
        deployment.deploy(session, "benchmark", {"benchmark.bpmn": MODEL}, deployed_by=None, comment="", hooks=hooks)
    db.dispose()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FLOOR_TABLES)


def _median(times: list[float]) -> float:
    return statistics.median(times) * 1000


def step_against_floor(api: Api, floor_port: int, url: str) -> tuple[float, float, float]:
    """(ratio of the medians, ms of a step, ms of the floor); rounds of both in turn, so that noise hits both."""
    floor = Api(floor_port)
    instance = str(uuid.uuid4())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("insert into floor_instance values (%s, 1, 'open', '')", (instance,))
    ratios, steps, floors = [], [], []
    for number in range(ROUNDS + 1):
        tasks = [api.task(api.start()) for _ in range(STEPS)]
        works: list[tuple[list[float], Callable[[], Any]]] = []
        mine: list[float] = []
        theirs: list[float] = []
        works += [(mine, partial(api.complete, task)) for task in tasks]
        works += [(theirs, partial(floor.call, "POST", f"/step/{instance}"))] * STEPS
        random.Random(number).shuffle(works)
        for times, work in works:
            began = time.perf_counter()
            work()
            times.append(time.perf_counter() - began)
        if number:  # the first round warms up
            steps.append(_median(mine))
            floors.append(_median(theirs))
            ratios.append(steps[-1] / floors[-1])
    return statistics.median(ratios), statistics.median(steps), statistics.median(floors)


def busy(port: int, floor_port: int, url: str, *, clients: int = 4) -> tuple[float, float, float]:
    """(ratio of the rates, steps per second, floors per second) of clients that never pause, each its own connection.

    Rounds of both in turn; a client of the floor updates an instance of its own.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        instances = [str(uuid.uuid4()) for _ in range(clients)]
        for instance in instances:
            connection.execute("insert into floor_instance values (%s, 1, 'open', '')", (instance,))
    mine, theirs = [Api(port) for _ in range(clients)], [Api(floor_port) for _ in range(clients)]
    steps, floors = [], []

    def prepare_tasks(api: Api) -> list[str]:
        return [api.task(api.start()) for _ in range(STEPS)]

    def complete(api: Api, tasks: list[str]) -> None:
        for task in tasks:
            api.complete(task)

    def floor(api: Api, instance: str) -> None:
        for _ in range(STEPS):
            api.call("POST", f"/step/{instance}")

    with ThreadPoolExecutor(clients) as pool:

        def rate(work: Callable[[Api, Any], None], apis: list[Api], what: list[Any]) -> float:
            began = time.perf_counter()
            list(pool.map(work, apis, what))
            return clients * STEPS / (time.perf_counter() - began)

        for number in range(max(ROUNDS // 2, 1) + 1):
            tasks = list(pool.map(prepare_tasks, mine))
            pair = rate(complete, mine, tasks), rate(floor, theirs, instances)
            if number:  # the first round warms up
                steps.append(pair[0])
                floors.append(pair[1])
    ratios = [bare / step for step, bare in zip(steps, floors, strict=True)]
    return statistics.median(ratios), statistics.median(steps), statistics.median(floors)


def _run(api: Api, count: int) -> None:
    for _ in range(count):
        instance = api.start()
        for _ in range(2):
            api.complete(api.task(instance))


def wal_per_instance(api: Api, url: str, count: int = 200) -> float:
    """WAL bytes of one finished two-task instance: start, two completions."""
    _run(api, 20)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("checkpoint")
        _run(api, 50)  # full-page images of the first touches after a checkpoint are not the step's own
        before = connection.execute("select pg_current_wal_insert_lsn()").fetchone()
        _run(api, count)
        row = connection.execute("select pg_current_wal_insert_lsn() - %s::pg_lsn", before).fetchone()
    assert row is not None
    return float(row[0]) / count


_STATEMENT = re.compile(r"(?:LOG|日志):\s+(?:statement|execute [^:]*|语句|执行 [^:]*):\s*(.*)")


def statements_per_instance(api: Api, url: str, log: Path, count: int = 20) -> tuple[float, list[str]]:
    """SQL statements of one finished two-task instance, BEGIN and COMMIT included, counted in the server's own log.

    The reads by which the client finds its task are not the engine's work: they are made beforehand, in a pause of the
    log. Gives the count and the statements of the last instance.
    """
    found: list[str] = []
    total = 0
    with psycopg.connect(url, autocommit=True) as connection:

        def logged(work: Callable[[], Any]) -> Any:
            connection.execute("alter system set log_statement = 'all'")
            connection.execute("select pg_reload_conf()")
            time.sleep(0.3)
            size = log.stat().st_size
            result = work()
            time.sleep(0.05)
            with log.open(encoding="utf-8", errors="replace") as file:
                file.seek(size)
                seen = [m[1] for line in file if (m := _STATEMENT.search(line))]
            connection.execute("alter system reset log_statement")
            connection.execute("select pg_reload_conf()")
            time.sleep(0.3)
            nonlocal total
            found.extend(seen)
            total += len(seen)
            return result

        for _ in range(count):
            found.clear()
            instance = logged(api.start)
            for _ in range(2):
                task = api.task(instance)
                logged(partial(api.complete, task))
    return total / count, found


def run(directory: Path) -> list[Figure]:
    """All figures of the quick benchmark, on a server of its own with durability on."""
    server = Server(directory / "postgres", {"shared_buffers": "256MB"})
    url = server.start()
    try:
        prepare(url)
        with served("served", url, directory / "data") as port, served("floor", url, directory / "data") as floor_port:
            api = Api(port)
            ratio, step, floor = step_against_floor(api, floor_port, url)
            print(f"a user task completed over HTTP: p50 {step:.2f} ms; floor p50 {floor:.2f} ms")
            wal = wal_per_instance(api, url)
            statements, seen = statements_per_instance(api, url, server.log, count=3)
            if os.environ.get("VERBOSE"):
                print("\n".join(text[:150] for text in seen))
        directory.joinpath("busy").mkdir()
        with (
            served("served", url, directory / "busy", workers=2) as port,
            served("floor", url, directory / "busy", workers=2) as floor_port,
        ):
            crowd, rate, floor_rate = busy(port, floor_port, url)
            print(f"2 workers, 4 clients: {rate:.0f} tasks completed a second; floor {floor_rate:.0f}")
    finally:
        server.stop()
    return [
        Figure("step over HTTP / floor, p50, 1 worker 1 client", ratio, 2.0, "×"),
        Figure("the same, rate of the floor / rate, 2 workers 4 clients", crowd, 2.0, "×"),
        Figure("SQL statements per finished two-task instance", statements, 25, ""),
        Figure("WAL per finished two-task instance", wal / 1024, 15, "KB"),
    ]
