"""Dates, times and durations."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from webapp.engine.feel import YearsMonths

from .helpers import NOW, feel

D = Decimal


def test_now_and_today_are_beijing_s() -> None:
    assert feel("today()") == date(2026, 11, 25)
    assert feel("now()") == NOW
    assert feel("string(now())") == "2026-11-25T01:00:00@Asia/Shanghai"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('date("2026-02-29")', None),
        ("date(2024, 2, 29)", date(2024, 2, 29)),
        ("date(2026, 13, 1)", None),
        ('date(date and time("2026-11-25T23:00:00"))', date(2026, 11, 25)),
        ('string(time("09:30:00.5Z"))', "09:30:00.5Z"),
        ('string(time(9, 30, 0, duration("PT8H")))', "09:30:00+08:00"),
        ('string(time("24:00:00"))', None),
        ('string(date and time(date("2026-11-25"), time("09:00:00+08:00")))', "2026-11-25T09:00:00+08:00"),
        ('string(date and time(@"2026-11-24T16:30:00Z", "Asia/Shanghai"))', "2026-11-25T00:30:00@Asia/Shanghai"),
        ('date and time("2026-11-25T09:00:00@Nowhere/Land")', None),
        ('duration("P1DT2H") = duration("PT26H")', True),
        ('string(duration("-P1DT0.5S"))', "-P1DT0.5S"),
        ('string(duration("PT0S"))', "PT0S"),
        ('string(duration("P14M"))', "P1Y2M"),
        ('duration("P")', None),
        ('years and months duration(date("2025-12-31"), date("2026-11-30"))', YearsMonths(10)),
        ('years and months duration(date("2026-11-30"), date("2025-12-31"))', YearsMonths(-10)),
        ('date("2026-01-31") + duration("P1M")', date(2026, 2, 28)),
        ('date("2026-11-25") + duration("P1DT12H")', date(2026, 11, 26)),
        ('date("2026-11-25") - date("2026-11-20") = duration("P5D")', True),
        ('date("9999-12-31") + duration("P1D")', None),
        ('string(time("23:00:00") + duration("PT2H"))', "01:00:00"),
        ('duration("P1D") * 1.5 = duration("PT36H")', True),
        ('duration("P1D") / duration("PT6H")', D(4)),
        ('duration("P1Y") / 2', YearsMonths(6)),
        ('@"P1D" / 0', None),
        ('@"2026-11-25" < @"2026-11-26"', True),
        ('@"2026-11-25T08:00:00+08:00" = @"2026-11-25T00:00:00Z"', True),
        ('is(@"2026-11-25T08:00:00+08:00", @"2026-11-25T00:00:00Z")', False),
        ('@"2026-11-25T08:00:00" = @"2026-11-25T00:00:00Z"', True),  # without a zone: Beijing time
        ('@"2026-11-25".weekday', D(3)),
        ('@"P1DT25H".days', D(2)),
        ('@"-P1Y2M".months', D(-2)),
        ('@"2026-11-25T09:30:15+08:00".time offset = duration("PT8H")', True),
        ('@"2026-11-25T09:30:15@Asia/Shanghai".timezone', "Asia/Shanghai"),
        ('day of week(@"2026-11-25")', "Wednesday"),
        ('month of year(@"2026-11-25")', "November"),
        ('day of year(@"2026-02-01")', D(32)),
        ('week of year(@"2026-01-01")', D(1)),
        ('for d in @"2026-11-29"..@"2026-12-01" return d.day', [D(29), D(30), D(1)]),
        ('today() + duration("P10D") > date("2026-12-01")', True),
        ('@"not a date"', None),
    ],
)
def test_temporal(source: str, expected: Any) -> None:
    result = feel(source)
    assert result == expected
    assert type(result) is type(expected)


def test_zoned_sums_are_made_on_the_instant() -> None:
    """A day after noon on the eve of the change to summer time is one o'clock: 24 hours, not the same wall clock."""
    source = 'string(date and time("2026-03-28T12:00:00@Europe/Paris") + duration("P1D"))'
    assert feel(source) == "2026-03-29T13:00:00@Europe/Paris"


def test_variables_of_python_s_types_take_part() -> None:
    variables = {"start": date(2026, 11, 20), "limit": timedelta(days=5), "at": datetime(2026, 11, 24, 18, tzinfo=UTC)}
    assert feel("start + limit <= today()", variables) is True
    assert feel("at > now()", variables) is True
    assert feel('at - now() = @"PT1H"', variables) is True
