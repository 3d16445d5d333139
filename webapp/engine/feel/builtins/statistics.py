"""Functions over a list of comparable values or numbers. (DMN 1.3, 10.3.4.4)"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from webapp.engine.feel.budget import Run
from webapp.engine.feel.builtins.registry import numbers, variadic
from webapp.engine.feel.operators import arithmetic, compare
from webapp.engine.feel.values import CONTEXT, Value, YearsMonths


def _extreme(name: str, symbol: str) -> None:
    @variadic(name)
    def _(run: Run, items: list[Value]) -> Value:
        best = items[0] if items else None
        for item in items[:1] + items[1:]:
            better = compare(run, symbol, item, best)
            if better is None:
                raise ValueError("各项不能比较")
            best = item if better else best
        return best


_extreme("min", "<")
_extreme("max", ">")


@variadic("sum")
def _sum(run: Run, items: list[Value]) -> Value:
    """The sum of numbers, or of durations of one kind; of an empty list null."""
    if not items or type(items[0]) not in (Decimal, timedelta, YearsMonths):
        return run.null("函数 sum：没有可相加的项")
    total = items[0]
    for item in items[1:]:
        total = arithmetic(run, "+", total, item) if type(item) is type(items[0]) else None
        if total is None:
            return run.null("函数 sum：各项类型不同")
    return total


def total(items: Sequence[Decimal]) -> Decimal:
    result = Decimal(0)
    for item in items:
        result = CONTEXT.add(result, item)
    return result


def _mean_of(items: Sequence[Decimal]) -> Decimal:
    return CONTEXT.divide(total(items), Decimal(len(items)))


@variadic("mean")
def _mean(run: Run, items: list[Value]) -> Decimal | None:
    return _mean_of(numbers(items)) if items else None


@variadic("product")
def _product(run: Run, items: list[Value]) -> Decimal | None:
    result = Decimal(1)
    for item in numbers(items):
        result = CONTEXT.multiply(result, item)
    return result if items else None


@variadic("median")
def _median(run: Run, items: list[Value]) -> Decimal | None:
    ordered, count = sorted(numbers(items)), len(items)
    if not count:
        return None
    if count % 2:
        return ordered[count // 2]
    return _mean_of(ordered[count // 2 - 1 : count // 2 + 1])


@variadic("stddev")
def _stddev(run: Run, items: list[Value]) -> Decimal | None:
    """The sample standard deviation; of less than two numbers null."""
    if len(items) < 2:
        return None
    mean = _mean_of(numbers(items))
    run.charge(len(items))
    squares = [CONTEXT.power(CONTEXT.subtract(item, mean), Decimal(2)) for item in items]
    return CONTEXT.sqrt(CONTEXT.divide(total(squares), Decimal(len(items) - 1)))


@variadic("mode")
def _mode(run: Run, items: list[Value]) -> list[Decimal]:
    """The most frequent numbers, in ascending order."""
    counts = Counter(numbers(items))
    most = max(counts.values(), default=0)
    return sorted(number for number, count in counts.items() if count == most)
