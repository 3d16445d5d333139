"""Item definitions: the types that a model declares, checked and converted as the standard allows. (DMN 1.3, 7.3.2)"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from webapp.engine.dmn.reading import Element, Findings, child, children, text_of
from webapp.engine.errors import FeelError
from webapp.engine.feel.budget import Run
from webapp.engine.feel.expression import UnaryTests, compile_scoped_tests
from webapp.engine.feel.functions import TYPE_ALIASES, coerced
from webapp.engine.feel.loops import as_list
from webapp.engine.feel.values import KINDS, Value

BASIC_TYPES: Final = frozenset(KINDS.values()) - {"null", "range", "function"} | TYPE_ALIASES.keys() | {"Any"}

#: Gives the value as the type, or null with a warning.
Check = Callable[[Run, Value], Value]


@dataclass(frozen=True, slots=True)
class ItemType:
    """One `itemDefinition` or `itemComponent`."""

    name: str
    collection: bool
    base: str
    components: tuple[ItemType, ...]
    allowed: UnaryTests | None


class Types:
    """The types of one model, by name. Built once, then only read."""

    def __init__(self, definitions: Element, members: frozenset[str], findings: Findings) -> None:
        self._findings = findings
        self._members = members
        self._types = {item.name: item for item in map(self._read, children(definitions, "itemDefinition"))}

    def _read(self, element: Element) -> ItemType:
        allowed = text_of(child(element, "typeConstraint")) or text_of(child(element, "allowedValues"))
        tests = None
        if allowed:
            try:
                tests = compile_scoped_tests(allowed, frozenset(), self._members)
            except FeelError as error:
                self._findings.expression(element, error)
        return ItemType(
            name=element.get("name") or "",
            collection=element.get("isCollection") == "true",
            base=text_of(element, "typeRef"),
            components=tuple(map(self._read, children(element, "itemComponent"))),
            allowed=tests,
        )

    def check(self, element: Element, type_ref: str | None) -> Check | None:
        """How values of this reference are checked; None when everything is allowed. Unknown types are a finding."""
        if not type_ref:
            return None
        name = type_ref.strip().rpartition(":")[2]
        if name not in self._types and name not in BASIC_TYPES:
            self._findings.add(element, "dmn_type", f"没有类型“{type_ref}”。")
        return None if name == "Any" else lambda run, value: self.typed(run, value, name)

    def typed(self, run: Run, value: Value, name: str) -> Value:
        """The value as the named type, else null."""
        name = name.rpartition(":")[2]
        if value is None or not name:
            return value
        run.charge(1)
        item = self._types.get(name)
        return self._item(run, value, item) if item else coerced(run, value, name)

    def _item(self, run: Run, value: Value, item: ItemType) -> Value:
        if not item.collection:
            return self._single(run, value[0] if type(value) is list and len(value) == 1 else value, item)
        values = as_list(run, value)
        run.items(len(values))
        checked = [None if each is None else self._single(run, each, item) for each in values]
        if any(after is None and before is not None for before, after in zip(values, checked, strict=True)):
            return run.null(f"列表中有的项不是 {item.name}")
        return checked

    def _single(self, run: Run, value: Value, item: ItemType) -> Value:
        value = self._structure(run, value, item) if item.components else self.typed(run, value, item.base)
        if value is not None and item.allowed and item.allowed.test(value, {}, run) is not True:
            return run.null(f"{item.name} 不允许这个值")
        return value

    def _structure(self, run: Run, value: Value, item: ItemType) -> Value:
        if type(value) is not dict:
            return run.null(f"不是 {item.name}")
        run.items(len(value))
        made = dict(value)
        for component in item.components:
            part = value.get(component.name)
            if part is not None:
                made[component.name] = self._item(run, part, component)
                if made[component.name] is None:
                    return None
        return made
