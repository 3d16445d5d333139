"""Boxed expressions: literal expression, context, invocation, list, relation, function definition. (DMN 1.3, 10.2)

What DMN 1.4 added (conditional, filter, iterators) is refused, as is any language but FEEL.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from webapp.engine.dmn.item_types import Check, Types
from webapp.engine.dmn.reading import Element, Findings, child, children, tag, text_of
from webapp.engine.dmn.table import Table, compile_table
from webapp.engine.errors import FeelError
from webapp.engine.feel.budget import Run
from webapp.engine.feel.expression import compile_scoped, compile_scoped_tests
from webapp.engine.feel.functions import child_scope, closure, invoke_named
from webapp.engine.feel.unary import Test
from webapp.engine.feel.values import Code, Env, Value

BOXED: Final = (
    "literalExpression",
    "decisionTable",
    "context",
    "invocation",
    "list",
    "relation",
    "functionDefinition",
)
_NEWER: Final = ("conditional", "filter", "for", "some", "every")
_OUR_LANGUAGE: Final = "feel"


def _null(env: Env, run: Run) -> None:
    return None


class BoxedScope:
    """Compiles boxed expressions where these names are known; collects the free names in `read`."""

    def __init__(
        self, names: frozenset[str], members: frozenset[str], types: Types, findings: Findings, read: set[str]
    ) -> None:
        self.findings = findings
        self.read = read
        self._names = names
        self._members = members
        self._types = types

    def with_names(self, *names: str) -> BoxedScope:
        """The scope inside, where more names are bound: they are not read from outside."""
        inner = BoxedScope(self._names | set(names), self._members, self._types, self.findings, set())
        return inner

    def code(self, holder: Element | None, text: str) -> Code:
        """A FEEL text; an empty one is null."""
        if not text or holder is None or not self._is_feel(holder):
            return _null
        try:
            expression = compile_scoped(text, self._names, self._members)
        except FeelError as error:
            self.findings.expression(holder, error)
            return _null
        self.read |= expression.names
        return expression.code

    def test(self, holder: Element, text: str) -> Test:
        """The unary tests of a cell."""
        try:
            tests = compile_scoped_tests(text, self._names, self._members)
        except FeelError as error:
            self.findings.expression(holder, error)
            return lambda value, env, run: None
        if self._is_feel(holder):
            self.read |= tests.names
        return tests.test

    def check(self, element: Element, type_ref: str | None) -> Check | None:
        return self._types.check(element, type_ref)

    def _is_feel(self, holder: Element) -> bool:
        language = holder.get("expressionLanguage") or ""
        feel = not language or language.lower() == _OUR_LANGUAGE or "/FEEL" in language.upper()
        if not feel:
            self.findings.add(holder, "dmn_language", f"只支持 FEEL，不支持“{language}”。")
        return feel

    # ---- boxed expressions ----

    def logic(self, owner: Element, name: str) -> Code | Table:
        """The decision logic of an element that holds one boxed expression."""
        element = child(owner, *BOXED)
        if element is None:
            newer = child(owner, *_NEWER)
            reason = f"不支持 {tag(newer)}（DMN 1.4）。" if newer is not None else "没有决策逻辑。"
            self.findings.add(owner, "dmn_logic", f"“{name}”{reason}")
            return _null
        return compile_table(element, name, self) if tag(element) == "decisionTable" else self.boxed(element, name)

    def boxed(self, element: Element, name: str) -> Code:
        """One boxed expression, of its declared type."""
        compilers: dict[str, Callable[[Element], Code]] = {
            "literalExpression": self._literal,
            "context": self._context,
            "invocation": self._invocation,
            "list": self._list,
            "relation": self._relation,
            "functionDefinition": self.function,
        }
        if tag(element) == "decisionTable":
            return compile_table(element, name, self).value
        code = compilers[tag(element)](element)
        return code if tag(element) == "functionDefinition" else self.typed(element, element.get("typeRef"), code)

    def typed(self, element: Element, type_ref: str | None, code: Code) -> Code:
        """The code with its result checked against a type reference."""
        check = self.check(element, type_ref)
        return code if check is None else lambda env, run: check(run, code(env, run))

    def _inner(self, owner: Element, name: str = "") -> Code:
        logic = self.logic(owner, name)
        return logic.value if isinstance(logic, Table) else logic

    def _literal(self, element: Element) -> Code:
        if child(element, "importedValues") is not None:
            self.findings.add(element, "dmn_import", "不支持导入的值。")
        return self.code(element, text_of(element))

    def _list(self, element: Element) -> Code:
        items = [self.boxed(item, "") for item in children(element, *BOXED)]
        return lambda env, run: [item(env, run) for item in items]

    def _relation(self, element: Element) -> Code:
        columns = [column.get("name") or "" for column in children(element, "column")]
        rows = [[self.boxed(cell, "") for cell in children(row, *BOXED)] for row in children(element, "row")]
        if any(len(row) != len(columns) for row in rows):
            self.findings.add(element, "dmn_relation", "关系表各行的单元格数与列数不同。")
        return lambda env, run: [
            {name: cell(env, run) for name, cell in zip(columns, row, strict=True)} for row in rows
        ]

    def _context(self, element: Element) -> Code:
        scope, entries, bound = self, list[tuple[str, Code]](), set[str]()
        for entry in children(element, "contextEntry"):
            variable = child(entry, "variable")
            name = (variable.get("name") if variable is not None else None) or ""
            code = scope._inner(entry, name)
            if scope is not self:
                self.read |= scope.read - bound
            if variable is not None:
                code = self.typed(variable, variable.get("typeRef"), code)
            entries.append((name, code))
            if name:
                bound.add(name)
                scope = scope.with_names(name)

        def make(env: Env, run: Run) -> Value:
            inner, context = child_scope(run, env), dict[str, Value]()
            for name, code in entries:
                value = code(inner, run)
                if not name:
                    return value  # the result entry
                inner[name] = context[name] = value
            return context

        return make

    def function(self, element: Element) -> Code:
        """A function definition, or the logic of a business knowledge model."""
        if element.get("kind", "FEEL") != "FEEL":
            self.findings.add(element, "dmn_function", "不支持 Java 或 PMML 函数。")
            return _null
        parameters = children(element, "formalParameter")
        names = [parameter.get("name") or "" for parameter in parameters]
        checks = [self.check(parameter, parameter.get("typeRef")) for parameter in parameters]
        scope = self.with_names(*names)
        body = scope._inner(element)
        self.read |= scope.read - set(names)

        def checked_body(env: Env, run: Run) -> Value:
            for name, check in zip(names, checks, strict=True):
                if check is not None:
                    env[name] = check(run, env[name])
            return body(env, run)

        return lambda env, run: closure(names, [None] * len(names), checked_body, env)

    def _invocation(self, element: Element) -> Code:
        called = child(element, "literalExpression")
        function = self.code(called, text_of(called))
        arguments: list[tuple[str, Code]] = []
        for binding in children(element, "binding"):
            parameter = child(binding, "parameter")
            name = (parameter.get("name") if parameter is not None else None) or ""
            value = child(binding, *BOXED)
            arguments.append((name, _null if value is None else self.boxed(value, name)))
        return lambda env, run: invoke_named(
            run, function(env, run), {name: argument(env, run) for name, argument in arguments}
        )
