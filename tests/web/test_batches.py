"""A manager's operation on many cases: frozen list, preview with refusals, reason, result per case, pause, cancel."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.engine.runtime.models import end, model, start, user
from webapp.accounts.service import actor_of
from webapp.batches import running
from webapp.engine import deployment
from webapp.engine.commands import StartInstance
from webapp.engine.handler_api import hooks

LAW = 'qianyin:law="true" qianyin:clause="4.4"'
MODEL = model(
    "letter",
    start(),
    user("draft"),
    user("meet", LAW),
    user("sign"),
    end(),
    flows="start>draft draft>meet meet>sign sign>end",
    attributes='camunda:candidateStarterGroups="office"',
)


@pytest.fixture
def cases(session: Session, engine: Any, account: Callable[..., Any]) -> list[str]:
    """Four running cases that stand at `draft`, oldest first."""
    deployment.deploy(session, "letter", {"letter.bpmn": MODEL}, hooks=hooks)
    session.commit()
    actor = actor_of(account("office"))
    made = []
    for n in range(1, 5):
        command = StartInstance(key="letter", business_key=f"HJ-{n}", title=f"第{n}封信", variables={})
        made.append(str(engine.start(session, command, actor).instance_id))
        session.commit()
    return made


def rows(session: Session, query: str) -> list[Any]:
    found = list(session.execute(text(query)).all())
    session.commit()
    return found


def begin(client: Any, **form: Any) -> str:
    answer = client.post("/batches", data=form)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def previewed(client: Any, batch: str, **form: str) -> str:
    assert client.post(f"{batch}/preview", data=form).status_code == 303
    running.drain()
    return str(client.get(batch).text)


def test_all_that_the_filter_shows_is_frozen_previewed_and_done(
    client: Any, sign_in: Any, session: Session, cases: list[str], account: Callable[..., Any]
) -> None:
    other = account("office", name="周岚")
    sign_in("manager", name="林主任")
    page = client.get("/instances?q=HJ-1").text
    assert "对筛选出的全部 1 件操作" in page
    batch = begin(client, scope="filter", filter="view=running")
    page = previewed(client, batch, kind="reassign", element="draft", to=str(other.id))
    assert "可以执行 4 件，不能执行 0 件" in page
    assert "任务“draft”改由周岚办理。" in page
    assert rows(session, "select 1 from user_task where assignee_id is not null") == []  # nothing has happened
    unreasoned = client.post(f"{batch}/start", data={"reason": " "})
    assert unreasoned.status_code == 422
    assert "请写明操作理由" in unreasoned.text
    assert client.post(f"{batch}/start", data={"reason": "原办理人出差"}).status_code == 303
    assert client.post(f"{batch}/start", data={"reason": "再按一次"}).status_code == 409
    running.drain()
    assert rows(
        session, "select count(*) from user_task where assignee_id = (select id from account where name = '周岚')"
    ) == [(4,)]
    told = rows(session, "select distinct instance_id, reason from audit where action = 'task.reassign'")
    assert {str(one.instance_id) for one in told} == set(cases)
    assert {one.reason for one in told} == {told[0].reason}
    assert told[0].reason.startswith("原办理人出差（批量操作")
    page = client.get(batch).text
    assert "已执行 4" in page
    assert "林主任" in page
    assert "已完成" in client.get("/batches").text


def test_the_law_refuses_each_on_its_own_and_the_rest_is_done(
    client: Any, sign_in: Any, session: Session, cases: list[str]
) -> None:
    sign_in("manager")
    for case in cases[:2]:  # two are through with the meeting: their token may go back and forth
        for element in ("draft", "meet"):
            [(task,)] = rows(session, f"select id from user_task where instance_id = '{case}' and status = 'open'")
            office = sign_in("office")
            assert client.post(f"/tasks/{task}", data={"outcome": ""}).status_code == 303, element
            assert office
    sign_in("manager")
    batch = begin(client, scope="ids", ids=cases)
    page = previewed(client, batch, kind="move", element="draft", target="sign")
    assert "可以执行 0 件，不能执行 4 件" in page
    assert "“meet”是规程规定的环节（4.4）" in page
    assert client.post(f"{batch}/start", data={"reason": "试", "confirm": "4"}).status_code in {409, 422}
    assert client.post(f"{batch}/back").status_code == 303
    page = previewed(client, batch, kind="move", element="sign", target="draft")
    assert "可以执行 2 件，不能执行 2 件" in page
    wrong = client.post(f"{batch}/start", data={"reason": "材料不全", "confirm": "4"})
    assert wrong.status_code == 422
    assert "请输入“2”以确认" in wrong.text
    assert client.post(f"{batch}/start", data={"reason": "材料不全", "confirm": "2"}).status_code == 303
    running.drain()
    assert rows(session, "select element_id, count(*) from user_task where status = 'open' group by 1") == [
        ("draft", 4)
    ]
    assert rows(session, "select status, count(*) from batch_item group by 1 order by 1") == [
        ("done", 2),
        ("refused", 2),
    ]
    assert "不能执行 2" in client.get(batch).text


def test_a_batch_is_paused_resumed_and_cancelled(client: Any, sign_in: Any, session: Session, cases: list[str]) -> None:
    sign_in("manager")
    batch = begin(client, scope="ids", ids=[*cases, cases[0]])  # twice is once
    previewed(client, batch, kind="suspend")
    assert client.post(f"{batch}/start", data={"reason": "系统升级"}).status_code == 303
    assert running.turn()
    assert client.post(f"{batch}/pause").status_code == 303
    assert not running.turn()
    assert client.post(f"{batch}/pause").status_code == 409
    assert rows(session, "select count(*) from process_instance where suspended") == [(1,)]
    assert client.post(f"{batch}/resume").status_code == 303
    assert running.turn()
    assert client.post(f"{batch}/cancel").status_code == 303
    assert running.drain() == 0
    assert rows(session, "select count(*) from process_instance where suspended") == [(2,)]
    assert rows(session, "select status, count(*) from batch_item group by 1 order by 1") == [
        ("cancelled", 2),
        ("done", 2),
    ]
    assert client.post(f"{batch}/resume").status_code == 409


def test_who_is_no_manager_any_more_does_nothing_by_a_batch(
    client: Any, sign_in: Any, session: Session, cases: list[str]
) -> None:
    sign_in("manager")
    batch = begin(client, scope="ids", ids=cases)
    previewed(client, batch, kind="cancel")
    assert client.post(f"{batch}/start", data={"reason": "重复", "confirm": "4"}).status_code == 303
    session.execute(text("delete from account_role where role = 'manager'"))
    session.commit()
    running.drain()
    assert rows(session, "select count(*) from process_instance where status = 'active'") == [(4,)]
    sign_in("manager")
    assert "等待另一位管理者继续" in client.get(batch).text
    assert client.post(f"{batch}/resume").status_code == 303
    running.drain()
    assert rows(session, "select distinct status from process_instance") == [("cancelled",)]


def test_bad_input_gets_a_sentence(client: Any, sign_in: Any, cases: list[str]) -> None:
    sign_in("manager")
    for form, words in (
        ({"scope": "ids"}, "请先选中要操作的案件"),
        ({"scope": "ids", "ids": "nonsense"}, "案件编号无效"),
        ({"scope": "filter", "filter": "q=Nichts"}, "请先选中要操作的案件"),
    ):
        answer = client.post("/batches", data=form)
        assert (answer.status_code, words in answer.text) == (422, True), form
    batch = begin(client, scope="ids", ids=cases)
    for form, words in (
        ({"kind": "explode"}, "请选择要做的操作"),
        ({"kind": "reassign"}, "请把操作填写完整"),
        ({"kind": "move", "element": "draft"}, "请把操作填写完整"),
    ):
        answer = client.post(f"{batch}/preview", data=form)
        assert (answer.status_code, words in answer.text) == (422, True), form
    page = previewed(client, batch, kind="due", due="soon")
    assert "请填写新的办理期限" in page
    assert "没有一件可以这样操作" in page
    sign_in("office")
    assert client.get(batch).status_code == 403
    assert not re.search("批量操作", client.get("/instances").text)
