"""Issue 4, "Unharmed" and "Past one machine", in figures: kills, races, the time until a lost job goes on, memory.

The tests under `tests/reliability` do the same with small numbers; here are the whole ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tests.benchmarks.ground import Ground
from tests.benchmarks.registry import Bench, Figure
from tests.browser.product import waited
from tests.reliability.cluster import Cluster, Node, running
from tests.reliability.load import Caller, Ledger, Load, count, race

#: Whom the kills hit, in this proportion.
VICTIMS = ("web", "web", "web", "worker", "worker", "handlers", "handlers", "master")


def run(ground: Ground) -> Iterator[Figure]:
    kills, rounds, steps = (200, 1000, 100_000) if ground.full else (20, 50, 4_000)
    with running(seed=1) as cluster:
        yield from _killed(cluster, kills)
        yield from _raced(cluster, rounds)
    with running(webs=1, workers=2) as cluster:
        yield Figure("a killed worker's job done by another, after", max(_lost(cluster) for _ in range(5)), 60, "s")
    with running(webs=1, workers=1) as cluster:
        yield from _memory(cluster, steps)


BENCH = Bench("unharmed", "Kills, races, lost jobs, memory: 3 web and 3 worker processes", run)


def _killed(cluster: Cluster, kills: int) -> Iterator[Figure]:
    began, random = time.perf_counter(), Random(2)
    load = Load(cluster)
    for _ in range(kills):
        load.more()
        cluster.kill(random.choice(VICTIMS))
        time.sleep(random.uniform(0, 0.5))
    load.finish()
    waited(lambda: count(cluster, load.ledger).stuck == 0, f"nothing is left to do\n{cluster.said()}")
    found = count(cluster, load.ledger)
    print(
        f"killed {dict(cluster.killed)} in {time.perf_counter() - began:.0f} s under load: {found.cases} cases,"
        f" {len(load.ledger.completed)} completions told; answers by status (0: none) {dict(load.ledger.answers)}"
    )
    yield Figure("processes killed under load", sum(cluster.killed.values()), kills, at_least=True)
    yield Figure("lost of what clients were told", found.lost, 0)
    yield Figure("doubled", found.doubled, 0)
    yield Figure("stuck", found.stuck, 0)


def _raced(cluster: Cluster, rounds: int) -> Iterator[Figure]:
    wrong = sum(answers != {204: 1, 409: 15} for answers in race(cluster, Ledger(), rounds=rounds))
    yield Figure(f"of {rounds} rounds of 16 clients on one task: not one 204 and 15 times 409", wrong, 0)


def _lost(cluster: Cluster) -> float:
    """Seconds from the kill of the workers, one of which has a job in hand, until the job is done."""
    caller = Caller(cluster, Ledger(), Random(3))
    with cluster.locked("effect"):
        instance = caller.start("lost")
        caller.complete(caller.task(instance, "first"), "first")
        waited(lambda: cluster.rows("select 1 from procrastinate_jobs where status = 'doing'"), "a job in hand")
        for node in cluster.of("worker"):
            cluster.end(node)
        began = time.perf_counter()
    caller.task(instance, "second")
    return time.perf_counter() - began


def _memory(cluster: Cluster, steps: int) -> Iterator[Figure]:
    """A worker fires a timer and calls an external handler for each case: two steps. Its memory early and late."""
    [worker] = cluster.of("worker")
    sizes, done = [], 0
    for share in (0.2, 1.0):
        wanted = int(steps * share) // 2
        _feed(cluster, wanted - done)
        done = wanted
        sizes.append(_resident(worker))
    early, late = sizes
    sizes_told = f"{early / 2**20:.0f} MB after a fifth, {late / 2**20:.0f} MB at the end"
    print(f"a worker and its handlers' processes: {sizes_told}")
    yield Figure(f"memory of a worker after {steps} steps / after a fifth of them", late / early, 1.15, "×")


def _feed(cluster: Cluster, cases: int, most: int = 200) -> None:
    """Begin cases here, at most so many ahead of the worker, and wait until it has done its part of all."""
    from webapp import composition, db
    from webapp.engine.commands import CompleteTask, StartInstance

    db.configure(cluster.url, pool_size=2)
    engine = composition.build_engine()

    def begin() -> None:
        with db.transaction() as session:
            started = engine.start(session, StartInstance("ledger"))
            engine.step(session, started.instance_id, CompleteTask(started.opened[0]))

    waiting = (
        "select count(*) from process_instance p where status = 'active' and not exists"
        " (select 1 from user_task t where t.instance_id = p.id and t.element_id = 'second')"
    )
    for number in range(cases):
        begin()
        if number % 50 == 0:
            waited(lambda: cluster.rows(waiting)[0][0] < most, f"the worker comes after\n{cluster.said()}")
    waited(lambda: cluster.rows(waiting)[0][0] == 0, f"the worker has done its part\n{cluster.said()}")
    db.dispose()


def _resident(node: Node) -> int:
    """Bytes in memory of a worker and the processes of its handlers (shared pages counted once: PSS)."""
    total = 0
    for pid in node.victims("worker") + node.victims("handlers"):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total
