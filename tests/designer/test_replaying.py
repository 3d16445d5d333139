"""The real history of finished cases, dry on a new version: who would have gone another way, and nothing is touched."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from tests.designer.models import FORM, GRANT, dmn, folder
from tests.engine.runtime.conftest import Bench, bench
from webapp import db
from webapp.designer.scenarios.replaying import Replayed, replay

__all__ = ["bench"]


@pytest.fixture
def history(bench: Bench) -> Callable[..., list[Replayed]]:
    """Three finished grants (paid, refused, paid), then a new version over them."""
    files = folder()
    bench.deploy(**files)
    for amount, decision in ((40, "pass"), (60, "return"), (500, "pass")):
        made = bench.start("grant", {"amount": amount})
        task = bench.open(made.instance_id)["check"]
        bench.complete(task, outcome=decision, variables={"words": "好"}, form_data={"words": "好"})
        if decision == "pass":
            with db.transaction() as session:
                bench.engine.correlate(session, "grant_paid", instance_id=made.instance_id)
            bench.drain()

    def look(**changed: bytes) -> list[Replayed]:
        with db.transaction() as session:
            return replay(session, files | changed, bench.hooks, "grant")

    return look


def test_the_same_version_takes_the_same_path(history):
    found = history()
    assert [(one.difference, one.before == one.after) for one in found] == [(None, True)] * 3
    assert {one.before[-1] for one in found} == {"done", "refused"}


def test_a_new_task_is_where_the_case_would_have_waited(history):
    added = GRANT.replace(
        b'<bpmn:exclusiveGateway id="passed"',
        b'<bpmn:userTask id="again" name="\xe5\xa4\x8d\xe6\xa0\xb8" camunda:candidateGroups="office"/>'
        b'<bpmn:exclusiveGateway id="passed"',
    ).replace(
        b'sourceRef="check" targetRef="passed"/>',
        b'sourceRef="check" targetRef="again"/><bpmn:sequenceFlow id="f9" sourceRef="again" targetRef="passed"/>',
    )
    found = history(**{"grant.bpmn": added})
    assert [one.difference for one in found] == [
        "原来到了“等待拨付”，新版中此时等待“复核”。",
        "原来到此已办结，新版中等待“复核”。",
        "原来到了“等待拨付”，新版中此时等待“复核”。",
    ]


def test_a_changed_condition_and_a_changed_decision_are_seen(history):
    stricter = GRANT.replace(b'decision = "pass"', b'decision = "pass" and level = "small"')
    assert [one.same for one in history(**{"grant.bpmn": stricter})] == [False, True, True]
    all_small = dmn().replace(b'<text>"large"</text>', b'<text>"small"</text>')
    assert all(one.same for one in history(**{"grant.bpmn": stricter, "grant_level.dmn": all_small}))


def test_nothing_is_written(history, bench):
    def counted() -> list[int]:
        names = ("process_instance", "activity_history", "user_task", "job", "message", "deployment")
        with db.transaction() as session:
            return [session.scalar(text(f"select count(*) from {name}")) for name in names]

    before = counted()
    history(**{"forms/check.json": FORM})
    assert counted() == before
