"""Forms on the table: the same check as at deployment, and the form as the server will show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import orjson

from webapp import clock
from webapp.engine.errors import FeelError
from webapp.forms import schema
from webapp.forms.render import render, review
from webapp.forms.schema import CHOICES, Component, Schema
from webapp.forms.scope import Environment, prefill, set_path
from webapp.i18n import _

#: The kinds of components that the editor offers: what the server renders, less what the model itself gives.
OFFERED: Final = sorted(schema.SUPPORTED - {"button"})
EMPTY: Final = '{{\n  "id": "{key}",\n  "type": "default",\n  "schemaVersion": 19,\n  "components": []\n}}\n'


@dataclass(frozen=True, slots=True)
class Preview:
    """`problems`: why the form cannot be deployed; without any, how it looks to fill in and to read."""

    problems: list[str]
    fill: str = ""
    review: str = ""


def problems(content: bytes) -> list[str]:
    """Why this file cannot be deployed as a form, in sentences."""
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        return [_("表单不是 JSON，请用表单设计器重新保存。")]
    if not isinstance(document, dict):
        return [_("表单不是 JSON，请用表单设计器重新保存。")]
    try:
        return schema.check(document)
    except (TypeError, ValueError, AttributeError, KeyError):
        return [_("表单中有无法识别的部件。")]


def preview(content: bytes) -> Preview:
    """The form with sample values, as whoever does the task sees it and as it is read later."""
    found = problems(content)
    if found:
        return Preview(found)
    try:
        loaded = schema.load(orjson.loads(content))
        return _preview(loaded)
    except (FeelError, TypeError, ValueError, AttributeError, KeyError) as error:
        why = str(error) if isinstance(error, FeelError) else _("有的设置不是预期的类型")
        return Preview([_("表单无法显示：%(why)s。", why=why.rstrip("。"))])


def _preview(loaded: Schema) -> Preview:
    options = sample_options(loaded)
    environment = Environment(options=options, now=clock.now())
    empty = prefill(loaded.components, {})
    filled = samples(loaded.components, options, clock.now())
    return Preview([], str(render(loaded, empty, {}, environment)), str(review(loaded, filled, environment)))


def sample_options(loaded: Schema) -> dict[str, Sequence[Mapping[str, Any]]]:
    """Options by `valuesKey`, which in a case the domain gives."""
    keys = {component.values_key for component in loaded.walk() if component.values_key}
    words = [{"value": str(n), "label": _("示例选项 %(n)s", n=n)} for n in (1, 2, 3)]
    return dict.fromkeys(sorted(keys), words)


def samples(
    components: Sequence[Component], options: Mapping[str, Sequence[Mapping[str, Any]]], now: datetime
) -> dict[str, Any]:
    """A value for every field, so that the review has something to show."""
    data: dict[str, Any] = {}
    for component in components:
        if component.type == "group" and not component.key:
            data |= samples(component.components, options, now)
        elif component.type in ("group", "dynamiclist"):
            inner = samples(component.components, options, now)
            set_path(data, component.key, inner if component.type == "group" else [inner])
        elif component.key:
            set_path(data, component.key, _sample(component, options, now))
    return data


def _sample(component: Component, options: Mapping[str, Sequence[Mapping[str, Any]]], now: datetime) -> Any:
    if component.default not in (None, ""):
        return component.default
    if component.type in CHOICES:
        first = (*component.values, *options.get(component.values_key or "", ()))[:1]
        values = [str(one.get("value")) for one in first]
        return values if component.type in ("checklist", "taglist") else next(iter(values), None)
    if component.type == "number":
        return Decimal(12)
    if component.type == "checkbox":
        return True
    if component.type == "datetime":
        here = now.astimezone(clock.BEIJING)
        return {"date": here.date(), "time": here.time().replace(microsecond=0)}.get(component.subtype, here)
    return [] if component.type == "filepicker" else _("示例文字")
