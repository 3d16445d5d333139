"""The audit trail: who did what, when, from where, with which reason. Rows are only ever inserted."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts.models import Account
from webapp.engine.handler_api import Actor
from webapp.engine.origin import address as address  # set by the edge for each request
from webapp.engine.tables import audit

PAGE = 50
#: An export is bounded like every list.
LONGEST_EXPORT = 100_000


def record(
    session: Session,
    action: str,
    actor: Actor | None,
    *,
    instance_id: UUID | None = None,
    task_id: UUID | None = None,
    subject: str | None = None,
    reason: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write one line of the trail, in the act's own transaction. `actor` None: the system acted by itself."""
    session.execute(
        audit.insert().values(
            at=clock.now(),
            actor_id=actor.id if actor else None,
            action=action,
            instance_id=instance_id,
            task_id=task_id,
            subject=subject,
            reason=reason,
            detail=dict(detail) if detail else None,
            address=address.get(),
        )
    )


@dataclass(frozen=True, slots=True)
class Search:
    """What an auditor looks for; empty fields match everything. `since` and `until` are days in Beijing, inclusive."""

    person: str = ""
    action: str = ""
    words: str = ""
    since: date | None = None
    until: date | None = None


def _where(search: Search) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if search.person:
        found = Account.username.icontains(search.person, autoescape=True)
        clauses.append(found | Account.name.icontains(search.person, autoescape=True))
    if search.action:
        clauses.append(audit.c.action.startswith(search.action, autoescape=True))
    if search.words:
        subject = audit.c.subject.icontains(search.words, autoescape=True)
        clauses.append(subject | audit.c.reason.icontains(search.words, autoescape=True))
    if search.since:
        clauses.append(audit.c.at >= datetime.combine(search.since, time(), clock.BEIJING))
    if search.until:
        clauses.append(audit.c.at < datetime.combine(search.until + timedelta(days=1), time(), clock.BEIJING))
    return clauses


def _select(search: Search) -> Select[Any]:
    joined = audit.outerjoin(Account.__table__, Account.id == audit.c.actor_id)
    columns = (*audit.c, Account.username, Account.name)
    return select(*columns).select_from(joined).where(*_where(search)).order_by(audit.c.id.desc())


def find(session: Session, search: Search, *, before: int | None = None) -> tuple[list[Row[Any]], int | None]:
    """One page of lines, newest first, and the `before` of the next page (None at the end)."""
    query = _select(search)
    if before is not None:
        query = query.where(audit.c.id < before)
    rows = list(session.execute(query.limit(PAGE + 1)))
    return rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None


def actions(session: Session) -> list[str]:
    """Every kind of act that the trail holds."""
    return list(session.scalars(select(audit.c.action).distinct().order_by(audit.c.action)))


def export(session: Session, search: Search) -> str:
    """The lines as CSV with a header, newest first; times are Beijing's. Starts with a mark that spreadsheets need."""
    return "\ufeff" + "".join(_lines(session, search))


def _lines(session: Session, search: Search) -> Iterator[str]:
    header = ("时间", "账号", "姓名", "操作", "对象", "理由", "事项", "任务", "来源地址", "详情")
    yield _csv(header)
    for row in session.execute(_select(search).limit(LONGEST_EXPORT)):
        at = row.at.astimezone(clock.BEIJING).isoformat(sep=" ", timespec="seconds")
        who = (row.username or "", row.name or "系统")
        yield _csv(
            (at, *who, row.action, row.subject, row.reason, row.instance_id, row.task_id, row.address, row.detail)
        )


def _csv(values: tuple[Any, ...]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([_cell(value) for value in values])
    return line.getvalue()


def _cell(value: Any) -> str:
    """Text that a spreadsheet does not take for a formula."""
    words = "" if value is None else str(value)
    return "'" + words if words[:1] in {"=", "+", "-", "@", "\t", "\r"} else words
