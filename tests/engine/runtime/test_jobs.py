"""Handlers: savepoints, retries with rest, incidents, external handlers and their reruns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from tests.engine.runtime.conftest import Bench
from tests.engine.runtime.models import boundary, end, model, service, start, user
from webapp import db, worker
from webapp.clock import clock
from webapp.engine import incidents, jobs
from webapp.engine.commands import FailJob, ResumeJob, RetryIncident, RetryJob
from webapp.engine.errors import BpmnError, HandlerFailed
from webapp.engine.handler_api import Actor, ExternalContext, HandlerContext
from webapp.errors import NotFound
from webapp.ids import uuid7

SERVED = model(
    "served",
    start(),
    user("apply"),
    service("work", "work"),
    user("review"),
    end(),
    flows="start>apply apply>work work>review review>end",
)


class Flaky:
    """A local handler that writes a note, then fails as long as it is told to."""

    def __init__(self) -> None:
        self.failure: Exception | None = RuntimeError("the printer is on fire")
        self.calls = 0

    def __call__(self, context: HandlerContext) -> dict[str, Any]:
        self.calls += 1
        context.session.execute(text("insert into note values ('effect')"))
        if self.failure is not None:
            raise self.failure
        return {"worked": True}


@pytest.fixture
def flaky(bench: Bench, note: None) -> Flaky:
    handler = Flaky()
    bench.handler("work", handler)
    bench.deploy(SERVED)
    return handler


def test_a_failing_handler_never_costs_the_persons_work(bench: Bench, flaky: Flaky, officer: Actor) -> None:
    started = bench.start("served")
    bench.complete(started.opened[0], officer, form_data={"words": "同意"})
    assert bench.rows("select status, completed_by from user_task") == [("completed", officer.id)]
    assert bench.variables(started.instance_id) == {"words": "同意"}
    assert bench.rows("select words from note") == []  # the handler's effect was taken back
    [(kind, left, error)] = bench.rows("select kind, retries_left, error from job")
    assert (kind, left) == ("local", 3)
    assert "the printer is on fire" in error
    assert bench.incidents() == []


def test_retries_then_incident_then_retry_by_a_manager(bench: Bench, flaky: Flaky, officer: Actor) -> None:
    started = bench.start("served")
    bench.complete(started.opened[0])
    assert bench.drain() == 0  # it rests first
    for left in (2, 1, 0):
        clock.advance(timedelta(hours=1))
        assert bench.drain() == 1
        assert bench.rows("select retries_left from job") == [(left,)]
    clock.advance(timedelta(days=1))
    assert bench.drain() == 0
    assert flaky.calls == 4
    [incident] = bench.incidents(started.instance_id)
    assert incident.kind == "job"
    assert "the printer is on fire" in incident.message
    flaky.failure = None
    bench.step(started.instance_id, RetryJob(incident.job_id, reason="已修好"), officer)
    assert bench.incidents() == []
    assert bench.drain() == 1
    assert list(bench.open(started.instance_id)) == ["review"]
    assert bench.rows("select words from note") == [("effect",)]
    assert bench.rows("select 1 from job") == []
    assert bench.rows("select reason from audit where action = 'job.retry'") == [("已修好",)]


def test_a_permanent_failure_is_an_incident_at_once(bench: Bench, flaky: Flaky) -> None:
    flaky.failure = HandlerFailed("没有编号规则。", permanent=True)
    started = bench.start("served")
    bench.complete(started.opened[0])
    [incident] = bench.incidents(started.instance_id)
    assert incident.message == "没有编号规则。"
    flaky.failure = None
    bench.step(started.instance_id, RetryIncident(incident.id))
    bench.drain()
    assert list(bench.open(started.instance_id)) == ["review"]


def test_the_model_says_how_often(bench: Bench, note: None) -> None:
    bench.handler("work", Flaky())
    cycle = (
        "<extensionElements><camunda:failedJobRetryTimeCycle>R2/PT5M</camunda:failedJobRetryTimeCycle>"
        "</extensionElements>"
    )
    bench.deploy(model("twice", start(), service("work", "work", inner=cycle), end(), flows="start>work work>end"))
    started = bench.start("twice")
    clock.advance(timedelta(minutes=4))
    assert bench.drain() == 0
    clock.advance(timedelta(minutes=2))
    assert bench.drain() == 1
    assert len(bench.incidents(started.instance_id)) == 1


def test_a_business_fault_takes_its_boundary_event(bench: Bench) -> None:
    def refuse(context: HandlerContext) -> None:
        raise BpmnError("late", "过期")

    bench.handler("work", refuse)
    bench.deploy(
        model(
            "fault",
            start(),
            service("work", "work"),
            boundary("late", "work", '<errorEventDefinition errorRef="e"/>'),
            user("explain"),
            end(),
            extra='<error id="e" errorCode="late"/>',
            flows="start>work work>end late>explain explain>end",
        )
    )
    assert list(bench.open(bench.start("fault").instance_id)) == ["explain"]


def test_handlers_start_and_cancel_other_instances_in_the_same_transaction(bench: Bench, flaky: Flaky) -> None:
    """What a handler started goes with its savepoint when it fails afterwards."""
    flaky.failure = None
    made: list[UUID] = []

    def spread(context: HandlerContext) -> None:
        made.append(context.start_instance("served", {"n": 1}, business_key="B-1"))
        if len(made) == 1:
            raise RuntimeError("not yet")

    bench.handler("spread", spread)
    bench.deploy(
        model("spreading", start(), service("s", "spread"), user("wait"), end(), flows="start>s s>wait wait>end")
    )
    started = bench.start("spreading")
    assert bench.rows("select count(*) from process_instance") == [(1,)]
    clock.advance(timedelta(minutes=1))
    bench.drain()
    assert bench.rows("select id, root_instance_id, business_key from process_instance where business_key = 'B-1'") == [
        (made[1], started.instance_id, "B-1")
    ]
    bench.complete(bench.open(made[1])["apply"])
    assert list(bench.open(made[1])) == ["review"]

    bench.handler("stop", lambda context: context.cancel_instance(made[1], "整批撤回"))
    bench.deploy(model("stopping", start(), service("s", "stop"), end(), flows="start>s s>end"))
    bench.start("stopping")
    assert bench.status(made[1]) == "cancelled"
    assert bench.rows("select status from user_task where element_id = 'review'") == [("cancelled",)]


def test_a_handler_may_end_its_own_instance(bench: Bench) -> None:
    bench.handler("stop", lambda context: context.cancel_instance(context.instance_id, "撤回"))
    bench.deploy(model("own", start(), service("s", "stop"), user("never"), end(), flows="start>s s>never never>end"))
    started = bench.start("own")
    assert started.ended == "cancelled"
    assert bench.rows("select status, end_reason from process_instance") == [("cancelled", "撤回")]
    assert bench.open(started.instance_id) == {}


# ---- external handlers

RENDERED = model(
    "rendered", start(), service("render", "render"), user("look"), end(), flows="start>render render>look look>end"
)


@pytest.fixture
def renderer(bench: Bench) -> Callable[..., Any]:
    calls: list[tuple[UUID, bool]] = []

    def render(context: ExternalContext) -> dict[str, Any]:
        seen = bench.rows("select count(*) from pg_stat_activity where state = 'idle in transaction'")
        calls.append((context.job_id, seen == [(0,)]))
        return {"document": f"doc of {context.variables['n']}"}

    render.calls = calls  # type: ignore[attr-defined]
    bench.handler("render", render, external=True)
    bench.deploy(RENDERED)
    return render


def test_an_external_handler_runs_after_the_commit_with_no_transaction_open(bench: Bench, renderer: Any) -> None:
    started = bench.start("rendered", {"n": 7})
    assert renderer.calls == []
    assert bench.open(started.instance_id) == {}
    [(job_id, left, attempts)] = bench.rows("select id, retries_left, attempts from job")
    assert (left, attempts) == (4, 0)
    bench.drain()
    assert renderer.calls == [(job_id, True)]
    assert bench.variables(started.instance_id) == {"n": 7, "document": "doc of 7"}
    assert list(bench.open(started.instance_id)) == ["look"]


def test_a_finished_job_run_again_does_nothing(bench: Bench, renderer: Any) -> None:
    started = bench.start("rendered", {"n": 7})
    [(job_id,)] = bench.rows("select id from job")
    jobs.run(bench.engine, job_id)
    jobs.run(bench.engine, job_id)
    bench.drain()
    assert renderer.calls == [(job_id, True)]
    with pytest.raises(NotFound):
        bench.step(started.instance_id, ResumeJob(job_id, {"document": "twice"}))
    assert bench.variables(started.instance_id)["document"] == "doc of 7"


def test_a_job_that_never_started_never_ran(bench: Bench, renderer: Any) -> None:
    """The enqueue is part of the step's transaction."""
    with pytest.raises(RuntimeError), db.transaction() as session:
        _start_and_fail(bench, session)
    assert bench.drain() == 0
    assert renderer.calls == []


def _start_and_fail(bench: Bench, session: Any) -> None:
    from webapp.engine.commands import StartInstance

    bench.engine.start(session, StartInstance("rendered", variables={"n": 1}))
    raise RuntimeError


def test_an_external_handler_that_fails_is_retried_then_an_incident(bench: Bench, clock_at: Any) -> None:
    clock_at(datetime(2026, 11, 25, 2, tzinfo=UTC))

    def render(context: ExternalContext) -> None:
        raise RuntimeError("no paper")

    bench.handler("render", render, external=True)
    bench.deploy(RENDERED)
    started = bench.start("rendered", {"n": 1})
    for _ in range(4):
        bench.drain()
        clock.advance(timedelta(hours=1))
    [incident] = bench.incidents(started.instance_id)
    assert incident.message == "RuntimeError: no paper"
    assert bench.drain() == 0


def test_an_external_workers_job_waits_for_it(bench: Bench) -> None:
    """`camunda:type="external"`: a row for fetchAndLock; our workers leave it alone."""
    bench.deploy(
        model(
            "outside",
            start(),
            service("ship", "ship", 'camunda:type="external"'),
            user("look"),
            end(),
            flows="start>ship ship>look look>end",
        )
    )
    started = bench.start("outside", {"n": 1})
    [(job_id, kind, topic)] = bench.rows("select id, kind, topic from job")
    assert (kind, topic) == ("worker", "ship")
    assert bench.drain() == 0
    bench.step(started.instance_id, FailJob(job_id, "kaputt", retries_left=1, retry_in=60))
    assert bench.rows("select retries_left, error from job") == [(1, "kaputt")]
    assert bench.incidents() == []
    bench.step(started.instance_id, ResumeJob(job_id, {"shipped": True}))
    assert bench.variables(started.instance_id) == {"n": 1, "shipped": True}


def test_enqueue_runs_once_after_the_commit(bench: Bench) -> None:
    sent: list[Any] = []
    bench.handler("mail", lambda context: sent.append((context.job_id, context.variables)), external=True)
    bench.handler("tell", lambda context: context.enqueue("mail", {"to": "li"}))
    bench.deploy(model("mailing", start(), service("t", "tell"), end(), flows="start>t t>end"))
    bench.start("mailing")
    assert sent == []
    assert bench.drain() == 1
    assert [variables for _, variables in sent] == [{"to": "li"}]


def test_an_enqueued_handler_that_is_given_up_is_an_incident_that_repeats_it(bench: Bench) -> None:
    """Its instance has ended long ago: the mail is still owed."""
    sent: list[Any] = []
    bench.handler("mail", lambda context: sent.append(context.job_id), external=True)
    bench.handler("tell", lambda context: context.enqueue("mail", {"to": "li"}))
    bench.deploy(model("mailing", start(), service("t", "tell"), end(), flows="start>t t>end"))
    started = bench.start("mailing")
    [(args,)] = bench.rows("delete from procrastinate_jobs returning args")
    worker.give_up("qianyin.call", args, RuntimeError("no network"))
    [incident] = bench.incidents(started.instance_id)
    assert incident.message == "mail：RuntimeError: no network"
    db.retrying(lambda session: incidents.retry(bench.engine, session, incident.id, None))
    bench.drain()
    assert [str(key) for key in sent] == [args["key"]]
    assert bench.incidents() == []


def test_a_call_from_outside_of_every_case_that_is_given_up_is_an_incident_too(bench: Bench) -> None:
    args = {"topic": "mail", "arguments": {}, "key": str(uuid7()), "instance_id": None}
    worker.give_up("qianyin.call", args, RuntimeError("no network"))
    assert [(i.instance_id, i.message) for i in bench.incidents()] == [(None, "mail：RuntimeError: no network")]


def test_cancelling_takes_the_jobs_away(bench: Bench, renderer: Any) -> None:
    from webapp.engine.commands import Cancel

    started = bench.start("rendered", {"n": 7})
    bench.step(started.instance_id, Cancel("撤回"))
    bench.drain()
    assert renderer.calls == []
    assert bench.rows("select 1 from job") == []


def test_a_suspended_instance_stands_still(bench: Bench, renderer: Any) -> None:
    from webapp.engine.commands import Resume, Suspend

    started = bench.start("rendered", {"n": 7})
    bench.step(started.instance_id, Suspend("核查"))
    bench.drain()
    assert renderer.calls == []
    bench.step(started.instance_id, Resume("核查完毕"))
    bench.drain()
    assert list(bench.open(started.instance_id)) == ["look"]


def test_an_element_that_cannot_go_on_is_an_incident_that_a_correction_resolves(bench: Bench) -> None:
    from tests.engine.runtime.models import gateway
    from webapp.engine.commands import SetVariables

    bench.deploy(
        model(
            "stuck",
            start(),
            gateway("choice"),
            user("many"),
            user("few"),
            end(),
            flows="start>choice choice>many[=n > 5] choice>few[=n < 6] many>end few>end",
        )
    )
    started = bench.start("stuck", {"n": "viele"})
    [incident] = bench.incidents(started.instance_id)
    assert incident.element_id == "choice"
    bench.restarted()
    bench.step(started.instance_id, SetVariables({"n": 9}, reason="填错"))
    bench.step(started.instance_id, RetryIncident(incident.id))
    assert list(bench.open(started.instance_id)) == ["many"]
    assert bench.incidents() == []
    [(detail,)] = bench.rows("select detail from audit where action = 'instance.variables'")
    assert detail == {"before": {"n": "viele"}, "after": {"n": 9}}


def test_ending_an_instance_resolves_its_incidents(bench: Bench, flaky: Flaky) -> None:
    from webapp.engine.commands import Cancel

    flaky.failure = HandlerFailed("x", permanent=True)
    started = bench.start("served")
    bench.complete(started.opened[0])
    bench.step(started.instance_id, Cancel("撤回"))
    assert bench.incidents() == []
