"""How Python values come in, and how they are told apart."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

import pytest

from webapp.engine.errors import FeelError

from .helpers import feel, feel_run

D = Decimal


class _Kind(StrEnum):
    LARGE = "large"


class _Level(IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, D(3)),
        (0.1, D("0.1")),
        (float("nan"), None),
        (float("inf"), None),
        (D("1.50"), D("1.50")),
        (D("NaN"), None),
        pytest.param(10**7000, None, id="an integer of 7001 digits"),
        (True, True),
        ("x", "x"),
        (None, None),
        (_Kind.LARGE, "large"),
        (_Level.HIGH, D(3)),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ((1, 2), [D(1), D(2)]),
        ({"a": [1, {"b": 2.5}]}, {"a": [D(1), {"b": D("2.5")}]}),
        (date(2026, 1, 1), date(2026, 1, 1)),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_python_values_come_in(value: Any, expected: Any) -> None:
    result = feel("x", {"x": value})
    assert result == expected
    assert type(result) is type(expected)


def test_numbers_are_rounded_to_34_digits_on_entry() -> None:
    assert feel("x", {"x": 12345678901234567890123456789012345678}) == D("12345678901234567890123456789012350000")
    assert feel("x = y", {"x": 12345678901234567890123456789012345678, "y": 12345678901234567890123456789012350000})


@pytest.mark.parametrize("source", ["x = 1", "x + 1", "x < 2", "sum([x, 1])", "list contains([1], x)"])
def test_true_is_not_one(source: str) -> None:
    assert feel(source, {"x": True}) in (None, False)


def test_a_date_and_time_is_not_a_date() -> None:
    values = {"moment": datetime(2026, 1, 1, tzinfo=UTC), "day": date(2026, 1, 1)}
    assert feel("moment = day", values) is None
    assert feel("moment instance of date", values) is False
    assert feel("distinct values([day, day, moment])", values) == [values["day"], values["moment"]]


def test_distinct_values_keep_true_and_one_apart() -> None:
    result = feel('distinct values([1, true, 1.0, "1", null, null, {a: 1}, {a: 1.00}])')
    assert result == [D(1), True, "1", None, {"a": D(1)}]
    assert [type(item) for item in result[:2]] == [D, bool]


def test_an_unknown_type_is_refused_only_when_it_is_used() -> None:
    assert feel("1", {"x": object()}) == D(1)
    with pytest.raises(FeelError, match="object"):
        feel("x", {"x": object()})


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(FeelError):
        feel("x", {"x": loop})


def test_only_the_variables_that_are_read_are_converted() -> None:
    assert feel_run("a", {"a": 1, "b": float("nan")}).warnings == ()
