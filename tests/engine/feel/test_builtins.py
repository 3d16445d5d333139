"""The built-in functions, by theme."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from webapp.engine.feel.builtins import BUILTINS

from .helpers import feel, feel_run

D = Decimal

STRINGS = [
    ('substring("foobar", 3)', "obar"),
    ('substring("foobar", -2, 1)', "a"),
    ('substring("办理事项", 2, 2)', "理事"),
    ('substring("abc", 0)', None),
    ('string length("𠮷野家")', D(3)),
    ('upper case("aB")', "AB"),
    ('lower case("aB")', "ab"),
    ('substring before("foobar", "bar")', "foo"),
    ('substring after("foobar", "ob")', "ar"),
    ('contains("foobar", "of")', False),
    ('starts with("foobar", "fo")', True),
    ('ends with("foobar", "r")', True),
    ('trim("  a ")', "a"),
    ('string join(["a", null, "b"], "-")', "a-b"),
    ('string join("a", "b")', "a"),
    ('split("John Doe", "\\\\s")', ["John", "Doe"]),
    ('split("a.b.c", ".")', ["", "", "", "", "", ""]),
    ('split("a,b,,c", ",")', ["a", "b", "", "c"]),
    ('matches("foobar", "^fo*bar$")', True),
    ('matches("FOO", "foo", "i")', True),
    ('matches("a\\nb", "a.b", "s")', True),
    ('matches("abc", "a b c", "x")', True),
    ('matches("x", "(")', None),
    ('matches("aa", "(a)\\\\1")', None),
    ('replace("abcd", "(ab)|(a)", "[1=$1][2=$2]")', "[1=ab][2=]cd"),
    ('replace("a.b", "\\\\.", "\\\\$")', "a$b"),
    ('replace("办理事项", "[理事]", "*")', "办**项"),
    ("string(1.0)", "1"),
    ("string(1.50)", "1.5"),
    ("string(1e3)", "1000"),
    ('string([1, "a", {b: null}])', '[1, "a", {b: null}]'),
    ("string([1..2))", "[1..2)"),
    ('number("1 000,5", " ", ",")', D("1000.5")),
    ('number("1e400000")', None),
    ('number("x")', None),
]
LISTS = [
    ("list contains([1, null], null)", True),
    ("count(5)", D(1)),
    ("min(3, 1, 2)", D(1)),
    ('max(["a", "b"])', "b"),
    ('min([1, "a"])', None),
    ("min([])", None),
    ("sum([1, 2, 3])", D(6)),
    ("sum([])", None),
    ('sum(["a"])', None),
    ('sum([@"P1D", @"PT12H"]) = @"PT36H"', True),
    ("mean(1, 2, 3, 4)", D("2.5")),
    ("median([8, 2, 5, 3])", D(4)),
    ("stddev(2, 4, 7, 5)", D("2.081665999466132735282297706979931")),
    ("mode([6, 3, 9, 6, 6, 3, 3])", [D(3), D(6)]),
    ("mode([])", []),
    ("product([2, 3, 4])", D(24)),
    ("all([true, null, false])", False),
    ("all([true, null])", None),
    ("any([])", False),
    ("sublist([1, 2, 3], -2)", [D(2), D(3)]),
    ("sublist([1, 2, 3], 1, 9)", None),
    ("append([1], 2, 3)", [D(1), D(2), D(3)]),
    ("concatenate([1], 2, [3])", [D(1), D(2), D(3)]),
    ("insert before([1, 3], 2, 2)", [D(1), D(2), D(3)]),
    ("remove([1, 2, 3], 2)", [D(1), D(3)]),
    ("list replace([1, 2], 2, 9)", [D(1), D(9)]),
    ("list replace([1, 2, 3], function(item, new) item < new, 2)", [D(2), D(2), D(3)]),
    ("reverse([1, 2])", [D(2), D(1)]),
    ("index of([1, 2, 1], 1)", [D(1), D(3)]),
    ("union([1, 2], [2, 3])", [D(1), D(2), D(3)]),
    ("flatten([[1, [2]], 3])", [D(1), D(2), D(3)]),
    ("sort([3, 1, 2])", [D(1), D(2), D(3)]),
    ("sort([3, 1, 2], function(x, y) x > y)", [D(3), D(2), D(1)]),
    ("sort(list: [2, 1], precedes: function(x, y) x < y)", [D(1), D(2)]),
]
NUMBERS = [
    ("decimal(1.115, 2)", D("1.12")),
    ("decimal(2.5, 0)", D(2)),
    ("floor(-1.5)", D(-2)),
    ("ceiling(1.55, 1)", D("1.6")),
    ("round up(-5.5, 0)", D(-6)),
    ("round down(5.5, 0)", D(5)),
    ("round half up(-2.5, 0)", D(-3)),
    ("round half down(2.5, 0)", D(2)),
    ("abs(-1)", D(1)),
    ("modulo(-12, 5)", D(3)),
    ("modulo(12, -5)", D(-3)),
    ("modulo(1, 0)", None),
    ("sqrt(16)", D(4)),
    ("sqrt(-1)", None),
    ("log(0)", None),
    ("exp(0)", D(1)),
    ("odd(5)", True),
    ("even(2.5)", False),
    ("odd(-3)", True),
]
CONTEXTS = [
    ('get value({a: {b: 1}}, ["a", "b"])', D(1)),
    ('get value({a: 1}, "c")', None),
    ("get entries({a: 1})", [{"key": "a", "value": D(1)}]),
    ('context([{key: "a", value: 1}])', {"a": D(1)}),
    ('context([{key: "a", value: 1}, {key: "a", value: 2}])', None),
    ('context put({a: {b: 1}, c: 2}, ["a", "b"], 9)', {"a": {"b": D(9)}, "c": D(2)}),
    ("context merge([{a: 1}, {a: 2, b: 3}])", {"a": D(2), "b": D(3)}),
]
RANGES = [
    ("before([1..5), 5)", True),
    ("after(6, [1..5])", True),
    ("meets([1..5], [5..9])", True),
    ("overlaps([1..5], [5..9])", True),
    ("overlaps([1..5), [5..9])", False),
    ("overlaps before([1..5], [3..9])", True),
    ("overlaps after([3..9], [1..5])", True),
    ("finishes(5, [1..5])", True),
    ("includes([1..5], 3)", True),
    ("during([2..3], [1..5])", True),
    ("starts([1..3], [1..5])", True),
    ("coincides([1..3], [1..3])", True),
    ('5 in range("[1..10)")', True),
    ('range("[x..10)")', None),
    ("[1..10).start included", True),
]


@pytest.mark.parametrize(("source", "expected"), [*STRINGS, *LISTS, *NUMBERS, *CONTEXTS, *RANGES])
def test_builtin(source: str, expected: Any) -> None:
    result = feel_run(source)
    assert result.value == expected
    assert type(result.value) is type(expected)


@pytest.mark.parametrize("name", sorted(BUILTINS))
def test_no_builtin_raises_on_values_of_the_wrong_type(name: str) -> None:
    """Whatever stands in for the arguments, the answer is a value or null with a warning."""
    values = ["null", "1.5", '"text"', "true", '[1, null, "a"]', "{a: 1}", "[1..2]", '@"2026-01-01"', "count"]
    for first in values:
        for second in (None, *values):
            for more in ("", ", 1", ", 1, 1"):
                feel(f"{name}({first}{f', {second}' if second else ''}{more})")


def test_a_wrong_number_of_arguments_is_null() -> None:
    assert feel("upper case()") is None
    assert feel('upper case("a", "b")') is None
    assert feel('upper case(word: "a")') is None
