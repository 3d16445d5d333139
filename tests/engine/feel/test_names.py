"""Names: Chinese, with spaces, with operators inside, and like built-in functions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from .helpers import feel

D = Decimal


@pytest.mark.parametrize(
    ("source", "variables", "expected"),
    [
        ("Monthly Salary * 12", {"Monthly Salary": 10}, D(120)),
        ("Monthly   Salary * 12", {"Monthly Salary": 10}, D(120)),
        ('投诉次数 >= 3 and 处理结果 = "整改"', {"投诉次数": 3, "处理结果": "整改"}, True),
        ("申请 日期 + 1", {"申请 日期": 1}, D(2)),
        ("net-price * 2", {"net-price": 4, "net": 100, "price": 1}, D(8)),
        ("net-price * 2", {"net": 4, "price": 1}, D(2)),
        ("in stock + 1", {"in stock": 4}, D(5)),
        ("{a-b: 2, c: a-b * 2}.c", {}, D(4)),
        ("for each item in [1, 2] return each item + 1", {}, [D(2), D(3)]),
        ("count + 1", {"count": 4}, D(5)),
        ("count(xs) + count", {"count": 4, "xs": [1, 2]}, D(6)),
        ("date and time + 1", {"date and time": 4}, D(5)),
        ('string(date and time("2026-01-01T00:00:00"))', {"date and time": 4}, "2026-01-01T00:00:00"),
        ("date.year", {"date": {"year": 7}}, D(7)),
        ("today = 3", {"today": 3}, True),
        ("every one", {"every one": 1}, D(1)),
    ],
)
def test_names(source: str, variables: dict[str, Any], expected: Any) -> None:
    assert feel(source, variables) == expected
