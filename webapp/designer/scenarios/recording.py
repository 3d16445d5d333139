"""Recording: a case is gone through step by step; the scenario so far is all the state there is, run anew each time.

Nothing is kept on the server, so two tabs, the back button and a reload cannot disturb one another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from werkzeug.datastructures import MultiDict

from webapp.designer import decisions
from webapp.designer.forms import sample_options
from webapp.designer.scenarios.sandbox import Sandbox, Wait
from webapp.designer.scenarios.scenario import Scenario, Step
from webapp.engine import modelset
from webapp.engine.errors import FeelError
from webapp.engine.feel.rendering import literal
from webapp.errors import Invalid, QianyinError
from webapp.forms.parse import Parsed, parse
from webapp.forms.schema import Component, Schema, load
from webapp.forms.scope import Environment, prefill
from webapp.i18n import _

#: Fields of the page around a form begin with this; everything else is the form's.
OWN: Final = "__"
#: What stands for a file that somebody would have uploaded.
SAMPLE_FILE: Final = UUID(int=1)


@dataclass(slots=True)
class TaskForm:
    """The form of one open task in the sandbox."""

    wait: Wait
    nth: int
    schema: Schema
    environment: Environment
    data: dict[str, Any]


def task_form(box: Sandbox, wait: Wait, files: modelset.ModelSet, refresh_url: str = "") -> TaskForm:
    """The task's form as a person would see it; choices that the domain would give have sample options.

    Errors: Invalid (the form cannot be shown).
    """
    schema = Schema("", ())
    if wait.element.form_ref in files.forms:
        schema = _without_files(load(_document(files, files.forms[wait.element.form_ref or ""])))
    variables = wait.case.running().variables(wait.node)
    own = {c.key: variables[c.key] for c in schema.walk() if c.key in variables}
    initial = prefill(schema.components, own)
    environment = Environment(
        options=sample_options(schema), context=variables, initial=initial, now=box.at, refresh_url=refresh_url
    )
    same = [one for one in box.of("task") if one.element.id == wait.element.id]
    return TaskForm(wait, same.index(wait), schema, environment, dict(initial))


def _document(files: modelset.ModelSet, name: str) -> Any:
    return orjson.loads(files.resources[name])


def _without_files(schema: Schema) -> Schema:
    """Files are not uploaded into a sandbox: a box to tick stands for having brought one."""
    return Schema(schema.id, tuple(_boxed(component) for component in schema.components))


def _boxed(component: Component) -> Component:
    if component.type != "filepicker":
        return replace(component, components=tuple(_boxed(inner) for inner in component.components))
    label = _("%(label)s（附示例文件）", label=component.label)
    return replace(component, type="checkbox", label=label, validate={}, properties={"sample": "file"})


def answered(form: TaskForm, sent: MultiDict[str, str]) -> tuple[Step | None, Parsed]:
    """The step that completes the task with what was sent; None with the errors by field."""
    fields = MultiDict((name, value) for name, value in sent.items(multi=True) if not name.startswith(OWN))
    fields.pop("csrf_token", None)
    outcome = fields.poplist("outcome")
    parsed = parse(form.schema, fields, form.environment) if form.schema.components else Parsed()
    chosen = outcome[0] if outcome else None
    if form.wait.element.outcomes and chosen not in {one.value for one in form.wait.element.outcomes}:
        parsed.add("outcome", _("请选择办理结果。"))
    if not parsed.ok:
        return None, parsed
    data = _files_back(form.schema.components, parsed.data)
    return Step("complete", form.wait.element.id, data, chosen, form.nth), parsed


def _files_back(components: Iterable[Component], data: Mapping[str, Any]) -> dict[str, Any]:
    """Ticked boxes that stand for files become lists of files again."""
    found = dict(data)
    for component in components:
        if component.type == "group" and not component.key:
            found = _files_back(component.components, found)
        elif component.type in ("group", "dynamiclist") and component.key in found:
            inner = found[component.key]
            rows = [_files_back(component.components, row) for row in (inner if isinstance(inner, list) else [inner])]
            found[component.key] = rows if isinstance(inner, list) else rows[0]
        elif component.properties.get("sample") == "file" and component.key in found:
            found[component.key] = [str(SAMPLE_FILE)] if found[component.key] else []
    return found


# ---- values that a person types, in FEEL


def pairs(names: Iterable[str], texts: Iterable[str], now: datetime) -> dict[str, Any]:
    """Rows of a table of name and FEEL value; empty rows are left out. Errors: Invalid with the row's name."""
    found: dict[str, Any] = {}
    for name, text in zip(names, texts, strict=False):
        name, text = name.strip(), text.strip()
        if not name:
            continue
        try:
            found[name[:200]] = decisions.value_of(text[: decisions.LONGEST], "", now)
        except (FeelError, Invalid) as error:
            raise Invalid(_("%(name)s：%(why)s", name=name[:80], why=str(error))) from error
    return found


def rows_of(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The same rows, to be shown."""
    found = []
    for name, value in values.items():
        try:
            found.append((name, "" if value is None else literal(value)))
        except QianyinError:
            found.append((name, ""))
    return found


def doubles(box: Sandbox, scenario: Scenario) -> list[dict[str, Any]]:
    """The handlers and called processes that were reached, each once, with the values that stand for their results."""
    found: dict[str, dict[str, Any]] = {}
    for used in box.used:
        key = used.element.id
        if key in scenario.results or key in found:
            name = key
        else:
            topic = used.element.topic or used.element.called_key or ""
            name = topic if topic in scenario.results else key
        given = scenario.results.get(name, {})
        values = {one: given.get(one, used.values.get(one)) for one in dict.fromkeys((*used.names, *given))}
        words = box.around.hooks.handlers.get(used.element.topic or "")
        found[key] = {
            "key": name,
            "element": used.element,
            "rows": rows_of(values),
            "words": dict(words.outputs) if words is not None else {},
            "given": bool(given),
        }
    return list(found.values())
