"""Context functions. (DMN 1.3, 10.3.4.10; `context`, `context put` and `context merge` of DMN 1.4)"""

from __future__ import annotations

from webapp.engine.feel.budget import Run
from webapp.engine.feel.builtins.registry import builtin
from webapp.engine.feel.values import Value

Context = dict[str, Value]


@builtin("get value", "context any", "m, key", "context, keys")
def _get_value(run: Run, context: Context, keys: Value) -> Value:
    """The entry of a key, or of a path of keys."""
    value: Value = context
    for key in keys if type(keys) is list else [keys]:
        if type(value) is not dict or type(key) is not str or key not in value:
            return run.null(f"上下文中没有 {key!s:.40}")
        value = value[key]
    return value


@builtin("get entries", "context", "m")
def _get_entries(run: Run, context: Context) -> list[Context]:
    return [{"key": key, "value": value} for key, value in context.items()]


@builtin("context", "list", "entries")
def _context(run: Run, entries: list[Context]) -> Context:
    made = {_key(entry["key"]): entry["value"] for entry in entries}
    if len(made) != len(entries):
        raise ValueError("键重复")
    return made


@builtin("context put", "context any any", "context, key, value", "context, keys, value")
def _context_put(run: Run, context: Context, keys: Value, value: Value) -> Context:
    """A copy with one entry set; a path of keys sets it inside nested contexts."""
    path = keys if type(keys) is list else [keys]
    if not path:
        raise ValueError("没有键")
    made = top = dict(context)
    for key in path[:-1]:
        inner = top.get(_key(key)) or {}
        if type(inner) is not dict:
            raise TypeError("路径上不是上下文")
        run.value(inner)
        top[key] = top = dict(inner)
    top[_key(path[-1])] = value
    return made


@builtin("context merge", "list", "contexts")
def _context_merge(run: Run, contexts: list[Context]) -> Context:
    """Later entries win."""
    merged: Context = {}
    for context in contexts:
        if type(context) is not dict:
            raise TypeError("只接受 context")
        run.value(context)
        merged |= context
    return merged


def _key(key: Value) -> str:
    if type(key) is not str:
        raise TypeError("键应为字符串")
    return key
