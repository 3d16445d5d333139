"""What a form is filled in with, and what its expressions see."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from webapp import clock
from webapp.engine.feel import compile_expression
from webapp.forms import text as templated
from webapp.forms.schema import Component
from webapp.forms.values import revive

Files = Callable[[Iterable[str]], Mapping[str, Mapping[str, Any]]]


def _no_files(ids: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
    return {}


@dataclass(slots=True)
class Environment:
    """The surroundings of one form of one person.

    options: lists by `valuesKey`, [{value, label, hint?, disabled?}] · context: names for conditions and texts ·
    initial: what fields hold before anything is entered, and the only source of read-only fields · files: ids of
    documents to the tiles of those that this person may use ({id, type, name, meta …}; a missing id is refused).
    """

    options: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    initial: Mapping[str, Any] = field(default_factory=dict)
    files: Files = _no_files
    now: datetime = field(default_factory=clock.now)
    upload_url: str = ""
    refresh_url: str = ""
    phrases: Sequence[str] = ()
    #: whether the schema alone says what must be filled in (no validator of the domain asks for more)
    schema_decides: bool = True

    @property
    def today(self) -> date:
        """The day of `now` in Beijing: what 今天 means in a form."""
        return self.now.astimezone(clock.BEIJING).date()


class Scope:
    """Names that an expression sees: the row that it stands in, then the whole form, then the context."""

    def __init__(
        self, environment: Environment, data: Mapping[str, Any], rows: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        self.environment = environment
        self.data = data
        self.rows = rows
        layers: list[Any] = [dict(row) for row in reversed(rows)]
        self._names = ChainMap(*layers, dict(data), dict(environment.context))

    def row(self, row: Mapping[str, Any]) -> Scope:
        """The scope inside one row of a dynamic list."""
        return Scope(self.environment, self.data, (*self.rows, row))

    def evaluate(self, source: str) -> Any:
        """What the FEEL gives here. Errors: FeelError when it is no FEEL, LimitExceeded when it runs too long."""
        return compile_expression(source).evaluate(self._names, now=self.environment.now)

    def hides(self, component: Component) -> bool:
        """Whether the component is not there now (form-js: hidden only when the condition gives true)."""
        return component.hide is not None and self.evaluate(component.hide) is True

    def fixed(self, component: Component) -> bool:
        """Whether people cannot change the value: read-only, by a switch or by an expression."""
        if isinstance(component.readonly, str):
            return self.evaluate(component.readonly) is True
        return component.readonly or component.disabled

    def words(self, source: str) -> str:
        """A label or a text with its expressions filled in."""
        return templated.fill(source, self.evaluate) if "{{" in source or source.startswith("=") else source

    def choices(self, component: Component) -> list[Mapping[str, Any]]:
        """The options of a choice, each {value, label, hint?, disabled?}, values as strings."""
        found: Any = component.values
        if component.values_key:
            found = self.environment.options.get(component.values_key)
            if found is None:
                found = self._names.get(component.values_key) or ()
        elif component.values_expression:
            found = self.evaluate(component.values_expression) or ()
        return [_option(item) for item in found]


def _option(item: Any) -> Mapping[str, Any]:
    if isinstance(item, Mapping):
        value = templated.shown(item.get("value"))
        return {**item, "value": value, "label": str(item.get("label") or value)}
    return {"value": templated.shown(item), "label": templated.shown(item)}


def get_path(data: Mapping[str, Any], path: str) -> Any:
    """The value under a dotted key, None when a part is missing."""
    value: Any = data
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def set_path(data: dict[str, Any], path: str, value: Any) -> None:
    """Put a value under a dotted key, making the maps on the way."""
    *way, last = path.split(".")
    for part in way:
        inner = data.get(part)
        if not isinstance(inner, dict):
            inner = data[part] = {}
        data = inner
    data[last] = value


def drop_path(data: dict[str, Any], path: str) -> bool:
    """Take a value out; whether one was there that was not empty."""
    *way, last = path.split(".")
    inner: Any = data
    for part in way:
        inner = inner.get(part)
        if not isinstance(inner, dict):
            return False
    return inner.pop(last, None) not in (None, "", [], {}, False)


def prefill(components: Sequence[Component], initial: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a form that nobody has touched: what is given, else the schema's defaults, else empty rows."""
    data: dict[str, Any] = dict(initial)
    for component, key in _keyed(components):
        present = get_path(initial, key)
        if component.type == "dynamiclist":
            rows = present if isinstance(present, list) else [{} for _n in range(component.default_rows)]
            set_path(data, key, [prefill(component.components, row) for row in rows])
        elif component.type == "group":
            given = present if isinstance(present, Mapping) else {}
            set_path(data, key, prefill(component.components, given))
        elif present is None and component.default is not None:
            set_path(data, key, component.default)
    return data


def merge(components: Sequence[Component], initial: Mapping[str, Any], draft: Mapping[str, Any]) -> dict[str, Any]:
    """What a page shows that was left before: the draft over what is given; fixed fields and fixed rows as given.

    Drafts are kept as JSON, so numbers and dates come back to their types here.
    """
    data = dict(initial)
    for component, key in _keyed(components):
        given, left = get_path(initial, key), get_path(draft, key)
        if component.disabled or component.readonly is True or (left is None and component.type != "group"):
            continue
        if component.type == "dynamiclist" and isinstance(left, list):
            set_path(data, key, _merge_rows(component, given if isinstance(given, list) else [], left))
        elif component.type == "group":
            inner = given if isinstance(given, Mapping) else {}
            set_path(data, key, merge(component.components, inner, left if isinstance(left, Mapping) else {}))
        else:
            set_path(data, key, revive(component, left))
    return data


def _merge_rows(component: Component, given: list[Any], left: list[Any]) -> list[dict[str, Any]]:
    if component.allow_rows:
        return [merge(component.components, {}, row) for row in left if isinstance(row, Mapping)]
    left = [*left[: len(given)], *({} for _n in given[len(left) :])]
    return [merge(component.components, ours or {}, theirs or {}) for ours, theirs in zip(given, left, strict=True)]


def _keyed(components: Sequence[Component]) -> Iterator[tuple[Component, str]]:
    for component in components:
        if component.type == "group" and not component.key:
            yield from _keyed(component.components)
        elif component.key:
            yield component, component.key
