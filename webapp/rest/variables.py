"""Variables on the wire, as the REST dialect of Camunda Platform 7 has them: value, type and valueInfo."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import orjson

from webapp.clock import BEIJING
from webapp.errors import Invalid

_INT32 = 2**31
_WHOLE = {"Integer", "Long", "Short"}


def stamp(at: datetime | None) -> str | None:
    """An instant as the dialect writes it: `2026-11-25T10:30:00.000+0800`."""
    return None if at is None else at.astimezone(BEIJING).isoformat(timespec="milliseconds").replace("+08:00", "+0800")


def instant(text: str) -> datetime:
    """An instant read from the wire. Errors: Invalid when it is none, or has no offset."""
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise Invalid(f"“{text}”不是日期时间，应如 2026-11-25T10:30:00.000+0800。") from error
    if at.tzinfo is None:
        raise Invalid(f"“{text}”缺少时区，应如 2026-11-25T10:30:00.000+0800。")
    return at


def _plain(value: Any) -> Any:
    """Inside a JSON value: what JSON itself cannot say becomes text."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date | UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def encode(value: Any) -> dict[str, Any]:
    """One variable with its type."""
    kind: str
    out: Any = value
    if value is None:
        kind = "Null"
    elif isinstance(value, bool):
        kind = "Boolean"
    elif isinstance(value, int):
        kind = "Integer" if -_INT32 <= value < _INT32 else "Long"
    elif isinstance(value, Decimal):
        out = _plain(value)
        kind = "Double" if isinstance(out, float) else ("Integer" if -_INT32 <= out < _INT32 else "Long")
    elif isinstance(value, float):
        kind = "Double"
    elif isinstance(value, str):
        kind = "String"
    elif isinstance(value, datetime):
        kind, out = "Date", stamp(value)
    elif isinstance(value, date):
        kind, out = "String", value.isoformat()
    elif isinstance(value, Mapping | list | tuple):
        kind, out = "Json", orjson.dumps(_plain(value)).decode()
    else:
        kind, out = "String", str(value)
    return {"type": kind, "value": out, "valueInfo": {}}


def encode_all(variables: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A map of variables with their types."""
    return {name: encode(value) for name, value in variables.items()}


def decode(name: str, wire: Any) -> Any:
    """One variable from the wire. Errors: Invalid when its value does not fit its type."""
    if not isinstance(wire, Mapping):
        raise Invalid(f"变量 {name} 应写作 {{“value”: …, “type”: …}}。")
    value, kind = wire.get("value"), str(wire.get("type") or "")
    kind = kind[:1].upper() + kind[1:]
    if value is None or kind == "Null":
        return None
    try:
        return _typed(value, kind)
    except (ValueError, TypeError, InvalidOperation) as error:
        raise Invalid(f"变量 {name} 的值与类型 {kind} 不符。") from error


def _typed(value: Any, kind: str) -> Any:
    if kind in _WHOLE:
        if isinstance(value, bool):
            raise ValueError
        return int(value)
    if kind == "Double":
        number = Decimal(str(value))
        if not number.is_finite():
            raise ValueError
        return number
    if kind == "Boolean":
        if isinstance(value, bool):
            return value
        if str(value).lower() in {"true", "false"}:
            return str(value).lower() == "true"
        raise ValueError
    if kind == "Date":
        return instant(str(value))
    if kind == "String":
        return str(value)
    if kind in {"Json", "Object"}:
        return _exact(orjson.loads(value) if isinstance(value, str) else value)
    if kind in {"", "Null"}:
        return _exact(value)
    raise ValueError


def _exact(value: Any) -> Any:
    """Numbers with a fraction become decimals, everywhere inside the value."""
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    return value


def decode_all(wire: Any) -> dict[str, Any]:
    """A map of variables from the wire (None: none). Errors: Invalid."""
    if wire is None:
        return {}
    if not isinstance(wire, Mapping):
        raise Invalid("variables 应为对象。")
    return {str(name): decode(str(name), value) for name, value in wire.items()}
