"""What expressions give: operators, structures, loops, filters, functions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from webapp.engine.feel import Range, compile_expression

from .helpers import NOW, feel, feel_run, passes

D = Decimal


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 + 2 * 3", D(7)),
        ("(1 + 2) * 3", D(9)),
        ("10 - 2 - 3", D(5)),
        ("-2 ** 2", D(4)),  # the sign binds tighter than the power
        ("0.1 + 0.2 = 0.3", True),
        ("1 / 3", D("0.3333333333333333333333333333333333")),  # 34 digits
        ("1 / 0", None),
        ('"a" + "b"', "ab"),
        ('"a" + 1', None),
        ("1 + if true then 2 else 3 + 4", D(3)),
        ("1 + (if false then 2 else 3) + 4", D(8)),
        ("true and if false then true else false", False),
        ("2 * for i in [1] return i", None),
        ("if null then 1 else 2", D(2)),
        ("true and null", None),
        ("false and null", False),
        ("true or null", True),
        ("null or false", None),
        ("1 = true", None),
        ("null = null", True),
        ("1 != 2", True),
        ('"a" < "b"', True),
        ('1 < "b"', None),
        ("5 between 1 and 5", True),
        ("5 in (1, 2, > 4)", True),
        ("5 in [1..5)", False),
        ("5 in ]1..5]", True),
        ("1 in ]1..5]", False),
        ('"b" in ("a", "b")', True),
        ("1 instance of number", True),
        ("[1, 2] instance of list<number>", True),
        ('[1, "a"] instance of list<number>', False),
        ("{a: 1} instance of context<a: number>", True),
        ("null instance of number", False),
    ],
)
def test_operators(source: str, expected: Any) -> None:
    assert feel(source) == expected
    assert type(feel(source)) is type(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("[1, 2, 3][1]", D(1)),
        ("[1, 2, 3][-1]", D(3)),
        ("[1, 2, 3][4]", None),
        ("[1, 2, 3][item >= 2]", [D(2), D(3)]),
        ("[{a: 1}, {a: 2}][a = 2].a", [D(2)]),
        ("[{a: 1}, {b: 2}][b = 2]", [{"b": D(2)}]),
        ("[][1]", None),
        ("{a: 1, b: a + 1}.b", D(2)),
        ('{"x y": 1}.x y', D(1)),
        ("[{a: 1}, {a: 2}].a", [D(1), D(2)]),
        ("for x in [1, 2], y in [10, 20] return x * y", [D(10), D(20), D(20), D(40)]),
        ("for i in 3..1 return i", [D(3), D(2), D(1)]),
        ("for i in [1..3) return i", [D(1), D(2)]),
        ("for i in 1..5 return if i = 1 then 1 else i * partial[-1]", [D(1), D(2), D(6), D(24), D(120)]),
        ("some x in [1, 2] satisfies x > 1", True),
        ("every x in [1, 2] satisfies x > 1", False),
        ("every x in [] satisfies x", True),
        ("[1..5]", Range(D(1), D(5))),
        ("(function(a, b) a - b)(5, 3)", D(2)),
        ("{minus: function(a, b) a - b, r: minus(b: 5, a: 3)}.r", D(-2)),
        ("{f: function(n) if n <= 1 then 1 else n * f(n - 1), r: f(5)}.r", D(120)),
        ("(for x in [1, 2] return function() x)[1]()", D(1)),  # each round keeps its own scope
        ('(function(a: number) a)("x")', None),
    ],
)
def test_structures(source: str, expected: Any) -> None:
    assert feel(source) == expected


def test_an_item_s_entry_hides_a_variable_in_a_filter_and_a_missing_entry_does_not() -> None:
    items = [{"price": 1}, {"name": "b"}]
    assert feel("items[price > limit]", {"items": items, "limit": 0, "price": 5}) == [
        {"price": D(1)},
        {"name": "b"},
    ]
    assert feel("items[price > limit]", {"items": items, "limit": 0}) == [{"price": D(1)}]


def test_comments_and_a_leading_equals_sign() -> None:
    assert feel("= 1 + /* two */ 2 // three") == D(3)


@pytest.mark.parametrize(
    ("cell", "value", "expected"),
    [
        ("-", None, True),
        ("", 5, True),
        ("5", 5, True),
        ("< 5, > 10", 11, True),
        ("< 5, > 10", 7, False),
        ("[1..3]", 3, True),
        ("not(1, 2)", 3, True),
        ("not(1, 2)", 2, False),
        ('"a", "b"', "b", True),
        ("true", True, True),
        ("true", 1, False),  # True == 1 in Python, not in FEEL
        ("1", True, False),
        ("? > limit", 5, True),
        ("limit, 7", 3, True),
        ("< 5", None, False),
        ('date("2026-01-01")', "2026-01-01", False),
    ],
)
def test_unary_tests(cell: str, value: Any, expected: bool) -> None:
    assert passes(cell, value, {"limit": 3}) is expected


def test_free_names_are_those_read_from_outside() -> None:
    source = "for x in items return {a: x.price * rate, b: a + count}.b + count(items[price > floor])"
    assert compile_expression(source).names == {"items", "rate", "count", "price", "floor"}
    assert compile_expression("function(a) a + b").names == {"b"}
    assert compile_expression("5 in (limit, ?)").names == {"limit"}


def test_a_feel_error_is_null_and_says_why() -> None:
    result = feel_run("missing + 1")
    assert result.value is None
    assert any("missing" in warning for warning in result.warnings)


def test_compiled_expressions_are_shared() -> None:
    assert compile_expression("a + 1") is compile_expression("a + 1")


def test_a_function_is_no_result() -> None:
    assert feel("function(a) a") is None
    assert feel("[count]") is None


def test_evaluation_does_not_change_the_variables() -> None:
    variables: dict[str, Any] = {"xs": [1, 2], "c": {"a": 1}}
    expression = compile_expression('concatenate(append(xs, 3), [context put(c, "b", 2)], sort(xs))')
    expression.evaluate(variables, now=NOW)
    assert variables == {"xs": [1, 2], "c": {"a": 1}}
