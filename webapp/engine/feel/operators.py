"""Equality, order, membership and arithmetic of FEEL values. What cannot be computed is null with a warning.

Truth is three-valued: True, False or None. (DMN 1.3, tables 42-45 and 10.3.2.13-10.3.2.15)
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from webapp.engine.feel.budget import Run
from webapp.engine.feel.temporal import OPERATIONS, order_key
from webapp.engine.feel.values import CONTEXT, Range, Value, YearsMonths, kind

ORDERED: Final = frozenset({Decimal, str, date, datetime, time, timedelta, YearsMonths})
ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
#: The operations on two numbers, except the power.
DECIMAL: Final[dict[str, Callable[[Decimal, Decimal], Decimal]]] = {
    "+": CONTEXT.add,
    "-": CONTEXT.subtract,
    "*": CONTEXT.multiply,
    "/": CONTEXT.divide,
}
_COSTLY_STEPS: Final = 20  # power, exponential, logarithm against a sum


def equal(run: Run, left: Value, right: Value) -> bool | None:
    """`left = right`; null for values of different types."""
    if left is None or right is None:
        return left is right
    exact = type(left)
    if exact is not type(right):
        return run.null(f"无法比较 {kind(left)} = {kind(right)}")
    run.charge(1)
    if exact is list:
        return len(left) == len(right) and all(equal(run, a, b) is True for a, b in zip(left, right, strict=True))
    if exact is dict:
        return left.keys() == right.keys() and all(equal(run, left[key], right[key]) is True for key in left)
    if exact is Range:
        same_ends = (left.low_closed, left.high_closed) == (right.low_closed, right.high_closed)
        return same_ends and equal(run, left.low, right.low) is True and equal(run, left.high, right.high) is True
    if exact is datetime or exact is time:
        return compare(run, "=", left, right)
    if exact is str:
        run.text(left)
    return bool(left == right)


def compare(run: Run, symbol: str, left: Value, right: Value) -> bool | None:
    """`left symbol right` for = != < <= > >=; null when the types have no such order."""
    exact = type(left)
    if symbol in ("=", "!=") and not (exact is type(right) and exact in (datetime, time)):
        same = equal(run, left, right)
        return same if same is None or symbol == "=" else not same
    if exact is not type(right) or exact not in ORDERED:
        return run.null(f"无法比较 {kind(left)} {symbol} {kind(right)}")
    if exact is str:
        run.text(left)
    try:
        a, b = order_key(left), order_key(right)
    except ArithmeticError:
        return run.null("日期超出范围")
    if symbol in ("=", "!="):
        return bool((a == b) is (symbol == "="))
    return ORDER[symbol](a, b)


def contains(run: Run, interval: Range, value: Value) -> bool | None:
    """Whether the value lies in the interval."""
    if value is None:
        return run.null("null 不能与区间比较")
    above: bool | None = True
    if interval.low is not None:
        above = compare(run, ">=" if interval.low_closed else ">", value, interval.low)
    if above is not True or interval.high is None:
        return above
    return compare(run, "<=" if interval.high_closed else "<", value, interval.high)


def both(left: bool | None, right: bool | None) -> bool | None:
    """Three-valued conjunction."""
    if left is False or right is False:
        return False
    return True if left is True and right is True else None


def arithmetic(run: Run, symbol: str, left: Value, right: Value) -> Value:
    """`left symbol right` for + - * / **."""
    try:
        if type(left) is Decimal and type(right) is Decimal:
            return DECIMAL[symbol](left, right) if symbol != "**" else power(run, left, right)
        if type(left) is str and type(right) is str and symbol == "+":
            run.charge(len(left) + len(right) >> 6)
            return run.text(left + right)
        operation = OPERATIONS.get((type(left), symbol, type(right)))
        if operation is not None:
            return operation(left, right)
    except ZeroDivisionError:
        return run.null("除数为零")
    except (ArithmeticError, ValueError) as error:
        return run.null(f"{kind(left)} {symbol} {kind(right)}：{describe(error)}")
    return run.null(f"无法计算 {kind(left)} {symbol} {kind(right)}")


def power(run: Run, base: Decimal, exponent: Decimal) -> Decimal | None:
    """`base ** exponent`; the exponent is bounded."""
    run.charge(_COSTLY_STEPS)
    if abs(exponent) > run.limits.exponent:
        return run.null(f"指数超过 {run.limits.exponent}")
    return CONTEXT.power(base, exponent)


def negate(run: Run, value: Value) -> Value:
    """`-value`."""
    exact = type(value)
    if exact is Decimal:
        return CONTEXT.minus(value)
    if exact is YearsMonths:
        return YearsMonths(-value.months)
    if exact is timedelta:
        try:
            return -value
        except OverflowError:
            return run.null("时长超出范围")
    return run.null(f"无法取负：{kind(value)}")


def describe(error: Exception) -> str:
    """A sentence for an ordinary Python error; those of the decimal module, of attributes and keys carry none."""
    if isinstance(error, ArithmeticError):
        return "结果超出范围"
    return "参数不合要求" if isinstance(error, LookupError | AttributeError) else str(error)


def identity(run: Run, value: Value) -> object:
    """A hashable key: two values have the same key exactly when they are equal (null equals null). Charged by size."""
    exact = type(value)
    run.value(value)
    if exact is list:
        return (list, tuple([identity(run, item) for item in value]))
    if exact is dict:
        return (dict, frozenset([(key, identity(run, item)) for key, item in value.items()]))
    if exact is Range:
        ends = (identity(run, value.low), identity(run, value.high))
        return (Range, ends, value.low_closed, value.high_closed)
    try:
        return (exact, order_key(value))
    except ArithmeticError:
        return (exact, value)
