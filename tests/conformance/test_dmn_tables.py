"""Decision tables: every hit policy of DMN 1.3, section 8.2.8, and every aggregation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from webapp.engine.decisions import DecisionFailed, parse_dmn
from webapp.engine.feel import LimitExceeded, Limits

from .models import NAMESPACE, NOW, decision, definitions, only, rows, table

D = Decimal

#: Rules 1 and 2 overlap from 10 to 20, rules 2 and 3 from 30 on.
OVERLAPPING = [("< 20", '"low"', "1"), (">= 10", '"middle"', "2"), (">= 30", '"high"', "4")]
SAME = [("< 20", '"yes"'), (">= 10", '"yes"'), (">= 30", '"no"')]
VALUES = {"level": '"high", "middle", "low"'}


def _table(policy: str, **options: Any) -> Any:
    return only(decision(table(["x"], ["level", "points"], OVERLAPPING, policy=policy, **options)))


def test_unique_gives_the_only_match_and_nothing_without_one() -> None:
    unique = _table("UNIQUE")
    assert rows(unique, x=5) == [{"level": "low", "points": D(1)}]
    assert rows(unique, x="text") == []


def test_unique_is_checked() -> None:
    with pytest.raises(DecisionFailed, match="规则 1、2 同时匹配"):
        rows(_table("UNIQUE"), x=15)


def test_any_allows_equal_outputs_and_is_checked() -> None:
    same = only(decision(table(["x"], ["answer"], SAME, policy="ANY")))
    assert rows(same, x=15) == [{"answer": "yes"}]
    with pytest.raises(DecisionFailed, match="ANY"):
        rows(same, x=30)


def test_any_tells_true_from_one() -> None:
    mixed = only(decision(table(["x"], ["answer"], [("-", "true"), ("-", "1")], policy="ANY")))
    with pytest.raises(DecisionFailed):
        rows(mixed, x=1)


def test_first_takes_the_first_match() -> None:
    assert rows(_table("FIRST"), x=15) == [{"level": "low", "points": D(1)}]
    assert rows(_table("FIRST"), x=35) == [{"level": "middle", "points": D(2)}]


def test_priority_takes_the_output_that_is_listed_first() -> None:
    assert rows(_table("PRIORITY", values=VALUES), x=15) == [{"level": "middle", "points": D(2)}]
    assert rows(_table("PRIORITY", values=VALUES), x=35) == [{"level": "high", "points": D(4)}]


def test_rule_order_and_output_order_give_all_matches_in_order() -> None:
    assert [row["level"] for row in rows(_table("RULE ORDER"), x=35)] == ["middle", "high"]
    assert [row["level"] for row in rows(_table("OUTPUT ORDER", values=VALUES), x=35)] == ["high", "middle"]
    assert rows(_table("RULE ORDER"), x="text") == []


def test_output_order_goes_by_the_outputs_from_left_to_right() -> None:
    rules = [("-", '"b"', "2"), ("-", '"a"', "1"), ("-", '"b"', "1"), ("-", '"a"', "2")]
    ordered = only(
        decision(table(["x"], ["k", "n"], rules, policy="OUTPUT ORDER", values={"k": '"a", "b"', "n": "2, 1"}))
    )
    assert [(row["k"], row["n"]) for row in rows(ordered, x=1)] == [("a", 2), ("a", 1), ("b", 2), ("b", 1)]


def test_collect_gives_all_matches() -> None:
    assert rows(_table("COLLECT"), x=15) == [{"level": "low", "points": D(1)}, {"level": "middle", "points": D(2)}]


@pytest.mark.parametrize(
    ("aggregation", "matched", "unmatched"),
    [("SUM", D(6), []), ("MIN", D(2), []), ("MAX", D(4), []), ("COUNT", D(2), [{"points": D(0)}])],
)
def test_collect_aggregates(aggregation: str, matched: Decimal, unmatched: list[Any]) -> None:
    rules = [(condition, points) for condition, _, points in OVERLAPPING]
    collected = only(decision(table(["x"], ["points"], rules, policy="COLLECT", aggregation=aggregation)))
    assert rows(collected, x=35) == [{"points": matched}]
    assert rows(collected, x="text") == unmatched


@pytest.mark.parametrize("policy", ["UNIQUE", "FIRST", "ANY", "COLLECT", "RULE ORDER"])
def test_defaults_apply_when_nothing_matches(policy: str) -> None:
    with_default = _table(policy, defaults={"level": '"none"'})
    assert rows(with_default, x="text") == [{"level": "none", "points": None}]


def test_an_input_outside_the_allowed_values_fails() -> None:
    checked = only(decision(table(["kind"], ["n"], [("-", "1")], allowed={"kind": '"大型", "小型"'})))
    assert rows(checked, kind="大型") == [{"n": D(1)}]
    with pytest.raises(DecisionFailed, match="kind"):
        rows(checked, kind="中型")


def test_cells_are_expressions_over_all_variables() -> None:
    priced = only(
        decision(table(["amount", "vip"], ["price"], [("> limit", "true", "amount * rate"), ("?<limit", "-", "0")]))
    )
    assert rows(priced, amount=200, limit=100, rate=D("0.9"), vip=True) == [{"price": D("180.0")}]
    assert rows(priced, amount=50, limit=100, vip=None) == [{"price": D(0)}]
    assert priced.names == {"amount", "limit", "rate", "vip"}


def test_several_inputs_must_all_match() -> None:
    rules = [("< 10", '"a"', "1"), ("< 10", '"b", "c"', "2"), (">= 10", '"a"', "3"), (">= 10", 'not("a")', "4")]
    grid = only(decision(table(["x", "k"], ["n"], rules)))
    found = {(x, k): rows(grid, x=x, k=k)[0]["n"] for x in (1, 10) for k in "ac"}
    assert found == {(1, "a"): 1, (1, "c"): 2, (10, "a"): 3, (10, "c"): 4}


def test_today_is_the_instant_that_was_given() -> None:
    due = only(decision(table(["due"], ["late"], [("< today()", "true"), (">= today()", "false")])))
    assert rows(due, due=NOW.date()) == [{"late": True}]  # the 24th; in Beijing it is the 25th


def test_a_large_table_asks_each_question_once() -> None:
    rules = [(f"[{n * 10}..{n * 10 + 10})", f"{n}") for n in range(1000)]
    large = only(decision(table(["x"], ["n"], rules)))
    assert rows(large, x=5005) == [{"n": D(500)}]
    with pytest.raises(LimitExceeded):
        large.evaluate({"x": 1}, now=NOW, limits=Limits(steps=500))


@pytest.mark.parametrize(
    "namespace",
    [
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        NAMESPACE,
        "https://www.omg.org/spec/DMN/20211108/MODEL/",
        "https://www.omg.org/spec/DMN/20230324/MODEL/",
    ],
)
def test_all_versions_of_the_format_are_read(namespace: str) -> None:
    (found,) = parse_dmn(definitions(decision(table(["x"], ["n"], [("1", "2")])), namespace=namespace))
    assert rows(found, x=1) == [{"n": D(2)}]
