"""Old months of the activity history leave the database: each becomes a document, then its partition is dropped.

The setting `history_months_kept` says how many whole months stay beside the present one; 0 keeps all. A month in which
a running case has history stays until that case has ended: whoever works on a case has all of it before them.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, cast
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts import settings_service
from webapp.audit import service as audit
from webapp.documents import service as documents
from webapp.retention.tables import history_archive

KIND = "history_archive"
_LOCK = 0x5149414E0003
_PARTITION = re.compile(r"activity_history_(\d{4})_(\d{2})")
_PARTITIONS = text(
    "select c.relname, greatest(c.reltuples, 0)::bigint as rows"
    " from pg_inherits i join pg_class c on c.oid = i.inhrelid"
    " where i.inhparent = 'activity_history'::regclass order by c.relname"
)
_RUNNING = (
    "select count(*) from process_instance p where p.status = 'active' and p.started_at < :end"
    " and exists (select 1 from {} h where h.instance_id = p.id)"
)


@dataclass(frozen=True, slots=True)
class Month:
    """One month of the history: its first day, its partition, about how many rows, in how many running cases."""

    first: date
    table: str
    rows: int
    running: int

    @property
    def after(self) -> datetime:
        """The instant at which the month is over."""
        first = _month(self.first, 1)
        return datetime(first.year, first.month, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the setting means today: the months that go next, those that wait for running cases, those that are gone."""

    kept: int
    due: Sequence[Month]
    waiting: Sequence[Month]
    archived: Sequence[Any]


def plan(session: Session) -> Plan:
    """What will be done, oldest month first."""
    kept = int(settings_service.get(session, "history_months_kept"))
    old = _old(session, kept) if kept else []
    archived = session.execute(select(history_archive).order_by(history_archive.c.month)).all()
    return Plan(kept, [m for m in old if not m.running], [m for m in old if m.running], archived)


def run(session: Session) -> int:
    """Archive the oldest month that is due, if there is one; gives the rows that left. For a periodic job.

    One month at a time: each in a transaction of its own. Errors: LockNotAvailable when a backup runs; StorageFull.
    """
    kept = int(settings_service.get(session, "history_months_kept"))
    if not kept or not session.scalar(text("select pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}):
        return 0
    month = next((month for month in _old(session, kept) if not month.running), None)
    return 0 if month is None else archive(session, month)


def archive(session: Session, month: Month) -> int:
    """Write a month's history into a document, then drop its partition; gives how many rows it held."""
    driver = cast("psycopg.Connection[Any]", session.connection().connection.driver_connection)
    driver.execute("set local statement_timeout = '30min'")
    table = sql.Identifier(month.table)
    driver.execute(sql.SQL("lock table {} in share mode").format(table))
    count = sql.SQL("select count(*), count(distinct instance_id) from {}").format(table)
    [(rows, instances)] = driver.execute(count).fetchall()
    if rows:
        made = documents.store_made(
            session,
            kind=KIND,
            filename=f"办理历史-{month.first:%Y-%m}.csv.gz",
            media_type="application/gzip",
            content=_compressed(driver, month.table),
        )
        row = {"month": month.first, "document_id": made.id, "rows": rows, "instances": instances}
        session.execute(history_archive.insert().values(**row, archived_at=clock.now()))
        detail = {"rows": rows, "instances": instances, "digest": made.digest}
        audit.record(session, "history.archive", None, subject=f"{month.first:%Y-%m}", detail=detail)
    driver.execute("set local lock_timeout = '2s'")  # steps queue behind us while we wait
    driver.execute(sql.SQL("drop table {}").format(table))
    return int(rows)


_AWAY = text(
    "select a.month, a.document_id, a.rows from history_archive a where exists (select 1 from process_instance p"
    " where p.id = any(:ids) and a.month >= date_trunc('month', p.started_at at time zone 'UTC')"
    " and a.month <= coalesce(p.ended_at, now()) at time zone 'UTC') order by a.month"
)


def months_away(session: Session, instance_ids: Sequence[UUID]) -> Sequence[Any]:
    """The archived months (month, document_id, rows) in which one of these cases ran, oldest first."""
    return session.execute(_AWAY, {"ids": list(instance_ids)}).all()


def _old(session: Session, kept: int) -> list[Month]:
    """The months before those that are kept; empty partitions of months that nothing happened in are among them."""
    oldest = _month(clock.now().astimezone(UTC).date().replace(day=1), -kept)
    found = []
    for name, rows in session.execute(_PARTITIONS):
        named = _PARTITION.fullmatch(name)
        if named and (first := date(int(named[1]), int(named[2]), 1)) < oldest:
            month = Month(first, name, rows, 0)
            running = session.scalar(text(_RUNNING.format(name)), {"end": month.after}) or 0
            found.append(Month(first, name, rows, running))
    return found


def _month(first: date, ahead: int) -> date:
    months = first.year * 12 + first.month - 1 + ahead
    return date(months // 12, months % 12 + 1, 1)


def _compressed(driver: psycopg.Connection[Any], table: str) -> Iterator[bytes]:
    """The partition as CSV with a header, by case and time, as gzip."""
    query = "copy (select * from {} order by instance_id, ended_at, id) to stdout with (format csv, header)"
    gzip = zlib.compressobj(wbits=31)
    with driver.cursor() as cursor, cursor.copy(sql.SQL(query).format(sql.Identifier(table))) as copy:
        for line in copy:
            if piece := gzip.compress(line):
                yield piece
    yield gzip.flush()
