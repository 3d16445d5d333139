"""Several clients on several processes: how many tasks a second, against the floor under the same crowd."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.benchmarks.api import Api
from tests.benchmarks.ground import Ground, prepare
from tests.benchmarks.registry import Bench, Figure
from tests.benchmarks.step import STEPS, floor_instance

WORKERS, CLIENTS = 2, 4


def run(ground: Ground) -> Iterator[Figure]:
    with ground.database() as url:
        prepare(url)
        with (
            ground.served("served", url, workers=WORKERS) as port,
            ground.served("floor", url, workers=WORKERS) as floor_port,
        ):
            ratio, rate, floor = rates(port, floor_port, url, rounds=24 if ground.full else 8)
    print(f"{WORKERS} workers, {CLIENTS} clients: {rate:.0f} tasks completed a second; floor {floor:.0f}")
    yield Figure(f"rate of the floor / our rate, {WORKERS} workers {CLIENTS} clients", ratio, 2.0, "×")


BENCH = Bench("crowd", "Four clients on two processes", run, quick=True)


def rates(port: int, floor_port: int, url: str, *, rounds: int) -> tuple[float, float, float]:
    """(ratio of the rates, steps per second, floors per second) of clients that never pause, each its own connection.

    Rounds of both in turn; a client of the floor updates an instance of its own.
    """
    instances = [floor_instance(url) for _ in range(CLIENTS)]
    mine, theirs = [Api(port) for _ in range(CLIENTS)], [Api(floor_port) for _ in range(CLIENTS)]
    steps, floors = [], []
    with ThreadPoolExecutor(CLIENTS) as pool:

        def rate(work: Callable[[Api, Any], None], apis: list[Api], what: list[Any]) -> float:
            began = time.perf_counter()
            list(pool.map(work, apis, what))
            return CLIENTS * STEPS / (time.perf_counter() - began)

        for number in range(rounds + 1):
            tasks = list(pool.map(_tasks, mine))
            pair = rate(_complete, mine, tasks), rate(_floor, theirs, instances)
            if number:  # the first round warms up
                steps.append(pair[0])
                floors.append(pair[1])
    ratios = [bare / step for step, bare in zip(steps, floors, strict=True)]
    return statistics.median(ratios), statistics.median(steps), statistics.median(floors)


def _tasks(api: Api) -> list[str]:
    return [api.task(api.start()) for _ in range(STEPS)]


def _complete(api: Api, tasks: list[str]) -> None:
    for task in tasks:
        api.complete(task)


def _floor(api: Api, instance: str) -> None:
    for _ in range(STEPS):
        api.call("POST", f"/step/{instance}")
