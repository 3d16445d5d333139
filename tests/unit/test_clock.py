"""Working days of the State Council, deadlines to 24:00 Beijing time, and the year that nobody knows yet."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from webapp import clock
from webapp.clock import BEIJING, Clock


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 2, 17), False),  # Spring Festival
        (date(2026, 2, 14), True),  # a make-up Saturday before it
        (date(2026, 10, 1), False),  # National Day
        (date(2026, 11, 25), True),
        (date(2026, 11, 28), False),  # Saturday
        (date(2027, 1, 1), False),  # statutory, from the second source
        (date(2027, 1, 2), False),  # Saturday, no make-up day known
        (date(2027, 1, 4), True),
    ],
)
def test_working_days(day, works):
    assert clock.is_working_day(day) is works


def test_a_year_without_arrangement_is_provisional():
    assert not clock.is_provisional(date(2026, 12, 31))
    assert clock.is_provisional(date(2027, 1, 1))


def test_working_days_are_counted_from_the_day_after_and_back():
    start = date(2026, 11, 25)
    assert clock.add_working_days(start, 5) == date(2026, 12, 2)
    assert clock.add_working_days(date(2026, 12, 2), -5) == start
    assert clock.working_days_between(start, date(2026, 12, 2)) == 5
    assert clock.working_days_between(date(2026, 12, 2), start) == -5
    assert clock.next_working_day(date(2026, 11, 28)) == date(2026, 11, 30)


def test_a_deadline_ends_at_midnight_in_beijing():
    served = datetime(2026, 11, 25, 2, tzinfo=UTC)
    ends = clock.deadline(served, working_days=5)
    assert ends.astimezone(BEIJING) == datetime(2026, 12, 3, tzinfo=BEIJING)


def test_a_deadline_in_days_rolls_on_to_the_next_working_day():
    ends = clock.deadline(datetime(2026, 11, 25, 2, tzinfo=UTC), days=3)  # the 28th is a Saturday
    assert ends.astimezone(BEIJING) == datetime(2026, 12, 1, tzinfo=BEIJING)


def test_a_deadline_set_late_in_the_evening_counts_from_beijings_day():
    evening = datetime(2026, 11, 25, 17, tzinfo=UTC)  # the 26th in Beijing
    assert clock.deadline(evening, working_days=1).astimezone(BEIJING) == datetime(2026, 11, 28, tzinfo=BEIJING)


def test_a_deadline_set_in_december_reaches_into_the_unknown_year():
    ends = clock.deadline(datetime(2026, 12, 30, 2, tzinfo=UTC), working_days=3).astimezone(BEIJING)
    assert ends == datetime(2027, 1, 6, tzinfo=BEIJING)
    assert clock.is_provisional((ends - timedelta(seconds=1)).date())


def test_the_clock_moves_forward_only():
    own = Clock()
    before = own.now()
    own.advance(timedelta(days=6))
    assert own.now() - before >= timedelta(days=6)
    with pytest.raises(ValueError, match="never runs backward"):
        own.advance(timedelta(seconds=-1))
