"""The values of FEEL, as Python objects, and how Python values come in.

number Decimal (34 digits, IEEE 754 decimal128) · string str · boolean bool · null None · date · time · date and time
datetime · days and time duration timedelta · years and months duration YearsMonths · list list · context dict · range
Range · function Function. Dispatch is always by exact type: in Python `True == 1` and a datetime is a date.
(DMN 1.3, 10.3.2.2 and 10.3.2.3)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from enum import Enum
from typing import Any, Final
from uuid import UUID

from webapp.engine.errors import FeelError
from webapp.engine.feel.budget import Run

Value = Any
Env = dict[str, Value]
Code = Callable[[Env, Run], Value]

#: decimal128; operations never use the thread's context.
CONTEXT: Final = Context(
    prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144, traps=[DivisionByZero, InvalidOperation, Overflow]
)
_MAX_BITS: Final = 20_500  # 10**6144 has 20,410 bits: larger integers overflow before they are converted
_MAX_ENTRY_DEPTH: Final = 100


@dataclass(frozen=True, slots=True, order=True)
class YearsMonths:
    """A years and months duration, in months (negative allowed)."""

    months: int

    def __str__(self) -> str:
        years, months = divmod(abs(self.months), 12)
        text = (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        return ("-" if self.months < 0 else "") + "P" + text


@dataclass(frozen=True, slots=True)
class Range:
    """An interval; an end that is None is open to infinity."""

    low: Value
    high: Value
    low_closed: bool = True
    high_closed: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A built-in, or a function of the model: `call(run, *arguments)` with `least` to `most` arguments (None: any)."""

    name: str
    parameters: tuple[tuple[str, ...], ...]
    call: Callable[..., Value]
    least: int
    most: int | None


KINDS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "boolean",
    Decimal: "number",
    str: "string",
    list: "list",
    dict: "context",
    date: "date",
    datetime: "date and time",
    time: "time",
    timedelta: "days and time duration",
    YearsMonths: "years and months duration",
    Range: "range",
    Function: "function",
}
_AS_THEY_ARE: Final = frozenset({type(None), bool, str, date, datetime, time, timedelta, YearsMonths, Function})


def kind(value: Value) -> str:
    """The name of the value's FEEL type."""
    return KINDS.get(type(value), "unknown")


def number(run: Run, value: Decimal | int | str) -> Decimal | None:
    """A number rounded to 34 digits; null when it is not finite or too large."""
    try:
        rounded = CONTEXT.create_decimal(value)
    except ArithmeticError:
        return run.null("数值超出范围")
    return rounded if rounded.is_finite() else run.null("不是有限的数值")


def to_feel(run: Run, value: Any, depth: int = 0) -> Value:
    """A Python value (process variable) as a FEEL value, copied; containers are charged.

    Errors: FeelError for a type that FEEL does not have, LimitExceeded for one that is too large.
    """
    exact = type(value)
    if exact in _AS_THEY_ARE:
        return value
    if exact is Decimal:
        return number(run, value)
    if exact is int:
        return _from_int(run, value)
    if depth > _MAX_ENTRY_DEPTH:
        raise FeelError(f"变量嵌套超过 {_MAX_ENTRY_DEPTH} 层。")
    if exact is dict or isinstance(value, Mapping):  # the exact type first: an abstract class is slow to ask
        run.items(len(value))
        return {str(key): to_feel(run, item, depth + 1) for key, item in value.items()}
    if exact is list or isinstance(value, list | tuple | set | frozenset):
        run.items(len(value))
        return [to_feel(run, item, depth + 1) for item in value]
    return _from_other(run, value, depth)


def _from_int(run: Run, value: int) -> Decimal | None:
    return number(run, value) if value.bit_length() <= _MAX_BITS else run.null("数值超出范围")


def _from_other(run: Run, value: object, depth: int) -> Value:
    """Floats, ranges and subclasses (enumerations, strings and dates of other libraries)."""
    if isinstance(value, float):
        return number(run, repr(float(value)))
    if isinstance(value, Range):
        low, high = (to_feel(run, end, depth + 1) for end in (value.low, value.high))
        return Range(low, high, value.low_closed, value.high_closed)
    if isinstance(value, Enum):
        return to_feel(run, value.value, depth + 1)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return _from_int(run, int(value))
    if isinstance(value, Decimal):
        return number(run, value)
    if isinstance(value, datetime):
        return datetime.combine(value.date(), value.timetz())
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    if isinstance(value, timedelta):
        return timedelta(value.days, value.seconds, value.microseconds)
    raise FeelError(f"变量的类型 {type(value).__name__} 不能用于表达式。")
