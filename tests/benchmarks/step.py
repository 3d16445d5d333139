"""One finished two-task instance, measured: HTTP time of a step against the floor, SQL statements, WAL bytes."""

from __future__ import annotations

import os
import random
import re
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from tests.benchmarks.api import Api
from tests.benchmarks.ground import Ground, prepare
from tests.benchmarks.registry import Bench, Figure

STEPS = 60
_STATEMENT = re.compile(r"(?:LOG|日志):\s+(?:statement|execute [^:]*|语句|执行 [^:]*):\s*(.*)")


def run(ground: Ground) -> Iterator[Figure]:
    with ground.database() as url:
        prepare(url)
        log = ground.directory / "postgres" / "log"
        with ground.served("served", url) as port, ground.served("floor", url) as floor_port:
            api = Api(port)
            ratio, step, floor = against_floor(api, floor_port, url, rounds=24 if ground.full else 12)
            print(f"a user task completed over HTTP: p50 {step:.2f} ms; floor p50 {floor:.2f} ms")
            yield Figure("step over HTTP / floor, p50, 1 worker 1 client", ratio, 2.0, "×")
            statements, seen = statements_per_instance(api, url, log)
            if os.environ.get("VERBOSE"):
                print("\n".join(text[:150] for text in seen))
            yield Figure("SQL statements per finished two-task instance", statements, 25)
            yield Figure("WAL per finished two-task instance", wal_per_instance(api, url) / 1024, 15, "KB")


BENCH = Bench("step", "What a step costs: time, statements, WAL", run, quick=True)


def _median(times: list[float]) -> float:
    return statistics.median(times) * 1000


def against_floor(api: Api, floor_port: int, url: str, *, rounds: int) -> tuple[float, float, float]:
    """(ratio of the medians, ms of a step, ms of the floor); rounds of both in turn, so that noise hits both."""
    floor = Api(floor_port)
    instance = floor_instance(url)
    ratios, steps, floors = [], [], []
    for number in range(rounds + 1):
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


def floor_instance(url: str) -> str:
    """A row that a client of the floor updates; its id."""
    instance = str(uuid.uuid4())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("insert into floor_instance values (%s, 1, 'open', '')", (instance,))
    return instance


def wal_per_instance(api: Api, url: str, count: int = 200) -> float:
    """WAL bytes of one finished two-task instance: start, two completions."""
    api.finish(20)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("checkpoint")
        api.finish(50)  # full-page images of the first touches after a checkpoint are not the step's own
        before = connection.execute("select pg_current_wal_insert_lsn()").fetchone()
        api.finish(count)
        row = connection.execute("select pg_current_wal_insert_lsn() - %s::pg_lsn", before).fetchone()
    assert row is not None
    return float(row[0]) / count


def statements_per_instance(api: Api, url: str, log: Path, count: int = 3) -> tuple[float, list[str]]:
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
