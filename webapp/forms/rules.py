"""The schema's rules over one value: a sentence for people, or None when the value is in order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from webapp import clock
from webapp.forms.schema import CHOICES, Component
from webapp.forms.scope import Environment
from webapp.forms.text import compile_pattern, shown
from webapp.i18n import _

#: The longest text that any field takes (characters).
MAX_TEXT = 20_000
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]{1,63}(\.[^@\s.]{1,63}){1,6}")
_PHONE = re.compile(r"\+?[\d][\d\s-]{5,18}\d")


def problem(
    component: Component, value: Any, environment: Environment, choices: Sequence[Mapping[str, Any]]
) -> str | None:
    """What the schema's rules say against a converted value: the first sentence, None when all hold."""
    if value in (None, "", []) or value is False:
        return _missing(component) if component.required else None
    if component.type in CHOICES:
        return _unknown_choice(component, value, choices)
    if component.type == "filepicker":
        return _files(component, value, environment)
    if component.type == "number":
        return _bounds(component, value, environment) or _decimals(component, value)
    if component.type == "datetime":
        return _bounds(component, value, environment)
    return _lengths(component, value) or _format(component, value) if isinstance(value, str) else None


def _missing(component: Component) -> str:
    if component.type == "filepicker":
        return _("请上传%(label)s。", label=component.label)
    if component.type == "checkbox":
        return _("请勾选“%(label)s”。", label=component.label)
    if component.type in CHOICES:
        return _("请选择%(label)s。", label=component.label)
    return _("请填写%(label)s。", label=component.label)


def _unknown_choice(component: Component, value: Any, choices: Sequence[Mapping[str, Any]]) -> str | None:
    allowed = {option["value"] for option in choices if not option.get("disabled")}
    chosen = value if isinstance(value, list) else [value]
    if set(chosen) <= allowed:
        return None
    return _("%(label)s的选项已变化，请重新选择。", label=component.label)


def _files(component: Component, ids: Sequence[str], environment: Environment) -> str | None:
    if not all(_is_uuid(item) for item in ids):
        return _("%(label)s的文件编号无效，请重新上传。", label=component.label)
    if len(ids) > 1 and not component.multiple:
        return _("%(label)s只能有一个文件，请移除多余的。", label=component.label)
    known = environment.files(ids)
    if any(item not in known for item in ids):
        return _("%(label)s有文件已不存在或不是您上传的，请重新上传。", label=component.label)
    endings = tuple(part.strip().lower() for part in component.accept.split(",") if part.strip().startswith("."))
    wrong = [
        str(file["name"]) for file in known.values() if endings and not str(file["name"]).lower().endswith(endings)
    ]
    if wrong:
        kinds = "、".join(ending[1:].upper() for ending in endings)
        return _("“%(name)s”的类型不收，请上传 %(kinds)s 文件。", name=wrong[0], kinds=kinds)
    return None


def _is_uuid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def _bound(component: Component, name: str, environment: Environment) -> Any:
    raw = component.validate.get(name)
    if raw in (None, ""):
        return None
    if component.type == "number":
        return Decimal(str(raw))
    limit = environment.today if raw == "today" else date.fromisoformat(str(raw)[:10])
    return limit


def _bounds(component: Component, value: Any, environment: Environment) -> str | None:
    if component.type == "datetime" and component.subtype == "time":
        return None
    compared = value.astimezone(clock.BEIJING).date() if isinstance(value, datetime) else value
    low, high = _bound(component, "min", environment), _bound(component, "max", environment)
    label, unit = component.label, component.unit and f" {component.unit}"
    if low is not None and compared < low:
        if component.validate.get("min") == "today":
            return _("%(label)s不能早于今天（%(day)s）。", label=label, day=low)
        return _("%(label)s不能小于 %(limit)s%(unit)s。", label=label, limit=shown(low), unit=unit)
    if high is not None and compared > high:
        if component.validate.get("max") == "today":
            return _("%(label)s不能晚于今天（%(day)s），您填的日期还没有到。", label=label, day=high)
        return _("%(label)s不能大于 %(limit)s%(unit)s。", label=label, limit=shown(high), unit=unit)
    return None


def _decimals(component: Component, value: Decimal) -> str | None:
    places = component.decimals
    if places is None or -int(value.normalize().as_tuple().exponent) <= places:
        return None
    if places == 0:
        return _("%(label)s要填整数。", label=component.label)
    return _("%(label)s最多保留 %(places)s 位小数。", label=component.label, places=places)


def _lengths(component: Component, value: str) -> str | None:
    low, high = component.validate.get("minLength"), component.validate.get("maxLength")
    if low not in (None, "") and len(value) < int(low):
        return _("%(label)s至少 %(limit)s 个字，现在 %(n)s 个。", label=component.label, limit=low, n=len(value))
    limit = int(high) if high not in (None, "") else MAX_TEXT
    if len(value) > limit:
        return _("%(label)s最多 %(limit)s 个字，现在 %(n)s 个。", label=component.label, limit=limit, n=len(value))
    return None


def _format(component: Component, value: str) -> str | None:
    rules = component.validate
    if rules.get("pattern") and not compile_pattern(str(rules["pattern"])).search(value):
        return str(rules.get("patternErrorMessage") or _("%(label)s的格式不对，请核对。", label=component.label))
    if rules.get("validationType") == "email" and not _EMAIL.fullmatch(value):
        return _("%(label)s不是有效的电子邮箱地址。", label=component.label)
    if rules.get("validationType") == "phone" and not _PHONE.fullmatch(value):
        return _("%(label)s不是有效的电话号码。", label=component.label)
    return None
