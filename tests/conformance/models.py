"""DMN files for the tests, written as small tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from webapp.engine.decisions import Decision, parse_dmn

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
NAMESPACE = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def definitions(*elements: str, namespace: str = NAMESPACE) -> bytes:
    """A whole file."""
    return f'<definitions xmlns="{namespace}" id="m" name="m">{"".join(elements)}</definitions>'.encode()


def table(
    inputs: Sequence[str],
    outputs: Sequence[str],
    rules: Sequence[Sequence[str]],
    *,
    policy: str = "UNIQUE",
    aggregation: str = "",
    values: Mapping[str, str] | None = None,
    defaults: Mapping[str, str] | None = None,
    allowed: Mapping[str, str] | None = None,
) -> str:
    """A decision table; `values`, `defaults` by output, `allowed` by input. Rules are rows of cells."""
    aggregate = f' aggregation="{aggregation}"' if aggregation else ""
    parts = [f'<decisionTable id="t" hitPolicy="{policy}"{aggregate}>']
    parts += [
        f'<input id="in{at}"><inputExpression id="ie{at}">{_text(each)}</inputExpression>'
        f"{_wrapped('inputValues', (allowed or {}).get(each))}</input>"
        for at, each in enumerate(inputs)
    ]
    parts += [
        f'<output id="out{at}" name="{each}">{_wrapped("outputValues", (values or {}).get(each))}'
        f"{_wrapped('defaultOutputEntry', (defaults or {}).get(each))}</output>"
        for at, each in enumerate(outputs)
    ]
    for number, rule in enumerate(rules):
        cells = [("inputEntry" if at < len(inputs) else "outputEntry", cell) for at, cell in enumerate(rule)]
        body = "".join(f'<{kind} id="r{number}c{at}">{_text(cell)}</{kind}>' for at, (kind, cell) in enumerate(cells))
        parts.append(f'<rule id="r{number}">{body}</rule>')
    return "".join([*parts, "</decisionTable>"])


def literal(text: str, attributes: str = "") -> str:
    return f'<literalExpression id="le" {attributes}>{_text(text)}</literalExpression>'


def decision(logic: str, *, key: str = "d", name: str = "", needs: Sequence[str] = (), variable: str = "") -> str:
    """A decision; `needs` are whole requirement elements, see `requires`."""
    return f'<decision id="{key}" name="{name or key}">{variable}{"".join(needs)}{logic}</decision>'


def requires(key: str, kind: str = "Decision") -> str:
    """An information requirement of a decision or (`Input`) of input data; a knowledge requirement (`Knowledge`)."""
    link = "knowledgeRequirement" if kind == "Knowledge" else "informationRequirement"
    return f'<{link}><required{kind} href="#{key}"/></{link}>'


def only(*elements: str) -> Decision:
    """The last decision of a file of these elements."""
    return parse_dmn(definitions(*elements))[-1]


def rows(one: Decision, **variables: Any) -> list[dict[str, Any]]:
    return one.evaluate(variables, now=NOW)


def _text(text: str) -> str:
    return f"<text>{escape(text)}</text>"


def _wrapped(element: str, text: str | None) -> str:
    return f"<{element}>{_text(text)}</{element}>" if text else ""
