"""The present and the calendar. (DMN 1.3, 10.3.4.8 and 10.3.4.9)

`now()` and `today()` give the instant that the evaluation was given, in Beijing: one evaluation knows one instant.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from webapp.engine.feel.budget import Run
from webapp.engine.feel.builtins.registry import builtin
from webapp.engine.feel.temporal import BEIJING
from webapp.engine.feel.values import Value

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@builtin("now", "", "")
def _now(run: Run) -> datetime:
    return run.now.astimezone(BEIJING)


@builtin("today", "", "")
def _today(run: Run) -> date:
    return run.now.astimezone(BEIJING).date()


@builtin("day of week", "any", "date")
def _day_of_week(run: Run, day: Value) -> str:
    return _DAYS[_date(day).weekday()]


@builtin("month of year", "any", "date")
def _month_of_year(run: Run, day: Value) -> str:
    return _MONTHS[_date(day).month - 1]


@builtin("day of year", "any", "date")
def _day_of_year(run: Run, day: Value) -> Decimal:
    return Decimal(_date(day).timetuple().tm_yday)


@builtin("week of year", "any", "date")
def _week_of_year(run: Run, day: Value) -> Decimal:
    """The ISO 8601 week."""
    return Decimal(_date(day).isocalendar().week)


def _date(value: Value) -> date:
    if type(value) not in (date, datetime):
        raise TypeError("需要日期")
    day: date = value
    return day
