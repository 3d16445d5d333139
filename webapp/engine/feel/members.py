"""`value.name`: entries of contexts, and the parts of dates, times, durations and ranges. (DMN 1.3, table 65)"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from webapp.engine.feel.budget import Run
from webapp.engine.feel.temporal import microseconds, offset_of
from webapp.engine.feel.values import Range, Value, YearsMonths, kind

Reader = Callable[[Any], Value]


def member(run: Run, value: Value, name: str) -> Value:
    """The member; of a list, that of each item. Null with a warning when there is none."""
    exact = type(value)
    if exact is dict:
        return value[name] if name in value else run.null(f"上下文中没有 {name}")
    if exact is list:
        run.items(len(value))
        return [member(run, item, name) for item in value]
    reader = _READERS.get(exact, {}).get(name)
    return reader(value) if reader else run.null(f"{kind(value)} 没有 {name}")


def _part(attribute: str) -> Reader:
    return lambda value: Decimal(getattr(value, attribute))


def _zone_name(value: time | datetime) -> str | None:
    return value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) else None


def _of_duration(divisor: int, modulus: int | None) -> Reader:
    """Whole units of a days and time duration, with its sign."""

    def read(value: timedelta) -> Decimal:
        total = microseconds(value)
        units = abs(total) // 1_000_000 // divisor
        units = units % modulus if modulus else units
        return Decimal(-units if total < 0 else units)

    return read


def _of_months(part: int) -> Reader:
    return lambda value: Decimal(divmod(abs(value.months), 12)[part] * (-1 if value.months < 0 else 1))


_DATE: Final[dict[str, Reader]] = {
    "year": _part("year"),
    "month": _part("month"),
    "day": _part("day"),
    "weekday": lambda value: Decimal(value.isoweekday()),
}
_TIME: Final[dict[str, Reader]] = {
    "hour": _part("hour"),
    "minute": _part("minute"),
    "second": _part("second"),
    "timezone": _zone_name,
    "time offset": offset_of,
}
_READERS: Final[dict[type, dict[str, Reader]]] = {
    date: _DATE,
    time: _TIME,
    datetime: _DATE | _TIME,
    timedelta: {
        "days": _of_duration(86_400, None),
        "hours": _of_duration(3_600, 24),
        "minutes": _of_duration(60, 60),
        "seconds": _of_duration(1, 60),
    },
    YearsMonths: {"years": _of_months(0), "months": _of_months(1)},
    Range: {
        "start": lambda value: value.low,
        "end": lambda value: value.high,
        "start included": lambda value: value.low_closed,
        "end included": lambda value: value.high_closed,
    },
}
