"""Variables as bytes and back without losing a type: Decimal, dates, times, durations, UUID, integers of any size.

JSON with tags: a value that JSON cannot tell is `{"$": tag, "v": text}`; a user's own object with a key "$" is wrapped,
so no data that a person enters can be taken for a tag (traps 2 and 3 of SpiffWorkflow's serialiser).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import zstandard

from webapp.engine.feel import YearsMonths
from webapp.errors import Invalid

TAG: Final = "$"
MAX_DEPTH: Final = 60
_SAFE = 2**53
_LEVEL = 3


def clone(value: Any, depth: int = 0) -> Any:
    """A deep copy in the types that variables may have; tuples become lists, floats exact decimals.

    Errors: Invalid for any other type, a key that is no string, a number that is none, or too deep nesting.
    """
    if depth > MAX_DEPTH:
        raise Invalid(f"变量嵌套超过 {MAX_DEPTH} 层。")
    kind = type(value)
    if kind is str:
        return _text(value)
    if value is None or kind in _ATOMS:
        return value
    if isinstance(value, Mapping):
        return {_key(key): clone(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clone(item, depth + 1) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Invalid("变量不是有限的数。")
        return Decimal(repr(value))
    for base in _ATOMS:
        if isinstance(value, base):
            return value
    if isinstance(value, str):
        return _text(str(value))
    raise Invalid(f"变量不能是 {kind.__name__} 类型。")


def _text(value: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise Invalid("变量中含有不成对的代理字符。") from error
    return value


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise Invalid("变量的键必须是文字。")
    return _text(key)


def encode(value: Any) -> Any:
    """A cloned value as JSON values."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return value
    if kind is int:
        return value if -_SAFE < value < _SAFE else {TAG: "i", "v": str(value)}
    if kind is list:
        return [encode(item) for item in value]
    if kind is dict:
        body = {key: encode(item) for key, item in value.items()}
        return {TAG: "o", "v": body} if TAG in body else body
    for base, tag, write in _WRITERS:
        if isinstance(value, base):
            return {TAG: tag, "v": write(value)}
    raise Invalid(f"变量不能是 {kind.__name__} 类型。")


def decode(value: Any) -> Any:
    """The reverse of encode."""
    kind = type(value)
    if kind is dict:
        if TAG in value:
            return _READERS[value[TAG]](value["v"])
        return {key: decode(item) for key, item in value.items()}
    if kind is list:
        return [decode(item) for item in value]
    return value


class _Zstd(threading.local):
    """One per thread (it may not be shared): making it costs four times as much as compressing a small state."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=_LEVEL)


_zstd = _Zstd()


def pack(state: Any) -> bytes:
    """JSON values as small bytes (orjson, zstd)."""
    return _zstd.compressor.compress(orjson.dumps(state))


def unpack(blob: bytes) -> Any:
    """The reverse of pack."""
    return orjson.loads(zstandard.decompress(blob))


def _write_duration(value: timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _write_moment(value: datetime | time) -> str:
    """ISO 8601; with a named zone behind an @ (as FEEL writes it), and @1 when it is the second of a repeated hour."""
    if isinstance(value.tzinfo, ZoneInfo) and value.tzinfo.key:
        return f"{value.replace(tzinfo=None).isoformat()}@{value.tzinfo.key}" + "@1" * value.fold
    return value.isoformat()


def _zone(parts: list[str]) -> dict[str, Any]:
    return {"tzinfo": ZoneInfo(parts[1]), "fold": len(parts) - 2} if len(parts) > 1 else {}


def _read_datetime(written: str) -> datetime:
    parts = written.split("@")
    return datetime.fromisoformat(parts[0]).replace(**_zone(parts))


def _read_time(written: str) -> time:
    parts = written.split("@")
    return time.fromisoformat(parts[0]).replace(**_zone(parts))


# datetime before date: every datetime is a date in Python.
_WRITERS: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (bool, "b", bool),
    (Decimal, "n", str),
    (datetime, "t", _write_moment),
    (date, "a", date.isoformat),
    (time, "c", _write_moment),
    (timedelta, "s", _write_duration),
    (YearsMonths, "m", lambda value: int(value.months)),
    (UUID, "u", str),
    (int, "i", str),
)
_READERS: Mapping[str, Callable[[Any], Any]] = {
    "b": bool,
    "n": Decimal,
    "t": _read_datetime,
    "a": date.fromisoformat,
    "c": _read_time,
    "s": lambda parts: timedelta(*parts),
    "m": YearsMonths,
    "u": UUID,
    "i": int,
    "o": lambda body: {key: decode(item) for key, item in body.items()},
}
_ATOMS: tuple[type, ...] = (bool, int, Decimal, datetime, date, time, timedelta, YearsMonths, UUID)
