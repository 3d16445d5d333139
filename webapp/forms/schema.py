"""The form model: form-js JSON (schema versions 1 to 19) as frozen components, checked when a deployment is made.

A form is a file `forms/<name>.json` beside the process; the browser editor writes it, `render` and `parse` read it.
What we cannot render and validate on the server is refused at deployment with a sentence, never ignored.

Additions of ours go through form-js `properties` (string to string), so that the editor keeps them:

=================  ====================================================================================================
``phrases``        stock phrases of a text area, separated by ``|``
``style``          radio: ``segmented`` | ``row`` | ``cards`` | ``cards row``; group: ``warn`` (a question to answer)
``tones``          radio with ``segmented``: ``pass:ok|fix:fix|fail:no``
``code``           ``true``: a code (full-width letters become ASCII, blanks go, letters are raised)
``mask``           ``true``: shown masked in the read-only review (identity numbers)
``title``, ``code``of a dynamic list: keys of the fields that name a folded row
``item``           of a dynamic list: what one row is called (企业), for messages and the add button
``measure``        of a dynamic list: its measure word 量词 (家); 个 when there is none
``note``           words beside the label instead of 选填 (退回时必填)
``min_rows``, ``max_rows``  of a dynamic list
``rows``           height of a text area
``lookup``         name of a look-up that the page may offer beside the field
=================  ====================================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from webapp.engine.errors import FeelError
from webapp.engine.feel import compile_expression
from webapp.errors import Invalid
from webapp.forms import text as templated
from webapp.i18n import _

#: Keyed components whose value is a single string.
TEXTUAL = frozenset({"textfield", "textarea", "datetime", "select", "radio"})
CHOICES = frozenset({"select", "radio", "checklist", "taglist"})
MANY = frozenset({"checklist", "taglist", "filepicker"})
INPUTS = TEXTUAL | MANY | {"number", "checkbox"}
CONTAINERS = frozenset({"group", "dynamiclist"})
DECORATION = frozenset({"text", "spacer", "separator", "table", "button"})
SUPPORTED = INPUTS | CONTAINERS | DECORATION
#: A form never has more rows in one list; more is a mistake or an attack.
MAX_ROWS = 500
_KEY = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_REFUSED = {
    "html": "HTML",
    "iframe": "iframe",
    "image": "image",
    "expression": "expression",
    "documentPreview": "documentPreview",
}


@dataclass(frozen=True, slots=True)
class Component:
    """One form-js component. `key` is a name or dotted path; lists and groups have `components` of their own."""

    type: str
    id: str
    key: str = ""
    label: str = ""
    description: str = ""
    text: str = ""
    subtype: str = "date"
    readonly: bool | str = False
    disabled: bool = False
    hide: str | None = None
    default: Any = None
    values: tuple[Mapping[str, Any], ...] = ()
    values_key: str | None = None
    values_expression: str | None = None
    accept: str = ""
    multiple: bool = False
    decimals: int | None = None
    columns: int | None = None
    row: str | None = None
    validate: Mapping[str, Any] = field(default_factory=dict)
    prefix: str = ""
    unit: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    components: tuple[Component, ...] = ()
    data_source: str | None = None
    table_columns: tuple[tuple[str, str], ...] = ()
    allow_rows: bool = True
    default_rows: int = 1

    @property
    def required(self) -> bool:
        return bool(self.validate.get("required"))

    @property
    def is_code(self) -> bool:
        return self.type == "textfield" and self.properties.get("code") == "true"

    def expressions(self) -> Iterator[str]:
        """All FEEL that stands in this component."""
        for source in (self.hide, self.values_expression, self.data_source):
            if source:
                yield source
        if isinstance(self.readonly, str):
            yield self.readonly
        for words in (self.label, self.description, self.text):
            yield from templated.expressions(words)


@dataclass(frozen=True, slots=True)
class Schema:
    """A checked form."""

    id: str
    components: tuple[Component, ...]

    def walk(self) -> Iterator[Component]:
        """All components, containers before their contents."""
        stack = list(reversed(self.components))
        while stack:
            component = stack.pop()
            yield component
            stack.extend(reversed(component.components))


def load(document: Mapping[str, Any]) -> Schema:
    """Read a form-js document. Errors: Invalid with every reason why the form is refused, one sentence each."""
    problems = check(document)
    if problems:
        raise Invalid("；".join(problems), detail={"problems": problems})
    return Schema(str(document.get("id", "")), _components(document.get("components", ())))


def check(document: Mapping[str, Any]) -> list[str]:
    """Why this form-js document cannot be deployed: sentences, none when it can."""
    raw = document.get("components")
    if not isinstance(raw, list):
        return [_("表单没有 components 列表，请用表单设计器重新保存。")]
    problems: list[str] = []
    _check_level(raw, problems)
    if not problems:
        _check_feel(_components(raw), problems)
    return problems


def _check_level(raw: Sequence[Any], problems: list[str]) -> None:
    keys: set[str] = set()
    for item in raw:
        if not isinstance(item, dict):
            problems.append(_("表单中有无法识别的部件。"))
            continue
        name = str(item.get("key") or item.get("path") or item.get("label") or item.get("id") or "?")
        _check_one(item, name, problems)
        for key in _keys_of_level(item):
            if key in keys:
                problems.append(_("字段 %(name)s 出现了两次，请改用不同的键。", name=key))
            keys.add(key)
        if item.get("type") in CONTAINERS:
            _check_level(item.get("components") or (), problems)
        if item.get("type") == "dynamiclist" and item.get("allowAddRemove", True) is not False:
            _check_rows(item, name, problems)


def _check_rows(item: Mapping[str, Any], name: str, problems: list[str]) -> None:
    """Rows that come and go: a fixed value in them would have no home, a list in them no number."""
    for inner in item.get("components") or ():
        if not isinstance(inner, dict):
            continue
        if inner.get("type") == "dynamiclist" and inner.get("allowAddRemove", True) is not False:
            problems.append(_("可增减的列表 %(name)s 中不能再有可增减的列表。", name=name))
        if inner.get("type") in INPUTS and (inner.get("readonly") or inner.get("disabled")):
            key = inner.get("key")
            problems.append(
                _("可增减的列表 %(name)s 中的字段 %(key)s 不能只读；请关闭增减行，或改为可填。", name=name, key=key)
            )
        if inner.get("type") == "group":
            _check_rows(inner, name, problems)


def _keys_of_level(item: Mapping[str, Any]) -> list[str]:
    """Keys that this item puts into its level; a group without path shares the level of its surroundings."""
    if item.get("type") == "group" and not item.get("path"):
        inner = [x for x in item.get("components") or () if isinstance(x, dict)]
        return [key for x in inner for key in _keys_of_level(x)]
    key = item.get("key") or item.get("path")
    return [str(key)] if key and item.get("type") in INPUTS | CONTAINERS else []


def _check_one(item: Mapping[str, Any], name: str, problems: list[str]) -> None:
    kind = item.get("type")
    if kind not in SUPPORTED:
        problems.append(_("部件 %(name)s 的类型 %(type)s 不支持，请从表单中删去或改用其他部件。", name=name, type=kind))
        return
    if kind == "button" and item.get("action") not in {"submit", "reset", None}:
        problems.append(_("按钮 %(name)s 带有自定义动作，不支持；提交按钮由流程模型给出。", name=name))
    if kind in INPUTS and not _KEY.fullmatch(str(item.get("key") or "")):
        problems.append(_("字段 %(name)s 没有可用的键（key）：用字母开头，只含字母、数字和下划线。", name=name))
    if kind == "dynamiclist" and not _KEY.fullmatch(str(item.get("path") or "")):
        problems.append(_("列表 %(name)s 没有可用的路径（path）。", name=name))
    if kind in CHOICES and not any(item.get(k) for k in ("values", "valuesKey", "valuesExpression")):
        problems.append(_("字段 %(name)s 没有可选项。", name=name))
    if kind == "datetime" and item.get("subtype", "date") not in {"date", "datetime", "time"}:
        problems.append(_("字段 %(name)s 的日期类型不支持。", name=name))
    _check_pattern(item, name, problems)
    try:
        for words in (item.get("label"), item.get("description"), item.get("text")):
            templated.check(str(words or ""))
    except ValueError:
        problems.append(_("部件 %(name)s 的文字中有不支持的模板写法，只能用 {{表达式}}。", name=name))


def _check_pattern(item: Mapping[str, Any], name: str, problems: list[str]) -> None:
    pattern = (item.get("validate") or {}).get("pattern")
    if pattern and templated.compile_pattern(str(pattern)) is None:
        problems.append(_("字段 %(name)s 的校验格式不是有效的正则表达式。", name=name))


def _check_feel(components: Sequence[Component], problems: list[str]) -> None:
    for component in Schema("", tuple(components)).walk():
        for source in component.expressions():
            try:
                compile_expression(source)
            except FeelError as error:
                name = component.key or component.label or component.id
                problems.append(_("部件 %(name)s 的表达式有误：%(why)s", name=name, why=str(error)))


def _components(raw: Sequence[Mapping[str, Any]]) -> tuple[Component, ...]:
    return tuple(_component(item) for item in raw)


def _feel_or_bool(value: Any) -> bool | str:
    return value if isinstance(value, str) and value else bool(value)


def _component(item: Mapping[str, Any]) -> Component:
    layout = item.get("layout") or {}
    appearance = item.get("appearance") or {}
    columns = item.get("columns")
    return Component(
        type=str(item["type"]),
        id=str(item.get("id") or item.get("key") or ""),
        key=str(item.get("key") or item.get("path") or ""),
        label=str(item.get("label") or item.get("dateLabel") or item.get("timeLabel") or ""),
        description=str(item.get("description") or ""),
        text=str(item.get("text") or ""),
        subtype=str(item.get("subtype") or "date"),
        readonly=_feel_or_bool(item.get("readonly")),
        disabled=bool(item.get("disabled")),
        hide=(item.get("conditional") or {}).get("hide") or None,
        default=item.get("defaultValue"),
        values=tuple(cast(list[Mapping[str, Any]], item.get("values") or ())),
        values_key=item.get("valuesKey") or None,
        values_expression=item.get("valuesExpression") or None,
        accept=str(item.get("accept") or ""),
        multiple=bool(item.get("multiple")),
        decimals=item.get("decimalDigits"),
        columns=layout.get("columns"),
        row=layout.get("row"),
        validate=_validation(item),
        prefix=str(appearance.get("prefixAdder") or ""),
        unit=str(appearance.get("suffixAdder") or ""),
        properties={str(k): str(v) for k, v in (item.get("properties") or {}).items()},
        components=_components(item.get("components") or ()),
        data_source=item.get("dataSource") or None,
        table_columns=tuple(
            (str(c.get("label") or c.get("key")), str(c["key"])) for c in columns or () if c.get("key")
        ),
        allow_rows=item.get("allowAddRemove", True) is not False,
        default_rows=int(item.get("defaultRepetitions") or 0) if "defaultRepetitions" in item else 1,
    )


def _validation(item: Mapping[str, Any]) -> dict[str, Any]:
    rules = dict(item.get("validate") or {})
    if item.get("disallowPassedDates"):
        rules.setdefault("min", "today")
    return rules
