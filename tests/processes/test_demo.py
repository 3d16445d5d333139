"""The demo: loaded by running the processes, valid, the same each time, never twice."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text

from tests.processes.conftest import CALLS
from webapp import clock, db, demo
from webapp.accounts import passwords
from webapp.accounts.models import Account
from webapp.accounts.roles import ROLES
from webapp.demo import make, people
from webapp.notices.models import Notice
from webapp.registers import checks, handovers, reconsiderations
from webapp.registers.criticism_models import Criticism
from webapp.registers.evaluation_models import Commitment, EvaluationRound
from webapp.registers.models import BarredEntry, ConsortiumEnterprise, Expulsion, Filing, FilingItem, LeadUnit


def load(config: Any) -> list[tuple[str, str]]:
    from webapp.supervisor import load_demo

    load_demo(config)
    with db.transaction() as session:
        found = session.execute(select(FilingItem.credit_code, FilingItem.status).order_by(FilingItem.credit_code))
        return [(row.credit_code, row.status) for row in found]


def test_the_demo_has_what_a_first_look_needs(engine: Any, config: Any, clock_at: Any) -> None:
    clock_at(datetime(2026, 11, 25, 10, tzinfo=clock.BEIJING))
    load(config)
    with db.transaction() as session:

        def count(model: Any) -> int:
            return int(session.scalar(select(func.count()).select_from(model)) or 0)

        assert count(LeadUnit) >= 12
        assert count(ConsortiumEnterprise) >= 60
        assert (count(BarredEntry), count(Filing)) == (1, 4)
        for code in [*session.scalars(select(LeadUnit.credit_code)), *session.scalars(select(FilingItem.credit_code))]:
            assert checks.credit_code(code) is None
        notice = session.scalars(select(Notice).where(Notice.kind == "publicity")).one()
        assert notice.period_ends_at is not None
        assert notice.period_ends_at > clock.now()
        lists = session.scalars(select(Notice).where(Notice.kind == "list").order_by(Notice.published_at)).all()
        assert [len(found.rows) for found in lists] == [24, 42, 56, 66]  # each says what was so on its day
        assert all(clock.is_working_day(found.published_at.date()) for found in lists if found.published_at)
        accounts = {a.username: a for a in session.scalars(select(Account)).unique()}
        assert set(ROLES) <= set(accounts)
        assert passwords.matches(accounts["office"].password_hash, people.PASSWORD)
        assert session.scalar(text("select count(*) from incident")) == 0
        past, review = session.scalars(select(Expulsion).order_by(Expulsion.opened_at)).unique()
        assert (review.status, review.lead_unit.under_expulsion) == ("meeting", True)
        assert (past.status, past.decision_number) == ("expelled", "穗工信清退〔2025〕1 号")
        assert [entry.status for entry in handovers.of_review(session, past.id)] == ["confirmed"] * 3
        assert [entry.status for entry in reconsiderations.of_review(session, past.id)] == ["upheld"]
        told = session.scalars(select(Criticism).order_by(Criticism.opened_at)).unique().all()
        assert [(found.status, len(found.periods)) for found in told] == [("rectified", 2), ("rectifying", 1)]
        assert len(session.scalars(text(CALLS)).all()) == 27


def test_the_demo_is_loaded_once_and_is_the_same_each_time(engine: Any, config: Any, clock_at: Any) -> None:
    clock_at(datetime(2026, 11, 25, 10, tzinfo=clock.BEIJING))
    first = load(config)
    with db.transaction() as session:
        assert demo.load(session, config) is False
    assert load(config) == first
    assert [status for _code, status in first].count("public") == 4


def test_the_demo_loads_in_the_first_working_days_of_a_year(engine: Any, config: Any, clock_at: Any) -> None:
    clock_at(datetime(2027, 1, 4, 10, tzinfo=clock.BEIJING))
    load(config)
    with db.transaction() as session:
        running = session.scalars(select(EvaluationRound).where(EvaluationRound.closed_at.is_(None))).one()
        assert (running.year, running.quarter, running.status) == (2026, 3, "running")
        assert session.scalar(select(func.count()).where(EvaluationRound.closed_at.is_not(None))) == 3
        assert session.scalar(select(func.max(Commitment.signed_on))) <= clock.today()


def test_material_files_are_what_they_say() -> None:
    of = make.enterprise(3, datetime(2026, 11, 25, tzinfo=clock.BEIJING).date())
    files = make.materials(of)
    assert {name.rpartition(".")[2] for name, _content in files.values()} == {"pdf", "jpg"}
    assert all(content[:4] in (b"%PDF", b"\xff\xd8\xff\xe0") for _name, content in files.values())
    assert make.materials(of) == files
    assert len({make.enterprise(n)["credit_code"] for n in range(1000)}) == 1000
    assert all(checks.id_number(make.enterprise(n)["id_number"]) is None for n in range(1000))
