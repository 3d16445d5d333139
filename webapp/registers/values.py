"""Values of forms and process variables as the registers keep them; what is none of the kind becomes None."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from webapp import clock


def as_uuid(value: Any) -> UUID | None:
    """A key, given as UUID or as text."""
    if isinstance(value, UUID):
        return value
    try:
        return UUID(str(value)) if value else None
    except ValueError:
        return None


def key(value: Any) -> UUID:
    """A key that must be there. Errors: ValueError (a process variable is broken, which no retry repairs)."""
    found = as_uuid(value)
    if found is None:
        raise ValueError(f"not a key: {value!r}")
    return found


def as_date(value: Any) -> date | None:
    """A day, given as date, datetime (then its day in Beijing) or ISO 8601 text."""
    if isinstance(value, datetime):
        return value.astimezone(clock.BEIJING).date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)[:10]) if value else None
    except ValueError:
        return None


def as_decimal(value: Any) -> Decimal | None:
    """An exact number, given as number or text."""
    if value is None or isinstance(value, bool) or value == "":
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def as_int(value: Any) -> int | None:
    """A whole number; a fraction is none."""
    number = as_decimal(value)
    return int(number) if number is not None and number == number.to_integral_value() else None


def as_text(value: Any) -> str:
    """Text without blanks around it."""
    return "" if value is None else str(value).strip()


def zh_date(day: date | datetime | None) -> str:
    """A day as people read it: 2026 年 11 月 25 日."""
    found = as_date(day)
    return f"{found.year} 年 {found.month} 月 {found.day} 日" if found else ""


def until_words(deadline: datetime | None) -> str:
    """A deadline that ends with a day, in words: `2026 年 11 月 17 日 24:00`; "" when there is none."""
    return f"{zh_date(deadline - timedelta(seconds=1))} 24:00" if deadline else ""
