"""Time: the one clock that everything reads, and the working days of the People's Republic of China.

A deadline runs from the day after service to 24:00 Beijing time (工作口径; the source only says 工作日, 4.8).
Working days are the State Council's: `chinesecalendar` knows the make-up days of the years it covers. For a later year
the statutory days come from `holidays`, weekends are off, there are no make-up days, and `is_provisional` is true.
Tests and the demo move the clock; nothing else reads the machine's time.
"""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar
import holidays

BEIJING = ZoneInfo("Asia/Shanghai")
_LAST_KNOWN_YEAR: int = max(day.year for day in chinese_calendar.constants.workdays)


class Clock:
    """A clock that can be moved forward (never backward) by an offset. Thread-safe: one attribute, replaced whole."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        """The present instant, UTC."""
        return datetime.now(UTC) + self.offset

    def today(self) -> date:
        """Today's date in Beijing."""
        return self.now().astimezone(BEIJING).date()

    def advance(self, by: timedelta) -> None:
        """Move forward. Errors: ValueError for a negative step (time never runs back)."""
        if by < timedelta():
            raise ValueError("the clock never runs backward")
        self.offset += by


clock = Clock()


def now() -> datetime:
    """The present instant of the one clock, UTC."""
    return clock.now()


def today() -> date:
    """Today's date in Beijing, by the one clock."""
    return clock.today()


def is_provisional(day: date) -> bool:
    """Whether the State Council's arrangement of that year is not known yet, so that the answer may change."""
    return day.year > _LAST_KNOWN_YEAR


@functools.cache
def _statutory(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("CN", years=year))


@functools.lru_cache(maxsize=4096)
def is_working_day(day: date) -> bool:
    """Whether offices work on that day (make-up Saturdays and Sundays included)."""
    if not is_provisional(day):
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < 5 and day not in _statutory(day.year)


def next_working_day(day: date) -> date:
    """The day itself when it is a working day, else the first one after it."""
    while not is_working_day(day):
        day += timedelta(days=1)
    return day


def add_working_days(start: date, count: int) -> date:
    """The `count`-th working day after `start` (start itself not counted); negative counts go back."""
    step = timedelta(days=1 if count >= 0 else -1)
    day = start
    for _ in range(abs(count)):
        day += step
        while not is_working_day(day):
            day += step
    return day


def working_days_between(start: date, end: date) -> int:
    """How many working days lie after `start` up to and including `end`; negative when `end` is earlier."""
    if end < start:
        return -working_days_between(end, start)
    return sum(is_working_day(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))


def end_of_day(day: date) -> datetime:
    """24:00 Beijing time of that day, as UTC: the instant at which a deadline set for the day has passed."""
    return datetime.combine(day + timedelta(days=1), time(), BEIJING).astimezone(UTC)


def deadline(start: datetime, *, days: int = 0, working_days: int = 0) -> datetime:
    """The end of a period that runs from the day after `start`: calendar days roll on to the next working day.

    >>> deadline(datetime(2026, 11, 25, 2, tzinfo=UTC), working_days=5).astimezone(BEIJING).isoformat()
    '2026-12-03T00:00:00+08:00'
    """
    first = start.astimezone(BEIJING).date()
    last = add_working_days(first, working_days) if working_days else next_working_day(first + timedelta(days=days))
    return end_of_day(last)
