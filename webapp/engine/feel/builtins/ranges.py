"""Range functions: Allen's relations between points and intervals, and `range`. (DMN 1.3, 10.3.4.6)

A point is the range [point..point].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from webapp.engine.errors import FeelError
from webapp.engine.feel import nodes
from webapp.engine.feel.budget import Run
from webapp.engine.feel.builtins.registry import BUILTINS, builtin
from webapp.engine.feel.functions import invoke
from webapp.engine.feel.grammar import parse
from webapp.engine.feel.operators import compare
from webapp.engine.feel.temporal import parse_literal
from webapp.engine.feel.values import Range, Value

_PARSING_STEPS: Final = 50  # to read an expression of ten characters

Compare = Callable[[str, Value, Value], bool | None]
Relation = Callable[[Range, Range, Compare], bool | None]


def _relation(name: str, relation: Relation) -> None:
    @builtin(name, "any any", "point1, point2", "range, point", "point, range", "range1, range2")
    def _(run: Run, left: Value, right: Value) -> bool | None:
        a, b = _as_range(left), _as_range(right)
        if any(end is None for end in (a.low, a.high, b.low, b.high)):
            raise ValueError("区间没有端点")

        def compared(symbol: str, x: Value, y: Value) -> bool | None:
            return compare(run, symbol, x, y)

        return None if compared("<", a.low, b.low) is None else bool(relation(a, b, compared))


def _as_range(value: Value) -> Range:
    return value if type(value) is Range else Range(value, value)


def _before(a: Range, b: Range, c: Compare) -> bool | None:
    return c("<", a.high, b.low) or (c("=", a.high, b.low) and not (a.high_closed and b.low_closed))


def _starts_no_later(a: Range, b: Range, c: Compare) -> bool | None:
    return c("<", a.low, b.low) or (c("=", a.low, b.low) and (a.low_closed or not b.low_closed))


def _ends_no_earlier(a: Range, b: Range, c: Compare) -> bool | None:
    return c(">", a.high, b.high) or (c("=", a.high, b.high) and (a.high_closed or not b.high_closed))


def _same_start(a: Range, b: Range, c: Compare) -> bool | None:
    return c("=", a.low, b.low) and a.low_closed == b.low_closed


def _same_end(a: Range, b: Range, c: Compare) -> bool | None:
    return c("=", a.high, b.high) and a.high_closed == b.high_closed


def _share_a_point(a: Range, b: Range, c: Compare) -> bool:
    return not _before(a, b, c) and not _before(b, a, c)


def _overlaps_before(a: Range, b: Range, c: Compare) -> bool | None:
    return _share_a_point(a, b, c) and not _starts_no_later(b, a, c) and _ends_no_earlier(b, a, c)


def _overlaps_after(a: Range, b: Range, c: Compare) -> bool | None:
    starts_inside = _starts_no_later(b, a, c) and not _starts_no_later(a, b, c)
    return _share_a_point(a, b, c) and starts_inside and _ends_no_earlier(a, b, c)


def _includes(a: Range, b: Range, c: Compare) -> bool | None:
    return _starts_no_later(a, b, c) and _ends_no_earlier(a, b, c)


_relation("before", _before)
_relation("after", lambda a, b, c: _before(b, a, c))
_relation("meets", lambda a, b, c: a.high_closed and b.low_closed and c("=", a.high, b.low))
_relation("met by", lambda a, b, c: b.high_closed and a.low_closed and c("=", b.high, a.low))
_relation("overlaps", _share_a_point)
_relation("overlaps before", _overlaps_before)
_relation("overlaps after", _overlaps_after)
_relation("finishes", lambda a, b, c: _same_end(a, b, c) and _starts_no_later(b, a, c))
_relation("finished by", lambda a, b, c: _same_end(a, b, c) and _starts_no_later(a, b, c))
_relation("includes", _includes)
_relation("during", lambda a, b, c: _includes(b, a, c))
_relation("starts", lambda a, b, c: _same_start(a, b, c) and _ends_no_earlier(b, a, c))
_relation("started by", lambda a, b, c: _same_start(a, b, c) and _ends_no_earlier(a, b, c))
_relation("coincides", lambda a, b, c: _same_start(a, b, c) and _same_end(a, b, c))


@builtin("range", "string", "from")
def _range(run: Run, text: str) -> Range:
    """A range written as text, with literal ends: `[1..10)`, `[date("2026-01-01")..date("2026-12-31")]`."""
    run.charge(_PARSING_STEPS + _PARSING_STEPS * len(text) // 10)
    try:
        node = parse(text)
    except FeelError:
        raise ValueError("不是区间") from None
    if not isinstance(node, nodes.Interval):
        raise ValueError("不是区间")
    low, high = _literal(run, node.low), _literal(run, node.high)
    if low is not None and high is not None and compare(run, "<=", low, high) is None:
        raise ValueError("区间的端点不能比较")
    return Range(low, high, node.low_closed, node.high_closed)


def _literal(run: Run, node: nodes.Node) -> Value:
    """The value of a literal, or of a conversion of literals. Errors: ValueError."""
    if isinstance(node, nodes.Literal):
        return node.value
    if isinstance(node, nodes.Temporal):
        return parse_literal(node.text)
    if isinstance(node, nodes.Call) and isinstance(node.function, nodes.Name) and node.function.name in BUILTINS:
        arguments = [value for name, value in node.arguments if isinstance(value, nodes.Literal)]
        if len(arguments) == len(node.arguments):
            return invoke(run, BUILTINS[node.function.name], [argument.value for argument in arguments])
    raise ValueError("区间的端点不是字面量")
