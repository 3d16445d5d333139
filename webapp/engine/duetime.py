"""From what a model says about time to an instant, computed once when a wait begins.

`datetime`: that instant. `date` or `2026-12-01`: 24:00 Beijing time of that day, when a deadline set for it has passed.
`P5WD`: five working days by `clock.deadline` (our extension). ISO 8601 durations: from now. `R3/PT1H`: the next turn.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import isodate

from webapp import clock
from webapp.errors import Invalid

_WORKING_DAYS = re.compile(r"P(\d+)WD")
_MOST_TURNS = 100_000


@dataclass(frozen=True, slots=True)
class Due:
    """`provisional`: that year's working days are not decreed yet. `cycle`: the repetition that this is a turn of."""

    at: datetime
    provisional: bool = False
    cycle: str | None = None


def compute(value: Any, start: datetime) -> Due | None:
    """The instant of a due date or timer that begins at `start` (aware). None stays None. Errors: Invalid."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return Due(_aware(value))
    if isinstance(value, date):
        return Due(clock.end_of_day(value), clock.is_provisional(value))
    if isinstance(value, timedelta):
        return Due(start + max(value, timedelta()))
    text = str(value).strip()
    if text.startswith("R"):
        return _cycle(text, start)
    return _single(text, start)


def _aware(value: datetime) -> datetime:
    """A time without zone is Beijing's."""
    return (value if value.tzinfo else value.replace(tzinfo=clock.BEIJING)).astimezone(UTC)


def _single(text: str, start: datetime) -> Due:
    if found := _WORKING_DAYS.fullmatch(text):
        at = clock.deadline(start, working_days=int(found[1]))
        last = (at - timedelta(seconds=1)).astimezone(clock.BEIJING).date()  # its 24:00 is 0:00 of the next day
        return Due(at, clock.is_provisional(last))
    try:
        if text.startswith("P"):
            return Due(add(start, text))
        if "T" in text:
            return Due(_aware(datetime.fromisoformat(text)))
        day = date.fromisoformat(text)
    except (ValueError, OverflowError, isodate.ISO8601Error) as error:
        raise Invalid(f"“{text}”不是日期、时间或期限。") from error
    return Due(clock.end_of_day(day), clock.is_provisional(day))


def add(start: datetime, duration: str) -> datetime:
    """`start` plus an ISO 8601 duration; years, months and days by Beijing's calendar. Errors: ISO8601Error."""
    if found := _WORKING_DAYS.fullmatch(duration):
        return clock.deadline(start, working_days=int(found[1]))
    moved: datetime = start.astimezone(clock.BEIJING) + isodate.parse_duration(duration)
    return moved.astimezone(UTC)


def _cycle(text: str, start: datetime) -> Due:
    """R[n]/[first]/duration[/end]: with a first instant, the first turn that is not before `start`."""
    try:
        parts = text.split("/")[1:]
        duration = next(part for part in parts if part.startswith("P"))
        first = None if parts[0] == duration else _aware(datetime.fromisoformat(parts[0]))
        at = add(start, duration) if first is None else first
        if add(at, duration) <= at:
            raise ValueError(duration)
        for _ in range(_MOST_TURNS):
            if at >= start:
                return Due(at, False, text)
            at = add(at, duration)
    except (ValueError, OverflowError, StopIteration, isodate.ISO8601Error) as error:
        raise Invalid(f"“{text}”不是重复的时间。") from error
    raise Invalid(f"“{text}”的起点离现在太远。")


def next_turn(cycle: str, last: datetime, now: datetime) -> datetime:
    """The first turn of a cycle after the one at `last` that lies behind `now`. Errors: Invalid, ISO8601Error."""
    duration = next(part for part in cycle.split("/")[1:] if part.startswith("P"))
    at = add(last, duration)
    if at <= last:
        raise Invalid(f"“{cycle}”不是重复的时间。")
    step = None if _WORKING_DAYS.fullmatch(duration) else isodate.parse_duration(duration)
    if isinstance(step, timedelta) and at <= now:  # Beijing has no summer time: any number of turns at once
        return last + ((now - last) // step + 1) * step
    while at <= now:
        at = add(at, duration)
    return at


def remaining(cycle: str) -> str | None:
    """What is left of a cycle after one turn; None when nothing is.

    >>> remaining("R3/PT1H"), remaining("R1/PT1H"), remaining("R/P1D")
    ('R2/PT1H', None, 'R/P1D')
    """
    head, _, rest = cycle.partition("/")
    if head == "R":
        return cycle
    left = int(head[1:]) - 1
    return f"R{left}/{rest}" if left > 0 else None
