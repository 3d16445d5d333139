"""Calling functions, and the types of values. Every call of every function goes through `invoke`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from webapp.engine.feel.budget import Run
from webapp.engine.feel.temporal import midnight
from webapp.engine.feel.values import Code, Env, Function, Value, kind

#: Names of types in DMN files (xsd style, and those of older modelling tools) -> names in FEEL.
TYPE_ALIASES: Final = {
    "dateTime": "date and time",
    "dayTimeDuration": "days and time duration",
    "yearMonthDuration": "years and months duration",
    "integer": "number",
    "long": "number",
    "double": "number",
}


def child_scope(run: Run, env: Env) -> Env:
    """A copy of the scope, for names of its own."""
    run.charge(1 + (len(env) >> 4))
    return dict(env)


def invoke(run: Run, function: Value, arguments: Sequence[Value]) -> Value:
    """Call a function with positional arguments; null for what is no function or does not take them."""
    if type(function) is not Function:
        return run.null(f"{kind(function)} 不是函数")
    count = len(arguments)
    if count < function.least or (function.most is not None and count > function.most):
        return run.null(f"函数 {function.name} 的参数个数不对")
    run.enter()
    try:
        return function.call(run, *arguments)
    finally:
        run.leave()


def invoke_named(run: Run, function: Value, arguments: Mapping[str, Value]) -> Value:
    """Call a function with named arguments."""
    if type(function) is not Function:
        return run.null(f"{kind(function)} 不是函数")
    for names in function.parameters:
        if arguments.keys() <= set(names):
            positional = [arguments.get(name) for name in names]
            while positional and names[len(positional) - 1] not in arguments:
                positional.pop()
            return invoke(run, function, positional)
    return run.null(f"函数 {function.name} 没有参数 {'、'.join(arguments)}")


def closure(
    names: Sequence[str], types: Sequence[str | None], body: Code, env: Env, label: str = "function"
) -> Function:
    """A function of the model: its body sees the scope where it was made."""

    def call(run: Run, *arguments: Value) -> Value:
        inner = child_scope(run, env)
        for name, type_name, value in zip(names, types, arguments, strict=True):
            inner[name] = coerced(run, value, type_name) if type_name else value
        return body(inner, run)

    return Function(label, (tuple(names),), call, len(names), len(names))


def coerced(run: Run, value: Value, type_name: str) -> Value:
    """The value as that type: a list of one is its item, an item is a list of one, a date is its midnight; else null.

    (DMN 1.3, 10.3.2.9.4)
    """
    if value is None or is_instance(run, value, type_name):
        return value
    if type(value) is list and len(value) == 1 and is_instance(run, value[0], type_name):
        return value[0]
    if type_name.startswith("list") and is_instance(run, [value], type_name):
        return [value]
    if TYPE_ALIASES.get(type_name, type_name) == "date and time" and type(value) is date:
        return midnight(value)
    return run.null(f"{kind(value)} 不是 {type_name}")


def is_instance(run: Run, value: Value, type_name: str) -> bool:
    """`value instance of type`; elements that are null fit any type."""
    run.charge(1)
    if value is None:
        return type_name == "Null"
    if type_name == "Any":
        return True
    base, _, rest = type_name.partition("<")
    base, inner, actual = base.strip(), rest.rstrip(" ").removesuffix(">").strip(), kind(value)
    if TYPE_ALIASES.get(base, base) != actual:
        return False
    if not inner:
        return True
    if actual == "list":
        return all(item is None or is_instance(run, item, inner) for item in value)
    if actual == "range":
        return is_instance(run, value.low if value.low is not None else value.high, inner)
    return actual != "context" or _has_entries(run, value, inner)


def _has_entries(run: Run, context: dict[str, Value], types: str) -> bool:
    """Whether the context has the entries of `a: number, b: list<string>`."""
    for part in _split_at_commas(types):
        name, _, type_name = part.partition(":")
        name = name.strip()
        if name not in context:
            return False
        if context[name] is not None and not is_instance(run, context[name], type_name.strip()):
            return False
    return True


def _split_at_commas(types: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for at, character in enumerate(types):
        depth += (character == "<") - (character == ">")
        if character == "," and depth == 0:
            parts.append(types[start:at])
            start = at + 1
    return [*parts, types[start:]]
