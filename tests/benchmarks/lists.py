"""The manager's list of cases and the counts of a dashboard over a million finished and 50,000 running cases."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator

import psycopg

from tests.benchmarks import load
from tests.benchmarks.browser import Browser, quoted
from tests.benchmarks.ground import Ground
from tests.benchmarks.registry import Bench, Figure
from webapp import db

PAGES = {
    "running": "",
    "overdue": "view=overdue",
    "done": "view=done",
    "ended early": "view=ended",
    "all": "view=all",
    "all of one process": "view=all&process=objection",
    "search, every case": "view=all&q=备案",
    "search, one in six": "view=done&q=佛山",
    "search, one case": "view=all&q=2022-000311",
    "search, one in six of the running": "q=佛山",
    "running by deadline": "sort=due",
    "running by deadline, latest first": "sort=-due",
    "running by stage": "sort=stage",
    "all by title": "view=all&sort=title",
}
#: What a dashboard asks, answered from the index alone.
DASHBOARD = {
    "finished a day and process, 90 days": "select date_trunc('day', ended_at at time zone 'Asia/Shanghai') as day,"
    " definition_key, status, count(*) from process_instance where ended_at >= now() - interval '90 days'"
    " group by 1, 2, 3",
    "mean duration by process, a year": "select definition_key, avg(ended_at - started_at) from process_instance"
    " where ended_at >= now() - interval '1 year' group by 1",
    "running by process": "select definition_key, count(*) from process_instance where status = 'active' group by 1",
}


def fill(url: str, finished: int, running: int) -> None:
    """The cases of six years and their open tasks. The process is configured for the database."""
    from webapp import composition

    composition.build_engine()
    with db.transaction() as session:
        load.deploy(session)
        me = load.people(session)["office"]
    with psycopg.connect(url, autocommit=True) as connection:
        with load.without_indexes(connection, "process_instance"):
            load.cases(connection, 1, finished, running=False, days=2000)
            load.cases(connection, finished + 1, finished + running, running=True, days=60)
        with load.without_indexes(connection, "user_task"):
            load.tasks(connection, me)
        connection.execute("checkpoint")


def run(ground: Ground) -> Iterator[Figure]:
    ground.needs(6)
    finished, running = (1_000_000, 50_000) if ground.full else (50_000, 5_000)
    with ground.database() as url:
        fill(url, finished, running)
        with ground.served("served", url) as port:
            yield from measured(port, url, finished, rounds=25 if ground.full else 10)


BENCH = Bench("lists", "Lists and dashboard counts over a million finished cases", run)


def measured(port: int, url: str, finished: int, *, rounds: int) -> Iterator[Figure]:
    """p95 of every page, and of every count of a dashboard."""
    browser = Browser(port, "manager")
    times: dict[str, list[float]] = {}
    with psycopg.connect(url, autocommit=True) as connection:
        for number in range(rounds + 2):
            for name, query in PAGES.items():
                took = browser.timed(quoted(f"/instances?{query}"))
                times.setdefault(name, []).extend([took] * (number > 1))
            for name, sql in DASHBOARD.items():
                began = time.perf_counter()
                connection.execute(sql).fetchall()
                took = (time.perf_counter() - began) * 1000
                times.setdefault(name, []).extend([took] * (number > 1))
    worst = {name: statistics.quantiles(found, n=20)[-1] for name, found in times.items()}
    for name, p95 in worst.items():
        if os.environ.get("VERBOSE") or p95 > 150:
            print(f"  {name:<40} p50 {statistics.median(times[name]):6.1f} ms, p95 {p95:6.1f} ms")
    what = f"over {finished:,} finished cases, p95"
    yield Figure(f"list of cases, slowest of {len(PAGES)} pages {what}", max(worst[n] for n in PAGES), 150, "ms")
    yield Figure(f"dashboard counts, slowest of {len(DASHBOARD)} {what}", max(worst[n] for n in DASHBOARD), 150, "ms")
