"""Compiles `for`, `some`, `every` and filters: everything that walks a list. Each round is charged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from webapp.engine.errors import LimitExceeded
from webapp.engine.feel import nodes
from webapp.engine.feel.budget import Run
from webapp.engine.feel.compiler import Compiler, compiles
from webapp.engine.feel.functions import child_scope
from webapp.engine.feel.values import Code, Env, Range, Value, kind

_MAX_WHOLE: Final = 10**15
#: Takes each round's value; True ends the loop.
Emit = Callable[[Value], bool]
#: Walks; True when ended early, None when a source cannot be walked.
Walk = Callable[[Env, Run, Emit], bool | None]


def span(run: Run, interval: Range) -> Iterable[Value] | None:
    """The whole numbers or days of a range, lazily, downwards when it ends below its start; null for other ranges."""
    low, high = interval.low, interval.high
    if type(low) is Decimal and type(high) is Decimal:
        if low != low.to_integral_value() or high != high.to_integral_value():
            return run.null("区间的端点不是整数")
        if max(abs(low), abs(high)) > _MAX_WHOLE:
            raise LimitExceeded("区间过大。")
        return map(Decimal, _steps(interval, int(low), int(high)))
    if type(low) is date and type(high) is date:
        return map(date.fromordinal, _steps(interval, low.toordinal(), high.toordinal()))
    return run.null(f"不能从 {kind(low)} 遍历到 {kind(high)}")


def _steps(interval: Range, low: int, high: int) -> range:
    step = 1 if low <= high else -1
    start = low if interval.low_closed else low + step
    return range(start, high + step if interval.high_closed else high, step)


def as_list(run: Run, value: Value) -> list[Value]:
    """A list itself, the members of a range, or the value as a list of one."""
    if type(value) is list:
        return value
    if type(value) is not Range:
        return [value]
    items: list[Value] = []
    for item in span(run, value) or ():
        run.grow(len(items) + 1)
        items.append(item)
    return items


def at_index(run: Run, items: list[Value], index: Decimal) -> Value:
    """The item at a position from 1, or from the end when negative; null outside."""
    if index == index.to_integral_value() and 1 <= abs(index) <= len(items):
        position = int(index)
        return items[position - 1 if position > 0 else position]
    return run.null(f"下标 {index:g} 超出列表")


# ---- for, some, every --------------------------------------------------------------------------------------------


def _walk(
    compiler: Compiler, iterators: Sequence[nodes.Iterator], body: nodes.Node, *also: str
) -> tuple[Walk, set[str]]:
    """Compile nested iterations. Each source sees the variables before it."""
    functions_before = compiler.functions
    levels: list[tuple[str, Code, Code | None]] = []
    bound: list[str] = []
    for iterator in iterators:
        with compiler.binding(*bound, *also):
            end = compiler.compile(iterator.end) if iterator.end is not None else None
            levels.append((iterator.name, compiler.compile(iterator.source), end))
        bound.append(iterator.name)
    with compiler.binding(*bound, *also) as seen:
        result = compiler.compile(body)
    own_scopes = compiler.functions > functions_before  # a function value keeps its scope: give each round its own
    last = len(levels) - 1

    def walk(env: Env, run: Run, emit: Emit, level: int = 0) -> bool | None:
        name, source, end = levels[level]
        items = _items(run, source(env, run), end(env, run) if end else None, end is not None)
        if items is None:
            return None
        for item in items:
            run.charge(1)
            scope = child_scope(run, env) if own_scopes else env
            scope[name] = item
            ended = emit(result(scope, run)) if level == last else walk(scope, run, emit, level + 1)
            if ended is not False:
                return ended
        return False

    return walk, seen


def _items(run: Run, source: Value, end: Value, has_end: bool) -> Iterable[Value] | None:
    if has_end:
        return span(run, Range(source, end))
    if source is None:
        return run.null("不能遍历 null")
    return span(run, source) if type(source) is Range else as_list(run, source)


@compiles(nodes.For)
def _for(compiler: Compiler, node: nodes.For) -> Code:
    walk, seen = _walk(compiler, node.iterators, node.body, "partial")
    partial = "partial" in seen

    def loop(env: Env, run: Run) -> list[Value] | None:
        scope, results = child_scope(run, env), list[Value]()

        def emit(value: Value) -> bool:
            results.append(value)
            run.grow(len(results))
            return False

        def emit_partial(value: Value) -> bool:
            emit(value)
            run.items(len(results))
            scope["partial"] = list(results)  # a snapshot: the list itself would contain itself
            return False

        if partial:
            scope["partial"] = []
        return None if walk(scope, run, emit_partial if partial else emit) is None else results

    return loop


@compiles(nodes.Quantified)
def _quantified(compiler: Compiler, node: nodes.Quantified) -> Code:
    walk, _ = _walk(compiler, node.iterators, node.body)
    wanted = node.wanted

    def quantified(env: Env, run: Run) -> bool | None:
        result: bool | None = not wanted

        def emit(value: Value) -> bool:
            nonlocal result
            if value is wanted:
                result = wanted
                return True
            if value is not (not wanted):
                result = None
            return False

        return None if walk(child_scope(run, env), run, emit) is None else result

    return quantified


# ---- filters -----------------------------------------------------------------------------------------------------


@compiles(nodes.Filter)
def _filter(compiler: Compiler, node: nodes.Filter) -> Code:
    source = compiler.compile(node.source)
    if isinstance(node.condition, nodes.Literal) and type(node.condition.value) is Decimal:
        index = node.condition.value
        return lambda env, run: _indexed(run, source(env, run), index)
    functions_before = compiler.functions
    with compiler.binding("item") as seen:
        condition = compiler.compile(node.condition)
    names, own_scopes = tuple(seen - {"item"}), compiler.functions > functions_before

    def select(env: Env, run: Run) -> Value:
        value, selected = source(env, run), list[Value]()
        if value is None:
            return run.null("不能筛选 null")
        items = as_list(run, value)
        scope = child_scope(run, env)
        if not items:  # an index into an empty list is null, a selection from it is empty
            scope["item"] = None
            return run.null("下标超出列表") if type(condition(scope, run)) is Decimal else selected
        for item in items:
            run.charge(1)
            scope = _item_scope(child_scope(run, env) if own_scopes else scope, env, names, item)
            kept = condition(scope, run)
            if kept is True:
                selected.append(item)
            elif type(kept) is Decimal:
                return at_index(run, items, kept)
        return selected

    return select


def _indexed(run: Run, value: Value, index: Decimal) -> Value:
    return run.null("不能筛选 null") if value is None else at_index(run, as_list(run, value), index)


def _item_scope(scope: Env, env: Env, names: Sequence[str], item: Value) -> Env:
    """Only the names that the condition mentions are looked up in the item."""
    is_context = type(item) is dict
    for name in names:
        if is_context and name in item:
            scope[name] = item[name]
        elif name in env:
            scope[name] = env[name]
        else:
            scope.pop(name, None)
    scope["item"] = item["item"] if is_context and "item" in item else item
    return scope
