"""Dates, times and durations: reading their text, and their arithmetic.

A date and time without a zone is Beijing time wherever it meets one with a zone (DMN leaves this to us).
Sums on zoned values are made on the instant: Python alone would add on the wall clock. (DMN 1.3, 10.3.2.3.5-10.3.2.3.8)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from webapp.engine.feel.values import CONTEXT, Value, YearsMonths

BEIJING: Final = ZoneInfo("Asia/Shanghai")
MICROSECOND: Final = timedelta(microseconds=1)
_MAX_MONTHS: Final = 10**12  # far beyond any date
DAY: Final = 86_400_000_000  # microseconds
_ANY_DAY: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # offset of a zoned time of day: a zone needs some date

_DATE_TEXT = r"(\d{4})-(\d\d)-(\d\d)"
_TIME_TEXT = r"(\d\d):(\d\d):(\d\d)(\.\d{1,30})?(Z|z|[+-]\d\d:\d\d(?::\d\d)?|@[A-Za-z_+\-/0-9]{1,60})?"
_DATE: Final = re.compile(_DATE_TEXT, re.ASCII)
_TIME: Final = re.compile("T?" + _TIME_TEXT, re.ASCII)
_DATE_TIME: Final = re.compile(_DATE_TEXT + "T" + _TIME_TEXT, re.ASCII)
_YEARS_MONTHS: Final = re.compile(r"(-)?P(?:(\d{1,9})Y)?(?:(\d{1,9})M)?", re.ASCII)
_DAYS_TIME: Final = re.compile(
    r"(-)?P(?:(\d{1,15})D)?(?:T(?=\d)(?:(\d{1,15})H)?(?:(\d{1,15})M)?(?:(\d{1,15})(\.\d{1,30})?S)?)?", re.ASCII
)


def midnight(day: date) -> datetime:
    """00:00 of that day, without a zone."""
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001  # FEEL has local values


def microseconds(duration: timedelta) -> int:
    return duration // MICROSECOND


def time_microseconds(value: time) -> int:
    """Microseconds since midnight on the value's own clock."""
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond


def time_of(micros: int, zone: tzinfo | None) -> time:
    """The time of day of that many microseconds (modulo one day)."""
    seconds, fraction = divmod(micros % DAY, 1_000_000)
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60, fraction, tzinfo=zone)


def offset_of(value: time | datetime) -> timedelta | None:
    """The offset from UTC; a named zone on a time of day takes that of 1970-01-01."""
    if isinstance(value, datetime):
        return value.utcoffset()
    return value.tzinfo.utcoffset(_ANY_DAY) if value.tzinfo else None


def order_key(value: Value) -> Any:
    """What two values of one ordered type are compared by."""
    exact = type(value)
    if exact is datetime:
        return (value if value.tzinfo else value.replace(tzinfo=BEIJING)).astimezone(UTC)
    if exact is time:
        offset = offset_of(value)
        return time_microseconds(value) - (microseconds(offset) if offset else 0)
    return value


# ---- reading -----------------------------------------------------------------------------------------------------


def parse_zone(text: str | None) -> tzinfo | None:
    """`Z`, `+08:00`, `@Asia/Shanghai`. Errors: ValueError."""
    if not text:
        return None
    if text in "Zz":
        return UTC
    if text[0] == "@":
        try:
            return ZoneInfo(text[1:])
        except (KeyError, ValueError, OSError):
            raise ValueError(f"没有时区 {text[1:]}") from None
    hours, minutes, *rest = (int(part) for part in text[1:].split(":"))
    if hours > 14 or minutes > 59 or (rest and rest[0] > 59):
        raise ValueError("时区偏移超出范围")
    offset = timedelta(hours=hours, minutes=minutes, seconds=rest[0] if rest else 0)
    return timezone(-offset if text[0] == "-" else offset)


def parse_date(text: str) -> date:
    """`2026-11-25`. Errors: ValueError."""
    match = _DATE.fullmatch(text)
    if not match:
        raise ValueError(f"“{text[:40]}”不是日期")
    year, month, day = (int(part) for part in match.groups())
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError(f"没有日期 {text}") from None


def parse_time(text: str) -> time:
    """`09:30:00`, with an optional fraction and zone. Errors: ValueError."""
    match = _TIME.fullmatch(text)
    if not match:
        raise ValueError(f"“{text[:40]}”不是时间")
    return _time_of_match(match.groups())


def parse_date_time(text: str) -> datetime:
    """`2026-11-25T09:30:00`, or a date alone (its midnight). Errors: ValueError."""
    if _DATE.fullmatch(text):
        return midnight(parse_date(text))
    match = _DATE_TIME.fullmatch(text)
    if not match:
        raise ValueError(f"“{text[:40]}”不是日期时间")
    groups = match.groups()
    day = parse_date("-".join(groups[:3]))
    return datetime.combine(day, _time_of_match(groups[3:]))


def parse_duration(text: str) -> timedelta | YearsMonths:
    """`P1Y2M`, `-P3DT4H`. Errors: ValueError."""
    match = _YEARS_MONTHS.fullmatch(text)
    if match and (match[2] or match[3]):
        months = int(match[2] or 0) * 12 + int(match[3] or 0)
        return YearsMonths(-months if match[1] else months)
    match = _DAYS_TIME.fullmatch(text)
    if not match or not any(match.groups()[1:]):
        raise ValueError(f"“{text[:40]}”不是时长")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:5])
    try:
        duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=_fraction(match[6]))
    except OverflowError:
        raise ValueError("时长超出范围") from None
    return -duration if match[1] else duration


def parse_literal(text: str) -> Value:
    """What `@"..."` stands for. Errors: ValueError."""
    readers: tuple[Callable[[str], Value], ...] = (parse_date, parse_date_time, parse_time, parse_duration)
    for reader in readers:
        try:
            return reader(text)
        except ValueError:
            continue
    raise ValueError(f"“{text[:40]}”不是日期、时间或时长")


def _fraction(text: str | None) -> int:
    return int((text[1:] + "000000")[:6]) if text else 0


def _time_of_match(groups: tuple[str | None, ...]) -> time:
    hour, minute, second = (int(part or 0) for part in groups[:3])
    try:
        return time(hour, minute, second, _fraction(groups[3]), tzinfo=parse_zone(groups[4]))
    except ValueError:
        raise ValueError("时间超出范围") from None


# ---- arithmetic --------------------------------------------------------------------------------------------------


def add_months(value: Any, months: int) -> Any:
    """The date (and time) so many months later; the day is cut to the month's last. Errors: ValueError."""
    year, month = divmod(value.year * 12 + value.month - 1 + months, 12)
    for day in (value.day, 30, 29, 28):
        if day <= value.day:
            try:
                return value.replace(year=year, month=month + 1, day=day)
            except (ValueError, OverflowError):
                continue
    raise ValueError("日期超出范围")


def _shift(value: datetime, by: timedelta) -> datetime:
    return (value.astimezone(UTC) + by).astimezone(value.tzinfo) if value.tzinfo else value + by


def _shift_date(value: date, by: timedelta) -> date:
    return (midnight(value) + by).date()


def _shift_time(value: time, by: int) -> time:
    return time_of(time_microseconds(value) + by, value.tzinfo)


def _between(later: datetime, earlier: datetime) -> timedelta:
    result: timedelta = order_key(later) - order_key(earlier)
    return result


def _scaled(duration: timedelta, operation: Callable[[Decimal, Decimal], Decimal], by: Decimal) -> timedelta:
    exact = operation(CONTEXT.create_decimal(microseconds(duration)), by)
    return timedelta(microseconds=int(CONTEXT.to_integral_value(exact))) if abs(exact) < 10**23 else _overflow()


def _months(operation: Callable[[Decimal, Decimal], Decimal], duration: YearsMonths, by: Decimal) -> YearsMonths:
    exact = operation(Decimal(duration.months), by)
    return _year_months(int(exact)) if abs(exact) < _MAX_MONTHS else _overflow()


def _year_months(months: int) -> YearsMonths:
    return YearsMonths(months) if abs(months) < _MAX_MONTHS else _overflow()


def _overflow() -> Any:
    raise ValueError("时长超出范围")


#: (left type, operator, right type) -> operation. Errors of all: ArithmeticError, ValueError.
OPERATIONS: Final[dict[tuple[type, str, type], Callable[[Any, Any], Any]]] = {
    (datetime, "-", datetime): _between,
    (date, "-", date): lambda a, b: a - b,
    (date, "-", datetime): lambda a, b: _between(midnight(a), b),
    (datetime, "-", date): lambda a, b: _between(a, midnight(b)),
    (time, "-", time): lambda a, b: timedelta(microseconds=order_key(a) - order_key(b)),
    (datetime, "+", timedelta): _shift,
    (datetime, "-", timedelta): lambda a, b: _shift(a, -b),
    (timedelta, "+", datetime): lambda a, b: _shift(b, a),
    (date, "+", timedelta): _shift_date,
    (date, "-", timedelta): lambda a, b: _shift_date(a, -b),
    (timedelta, "+", date): lambda a, b: _shift_date(b, a),
    (time, "+", timedelta): lambda a, b: _shift_time(a, microseconds(b)),
    (time, "-", timedelta): lambda a, b: _shift_time(a, -microseconds(b)),
    (timedelta, "+", time): lambda a, b: _shift_time(b, microseconds(a)),
    (date, "+", YearsMonths): lambda a, b: add_months(a, b.months),
    (date, "-", YearsMonths): lambda a, b: add_months(a, -b.months),
    (datetime, "+", YearsMonths): lambda a, b: add_months(a, b.months),
    (datetime, "-", YearsMonths): lambda a, b: add_months(a, -b.months),
    (YearsMonths, "+", date): lambda a, b: add_months(b, a.months),
    (YearsMonths, "+", datetime): lambda a, b: add_months(b, a.months),
    (timedelta, "+", timedelta): lambda a, b: a + b,
    (timedelta, "-", timedelta): lambda a, b: a - b,
    (timedelta, "*", Decimal): lambda a, b: _scaled(a, CONTEXT.multiply, b),
    (Decimal, "*", timedelta): lambda a, b: _scaled(b, CONTEXT.multiply, a),
    (timedelta, "/", Decimal): lambda a, b: _scaled(a, CONTEXT.divide, b),
    (timedelta, "/", timedelta): lambda a, b: CONTEXT.divide(Decimal(microseconds(a)), Decimal(microseconds(b))),
    (YearsMonths, "+", YearsMonths): lambda a, b: _year_months(a.months + b.months),
    (YearsMonths, "-", YearsMonths): lambda a, b: _year_months(a.months - b.months),
    (YearsMonths, "*", Decimal): lambda a, b: _months(CONTEXT.multiply, a, b),
    (Decimal, "*", YearsMonths): lambda a, b: _months(CONTEXT.multiply, b, a),
    (YearsMonths, "/", Decimal): lambda a, b: _months(CONTEXT.divide, a, b),
    (YearsMonths, "/", YearsMonths): lambda a, b: CONTEXT.divide(Decimal(a.months), Decimal(b.months)),
}
