"""What a step writes into the instance's own row: state, tokens, title, stage, search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from webapp.engine.bpmn import Execution
from webapp.engine.definitions import Definition
from webapp.engine.errors import FeelError
from webapp.engine.recorder import Recorder
from webapp.engine.search import bigrams
from webapp.engine.store import Instance

Tokens = list[tuple[str, UUID, str, datetime]]
_LONGEST_TITLE = 300
_DEEPEST = 6


def in_incident(tokens: Tokens) -> frozenset[UUID]:
    """The nodes that stand in an incident."""
    return frozenset(node for _, node, state, _ in tokens if state == "incident")


def complete(
    recorder: Recorder, execution: Execution, title: str, instance: Instance | None, stood: frozenset[UUID]
) -> frozenset[UUID]:
    """Fill the row from the execution after it ran; gives the nodes that stand in an incident now."""
    case, changes = recorder.case, recorder.changes
    tokens = execution.tokens()
    incidents = in_incident(tokens)
    changes.settled += stood - incidents
    changes.state = execution.dump()
    row = changes.row
    row.setdefault("status", "active")
    row["tokens"] = [
        {"element_id": element_id, "node": node, "state": state, "since": since}
        for element_id, node, state, since in tokens
    ]
    row["stage"] = stage(case.definition, (token[0] for token in tokens)) or (instance.stage if instance else None)
    _describe(recorder, execution, title)
    return incidents


def _describe(recorder: Recorder, execution: Execution, title: str) -> None:
    """Title and search words, evaluated again when something that they read has changed."""
    case, changes = recorder.case, recorder.changes
    definition, changed = case.definition, recorder.changed.keys()
    searchable = definition.compiled.info.searchable
    named = definition.title is not None and bool(definition.title.names & changed)
    fresh = changes.new or named or not changed.isdisjoint(searchable)
    variables = execution.variables() if fresh or (changes.tasks and searchable) else {}
    if fresh:
        title = _title(definition, variables, case.now) or title
    changes.row["title"] = title
    words = [title, case.business_key or "", *_texts([variables.get(name) for name in searchable])]
    if fresh:
        changes.search = bigrams(*words)
        changes.row["business"] = business(searchable, variables)
    for task in changes.tasks:
        task["title"] = title
        task["search"] = bigrams(task["name"], *words)


def business(searchable: Iterable[str], variables: Mapping[str, Any]) -> dict[str, Any]:
    """The searchable variables as lists filter and show them: texts and numbers whole, of larger values their words."""
    found = {}
    for name in searchable:
        value = variables.get(name)
        if value is not None and value != "":
            plain = isinstance(value, bool | int) or type(value) is str
            found[name] = value if plain else "、".join(dict.fromkeys(_texts(value)))
    return {name: value[:_LONGEST_TITLE] if isinstance(value, str) else value for name, value in found.items()}


def _title(definition: Definition, variables: Mapping[str, Any], now: datetime) -> str | None:
    """The model's title; None when it has none or it cannot be computed yet (a title never stops a case)."""
    if definition.title is None:
        return None
    try:
        value = definition.title.evaluate(variables, now=now)
    except FeelError:
        return None
    return value[:_LONGEST_TITLE] if isinstance(value, str) and value else None


def _texts(value: Any, depth: int = 0) -> Iterable[str]:
    """Every text and number inside a value."""
    if isinstance(value, str):
        yield value
    elif depth < _DEEPEST and isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item, depth + 1)
    elif value is not None and not isinstance(value, bool | Mapping | list):
        yield str(value)


def stage(definition: Definition, element_ids: Iterable[str]) -> str | None:
    """The furthest stage that a token stands in; an element without one is in that of the subprocess around it."""
    order = {key: number for number, (key, _) in enumerate(definition.compiled.info.stages)}
    elements = definition.compiled.elements
    found: set[str] = set()
    for element_id in element_ids:
        element = elements.get(element_id)
        while element is not None and element.stage is None:
            element = elements.get(element.parent_id) if element.parent_id else None
        if element is not None and element.stage in order:
            found.add(element.stage)
    return max(found, key=order.__getitem__, default=None)
