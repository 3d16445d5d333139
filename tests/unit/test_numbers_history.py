"""Numbers without gaps, also when two acts come at once and one of them fails; the history of an entry."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support_registers import make_unit
from webapp import db
from webapp.registers import history, numbers
from webapp.registers.models import RegisterChange


def test_numbers_have_the_offices_formats(session: Session) -> None:
    assert numbers.case_number(session, "BA", 2026) == "BA-2026-0001"
    assert numbers.case_number(session, "BA", 2026) == "BA-2026-0002"
    assert numbers.case_number(session, "BA", 2027) == "BA-2027-0001"
    assert numbers.document_number(session, "publicity", 2026) == "穗工信公示〔2026〕1 号"
    assert numbers.document_number(session, "list", 2026) == "穗工信名单〔2026〕1 号"
    with pytest.raises(ValueError, match="XX"):
        numbers.case_number(session, "XX", 2026)


def test_an_act_that_fails_gives_its_number_back(database: str) -> None:
    def fail() -> None:
        with db.transaction() as session:
            numbers.take(session, "BA", 2026)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with db.transaction() as session:
        assert numbers.take(session, "BA", 2026) == 1


def test_acts_at_once_get_different_numbers_without_gaps(database: str) -> None:
    taken: list[int] = []
    start = threading.Barrier(4)

    def act() -> None:
        start.wait()
        for n in range(10):
            try:
                with db.transaction() as session:
                    number = numbers.take(session, "YY", 2026)
                    if n % 3 == 0:
                        raise RuntimeError
                taken.append(number)
            except RuntimeError:
                continue

    threads = [threading.Thread(target=act) for _n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(1, 25))


def test_the_history_keeps_what_changed_on_both_sides(session: Session) -> None:
    unit = make_unit(session, "广州某单位", 7)
    new = history.record(session, unit, "listed")
    assert new is not None
    assert new.before is None
    assert (new.after or {})["listed_on"] == "2025-01-16"
    before = history.snapshot(unit)
    assert history.record(session, unit, "changed", before=before) is None
    unit.name, unit.founded_on = "广州新名称单位", date(2020, 1, 2)
    changed = history.record(session, unit, "renamed", before=before)
    assert changed is not None
    assert changed.before == {"name": "广州某单位", "founded_on": None}
    assert changed.after == {"name": "广州新名称单位", "founded_on": "2020-01-02"}
    session.flush()
    assert [c.action for c in history.of_entry(session, "lead_unit", [unit.id])] == ["renamed", "listed"]


def test_a_partial_snapshot_keeps_only_its_columns(session: Session) -> None:
    unit = make_unit(session, "广州某单位", 8)
    unit.status = "expelled"
    history.record(session, unit, "expelled", before={"status": "listed"})
    session.flush()
    kept = session.scalars(select(RegisterChange)).one()
    assert kept.after == {"status": "expelled"}
