"""Cases that cross 31 December 2026: 上年度 is the filing's, numbers begin anew, deadlines say that they may change."""

from __future__ import annotations

from datetime import date, datetime

from tests.processes.conftest import Town
from webapp import clock
from webapp.demo import make
from webapp.engine import duetime
from webapp.inbox import deadlines


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=clock.BEIJING)  # type: ignore[arg-type,misc]


def test_4_6_1_a_correction_in_january_is_about_the_accounts_of_the_filings_last_year(town: Town) -> None:
    town.clock_at(at(2026, 12, 29, 10))
    (item,) = town.items(town.file([make.enterprise(70)]))
    town.review(item, "return", accounts_verdict="correct", accounts_request="缺少签章。", review_opinion="请补正。")
    due = town.item(item).correction_due_at
    assert due == clock.end_of_day(date(2027, 1, 6))  # 1 January is a holiday, and then comes a weekend
    told = deadlines.tell(due, clock.now())
    assert told is not None
    assert told["provisional"]
    town.clock_at(at(2027, 1, 4, 10))
    new = town.upload("lead_unit", make.enterprise(70))["accounts"]
    wrong = {"accounts": new, "fiscal_year": 2026}
    assert list(town.refused("lead_unit", town.case_of(item), "correct", wrong, "resubmit")) == ["fiscal_year"]
    town.do("lead_unit", town.case_of(item), "correct", {"accounts": new, "fiscal_year": 2025}, "resubmit")
    assert town.item(item).status == "review"


def test_numbers_begin_anew_at_midnight_in_beijing(town: Town) -> None:
    town.clock_at(at(2026, 12, 31, 23, 59, 30))
    old = town.filing(town.file([make.enterprise(70)])).number
    town.clock_at(at(2027, 1, 1, 0, 0, 1))
    draft = town.start("lead_unit_b", "partner_filing")
    assert (old[:8], town.number(draft)) == ("BA-2026-", "BA-2027-0001")


def test_a_deadline_on_the_last_day_of_a_decreed_year_is_not_provisional() -> None:
    due = duetime.compute("P1WD", at(2026, 12, 30, 10))
    assert due is not None
    assert (due.at, due.provisional) == (clock.end_of_day(date(2026, 12, 31)), False)
    told = deadlines.tell(due.at, at(2026, 12, 30, 11))
    assert told is not None
    assert not told["provisional"]
