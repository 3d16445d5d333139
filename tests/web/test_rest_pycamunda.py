"""A client of the Camunda 7 API, written by others, drives the running server: deploy, start, find, claim, complete."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pycamunda.deployment
import pycamunda.processdef
import pycamunda.processinst
import pycamunda.task
import pytest
import requests
from werkzeug.serving import make_server

from tests.conftest import PASSWORD

MODEL = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  targetNamespace="https://qianyin.example/tests">
  <bpmn:process id="leave_request" name="请假" isExecutable="true" camunda:candidateStarterGroups="office">
    <bpmn:startEvent id="started"><bpmn:outgoing>f1</bpmn:outgoing></bpmn:startEvent>
    <bpmn:userTask id="ask" name="填写申请" camunda:candidateGroups="office">
      <bpmn:incoming>f1</bpmn:incoming><bpmn:outgoing>f2</bpmn:outgoing></bpmn:userTask>
    <bpmn:exclusiveGateway id="long" default="f4"><bpmn:incoming>f2</bpmn:incoming>
      <bpmn:outgoing>f3</bpmn:outgoing><bpmn:outgoing>f4</bpmn:outgoing></bpmn:exclusiveGateway>
    <bpmn:userTask id="approve" name="批准" camunda:candidateGroups="office">
      <bpmn:incoming>f3</bpmn:incoming><bpmn:outgoing>f5</bpmn:outgoing></bpmn:userTask>
    <bpmn:endEvent id="done"><bpmn:incoming>f4</bpmn:incoming><bpmn:incoming>f5</bpmn:incoming></bpmn:endEvent>
    <bpmn:sequenceFlow id="f1" sourceRef="started" targetRef="ask"/>
    <bpmn:sequenceFlow id="f2" sourceRef="ask" targetRef="long"/>
    <bpmn:sequenceFlow id="f3" sourceRef="long" targetRef="approve">
      <bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">days &gt; 3</bpmn:conditionExpression>
    </bpmn:sequenceFlow>
    <bpmn:sequenceFlow id="f4" sourceRef="long" targetRef="done"/>
    <bpmn:sequenceFlow id="f5" sourceRef="approve" targetRef="done"/>
  </bpmn:process>
</bpmn:definitions>
"""


@pytest.fixture
def api(app: Any, engine: Any) -> Iterator[str]:
    """The web program on a free port; gives the address of its REST API."""
    running = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}/engine-rest"
    running.shutdown()
    thread.join()
    running.server_close()


def call(request: Any, account: Any) -> Any:
    request.auth = (account.username, PASSWORD)
    return request()


def deploy(api: str, account: Any, tmp_path: Path, text: str = MODEL) -> Any:
    path = tmp_path / "leave_request.bpmn"
    path.write_text(text, encoding="utf-8")
    create = pycamunda.deployment.Create(url=api, name="leave", deploy_changed_only=True)
    with path.open("rb") as file:
        create.add_resource(file)
        return call(create, account)


def test_a_client_of_the_dialect_runs_a_process(
    api: str, account: Callable[..., Any], tmp_path: Path, config: Any
) -> None:
    designer, office = account("designer"), account("office")
    deployed = deploy(api, designer, tmp_path)
    assert [d.key for d in deployed.deployed_process_definitions.values()] == ["leave_request"]

    start = pycamunda.processdef.StartInstance(url=api, key="leave_request", business_key="QJ-1")
    start.add_variable(name="days", value=5, type_="Integer")
    instance = call(start, office)
    assert instance.business_key == "QJ-1"

    for name in ("填写申请", "批准"):
        (task,) = call(pycamunda.task.GetList(url=api, process_instance_id=instance.id_), office)
        assert (task.name, task.assignee) == (name, None)
        call(pycamunda.task.Claim(url=api, id_=task.id_, user_id=office.username), office)
        assert call(pycamunda.task.Get(url=api, id_=task.id_), office).assignee == office.username
        complete = pycamunda.task.Complete(url=api, id_=task.id_)
        complete.add_variable(name="note", value="好", type_="String")
        call(complete, office)

    with pytest.raises(pycamunda.NotFound):
        call(pycamunda.processinst.Get(url=api, id_=instance.id_), office)
    ended = requests.get(
        f"{api}/history/process-instance/{instance.id_}", auth=(office.username, PASSWORD), timeout=30
    ).json()
    assert ended["state"] == "COMPLETED"


def test_the_same_file_again_makes_no_new_version(api: str, account: Callable[..., Any], tmp_path: Path) -> None:
    designer = account("designer")
    deploy(api, designer, tmp_path)
    again = deploy(api, designer, tmp_path)
    assert not again.deployed_process_definitions
    definition = call(pycamunda.processdef.Get(url=api, key="leave_request"), designer)
    assert definition.version == 1


def test_a_broken_model_is_refused_with_the_element(api: str, account: Callable[..., Any], tmp_path: Path) -> None:
    designer = account("designer")
    broken = MODEL.replace("days &gt; 3", "days &gt;")
    path = tmp_path / "leave_request.bpmn"
    path.write_text(broken, encoding="utf-8")
    with path.open("rb") as file:
        answer = requests.post(
            f"{api}/deployment/create",
            files={"f": file},
            data={"deployment-name": "x"},
            auth=(designer.username, PASSWORD),
            timeout=30,
        )
    assert answer.status_code == 400
    assert answer.json()["type"] == "ParseException"
    assert "f3" in answer.text or "long" in answer.text
    with pytest.raises(pycamunda.NotFound):
        call(pycamunda.processdef.Get(url=api, key="leave_request"), designer)


def test_who_may_do_what(api: str, account: Callable[..., Any], tmp_path: Path) -> None:
    designer, office, expert = account("designer"), account("office"), account("expert")
    with pytest.raises(pycamunda.Forbidden):
        deploy(api, office, tmp_path)
    deploy(api, designer, tmp_path)
    with pytest.raises(pycamunda.Forbidden):
        call(pycamunda.processdef.StartInstance(url=api, key="leave_request"), expert)
    instance = call(pycamunda.processdef.StartInstance(url=api, key="leave_request"), office)
    (task,) = call(pycamunda.task.GetList(url=api, process_instance_id=instance.id_), office)
    assert call(pycamunda.task.GetList(url=api), expert) == ()
    with pytest.raises(pycamunda.NotFound):
        call(pycamunda.task.Get(url=api, id_=task.id_), expert)
    with pytest.raises(pycamunda.NotFound):
        call(pycamunda.processinst.Get(url=api, id_=instance.id_), expert)
    with pytest.raises(pycamunda.Forbidden):
        call(pycamunda.task.Claim(url=api, id_=task.id_, user_id=expert.username), office)


def test_without_credentials_it_asks_for_them(api: str) -> None:
    answer = requests.get(f"{api}/task", timeout=30)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert requests.get(f"{api}/task", auth=("nobody", "wrong"), timeout=30).status_code == 401


def test_bad_parameters_are_told(api: str, account: Callable[..., Any]) -> None:
    office = account("office")
    auth = (office.username, PASSWORD)
    for query in ("maxResults=many", "sortBy=colour", "colour=red", "dueAfter=tomorrow", "unassigned=perhaps"):
        answer = requests.get(f"{api}/task?{query}", auth=auth, timeout=30)
        assert answer.status_code == 400, query
        assert answer.json()["type"] == "InvalidRequestException"
        assert answer.json()["message"]


def test_a_task_is_completed_once(api: str, account: Callable[..., Any], tmp_path: Path) -> None:
    designer, office, other = account("designer"), account("office"), account("office")
    deploy(api, designer, tmp_path)
    instance = call(pycamunda.processdef.StartInstance(url=api, key="leave_request"), office)
    (task,) = call(pycamunda.task.GetList(url=api, process_instance_id=instance.id_), office)
    address = f"{api}/task/{task.id_}/complete"
    first = requests.post(address, json={}, auth=(office.username, PASSWORD), timeout=30)
    second = requests.post(address, json={}, auth=(other.username, PASSWORD), timeout=30)
    assert (first.status_code, second.status_code) == (204, 409)
    assert office.name in second.json()["message"]
