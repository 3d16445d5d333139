"""Compiles lists, contexts, ranges, paths, functions and calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from webapp.engine.errors import FeelError
from webapp.engine.feel import nodes
from webapp.engine.feel.budget import Run
from webapp.engine.feel.builtins import BUILTINS
from webapp.engine.feel.compiler import Compiler, compiles, constant
from webapp.engine.feel.functions import child_scope, closure, invoke, invoke_named
from webapp.engine.feel.members import member
from webapp.engine.feel.operators import compare
from webapp.engine.feel.values import Code, Env, Function, Range, Value

#: `(> 5)` as a value.
_HALF_OPEN: Final[dict[str, Callable[[Value], Range]]] = {
    "<": lambda value: Range(None, value, False, False),
    "<=": lambda value: Range(None, value, False, True),
    ">": lambda value: Range(value, None, False, False),
    ">=": lambda value: Range(value, None, True, False),
    "=": lambda value: Range(value, value),
}


@compiles(nodes.ListOf)
def _list(compiler: Compiler, node: nodes.ListOf) -> Code:
    items = compiler.all(node.items)

    def make(env: Env, run: Run) -> list[Value]:
        run.charge(len(items))
        return [item(env, run) for item in items]

    return make


@compiles(nodes.ContextOf)
def _context(compiler: Compiler, node: nodes.ContextOf) -> Code:
    entries: list[tuple[str, Code]] = []
    for position, (name, value) in enumerate(node.entries):
        if any(name == earlier for earlier, _ in node.entries[:position]):
            raise FeelError(f"上下文中重复的键“{name}”。")
        # an entry sees those before it, and itself when it is a function
        own = (name,) if isinstance(value, nodes.FunctionOf) else ()
        with compiler.binding(*(earlier for earlier, _ in entries), *own):
            entries.append((name, compiler.compile(value)))

    def make(env: Env, run: Run) -> dict[str, Value]:
        scope, context = child_scope(run, env), {}
        run.charge(len(entries))
        for name, value in entries:
            scope[name] = context[name] = value(scope, run)
        return context

    return make


@compiles(nodes.Interval)
def _interval(compiler: Compiler, node: nodes.Interval) -> Code:
    low_code, high_code = compiler.compile(node.low), compiler.compile(node.high)
    low_closed, high_closed = node.low_closed, node.high_closed

    def make(env: Env, run: Run) -> Range | None:
        low, high = low_code(env, run), high_code(env, run)
        if low is not None and high is not None and compare(run, "<=", low, high) is None:
            return None
        return Range(low, high, low_closed, high_closed)

    made = make({}, Run()) if isinstance(node.low, nodes.Literal) and isinstance(node.high, nodes.Literal) else None
    return constant(made) if made is not None else make


@compiles(nodes.OperatorTest)
def _half_open(compiler: Compiler, node: nodes.OperatorTest) -> Code:
    value, make = compiler.compile(node.value), _HALF_OPEN.get(node.symbol)
    if make is None:
        return lambda env, run: run.null("!= 不能成为区间")
    return lambda env, run: make(value(env, run))


@compiles(nodes.Alternatives)
def _alternatives(compiler: Compiler, node: nodes.Alternatives) -> Code:
    raise FeelError("用逗号分隔的多个条件只能写在 in 之后。")


@compiles(nodes.Path)
def _path(compiler: Compiler, node: nodes.Path) -> Code:
    source, name = compiler.compile(node.source), node.name

    def path(env: Env, run: Run) -> Value:
        value = source(env, run)
        if type(value) is dict and name in value:
            return value[name]
        return member(run, value, name)

    return path


@compiles(nodes.FunctionOf)
def _function(compiler: Compiler, node: nodes.FunctionOf) -> Code:
    names, types = [name for name, _ in node.parameters], [type_name for _, type_name in node.parameters]
    compiler.functions += 1
    with compiler.binding(*names):
        body = compiler.compile(node.body)
    return lambda env, run: closure(names, types, body, env)


@compiles(nodes.Call)
def _call(compiler: Compiler, node: nodes.Call) -> Code:
    function = _callee(compiler, node.function)
    names = [name for name, _ in node.arguments]
    values = compiler.all(value for _, value in node.arguments)
    if not any(names):
        return lambda env, run: invoke(run, function(env, run), [value(env, run) for value in values])
    if not all(names) or len(set(names)) != len(names):
        raise FeelError("按位置与按名称的参数不能混用，名称也不能重复。")
    named = [(name, value) for name, value in zip(names, values, strict=True) if name]
    return lambda env, run: invoke_named(run, function(env, run), {name: value(env, run) for name, value in named})


def _callee(compiler: Compiler, node: nodes.Node) -> Code:
    """What is called. A variable that is named like a built-in does not hide it here, unless it is a function."""
    if not isinstance(node, nodes.Name):
        return compiler.compile(node)
    if node.name not in BUILTINS:
        if not compiler.may_be_function(node.name):
            raise FeelError(f"没有函数“{node.name}”。")
        return compiler.compile(node)
    name, builtin = node.name, BUILTINS[node.name]
    if compiler.is_builtin(name):
        return constant(builtin)
    compiler.mention(name)

    def callee(env: Env, run: Run) -> Value:
        variable = env.get(name)
        return variable if type(variable) is Function else builtin

    return callee
