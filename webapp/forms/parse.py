"""From the fields that a browser sent to typed data: `enterprises[2].credit_code` becomes a row of a list.

What the schema does not have is refused, what people may not change is taken from what was given, hidden fields never
reach the engine. Rows are numbered anew in the order of the page; errors stand under the new paths.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from webapp.forms.rules import problem
from webapp.forms.schema import CHOICES, INPUTS, MAX_ROWS, Component, Schema
from webapp.forms.scope import Environment, Scope, drop_path, get_path, set_path
from webapp.forms.values import convert
from webapp.i18n import _

#: Fields of the page around the form, which are not the form's.
RESERVED = frozenset({"csrf_token", "outcome", "reason", "confirm", "changed", "next", "save", "started"})
_ROW = re.compile(r"\[(\d{1,6})\]")


class MultiDict(Protocol):
    """What werkzeug's MultiDict gives."""

    def getlist(self, key: str) -> list[str]: ...
    def keys(self) -> Iterable[str]: ...


@dataclass(slots=True)
class Parsed:
    """Typed data, errors by field path ('' for the whole form), and the old number of each row that moved."""

    data: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    #: `enterprises[0]` -> `enterprises[7]`, what the page calls the row
    sent_rows: dict[str, str] = field(default_factory=dict)

    def add(self, path: str, sentence: str | None) -> None:
        """Note an error."""
        if sentence:
            self.errors.setdefault(path, []).append(sentence)

    @property
    def ok(self) -> bool:
        return not self.errors


def parse(schema: Schema, form: MultiDict, environment: Environment) -> Parsed:
    """Read, convert and check. Gives data even with errors: what could not be read stays as it was written."""
    reader = _Reader(form, environment)
    reader.parsed.data = reader.level(schema.components, "", "", environment.initial)
    _refuse_unknown(reader)
    if reader.files:  # looked up at once, not field by field: a filing of 200 enterprises has 800
        known = environment.files(reader.files)
        reader.environment = environment = replace(
            environment, files=lambda ids: {item: known[item] for item in ids if item in known}
        )
    data = reader.parsed.data
    while _drop_hidden(schema.components, data, Scope(environment, data)):
        pass  # a field may hang on one that has just gone
    _check(schema.components, "", Scope(environment, data), data, reader)
    return reader.parsed


def without(data: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """A copy of the data in which the values at these paths are null."""
    copied: dict[str, Any] = copy.deepcopy(dict(data))
    for path in paths:
        *way, last = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)] or [""]
        inner: Any = copied
        for part in way:
            inner = inner[part] if _has(inner, part) else None
        if _has(inner, last):
            inner[last] = None
    return copied


def _has(inner: Any, part: str | int) -> bool:
    return part in inner if isinstance(inner, dict) else isinstance(inner, list) and part in range(len(inner))


class _Reader:
    """One pass over what was sent."""

    def __init__(self, form: MultiDict, environment: Environment) -> None:
        self.form = form
        self.environment = environment
        self.names = list(form.keys())
        self.rows = _rows_sent(self.names)
        self.consumed: set[str] = set()
        self.parsed = Parsed()
        self.files: list[str] = []  # ids of documents
        self.unread: dict[str, str] = {}  # path -> why the text is no value of its type
        self.initial_scope = Scope(environment, environment.initial)

    def level(
        self, components: Sequence[Component], sent: str, path: str, initial: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The data of one level: `sent` and `path` are its prefixes in the request and in the result."""
        data: dict[str, Any] = {}
        for component in components:
            key = component.key
            if component.type == "group":
                given = get_path(initial, key) if key else initial
                inside = f"{key}." if key else ""
                inner = self.level(component.components, sent + inside, path + inside, given or {})
                if key:
                    set_path(data, key, inner)
                else:
                    data.update(inner)
            elif component.type == "dynamiclist":
                set_path(data, key, self.list(component, sent + key, path + key, get_path(initial, key) or []))
            elif component.type in INPUTS:
                set_path(data, key, self.value(component, sent + key, path + key, get_path(initial, key)))
        return data

    def list(self, component: Component, sent: str, path: str, initial: Sequence[Any]) -> list[dict[str, Any]]:
        """The rows of a dynamic list, in the order of the page. A list of fixed rows keeps exactly its rows."""
        numbers = self.rows.get(sent, [])
        if not component.allow_rows:
            numbers = list(range(len(initial)))
        found = []
        for new, number in enumerate(numbers[: MAX_ROWS + 1]):
            self.consumed.add(f"{sent}[{number}]")
            self.parsed.sent_rows[f"{path}[{new}]"] = f"{sent}[{number}]"
            given = initial[number] if number < len(initial) and isinstance(initial[number], Mapping) else {}
            found.append(self.level(component.components, f"{sent}[{number}].", f"{path}[{new}].", given))
        return found

    def value(self, component: Component, sent: str, path: str, initial: Any) -> Any:
        self.consumed.add(sent)
        if component.disabled or self.initial_scope.fixed(component):
            return initial if initial is not None else component.default
        value, wrong = convert(component, self.form.getlist(sent))
        if wrong:
            self.unread[path] = wrong
        if component.type == "filepicker":
            self.files += value
        return value


def _rows_sent(names: Iterable[str]) -> dict[str, list[int]]:
    """Row numbers by list, in the order in which the page sent them."""
    rows: dict[str, dict[int, None]] = {}
    for name in names:
        for match in _ROW.finditer(name):
            rows.setdefault(name[: match.start()], {})[int(match.group(1))] = None
    return {path: list(numbers) for path, numbers in rows.items()}


def _refuse_unknown(reader: _Reader) -> None:
    unknown = [name for name in reader.names if name not in reader.consumed and not _around(name, reader.consumed)]
    if unknown:
        names = "、".join(name[:60] for name in unknown[:5])
        reader.parsed.add("", _("提交的内容中有本表没有的字段：%(names)s。请刷新页面后重新填写。", names=names))


def _around(name: str, consumed: set[str]) -> bool:
    return name in RESERVED or name.removesuffix("__file") in consumed


def _drop_hidden(components: Sequence[Component], data: dict[str, Any], scope: Scope) -> bool:
    """Take the values of hidden components out; whether anything went that a condition could have seen."""
    changed = False
    for component in components:
        if scope.hides(component):
            changed |= _drop(component, data)
        elif component.type == "group":
            inner = get_path(data, component.key) if component.key else data
            changed |= _drop_hidden(component.components, inner, scope)
        elif component.type == "dynamiclist":
            for row in get_path(data, component.key) or []:
                changed |= _drop_hidden(component.components, row, scope.row(row))
    return changed


def _drop(component: Component, data: dict[str, Any]) -> bool:
    if component.key:
        return drop_path(data, component.key)
    dropped = [_drop(inner, data) for inner in component.components]  # a group without a path of its own
    return any(dropped)


def _check(components: Sequence[Component], path: str, scope: Scope, data: dict[str, Any], reader: _Reader) -> None:
    add: Callable[[str, str | None], None] = reader.parsed.add
    for component in components:
        if scope.hides(component):
            continue
        here = path + component.key
        if component.type == "group":
            inner = get_path(data, component.key) if component.key else data
            _check(component.components, f"{here}." if component.key else path, scope, inner, reader)
        elif component.type == "dynamiclist":
            rows = get_path(data, component.key) or []
            add(here, _row_count(component, len(rows)))
            for number, row in enumerate(rows):
                _check(component.components, f"{here}[{number}].", scope.row(row), row, reader)
        elif component.type in INPUTS and not component.disabled:
            value = get_path(data, component.key)
            if here in reader.unread:
                add(here, reader.unread[here])
            elif not scope.fixed(component):
                choices = scope.choices(component) if component.type in CHOICES else ()
                add(here, problem(component, value, reader.environment, choices))


def _row_count(component: Component, count: int) -> str | None:
    low = int(component.properties.get("min_rows") or (1 if component.required else 0))
    high = min(int(component.properties.get("max_rows") or MAX_ROWS), MAX_ROWS)
    item = component.properties.get("item") or component.label
    measure = component.properties.get("measure") or _("个")
    if count < low:
        return _("至少要有 %(n)s %(measure)s%(item)s。", n=low, measure=measure, item=item)
    if count > high:
        words = _(
            "%(item)s最多 %(n)s %(measure)s，现在 %(count)s %(measure)s。",
            n=high,
            measure=measure,
            item=item,
            count=count,
        )
        return words
    return None
