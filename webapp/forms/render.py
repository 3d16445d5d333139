"""The form as HTML: the schema becomes plain nodes (`nodes`), the templates give each to one macro of the house.

`render` gives the form to fill in, `review` the same form to read, `cells` the parts that hang on one changed field
(conditional visibility: the browser asks, the server answers; there is one FEEL).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import render_template
from markupsafe import Markup

from webapp.forms.nodes import (
    Build,
    Errors,
    Level,
    affecting,
    check_parts,
    element_id,
    is_wide,
    names_of,
    node_of,
    places,
    sections,
)
from webapp.forms.schema import Component, Schema
from webapp.forms.scope import Environment, Scope, get_path


def render(schema: Schema, data: Mapping[str, Any], errors: Errors, environment: Environment) -> Markup:
    """The fields to fill in (without the form element around them and without buttons)."""
    files = _files(schema, data, environment)
    build = Build(environment, errors, False, affecting(schema), files, check_parts(schema))
    shown = sections(schema, data, build)
    return Markup(render_template("forms/form.html", sections=shown, environment=environment))


def review(schema: Schema, data: Mapping[str, Any], environment: Environment) -> Markup:
    """The same form, only to be read."""
    build = Build(environment, {}, True, frozenset(), _files(schema, data, environment), check_parts(schema))
    return Markup(render_template("forms/form.html", sections=sections(schema, data, build), environment=environment))


def cells(
    schema: Schema, data: Mapping[str, Any], environment: Environment, changed: str, sent: Mapping[str, str]
) -> Markup:
    """The cells whose visibility or words hang on the field `changed` (its path on the page), to be swapped in.

    `sent`: the page's names of the rows, from `Parsed.sent_rows`.
    """
    name = re.split(r"[.\[]", changed.rsplit("].", 1)[-1])[0]
    row = changed.rsplit(".", 1)[0] if "]" in changed else ""
    files = _files(schema, data, environment)
    build = Build(environment, {}, False, affecting(schema), files, check_parts(schema))
    level = Level(Scope(environment, data), data, "", "")
    found = [
        node_of(component, place, build, wide=is_wide(component, siblings))
        | {
            "section": place.path == ""
            and component.type in {"group", "dynamiclist"}
            and component in schema.components
        }
        for component, siblings, place in places(schema.components, level, sent)
        if name in names_of(component) and (not row or not place.path or place.sent.startswith(row))
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
