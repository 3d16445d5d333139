"""Addresses and requests that no page of ours would send: never a system error, never more than a person may see."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from tests.conftest import PASSWORD
from tests.support import Client
from tests.support_bad_input import person, signed_in
from webapp.access import RULES
from webapp.accounts.models import Account, AccountRole
from webapp.accounts.roles import ROLES
from webapp.engine.tables import process_instance, user_task
from webapp.notices.models import Notice, Objection
from webapp.registers.models import ConsortiumEnterprise, Filing, Interpretation, LeadUnit

NASTY = (
    "_%\\",
    "' or 1=1 --",
    "\x00",
    "9" * 30,
    "١٢",
    "\ufffe\ud7ff",
    "9999-12-31",
    "9999-12-31T23:59:59.999+0000",
    # a page mark far away: 9999-12-31T23:59:59+00:00 and row 99999999999999999999
    "WyI5OTk5LTEyLTMxVDIzOjU5OjU5KzAwOjAwIiwiMDE5OTk5OTktMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAwIiw5OTk5"
    "OTk5OTk5OTk5OTk5OTk5OSwxXQ",
    "长" * 3000,
    "🧨\u202e\u200b",
)
#: Parameters that some page reads.
PARAMETERS = [
    "q",
    "page",
    "view",
    "sort",
    "process",
    "unit",
    "as_of",
    "status",
    "kind",
    "from",
    "to",
    "since",
    "until",
    "lang",
    "next",
    "item",
    "notice",
    "query",
    "number",
    "key",
    "element",
    "changed",
    "action",
    "stage",
    "state",
    "type",
    "person",
    "role",
    "area",
    "days",
    "text",
]
REST = [
    "nameLike",
    "processInstanceBusinessKeyLike",
    "businessKeyLike",
    "taskDefinitionKeyLike",
    "firstResult",
    "maxResults",
    "priority",
    "dueAfter",
    "createdBefore",
    "taskIdIn",
    "processInstanceIds",
    "id",
    "startedAfter",
    "finishedBefore",
    "sortBy",
    "active",
    "keyLike",
    "version",
    "latestVersion",
    "deploymentId",
    "processDefinitionKeyIn",
    "variableNames",
    "withIncident",
    "startedBefore",
]


@pytest.fixture
def everything(demo_data: str, app: Any, session: Any) -> Client:
    """A person whom every rule lets in: the strongest reach that a request can have."""
    made = person(session, "manager")
    held = made.roles
    session.add_all(AccountRole(account_id=made.id, role=role) for role in ROLES if role not in held)
    session.commit()
    return signed_in(app, session, "manager")


def places(app: Any, session: Any) -> Iterator[str]:
    """The address of every page that can be read, with things of the demo in it."""
    known = {
        "account_id": Account.id,
        "task_id": user_task.c.id,
        "filing_id": Filing.id,
        "unit_id": LeadUnit.id,
        "entry_id": ConsortiumEnterprise.id,
        "notice_id": Notice.id,
        "objection_id": Objection.id,
        "interpretation_id": Interpretation.id,
        "instance_id": process_instance.c.id,
    }
    values = {name: str(session.scalar(select(column).limit(1))) for name, column in known.items()}
    values |= {"kind": "csv", "key": "partner_filing", "name": "need"}
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in {"static", "healthz"}:
            continue
        rest = {"id": values["task_id"] if "task" in rule.rule else values["instance_id"]}
        arguments = {name: {**values, **rest}.get(name) or str(uuid4()) for name in rule.arguments}
        yield adapter.build(rule.endpoint, arguments)


def test_no_page_address_makes_a_system_error(everything: Client, app: Any, session: Any) -> None:
    paths = [path for path in places(app, session) if not path.startswith("/engine-rest")]
    session.rollback()
    broken = []
    for path in paths:
        for value in (
            NASTY if path.count("-") < 4 else NASTY[:3]
        ):  # a list, or one thing that reads little of its address
            answer = everything.get(path, query_string=dict.fromkeys(PARAMETERS, value))
            answer.close()
            if answer.status_code >= 500:
                broken.append((path, ascii(value[:20])))
    assert broken == []


def test_no_rest_query_makes_a_system_error(everything: Client, app: Any, session: Any) -> None:
    paths = [path for path in places(app, session) if path.startswith("/engine-rest") and not path.endswith("count")]
    session.rollback()
    broken = []
    for path in paths:
        names = REST if path.count("/") < 4 else REST[:1]
        for name in names:
            for value in ("a\0b", "9" * 30, "_%\\", "9999-12-31T23:59:59.999+0000"):
                if everything.get(path, query_string={name: value}).status_code >= 500:
                    broken.append((path, name, ascii(value)))
    assert broken == []


@pytest.mark.parametrize("path", ["/tasks/1", "/tasks/{}{}", "/documents/../../etc/passwd", "/registers/filings/x%00"])
def test_an_id_that_is_none_is_not_found(demo_data: str, app: Any, session: Any, path: str) -> None:
    client = signed_in(app, session, "office")
    answer = client.get(path.format(uuid4(), uuid4()))
    assert answer.status_code == 404
    assert "没有找到" in answer.text


def test_a_huge_page_number_shows_the_last_page(demo_data: str, app: Any, session: Any) -> None:
    client = signed_in(app, session, "office")
    page = client.get("/registers/consortium?page=999999")
    assert page.status_code == 200
    assert client.get("/registers/consortium?page=2").text.count("<tr") == page.text.count("<tr") > 5


def test_wildcards_and_patterns_are_searched_as_they_are(demo_data: str, app: Any, session: Any) -> None:
    client = signed_in(app, session, "office")
    for words in ("%", "_", "广州%公司", ".*", "[云]", "\\"):
        found = client.get("/registers/consortium", query_string={"q": words})
        assert found.status_code == 200
        assert 'href="/registers/consortium/' not in found.text
        assert client.get("/tasks", query_string={"q": words}).status_code == 200
    assert 'href="/registers/consortium/' in client.get("/registers/consortium").text
    assert "广州云锦" in client.get("/registers/lead-units", query_string={"q": "云锦"}).text


def test_a_page_mark_of_another_shape_is_told(demo_data: str, app: Any, session: Any) -> None:
    client = signed_in(app, session, "office")
    for mark in ("W251bGwsIjEiLDEsMV0", "====", "null", "eyJhIjoxfQ"):
        answer = client.get("/tasks", query_string={"page": mark})
        assert answer.status_code == 422
        assert "页码无效" in answer.text


# ---- signing in


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "/\t/evil.example",
        "javascript:alert(1)",
        "\\\\e.example",
    ],
)
def test_signing_in_never_leads_to_another_site(client: Any, account: Any, target: str) -> None:
    account("office", username="office")
    assert "evil.example" not in client.get("/login", query_string={"next": target}).text
    answer = client.post("/login", data={"username": "office", "password": PASSWORD, "next": target})
    assert (answer.status_code, answer.location) == (303, "/")


def test_a_session_from_before_signing_in_is_worth_nothing_afterwards(app: Any, client: Any, account: Any) -> None:
    account("office", username="office")
    client.get("/login?lang=en")
    with client.session_transaction() as stored:
        stored["receipt"] = "planted"
    planted = client.get_cookie("qianyin_session").value
    token = client.csrf_token()
    assert client.post("/login", data={"username": "office", "password": PASSWORD}).status_code == 303
    with client.session_transaction() as stored:
        assert "receipt" not in stored
        assert stored["lang"] == "en"
    thief = Client(app)
    thief.set_cookie("qianyin_session", planted)
    assert thief.get("/tasks").status_code == 303  # to the sign-in
    assert client.post("/tasks/phrases", data={"words": "同意。", "csrf_token": token}, csrf=False).status_code == 400


def test_guessing_passwords_is_paused_and_told(client: Any, account: Any) -> None:
    account("office", username="office")
    answers = [client.post("/login", data={"username": "Office ", "password": f"no{n}"}) for n in range(12)]
    assert answers[0].status_code == 401
    assert "用户名或密码不正确" in answers[0].text
    assert answers[-1].status_code == 429
    assert "登录失败次数过多" in answers[-1].text
    assert 'value="Office "' in answers[-1].text
    refused = client.post("/login", data={"username": "office", "password": PASSWORD})
    assert refused.status_code == 429


def test_a_user_name_that_no_account_can_have_is_simply_wrong(client: Any, account: Any) -> None:
    for name in ("a\0b", "x" * 100_000, "\ufffe", "' or ''='", "\u202eeciffo"):
        assert client.post("/login", data={"username": name, "password": "wrong"}).status_code in {401, 422, 429}


# ---- REST bodies


BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"1e999",
    b"[" * 100_000,
    b'{"variables": []}',
    b'{"variables": {"a": 1}}',
    b'{"variables": {"a": {"value": "x", "type": "Integer"}}}',
    b'{"variables": {"a": {"value": "\\ud800", "type": "String"}}}',
    b'{"variables": {"a": {"value": "\\u0000", "type": "String"}}}',
    b'{"variables": {"a": {"value": NaN, "type": "Double"}}}',
    b'{"variables": {"a": {"value": 1' + b"0" * 400 + b', "type": "Integer"}}}',
    b'{"variables": {"a": {"value": "[' + b"[" * 5000 + b'", "type": "Json"}}}',
    b'{"variables": {"' + b"a" * 10_000 + b'": {"value": "9999999-01-01", "type": "Date"}}}',
    b'{"messageName": {"a": 1}, "correlationKeys": 7}',
    b'{"messageName": "a\\u0000", "businessKey": ["x"], "processInstanceId": 5}',
    b'{"userId": ["office"], "suspended": "perhaps", "businessKey": {"a": 1}}',
    b'{"firstResult": [1], "sorting": 5, "nameLike": {"a": "\\u0000"}}',
]


def test_no_rest_body_makes_a_system_error(everything: Client, app: Any, session: Any) -> None:
    task, case = session.scalar(select(user_task.c.id).limit(1)), session.scalar(select(process_instance.c.id).limit(1))
    before = session.scalar(select(func.count()).select_from(process_instance))
    session.rollback()
    broken = []
    for path in (
        f"/engine-rest/task/{task}/claim",
        f"/engine-rest/task/{task}/complete",
        "/engine-rest/task",
        "/engine-rest/process-instance",
        f"/engine-rest/process-instance/{case}/variables",
        "/engine-rest/process-definition/key/objection/start",
        "/engine-rest/message",
        "/engine-rest/deployment/create",
        "/api/v1/demo/clock",
    ):
        for body in BODIES:
            answer = everything.post(path, data=body, content_type="application/json")
            if answer.status_code >= 500 or not (answer.is_json or answer.status_code in {204, 303}):
                broken.append((path, answer.status_code, body[:60]))
    assert broken == []
    assert session.scalar(select(func.count()).select_from(process_instance)) - before <= len(BODIES)


def test_wrong_credentials_of_every_shape_are_401(app: Any, demo_data: str) -> None:
    client = Client(app)
    for given in (b"", b":", b"office", b"office:\xff\xfe", b"office:" + b"x" * 100_000):
        header = {"Authorization": "Basic " + base64.b64encode(given).decode()}
        answer = client.get("/engine-rest/task", headers=header)
        assert answer.status_code == 401, given[:20]
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
    for header in ("Basic", "Basic ###", "Bearer x", "\x7f"):
        assert client.get("/engine-rest/task", headers={"Authorization": header}).status_code == 401


def test_every_route_has_a_rule(app: Any) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} <= set(RULES)
