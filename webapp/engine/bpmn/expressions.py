"""The places of a model where text is FEEL, and those where it may also be a literal (dates, names)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from webapp.engine.bpmn.codec import clone
from webapp.engine.errors import FeelError
from webapp.engine.feel import Expression, compile_expression
from webapp.errors import Invalid

# ISO 8601: duration, date, date-time, repeating interval; and P5WD, five working days (our own extension).
_DURATION = r"P(?=\d|T\d)(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?"
_DATE = r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
WORKING_DAYS = re.compile(r"P\d+WD")
TIME = re.compile(rf"(?:{_DURATION}|P\d+WD|{_DATE})")
CYCLE = re.compile(rf"R\d*/(?:{_DATE}/)?(?:{_DURATION}|P\d+WD)")
_NAME = re.compile(r"[^\W\d]\w*(?:[.-]\w+)*")


class Incident(Exception):
    """The instance cannot go on at the element that is being run; the token stays there. Never leaves the engine."""


@dataclass(frozen=True, slots=True)
class Value:
    """An attribute that is a literal, or FEEL when it begins with '=' (or is no literal of its kind)."""

    text: str
    expression: Expression | None = None

    def evaluate(self, scope: Mapping[str, Any], now: datetime, what: str) -> Any:
        """The value in a scope. Errors: Incident."""
        if self.expression is None:
            return self.text
        return evaluate(self.expression, scope, now, what)


def compile_feel(source: str) -> Expression:
    """FEEL, with or without a leading '='. Errors: FeelError."""
    return compile_expression(source.strip())


def time_value(source: str) -> Value:
    """A due date or timer: an ISO 8601 literal, `P5WD`, or FEEL. Errors: FeelError."""
    stripped = source.strip()
    if _looks_like_time(stripped):
        if not is_time(stripped):
            raise FeelError(f"“{stripped}”不是存在的日期或时间。")
        return Value(stripped)
    return Value(stripped, compile_feel(stripped))


def _looks_like_time(written: str) -> bool:
    return TIME.fullmatch(written) is not None or CYCLE.fullmatch(written) is not None


def is_time(written: str) -> bool:
    """Whether it is a duration, a cycle, working days, or a date(-time) that exists.

    >>> is_time("P5WD"), is_time("R3/2026-01-01/P1M"), is_time("2026-02-30"), is_time("R/PT0S")
    (True, True, False, False)
    """
    if not _looks_like_time(written):
        return False
    if written.startswith("R") and not re.search("[1-9]", written.rpartition("/")[2]):
        return False  # it would come round without end
    try:
        for part in written.split("/"):
            if part[0] not in "RP":
                datetime.fromisoformat(part)
    except ValueError:
        return False
    return True


def person_value(source: str) -> Value:
    """An account name, a list of them with commas, or FEEL (always after '=', else when it is no plain name)."""
    stripped = source.strip()
    if not stripped.startswith("=") and all(_NAME.fullmatch(part.strip()) for part in stripped.split(",")):
        return Value(stripped)
    return Value(stripped, compile_feel(stripped))


def evaluate(expression: Expression, scope: Mapping[str, Any], now: datetime, what: str) -> Any:
    """A FEEL value that a variable may have, as a copy; else an Incident that names what was evaluated."""
    try:
        return clone(expression.evaluate(scope, now=now))
    except Invalid as error:  # FeelError is one
        raise Incident(f"{what}无法计算：{error}") from error


def truth(expression: Expression, scope: Mapping[str, Any], now: datetime, what: str) -> bool:
    """A condition. Null or anything but true and false is an incident: a decision about people is never guessed."""
    try:
        value, warnings = expression.run(scope, now=now)
    except FeelError as error:
        raise Incident(f"{what}无法计算：{error}") from error
    if value is True or value is False:
        return bool(value)
    why = "".join(f"（{warning}）" for warning in warnings[:1])
    raise Incident(f"{what}的结果不是真或假，而是 {_short(value)}{why}。")


def people(value: Value | None, scope: Mapping[str, Any], now: datetime, what: str) -> tuple[str, ...]:
    """Account names. A plain name that is also a visible variable means that variable's value."""
    if value is None:
        return ()
    found: Any = value.text
    if value.expression is not None:
        found = value.evaluate(scope, now, what)
    elif value.text in scope:
        found = scope[value.text]
    if isinstance(found, str):
        return tuple(part.strip() for part in found.split(",") if part.strip())
    if isinstance(found, list) and all(isinstance(name, str) for name in found):
        return tuple(found)
    if found is None:
        return ()
    raise Incident(f"{what}不是账户名称，而是 {_short(found)}。")


def due(value: Value, scope: Mapping[str, Any], now: datetime, what: str) -> Any:
    """A point in time (datetime, date) or an ISO 8601 duration, cycle or `P5WD` as a string. Errors: Incident."""
    found = value.evaluate(scope, now, what)
    if isinstance(found, datetime | date):
        return found
    if isinstance(found, timedelta):
        return iso_duration(found)
    found = str(found) if found is not None and not isinstance(found, bool | list | dict) else found
    if isinstance(found, str) and is_time(found):
        return found
    raise Incident(f"{what}不是日期、时间或期限，而是 {_short(found)}。")


def iso_duration(value: timedelta) -> str:
    """ISO 8601 of a days-and-time duration; a negative one is due at once (PT0S).

    >>> iso_duration(timedelta(days=1, hours=2))
    'P1DT2H'
    """
    if value <= timedelta():
        return "PT0S"
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    second = f"{seconds}.{value.microseconds:06d}".rstrip("0") if value.microseconds else str(seconds)
    parts = [f"{hours}H" if hours else "", f"{minutes}M" if minutes else "", f"{second}S" if second != "0" else ""]
    clock = "".join(parts)
    return f"P{value.days}D" * bool(value.days) + (f"T{clock}" if value.days else f"PT{clock}") * bool(clock)


def _short(value: Any) -> str:
    shown = "空值" if value is None else repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "…"
