"""House rules 工作口径 that somebody changes take effect: no setting is only shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from tests.processes.conftest import Town
from tests.processes.test_batches import in_publicity
from webapp import clock, db
from webapp.accounts import settings_service
from webapp.accounts.models import Setting
from webapp.config import ROOT
from webapp.engine.tables import message


def change(key: str, value: Any) -> None:
    with db.transaction() as session:
        session.merge(Setting(key=key, value={"value": value}))


def test_each_setting_is_asked_for_by_the_program() -> None:
    program = "".join(
        path.read_text(encoding="utf-8") for room in ("webapp", "handlers") for path in (ROOT / room).rglob("*.py")
    )
    assert [key for key in settings_service.DEFINITIONS if f'"{key}"' not in program] == []


def test_4_7_the_review_comes_every_so_many_months(town: Town) -> None:
    change("change_review_months", 2)
    record = {"attendees": "工作小组", "conclusion": "没有异常情况。"}
    town.pass_time(days=6)  # 1 December: never reviewed before
    december = town.case("change_review")
    town.do("working_group", december, "record_review", record, "record")
    town.pass_time(days=31)  # January: one month only
    january = town.case("change_review")
    assert january != december
    assert (town.open(january), town.status(january)) == ([], "completed")
    called = town.start("office", "change_review")  # 临时召集 needs no period
    assert town.status(called) == "active"
    town.pass_time(days=31)  # February
    assert town.open(town.case("change_review")) == ["record_review"]


def test_4_7_what_is_published_on_the_day_of_a_review_comes_before_the_next(town: Town) -> None:
    _filing, (item,), batch = in_publicity(town, 1)
    town.close_period(batch)  # 3 December
    record = {"attendees": "工作小组", "conclusion": "没有异常情况。"}
    called = town.start("office", "change_review")
    town.pass_time(seconds=1)
    town.do("working_group", called, "record_review", record, "record")
    town.publish_list(batch)  # the same day, after the meeting
    town.pass_time(days=30)
    january = town.case("change_review")
    town.pass_time(days=4)
    context = town.form("working_group", january, "record_review").context
    assert town.item(item).name in [row["name"] for row in context["changes"]]


def test_a_message_waits_as_long_as_the_setting_says(town: Town) -> None:
    change("message_days", 7)
    _filing, (_item,), batch = in_publicity(town, 1)
    town.close_period(batch)
    town.publish_list(batch)
    with db.transaction() as session:
        thrown = session.execute(select(message.c.expires_at, message.c.created_at)).all()
    assert {row.expires_at - row.created_at for row in thrown} == {timedelta(days=7)}
    assert clock.now() > thrown[0].created_at
