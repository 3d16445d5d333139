"""The text of FEEL values, as `string()` gives it: readable back as FEEL. (DMN 1.3, table 66: string(from))"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from webapp.engine.feel.budget import Run
from webapp.engine.feel.temporal import DAY, microseconds, offset_of
from webapp.engine.feel.values import Range, Value, YearsMonths


def to_text(run: Run, value: Value) -> str:
    """The text of a value; a string is itself."""
    return run.text(value) if type(value) is str else _inner(run, value)


def literal(value: Value) -> str:
    """The text of a value as one would write it in FEEL: strings are quoted. Errors: LimitExceeded."""
    return _inner(Run(), value)


def _inner(run: Run, value: Value) -> str:
    """The text of a value inside a list, context or range: strings are quoted. Every visit is charged."""
    run.charge(1)
    exact = type(value)
    if exact is str:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return run.text(f'"{escaped}"')
    if exact is list:
        return _joined(run, "[", [_inner(run, item) for item in value], "]")
    if exact is dict:
        return _joined(run, "{", [f"{key}: {_inner(run, item)}" for key, item in value.items()], "}")
    if exact is Range:
        ends = f"{_inner(run, value.low)}..{_inner(run, value.high)}"
        return run.text(f"{'[' if value.low_closed else '('}{ends}{']' if value.high_closed else ')'}")
    writer = _WRITERS.get(exact)
    return run.text(writer(value)) if writer else "function"


def _joined(run: Run, opening: str, parts: list[str], closing: str) -> str:
    return run.text(opening + ", ".join(parts) + closing)


def _number(value: Decimal) -> str:
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _clock(value: time | datetime) -> str:
    fraction = f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""
    return f"{value.hour:02d}:{value.minute:02d}:{value.second:02d}{fraction}{_zone(value)}"


def _zone(value: time | datetime) -> str:
    if value.tzinfo is None:
        return ""
    if isinstance(value.tzinfo, ZoneInfo):
        return f"@{value.tzinfo.key}"
    seconds = int((offset_of(value) or timedelta()).total_seconds())
    if value.tzinfo is UTC or seconds == 0:
        return "Z"
    hours, rest = divmod(abs(seconds), 3600)
    tail = f":{rest % 60:02d}" if rest % 60 else ""
    return f"{'-' if seconds < 0 else '+'}{hours:02d}:{rest // 60:02d}{tail}"


def _duration(value: timedelta) -> str:
    total = microseconds(value)
    days, rest = divmod(abs(total), DAY)
    seconds, fraction = divmod(rest, 1_000_000)
    clock = (f"{seconds // 3600}H" if seconds >= 3600 else "") + (
        f"{seconds // 60 % 60}M" if seconds // 60 % 60 else ""
    )
    if seconds % 60 or fraction:
        clock += f"{seconds % 60}{f'.{fraction:06d}'.rstrip('0') if fraction else ''}S"
    body = (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
    return ("-" if total < 0 else "") + "P" + (body or "T0S")


_WRITERS: Final[dict[type, Callable[[Any], str]]] = {
    type(None): lambda value: "null",
    bool: lambda value: "true" if value else "false",
    Decimal: _number,
    date: date.isoformat,
    datetime: lambda value: f"{value.date().isoformat()}T{_clock(value)}",
    time: _clock,
    timedelta: _duration,
    YearsMonths: YearsMonths.__str__,
}
