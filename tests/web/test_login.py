"""Signing in and out, forged requests, languages: what a person sees."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.conftest import PASSWORD
from webapp import clock
from webapp.accounts import service
from webapp.accounts.models import Account
from webapp.engine.tables import audit


def log_in(client, username: str, password: str = PASSWORD, **form):
    return client.post("/login", data={"username": username, "password": password, **form})


def test_right_password_opens_the_session_and_goes_where_the_person_wanted(client, account):
    made = account("sysadmin", username="chen", name="陈系统")
    assert client.get("/admin/accounts?q=li").headers["Location"] == "/login?next=/admin/accounts?q%3Dli"
    answer = log_in(client, "Chen", next="/admin/accounts?q=li")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/accounts?q=li")
    page = client.get("/admin/accounts")
    assert page.status_code == 200
    assert made.name in page.text


def test_session_cookie_is_kept_from_scripts_and_other_sites(client, account):
    account("office", username="chen")
    cookie = log_in(client, "chen").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    over_tls = client.post(
        "/login", data={"username": "chen", "password": PASSWORD}, base_url="https://localhost", csrf=False
    )
    assert over_tls.status_code == 400  # no token: but the cookie of a TLS session would be Secure
    assert "Secure" in client.get("/login", base_url="https://localhost").headers["Set-Cookie"]


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_sign_in_never_leads_to_another_site(client, account, target):
    account("office", username="chen")
    assert log_in(client, "chen", next=target).headers["Location"] == "/"


def test_wrong_password_is_told_without_saying_which_part_was_wrong(client, account, session):
    account("office", username="chen")
    wrong, unknown = log_in(client, "chen", "nonsense"), log_in(client, "nobody", "nonsense")
    assert wrong.status_code == unknown.status_code == 401
    sentence = "用户名或密码不正确，或账号已停用。"
    assert sentence in wrong.text
    assert sentence in unknown.text
    trail = session.execute(select(audit.c.action, audit.c.subject, audit.c.address)).all()
    assert trail == [("login.failed", "chen", "127.0.0.1"), ("login.failed", "nobody", "127.0.0.1")]


def test_many_failures_pause_the_name_at_this_address_for_a_quarter_of_an_hour(client, account, clock_at):
    account("office", username="chen")
    account("office", username="li")
    for _ in range(5):
        assert log_in(client, "chen", "nonsense").status_code == 401
    refused = log_in(client, "chen")
    assert refused.status_code == 429
    assert "十五分钟" in refused.text
    assert log_in(client, "li").status_code == 303
    client.post("/logout")
    from webapp import demo_clock
    from webapp.db import transaction

    with transaction() as session:
        demo_clock.advance(session, timedelta(minutes=16))
    assert log_in(client, "chen").status_code == 303


def test_a_deactivated_account_is_out_at_once(client, sign_in, session):
    person = sign_in("office")
    assert client.get("/account").status_code == 200
    service.set_active(session, None, session.get(Account, person.id), False)
    session.commit()
    assert client.get("/account").status_code == 303


def test_signing_out_ends_the_session(client, sign_in):
    sign_in("office")
    assert client.post("/logout").status_code == 303
    assert client.get("/account").headers["Location"].startswith("/login")


def test_a_form_without_token_is_refused_with_a_sentence_and_changes_nothing(client, sign_in, session):
    person = sign_in("office")
    answer = client.post("/account/preferences", data={"locale": "en", "theme": "dark"}, csrf=False)
    assert answer.status_code == 400
    assert "本次没有提交" in answer.text
    assert session.scalar(select(Account.locale).where(Account.id == person.id)) == "zh"


def test_changing_the_password_needs_the_old_one_and_ends_other_sessions(app, client, sign_in):
    from tests.support import Client

    person = sign_in("office", username="chen")
    elsewhere = Client(app)
    elsewhere.sign_in(person)
    new = "Neues-Passwort-9"
    wrong = client.post("/account/password", data={"old": "no", "password": new, "again": new})
    assert wrong.status_code == 422
    assert "原密码不正确。" in wrong.text
    weak = client.post("/account/password", data={"old": PASSWORD, "password": "short", "again": "short"})
    assert "密码长度应为 10 至 128 个字符。" in weak.text
    done = client.post("/account/password", data={"old": PASSWORD, "password": new, "again": new})
    assert done.status_code == 303
    assert client.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 303
    client.post("/logout")
    assert log_in(client, "chen").status_code == 401
    assert log_in(client, "chen", new).status_code == 303


def test_the_language_switch_holds_and_is_kept_with_the_account(client, sign_in, session):
    person = sign_in("office")
    assert 'lang="zh-CN"' in client.get("/account").text
    switched = client.get("/account?lang=en&x=1")
    assert (switched.status_code, switched.headers["Location"]) == (303, "/account?x=1")
    page = client.get("/account").text
    assert '<html lang="en"' in page
    assert session.scalar(select(Account.locale).where(Account.id == person.id)) == "en"


def test_a_browser_that_prefers_english_gets_english(client):
    assert '<html lang="en"' in client.get("/login", headers={"Accept-Language": "en-GB,en;q=0.9"}).text
    assert '<html lang="zh-CN"' in client.get("/login", headers={"Accept-Language": "de"}).text


def test_every_page_carries_the_security_headers(client):
    answer = client.get("/login")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "object-src 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text), "an inline script would be blocked"


def test_unknown_pages_and_methods_are_pages_with_the_right_status(client):
    assert client.get("/no-such-page").status_code == 404
    wrong = client.put("/login", csrf=False)
    assert wrong.status_code == 405
    assert "POST" in wrong.headers["Allow"]
    assert client.get("/no-such-page", headers={"Accept": "application/json"}).json["message"]


def test_demo_accounts_stand_on_the_sign_in_page(client, account):
    account("office", username="chen", name="陈演示")
    page = client.get("/login").text
    assert "演示账号" in page
    assert "陈演示" in page


def test_the_time_of_the_last_sign_in_is_kept(client, account, session):
    person = account("office", username="chen")
    log_in(client, "chen")
    at = session.scalar(select(Account.last_login_at).where(Account.id == person.id))
    assert clock.now() - at < timedelta(minutes=1)
