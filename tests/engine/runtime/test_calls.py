"""Call activities: an instance of its own, started and answered through jobs; cancelling goes down."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.engine.runtime.conftest import Bench
from tests.engine.runtime.models import boundary, end, model, start, user
from webapp.engine.commands import Cancel, Resume, RetryIncident, RetryJob, Suspend
from webapp.ids import uuid7

CALL = (
    '<callActivity id="call" calledElement="sub"><extensionElements><camunda:in source="number" target="n"/>'
    '<camunda:in businessKey="=number"/><camunda:out source="verdict" target="result"/></extensionElements>'
    "</callActivity>"
)
CALLER = model(
    "caller",
    start(),
    CALL,
    boundary("failed", "call", '<errorEventDefinition errorRef="e"/>'),
    user("after"),
    user("repair"),
    end(),
    extra='<error id="e" errorCode="bad"/>',
    flows="start>call call>after failed>repair after>end repair>end",
)
SUB = model("sub", start(), user("decide"), end(), flows="start>decide decide>end")


@pytest.fixture
def calling(bench: Bench) -> Bench:
    bench.deploy(CALLER, SUB)
    return bench


def _called(bench: Bench) -> UUID:
    [(instance_id,)] = bench.rows("select id from process_instance where definition_key = 'sub' and status = 'active'")
    assert isinstance(instance_id, UUID)
    return instance_id


def test_a_call_is_started_and_answered(calling: Bench) -> None:
    org = uuid7()
    started = calling.start("caller", {"number": "A-1", "secret": 1}, org_id=org)
    calling.drain()
    called = _called(calling)
    assert calling.variables(called) == {"n": "A-1"}
    assert calling.rows(
        "select business_key, root_instance_id, super_instance_id, org_id from process_instance where id = :i", i=called
    ) == [("A-1", started.instance_id, started.instance_id, org)]
    calling.complete(calling.open(called)["decide"], variables={"verdict": "ok"})
    calling.drain()
    assert list(calling.open(started.instance_id)) == ["after"]
    assert calling.variables(started.instance_id) == {"number": "A-1", "secret": 1, "result": "ok"}
    assert calling.rows("select 1 from job") == []


def test_cancelling_the_caller_cancels_the_called(calling: Bench) -> None:
    started = calling.start("caller", {"number": "A-1"})
    calling.drain()
    called = _called(calling)
    calling.step(started.instance_id, Cancel("撤回"))
    assert calling.rows("select status, end_reason from process_instance where id = :i", i=called) == [
        ("cancelled", "撤回")
    ]
    assert calling.open(called) == {}
    calling.drain()


def test_cancelling_before_the_call_has_started(calling: Bench) -> None:
    started = calling.start("caller", {"number": "A-1"})
    calling.step(started.instance_id, Cancel("撤回"))
    calling.drain()
    assert calling.rows("select count(*) from process_instance") == [(1,)]


def test_a_called_instance_that_fails_takes_the_boundary_event(bench: Bench) -> None:
    fails = model(
        "sub",
        start(),
        user("decide"),
        end(inner='<errorEventDefinition errorRef="e"/>'),
        extra='<error id="e" errorCode="bad"/>',
        flows="start>decide decide>end",
    )
    bench.deploy(CALLER, fails)
    started = bench.start("caller", {"number": "A-1"})
    bench.drain()
    called = _called(bench)
    bench.complete(bench.open(called)["decide"])
    assert bench.status(called) == "failed"
    bench.drain()
    assert list(bench.open(started.instance_id)) == ["repair"]


def test_a_called_instance_that_was_cancelled_is_an_incident_and_can_be_called_again(calling: Bench) -> None:
    started = calling.start("caller", {"number": "A-1"})
    calling.drain()
    calling.step(_called(calling), Cancel("误开"))
    calling.drain()
    [incident] = calling.incidents(started.instance_id)
    calling.step(started.instance_id, RetryIncident(incident.id))
    calling.drain()
    calling.complete(calling.open(_called(calling))["decide"], variables={"verdict": "ok"})
    calling.drain()
    assert list(calling.open(started.instance_id)) == ["after"]
    assert calling.incidents() == []


def test_an_answer_to_a_suspended_caller_comes_when_it_goes_on(calling: Bench) -> None:
    started = calling.start("caller", {"number": "A-1"})
    calling.drain()
    called = _called(calling)
    calling.step(started.instance_id, Suspend("核查"))
    calling.complete(calling.open(called)["decide"], variables={"verdict": "ok"})
    calling.drain()
    assert calling.open(started.instance_id) == {}
    calling.step(started.instance_id, Resume("核查完毕"))
    calling.drain()
    assert list(calling.open(started.instance_id)) == ["after"]


def test_what_cannot_be_called_is_an_incident(bench: Bench) -> None:
    wrong = CALLER.replace(b'calledElement="sub"', b'calledElement="sub" camunda:calledElementBinding="version"')
    bench.deploy(wrong.replace(b'Binding="version"', b'Binding="version" camunda:calledElementVersion="7"'), SUB)
    started = bench.start("caller", {"number": "A-1"})
    bench.drain()
    [incident] = bench.incidents(started.instance_id)
    assert "version:7" in incident.message
    for _ in range(6):
        bench.deploy(SUB.replace(b'name="sub"', f'name="{uuid7()}"'.encode()))
    bench.step(started.instance_id, RetryJob(incident.job_id))
    bench.drain()
    assert _called(bench)


def test_latest_version_is_called_by_default(calling: Bench) -> None:
    calling.deploy(SUB.replace(b'name="sub"', b'name="sub two"'))
    calling.start("caller", {"number": "A-1"})
    calling.drain()
    versions: list[Any] = calling.rows(
        "select d.version from process_instance p join process_definition d on d.id = p.definition_id"
        " where d.key = 'sub'"
    )
    assert versions == [(2,)]


@pytest.mark.parametrize(
    ("binding", "version"),
    [
        ('camunda:calledElementBinding="latest"', 3),
        ('camunda:calledElementBinding="deployment"', 2),
        ('camunda:calledElementBinding="version" camunda:calledElementVersion="1"', 1),
    ],
)
def test_the_binding_picks_the_version_that_is_called(bench: Bench, binding: str, version: int) -> None:
    """`deployment`: the version of that day, also when the called process itself had not changed on it."""
    caller = CALLER.replace(b'calledElement="sub"', f'calledElement="sub" {binding}'.encode())
    for name in (b'name="sub"', b'name="sub two"'):
        bench.deploy(SUB.replace(b'name="sub"', name))
    bench.deploy(SUB.replace(b'name="sub"', b'name="sub two"'), caller)
    bench.deploy(SUB.replace(b'name="sub"', b'name="sub three"'))
    bench.start("caller", {"number": "A-1"})
    bench.drain()
    versions = bench.rows(
        "select d.version from process_instance p join process_definition d on d.id = p.definition_id"
        " where d.key = 'sub'"
    )
    assert versions == [(version,)]


def test_the_end_of_a_call_that_was_made_anew_does_not_answer_for_the_new_one(calling: Bench) -> None:
    """`Resume` asks every ended call again: an older one of the same activation has nothing to say any more."""
    started = calling.start("caller", {"number": "A-1"})
    calling.drain()
    calling.step(_called(calling), Cancel("误建"))
    calling.drain()
    calling.step(started.instance_id, Suspend("核查"))
    calling.step(started.instance_id, Resume("继续"))
    calling.drain()
    [incident] = calling.incidents(started.instance_id)  # told once
    calling.step(started.instance_id, RetryIncident(incident.id))
    calling.step(started.instance_id, Suspend("核查"))
    calling.step(started.instance_id, Resume("继续"))  # before the new call has begun
    calling.drain()
    assert calling.incidents(started.instance_id) == []
    calling.step(started.instance_id, Suspend("核查"))
    calling.step(started.instance_id, Resume("继续"))  # while it runs
    calling.drain()
    assert calling.incidents(started.instance_id) == []
    calling.complete(calling.open(_called(calling))["decide"], variables={"verdict": "ok"})
    calling.drain()
    assert calling.variables(started.instance_id)["result"] == "ok"
    assert calling.rows("select count(*) from process_instance where definition_key = 'sub'") == [(2,)]
