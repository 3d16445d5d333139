"""The manager's pages: the list with its views, one instance, operations with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from webapp.accounts.service import actor_of
from webapp.engine import deployment
from webapp.engine.commands import StartInstance
from webapp.engine.handler_api import hooks

MODEL = b"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
  targetNamespace="https://qianyin.example/tests">
  <process id="visit" name="\xe8\xb5\xb0\xe8\xae\xbf" isExecutable="true" camunda:candidateStarterGroups="office">
    <startEvent id="started"/>
    <userTask id="prepare" name="\xe5\x87\x86\xe5\xa4\x87\xe8\xb5\xb0\xe8\xae\xbf" camunda:candidateGroups="office"/>
    <endEvent id="done"/>
    <sequenceFlow id="f1" sourceRef="started" targetRef="prepare"/>
    <sequenceFlow id="f2" sourceRef="prepare" targetRef="done"/>
  </process>
</definitions>
"""


@pytest.fixture
def started(session: Session, engine: Any, account: Callable[..., Any]) -> Callable[..., str]:
    """Start an instance of the small process; gives its id."""
    deployment.deploy(session, "visit", {"visit.bpmn": MODEL}, hooks=hooks)
    session.commit()
    office = account("office", name="陈思远")

    def start(number: str, title: str) -> str:
        command = StartInstance(key="visit", business_key=number, title=title, variables={"town": "番禺"})
        made = engine.start(session, command, actor_of(office))
        session.commit()
        return str(made.instance_id)

    return start


def test_the_list_shows_where_each_case_stands(client: Any, sign_in: Any, started: Any) -> None:
    started("ZF-1", "走访云锦数字")
    started("ZF-2", "走访穗创智造")
    sign_in("manager")
    page = client.get("/instances").get_data(as_text=True)
    assert "走访云锦数字" in page
    assert "准备走访" in page
    found = client.get("/instances?q=穗创").get_data(as_text=True)
    assert "走访穗创智造" in found
    assert "走访云锦数字" not in found
    assert "走访云锦数字" not in client.get("/instances?view=done").get_data(as_text=True)


def test_an_empty_search_leads_on(client: Any, sign_in: Any, started: Any) -> None:
    started("ZF-1", "走访云锦数字")
    sign_in("manager")
    assert "查看全部 1 件" in client.get("/instances?view=done&q=云锦").text
    page = client.get("/instances?q=夏木").text  # listed enterprises are in no case: the register knows them
    assert 'href="/registers/consortium?q=%E5%A4%8F%E6%9C%A8"' in page
    assert "在联合体企业台账中查找" not in client.get("/instances?view=suspended").text


def test_an_instance_shows_tokens_variables_and_record(client: Any, sign_in: Any, started: Any) -> None:
    id = started("ZF-1", "走访云锦数字")
    sign_in("manager")
    page = client.get(f"/instances/{id}").get_data(as_text=True)
    for words in ("走访云锦数字", "番禺", "准备走访", "陈思远", "data-diagram"):
        assert words in page, words
    assert client.get(f"/instances/{id}/diagram.bpmn").data.startswith(b"<?xml")
    assert client.get(f"/instances/{id}/replay.json").json is not None


def test_an_operation_needs_a_reason_and_the_right_role(client: Any, sign_in: Any, started: Any) -> None:
    id = started("ZF-1", "走访云锦数字")
    sign_in("office")
    assert client.post(f"/instances/{id}/cancel", data={"reason": "重复"}).status_code == 403
    sign_in("manager")
    assert client.post(f"/instances/{id}/cancel", data={"reason": " "}).status_code == 422
    assert "办理中" in client.get(f"/instances/{id}").get_data(as_text=True)
    assert client.post(f"/instances/{id}/suspend", data={"reason": "等待材料"}).status_code in {302, 303}
    assert "已挂起" in client.get(f"/instances/{id}").get_data(as_text=True)
    assert client.post(f"/instances/{id}/resume", data={"reason": "材料已到"}).status_code in {302, 303}
    assert client.post(f"/instances/{id}/cancel", data={"reason": "重复立项"}).status_code in {302, 303}
    page = client.get(f"/instances/{id}").get_data(as_text=True)
    assert "已终止" in page
    assert "重复立项" in page


def test_the_export_holds_what_the_list_shows(client: Any, sign_in: Any, started: Any) -> None:
    started("ZF-1", "走访云锦数字")
    sign_in("manager")
    text = client.get("/instances/export.csv").get_data(as_text=True)
    assert "ZF-1" in text
    assert client.get("/instances/export.xlsx").data.startswith(b"PK")


def test_a_lead_unit_sees_no_instances_of_others(client: Any, sign_in: Any, started: Any) -> None:
    id = started("ZF-1", "走访云锦数字")
    sign_in("lead_unit")
    assert client.get("/instances").status_code == 403
    assert client.get(f"/instances/{id}/diagram.bpmn").status_code == 404
