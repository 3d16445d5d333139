"""List functions. (DMN 1.3, 10.3.4.4 and 10.3.4.7)"""

from __future__ import annotations

from decimal import Decimal
from functools import cmp_to_key

from webapp.engine.feel.budget import Run
from webapp.engine.feel.builtins.registry import builtin, of_lists, position_in, variadic, whole
from webapp.engine.feel.functions import invoke
from webapp.engine.feel.operators import compare, equal, identity
from webapp.engine.feel.values import Function, Value


@builtin("list contains", "list any", "list, element")
def _list_contains(run: Run, items: list[Value], element: Value) -> bool:
    return any(equal(run, item, element) is True for item in items)


@builtin("count", "list", "list")
def _count(run: Run, items: list[Value]) -> Decimal:
    return Decimal(len(items))


def _logic(name: str, stop: bool) -> None:
    @variadic(name)
    def _(run: Run, items: list[Value]) -> bool | None:
        if any(item is stop for item in items):
            return stop
        return (not stop) if all(item is (not stop) for item in items) else None


_logic("all", False)
_logic("any", True)


@builtin("sublist", "list number number?", "list, start position, length")
def _sublist(run: Run, items: list[Value], position: Decimal, length: Decimal | None = None) -> list[Value]:
    start = position_in(len(items), position)
    if length is None:
        return items[start:]
    if length < 0 or start + whole(length) > len(items):
        raise ValueError("长度超出范围")
    return items[start : start + whole(length)]


def _as_list(value: Value) -> list[Value]:
    return value if type(value) is list else [value]


@of_lists("append")
def _append(run: Run, items: Value, *more: Value) -> list[Value]:
    return [*_as_list(items), *more]


@of_lists("concatenate")
def _concatenate(run: Run, *lists: Value) -> list[Value]:
    return [item for each in lists for item in _as_list(each)]


@of_lists("union")
def _union(run: Run, *lists: Value) -> list[Value]:
    return _distinct(run, _concatenate(run, *lists))


@builtin("distinct values", "list", "list")
def _distinct_values(run: Run, items: list[Value]) -> list[Value]:
    return _distinct(run, items)


def _distinct(run: Run, items: list[Value]) -> list[Value]:
    first: dict[object, Value] = {}
    for item in items:
        first.setdefault(identity(run, item), item)
    return list(first.values())


@builtin("insert before", "list number any", "list, position, newItem")
def _insert_before(run: Run, items: list[Value], position: Decimal, item: Value) -> list[Value]:
    index = position_in(len(items), position)
    return [*items[:index], item, *items[index:]]


@builtin("remove", "list number", "list, position")
def _remove(run: Run, items: list[Value], position: Decimal) -> list[Value]:
    index = position_in(len(items), position)
    return [*items[:index], *items[index + 1 :]]


@builtin("list replace", "list any any", "list, position, newItem", "list, match, newItem")
def _list_replace(run: Run, items: list[Value], which: Value, new: Value) -> list[Value]:
    """Replaces the item at a position, or every item for which `which(item, new)` is true."""
    if type(which) is Function:
        return [new if invoke(run, which, (item, new)) is True else item for item in items]
    if type(which) is not Decimal:
        raise TypeError("第二个参数应为位置或函数")
    index = position_in(len(items), which)
    return [*items[:index], new, *items[index + 1 :]]


@builtin("reverse", "list", "list")
def _reverse(run: Run, items: list[Value]) -> list[Value]:
    return items[::-1]


@builtin("index of", "list any", "list, match")
def _index_of(run: Run, items: list[Value], match: Value) -> list[Decimal]:
    return [Decimal(at) for at, item in enumerate(items, start=1) if equal(run, item, match) is True]


@builtin("flatten", "list", "list")
def _flatten(run: Run, items: list[Value]) -> list[Value]:
    flat: list[Value] = []

    def walk(inner: list[Value]) -> None:
        for item in inner:
            run.grow(len(flat))
            if type(item) is list:
                walk(item)
            else:
                flat.append(item)

    walk(items)
    return flat


@builtin("sort", "list function?", "list, precedes")
def _sort(run: Run, items: list[Value], precedes: Function | None = None) -> list[Value]:
    """Stable; without a function, by the order of the values."""

    def before(left: Value, right: Value) -> bool:
        if precedes is None:
            return compare(run, "<", left, right) is True
        return invoke(run, precedes, (left, right)) is True

    def order(left: Value, right: Value) -> int:
        run.charge(1)
        return -1 if before(left, right) else 0  # sorting only asks whether one comes first

    return sorted(items, key=cmp_to_key(order))
