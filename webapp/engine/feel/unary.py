"""Compiles unary tests: what stands in the cells of decision tables and after `in`.

A test is `test(value, env, run)` and gives True, False or null. (DMN 1.3, 7.3.5 and table 55)
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from webapp.engine.feel import nodes
from webapp.engine.feel.budget import Run
from webapp.engine.feel.compiler import Compiler, compiles
from webapp.engine.feel.functions import child_scope
from webapp.engine.feel.operators import compare, contains, equal
from webapp.engine.feel.values import Code, Env, Range, Value, kind

Test = Callable[[Value, Env, Run], bool | None]


def compile_tests(compiler: Compiler, node: nodes.UnaryTestList) -> Test:
    """The test of a whole cell."""
    test = _any_of(compiler, node.tests)
    if not node.negated:
        return test

    def negated(value: Value, env: Env, run: Run) -> bool | None:
        result = test(value, env, run)
        return None if result is None else not result

    return negated


@compiles(nodes.In)
def _in(compiler: Compiler, node: nodes.In) -> Code:
    value, test = compiler.compile(node.value), _any_of(compiler, node.tests)
    return lambda env, run: test(value(env, run), env, run)


def _any_of(compiler: Compiler, tests: tuple[nodes.Node, ...]) -> Test:
    if all(isinstance(test, nodes.Literal) and type(test.value) is str for test in tests):
        return _one_of_words(frozenset(test.value for test in tests))
    compiled = [_test(compiler, test) for test in tests]
    if len(compiled) == 1:
        return compiled[0]

    def any_of(value: Value, env: Env, run: Run) -> bool | None:
        result: bool | None = False
        for test in compiled:
            matched = test(value, env, run)
            if matched is True:
                return True
            if matched is None:
                result = None
        return result

    return any_of


def _one_of_words(words: frozenset[str]) -> Test:
    def one_of(value: Value, env: Env, run: Run) -> bool | None:
        if type(value) is str:
            return value in words
        return False if value is None else run.null(f"无法比较 {kind(value)} 与 string")

    return one_of


def _test(compiler: Compiler, node: nodes.Node) -> Test:
    if isinstance(node, nodes.OperatorTest):
        symbol, operand = node.symbol, compiler.compile(node.value)
        return lambda value, env, run: compare(run, symbol, value, operand(env, run))
    if isinstance(node, nodes.Interval) and _is_number(node.low) and _is_number(node.high):
        interval = Range(node.low.value, node.high.value, node.low_closed, node.high_closed)
        return lambda value, env, run: contains(run, interval, value)
    if isinstance(node, nodes.Literal):
        constant = node.value
        return lambda value, env, run: equal(run, value, constant)
    with compiler.binding("?") as seen:
        expression = compiler.compile(node)
    if "?" not in seen:
        return lambda value, env, run: _matches(run, value, expression(env, run), asked=False)

    def asking(value: Value, env: Env, run: Run) -> bool | None:
        scope = child_scope(run, env)
        scope["?"] = value
        return _matches(run, value, expression(scope, run), asked=True)

    return asking


def _is_number(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Literal) and type(node.value) is Decimal


def _matches(run: Run, value: Value, result: Value, *, asked: bool) -> bool | None:
    """What the value of a test expression means for the tested value. `asked`: the expression mentions `?`."""
    exact = type(result)
    if exact is bool and (asked or type(value) is not bool):
        return bool(result)
    if exact is Range and type(value) is not Range:
        return contains(run, result, value)
    if exact is not list:
        return equal(run, value, result)
    run.items(len(result))
    for item in result:
        in_range = type(item) is Range and type(value) is not Range
        if (contains(run, item, value) if in_range else equal(run, value, item)) is True:
            return True
    return type(value) is list and equal(run, value, result) is True
