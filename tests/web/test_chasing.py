"""Reminders before and after a deadline, to the role's head, by hand; at the bell and by mail through a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.engine.runtime.models import end, model, start, user
from tests.support import free_port
from webapp import clock
from webapp.accounts.service import actor_of
from webapp.chasing import automatic, mail
from webapp.engine import deployment
from webapp.engine.commands import StartInstance
from webapp.engine.handler_api import hooks

MODEL = model(
    "letter",
    start(),
    user("draft", groups="office"),
    end(),
    flows="start>draft draft>end",
    attributes='camunda:candidateStarterGroups="office"',
)
#: A Wednesday, at ten in the morning in Beijing.
NOW = datetime(2026, 11, 25, 10, tzinfo=clock.BEIJING)


@pytest.fixture
def task(session: Session, engine: Any, account: Callable[..., Any], clock_at: Callable[[datetime], None]) -> str:
    """An open task of the office, due on Friday at 24:00."""
    clock_at(NOW)
    deployment.deploy(session, "letter", {"letter.bpmn": MODEL}, hooks=hooks)
    command = StartInstance(key="letter", business_key="HJ-1", title="一封信", variables={})
    engine.start(session, command, actor_of(account("office", username="starter")))
    due = {"due": datetime(2026, 11, 28, tzinfo=clock.BEIJING)}
    found = session.scalar(text("update user_task set due_at = :due returning id"), due)
    session.commit()
    return str(found)


def told(session: Session) -> list[tuple[str, str]]:
    """(kind, username) of everybody who was told."""
    query = (
        "select r.kind, a.username from personal_notice n join task_reminder r on r.id = n.reminder_id"
        " join account a on a.id = n.account_id order by n.created_at, a.username"
    )
    found = [tuple(row) for row in session.execute(text(query))]
    session.commit()
    return found


def look(session: Session) -> int:
    made = automatic.run(session)
    session.commit()
    return made


def test_the_clock_reminds_before_and_after_and_tells_the_head(
    session: Session, task: str, account: Callable[..., Any], clock_at: Callable[[datetime], None]
) -> None:
    account("office", username="chen")
    account("working_group", username="lin")
    assert look(session) == 1  # Friday is the second working day from Wednesday
    assert look(session) == 0  # once for one deadline
    assert told(session) == [("before", "chen"), ("before", "starter")]
    clock_at(NOW + timedelta(days=3))  # Saturday
    assert look(session) == 0
    clock_at(NOW + timedelta(days=5))  # Monday: overdue
    assert look(session) == 1
    clock_at(NOW + timedelta(days=6))
    assert look(session) == 0  # every third working day
    clock_at(NOW + timedelta(days=8))  # Thursday: three working days late
    assert look(session) == 2
    assert sorted(told(session)[-3:]) == [("escalated", "lin"), ("over", "chen"), ("over", "starter")]
    session.execute(text("update process_instance set suspended = true"))
    session.commit()
    clock_at(NOW + timedelta(days=15))
    assert look(session) == 0


def test_a_person_urges_whoever_has_the_task_once_in_four_hours(
    client: Any, sign_in: Any, session: Session, task: str, account: Callable[..., Any]
) -> None:
    chen = account("office", username="chen", name="陈思远")
    session.execute(text("update user_task set assignee_id = :chen, claimed_at = now()"), {"chen": chen.id})
    session.commit()
    sign_in("manager", name="林主任")
    instance = session.scalar(text("select instance_id from user_task"))
    session.commit()
    assert "催办" in client.get(f"/instances/{instance}").text
    url = f"/reminders/chase/{task}"
    assert "1 至 200 个字" in client.post(url, data={"words": " "}, follow_redirects=True).text
    assert "已催办，通知了 1 人" in client.post(url, data={"words": "领导在等"}, follow_redirects=True).text
    assert "刚刚催办过" in client.post(url, data={"words": "还在等"}, follow_redirects=True).text
    assert told(session) == [("chase", "chen")]
    assert "林主任：领导在等" in client.get(f"/instances/{instance}").text  # stands in the record
    session.execute(text("update task_reminder set at = at - interval '4 hours 1 minute'"))
    session.commit()
    assert "已催办" in client.post(url, data={"words": "再等"}, follow_redirects=True).text
    sign_in("pilot_enterprise")
    assert client.post(url, data={"words": "偷看"}).status_code == 404
    client.sign_in(chen)
    counted = client.get("/reminders/count")
    assert counted.get_json() == {"reminders": 2}
    assert client.get("/reminders/count", headers={"If-None-Match": counted.headers["ETag"]}).status_code == 304
    assert "林主任催办：领导在等" in client.get("/reminders").text
    assert "催办：再等" in client.get(f"/tasks/{task}").text
    notice = session.scalar(text("select id from personal_notice order by created_at limit 1"))
    session.commit()
    assert client.post(f"/reminders/{notice}").location.endswith(f"/tasks/{task}")
    assert client.get("/reminders/count").get_json() == {"reminders": 1}
    assert client.post("/reminders/read").status_code == 303
    assert client.get("/reminders/count").get_json() == {"reminders": 0}
    sign_in("office")
    assert client.post(f"/reminders/{notice}").status_code == 404  # another's


class Mailbox:
    """What a real SMTP server received; addresses that hold `gone` are refused."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if "gone" in address:
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.received.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def mailbox(config: Any) -> Iterator[tuple[Mailbox, Any]]:
    """A mail server, and settings that name it."""
    box = Mailbox()
    server = Controller(box, hostname="127.0.0.1", port=(port := free_port()))
    server.start()
    named = {
        "smtp_url": f"smtp://127.0.0.1:{port}",
        "smtp_from": "qianyin@example.org",
        "public_url": "https://q.example",
    }
    yield box, replace(config, **named)
    server.stop()


def send(session: Session, config: Any) -> int:
    sent = mail.run(session, config)
    session.commit()
    return sent


def test_each_gets_the_mail_that_was_chosen(
    client: Any, session: Session, task: str, account: Any, mailbox: Any, config: Any, clock_at: Any
) -> None:
    box, server = mailbox
    for name, choice in (
        ("daily", {"mail": "daily", "email": "daily@example.org", "wanted": ["before", "over"]}),
        ("once", {"mail": "at_once", "email": "once@example.org", "wanted": ["over"]}),
        ("gone", {"mail": "at_once", "email": "gone@example.org", "wanted": ["before"]}),
    ):
        client.sign_in(account("office", username=name))
        assert client.post("/reminders/choices", data={"mail": "at_once", "email": "nobody"}).status_code == 422
        assert client.post("/reminders/choices", data=choice).status_code == 303
    clock_at(NOW.replace(hour=7))
    look(session)
    assert send(session, config) == 0  # no server is set
    assert send(session, server) == 0  # one did not want it, one is refused, one waits for the morning
    assert send(session, server) == 0
    clock_at(NOW)
    assert send(session, server) == 1
    assert send(session, server) == 0
    [message] = box.received
    assert message["To"] == "daily@example.org"
    assert "您有 1 件事项需要留意" in message["Subject"]
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        assert f"https://q.example/tasks/{task}" in body.get_content()
        assert "HJ-1 一封信" in body.get_content()
        assert "即将到期" in body.get_content()
