"""What stands around the door: starters, outcomes, mappings, operations, imports."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from tests.engine.runtime.conftest import Bench
from tests.engine.runtime.models import end, gateway, model, service, start, user
from webapp import db
from webapp.engine.commands import Cancel, CompleteTask, Resume, SetVariables, Suspend
from webapp.engine.errors import InstanceNotActive, InstanceNotFound, InstanceSuspended, TaskNotOpen
from webapp.engine.handler_api import Actor, StartContext, StartPlan
from webapp.errors import Conflict, Forbidden, Invalid, NotFound
from webapp.ids import uuid7

PLAIN = model("plain", start(), user("work"), end(), flows="start>work work>end")


def test_a_starter_gives_number_and_first_variables(bench: Bench, officer: Actor) -> None:
    seen: list[StartContext] = []

    def plan(context: StartContext) -> StartPlan:
        seen.append(context)
        return StartPlan({"year": 2026}, business_key="BA-2026-0001", title="新增备案", org_id=org)

    org = uuid7()
    bench.hooks.starters["plain"] = plan
    bench.deploy(PLAIN)
    with db.transaction() as session:
        from webapp.engine.commands import StartInstance

        started = bench.engine.start(session, StartInstance("plain", variables={"a": 1}), officer)
    assert seen[0].instance_id == started.instance_id
    assert seen[0].actor == officer
    assert bench.rows("select business_key, title, org_id, started_by from process_instance") == [
        ("BA-2026-0001", "新增备案", org, officer.id)
    ]
    assert bench.variables(started.instance_id) == {"a": 1, "year": 2026}
    assert bench.start("plain", business_key="own")
    assert bench.rows("select 1 from process_instance where business_key = 'own'") == [(1,)]


def test_a_starter_may_refuse(bench: Bench) -> None:
    def refuse(context: StartContext) -> StartPlan:
        raise Forbidden("清退审议期间不受理备案。")

    bench.hooks.starters["plain"] = refuse
    bench.deploy(PLAIN)
    with pytest.raises(Forbidden, match="清退"):
        bench.start("plain")
    assert bench.rows("select 1 from process_instance") == []


def test_the_outcome_decides_and_must_be_one_of_the_buttons(bench: Bench) -> None:
    buttons = (
        '<extensionElements><qianyin:outcome value="pass" label="通过"/><qianyin:outcome value="return" label="退回"/>'
        "</extensionElements>"
    )
    bench.deploy(
        model(
            "decided",
            start(),
            user("review", 'qianyin:outcomeVariable="verdict"', buttons),
            gateway("choice"),
            user("good"),
            user("again"),
            end(),
            flows='start>review review>choice choice>good[=verdict = "pass"] choice>again[=verdict = "return"]'
            " good>end again>end",
        )
    )
    started = bench.start("decided")
    with pytest.raises(Invalid, match="maybe"):
        bench.complete(started.opened[0], outcome="maybe")
    bench.complete(started.opened[0], outcome="return", form_data={"words": "缺章"})
    assert list(bench.open(started.instance_id)) == ["again"]
    assert bench.variables(started.instance_id) == {"words": "缺章", "verdict": "return"}
    assert bench.rows("select outcome, form_data from user_task where element_id = 'review'") == [
        ("return", {"words": "缺章"})
    ]


def test_a_mapping_keeps_the_form_local_and_the_outcome_reaches_the_gateway(bench: Bench) -> None:
    mapping = (
        "<extensionElements><camunda:inputOutput>"
        '<camunda:outputParameter name="total">=price * count</camunda:outputParameter>'
        "</camunda:inputOutput></extensionElements>"
    )
    bench.deploy(
        model(
            "mapped",
            start(),
            user("buy", "", mapping),
            gateway("choice"),
            user("good"),
            user("bad"),
            end(),
            flows='start>buy buy>choice choice>good[=outcome = "yes"] choice>bad[=outcome = "no"] good>end bad>end',
        )
    )
    started = bench.start("mapped")
    bench.complete(started.opened[0], outcome="yes", form_data={"price": Decimal("2.50"), "count": 4, "note": "x"})
    assert list(bench.open(started.instance_id)) == ["good"]
    assert bench.variables(started.instance_id) == {"total": Decimal("10.00"), "outcome": "yes"}


def test_assignee_and_candidates_are_accounts(bench: Bench) -> None:
    bench.accounts = {"li": uuid7(), "wang": uuid7()}
    bench.deploy(
        model(
            "people",
            start(),
            '<userTask id="one" camunda:assignee="li"/>',
            '<userTask id="some" camunda:candidateUsers="=team"/>',
            '<userTask id="lost" camunda:assignee="=nobody"/>',
            end(),
            flows="start>one one>some some>lost lost>end",
        )
    )
    started = bench.start("people", {"team": ["li", "wang"], "nobody": "zhao"})
    assert bench.rows("select assignee_id from user_task") == [(bench.accounts["li"],)]
    bench.complete(started.opened[0])
    assert bench.rows("select candidate_users from user_task where element_id = 'some'") == [
        ([bench.accounts["li"], bench.accounts["wang"]],)
    ]
    bench.complete(bench.open(started.instance_id)["some"])
    [incident] = bench.incidents(started.instance_id)  # nobody can see the task: a manager must
    assert incident.element_id == "lost"


def test_stage_follows_the_tokens(bench: Bench) -> None:
    stages = (
        '<extensionElements><qianyin:stage key="apply" label="申报"/><qianyin:stage key="review" label="审核"/>'
        "</extensionElements>"
    )
    bench.deploy(
        model(
            "staged",
            stages,
            start(),
            user("fill", 'qianyin:stage="apply"'),
            user("check", 'qianyin:stage="review"'),
            end(),
            flows="start>fill fill>check check>end",
        )
    )
    started = bench.start("staged")
    assert bench.rows("select stage from process_instance") == [("apply",)]
    bench.complete(started.opened[0])
    assert bench.rows("select stage from process_instance") == [("review",)]
    assert [t["element_id"] for (tokens,) in bench.rows("select tokens from process_instance") for t in tokens] == [
        "check"
    ]


def test_cancel_suspend_resume(bench: Bench, officer: Actor) -> None:
    bench.deploy(PLAIN)
    started = bench.start("plain")
    bench.step(started.instance_id, Suspend("核查"), officer)
    with pytest.raises(InstanceSuspended):
        bench.complete(started.opened[0])
    bench.step(started.instance_id, Resume("完毕"), officer)
    bench.step(started.instance_id, Cancel("撤回申请"), officer)
    assert bench.rows("select status, end_reason from process_instance") == [("cancelled", "撤回申请")]
    with pytest.raises(TaskNotOpen, match="撤销") as caught:
        bench.complete(started.opened[0])
    assert caught.value.detail["status"] == "cancelled"
    with pytest.raises(InstanceNotActive):
        bench.step(started.instance_id, SetVariables({"a": 1}))
    assert bench.rows("select action, reason, actor_id from audit where reason is not null order by id") == [
        ("instance.suspend", "核查", officer.id),
        ("instance.resume", "完毕", officer.id),
        ("instance.cancel", "撤回申请", officer.id),
    ]


def test_what_is_not_there_is_told(bench: Bench) -> None:
    bench.deploy(PLAIN)
    with pytest.raises(NotFound):
        bench.start("nothing")
    with pytest.raises(InstanceNotFound):
        bench.step(uuid7(), Cancel("x"))
    started = bench.start("plain")
    with pytest.raises(NotFound):
        bench.step(started.instance_id, CompleteTask(uuid7()))
    with pytest.raises(Invalid):
        bench.complete(started.opened[0], variables={"engine": bench})
    bench.complete(started.opened[0])


def test_a_suspended_definition_takes_no_new_cases(bench: Bench) -> None:
    bench.deploy(PLAIN)
    with db.transaction() as session:
        from sqlalchemy import text

        session.execute(text("update process_definition set suspended = true"))
    with pytest.raises(Conflict, match="暂停受理"):
        bench.start("plain")


def test_a_handler_cannot_enter_its_own_instance(bench: Bench) -> None:
    """The second entry would overwrite what the first is doing; the handler fails instead, with a clear word."""

    def enter(context: Any) -> None:
        bench.engine.step(context.session, context.instance_id, SetVariables({"a": 1}))

    bench.handler("enter", enter)
    bench.deploy(model("own", start(), service("s", "enter"), end(), flows="start>s s>end"))
    bench.start("own")
    [(error,)] = bench.rows("select error from job")
    assert "不能再次进入" in error


def test_typed_variables_survive_a_restart(bench: Bench) -> None:
    from datetime import date

    bench.deploy(PLAIN)
    values = {"price": Decimal("1.10"), "on": date(2026, 11, 25), "id": uuid7(), "data": {"typename": "Foo", "$": 1}}
    started = bench.start("plain", values)
    bench.restarted()
    bench.step(started.instance_id, SetVariables({"big": 2**70}))
    assert bench.variables(started.instance_id) == values | {"big": 2**70}


def test_the_engine_imports_no_flask_and_no_domain() -> None:
    code = (
        "import sys, webapp.engine.runtime, webapp.engine.deployment, webapp.engine.queries, webapp.engine.jobs\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in ('flask', 'handlers')"
        " or m.startswith(('webapp.accounts', 'webapp.registers', 'webapp.inbox', 'webapp.notices', 'webapp.audit'))]\n"
        "sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
