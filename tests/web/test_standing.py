"""代理: a stand-in by date does another's tasks; the record names both; four eyes count both; it ends at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.engine.runtime.models import end, model, start, user
from webapp import clock
from webapp.accounts.service import actor_of
from webapp.engine import deployment
from webapp.engine.commands import StartInstance
from webapp.engine.handler_api import hooks
from webapp.standing import service

MODEL = model(
    "letter",
    start(),
    user("draft", groups="office"),
    user("check", 'qianyin:notSameAs="draft"', groups="office"),
    end(),
    flows="start>draft draft>check check>end",
    attributes='camunda:candidateStarterGroups="office"',
)


@pytest.fixture
def people(session: Session, engine: Any, account: Callable[..., Any]) -> dict[str, Any]:
    """张三 has the task `draft`; 李四 and 王五 are of the same office."""
    deployment.deploy(session, "letter", {"letter.bpmn": MODEL}, hooks=hooks)
    made = {name: account("office", name=name) for name in ("张三", "李四", "王五")}
    engine.start(session, StartInstance(key="letter", business_key="HJ-1", title="一封信"), actor_of(made["张三"]))
    session.execute(text("update user_task set assignee_id = :id, claimed_at = now()"), {"id": made["张三"].id})
    session.commit()
    return made


def tasks(session: Session) -> list[Any]:
    found = list(
        session.execute(text("select id, element_id, assignee_id, on_behalf_of from user_task where status = 'open'"))
    )
    session.commit()
    return found


def appoint(client: Any, other: Any, *, first: int = 0, last: int = 3, **more: str) -> Any:
    today = clock.today()
    days = {"first": str(today + timedelta(days=first)), "last": str(today + timedelta(days=last))}
    return client.post("/standing", data={"stand_in": str(other.id), **days, "reason": "出差", **more})


def test_a_stand_in_does_the_task_and_the_record_names_both(
    client: Any, session: Session, people: dict[str, Any]
) -> None:
    zhang, li, wang = people["张三"], people["李四"], people["王五"]
    [task] = tasks(session)
    client.sign_in(li)
    assert client.post(f"/standing/{zhang.id}/tasks/{task.id}").status_code == 403  # not named yet
    client.sign_in(zhang)
    assert appoint(client, li).status_code == 303
    assert appoint(client, wang).status_code == 422  # one at a time
    client.sign_in(wang)
    assert client.post(f"/standing/{zhang.id}/tasks/{task.id}").status_code == 403
    client.sign_in(li)
    assert "代张三" in client.get("/tasks").text
    assert "一封信" in client.get("/standing").text
    assert client.post(f"/standing/{zhang.id}/tasks/{task.id}").status_code == 303
    assert client.post(f"/standing/{zhang.id}/tasks/{task.id}").status_code == 409  # twice
    assert "代张三办理" in client.get(f"/tasks/{task.id}").text
    passed = client.post(f"/tasks/{task.id}/transfer", data={"to": str(wang.id), "reason": "忙"})
    assert (passed.status_code, "不能转办" in passed.text) == (403, True)
    assert client.post(f"/tasks/{task.id}", data={"outcome": ""}).status_code == 303
    assert "李四（代张三）" in client.get(f"/tasks/{task.id}/print").text
    [check] = tasks(session)
    for who in (li, zhang):  # both count for the four eyes
        client.sign_in(who)
        refused = client.post(f"/tasks/{check.id}", data={"outcome": ""})
        assert (refused.status_code, "要由另一人办理" in refused.text) == (403, True), who.name
    client.sign_in(wang)
    assert client.post(f"/tasks/{check.id}", data={"outcome": ""}).status_code == 303
    assert tasks(session) == []


def test_a_stand_in_may_not_check_what_the_other_prepared(
    client: Any, session: Session, people: dict[str, Any]
) -> None:
    zhang, li, wang = people["张三"], people["李四"], people["王五"]
    [task] = tasks(session)
    client.sign_in(zhang)
    assert client.post(f"/tasks/{task.id}", data={"outcome": ""}).status_code == 303
    client.sign_in(wang)
    assert appoint(client, zhang).status_code == 303
    [check] = tasks(session)
    client.sign_in(zhang)  # stands in for 王五, who might check; but 张三 prepared it
    assert client.post(f"/standing/{wang.id}/tasks/{check.id}").status_code == 403
    assert li


def test_it_ends_at_once_or_by_date_and_the_task_goes_back(
    client: Any, session: Session, people: dict[str, Any]
) -> None:
    zhang, li = people["张三"], people["李四"]
    [task] = tasks(session)
    client.sign_in(zhang)
    appoint(client, li)
    client.sign_in(li)
    assert client.post(f"/standing/{zhang.id}/tasks/{task.id}").status_code == 303
    client.sign_in(people["王五"])
    standing = session.scalar(text("select id from stand_in"))
    session.commit()
    assert client.post(f"/standing/{standing}/end").status_code == 404
    client.sign_in(zhang)
    assert client.post(f"/standing/{standing}/end").status_code == 303
    [back] = tasks(session)
    assert (back.assignee_id, back.on_behalf_of) == (zhang.id, None)
    client.sign_in(li)
    assert client.post(f"/standing/{zhang.id}/tasks/{task.id}").status_code == 403
    client.sign_in(zhang)
    assert appoint(client, li).status_code == 303
    client.sign_in(li)
    assert client.post(f"/standing/{zhang.id}/tasks/{task.id}").status_code == 303
    session.execute(text("update stand_in set first_day = first_day - 9, last_day = current_date - 2"))
    session.commit()
    assert service.expire(session) == 1
    session.commit()
    [back] = tasks(session)
    assert (back.assignee_id, back.on_behalf_of) == (zhang.id, None)


def test_bad_input_gets_a_sentence(client: Any, sign_in: Any, people: dict[str, Any], account: Any) -> None:
    zhang, li = people["张三"], people["李四"]
    client.sign_in(zhang)
    for answer, words in (
        (client.post("/standing", data={"stand_in": "x"}), "请选择代理人并填写日期"),
        (appoint(client, zhang), "请选择代理人"),
        (appoint(client, li, last=-1), "结束日期不能早于"),
        (appoint(client, li, last=900), "代理最长"),
        (appoint(client, li, reason=" "), "请写明代理的原因"),
    ):
        assert answer.status_code == 422, words
        assert words in answer.text
    assert appoint(client, account("lead_unit")).status_code == 422  # one side may not act for the other
    assert appoint(client, zhang, principal=str(li.id)).status_code == 403  # for another
    sign_in("sysadmin")
    assert appoint(client, li, principal=str(zhang.id)).status_code == 303
