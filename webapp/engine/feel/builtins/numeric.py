"""Numeric functions, to 34 digits. (DMN 1.3, 10.3.4.5)"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)
from typing import Final

from webapp.engine.feel.budget import Run
from webapp.engine.feel.builtins.registry import builtin, whole
from webapp.engine.feel.values import CONTEXT, Value, YearsMonths

_COSTLY_STEPS: Final = 20
_MIN_SCALE: Final = -6111
_MAX_SCALE: Final = 6176


def _rounding(name: str, mode: str, types: str) -> None:
    @builtin(name, types, "n, scale")
    def _(run: Run, number: Decimal, scale: Decimal | None = None) -> Decimal:
        digits = whole(scale) if scale is not None else 0
        if not _MIN_SCALE <= digits <= _MAX_SCALE:
            raise ValueError("小数位数超出范围")
        exponent = number.as_tuple().exponent
        if number.is_zero() or (isinstance(exponent, int) and exponent >= -digits):
            return number
        return number.quantize(Decimal((0, (1,), -digits)), mode, CONTEXT)


_rounding("floor", ROUND_FLOOR, "number number?")
_rounding("ceiling", ROUND_CEILING, "number number?")
_rounding("decimal", ROUND_HALF_EVEN, "number number")
_rounding("round up", ROUND_UP, "number number")
_rounding("round down", ROUND_DOWN, "number number")
_rounding("round half up", ROUND_HALF_UP, "number number")
_rounding("round half down", ROUND_HALF_DOWN, "number number")


@builtin("abs", "any", "n")
def _abs(run: Run, value: Value) -> Value:
    """Of a number or a duration."""
    if type(value) is YearsMonths:
        return YearsMonths(abs(value.months))
    if type(value) not in (Decimal, timedelta):
        raise TypeError("需要数值或时长")
    return CONTEXT.abs(value) if type(value) is Decimal else abs(value)


@builtin("modulo", "number number", "dividend, divisor")
def _modulo(run: Run, dividend: Decimal, divisor: Decimal) -> Decimal:
    """With the sign of the divisor."""
    remainder = CONTEXT.remainder(dividend, divisor)
    return CONTEXT.add(remainder, divisor) if remainder and (remainder < 0) != (divisor < 0) else remainder


def _function(name: str, operation: Callable[[Decimal], Decimal]) -> None:
    @builtin(name, "number", "number")
    def _(run: Run, number: Decimal) -> Decimal:
        run.charge(_COSTLY_STEPS)
        return operation(number)


def _logarithm(number: Decimal) -> Decimal:
    if number <= 0:
        raise ValueError("只接受正数")
    return CONTEXT.ln(number)


_function("sqrt", CONTEXT.sqrt)
_function("log", _logarithm)
_function("exp", CONTEXT.exp)


@builtin("odd", "number", "number")
def _odd(run: Run, number: Decimal) -> bool:
    return _remainder_of_two(number) == 1


@builtin("even", "number", "number")
def _even(run: Run, number: Decimal) -> bool:
    return _remainder_of_two(number) == 0


def _remainder_of_two(number: Decimal) -> Decimal:
    """0, 1 or a fraction; beyond 34 digits every number is even."""
    return CONTEXT.abs(CONTEXT.remainder(number, Decimal(2))) if abs(number) < 10**33 else Decimal(0)
