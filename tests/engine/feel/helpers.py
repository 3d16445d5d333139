"""Evaluating at one fixed instant: 2026-11-25 01:00 in Beijing, still the 24th in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from webapp.engine.feel import Evaluation, Limits, compile_expression, compile_unary_tests

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)


def feel(source: str, variables: Mapping[str, Any] | None = None) -> Any:
    """The value of an expression; the variables' names are declared."""
    scope = variables or {}
    return compile_expression(source, names=scope).evaluate(scope, now=NOW)


def feel_run(source: str, variables: Mapping[str, Any] | None = None, limits: Limits | None = None) -> Evaluation:
    """The value with its warnings."""
    scope = variables or {}
    return compile_expression(source, names=scope).run(scope, now=NOW, limits=limits or Limits())


def passes(cell: str, value: Any, variables: Mapping[str, Any] | None = None) -> bool:
    """Whether a value passes the unary tests of a cell."""
    return compile_unary_tests(cell).matches(value, variables or {}, now=NOW)
