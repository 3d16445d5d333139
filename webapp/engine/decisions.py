"""Decisions: DMN files in, compiled decisions out. (DMN 1.3; namespaces 1.1 to 1.5)

Carried out: decision tables with every hit policy (UNIQUE and ANY are checked), literal expressions, contexts, lists,
relations, invocations, business knowledge models, item definitions and the requirements between decisions. Everything
else is refused when the file is deployed, with the element's id and the reason. An expression may also read a process
variable that the model does not declare as input data, and the named outputs of a required decision, as in Camunda 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from webapp.engine.dmn.boxed import BoxedScope
from webapp.engine.dmn.item_types import Check, Types
from webapp.engine.dmn.reading import Element, Findings, child, children, read_definitions, reference, tag
from webapp.engine.dmn.table import DecisionFailed, Table
from webapp.engine.errors import FeelError, LimitExceeded
from webapp.engine.feel.budget import DEFAULT_LIMITS, Limits, Run
from webapp.engine.feel.expression import checked, read
from webapp.engine.feel.values import Code, Env, Value, to_feel

__all__ = ["Decision", "DecisionFailed", "parse_dmn"]

_NODES: Final = ("inputData", "decision", "businessKnowledgeModel")
_NAMED: Final = frozenset({"itemComponent", "variable", "output", "column", "formalParameter"})
_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class _Input:
    """Input data: a process variable of that name, of the declared type."""

    variable: str
    check: Check | None

    def bind(self, env: Env, variables: Mapping[str, Any], run: Run, memo: dict[int, Value]) -> None:
        value = variables.get(self.variable, _MISSING)
        if value is not _MISSING:
            fitting = to_feel(run, value)
            env[self.variable] = self.check(run, fitting) if self.check else fitting


@dataclass(frozen=True, slots=True)
class _Knowledge:
    """A business knowledge model: a function that may call itself."""

    variable: str
    logic: Code
    requires: tuple[_Requirement, ...]

    def bind(self, env: Env, variables: Mapping[str, Any], run: Run, memo: dict[int, Value]) -> None:
        own: Env = {}
        for requirement in self.requires:
            requirement.bind(own, variables, run, memo)
        env[self.variable] = own[self.variable] = self.logic(own, run)


@dataclass(frozen=True, slots=True)
class Traced:
    """What an evaluation gave and how: the rows as of `evaluate`, or why there are none, and the ids of the rules hit
    (those of the decisions that it requires too). `warnings`: why values became null."""

    rows: list[dict[str, Value]]
    rules: tuple[str, ...]
    error: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """A compiled decision: immutable, shared by threads. `key`: its id; `names`: the variables that it may read."""

    key: str
    name: str
    names: frozenset[str]
    _variable: str = field(repr=False)
    _logic: Code | Table = field(repr=False)
    _check: Check | None = field(repr=False)
    _reads: frozenset[str] = field(repr=False)
    _requires: tuple[_Requirement, ...] = field(repr=False)

    def evaluate(
        self, variables: Mapping[str, Any], *, now: datetime, limits: Limits = DEFAULT_LIMITS
    ) -> list[dict[str, Value]]:
        """The outputs of the matched rules after the hit policy, one dict a rule; of an expression, one dict with its
        variable. Empty when no rule matches and there is no default.

        Errors: DecisionFailed (UNIQUE or ANY is violated, an input is not among the allowed values), LimitExceeded.
        """
        return self._rows(variables, Run(now, limits))

    def trace(self, variables: Mapping[str, Any], *, now: datetime, limits: Limits = DEFAULT_LIMITS) -> Traced:
        """As `evaluate`, told instead of raised, with the rules that were hit."""
        run = Run(now, limits)
        try:
            rows, error = self._rows(variables, run), None
        except FeelError as failed:
            rows, error = [], str(failed)
        return Traced(rows, tuple(run.fired), error, tuple(run.warnings))

    @property
    def rules(self) -> tuple[str, ...]:
        """The ids of its table's rules in their order; none when it is no table."""
        return self._logic.ids if isinstance(self._logic, Table) else ()

    def _rows(self, variables: Mapping[str, Any], run: Run) -> list[dict[str, Value]]:
        try:
            env = self._environment(variables, run, {})
            if isinstance(self._logic, Table):
                rows = self._logic.rows(env, run)
            else:
                rows = [{self._variable: self._checked(self._logic(env, run), run)}]
        except RecursionError:
            raise LimitExceeded("决策嵌套过深。") from None
        return checked(run, rows) or []

    def value(self, variables: Mapping[str, Any], *, now: datetime, limits: Limits = DEFAULT_LIMITS) -> Value:
        """The decision's value as another decision sees it. Errors: as `evaluate`."""
        run = Run(now, limits)
        try:
            return checked(run, self._value(variables, run, {}))
        except RecursionError:
            raise LimitExceeded("决策嵌套过深。") from None

    def bind(self, env: Env, variables: Mapping[str, Any], run: Run, memo: dict[int, Value]) -> None:
        """Put the value under the decision's variable, and the outputs of its one row under their names."""
        value = self._value(variables, run, memo)
        if isinstance(self._logic, Table):
            outputs = self._logic.outputs
            row = value if type(value) is dict else {outputs[0].name: value} if len(outputs) == 1 else {}
            for output in outputs:
                env.setdefault(output.name, row.get(output.name))
        env[self._variable] = value

    def _value(self, variables: Mapping[str, Any], run: Run, memo: dict[int, Value]) -> Value:
        if id(self) not in memo:  # a decision that several others require is made once
            env = self._environment(variables, run, memo)
            logic = self._logic.value if isinstance(self._logic, Table) else self._logic
            memo[id(self)] = self._checked(logic(env, run), run)
        return memo[id(self)]

    def _environment(self, variables: Mapping[str, Any], run: Run, memo: dict[int, Value]) -> Env:
        env: Env = {}
        for requirement in self._requires:
            requirement.bind(env, variables, run, memo)
        return read(variables, self._reads - env.keys(), run) | env

    def _checked(self, value: Value, run: Run) -> Value:
        return self._check(run, value) if self._check else value


_Requirement = _Input | _Knowledge | Decision


def parse_dmn(xml: bytes) -> tuple[Decision, ...]:
    """All decisions of a DMN file, in its order. Errors: DeploymentRefused with every finding of the file."""
    model = _Model(read_definitions(xml))
    decisions = model.decisions()
    model.findings.refuse_if_any()
    return decisions


class _Model:
    """One file while it is compiled: each node once, those that it requires before it."""

    def __init__(self, definitions: Element) -> None:
        self.findings = Findings()
        self._definitions = definitions
        self._members = frozenset(
            each.get("name") or "" for each in definitions.iter() if isinstance(each.tag, str) and tag(each) in _NAMED
        )
        self._types = Types(definitions, self._members, self.findings)
        self._elements: dict[str, Element] = {}
        for element in children(definitions, *_NODES):
            self._register(element)
        for element in children(definitions, "import"):
            self.findings.add(element, "dmn_import", "不支持导入其他模型。")
        self._compiled: dict[str, _Requirement | None] = {}

    def _register(self, element: Element) -> None:
        key = element.get("id") or ""
        if not key or key in self._elements:
            self.findings.add(element, "dmn_id", f"{tag(element)} 没有 id，或 id“{key}”重复。")
        elif not element.get("name"):
            self.findings.add(element, "dmn_name", f"{tag(element)} 没有名称。")
        self._elements[key] = element

    def decisions(self) -> tuple[Decision, ...]:
        found = [self._node(key, None) for key, element in self._elements.items() if tag(element) == "decision"]
        if not found:
            self.findings.add(self._definitions, "dmn_empty", "文件中没有决策。")
        return tuple(each for each in found if isinstance(each, Decision))

    def _node(self, key: str, asked_by: Element | None) -> _Requirement | None:
        """The compiled node; None (and a finding) when it is missing or requires itself."""
        element = self._elements.get(key)
        if element is None:
            self.findings.add(asked_by, "dmn_requirement", f"所依赖的“{key}”不在本文件中，或不受支持。")
            return None
        if key in self._compiled:
            if self._compiled[key] is None:
                self.findings.add(element, "dmn_cycle", "决策之间循环依赖。")
            return self._compiled[key]
        self._compiled[key] = None
        self._compiled[key] = node = self._compile(key, element)
        return node

    def _compile(self, key: str, element: Element) -> _Requirement:
        name = element.get("name") or key
        holder = child(element, "variable")
        variable = (holder.get("name") if holder is not None else None) or name
        check = self._types.check(element, holder.get("typeRef") if holder is not None else None)
        if tag(element) == "inputData":
            return _Input(name, check)
        requires = tuple(node for node in self._requirements(element) if node is not None)
        known = frozenset(name for node in requires for name in _provided(node))
        read_names: set[str] = set()
        if tag(element) == "businessKnowledgeModel":
            names = known | {name}
            return _Knowledge(name, self._function(element, self._scope(names, read_names)), requires)
        logic = self._scope(known, read_names).logic(element, variable)
        names = frozenset(read_names - known).union(*(_reads_of(node) for node in requires))
        return Decision(key, name, names, variable, logic, check, frozenset(read_names), requires)

    def _scope(self, names: frozenset[str], read_names: set[str]) -> BoxedScope:
        return BoxedScope(names, self._members, self._types, self.findings, read_names)

    def _function(self, element: Element, scope: BoxedScope) -> Code:
        logic = child(element, "encapsulatedLogic")
        if logic is None:
            self.findings.add(element, "dmn_logic", "业务知识模型没有逻辑。")
            return lambda env, run: None
        return scope.function(logic)

    def _requirements(self, element: Element) -> list[_Requirement | None]:
        links = children(element, "informationRequirement", "knowledgeRequirement")
        targets = [target for link in links for target in children(link) if tag(target).startswith("required")]
        return [self._node(reference(target), element) for target in targets]


def _provided(node: _Requirement) -> frozenset[str]:
    """The names that a requirement brings into scope."""
    if not isinstance(node, Decision):
        return frozenset({node.variable})
    outputs = [output.name for output in node._logic.outputs] if isinstance(node._logic, Table) else []
    return frozenset({node._variable, *outputs})


def _reads_of(node: _Requirement) -> frozenset[str]:
    if isinstance(node, Decision):
        return node.names
    if isinstance(node, _Input):
        return frozenset({node.variable})
    return frozenset().union(*(_reads_of(each) for each in node.requires))
