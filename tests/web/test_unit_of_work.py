"""The edge: what a view did lasts exactly when its answer was a success; a deadlock is invisible to people."""

from __future__ import annotations

import itertools
import threading
from datetime import date
from decimal import Decimal

import pytest
from flask import flash, request
from flask import session as cookie
from sqlalchemy import func, select, text

from tests.support import Client
from webapp import access, clock, db
from webapp.accounts.models import Organisation
from webapp.app import create_app
from webapp.documents.models import Document
from webapp.errors import Conflict, Invalid, NotFound
from webapp.http import db_session


@pytest.fixture
def room(config, database):
    """A client of the program with a few routes of ours."""
    rules = dict(access.RULES)
    app = create_app(config)

    def add(name="made"):
        db_session().add(Organisation(name=name, kind="firm"))
        db_session().flush()

    def saved():
        add()
        return "ok"

    def refused():
        add()
        return "no", 422

    def raised():
        add()
        raise {"invalid": Invalid(fields={"name": "太短"}), "missing": NotFound(), "late": Conflict()}[
            request.args["as"]
        ]

    def broken():
        add()
        raise ZeroDivisionError("secret detail")

    def swapped():
        """Two rows in the order that was asked for: two of these deadlock."""
        for name in request.args["order"]:
            found = db_session().scalar(select(Organisation).where(Organisation.name == name).with_for_update())
            found.kind = found.kind + "+"
            db_session().flush()
            if next(arrivals) < 2:  # each holds its first row
                meeting.wait()
        return "ok"

    def locked():
        db_session().execute(text("set local lock_timeout = '100ms'"))
        db_session().execute(text("select 1 from organisation for update"))
        return "ok"

    def lost():
        """Somebody is told, and then the connection breaks."""
        add()
        cookie["name"] = "made"
        flash("已办结。")
        db_session().execute(text("select pg_terminate_backend(pg_backend_pid())"))
        return "ok"

    meeting, arrivals = threading.Barrier(2), itertools.count()
    for view in (saved, refused, raised, broken, swapped, locked, lost):
        app.add_url_rule(f"/x/{view.__name__}", view.__name__, access.public(view), methods=["GET", "POST"])
    access.init_app(app)
    yield Client(app)
    access.RULES.clear()
    access.RULES.update(rules)


def count() -> int:
    with db.transaction() as session:
        return session.scalar(select(func.count()).select_from(Organisation)) or 0


def test_a_success_lasts_and_a_refusal_leaves_nothing(room):
    assert (room.post("/x/saved").status_code, count()) == (200, 1)
    assert (room.post("/x/refused").status_code, count()) == (422, 1)


@pytest.mark.parametrize(("kind", "status"), [("invalid", 422), ("missing", 404), ("late", 409)])
def test_errors_are_pages_for_people_and_json_for_programs(room, kind, status):
    page = room.get(f"/x/raised?as={kind}")
    assert (page.status_code, page.mimetype) == (status, "text/html")
    answer = room.get(f"/x/raised?as={kind}", headers={"Accept": "application/json"})
    assert answer.status_code == status
    assert answer.json["message"].endswith("。")
    if kind == "invalid":
        assert answer.json["fields"] == {"name": ["太短"]}
    assert count() == 0


def test_an_unforeseen_error_tells_a_reference_and_no_detail(room, caplog):
    answer = room.get("/x/broken")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    reference = caplog.records[-1].getMessage().split()[2]
    assert reference in answer.text
    assert count() == 0


def test_two_requests_that_deadlock_both_succeed(room):
    with db.transaction() as session:
        session.add_all([Organisation(name=name, kind="") for name in "ab"])
    answers: list[int] = []

    def ask(order: str) -> None:
        answers.append(Client(room.application).post(f"/x/swapped?order={order}").status_code)

    threads = [threading.Thread(target=ask, args=(order,)) for order in ("ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200, 200]
    with db.transaction() as session:
        assert session.scalars(select(Organisation.kind)).all() == ["++", "++"]


def test_a_lock_that_is_not_given_in_time_is_busy_and_not_an_error(room):
    with db.transaction() as session:
        session.add_all([Organisation(name=name, kind="") for name in "ab"])
    with db.engine().connect() as blocker:
        blocker.execute(text("select 1 from organisation for update"))
        answer = room.post("/x/locked", headers={"Accept": "application/json"})
        blocker.rollback()
    assert answer.status_code == 503
    assert answer.json["message"] == "系统暂时繁忙，请稍后再试。"


def test_nobody_is_told_of_what_was_lost_with_the_connection(room):
    room.get("/login")
    with room.session_transaction() as before:
        kept = dict(before)
    assert room.post("/x/lost").status_code == 503
    assert count() == 0
    with room.session_transaction() as after:
        assert dict(after) == kept
    assert "已办结。" not in room.get("/login").text


def test_without_database_people_read_a_sentence_and_healthz_says_what_is_missing(room):
    db.configure("postgresql://postgres@/nowhere?host=%2Fno%2Fsuch%2Fdirectory")
    page = room.get("/account")
    assert page.status_code == 503
    assert "系统暂时繁忙，请稍后再试。" in page.text
    health = room.get("/healthz")
    assert (health.status_code, health.json["database"]) == (503, "unreachable")


def test_a_json_column_takes_amounts_and_dates_and_gives_them_back_as_text(session):
    document = Document(
        digest="0" * 64, size=1, media_type="", filename="", created_at=clock.now(),
        made_from={"amount": Decimal("12.50"), "on": date(2026, 11, 25)},
    )  # fmt: skip
    session.add(document)
    session.commit()
    session.refresh(document)
    assert document.made_from == {"amount": "12.50", "on": "2026-11-25"}
