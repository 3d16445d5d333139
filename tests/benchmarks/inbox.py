"""The inbox with a million open tasks: the whole page, HTML and counts included, as its reader gets it over HTTP.

Two databases stand side by side on one server, one with 10,000 open tasks and one with 1,000,000; the same pages are
asked for of both in turn, so that whatever else the machine does hits both.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator
from uuid import UUID

import psycopg

from tests.benchmarks import load
from tests.benchmarks.browser import Browser, quoted
from tests.benchmarks.ground import Ground
from tests.benchmarks.registry import Bench, Figure
from webapp import db, migrate
from webapp.inbox.queries import PAGE, mark

SMALL, LARGE = 10_000, 1_000_000
#: name → (who, parameters)
PAGES = {
    "first page": ("office", ""),
    "by process": ("office", "process=objection"),
    "late first": ("office", "order=descending"),
    "unclaimed": ("office", "view=unclaimed"),
    "mine": ("office", "view=mine"),
    "due today": ("office", "view=today"),
    "search, every task": ("office", "q=备案"),
    "search, one in six": ("office", "q=佛山&process=objection"),
    "search, one task": ("office", "q=2022-000311"),
    "search, none": ("office", "q=无此企业"),
    "role with ten": (load.FEW, ""),
    "role with ten, by process": (load.FEW, "process=objection"),
    "role with ten, search": (load.FEW, "q=备案"),
    "role with a thousand": (load.SOME, ""),
    "role with a thousand, search": (load.SOME, "q=佛山"),
}


def fill(url: str, count: int) -> None:
    """A database with so many open tasks, each of a case of its own."""
    from webapp import composition

    migrate.upgrade(url)
    db.configure(url)
    composition.build_engine()
    with db.transaction() as session:
        load.deploy(session)
        me: UUID = load.people(session)["office"]
    db.dispose()
    with psycopg.connect(url, autocommit=True) as connection:
        with load.without_indexes(connection, "process_instance"):
            load.cases(connection, 1, count, running=True, days=400)
        with load.without_indexes(connection, "user_task"):
            load.tasks(connection, me)
        connection.execute("checkpoint")


def run(ground: Ground) -> Iterator[Figure]:
    ground.needs(6)
    large = LARGE if ground.full else 100_000
    with ground.server() as server:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("create database small")
        urls = server.url("small"), server.url()
        fill(urls[0], SMALL)
        fill(urls[1], large)
        with ground.served("served", urls[0]) as small, ground.served("served", urls[1]) as big:
            yield from measured((small, big), urls, large, rounds=25 if ground.full else 10)


BENCH = Bench("inbox", "The inbox with a million open tasks", run)


def measured(ports: tuple[int, int], urls: tuple[str, str], count: int, *, rounds: int) -> Iterator[Figure]:
    """Times of all pages on both ports, in turn."""
    browsers = [{who: Browser(port, who) for who in ("office", load.FEW, load.SOME)} for port in ports]
    paths = {name: (who, f"/tasks?{query}") for name, (who, query) in PAGES.items()}
    deep = [far(urls[0], 300), far(urls[1], 1000)]
    times: dict[tuple[int, str], list[float]] = {}
    for number in range(rounds + 2):
        for name in [*paths, "1000th page"]:
            for which, one in enumerate(browsers):
                who, path = paths.get(name) or ("office", deep[which])
                took = one[who].timed(quoted(path))
                if number > 1:  # the first rounds warm up
                    times.setdefault((which, name), []).append(took)
    worst, slowest = 0.0, 0.0
    for name in [*paths, "1000th page"]:
        before, after = times[0, name], times[1, name]
        ratio = statistics.median(after) / statistics.median(before)
        p95 = statistics.quantiles(after, n=20)[-1]
        worst, slowest = max(worst, ratio), max(slowest, p95)
        if os.environ.get("VERBOSE") or p95 > 50 or ratio > 1.5:
            print(f"  {name:<32} p50 {statistics.median(after):6.1f} ms, p95 {p95:6.1f} ms, {ratio:.2f} × at {SMALL:,}")
    yield Figure(f"inbox of {count:,} open tasks, slowest of {len(paths) + 1} pages, p95", slowest, 50, "ms")
    yield Figure(f"the same page, p50, {count:,} open tasks / {SMALL:,}, worst", worst, 1.5, "×")


def far(url: str, pages: int) -> str:
    """The address of a page so many pages behind the first: what the links to the next one would lead to."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select due_at, id from user_task where status = 'open' and candidate_groups && array['office']"
            " and assignee_id is null order by due_at nulls last, id offset %s limit 1",
            (pages * PAGE - 1,),
        ).fetchone()
    assert row is not None
    return f"/tasks?page={mark(row[0], row[1], pages * PAGE)}"
