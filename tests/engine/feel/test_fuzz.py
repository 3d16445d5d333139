"""Random expressions under small budgets: the only error is a FeelError, and every result is a FEEL value in bounds."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.engine.feel import FeelError, Limits, Range, YearsMonths, compile_expression, compile_unary_tests
from webapp.engine.feel.builtins import BUILTINS

from .helpers import NOW

LIMITS = Limits(steps=2_000, items=200, text=2_000, depth=8, result=500, nesting=20, exponent=100)
VARIABLES: dict[str, Any] = {
    "a": 3,
    "b": -0.5,
    "s": "办理 text",
    "t": True,
    "xs": [1, 2, None, "x"],
    "c": {"a": 1, "item": [{"a": 2}]},
    "d": date(2026, 11, 25),
    "net-price": Decimal("1e30"),
}
SCALARS = (Decimal, str, bool, type(None), date, datetime, time, timedelta, YearsMonths)

_LITERALS = st.one_of(
    st.sampled_from(["0", "1", "-2", "1.5", "1e300", '"abc"', '"(a*)"', "true", "null", "[]", "{}", "1..5", "?"]),
    st.sampled_from(['@"2026-11-25T08:00:00@Asia/Shanghai"', '@"23:59:59.999Z"', '@"P1Y"', '@"-PT25H"']),
    st.sampled_from(['@"2026-02-28"', "item", "partial", *VARIABLES]),
)


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def form(pattern: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.tuples(*parts).map(lambda filled: pattern.format(*filled))

    operators = st.sampled_from(["+", "-", "*", "/", "**", "=", "!=", "<", ">=", "and", "or", "in"])
    names = st.sampled_from(sorted(BUILTINS))
    return st.one_of(
        form("({} {} {})", inner, operators, inner),
        form("{}({})", names, inner),
        form("{}({}, {})", names, inner, inner),
        form("{}({}, {}, {})", names, inner, inner, inner),
        form("[{}, {}]", inner, inner),
        form("[{}..{})", inner, inner),
        form("{}[{}]", inner, inner),
        form("({}).a", inner),
        form("{{a: {}, b: {}}}", inner, inner),
        form("(if {} then {} else {})", inner, inner, inner),
        form("(for i in {} return {})", inner, inner),
        form("(for i in {}..{}, j in xs return {})", inner, inner, inner),
        form("(some i in {} satisfies {})", inner, inner),
        form("(function(a, b) {})({}, {})", inner, inner, inner),
        form("sort({}, function(a, b) {})", inner, inner),
        form("list replace({}, function(a, b) {}, {})", inner, inner, inner),
        form("({} between {} and {})", inner, inner, inner),
        form("({} in (< {}, {}))", inner, inner, inner),
        form("({} instance of list<number>)", inner),
        form("{{f: function(n) f({}), r: f({})}}.r", inner, inner),
        form("-{}", inner),
    )


EXPRESSIONS = st.recursive(_LITERALS, _compound, max_leaves=12)
WORDS = (
    "if then else for in return some every satisfies function and or not null true between instance of a b 金额 "
    r'date time ( ) [ ] { } , : . .. ? + - * ** / < <= = != "x" @"P1D" 1 .5 1e9 // /* */ " \ ＋ $ #'
)
SOUP = st.lists(st.sampled_from(WORDS.split()), max_size=25).map(" ".join)


def _in_bounds(value: Any, level: int = 0) -> bool:
    if type(value) is list:
        return level < 25 and all(_in_bounds(item, level + 1) for item in value)
    if type(value) is dict:
        return level < 25 and all(type(k) is str and _in_bounds(v, level + 1) for k, v in value.items())
    if type(value) is Range:
        return _in_bounds(value.low, level + 1) and _in_bounds(value.high, level + 1)
    return type(value) in SCALARS and (type(value) is not Decimal or value.is_finite())


def _compiled_or_refused(compile_it: Callable[[str], Any], source: str) -> bool:
    """Whether the source compiles, or is refused with a sentence; any other error goes through."""
    try:
        return compile_it(source) is not None
    except FeelError as error:
        return bool(str(error))


@settings(max_examples=600, deadline=None, derandomize=True, database=None)
@given(EXPRESSIONS)
def test_any_expression_gives_a_bounded_value_or_a_feel_error(source: str) -> None:
    try:
        expression = compile_expression(source, names=VARIABLES)
        result = expression.run(VARIABLES, now=NOW, limits=LIMITS)
    except FeelError:
        return
    assert _in_bounds(result.value)
    assert result == expression.run(VARIABLES, now=NOW, limits=LIMITS)  # nothing is kept between evaluations


@settings(max_examples=600, deadline=None, derandomize=True, database=None)
@given(SOUP)
def test_any_words_are_an_expression_or_refused_with_a_sentence(source: str) -> None:
    assert all(_compiled_or_refused(compile_it, source) for compile_it in (compile_expression, compile_unary_tests))


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_refused(source: str) -> None:
    assert _compiled_or_refused(compile_expression, source)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.one_of(st.integers(), st.decimals(), st.floats(), st.booleans(), st.text(), st.dates(), st.datetimes()))
def test_any_variable_equals_itself_and_can_be_written(value: Any) -> None:
    scope = {"x": value}
    assert compile_expression("x = x").evaluate(scope, now=NOW) is True
    assert type(compile_expression("string([x])").evaluate(scope, now=NOW)) is str


def test_threads_share_one_expression() -> None:
    expression = compile_expression("sum(for i in 1..n return if even(i) then i else 0) + count(xs[item > n])")

    def total(n: int) -> Any:
        return expression.evaluate({"n": n, "xs": [1, 100]}, now=NOW)

    alone = [total(n) for n in range(1, 60)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(total, list(range(1, 60)) * 10)) == alone * 10
