"""The door: compile an expression or a cell once (cached), evaluate it often, from any thread.

compile_expression("amount > 100").evaluate({"amount": 150}, now=clock.now())  ->  True
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from webapp.engine.errors import FeelError, LimitExceeded
from webapp.engine.feel import loops, structures  # noqa: F401  # they register their nodes
from webapp.engine.feel.budget import DEFAULT_LIMITS, Limits, Run
from webapp.engine.feel.compiler import Compiler
from webapp.engine.feel.grammar import parse
from webapp.engine.feel.names import odd_names
from webapp.engine.feel.unary import Test, compile_tests
from webapp.engine.feel.values import Code, Env, Function, Range, Value, to_feel

_CACHE_SIZE: Final = 4096
_MISSING: Final = object()
_EMPTY_CELL: Final = frozenset({"", "-"})
_TO_CHECK: Final = frozenset({str, list, dict, Range, Function})  # results that need a look inside


class Evaluation(NamedTuple):
    """A result and the warnings that say why something in it became null."""

    value: Value
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: immutable, shared by threads. `names`: the variables that it may read.

    A name inside a filter (`items[price > 3]`) is counted, though it may turn out to be a member of the items.
    """

    source: str
    names: frozenset[str]
    code: Code = field(repr=False)

    def evaluate(self, variables: Mapping[str, Any], *, now: datetime, limits: Limits = DEFAULT_LIMITS) -> Value:
        """The value for these variables; `now`: the instant (timezone-aware) that `now()` and `today()` give.

        A FEEL error (unknown variable, wrong type, division by zero) is None; `run` also gives the warnings.
        Errors: LimitExceeded.
        """
        return self._value(variables, Run(now, limits))

    def run(self, variables: Mapping[str, Any], *, now: datetime, limits: Limits = DEFAULT_LIMITS) -> Evaluation:
        """As `evaluate`, with the warnings."""
        run = Run(now, limits)
        value = self._value(variables, run)
        return Evaluation(value, tuple(run.warnings))

    def _value(self, variables: Mapping[str, Any], run: Run) -> Value:
        try:
            value = self.code(read(variables, self.names, run), run)
            return checked(run, value) if type(value) in _TO_CHECK else value
        except RecursionError:
            raise LimitExceeded("表达式嵌套过深。") from None


@dataclass(frozen=True, slots=True)
class UnaryTests:
    """A compiled cell of a decision table: immutable, shared by threads."""

    source: str
    names: frozenset[str]
    test: Test = field(repr=False)

    def matches(
        self, value: Any, variables: Mapping[str, Any], *, now: datetime, limits: Limits = DEFAULT_LIMITS
    ) -> bool:
        """Whether the value passes. Null (a FEEL error) does not. Errors: LimitExceeded."""
        run = Run(now, limits)
        try:
            return self.test(to_feel(run, value), read(variables, self.names, run), run) is True
        except RecursionError:
            raise LimitExceeded("表达式嵌套过深。") from None


def compile_expression(source: str, *, names: Iterable[str] = ()) -> Expression:
    """Compile an expression; a leading `=` is allowed.

    `names`: the variables in scope, needed only for names with an operator or keyword inside (`net-price`).
    Errors: FeelError, with the position (from 0) in `detail["position"]`.
    """
    return _expression(source, odd_names(names), frozenset())


def compile_unary_tests(source: str, *, names: Iterable[str] = ()) -> UnaryTests:
    """Compile the unary tests of a cell; `-` and an empty cell pass everything. Errors: FeelError."""
    return _unary_tests(source, odd_names(names), frozenset())


def compile_scoped(source: str, names: frozenset[str], members: frozenset[str]) -> Expression:
    """For models that declare all their names: `names` in scope (some may be functions), odd `members` after a dot."""
    return _expression(source, names, odd_names(members))


def compile_scoped_tests(source: str, names: frozenset[str], members: frozenset[str]) -> UnaryTests:
    """As `compile_scoped`, for the unary tests of a cell."""
    return _unary_tests(source, names, odd_names(members))


@lru_cache(maxsize=_CACHE_SIZE)
def _expression(source: str, names: frozenset[str], members: frozenset[str]) -> Expression:
    offset = len(source) - len(source.lstrip())
    text = source
    if source.startswith("=", offset):
        text = " " * (offset + 1) + source[offset + 1 :]  # positions stay those of the source
    compiler = Compiler(names)
    try:
        code = compiler.compile(parse(text, odd_names(names), members))
    except RecursionError:
        raise FeelError("表达式嵌套过深。") from None
    return Expression(source, frozenset(compiler.free), code)


@lru_cache(maxsize=_CACHE_SIZE)
def _unary_tests(source: str, names: frozenset[str], members: frozenset[str]) -> UnaryTests:
    if source.strip() in _EMPTY_CELL:
        return UnaryTests(source, frozenset(), lambda value, env, run: True)
    compiler = Compiler(names)
    try:
        test = compile_tests(compiler, parse(source, odd_names(names), members, unary=True))
    except RecursionError:
        raise FeelError("表达式嵌套过深。") from None
    return UnaryTests(source, frozenset(compiler.free), test)


def read(variables: Mapping[str, Any], names: Iterable[str], run: Run) -> Env:
    """The scope: those of the names that are variables, as FEEL values."""
    env: Env = {}
    for name in names:
        value = variables.get(name, _MISSING)
        if value is not _MISSING:
            env[name] = to_feel(run, value)
    return env


def checked(run: Run, value: Value) -> Value:
    """The result, when it may leave: bounded in values, text and levels, and free of functions (else null).

    A part that occurs twice counts twice: that is what storing it will cost. Errors: LimitExceeded.
    """
    limits, size = run.limits, 0
    pending: list[tuple[Value, int]] = [(value, 0)]
    while pending:
        item, level = pending.pop()
        exact = type(item)
        size += 1 + (len(item) >> 6 if exact is str else 0)
        if size + len(pending) > limits.result or level > limits.nesting:
            raise LimitExceeded(f"结果超过 {limits.result} 个值或 {limits.nesting} 层。")
        if exact is Function:
            return run.null("函数不能作为结果")
        if exact is list:
            pending.extend([(part, level + 1) for part in item])
        elif exact is dict:
            pending.extend([(part, level + 1) for part in item.values()])
        elif exact is Range:
            pending.extend([(item.low, level + 1), (item.high, level + 1)])
    return value
