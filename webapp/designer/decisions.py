"""Decision tables on the table: what is wrong with one, what it asks for, and what it says to a row of inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from webapp import clock
from webapp.designer.checking import Told, told
from webapp.engine.decisions import Decision, parse_dmn
from webapp.engine.dmn.reading import Element, child, children, read_definitions, text_of
from webapp.engine.errors import DeploymentRefused, FeelError
from webapp.engine.feel import compile_expression
from webapp.engine.feel.rendering import literal
from webapp.errors import Invalid, NotFound
from webapp.i18n import _

_TEXT: Final = re.compile(r'"([^"\\]{1,60})"')
#: What a person types into one box of the test row.
LONGEST: Final = 4000
EMPTY: Final = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" xmlns:dmndi="https://www.omg.org/spec/DMN/20191111/DMNDI/" xmlns:dc="http://www.omg.org/spec/DMN/20180521/DC/" id="definitions_{key}" name="{key}" namespace="https://qianyin.example/decisions">
  <decision id="{key}" name="{key}">
    <decisionTable id="table_{key}" hitPolicy="UNIQUE">
      <input id="input_{key}" label=""><inputExpression id="expression_{key}" typeRef="string"><text></text></inputExpression></input>
      <output id="output_{key}" label="" name="result" typeRef="string" />
    </decisionTable>
  </decision>
  <dmndi:DMNDI>
    <dmndi:DMNDiagram id="diagram_{key}">
      <dmndi:DMNShape id="shape_{key}" dmnElementRef="{key}"><dc:Bounds height="80" width="180" x="160" y="100" /></dmndi:DMNShape>
    </dmndi:DMNDiagram>
  </dmndi:DMNDI>
</definitions>
"""  # noqa: E501


@dataclass(frozen=True, slots=True)
class Asked:
    """One input of the test row. `type`: string | number | boolean | date | dateTime | … as the table says, or ''."""

    name: str
    label: str
    type: str
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """One decision of a file."""

    key: str
    name: str
    inputs: tuple[Asked, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """What the row gave. `rules`: ids of the rules that were hit; `rows`: outputs as FEEL; `error`: a sentence."""

    rules: tuple[str, ...] = ()
    rows: tuple[Mapping[str, str], ...] = ()
    error: str = ""
    warnings: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)  # input -> what is wrong with it


def inspect(content: bytes) -> tuple[list[Told], list[Shown]]:
    """What deployment would say of the file by itself, and its decisions (none, when it is refused)."""
    try:
        decisions = parse_dmn(content)
    except DeploymentRefused as refused:
        return [told(finding) for finding in refused.findings], []
    columns = _columns(read_definitions(content))
    return [], [_shown(decision, columns) for decision in decisions]


def _shown(decision: Decision, columns: Mapping[str, Asked]) -> Shown:
    names = sorted(decision.names, key=lambda name: (list(columns).index(name) if name in columns else 1000, name))
    inputs = tuple(columns.get(name) or Asked(name, name, "") for name in names)
    return Shown(decision.key, decision.name, inputs, decision.rules)


def _columns(definitions: Element) -> dict[str, Asked]:
    """The inputs of all tables that are plain variables, in the order of the columns."""
    found: dict[str, Asked] = {}
    for table in definitions.iter("{*}decisionTable"):
        for at, column in enumerate(children(table, "input")):
            expression = child(column, "inputExpression")
            name = text_of(expression)
            if expression is None or not name or name in found:
                continue
            cells = [children(rule, "inputEntry")[at : at + 1] for rule in children(table, "rule")]
            words = [text for cell in cells for one in cell for text in _TEXT.findall(text_of(one))]
            words += _TEXT.findall(text_of(child(column, "inputValues")))
            kind = (expression.get("typeRef") or "").rpartition(":")[2]
            found[name] = Asked(name, column.get("label") or name, kind, tuple(dict.fromkeys(words))[:50])
    return found


def try_row(content: bytes, key: str, written: Mapping[str, str], now: datetime | None = None) -> Tried:
    """Evaluate a decision with what a person typed. Errors: NotFound, Invalid (the file has faults)."""
    findings, decisions = inspect(content)
    if findings:
        raise Invalid(_("决策表有错误，先改正再试算。"))
    shown = next((one for one in decisions if one.key == key), None)
    if shown is None:
        raise NotFound(_("没有决策“%(key)s”。", key=key))
    now = now or clock.now()
    values, wrong = _values(shown, written, now)
    if wrong:
        return Tried(fields=wrong)
    decision = next(one for one in parse_dmn(content) if one.key == key)
    traced = decision.trace(values, now=now)
    rows = tuple({name: literal(value) for name, value in row.items()} for row in traced.rows)
    return Tried(traced.rules, rows, traced.error or "", traced.warnings)


def _values(shown: Shown, written: Mapping[str, str], now: datetime) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for asked in shown.inputs:
        text = str(written.get(asked.name) or "").strip()[:LONGEST]
        try:
            values[asked.name] = value_of(text, asked.type, now)
        except (FeelError, Invalid) as error:
            wrong[asked.name] = str(error)
    return values, wrong


def value_of(text: str, kind: str, now: datetime) -> Any:
    """What a person typed as a value of a FEEL type; of no declared type it is FEEL. Errors: FeelError, Invalid."""
    if not text:
        return None
    if kind == "string":
        return text.removeprefix('"').removesuffix('"') if text[:1] == text[-1:] == '"' and len(text) > 1 else text
    if kind in ("number", "integer", "long", "double"):
        return _number(text)
    if kind == "boolean":
        if text not in ("true", "false"):
            raise Invalid(_("请选择“是”或“否”。"))
        return text == "true"
    if kind in ("date", "dateTime", "time") and text[0].isdigit():
        text = f'{"date and time" if kind == "dateTime" else kind}("{text}")'
    expression = compile_expression(text)
    evaluation = expression.run({}, now=now)
    if evaluation.value is None and text != "null":
        raise Invalid(_("“%(text)s”没有得到值；文字要加双引号。", text=text[:60]))
    return evaluation.value


def _number(text: str) -> Decimal:
    try:
        found = Decimal(text.replace(",", "").replace("，", ""))
    except InvalidOperation as error:
        raise Invalid(_("“%(text)s”不是数字。", text=text[:60])) from error
    if not found.is_finite() or abs(found.adjusted()) > 100:
        raise Invalid(_("“%(text)s”不是数字。", text=text[:60]))
    return found
