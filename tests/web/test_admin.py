"""Administration: accounts by the system administrator, roles by the security one, the trail by the auditor."""

from __future__ import annotations

import csv
import io
from base64 import b64encode

import pytest
from sqlalchemy import func, select

from tests.conftest import PASSWORD
from tests.support import Client, make_organisation
from webapp import clock
from webapp.accounts import basic, service, settings_service
from webapp.accounts.models import Account, Setting
from webapp.audit import service as trail
from webapp.engine.tables import audit
from webapp.errors import Invalid


def actions(session):
    return list(session.scalars(select(audit.c.action).order_by(audit.c.id)))


def test_the_system_administrator_makes_an_account_which_can_sign_in_but_holds_no_role(client, sign_in, session):
    sign_in("sysadmin")
    organisation = make_organisation(session, "粤工智造")
    session.commit()
    form = {"username": "Wang", "name": "王经办", "password": "Erstes-Passwort-1", "organisation": str(organisation.id)}
    assert client.post("/admin/accounts", data=form).status_code == 303
    assert "王经办" in client.get("/admin/accounts?q=粤工").text
    made = service.find(session, "wang")
    assert made.roles == frozenset()
    assert service.verify(session, "WANG", "Erstes-Passwort-1") is made
    assert actions(session) == ["account.create"]


def test_a_wrong_entry_is_told_at_its_field_and_nothing_is_lost(client, sign_in):
    sign_in("sysadmin")
    answer = client.post("/admin/accounts", data={"username": "é", "name": "王经办", "password": "kurz"})
    assert answer.status_code == 422
    assert "用户名为 2 至 40 个小写字母" in answer.text
    assert "密码长度应为" in answer.text
    assert 'value="王经办"' in answer.text


def test_a_taken_user_name_is_refused(client, sign_in, account):
    sign_in("sysadmin")
    account(username="wang")
    answer = client.post("/admin/accounts", data={"username": "wang", "name": "王", "password": "Erstes-Passwort-1"})
    assert answer.status_code == 409
    assert "已被使用" in answer.text


def test_an_organisation_with_a_wrong_credit_code_is_refused(client, sign_in):
    sign_in("sysadmin")
    answer = client.post("/admin/organisations", data={"name": "某公司", "credit_code": "91440101MA5CCCCC00"})
    assert answer.status_code == 422
    assert "某公司" in answer.text
    assert client.post("/admin/organisations", data={"name": "某公司", "credit_code": ""}).status_code == 303
    assert "某公司" in client.get("/admin/organisations").text


def test_the_security_administrator_gives_roles_and_the_rules_hold(client, sign_in, account, session):
    person = account("office")
    sign_in("secadmin")
    page = f"/admin/roles/{person.id}"
    assert client.post(page, data={"roles": ["office", "working_group"]}).status_code == 303
    refused = client.post(page, data={"roles": ["office", "sysadmin"]})
    assert refused.status_code == 422
    assert "不得兼任办理事项的决定角色" in refused.text
    assert "没有所属单位" in client.post(page, data={"roles": ["lead_unit"]}).text
    session.expire_all()
    assert session.get(Account, person.id).roles == {"office", "working_group"}
    detail = session.scalar(select(audit.c.detail).where(audit.c.action == "account.roles"))
    assert detail == {"before": ["office"], "after": ["office", "working_group"]}


def test_nobody_gives_themselves_roles_or_switches_themselves_off(client, sign_in, account):
    account("secadmin")
    security = sign_in("secadmin")
    assert client.post(f"/admin/roles/{security.id}", data={"roles": ["auditor"]}).status_code == 403
    system = sign_in("sysadmin")
    assert client.post(f"/admin/accounts/{system.id}/active", data={"active": "0"}).status_code == 403


def test_the_last_administrator_stays(client, sign_in, account):
    sign_in("secadmin")
    only = account("sysadmin")
    refused = client.post(f"/admin/roles/{only.id}", data={"roles": []})
    assert refused.status_code == 409
    assert "最后一个" in refused.text


def test_new_roles_reach_a_signed_in_person_only_after_a_new_sign_in(app, client, sign_in, account):
    person = Client(app)
    other = account("office")
    person.sign_in(other)
    sign_in("secadmin")
    assert person.get("/admin/settings").status_code == 200
    client.post(f"/admin/roles/{other.id}", data={"roles": ["working_group"]})
    assert person.get("/admin/settings").status_code == 303


def test_the_system_administrator_resets_a_password(client, sign_in, account, session):
    person = account("office", username="li")
    sign_in("sysadmin")
    done = client.post(f"/admin/accounts/{person.id}/password", data={"password": "Neues-Passwort-9"})
    assert done.status_code == 303
    session.expire_all()
    assert service.verify(session, "li", PASSWORD) is None
    assert service.verify(session, "li", "Neues-Passwort-9") is not None


def test_the_auditor_reads_searches_and_exports_the_trail_and_cannot_write(client, sign_in, session):
    actor = service.actor_of(sign_in("office", name="李审核"))
    trail.record(session, "task.complete", actor, subject="BA-2026-0187", reason="=HYPERLINK(1)")
    trail.record(session, "timer.fire", None, subject="BA-2026-0188")
    session.commit()
    sign_in("auditor")
    page = client.get("/admin/audit?person=李&q=0187")
    assert "BA-2026-0187" in page.text
    assert "BA-2026-0188" not in page.text
    export = client.get("/admin/audit/export.csv?action=task")
    rows = list(csv.reader(io.StringIO(export.get_data(as_text=True).lstrip("\ufeff"))))
    assert rows[1][1:6] == [actor.username, "李审核", "task.complete", "BA-2026-0187", "'=HYPERLINK(1)"]
    assert len(rows) == 2
    assert "audit.export" in actions(session)
    assert client.get("/admin/accounts").status_code == 403
    today = clock.today().isoformat()
    assert "BA-2026-0188" in client.get(f"/admin/audit?since={today}&until={today}").text
    assert client.get("/admin/audit?since=gestern").status_code == 422


def test_the_trail_is_paged(client, sign_in, session):
    for number in range(trail.PAGE + 5):
        trail.record(session, "login", None, subject=f"name-{number:03}")
    session.commit()
    sign_in("auditor")
    first = client.get("/admin/audit").text
    assert "name-054" in first
    assert "name-004" not in first
    rows, before = trail.find(session, trail.Search())
    older = client.get(f"/admin/audit?before={before}").text
    assert len(rows) == trail.PAGE
    assert "name-004" in older
    assert "name-005" not in older


def test_the_office_changes_a_house_rule_and_the_trail_says_so(client, sign_in, session):
    sign_in("office")
    assert settings_service.get(session, "publicity_days") == 5
    form = {key: str(d.default) for key, d in settings_service.DEFINITIONS.items() if d.kind not in {"date", "boolean"}}
    form |= {"publicity_days": "7", "second_reviewer": "true", "max_failed_logins": "20", "valid_until": "2027-12-31"}
    assert client.post("/admin/settings", data=form).status_code == 303
    session.expire_all()
    values = settings_service.everything(session)
    assert values["publicity_days"] == 7
    assert str(values["valid_until"]) == "2027-12-31"
    assert values["second_reviewer"] is True
    assert values["max_failed_logins"] == 5  # the system's, not the office's
    assert session.scalar(select(func.count()).select_from(Setting)) == 2
    assert actions(session) == ["setting.change"] * 2


def test_a_house_rule_out_of_bounds_is_refused_at_its_field(client, sign_in, session):
    sign_in("office")
    answer = client.post("/admin/settings", data={"publicity_days": "0", "second_reviewer": "true"})
    assert answer.status_code == 422
    assert "请填写 1 至 60 之间的整数。" in answer.text
    assert settings_service.get(session, "publicity_days") == 5


def test_the_demo_clock_is_moved_by_the_system_administrator_alone(client, sign_in, session):
    sign_in("office")
    assert client.post("/api/v1/demo/clock", json={"advance": "P6D"}).status_code == 403
    sign_in("sysadmin")
    before = clock.today()
    answer = client.post("/api/v1/demo/clock", json={"advance": "P6D"})
    assert (answer.status_code, answer.json["offset_seconds"]) == (200, 6 * 86400)
    assert (clock.today() - before).days == 6
    for wrong in ("P1M", "-P1D", "PT0S", "tomorrow", "P9999D", "P99999999999D", "P1D" * 9, 6, None):
        assert client.post("/api/v1/demo/clock", json={"advance": wrong}).status_code == 422, wrong
    assert client.post("/api/v1/demo/clock", json=["P6D"]).status_code == 422
    assert "演示时间" in client.get("/account").text


def test_outside_of_demo_mode_time_cannot_be_moved(app, client, sign_in):
    from dataclasses import replace

    sign_in("sysadmin")
    config = app.config["QIANYIN"]
    app.config["QIANYIN"] = replace(config, demo=False)
    try:
        assert client.post("/api/v1/demo/clock", json={"advance": "P6D"}).status_code == 404
    finally:
        app.config["QIANYIN"] = config


def credentials(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{username}:{password}".encode()).decode()}


def test_the_api_takes_credentials_without_token_and_forgets_them_when_the_account_changes(
    app, client, account, session, monkeypatch
):
    person = account("sysadmin", username="chen")
    asked = []
    matches = service.passwords.matches
    monkeypatch.setattr(service.passwords, "matches", lambda *a: asked.append(1) or matches(*a))
    headers = credentials("chen", PASSWORD)

    def move(given):
        return client.post("/api/v1/demo/clock", json={"advance": "PT1S"}, headers=given, csrf=False).status_code

    basic.forget()
    assert [move(headers), move(headers)] == [200, 200]
    assert len(asked) == 1, "the second call is answered from the cache"
    assert move(credentials("chen", "wrong")) == 401
    service.set_password(session, None, session.get(Account, person.id), "Neues-Passwort-9")
    session.commit()
    assert move(headers) == 401
    assert move(credentials("chen", "Neues-Passwort-9")) == 200
    assert client.get("/account", headers=headers).status_code == 303, "pages take no credentials"


def test_another_sites_page_cannot_use_credentials_that_the_browser_remembers(client, account):
    account("sysadmin", username="chen")

    def move(**headers):
        given = {**credentials("chen", PASSWORD), **headers}
        sent = {"json": {"advance": "PT1S"}, "headers": given, "csrf": False}
        return client.post("/api/v1/demo/clock", **sent).status_code

    assert move(Origin="https://evil.example") == 403
    assert move(Origin="null") == 403
    assert move(**{"Sec-Fetch-Site": "cross-site"}) == 403
    assert move(Origin="http://localhost") == 200
    assert move(Origin="file://") == 200


def test_credentials_count_and_not_the_cookie_that_comes_along(client, sign_in, account):
    account("office", username="li")
    sign_in("sysadmin")
    sent = {"json": {"advance": "PT1S"}, "headers": credentials("li", PASSWORD)}
    assert client.post("/api/v1/demo/clock", **sent).status_code == 403
    assert client.post("/api/v1/demo/clock", json={"advance": "PT1S"}, csrf=False).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/admin/accounts?page=99999999999999999999999",
        "/admin/accounts?page=-3&q=%25_%5C",
        "/admin/accounts?q=a%00b",
        "/admin/organisations?page=99999999999999999999999",
        "/admin/audit?before=99999999999999999999999",
        "/admin/audit?since=9999-12-31&until=9999-12-31",
        "/admin/audit?since=0001-01-01",
        "/admin/audit?person=%00",
        "/admin/roles?page=x",
    ],
)
def test_nonsense_in_an_address_is_never_an_error_of_ours(app, account, path):
    person = Client(app)
    person.sign_in(account("sysadmin", "secadmin", "auditor"))
    assert person.get(path).status_code in {200, 400, 422}


@pytest.mark.parametrize("word", ["password", "Password1", "aaaaaaaaaaaa", "x" * 200, "Chen-chen-chen-1"])
def test_weak_passwords_are_refused(word):
    with pytest.raises(Invalid):
        service.passwords.check(word, username="chen")
