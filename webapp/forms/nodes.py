"""The schema as plain nodes: what the templates give to the macros of the house, one node for each component."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from webapp import clock
from webapp.engine.feel import compile_expression
from webapp.forms import text as templated
from webapp.forms.schema import CHOICES, INPUTS, Component, Schema
from webapp.forms.scope import Environment, Scope, get_path
from webapp.forms.values import revive
from webapp.i18n import _

Errors = Mapping[str, Sequence[str]]
Node = dict[str, Any]
#: More options than this stand in two columns; more than `MOST_BOXES` are a list to choose from, not boxes to tick.
MANY_OPTIONS = 8
MOST_BOXES = 40
#: So many rows of a dynamic list stand open when the page opens.
OPEN_ROWS = 3
#: The same of a list whose rows are given, so that all of them are to be filled in or read.
OPEN_FIXED_ROWS = 8
_SLUG = re.compile(r"[^\w-]+")


def slug(path: str) -> str:
    """`enterprises[2].credit_code` as part of an element's id."""
    return _SLUG.sub("-", path).strip("-")


def element_id(path: str) -> str:
    """The id of the control (or list) of a field path: where an error links to."""
    return f"f-{slug(path)}" if path else "form-fields"


@dataclass(slots=True)
class Build:
    environment: Environment
    errors: Errors
    readonly: bool
    affecting: frozenset[str] = frozenset()
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    checks: Mapping[str, str] = field(default_factory=dict)  # component id -> its part in an item to be checked


@dataclass(frozen=True, slots=True)
class Level:
    """Where the walk stands: the values of this level, the path in the data and the name on the page."""

    scope: Scope
    data: Mapping[str, Any]
    path: str
    sent: str


def sections(schema: Schema, data: Mapping[str, Any], build: Build) -> list[Node]:
    """Cards of the page: each outer group is one, loose components between groups share one."""
    level = Level(Scope(build.environment, data), data, "", "")
    sections: list[Node] = []
    for component in schema.components:
        if component.type == "button":
            continue
        node = node_of(component, level, build, wide=is_wide(component, schema.components))
        if component.type == "group" and build.checks.get(component.id) == "item":
            if not (sections and sections[-1]["kind"] == "checks"):
                sections.append({"kind": "checks", "loose": False, "nodes": [], "hidden": False})
            sections[-1]["nodes"].append(node)
        elif component.type in {"group", "dynamiclist"}:
            sections.append({**node, "loose": False})
        elif sections and sections[-1]["loose"]:
            sections[-1]["nodes"].append(node)
        else:
            sections.append(
                {"loose": True, "nodes": [node], "kind": "group", "label": "", "hidden": False, "style": ""}
            )
    return sections


def nodes_of(components: Sequence[Component], level: Level, build: Build) -> list[Node]:
    return [node_of(c, level, build, wide=is_wide(c, components)) for c in components if c.type != "button"]


def node_of(component: Component, level: Level, build: Build, *, wide: bool = True) -> Node:
    path, name = level.path + component.key, level.sent + component.key
    place = slug(name) if component.key else slug(f"{level.sent}{component.id}")
    node: Node = {"kind": component.type, "cell": f"c-{place}", "name": name, "id": element_id(name), "wide": wide}
    node["hidden"] = level.scope.hides(component)
    node["style"] = component.properties.get("style", "")
    node["part"] = build.checks.get(component.id, "")
    if node["hidden"]:
        return node | {"nodes": [], "rows": [], "label": ""}
    words = level.scope.words
    node |= {"label": words(component.label), "hint": words(component.description), "required": component.required}
    node["note"] = _note(component, build.environment)
    node["error"] = "".join(build.errors.get(path, ()))
    if component.key and component.key.split(".")[0] in build.affecting:
        node["refresh"] = name
    return node | _filled(component, level, build, path, name)


def _note(component: Component, environment: Environment) -> str:
    """What stands beside the label. Where the domain checks more than the schema says, only 必填 is certain."""
    own = component.properties.get("note")
    if own is not None:
        return _(own)
    if environment.schema_decides:
        return ""
    return _("必填") if component.required else " "


def _results(words: str) -> list[tuple[str, str]]:
    """Lines that begin with a sign of the house (✓ ▲ ✕) as (kind, words) for the macro `status`."""
    kinds = {"✓": "ok", "▲": "fix", "⚠": "fix", "✕": "no", "✗": "no"}
    lines = [line.strip() for line in words.split("\n") if line.strip()]
    return [(kinds.get(line[0], ""), line[1:].strip() if line[0] in kinds else line) for line in lines]


def _filled(component: Component, level: Level, build: Build, path: str, name: str) -> Node:
    """What the node holds, by kind."""
    if component.type == "group":
        inner = get_path(level.data, component.key) if component.key else level.data
        prefix = f"{component.key}." if component.key else ""
        inside = Level(
            level.scope, inner if isinstance(inner, Mapping) else {}, level.path + prefix, level.sent + prefix
        )
        return {"nodes": nodes_of(component.components, inside, build)}
    if component.type == "dynamiclist":
        return _rows(component, level, build, path, name)
    if component.type == "text":
        filled = level.scope.words(component.text)
        return {"html": templated.markdown(filled), "results": _results(filled)}
    if component.type == "table":
        return _table(component, level)
    if component.type in INPUTS:
        return _input(component, level, build)
    return {}


def _input(component: Component, level: Level, build: Build) -> Node:
    value = get_path(level.data, component.key)
    options = level.scope.choices(component) if component.type in CHOICES else []
    if build.readonly or level.scope.fixed(component):
        return _shown(component, value, options, build)
    tones = dict(pair.split(":", 1) for pair in component.properties.get("tones", "").split("|") if ":" in pair)
    phrases = [p for p in component.properties.get("phrases", "").split("|") if p]
    return {
        "value": _for_control(component, value),
        "options": [{**option, "tone": tones.get(option["value"], "")} for option in options],
        "many": len(options) > MOST_BOXES,
        "layout": component.properties.get("style") or ("cards row" if len(options) > MANY_OPTIONS else "plain"),
        "unit": component.unit,
        "decimals": component.decimals != 0,
        "maxlength": _int(component.validate.get("maxLength")),
        "lines": _int(component.properties.get("rows")) or 3,
        "phrases": phrases + (list(build.environment.phrases) if component.type == "textarea" else []),
        "placeholder": component.properties.get("placeholder", ""),
        "files": [build.files[i] for i in value or () if i in build.files] if component.type == "filepicker" else [],
        "accept": component.accept,
        "multiple": component.multiple,
        "input": _input_type(component),
        "with_time": component.subtype == "datetime",
        "lookup": component.properties.get("lookup", ""),
    } | _date_limits(component, build.environment)


def _input_type(component: Component) -> str:
    if component.type == "datetime":
        return component.subtype
    return {"email": "email", "phone": "tel"}.get(str(component.validate.get("validationType")), "text")


def _date_limits(component: Component, environment: Environment) -> Node:
    if component.type != "datetime":
        return {}
    limits = {name: str(component.validate.get(name) or "") for name in ("min", "max")}
    return {name: environment.today.isoformat() if limit == "today" else limit for name, limit in limits.items()}


def _int(value: Any) -> int | None:
    return int(value) if value not in (None, "") else None


def _for_control(component: Component, value: Any) -> Any:
    if component.type in {"checkbox", "checklist", "taglist", "filepicker"}:
        return value
    if isinstance(value, datetime):
        return value.astimezone(clock.BEIJING).strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, date | time):
        return value.isoformat()[:10]
    return templated.shown(value)


def _shown(component: Component, value: Any, options: Sequence[Mapping[str, Any]], build: Build) -> Node:
    """A value in words."""
    if component.type == "filepicker":
        return {"kind": "files", "files": [build.files[i] for i in value or () if i in build.files]}
    if component.type == "checkbox":
        return {"kind": "value", "value": _("是") if value else _("否")}
    if component.type in CHOICES:
        labels = {option["value"]: option["label"] for option in options}
        chosen = value if isinstance(value, list) else [value] if value not in (None, "") else []
        return {"kind": "value", "value": "、".join(str(labels.get(str(v), v)) for v in chosen)}
    words = templated.shown(revive(component, value))
    if component.properties.get("mask") == "true" and len(words) > 8:
        words = words[:6] + "*" * (len(words) - 10) + words[-4:] if len(words) > 10 else "*" * len(words)
    return {"kind": "value", "value": words + (f" {component.unit}" if words and component.unit else "")}


def _rows(component: Component, level: Level, build: Build, path: str, name: str) -> Node:
    rows = [row for row in get_path(level.data, component.key) or [] if isinstance(row, Mapping)]
    changeable = component.allow_rows and not build.readonly
    node: Node = {
        "item": component.properties.get("item", ""),
        "measure": component.properties.get("measure") or _("个"),
        "changeable": changeable,
        "min": _int(component.properties.get("min_rows")) or 0,
        "max": _int(component.properties.get("max_rows")),
        "rows": [
            _row(component, level, build, f"{path}[{n}]", f"{name}[{n}]", row, n, len(rows))
            for n, row in enumerate(rows)
        ],
    }
    if changeable:
        blank = Build(build.environment, {}, False, build.affecting)
        empty = {c.key: c.default for c in component.components if c.key and c.default is not None}
        node["blank"] = _row(component, level, blank, f"{path}[__index__]", f"{name}[__index__]", empty, None, 1)
    return node


def _row(
    component: Component,
    level: Level,
    build: Build,
    path: str,
    name: str,
    row: Mapping[str, Any],
    n: int | None,
    count: int,
) -> Node:
    inside = Level(level.scope.row(row), row, f"{path}.", f"{name}.")
    wrong = sum(len(words) for key, words in build.errors.items() if key.startswith(f"{path}.") or key == path)
    title, code = (component.properties.get(key) for key in ("title", "code"))
    few = OPEN_ROWS if component.allow_rows else OPEN_FIXED_ROWS
    return {
        "name": name,
        "id": f"e-{slug(name)}",
        "index": "__number__" if n is None else n + 1,
        "title": templated.shown(get_path(row, title)) if title else "",
        "code": templated.shown(get_path(row, code)) if code else "",
        "title_name": f"{name}.{title}" if title else "",
        "code_name": f"{name}.{code}" if code else "",
        "wrong": wrong,
        "error": "".join(build.errors.get(path, ())),
        "open": n is None or bool(wrong) or count <= few or (build.readonly and count <= MANY_OPTIONS),
        "nodes": nodes_of(component.components, inside, build),
    }


def _table(component: Component, level: Level) -> Node:
    source = component.data_source or ""
    rows = level.scope.evaluate(source) if source.startswith("=") else get_path(level.scope.data, source)
    found = [row for row in rows or () if isinstance(row, Mapping)]
    columns = component.table_columns or tuple((key, key) for key in (found[0] if found else ()))
    return {
        "columns": [label for label, _key in columns],
        "rows": [[templated.shown(get_path(row, key)) for _label, key in columns] for row in found],
    }


def is_wide(component: Component, siblings: Sequence[Component]) -> bool:
    """Whether the cell takes the whole line: what stands alone in its row, and what asks for more than ten columns."""
    if component.columns:
        return component.columns > 10
    if component.type not in {"textfield", "number", "datetime", "select"} or not component.row:
        return component.type not in {"number", "datetime"}
    return sum(other.row == component.row for other in siblings) < 2


def check_parts(schema: Schema) -> dict[str, str]:
    """Groups that ask for a verdict on files, and what their components are in such an item.

    ``item`` the group · ``verdict`` its segmented choice · ``files`` · ``results`` texts · ``reason`` everything else.
    """
    parts: dict[str, str] = {}
    for group in schema.components:
        inner = group.components
        verdicts = [c for c in inner if c.type == "radio" and c.properties.get("style") == "segmented"]
        if group.type != "group" or len(verdicts) != 1 or not any(c.type == "filepicker" for c in inner):
            continue
        parts[group.id] = "item"
        names = {"filepicker": "files", "text": "results"}
        parts |= {c.id: "verdict" if c is verdicts[0] else names.get(c.type, "reason") for c in inner}
    return parts


# ---- what hangs on what ------------------------------------------------------------------------------------------


def names_of(component: Component) -> frozenset[str]:
    found: set[str] = set()
    for source in component.expressions():
        found |= compile_expression(source).names
    return frozenset(name.split(".")[0] for name in found)


def affecting(schema: Schema) -> frozenset[str]:
    """Keys that some condition, text or option list reads."""
    return frozenset().union(*(names_of(component) for component in schema.walk()))


def places(
    components: Sequence[Component], level: Level, sent: Mapping[str, str]
) -> Iterator[tuple[Component, Sequence[Component], Level]]:
    """Every component with its place, rows under the names that the page gave them."""
    for component in components:
        yield component, components, level
        if component.type == "group":
            inner = get_path(level.data, component.key) if component.key else level.data
            prefix = f"{component.key}." if component.key else ""
            place = Level(
                level.scope, inner if isinstance(inner, Mapping) else {}, level.path + prefix, level.sent + prefix
            )
            yield from places(component.components, place, sent)
        elif component.type == "dynamiclist":
            for number, row in enumerate(get_path(level.data, component.key) or ()):
                path = f"{level.path}{component.key}[{number}]"
                place = Level(level.scope.row(row), row, f"{path}.", f"{sent.get(path, path)}.")
                yield from places(component.components, place, sent)
