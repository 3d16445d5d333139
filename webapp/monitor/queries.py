"""Reading for managers: instances with filters, one instance with everything that stands around it. Rows only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, and_, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from webapp.accounts.models import Account, Organisation
from webapp.documents.models import Document
from webapp.engine import queries as engine_queries
from webapp.engine.handler_api import Actor
from webapp.engine.tables import activity_history, incident, process_definition, process_instance, user_task
from webapp.errors import NotFound
from webapp.monitor import narrowing
from webapp.monitor.counting import by_view
from webapp.monitor.sorting import NEVER_NULL, SORTS, next_due
from webapp.monitor.visibility import visible_instances

#: Rows on a page.
PAGE = 20
_i, _t = process_instance.c, user_task.c

_open_incidents = (
    select(func.count())
    .where(incident.c.instance_id == _i.id, incident.c.resolved_at.is_(None))
    .correlate(process_instance)
    .scalar_subquery()
)


def _overdue(now: datetime) -> ColumnElement[bool]:
    late = select(1).where(_t.instance_id == _i.id, _t.status == "open", _t.due_at < now)
    return and_(_i.status == "active", late.correlate(process_instance).exists())


def _broken() -> ColumnElement[bool]:
    found = select(1).where(incident.c.instance_id == _i.id, incident.c.resolved_at.is_(None))
    return found.correlate(process_instance).exists()


#: view key → its clause
VIEWS: Mapping[str, Any] = {
    "all": lambda now: None,
    "running": lambda now: and_(_i.status == "active", _i.suspended.is_(False)),
    "overdue": _overdue,
    "incidents": lambda now: _broken(),
    "suspended": lambda now: and_(_i.status == "active", _i.suspended.is_(True)),
    "done": lambda now: _i.status == "completed",
    "ended": lambda now: _i.status.in_(["terminated", "cancelled", "failed"]),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What a manager looks for. `sort` is a key of SORTS, with a leading `-` for newest or latest first."""

    view: str = "running"
    process: str = ""
    organisation: UUID | None = None
    words: str = ""
    sort: str = "-started"


def _where(actor: Actor, wanted: Filter, now: datetime) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = [visible_instances(actor)]
    if (view := VIEWS[wanted.view](now)) is not None:
        clauses.append(view)
    if wanted.process:
        clauses.append(_i.definition_key == wanted.process)
    if wanted.organisation:
        clauses.append(_i.org_id == wanted.organisation)
    if wanted.words:
        clauses.append(or_(engine_queries.matches(_i.search, wanted.words), _i.business_key == wanted.words.strip()))
    return clauses


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
    process_definition.c.name.label("definition_name"),
    process_definition.c.info,
    process_definition.c.elements,
    Organisation.name.label("organisation"),
    next_due.label("due_at"),
    _open_incidents.label("incidents"),
)


def instances(
    session: Session,
    actor: Actor,
    wanted: Filter,
    now: datetime,
    *,
    page: int = 1,
    size: int = PAGE,
    more: int = 0,
    common: bool = False,
) -> Sequence[Any]:
    """One page of instances. `size` rows at most, and `more`, which tell whether another page follows.

    `common`: very many instances hold the words looked for.
    """
    descending, key = wanted.sort.startswith("-"), wanted.sort.lstrip("-")
    order = SORTS[key].desc() if descending else SORTS[key].asc()
    if key not in NEVER_NULL:  # elsewhere it would keep the planner from walking an index
        order = order.nulls_last()
    statement = (
        select(*_COLUMNS)
        .join(process_definition, process_definition.c.id == _i.definition_id)
        .outerjoin(Organisation, Organisation.id == _i.org_id)
        .where(*_where(actor, wanted, now))
        .order_by(order, _i.id.desc())
        .limit(literal_column(str(int(size) + int(more)), Integer))
        .offset(literal_column(str((int(page) - 1) * int(size)), Integer))
    )
    near = None
    if common and key == "started":
        near = narrowing.by_begin(_where(actor, replace(wanted, words=""), now), falling=descending)
    elif key == "due" and not wanted.words:
        near = narrowing.by_deadline(falling=descending)
    if near is not None:
        rows = session.execute(statement.where(near)).all()
        if len(rows) == size + more:
            return rows
    return session.execute(statement).all()


def counts(session: Session, actor: Actor, wanted: Filter, now: datetime) -> dict[str, int]:
    """How many instances each view holds under the other filters; see `counting`."""

    def where(view: str, words: bool) -> list[ColumnElement[bool]]:
        return _where(actor, replace(wanted, view=view, words=wanted.words if words else ""), now)

    return by_view(session, VIEWS, where, words=bool(wanted.words))


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
    c = activity_history.c
    statement = (
        select(activity_history, Account.name.label("actor"), _t.outcome)
        .outerjoin(Account, Account.id == c.actor_id)
        .outerjoin(user_task, _t.id == c.task_id)
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
