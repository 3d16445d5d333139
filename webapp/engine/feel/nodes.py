"""The syntax tree of an expression: immutable, built bottom-up while parsing, read by the compiler."""

from __future__ import annotations

from typing import Any, NamedTuple

Node = Any  # one of the classes below; a closed union would only repeat their list


class Literal(NamedTuple):
    """A number, string, boolean or null."""

    value: Any


class Temporal(NamedTuple):
    """`@"2026-11-25"`."""

    text: str


class Name(NamedTuple):
    name: str


class Junction(NamedTuple):
    """`and` (stops at False) or `or` (stops at True); flat, however long."""

    stop: bool
    parts: tuple[Node, ...]


class If(NamedTuple):
    condition: Node
    then: Node
    otherwise: Node


class Comparison(NamedTuple):
    symbol: str
    left: Node
    right: Node


class Between(NamedTuple):
    value: Node
    low: Node
    high: Node


class In(NamedTuple):
    value: Node
    tests: tuple[Node, ...]


class InstanceOf(NamedTuple):
    value: Node
    type_name: str


class Negation(NamedTuple):
    value: Node


class Arithmetic(NamedTuple):
    """A chain from left to right: first, then (symbol, operand) pairs; long sums stay flat."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


class ListOf(NamedTuple):
    items: tuple[Node, ...]


class Interval(NamedTuple):
    low_closed: bool
    low: Node
    high: Node
    high_closed: bool


class OperatorTest(NamedTuple):
    """`> 5` as a unary test, or as a value: a range."""

    symbol: str
    value: Node


class Alternatives(NamedTuple):
    """`(1, > 5)` after `in`."""

    tests: tuple[Node, ...]


class ContextOf(NamedTuple):
    entries: tuple[tuple[str, Node], ...]


class Path(NamedTuple):
    """`source.name`."""

    source: Node
    name: str


class Filter(NamedTuple):
    """`source[condition]`."""

    source: Node
    condition: Node


class Iterator(NamedTuple):
    """`name in source` or `name in source..end`."""

    name: str
    source: Node
    end: Node | None


class For(NamedTuple):
    iterators: tuple[Iterator, ...]
    body: Node


class Quantified(NamedTuple):
    """`some` (wants True) or `every` (wants False)."""

    wanted: bool
    iterators: tuple[Iterator, ...]
    body: Node


class FunctionOf(NamedTuple):
    """`function(a: number, b) body`; a type may be None."""

    parameters: tuple[tuple[str, str | None], ...]
    body: Node


class Call(NamedTuple):
    """Arguments are (name or None, value)."""

    function: Node
    arguments: tuple[tuple[str | None, Node], ...]


class UnaryTestList(NamedTuple):
    """What a cell of a decision table holds."""

    tests: tuple[Node, ...]
    negated: bool
