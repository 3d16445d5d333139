"""The form as HTML: the schema becomes plain nodes here, the templates give each node to one macro of the house.

`render` gives the form to fill in, `review` the same form to read, `cells` the parts that hang on one changed field
(conditional visibility: the browser asks, the server answers; there is one FEEL).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from flask import render_template
from markupsafe import Markup

from webapp import clock
from webapp.engine.feel import compile_expression
from webapp.forms import text as templated
from webapp.forms.schema import CHOICES, INPUTS, Component, Schema
from webapp.forms.scope import Environment, Scope, get_path
from webapp.forms.values import revive
from webapp.i18n import _

Errors = Mapping[str, Sequence[str]]
Node = dict[str, Any]
#: More options than this are offered as a list to choose from, not as boxes to tick.
MANY_OPTIONS = 8
#: So many rows of a dynamic list stand open when the page opens.
OPEN_ROWS = 3
_SLUG = re.compile(r"[^\w-]+")


def slug(path: str) -> str:
    """`enterprises[2].credit_code` as part of an element's id."""
    return _SLUG.sub("-", path).strip("-")


def element_id(path: str) -> str:
    """The id of the control (or list) of a field path: where an error links to."""
    return f"f-{slug(path)}" if path else "form-fields"


@dataclass(slots=True)
class _Build:
    environment: Environment
    errors: Errors
    readonly: bool
    affecting: frozenset[str] = frozenset()
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def render(schema: Schema, data: Mapping[str, Any], errors: Errors, environment: Environment) -> Markup:
    """The fields to fill in (without the form element around them and without buttons)."""
    build = _Build(environment, errors, False, _affecting(schema), _files(schema, data, environment))
    sections = _sections(schema, data, build)
    return Markup(render_template("forms/form.html", sections=sections, environment=environment))


def review(schema: Schema, data: Mapping[str, Any], environment: Environment) -> Markup:
    """The same form, only to be read."""
    build = _Build(environment, {}, True, frozenset(), _files(schema, data, environment))
    return Markup(render_template("forms/form.html", sections=_sections(schema, data, build), environment=environment))


def cells(
    schema: Schema, data: Mapping[str, Any], environment: Environment, changed: str, sent: Mapping[str, str]
) -> Markup:
    """The cells whose visibility or words hang on the field `changed` (its path on the page), to be swapped in.

    `sent`: the page's names of the rows, from `Parsed.sent_rows`.
    """
    name = re.split(r"[.\[]", changed.rsplit("].", 1)[-1])[0]
    row = changed.rsplit(".", 1)[0] if "]" in changed else ""
    build = _Build(environment, {}, False, _affecting(schema), _files(schema, data, environment))
    level = _Level(Scope(environment, data), data, "", "")
    found = [
        _node(component, place, build, wide=_wide(component, siblings))
        | {"section": place.path == "" and component.type == "group" and component in schema.components}
        for component, siblings, place in _places(schema.components, level, sent)
        if name in _names(component) and (not row or not place.path or place.sent.startswith(row))
    ]
    return Markup(render_template("forms/cells.html", nodes=found, environment=environment))


def error_items(schema: Schema, errors: Errors) -> list[dict[str, str]]:
    """What the error summary shows: {text, target, where}, in the order of the form's fields."""
    lists = {c.key: c.properties.get("item") or c.label for c in schema.walk() if c.type == "dynamiclist"}
    items = []
    for path, sentences in errors.items():
        match = re.match(r"([\w.]+)\[(\d+)\]", path)
        where = f"{lists.get(match.group(1), match.group(1))} {int(match.group(2)) + 1}" if match else ""
        items += [{"text": sentence, "target": element_id(path), "where": where} for sentence in sentences]
    return items


# ---- nodes -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Level:
    """Where the walk stands: the values of this level, the path in the data and the name on the page."""

    scope: Scope
    data: Mapping[str, Any]
    path: str
    sent: str


def _sections(schema: Schema, data: Mapping[str, Any], build: _Build) -> list[Node]:
    """Cards of the page: each outer group is one, loose components between groups share one."""
    level = _Level(Scope(build.environment, data), data, "", "")
    sections: list[Node] = []
    for component in schema.components:
        if component.type == "button":
            continue
        node = _node(component, level, build, wide=_wide(component, schema.components))
        if component.type == "group":
            sections.append({**node, "loose": False})
        elif sections and sections[-1]["loose"]:
            sections[-1]["nodes"].append(node)
        else:
            sections.append(
                {"loose": True, "nodes": [node], "kind": "group", "label": "", "hidden": False, "style": ""}
            )
    return sections


def _nodes(components: Sequence[Component], level: _Level, build: _Build) -> list[Node]:
    return [_node(c, level, build, wide=_wide(c, components)) for c in components if c.type != "button"]


def _node(component: Component, level: _Level, build: _Build, *, wide: bool = True) -> Node:
    path, name = level.path + component.key, level.sent + component.key
    place = slug(name) if component.key else slug(f"{level.sent}{component.id}")
    node: Node = {"kind": component.type, "cell": f"c-{place}", "name": name, "id": element_id(name), "wide": wide}
    node["hidden"] = level.scope.hides(component)
    node["style"] = component.properties.get("style", "")
    if node["hidden"]:
        return node | {"nodes": [], "rows": [], "label": ""}
    words = level.scope.words
    node |= {"label": words(component.label), "hint": words(component.description), "required": component.required}
    node["error"] = "".join(build.errors.get(path, ()))
    if component.key and component.key.split(".")[0] in build.affecting:
        node["refresh"] = name
    return node | _filled(component, level, build, path, name)


def _filled(component: Component, level: _Level, build: _Build, path: str, name: str) -> Node:
    """What the node holds, by kind."""
    if component.type == "group":
        inner = get_path(level.data, component.key) if component.key else level.data
        prefix = f"{component.key}." if component.key else ""
        inside = _Level(
            level.scope, inner if isinstance(inner, Mapping) else {}, level.path + prefix, level.sent + prefix
        )
        return {"nodes": _nodes(component.components, inside, build)}
    if component.type == "dynamiclist":
        return _rows(component, level, build, path, name)
    if component.type == "text":
        return {"html": templated.markdown(level.scope.words(component.text))}
    if component.type == "table":
        return _table(component, level)
    if component.type in INPUTS:
        return _input(component, level, build)
    return {}


def _input(component: Component, level: _Level, build: _Build) -> Node:
    value = get_path(level.data, component.key)
    options = level.scope.choices(component) if component.type in CHOICES else []
    if build.readonly or level.scope.fixed(component):
        return _shown(component, value, options, build)
    tones = dict(pair.split(":", 1) for pair in component.properties.get("tones", "").split("|") if ":" in pair)
    phrases = [p for p in component.properties.get("phrases", "").split("|") if p]
    return {
        "value": _for_control(component, value),
        "options": [{**option, "tone": tones.get(option["value"], "")} for option in options],
        "many": len(options) > MANY_OPTIONS,
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


def _shown(component: Component, value: Any, options: Sequence[Mapping[str, Any]], build: _Build) -> Node:
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


def _rows(component: Component, level: _Level, build: _Build, path: str, name: str) -> Node:
    rows = [row for row in get_path(level.data, component.key) or [] if isinstance(row, Mapping)]
    changeable = component.allow_rows and not build.readonly
    node: Node = {
        "item": component.properties.get("item", ""),
        "changeable": changeable,
        "min": _int(component.properties.get("min_rows")) or 0,
        "max": _int(component.properties.get("max_rows")),
        "rows": [
            _row(component, level, build, f"{path}[{n}]", f"{name}[{n}]", row, n, len(rows))
            for n, row in enumerate(rows)
        ],
    }
    if changeable:
        blank = _Build(build.environment, {}, False, build.affecting)
        empty = {c.key: c.default for c in component.components if c.key and c.default is not None}
        node["blank"] = _row(component, level, blank, f"{path}[__index__]", f"{name}[__index__]", empty, None, 1)
    return node


def _row(
    component: Component,
    level: _Level,
    build: _Build,
    path: str,
    name: str,
    row: Mapping[str, Any],
    n: int | None,
    count: int,
) -> Node:
    inside = _Level(level.scope.row(row), row, f"{path}.", f"{name}.")
    wrong = sum(len(words) for key, words in build.errors.items() if key.startswith(f"{path}.") or key == path)
    title, code = (component.properties.get(key) for key in ("title", "code"))
    return {
        "name": name,
        "id": f"e-{slug(name)}",
        "index": "__number__" if n is None else n + 1,
        "title": templated.shown(get_path(row, title)) if title else "",
        "code": templated.shown(get_path(row, code)) if code else "",
        "wrong": wrong,
        "error": "".join(build.errors.get(path, ())),
        "open": n is None or bool(wrong) or (count <= OPEN_ROWS) or (build.readonly and count <= MANY_OPTIONS),
        "nodes": _nodes(component.components, inside, build),
    }


def _table(component: Component, level: _Level) -> Node:
    source = component.data_source or ""
    rows = level.scope.evaluate(source) if source.startswith("=") else get_path(level.scope.data, source)
    found = [row for row in rows or () if isinstance(row, Mapping)]
    columns = component.table_columns or tuple((key, key) for key in (found[0] if found else ()))
    return {
        "columns": [label for label, _key in columns],
        "rows": [[templated.shown(get_path(row, key)) for _label, key in columns] for row in found],
    }


def _wide(component: Component, siblings: Sequence[Component]) -> bool:
    """Whether the cell takes the whole line: what stands alone in its row, and what asks for more than ten columns."""
    if component.columns:
        return component.columns > 10
    if component.type not in {"textfield", "number", "datetime", "select"} or not component.row:
        return component.type not in {"number", "datetime"}
    return sum(other.row == component.row for other in siblings) < 2


# ---- what hangs on what ------------------------------------------------------------------------------------------


def _names(component: Component) -> frozenset[str]:
    found: set[str] = set()
    for source in component.expressions():
        found |= compile_expression(source).names
    return frozenset(name.split(".")[0] for name in found)


def _affecting(schema: Schema) -> frozenset[str]:
    """Keys that some condition, text or option list reads."""
    return frozenset().union(*(_names(component) for component in schema.walk()))


def _places(
    components: Sequence[Component], level: _Level, sent: Mapping[str, str]
) -> Iterator[tuple[Component, Sequence[Component], _Level]]:
    """Every component with its place, rows under the names that the page gave them."""
    for component in components:
        yield component, components, level
        if component.type == "group":
            inner = get_path(level.data, component.key) if component.key else level.data
            prefix = f"{component.key}." if component.key else ""
            place = _Level(
                level.scope, inner if isinstance(inner, Mapping) else {}, level.path + prefix, level.sent + prefix
            )
            yield from _places(component.components, place, sent)
        elif component.type == "dynamiclist":
            for number, row in enumerate(get_path(level.data, component.key) or ()):
                path = f"{level.path}{component.key}[{number}]"
                place = _Level(level.scope.row(row), row, f"{path}.", f"{sent.get(path, path)}.")
                yield from _places(component.components, place, sent)


def file_ids(components: Sequence[Component], data: Mapping[str, Any]) -> Iterator[str]:
    """Ids of all documents that the form's data holds."""
    for component in components:
        if component.type == "filepicker":
            yield from (str(item) for item in get_path(data, component.key) or ())
        elif component.type == "group":
            inner = get_path(data, component.key) if component.key else data
            yield from file_ids(component.components, inner if isinstance(inner, Mapping) else {})
        elif component.type == "dynamiclist":
            for row in get_path(data, component.key) or ():
                yield from file_ids(component.components, row)


def _files(schema: Schema, data: Mapping[str, Any], environment: Environment) -> Mapping[str, Mapping[str, Any]]:
    """Tiles of all documents at once: one look-up for 200 enterprises with four files each."""
    ids = list(dict.fromkeys(file_ids(schema.components, data)))
    return environment.files(ids) if ids else {}
