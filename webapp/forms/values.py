"""From the text that a browser sent to a value of the field's type."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from webapp import clock
from webapp.forms.schema import MANY, Component
from webapp.forms.text import ascii_width
from webapp.i18n import _

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_NUMBER = re.compile(r"[+-]?\d{1,24}(\.\d{1,12})?", re.ASCII)
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.ASCII)


def convert(component: Component, sent: Sequence[str]) -> tuple[Any, str | None]:
    """The typed value of what was sent, and what is wrong with it; a value that cannot be read stays as its text.

    text: str or None · number: Decimal · date, datetime (Beijing), time · checkbox: bool · lists: [str] of option
    values or document ids.
    """
    if component.type in MANY:
        return list(dict.fromkeys(value.strip() for value in sent if value.strip())), None
    if component.type == "checkbox":
        return bool(sent and sent[-1] in {"true", "on", "1"}), None
    raw = _clean(sent[-1] if sent else "", lines=component.type == "textarea")
    if not raw.strip():
        return None, None
    if component.type == "number":
        return _number(component, raw)
    if component.type == "datetime":
        return _moment(component, raw)
    return _text(component, raw), None


def _clean(raw: str, *, lines: bool) -> str:
    raw = _CONTROL.sub("", raw.replace("\r\n", "\n").replace("\r", "\n"))
    return raw.strip() if lines else " ".join(raw.split())


def _text(component: Component, raw: str) -> str:
    if component.is_code:
        return re.sub(r"\s+", "", ascii_width(raw)).upper()
    if component.validate.get("pattern") or component.validate.get("validationType"):
        return ascii_width(raw).strip()
    return raw


def _number(component: Component, raw: str) -> tuple[Any, str | None]:
    plain = re.sub(r"[\s,，]", "", ascii_width(raw))
    try:
        if not _NUMBER.fullmatch(plain):
            raise InvalidOperation
        return Decimal(plain), None
    except InvalidOperation:
        return raw, _("%(label)s要填数字，您填的是“%(value)s”。", label=component.label, value=raw[:40])


def _moment(component: Component, raw: str) -> tuple[Any, str | None]:
    plain = ascii_width(raw)
    try:
        if component.subtype == "time":
            return time.fromisoformat(plain), None
        if component.subtype == "datetime":
            moment = datetime.fromisoformat(plain)
            return (moment if moment.tzinfo else moment.replace(tzinfo=clock.BEIJING)), None
        match = _DATE.fullmatch(plain.replace(" ", ""))
        if not match:
            raise ValueError(plain)
        return date(*(int(part) for part in match.groups())), None
    except ValueError:
        return raw, _(
            "%(label)s“%(value)s”不是有效的日期，请按 2026-11-26 这样填写。", label=component.label, value=raw[:40]
        )


def revive(component: Component, value: Any) -> Any:
    """A value that was kept as JSON, in its type again; what cannot be read stays as it is."""
    if (
        component.type in {"number", "datetime"}
        and isinstance(value, str | int | float)
        and not isinstance(value, bool)
    ):
        return convert(component, [str(value)])[0]
    return value
