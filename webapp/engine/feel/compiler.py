"""Compiles the syntax tree to Python closures `code(env, run)`: names, logic, comparison and arithmetic.

A compiled closure holds no state: threads share it. `env` is a plain dict per scope. Other kinds of nodes register
themselves with `compiles` in `structures`, `loops` and `unary`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Final, TypeVar

from webapp.engine.errors import FeelError
from webapp.engine.feel import nodes
from webapp.engine.feel.budget import Run
from webapp.engine.feel.builtins import BUILTINS
from webapp.engine.feel.functions import is_instance
from webapp.engine.feel.nodes import Node
from webapp.engine.feel.operators import DECIMAL, ORDER, arithmetic, both, compare, describe, negate
from webapp.engine.feel.temporal import parse_literal
from webapp.engine.feel.values import Code, Env, Value

MAX_DEPTH: Final = 120
_F = TypeVar("_F", bound=Callable[..., Code])
_MISSING: Final = object()
_COMPILERS: Final[dict[type, Callable[..., Code]]] = {}


def compiles(node: type) -> Callable[[_F], _F]:
    """Register how one kind of node is compiled."""

    def register(function: _F) -> _F:
        _COMPILERS[node] = function
        return function

    return register


class Compiler:
    """Compiles one expression; afterwards `free` holds the names that it reads from outside."""

    def __init__(self, declared: Iterable[str] = ()) -> None:
        self.free: set[str] = set()
        self.functions = 0  # function values met so far: they keep their scope alive
        self._declared = frozenset(declared)  # names known to be variables, even when they are called like a built-in
        self._bound: list[frozenset[str]] = []
        self._seen: list[set[str]] = []
        self._depth = 0

    def compile(self, node: Node) -> Code:
        """The closure of a node. Errors: FeelError."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FeelError(f"表达式嵌套超过 {MAX_DEPTH} 层。")
        try:
            return _COMPILERS[type(node)](self, node)
        finally:
            self._depth -= 1

    def all(self, parts: Iterable[Node]) -> list[Code]:
        return [self.compile(part) for part in parts]

    @contextmanager
    def binding(self, *names: str) -> Iterator[set[str]]:
        """Compile with these names bound; gives the set of all names that the inner code mentions."""
        seen: set[str] = set()
        self._seen.append(seen)
        self._bound.append(frozenset(names))
        try:
            yield seen
        finally:
            self._bound.pop()
            self._seen.pop()

    def mention(self, name: str) -> None:
        """The code reads this name."""
        for seen in self._seen:
            seen.add(name)
        if not self._is_bound(name):
            self.free.add(name)

    def is_builtin(self, name: str) -> bool:
        """Whether a call of this name can only mean the built-in function."""
        return name in BUILTINS and name not in self._declared and not self._is_bound(name)

    def may_be_function(self, name: str) -> bool:
        """Whether the name may stand for a function of the model: process variables are never functions."""
        return name in self._declared or self._is_bound(name)

    def _is_bound(self, name: str) -> bool:
        return any(name in names for names in self._bound)


# ---- leaves ------------------------------------------------------------------------------------------------------


def constant(value: Value) -> Code:
    return lambda env, run: value


@compiles(nodes.Literal)
def _literal(compiler: Compiler, node: nodes.Literal) -> Code:
    return constant(node.value)


@compiles(nodes.Temporal)
def _temporal(compiler: Compiler, node: nodes.Temporal) -> Code:
    try:
        return constant(parse_literal(node.text))
    except ValueError as error:
        warning = str(error)
        return lambda env, run: run.null(warning)


@compiles(nodes.Name)
def _name(compiler: Compiler, node: nodes.Name) -> Code:
    name = node.name
    compiler.mention(name)
    fallback = BUILTINS.get(name)

    def read(env: Env, run: Run) -> Value:
        value = env.get(name, _MISSING)
        if value is not _MISSING:
            return value
        return fallback if fallback is not None else run.null(f"没有变量 {name}")

    return read


# ---- logic -------------------------------------------------------------------------------------------------------


@compiles(nodes.Junction)
def _junction(compiler: Compiler, node: nodes.Junction) -> Code:
    parts = compiler.all(node.parts)
    stop = node.stop
    go_on = not stop

    def junction(env: Env, run: Run) -> bool | None:
        result: bool | None = go_on
        for part in parts:
            value: object = part(env, run)
            if value is stop:
                return stop
            if value is not go_on:
                result = None
        return result

    return junction


@compiles(nodes.If)
def _if(compiler: Compiler, node: nodes.If) -> Code:
    condition, then, otherwise = compiler.all((node.condition, node.then, node.otherwise))
    return lambda env, run: then(env, run) if condition(env, run) is True else otherwise(env, run)


@compiles(nodes.Comparison)
def _comparison(compiler: Compiler, node: nodes.Comparison) -> Code:
    left, right, symbol = compiler.compile(node.left), compiler.compile(node.right), node.symbol
    order = ORDER.get(symbol)
    if order is None:
        return lambda env, run: compare(run, symbol, left(env, run), right(env, run))

    def ordered(env: Env, run: Run) -> bool | None:
        a, b = left(env, run), right(env, run)
        if type(a) is Decimal and type(b) is Decimal:
            return order(a, b)
        return compare(run, symbol, a, b)

    return ordered


@compiles(nodes.Between)
def _between(compiler: Compiler, node: nodes.Between) -> Code:
    value, low, high = compiler.all((node.value, node.low, node.high))

    def between(env: Env, run: Run) -> bool | None:
        tested = value(env, run)
        return both(compare(run, ">=", tested, low(env, run)), compare(run, "<=", tested, high(env, run)))

    return between


@compiles(nodes.InstanceOf)
def _instance_of(compiler: Compiler, node: nodes.InstanceOf) -> Code:
    value, type_name = compiler.compile(node.value), node.type_name
    return lambda env, run: is_instance(run, value(env, run), type_name)


# ---- arithmetic --------------------------------------------------------------------------------------------------


@compiles(nodes.Negation)
def _negation(compiler: Compiler, node: nodes.Negation) -> Code:
    value = compiler.compile(node.value)
    return lambda env, run: negate(run, value(env, run))


@compiles(nodes.Arithmetic)
def _arithmetic(compiler: Compiler, node: nodes.Arithmetic) -> Code:
    first = compiler.compile(node.first)
    rest = [(symbol, compiler.compile(operand)) for symbol, operand in node.rest]
    if len(rest) == 1 and rest[0][0] in DECIMAL:
        return _single(first, *rest[0])

    def chain(env: Env, run: Run) -> Value:
        value = first(env, run)
        for symbol, operand in rest:
            value = arithmetic(run, symbol, value, operand(env, run))
        return value

    return chain


def _single(first: Code, symbol: str, second: Code) -> Code:
    """One operation, most often on two numbers."""
    operation = DECIMAL[symbol]

    def single(env: Env, run: Run) -> Value:
        a, b = first(env, run), second(env, run)
        if type(a) is Decimal and type(b) is Decimal:
            try:
                return operation(a, b)
            except ArithmeticError as error:
                return run.null("除数为零" if isinstance(error, ZeroDivisionError) else describe(error))
        return arithmetic(run, symbol, a, b)

    return single
