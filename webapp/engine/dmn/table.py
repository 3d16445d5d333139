"""Decision tables: compiled once, all hit policies of DMN 1.3 checked. (DMN 1.3, 8.2)

Each column keeps one test per distinct cell text and a bit mask of the rules that carry it: a table of two hundred
rules asks each different question once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

from webapp.engine.dmn.item_types import Check
from webapp.engine.dmn.reading import Element, Findings, child, children, text_of
from webapp.engine.errors import FeelError
from webapp.engine.feel.budget import Run
from webapp.engine.feel.builtins import BUILTINS
from webapp.engine.feel.functions import invoke
from webapp.engine.feel.operators import equal, identity
from webapp.engine.feel.unary import Test
from webapp.engine.feel.values import Code, Env, Value

SINGLE_HIT: Final = frozenset({"UNIQUE", "ANY", "PRIORITY", "FIRST"})
HIT_POLICIES: Final = SINGLE_HIT | {"RULE ORDER", "OUTPUT ORDER", "COLLECT"}
AGGREGATIONS: Final = frozenset({"SUM", "COUNT", "MIN", "MAX"})

Row = dict[str, Value]


class DecisionFailed(FeelError):
    """决策无法得出结果。"""

    code = "decision_failed"


class Scope(Protocol):
    """How the cells of a table are compiled; a faulty cell is a finding and compiles to null."""

    findings: Findings

    def code(self, holder: Element | None, text: str) -> Code: ...

    def test(self, holder: Element, text: str) -> Test: ...

    def check(self, element: Element, type_ref: str | None) -> Check | None: ...


@dataclass(frozen=True, slots=True)
class Column:
    """One input: its expression, the values allowed, and the rules by distinct test."""

    label: str
    expression: Code
    allowed: Test | None
    unconditional: int  # mask of the rules whose cell is empty
    tests: tuple[tuple[int, Test], ...]

    def hits(self, candidates: int, env: Env, run: Run) -> int:
        """The mask of those candidates whose cell the input passes. Errors: DecisionFailed."""
        value = self.expression(env, run)
        if self.allowed is not None and value is not None and self.allowed(value, env, run) is not True:
            raise DecisionFailed(f"输入“{self.label}”的值不在允许的范围内。")
        passed = self.unconditional
        run.charge(len(self.tests))
        for mask, test in self.tests:
            if mask & candidates and test(value, env, run) is True:
                passed |= mask
        return candidates & passed


@dataclass(frozen=True, slots=True)
class Output:
    """One output: its name, its check, its values in order of priority (or None), and its default (or None)."""

    name: str
    check: Check | None
    priorities: Code | None
    default: Code | None


@dataclass(frozen=True, slots=True)
class Table:
    """A compiled decision table: immutable, shared by threads."""

    name: str
    policy: str
    aggregation: str | None
    columns: tuple[Column, ...]
    outputs: tuple[Output, ...]
    rules: tuple[tuple[Code, ...], ...]
    ids: tuple[str, ...]  # of the rules

    def rows(self, env: Env, run: Run) -> list[Row]:
        """The outputs of the matched rules after the hit policy. Errors: DecisionFailed, LimitExceeded."""
        hits = self._hits(env, run)
        run.fired += [self.ids[hit] for hit in (hits[:1] if self.policy == "FIRST" else hits)]
        if not hits:
            return self._default(env, run)
        if self.policy == "UNIQUE" and len(hits) > 1:
            numbers = "、".join(str(hit + 1) for hit in hits)
            raise DecisionFailed(f"决策表“{self.name}”的命中策略是 UNIQUE，但规则 {numbers} 同时匹配。")
        if self.policy == "FIRST":
            hits = hits[:1]
        return self._after_policy([self._row(self.rules[hit], env, run) for hit in hits], env, run)

    def value(self, env: Env, run: Run) -> Value:
        """The value in FEEL: of single-hit tables one row, of others a list; a row of one output is its value."""
        rows = self.rows(env, run)
        one = len(self.outputs) == 1
        values: list[Value] = [row[self.outputs[0].name] if one else row for row in rows]
        if self.policy in SINGLE_HIT or self.aggregation:
            return values[0] if values else None
        return values or None

    def _hits(self, env: Env, run: Run) -> list[int]:
        candidates = (1 << len(self.rules)) - 1
        for column in self.columns:
            candidates = column.hits(candidates, env, run)
            if not candidates:
                break
        run.charge(len(self.rules))
        return [rule for rule in range(candidates.bit_length()) if candidates >> rule & 1]

    def _row(self, entries: Sequence[Code], env: Env, run: Run) -> Row:
        row: Row = {}
        for output, entry in zip(self.outputs, entries, strict=True):
            value = entry(env, run)
            row[output.name] = output.check(run, value) if output.check else value
        return row

    def _default(self, env: Env, run: Run) -> list[Row]:
        if any(output.default for output in self.outputs):
            return [self._row([output.default or _null for output in self.outputs], env, run)]
        return [{self.outputs[0].name: Decimal(0)}] if self.aggregation == "COUNT" else []

    def _after_policy(self, rows: list[Row], env: Env, run: Run) -> list[Row]:
        if self.policy == "ANY":
            keys = {identity(run, row) for row in rows}
            if len(keys) > 1:
                raise DecisionFailed(f"决策表“{self.name}”的命中策略是 ANY，但匹配的规则给出不同的结果。")
            return rows[:1]
        if self.policy in ("PRIORITY", "OUTPUT ORDER"):
            rows = sorted(rows, key=self._rank(env, run))
            return rows[:1] if self.policy == "PRIORITY" else rows
        return self._aggregated(rows, run) if self.aggregation else rows

    def _aggregated(self, rows: list[Row], run: Run) -> list[Row]:
        name = self.outputs[0].name
        values = [row[name] for row in rows]
        if self.aggregation == "COUNT":
            return [{name: Decimal(len(values))}]
        return [{name: invoke(run, BUILTINS[(self.aggregation or "").lower()], (values,))}]

    def _rank(self, env: Env, run: Run) -> Callable[[Row], list[int]]:
        """The order of rows: by each output's values in the order in which the model lists them."""
        orders = [
            (output.name, output.priorities(env, run) or []) for output in self.outputs if output.priorities is not None
        ]

        def rank(row: Row) -> list[int]:
            run.charge(len(orders))
            return [_place(run, values, row[name]) for name, values in orders]

        return rank


def _place(run: Run, values: list[Value], value: Value) -> int:
    return next((place for place, each in enumerate(values) if equal(run, each, value) is True), len(values))


def _null(env: Env, run: Run) -> None:
    return None


# ---- compiling ---------------------------------------------------------------------------------------------------


def compile_table(element: Element, name: str, scope: Scope) -> Table:
    """The table of a `decisionTable` element; `name`: of its only output when that has none. Faults are findings."""
    rules, inputs, outputs = (children(element, kind) for kind in ("rule", "input", "output"))
    findings = scope.findings
    policy, aggregation = element.get("hitPolicy", "UNIQUE"), element.get("aggregation")
    if policy not in HIT_POLICIES:
        findings.add(element, "dmn_hit_policy", f"没有命中策略“{policy}”。")
    if aggregation and (aggregation not in AGGREGATIONS or policy != "COLLECT" or len(outputs) != 1):
        findings.add(
            element, "dmn_aggregation", "汇总只能是 SUM、COUNT、MIN、MAX，用于命中策略 COLLECT 且只有一个输出。"
        )
    whole = [rule for rule in rules if _is_whole(rule, len(inputs), len(outputs), findings)]
    table = Table(
        name=name,
        policy=policy,
        aggregation=aggregation,
        columns=tuple(_column(each, at, whole, scope) for at, each in enumerate(inputs)),
        outputs=tuple(_output(each, name if len(outputs) == 1 else "", scope) for each in outputs),
        rules=tuple(tuple(scope.code(e, text_of(e)) for e in children(rule, "outputEntry")) for rule in whole),
        ids=tuple(rule.get("id") or f"{name}/{number}" for number, rule in enumerate(whole, start=1)),
    )
    _check_outputs(element, table, findings)
    return table


def _is_whole(rule: Element, inputs: int, outputs: int, findings: Findings) -> bool:
    whole = len(children(rule, "inputEntry")) == inputs and len(children(rule, "outputEntry")) == outputs
    if not whole:
        findings.add(rule, "dmn_rule", "规则的单元格数与决策表的列数不同。")
    return whole


def _check_outputs(element: Element, table: Table, findings: Findings) -> None:
    names = [output.name for output in table.outputs]
    if not names or "" in names or len(set(names)) != len(names):
        findings.add(element, "dmn_output", "决策表至少有一个输出；有多个输出时，每个都要有不同的名称。")
    if table.policy in ("PRIORITY", "OUTPUT ORDER") and not any(output.priorities for output in table.outputs):
        findings.add(element, "dmn_output_values", f"命中策略 {table.policy} 需要列出输出值（outputValues）。")


def _column(element: Element, at: int, rules: Sequence[Element], scope: Scope) -> Column:
    expression = child(element, "inputExpression")
    text = text_of(expression)
    if not text:
        scope.findings.add(element, "dmn_input", "输入列没有表达式。")
    cells: dict[str, int] = {}
    holders: dict[str, Element] = {}
    for number, rule in enumerate(rules):
        cell = children(rule, "inputEntry")[at]
        test = text_of(cell) or "-"
        cells[test] = cells.get(test, 0) | 1 << number
        holders.setdefault(test, cell)
    unconditional = cells.pop("-", 0)
    allowed = text_of(child(element, "inputValues"))
    return Column(
        label=element.get("label") or text,
        expression=scope.code(expression, text) if text else _null,
        allowed=scope.test(element, allowed) if allowed else None,
        unconditional=unconditional,
        tests=tuple((mask, scope.test(holders[test], test)) for test, mask in cells.items()),
    )


def _output(element: Element, default_name: str, scope: Scope) -> Output:
    values = text_of(child(element, "outputValues"))
    default = child(element, "defaultOutputEntry")
    return Output(
        name=element.get("name") or default_name,
        check=scope.check(element, element.get("typeRef")),
        priorities=scope.code(element, f"[{values}]") if values else None,
        default=scope.code(default, text_of(default)) if text_of(default) else None,
    )
