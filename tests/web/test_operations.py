"""A manager's operations on one instance: preview, confirmation, trail; 退回 and 收回 by the people; REST."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.engine.runtime.models import boundary, end, model, start, timer, user
from tests.support import Client
from webapp.accounts.service import actor_of
from webapp.engine import deployment
from webapp.engine.commands import StartInstance
from webapp.engine.handler_api import hooks

LAW = 'qianyin:law="true" qianyin:clause="4.4"'
MODEL = model(
    "letter",
    start(),
    user("draft"),
    user("check", groups="working_group"),
    boundary("late", "check", timer("timeDuration", "P5D")),
    user("meet", LAW),
    user("sign"),
    end(),
    flows="start>draft draft>check check>meet late>meet meet>sign sign>end",
    attributes='camunda:candidateStarterGroups="office"',
)


@pytest.fixture
def case(session: Session, engine: Any, account: Callable[..., Any]) -> str:
    """A running case that stands at `draft`."""
    deployment.deploy(session, "letter", {"letter.bpmn": MODEL}, hooks=hooks)
    session.commit()
    command = StartInstance(key="letter", business_key="HJ-1", title="一封信", variables={"pages": 3, "note": "甲"})
    made = engine.start(session, command, actor_of(account("office", name="陈思远")))
    session.commit()
    return str(made.instance_id)


def open_task(session: Session, element: str) -> str:
    found = session.scalar(text("select id from user_task where status = 'open' and element_id = :e"), {"e": element})
    session.commit()
    return str(found)


def opened(session: Session) -> list[str]:
    found = list(session.scalars(text("select element_id from user_task where status = 'open' order by element_id")))
    session.commit()
    return found


def complete(client: Any, task: str) -> None:
    assert client.post(f"/tasks/{task}", data={"outcome": ""}).status_code == 303


def node(session: Session, task: str) -> str:
    found = str(session.scalar(text("select node from user_task where id = :id"), {"id": task}))
    session.commit()
    return found


def test_a_move_is_previewed_confirmed_and_told(client: Any, sign_in: Any, session: Session, case: str) -> None:
    sign_in("manager", name="林主任")
    token = node(session, open_task(session, "draft"))
    move = {"kind": "move", "node": token, "target": "check"}
    page = client.post(f"/instances/{case}/operations/preview", data=move)
    assert page.status_code == 200
    for words in ("撤销任务“draft”（待签收）", "打开任务“check”", "设定定时"):
        assert words in page.text
    assert opened(session) == ["draft"]  # nothing has happened
    unconfirmed = client.post(f"/instances/{case}/operations/apply", data={**move, "reason": "领导已审"})
    assert unconfirmed.status_code == 422
    unreasoned = client.post(f"/instances/{case}/operations/apply", data={**move, "confirm": "HJ-1"})
    assert unreasoned.status_code == 422
    assert opened(session) == ["draft"]
    done = client.post(f"/instances/{case}/operations/apply", data={**move, "reason": "领导已审", "confirm": "HJ-1"})
    assert done.status_code == 303
    assert opened(session) == ["check"]
    page = client.get(f"/instances/{case}").text
    assert "移到“check”" in page
    assert "林主任：领导已审" in page
    assert "&#34;moved&#34;: [&#34;check&#34;]" in page or '"moved": ["check"]' in page
    [(action, reason, address)] = session.execute(
        text("select action, reason, address from audit where action = 'instance.move'")
    ).all()
    assert (reason, address) == ("领导已审", "127.0.0.1"), action
    session.commit()
    twice = client.post(f"/instances/{case}/operations/apply", data={**move, "reason": "领导已审", "confirm": "HJ-1"})
    assert twice.status_code == 409
    assert "已办结或已撤销" in twice.text


def test_the_law_refuses_with_clause_and_name(client: Any, sign_in: Any, session: Session, case: str) -> None:
    sign_in("manager")
    token = node(session, open_task(session, "draft"))
    page = client.post(f"/instances/{case}/operations/preview", data={"kind": "move", "node": token, "target": "sign"})
    assert page.status_code == 409
    assert "“meet”是规程规定的环节（4.4）" in page.text
    assert opened(session) == ["draft"]


def test_only_managers_operate(client: Any, sign_in: Any, case: str) -> None:
    sign_in("office")
    assert client.get(f"/instances/{case}/operations").status_code == 403
    assert client.post(f"/instances/{case}/operations/apply", data={"kind": "move"}).status_code == 403


def test_bad_input_gets_a_sentence(client: Any, sign_in: Any, session: Session, case: str) -> None:
    sign_in("manager")
    for data, words in (
        ({"kind": "explode"}, "没有这种操作"),
        ({"kind": "move", "node": "nonsense", "target": "check"}, "请指明操作的对象"),
        ({"kind": "move", "element": "draft", "target": "late"}, "边界事件"),
        ({"kind": "restart", "target": "nowhere"}, "没有环节"),
        ({"kind": "migrate", "definition": open_task(session, "draft")}, "没有流程定义"),
        ({"kind": "due", "task": open_task(session, "draft"), "due": "soon"}, "请填写新的办理期限"),
        ({"kind": "variable", "name": "pages", "value": "many"}, "类型不符"),
        ({"kind": "variable", "name": "nothing", "value": "1"}, "没有变量"),
    ):
        page = client.post(f"/instances/{case}/operations/preview", data=data)
        assert page.status_code in {404, 409, 422}, data
        assert words in page.text, data
    assert client.get(f"/instances/{case}/operations?element=nowhere").status_code == 404


def test_a_task_is_reassigned_and_its_due_date_changed(
    client: Any, sign_in: Any, session: Session, case: str, account: Callable[..., Any]
) -> None:
    other = account("office", name="周岚")
    sign_in("manager")
    task = open_task(session, "draft")
    page = client.get(f"/instances/{case}/operations?element=draft").text
    assert "周岚" in page
    for data, words in (
        ({"kind": "reassign", "task": task, "to": str(other.id)}, "任务“draft”改由周岚办理"),
        ({"kind": "due", "task": task, "due": "2031-03-05"}, "期限改为"),
        ({"kind": "variable", "name": "note", "value": "乙"}, "变量“note”改变"),
    ):
        assert words in client.post(f"/instances/{case}/operations/preview", data=data).text
        done = client.post(f"/instances/{case}/operations/apply", data={**data, "reason": "陈思远出差"})
        assert done.status_code == 303
    [(assignee, due)] = session.execute(
        text("select assignee_id, due_at from user_task where id = :id"), {"id": task}
    ).all()
    assert (assignee, due.isoformat()) == (other.id, "2031-03-05T16:00:00+00:00")
    session.commit()


def test_a_task_is_returned_with_a_reason(
    app: Any, client: Any, sign_in: Any, session: Session, case: str, account: Callable[..., Any]
) -> None:
    author, checker = account("office", name="何苗"), account("working_group", name="郑凯")
    first, second = Client(app), Client(app)
    first.sign_in(author)
    second.sign_in(checker)
    complete(first, open_task(session, "draft"))
    task = open_task(session, "check")
    page = second.get(f"/tasks/{task}").text
    [value] = re.findall(r'<option value="([^"]+:draft)">', page)
    assert second.post(f"/tasks/{task}/return", data={"to": value, "reason": " "}).status_code == 422
    assert second.post(f"/tasks/{task}/return", data={"to": "x", "reason": "缺页"}).status_code == 422
    assert second.post(f"/tasks/{task}/return", data={"to": value, "reason": "缺页"}).status_code == 303
    assert second.post(f"/tasks/{task}/return", data={"to": value, "reason": "缺页"}).status_code == 409
    again = open_task(session, "draft")
    page = first.get(f"/tasks/{again}").text
    assert "退回到“draft”" in page
    assert "郑凯：缺页" in page
    assert opened(session) == ["draft"]
    complete(first, again)
    assert opened(session) == ["check"]


def test_what_was_sent_is_recalled_until_the_next_person_opens_it(
    app: Any, session: Session, case: str, account: Callable[..., Any]
) -> None:
    author, checker = account("office", name="何苗"), account("working_group", name="郑凯")
    first, second = Client(app), Client(app)
    first.sign_in(author)
    second.sign_in(checker)
    task = open_task(session, "draft")
    complete(first, task)
    assert "收回…" in first.get(f"/tasks/{task}").text
    assert second.post(f"/tasks/{task}/recall", data={"reason": "不关我事"}).status_code == 404
    assert first.post(f"/tasks/{task}/recall", data={"reason": ""}).status_code == 422
    assert first.post(f"/tasks/{task}/recall", data={"reason": "漏了一页"}).status_code == 303
    assert opened(session) == ["draft"]
    again = open_task(session, "draft")
    complete(first, again)
    second.get(f"/tasks/{open_task(session, 'check')}")
    assert "收回…" not in first.get(f"/tasks/{again}").text
    late = first.post(f"/tasks/{again}/recall", data={"reason": "又漏了"})
    assert late.status_code == 409
    assert "已经签收或打开" in late.text
    assert opened(session) == ["check"]


def test_the_rest_dialect_moves_tokens(client: Any, sign_in: Any, session: Session, case: str) -> None:
    address = f"/engine-rest/process-instance/{case}/modification"
    cancel = {"type": "cancel", "activityId": "draft"}

    def begin(activity: str) -> dict[str, str]:
        return {"type": "startBeforeActivity", "activityId": activity}

    sign_in("office")
    assert client.post(address, json={"instructions": [cancel, begin("check")]}).status_code == 403
    sign_in("manager")
    for wrong in ({}, {"instructions": [cancel]}, {"instructions": [{"type": "startTransition"}]}):
        assert client.post(address, json=wrong).status_code == 400
    refused = client.post(address, json={"instructions": [cancel, begin("sign")]})
    assert refused.status_code == 409
    assert "4.4" in refused.text
    moved = client.post(address, json={"instructions": [cancel, begin("check")], "annotation": "已核"})
    assert moved.status_code == 204
    assert opened(session) == ["check"]


def test_a_migration_is_undone_while_nothing_has_happened(
    app: Any, client: Any, sign_in: Any, session: Session, case: str, account: Callable[..., Any]
) -> None:
    renamed = MODEL.replace(b'name="draft"', b'name="outline"')
    [newer] = deployment.deploy(session, "letter", {"letter.bpmn": renamed}, hooks=hooks).definitions
    session.commit()
    sign_in("manager")
    task = open_task(session, "draft")
    there = {"kind": "migrate", "definition": str(newer.id)}
    assert "保留签收、草稿和留言" in client.post(f"/instances/{case}/operations/preview", data=there).text
    done = client.post(f"/instances/{case}/operations/apply", data={**there, "reason": "改版", "confirm": "HJ-1"})
    assert done.status_code == 303
    assert open_task(session, "draft") == task
    back = {"kind": "migrate_back", "reason": "还不到时候", "confirm": "HJ-1"}
    assert client.post(f"/instances/{case}/operations/apply", data=back).status_code == 303
    assert client.post(f"/instances/{case}/operations/apply", data=there | back).status_code == 303  # and forth again
    first = Client(app)
    first.sign_in(account("office"))
    complete(first, task)
    late = client.post(f"/instances/{case}/operations/preview", data=back)
    assert late.status_code == 409
    assert "又有进展" in late.text
