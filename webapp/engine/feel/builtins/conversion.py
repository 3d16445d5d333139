"""Conversion functions: number, string, date, time, date and time, durations. (DMN 1.3, 10.3.4.1)"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from webapp.engine.feel.budget import Run
from webapp.engine.feel.builtins.registry import builtin, whole
from webapp.engine.feel.operators import equal
from webapp.engine.feel.rendering import to_text
from webapp.engine.feel.temporal import (
    midnight,
    parse_date,
    parse_date_time,
    parse_duration,
    parse_time,
    parse_zone,
    time_of,
)
from webapp.engine.feel.values import CONTEXT, Value, YearsMonths

_NUMBER: Final = re.compile(r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d{1,5})?", re.ASCII)


@builtin("number", "string string? string?", "from, grouping separator, decimal separator")
def _number(run: Run, text: str, grouping: str | None = None, point: str | None = None) -> Decimal:
    if grouping not in (None, " ", ",", ".") or point not in (None, ",", ".") or (grouping and grouping == point):
        raise ValueError("分隔符不对")
    text = text.replace(grouping, "") if grouping else text
    text = text.replace(point, ".") if point else text
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"“{text[:40]}”不是数值")
    return CONTEXT.create_decimal(text)


@builtin("string", "any", "from")
def _string(run: Run, value: Value) -> str | None:
    return None if value is None else to_text(run, value)


@builtin("date", "any number? number?", "from", "year, month, day")
def _date(run: Run, value: Value, month: Decimal | None = None, day: Decimal | None = None) -> date:
    if month is not None and day is not None:
        return parse_date(f"{whole(value):04d}-{whole(month):02d}-{whole(day):02d}")
    if type(value) is datetime:
        return value.date()
    return value if type(value) is date else parse_date(_text(value))


@builtin("time", "any number? number? any?", "from", "hour, minute, second, offset")
def _time(
    run: Run,
    value: Value,
    minute: Decimal | None = None,
    second: Decimal | None = None,
    offset: timedelta | None = None,
) -> time:
    if minute is not None and second is not None:
        return _time_of_parts(whole(value), whole(minute), second, offset)
    if type(value) is datetime:
        return value.timetz()
    if type(value) is date:
        return time(tzinfo=UTC)
    return value if type(value) is time else parse_time(_text(value))


def _time_of_parts(hour: int, minute: int, second: Decimal, offset: timedelta | None) -> time:
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        raise ValueError("时间超出范围")
    zone = None
    if offset is not None:
        sign, seconds = ("-" if offset < timedelta() else "+"), int(abs(offset).total_seconds())
        zone = parse_zone(f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}")
    return time_of((hour * 60 + minute) * 60_000_000 + int(second * 1_000_000), zone)


@builtin("date and time", "any any?", "from", "date, time", "date, timezone")
def _date_and_time(run: Run, value: Value, second: Value = None) -> datetime:
    if type(second) is time:
        day = value.date() if type(value) is datetime else value
        return datetime.combine(day, second)
    if type(second) is str:
        zone = parse_zone("@" + second)
        moment = value if type(value) is datetime else _date_and_time(run, value)
        return moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)
    if second is not None:
        raise TypeError("第二个参数应为时间或时区")
    if type(value) is datetime:
        return value
    return midnight(value) if type(value) is date else parse_date_time(_text(value))


@builtin("duration", "any", "from")
def _duration(run: Run, value: Value) -> timedelta | YearsMonths:
    return value if type(value) in (timedelta, YearsMonths) else parse_duration(_text(value))


@builtin("years and months duration", "any any", "from, to")
def _years_and_months(run: Run, start: date, end: date) -> YearsMonths:
    """Whole months between two dates (and times), cut towards zero."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and _within_month(end) < _within_month(start):
        months -= 1
    if months < 0 and _within_month(end) > _within_month(start):
        months += 1
    return YearsMonths(months)


def _within_month(moment: date) -> tuple[int, time]:
    return moment.day, moment.time() if isinstance(moment, datetime) else time()


@builtin("is", "any any", "value1, value2")
def _is(run: Run, left: Value, right: Value) -> bool:
    """Same type and same value; for times, also the same zone."""
    if type(left) is not type(right):
        return False
    if type(left) in (datetime, time):
        return to_text(run, left) == to_text(run, right)
    return left is right or equal(run, left, right) is True


@builtin("not", "any", "negand")
def _not(run: Run, value: Value) -> bool | None:
    return (not value) if type(value) is bool else None


def _text(value: Value) -> str:
    if type(value) is not str:
        raise TypeError("需要字符串")
    return value
