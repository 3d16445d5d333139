"""Spans of Beijing days as instants, for clauses."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement

from webapp import clock


def begin(day: date) -> datetime:
    """0:00 Beijing time of a day."""
    return datetime.combine(day, time(), clock.BEIJING)


def within(column: ColumnElement[Any], first: date | None, last: date | None) -> list[ColumnElement[bool]]:
    """Clauses for an instant between two days, both included."""
    found: list[ColumnElement[bool]] = []
    if first:
        found.append(column >= begin(first))
    if last:
        found.append(column < begin(last + timedelta(days=1)))
    return found


def monday(day: date) -> date:
    """The first day of a day's week."""
    return day - timedelta(days=day.weekday())
