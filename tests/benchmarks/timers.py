"""Due timers: 1,000 among 100,000 that wait, fired by one worker; the cost of one does not depend on how many wait."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg

from tests.benchmarks.ground import Ground
from tests.benchmarks.registry import Bench, Figure
from webapp import composition, db
from webapp.engine import deployment, runtime, timers
from webapp.engine.commands import StartInstance, Suspend
from webapp.engine.handler_api import hooks

MODEL = b"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="https://qianyin.example/benchmarks">
  <bpmn:process id="waiting" name="Waiting" isExecutable="true">
    <bpmn:startEvent id="started"/>
    <bpmn:intermediateCatchEvent id="pause"><bpmn:timerEventDefinition>
      <bpmn:timeDuration>PT1S</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>
    <bpmn:userTask id="after" name="After" camunda:candidateGroups="office"/>
    <bpmn:endEvent id="done"/>
    <bpmn:sequenceFlow id="f1" sourceRef="started" targetRef="pause"/>
    <bpmn:sequenceFlow id="f2" sourceRef="pause" targetRef="after"/>
    <bpmn:sequenceFlow id="f3" sourceRef="after" targetRef="done"/>
  </bpmn:process>
</bpmn:definitions>
"""
_WAITING = """
with made as (
  insert into process_instance (id, definition_id, definition_key, status, state, started_at, root_instance_id)
  select md5('waiting' || n)::uuid, d.id, d.key, 'active', '\\x01', now(), md5('waiting' || n)::uuid
  from generate_series(1, %(count)s::int) n, process_definition d where d.key = 'waiting' returning id
)
insert into timer (id, instance_id, node, element_id, due_at)
select gen_random_uuid(), id, gen_random_uuid(), 'pause', now() + interval '1 day' * (1 + random() * 300) from made
"""


def run(ground: Ground) -> Iterator[Figure]:
    due, waiting = (1_000, 100_000) if ground.full else (200, 10_000)
    with ground.database() as url:
        composition.build_engine()
        with db.transaction() as session:
            files = {"waiting.bpmn": MODEL}
            deployment.deploy(session, "waiting", files, deployed_by=None, comment="", hooks=hooks)
        fired(due // 5)  # warms up
        alone = fired(due) / due
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_WAITING, {"count": waiting})
            connection.execute("vacuum analyze")
        among = fired(due)
        suspended(due * 5)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("vacuum analyze")
        beside = fired(due)
    yield Figure(f"{due:,} due timers among {waiting:,} that wait, fired by one worker", among, 60, "s")
    yield Figure(f"the time of one among {waiting:,} / without others", among / due / alone, 1.5, "×")
    yield Figure(f"the same beside {due * 5:,} due timers of suspended cases", beside / due / alone, 1.5, "×")


BENCH = Bench("timers", "Due timers among many that wait", run)


def suspended(count: int) -> None:
    """So many cases that were suspended before their timer was due."""
    engine = runtime.engine()
    for _ in range(count):
        with db.transaction() as session:
            started = engine.start(session, StartInstance(key="waiting"))
            engine.step(session, started.instance_id, Suspend("benchmark"), None)
    time.sleep(1.2)


def fired(count: int) -> float:
    """Seconds in which so many due timers are fired by one thread, as a worker's round does it."""
    engine = runtime.engine()
    for _ in range(count):
        db.retrying(lambda session: engine.start(session, StartInstance(key="waiting")))
    time.sleep(1.2)
    began, done = time.perf_counter(), 0
    while done < count:
        done += timers.fire_due(engine)
    return time.perf_counter() - began
