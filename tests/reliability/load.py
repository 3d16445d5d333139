"""Clients that work without a pause on any node, and a ledger of what they were told, kept apart from the database."""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Container, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.reliability.cluster import PASSWORD, USER, Cluster

#: Nobody answers, or says that he cannot now: whoever asked comes again, to another node.
AGAIN = {0, 502, 503}


@dataclass
class Ledger:
    """What clients were told. `started`: business key -> instance id; `completed`: task id -> element."""

    started: dict[str, str] = field(default_factory=dict)
    completed: dict[str, str] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)
    unavailable: list[str | None] = field(default_factory=list)  # the Retry-After of each 503


@dataclass
class Caller:
    """A program that calls `/engine-rest` on nodes chosen at random."""

    cluster: Cluster
    ledger: Ledger
    random: Random

    def once(self, method: str, path: str, body: Any = None, port: int = 0) -> tuple[int, Any]:
        """One request; status 0 when there was no answer."""
        token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        port = port or self.random.choice(self.cluster.of("web")).port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
        try:
            connection.request(method, "/engine-rest" + path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self.ledger.answers[0] += 1
            return 0, None
        finally:
            connection.close()
        self.ledger.answers[answer.status] += 1
        if answer.status == 503:
            self.ledger.unavailable.append(answer.headers["Retry-After"])
        return answer.status, json.loads(content) if content else None

    def get(self, path: str) -> Any:
        """What a read gives, as often as it takes."""
        while True:
            status, found = self.once("GET", path)
            if status not in AGAIN:
                assert status == 200, (path, status, found)
                return found
            time.sleep(0.1)

    # ---- a case, from its start to its end

    def case(self) -> None:
        """Start, complete the first task, wait for what happens by itself, complete the second."""
        key = str(uuid.uuid4())
        instance = self.start(key)
        self.ledger.started[key] = instance
        for element in ("first", "second"):
            self.complete(self.task(instance, element), element)

    def start(self, key: str) -> str:
        while True:
            status, told = self.once("POST", "/process-definition/key/ledger/start", {"businessKey": key})
            if status == 200:
                return str(told["id"])
            assert status in AGAIN, (status, told)
            self._wait(status)
            found = self.get(f"/process-instance?businessKey={key}")
            if found:
                return str(found[0]["id"])

    def task(self, instance: str, element: str) -> str:
        while True:
            found = self.get(f"/task?processInstanceId={instance}&taskDefinitionKey={element}")
            if found:
                return str(found[0]["id"])
            time.sleep(0.05)

    def complete(self, task: str, element: str) -> None:
        unsure = False
        while True:
            status, told = self.once("POST", f"/task/{task}/complete", {"variables": {}})
            if status == 204 or (status == 409 and unsure and told["type"] == "TaskAlreadyClaimedException"):
                self.ledger.completed[task] = element
                return
            assert status in AGAIN, (status, told)
            unsure = True
            self._wait(status)

    def _wait(self, status: int) -> None:
        time.sleep(0.1)
        while status == 0:
            try:
                self.cluster.settled()
                return
            except Exception:  # the database is away
                time.sleep(0.2)


class Load:
    """Clients that begin cases until they are told to stop; each brings its last one to its end."""

    def __init__(self, cluster: Cluster, clients: int = 4) -> None:
        self.cluster, self.ledger = cluster, Ledger()
        self._stop = threading.Event()
        self.faults: list[BaseException] = []
        callers = [Caller(cluster, self.ledger, Random(number)) for number in range(clients)]
        self._threads = [threading.Thread(target=self._work, args=(caller,)) for caller in callers]
        for thread in self._threads:
            thread.start()

    def _work(self, caller: Caller) -> None:
        try:
            while not self._stop.is_set():
                caller.case()
        except BaseException as error:
            self.faults.append(error)

    def more(self, count: int = 1) -> None:
        """Wait until so many further completions were told."""
        wanted = len(self.ledger.completed) + count
        for _ in range(6000):
            assert not self.faults, self.faults
            if len(self.ledger.completed) >= wanted:
                return
            time.sleep(0.02)
        raise AssertionError(f"the load stands still\n{self.cluster.said()}")

    def finish(self) -> None:
        """Let the clients come to their ends, and what happens by itself come to rest."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        assert not self.faults, f"{self.faults}\n{self.cluster.said()}"


@dataclass(frozen=True)
class Count:
    """How the database differs from what clients were told; zeros where all is well."""

    cases: int
    lost: int
    doubled: int
    stuck: int


def race(cluster: Cluster, ledger: Ledger, *, rounds: int, clients: int = 16) -> Iterator[Counter[int]]:
    """So many clients complete the same task at the same moment, again and again: how many got which answer."""
    callers = [Caller(cluster, ledger, Random(number)) for number in range(clients)]
    together = threading.Barrier(clients)

    def complete(caller: Caller) -> int:
        together.wait()
        return caller.once("POST", f"/task/{task}/complete", {"variables": {}})[0]

    with ThreadPoolExecutor(clients) as pool:
        for _ in range(rounds):
            task = callers[0].task(callers[0].start(str(uuid.uuid4())), "first")
            yield Counter(pool.map(complete, callers))


def count(cluster: Cluster, ledger: Ledger, before: Container[str] = ()) -> Count:
    """Compare the ledger with the tables: instances, tasks, history, effects of handlers, what is left in queues.

    `before`: business keys of cases that are not this ledger's.
    """
    lost = doubled = 0
    keys = dict(cluster.rows("select business_key, count(*) from process_instance group by 1"))
    keys = {key: number for key, number in keys.items() if key not in before}
    ids = {str(id) for (id,) in cluster.rows("select id from process_instance")}
    lost += sum(id not in ids for id in ledger.started.values())
    doubled += sum(number - 1 for number in keys.values())
    done = dict(cluster.rows("select id::text, element_id from user_task where status = 'completed'"))
    lost += sum(done.get(task) != element for task, element in ledger.completed.items())
    for query in (
        "select instance_id, element_id, count(*) from activity_history group by 1, 2 having count(*) > 1",
        "select instance_id, element_id, count(*) from user_task group by 1, 2 having count(*) > 1",
        "select instance_id, kind, count(*) from effect group by 1, 2 having count(*) > 1",
        "select task_id, action, count(*) from audit where action = 'task.complete' group by 1, 2 having count(*) > 1",
    ):
        doubled += len(cluster.rows(query))
    ours = [uuid.UUID(id) for id in ledger.started.values()]
    [(effects,)] = cluster.rows("select count(*) from effect where instance_id = any(%s)", ours)
    lost += abs(2 * len(ledger.started) - effects)
    stuck = sum(
        cluster.rows(f"select count(*) from {rest}", *([list(keys)] if "%s" in rest else []))[0][0]
        for rest in (
            "process_instance where status <> 'completed' and business_key = any(%s)",
            "job",
            "timer",
            "procrastinate_jobs",
            "incident where resolved_at is null",
        )
    )
    return Count(len(ledger.started), lost, doubled, stuck)
