"""Reading for managers: instances with filters, one instance with everything that stands around it. Rows only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, func, literal_column, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from webapp.accounts.models import Account, Organisation
from webapp.documents.models import Document
from webapp.engine.handler_api import Actor
from webapp.engine.tables import activity_history, incident, process_definition, process_instance, user_task
from webapp.errors import NotFound
from webapp.monitor import narrowing
from webapp.monitor.counting import by_view
from webapp.monitor.filters import VIEWS, Filter, where
from webapp.monitor.marks import Mark, order
from webapp.monitor.sorting import NEVER_NULL, SORTS, next_due
from webapp.monitor.visibility import visible_instances

#: Rows on a page.
PAGE = 20
_PLAIN = Filter()
_i, _t = process_instance.c, user_task.c

_open_incidents = (
    select(func.count())
    .where(incident.c.instance_id == _i.id, incident.c.resolved_at.is_(None))
    .correlate(process_instance)
    .scalar_subquery()
)

#: Who has taken a task of it.
_holders = (
    select(func.string_agg(Account.name.distinct(), "、"))
    .join(user_task, _t.assignee_id == Account.id)
    .where(_t.instance_id == _i.id, _t.status == "open")
    .correlate(process_instance)
    .scalar_subquery()
)
_starter = select(Account.name).where(Account.id == _i.started_by).correlate(process_instance).scalar_subquery()
_MOMENTS = frozenset({"started", "ended", "due"})


_COLUMNS = (
    _i.id,
    _i.business_key,
    _i.title,
    _i.status,
    _i.suspended,
    _i.stage,
    _i.tokens,
    _i.started_at,
    _i.ended_at,
    _i.definition_key,
    _i.business,
    process_definition.c.name.label("definition_name"),
    process_definition.c.version.label("definition_version"),
    process_definition.c.info,
    process_definition.c.elements,
    Organisation.name.label("organisation"),
    next_due.label("due_at"),
    _open_incidents.label("incidents"),
    _holders.label("holders"),
    _starter.label("starter"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in order, the marks of the pages around, and the number of the first row."""

    rows: Sequence[Any]
    following: str = ""
    previous: str = ""
    first: int = 1


def _selected(actor: Actor, wanted: Filter, now: datetime) -> Select[Any]:
    return (
        select(*_COLUMNS)
        .join(process_definition, process_definition.c.id == _i.definition_id)
        .outerjoin(Organisation, Organisation.id == _i.org_id)
        .where(*where(actor, wanted, now))
    )


def page(
    session: Session,
    actor: Actor,
    wanted: Filter,
    now: datetime,
    mark: str = "",
    size: int = PAGE,
    *,
    common: bool = False,
) -> Page:
    """One page of instances, found by the row beside it, not by its number. Errors: Invalid (no such mark)."""
    key, falling = wanted.sort.lstrip("-"), wanted.sort.startswith("-")
    column, nullable = SORTS[key], key not in NEVER_NULL
    place = Mark.read(mark, moment=key in _MOMENTS)
    back = bool(place and place.back)
    statement = _selected(actor, wanted, now).add_columns(column.label("mark"))
    if place:
        statement = statement.where(place.beyond(column, _i.id, falling=falling, nullable=nullable))
    statement = statement.order_by(*order(column, _i.id, falling=falling, nullable=nullable, back=back))
    statement = statement.limit(literal_column(str(size + 1), Integer))
    near = None if place else _near(actor, wanted, now, common=common)
    rows = [] if near is None else list(session.execute(statement.where(near)).all())
    if len(rows) <= size:  # not filled from there
        rows = list(session.execute(statement).all())
    more, rows = len(rows) > size, rows[:size]
    if back:
        rows.reverse()
    before = max(place.number - (len(rows) if back else 0), 0) if place else 0
    if not rows:
        return Page(rows)
    following = Mark(rows[-1].mark, rows[-1].id, before + len(rows)).write()
    previous = Mark(rows[0].mark, rows[0].id, before, back=True).write()
    ahead, behind = (True, more) if back else (more, bool(place))
    return Page(rows, following if ahead else "", previous if behind else "", before + 1)


def _near(actor: Actor, wanted: Filter, now: datetime, *, common: bool) -> ColumnElement[bool] | None:
    """Where the first rows must lie; `common`: very many instances hold the words looked for."""
    key, falling = wanted.sort.lstrip("-"), wanted.sort.startswith("-")
    if common and key == "started":
        return narrowing.by_begin(where(actor, replace(wanted, words=""), now), falling=falling)
    if key == "due" and not wanted.words:
        return narrowing.by_deadline(falling=falling)
    return None


def streamed(session: Session, actor: Actor, wanted: Filter, now: datetime) -> Iterator[Any]:
    """Every row of the filter in its order, a thousand at a time from a cursor of the server."""
    key, falling = wanted.sort.lstrip("-"), wanted.sort.startswith("-")
    ordered = order(SORTS[key], _i.id, falling=falling, nullable=key not in NEVER_NULL)
    statement = _selected(actor, wanted, now).order_by(*ordered)
    yield from session.execute(statement, execution_options={"yield_per": 1000})


def ids(session: Session, actor: Actor, wanted: Filter, now: datetime, most: int) -> list[UUID]:
    """The ids of the first `most` instances of the filter, in its order."""
    key, falling = wanted.sort.lstrip("-"), wanted.sort.startswith("-")
    ordered = order(SORTS[key], _i.id, falling=falling, nullable=key not in NEVER_NULL)
    return list(session.scalars(select(_i.id).where(*where(actor, wanted, now)).order_by(*ordered).limit(most)))


def counts(session: Session, actor: Actor, wanted: Filter, now: datetime) -> dict[str, int]:
    """How many instances each view holds under the other filters; see `counting`."""

    def clauses(view: str, words: bool) -> list[ColumnElement[bool]]:
        return where(actor, replace(wanted, view=view, words=wanted.words if words else ""), now)

    plain = wanted == replace(_PLAIN, view=wanted.view, sort=wanted.sort, process=wanted.process)
    return by_view(session, VIEWS, clauses, words=bool(wanted.words), ordered=plain)


def count(session: Session, actor: Actor, wanted: Filter, now: datetime) -> int:
    """How many instances a filter holds, all of them."""
    return session.scalar(select(func.count()).select_from(process_instance).where(*where(actor, wanted, now))) or 0


def processes(session: Session) -> list[tuple[str, str]]:
    """(key, name) of every process, by its latest version's name."""
    c = process_definition.c
    statement = select(c.key, c.name).ext(distinct_on(c.key)).order_by(c.key, c.version.desc())
    return [(row.key, row.name) for row in session.execute(statement)]


def instance(session: Session, actor: Actor, instance_id: UUID) -> Any:
    """One instance with its definition, whose it is and who started it. Errors: NotFound, also when not visible."""
    statement = (
        select(
            process_instance,
            process_definition.c.name.label("definition_name"),
            process_definition.c.version.label("definition_version"),
            process_definition.c.info,
            process_definition.c.elements,
            Organisation.name.label("organisation"),
            Account.name.label("starter"),
        )
        .join(process_definition, process_definition.c.id == _i.definition_id)
        .outerjoin(Organisation, Organisation.id == _i.org_id)
        .outerjoin(Account, Account.id == _i.started_by)
        .where(_i.id == instance_id, visible_instances(actor))
    )
    row = session.execute(statement).first()
    if row is None:
        raise NotFound()
    return row


def open_tasks(session: Session, instance_id: UUID) -> Sequence[Any]:
    """The tasks that wait in an instance, due soonest first, with who has claimed them."""
    statement = (
        select(user_task, Account.name.label("assignee"))
        .outerjoin(Account, Account.id == _t.assignee_id)
        .where(_t.instance_id == instance_id, _t.status == "open")
        .order_by(_t.due_at.asc().nulls_last(), _t.id)
    )
    return session.execute(statement).all()


def activities(session: Session, instance_id: UUID) -> Sequence[Any]:
    """The finished activities of an instance in the order in which they ended, with who did them and the decision."""
    c, behalf = activity_history.c, aliased(Account)
    statement = (
        select(activity_history, Account.name.label("actor"), behalf.name.label("behalf"), _t.outcome)
        .outerjoin(Account, Account.id == c.actor_id)
        .outerjoin(user_task, _t.id == c.task_id)
        .outerjoin(behalf, behalf.id == _t.on_behalf_of)
        .where(c.instance_id == instance_id)
        .order_by(c.ended_at, c.id)
    )
    return session.execute(statement).all()


def incidents(session: Session, instance_id: UUID) -> Sequence[Any]:
    """The open incidents of an instance."""
    c = incident.c
    where = (c.instance_id == instance_id, c.resolved_at.is_(None))
    return session.execute(select(incident).where(*where).order_by(c.created_at)).all()


def related(session: Session, actor: Actor, root_id: UUID, but: UUID) -> Sequence[Any]:
    """The other instances of the same case that `actor` may see."""
    statement = (
        select(_i.id, _i.business_key, _i.title, _i.status, _i.suspended, process_definition.c.name)
        .join(process_definition, process_definition.c.id == _i.definition_id)
        .where(_i.root_instance_id == root_id, _i.id != but, visible_instances(actor))
        .order_by(_i.started_at, _i.id)
        .limit(300)
    )
    return session.execute(statement).all()


def documents(session: Session, instance_id: UUID, root_id: UUID) -> Sequence[Document]:
    """The files of an instance; for the case's root, of the whole case."""
    where = Document.root_instance_id == root_id if instance_id == root_id else Document.instance_id == instance_id
    return session.scalars(select(Document).where(where).order_by(Document.created_at, Document.id)).all()
