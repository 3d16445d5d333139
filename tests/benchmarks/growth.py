"""The cost of a step after ten finished cases and after a million: the same, measured against the same floor."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from tests.benchmarks import load
from tests.benchmarks.api import Api
from tests.benchmarks.ground import Ground, prepare
from tests.benchmarks.registry import Bench, Figure
from tests.benchmarks.step import against_floor
from webapp import db


def run(ground: Ground) -> Iterator[Figure]:
    ground.needs(8)
    finished, rounds = (1_000_000, 24) if ground.full else (20_000, 8)
    with ground.database() as url:
        prepare(url)
        with db.transaction() as session:
            load.deploy(session)
        with ground.served("served", url) as port, ground.served("floor", url) as floor_port:
            Api(port).finish(10)
            before, *_ = against_floor(Api(port), floor_port, url, rounds=rounds)
            with psycopg.connect(url, autocommit=True) as connection:
                tables = ("process_instance", "user_task")
                with load.without_indexes(connection, *tables):
                    load.cases(connection, 1, finished, running=False, days=2000)
                    load.past(connection)
                connection.execute("vacuum analyze")
                connection.execute("checkpoint")
            after, *_ = against_floor(Api(port), floor_port, url, rounds=rounds)
    print(f"a step / floor: {before:.2f} after 10 finished cases, {after:.2f} after {finished:,}")
    yield Figure(
        f"a step after {finished:,} finished cases / after 10, each against the floor", after / before, 1.2, "×"
    )


BENCH = Bench("growth", "The cost of a step after a million finished cases", run)
