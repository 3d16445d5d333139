"""The monthly partitions of `activity_history`: made ahead at every start; a default one takes what nobody foresaw."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import Connection, text

DEFAULT = "create table activity_history_default partition of activity_history default"


def _month(first: date, ahead: int) -> date:
    months = first.year * 12 + first.month - 1 + ahead
    return date(months // 12, months % 12 + 1, 1)


def ensure(connection: Connection, first: date, months: int) -> list[str]:
    """Make the partitions of `months` months from `first` on that are missing; give the names of the new ones.

    A month whose rows already lie in the default partition stays there: PostgreSQL would have to move them.
    """
    made = []
    for ahead in range(months):
        start, end = _month(first, ahead), _month(first, ahead + 1)
        name = f"activity_history_{start:%Y_%m}"
        if connection.scalar(text("select to_regclass(:name)"), {"name": name}) is not None:
            continue
        bounds = {
            "start": datetime(start.year, start.month, 1, tzinfo=UTC),
            "end": datetime(end.year, end.month, 1, tzinfo=UTC),
        }
        taken = "select 1 from activity_history_default where ended_at >= :start and ended_at < :end limit 1"
        if connection.scalar(text(taken), bounds) is not None:
            continue
        span = f"from ('{start:%Y-%m-%d}T00:00:00Z') to ('{end:%Y-%m-%d}T00:00:00Z')"
        connection.execute(text(f"create table {name} partition of activity_history for values {span}"))
        made.append(name)
    return made
