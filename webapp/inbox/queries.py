"""Reading the inbox: keyset pages and counts over rows, never an instance.

A list is the union of the reasons why a task is there (mine, offered to my role, to my organisation, to me), each read
along its own index and cut to a page, so that a page costs the same among ten tasks and among a million.
"""

from __future__ import annotations

import base64
import functools
from collections import namedtuple
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts.models import Organisation
from webapp.db import Compiled
from webapp.engine import queries
from webapp.engine.handler_api import Actor
from webapp.engine.tables import process_instance, user_task
from webapp.errors import Invalid
from webapp.i18n import _
from webapp.inbox.visibility import OPEN, offered_parts

_c = user_task.c
PAGE = 20
#: Counts stop here: more is told as "999+".
MOST = 1000
#: Written out, not bound: the planner must know how little is wanted.
_PAGE, _MOST = literal_column(str(PAGE + 1), Integer), literal_column(str(MOST), Integer)
_NOW, _DAY_END, _AT = (bindparam(name, type_=DateTime(timezone=True)) for name in ("now", "day_end", "at"))
_MARK = bindparam("mark", type_=PgUUID(as_uuid=True))
VIEWS = ("all", "unclaimed", "mine", "overdue", "today")
COLUMNS = (
    _c.id,
    _c.instance_id,
    _c.root_instance_id,
    _c.definition_id,
    _c.definition_key,
    _c.element_id,
    _c.name,
    _c.title,
    _c.business_key,
    _c.assignee_id,
    _c.case_org_id,
    _c.clauses,
    _c.created_at,
    _c.due_at,
    _c.due_provisional,
)
#: A row of a page: its fields are the columns.
Row = namedtuple("Row", [column.name for column in COLUMNS])  # type: ignore[misc]
#: What of a cursor is part of a statement: whether its task has no time, and whether it looks back.
_Kind = tuple[bool, bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list shows. `cursor`: an opaque mark of `Page`, after (or before) which it begins."""

    view: str = "all"
    process: str = ""
    words: str = ""
    unit: UUID | None = None
    descending: bool = False
    cursor: str = ""

    def __post_init__(self) -> None:
        if self.view not in VIEWS:
            raise Invalid(_("没有这种视图。"))


@dataclass(slots=True)
class Page:
    """Rows in order, and the marks of the pages around."""

    rows: Sequence[Any]
    following: str | None = None
    previous: str | None = None
    first: int = 1  # the number of the first row on the page


@dataclass(frozen=True, slots=True)
class _Cursor:
    at: datetime | None
    id: UUID
    number: int  # rows before this mark
    back: bool = False

    def text(self) -> str:
        value = [self.at.isoformat() if self.at else None, str(self.id), self.number, self.back]
        return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> _Cursor | None:
        if not text:
            return None
        try:
            at, task, number, back = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            moment = datetime.fromisoformat(at) if at else None
            return cls(moment, UUID(task), max(int(number), 0), bool(back))
        except (ValueError, TypeError) as error:
            raise Invalid(_("列表的页码无效，请从第一页看起。")) from error


def mark(at: datetime | None, task_id: UUID, number: int) -> str:
    """The mark of the page that begins after this task, the `number`th of the list."""
    return _Cursor(at, task_id, number).text()


def _plan_anew(session: Session) -> None:
    """Let these reads be planned for their own values: a generic plan knows neither the role's share nor the page."""
    session.execute(text("set local plan_cache_mode = force_custom_plan"))


def _day_end(now: datetime) -> datetime:
    return clock.end_of_day(now.astimezone(clock.BEIJING).date())


def _times() -> dict[str, datetime]:
    now = clock.now()
    return {"now": now, "day_end": _day_end(now)}


def _conditions(filter: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [OPEN]
    if filter.view == "overdue":
        found.append(_c.due_at <= _NOW)
    if filter.view == "today":
        found.append(and_(_c.due_at > _NOW, _c.due_at <= _DAY_END))
    if filter.process:
        found.append(_c.definition_key == filter.process)
    if filter.unit:
        found.append(_c.case_org_id == filter.unit)
    if filter.words.strip():
        found.append(queries.matches(_c.search, filter.words))
    return found


def _reasons(actor: Actor, view: str) -> list[ColumnElement[bool]]:
    """Why tasks stand in the inbox: disjoint, so that their union needs no de-duplication but among offers."""
    mine = [] if view == "unclaimed" else [_c.assignee_id == actor.id]
    if view == "mine":
        return mine
    return mine + [and_(_c.assignee_id.is_(None), reason) for reason in offered_parts(actor)]


def tasks(session: Session, actor: Actor, filter: Filter) -> Page:
    """One page of the inbox. Errors: Invalid (a cursor that is none)."""
    cursor = _Cursor.read(filter.cursor)
    _plan_anew(session)
    statement = _page(actor, replace(filter, cursor=""), (cursor.at is None, cursor.back) if cursor else None)
    marked = {"at": cursor.at, "mark": cursor.id} if cursor else {}
    rows: list[Any] = [Row._make(row) for row in statement.rows(session, **_times(), **marked)]
    more = len(rows) > PAGE
    rows = rows[:PAGE]
    if cursor and cursor.back:
        rows.reverse()
    return _around(rows, cursor, more)


def _around(rows: list[Any], cursor: _Cursor | None, more: bool) -> Page:
    back = bool(cursor and cursor.back)
    before = max(cursor.number - (len(rows) if back else 0), 0) if cursor else 0
    page = Page(rows, first=before + 1)
    if not rows:
        return page
    if more or back:
        page.following = _Cursor(rows[-1].due_at, rows[-1].id, before + len(rows)).text()
    if (more and back) or (cursor and not back):
        page.previous = _Cursor(rows[0].due_at, rows[0].id, before, back=True).text()
    return page


@functools.lru_cache(maxsize=512)
def _page(actor: Actor, filter: Filter, cursor: _Kind | None) -> Compiled:
    """The union of the reasons, each cut to a page (plus one, which tells that there are more).

    Kept: to build it takes several times as long as the database takes to answer it.
    """
    column = _c.due_at
    back = bool(cursor and cursor[1])
    falling = filter.descending ^ back
    parts = [
        select(*COLUMNS).where(*_conditions(filter), reason, *zone)
        for reason in _reasons(actor, filter.view)
        for zone in _zones(column, cursor, falling, nulls_last=not back)
    ]
    cut = [part.order_by(*_order(column, falling)).limit(_PAGE).subquery() for part in parts]
    together = union_all(*(select(part) for part in cut)).subquery()
    distinct = select(together).distinct().subquery()
    key = distinct.c[column.name]
    nulls_last = not back
    ordered = key.desc() if falling else key.asc()
    ordered = ordered.nulls_last() if nulls_last else ordered.nulls_first()
    identity = distinct.c.id.desc() if falling else distinct.c.id.asc()
    return Compiled.of(select(distinct).order_by(ordered, identity).limit(_PAGE))


def _order(column: ColumnElement[Any], falling: bool) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """As the index is: a zone is all null or all not null, so where nulls go does not matter."""
    return (column.desc(), _c.id.desc()) if falling else (column.asc(), _c.id.asc())


def _zones(
    column: ColumnElement[Any], cursor: _Kind | None, falling: bool, *, nulls_last: bool
) -> list[list[ColumnElement[bool]]]:
    """What lies after the cursor: rows with a time, then rows without one (which come last, forwards)."""
    timed, untimed = column.is_not(None), column.is_(None)
    if cursor is None:
        return [[timed], [untimed]]
    beyond = _c.id < _MARK if falling else _c.id > _MARK
    if cursor[0]:
        return [[untimed, beyond]] if nulls_last else [[untimed, beyond], [timed]]
    pair, mark = func.row(column, _c.id), func.row(_AT, _MARK)
    after = pair < mark if falling else pair > mark
    return [[timed, after], [untimed]] if nulls_last else [[timed, after]]


# ---- counts ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Counts:
    """How many tasks each view holds, and each process; from `MOST` on they are told with a plus.

    The processes are counted among the `MOST` tasks that are due soonest; when there are more (`cut`), so are they.
    """

    views: dict[str, int] = field(default_factory=dict)
    processes: dict[str, int] = field(default_factory=dict)
    cut: bool = False

    def words(self, count: int) -> str:
        """`23`, or `1000+` where counting stopped."""
        return f"{count}+" if count >= MOST else str(count)

    def process(self, key: str) -> str:
        """How many tasks of a process: `23`, or `23+` when not all were looked at."""
        count = self.processes.get(key, 0)
        return f"{count}+" if self.cut else self.words(count)


def counts(session: Session, actor: Actor, saved: Mapping[str, Filter] | None = None) -> Counts:
    """All counts of the inbox in one statement, each stopping at `MOST`.

    What is the actor's and what is offered is read once, soonest due first; the views but `today`, which may begin
    behind that, are counted in it.
    """
    others = dict(saved or {})
    _plan_anew(session)
    [row] = _counting(actor, tuple(others.values())).rows(session, **_times())
    n_mine, n_offers, overdue, processes, today, *rest = row
    views = {"all": n_mine + n_offers, "unclaimed": n_offers, "mine": n_mine, "overdue": overdue, "today": today}
    views |= dict(zip(others, rest, strict=True))
    capped = {view: min(count, MOST) for view, count in views.items()}
    return Counts(capped, dict(processes or {}), cut=MOST in (n_mine, n_offers))


@functools.lru_cache(maxsize=512)
def _counting(actor: Actor, saved: tuple[Filter, ...]) -> Compiled:
    mine, offers = _soonest(actor, Filter("mine")).cte("mine"), _soonest(actor, Filter("unclaimed")).cte("offers")
    parts = (select(part.c.definition_key, part.c.due_at) for part in (mine, offers))
    both = union_all(*parts).cte("both")
    grouped = select(both.c.definition_key, func.count().label("n")).group_by(both.c.definition_key).subquery()
    columns = [
        select(func.count()).select_from(mine).scalar_subquery(),
        select(func.count()).select_from(offers).scalar_subquery(),
        select(func.count()).where(both.c.due_at <= _NOW).scalar_subquery(),
        select(func.jsonb_object_agg(grouped.c.definition_key, grouped.c.n)).scalar_subquery(),
        *(_count(actor, replace(one, cursor="")) for one in (Filter("today"), *saved)),
    ]
    return Compiled.of(select(*(column.label(f"n{n}") for n, column in enumerate(columns))))


def _count(actor: Actor, filter: Filter) -> Any:
    return select(func.count()).select_from(_soonest(actor, filter).subquery()).scalar_subquery()


def _soonest(actor: Actor, filter: Filter) -> Select[Any]:
    """The distinct tasks of a view, at most `MOST`, those that are due soonest.

    Their order is part of the statement so that an index is walked: without one the planner reads the table from its
    beginning, where years of finished tasks lie.
    """
    parts = [
        select(_c.id, _c.definition_key, _c.due_at)
        .where(*_conditions(filter), reason)
        .order_by(_c.due_at.asc(), _c.id.asc())
        .limit(_MOST)
        .subquery()
        for reason in _reasons(actor, filter.view)
    ]
    together = union_all(*(select(part) for part in parts)).subquery()
    distinct = select(together).distinct().subquery()
    return select(distinct).order_by(distinct.c.due_at.asc(), distinct.c.id.asc()).limit(_MOST)


def done_this_week(session: Session, actor: Actor) -> int:
    """How many tasks the actor has completed since Monday."""
    today = clock.today()
    monday = clock.end_of_day(today - timedelta(days=today.weekday() + 1))
    statement = select(func.count()).where(_c.completed_by == actor.id, _c.status == "completed", _c.ended_at >= monday)
    return session.scalar(statement) or 0


# ---- what I did, what I started ----------------------------------------------------------------------------------


def did(session: Session, actor: Actor, before: str = "") -> tuple[list[Any], str | None]:
    """A page of the tasks that the actor completed, newest first, and the mark of the next page."""
    cursor = _Cursor.read(before)
    statement = select(*COLUMNS, _c.ended_at, _c.outcome).where(_c.completed_by == actor.id, _c.status == "completed")
    if cursor:
        statement = statement.where(func.row(_c.ended_at, _c.id) < func.row(cursor.at, cursor.id))
    rows = list(session.execute(statement.order_by(_c.ended_at.desc(), _c.id.desc()).limit(PAGE + 1)))
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return rows[:PAGE], _Cursor(last.ended_at, last.id, 0).text() if last else None


def started(session: Session, actor: Actor, before: str = "") -> tuple[list[Any], str | None]:
    """A page of the cases that the actor started, newest first, and the mark of the next page."""
    i = process_instance.c
    cursor = _Cursor.read(before)
    columns = (
        i.id,
        i.definition_id,
        i.definition_key,
        i.business_key,
        i.title,
        i.status,
        i.stage,
        i.started_at,
        i.ended_at,
    )
    statement = select(*columns).where(i.started_by == actor.id, i.root_instance_id == i.id)
    if cursor:
        statement = statement.where(func.row(i.started_at, i.id) < func.row(cursor.at, cursor.id))
    rows = list(session.execute(statement.order_by(i.started_at.desc(), i.id.desc()).limit(PAGE + 1)))
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return rows[:PAGE], _Cursor(last.started_at, last.id, 0).text() if last else None


def organisations(session: Session, ids: Sequence[UUID | None]) -> dict[UUID, str]:
    """Names of organisations."""
    wanted = {item for item in ids if item}
    if not wanted:
        return {}
    rows = session.execute(select(Organisation.id, Organisation.name).where(Organisation.id.in_(wanted)))
    return {row.id: row.name for row in rows}
