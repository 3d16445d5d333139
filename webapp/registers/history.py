"""The history of every register: each change is one row of `register_change`, written in its own transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.engine.handler_api import Actor
from webapp.registers.models import RegisterChange


class Entry(Protocol):
    """A mapped row of a register: it has a UUID key and a table."""

    __tablename__: str

    @property
    def id(self) -> UUID: ...


def plain(value: Any) -> Any:
    """A value as it stands in the history: what JSON holds; dates in ISO 8601, numbers exact as text."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    return value


def snapshot(entry: Entry) -> dict[str, Any]:
    """The columns of a register entry, by name, as the history keeps them."""
    return {attr.key: plain(getattr(entry, attr.key)) for attr in inspect(type(entry)).column_attrs}


def record(
    session: Session,
    entry: Entry,
    action: str,
    *,
    before: Mapping[str, Any] | None = None,
    actor: Actor | None = None,
    instance_id: UUID | None = None,
) -> RegisterChange | None:
    """Write what became of an entry: call it after the change, with the `snapshot` from before it.

    `before` None: the entry is new and stands whole in `after`. Else only the columns of `before` that differ now are
    kept, on both sides; gives None when none does.

    `action` is a stable word: listed, added, removed, renamed, corrected, barred, annulled …
    """
    session.flush()
    now_is = snapshot(entry)
    if before is None:
        old, new = None, now_is
    else:
        changed = [key for key, value in before.items() if now_is.get(key) != value]
        if not changed:
            return None
        old, new = {key: before[key] for key in changed}, {key: now_is.get(key) for key in changed}
    change = RegisterChange(
        register=type(entry).__tablename__,
        entry_id=entry.id,
        at=clock.now(),
        actor_id=actor.id if actor else None,
        instance_id=instance_id,
        action=action,
        before=old,
        after=new,
    )
    session.add(change)
    return change


def of_entry(session: Session, register: str, entry_ids: Iterable[UUID]) -> list[RegisterChange]:
    """The history of one entry, or of several of one register, newest first."""
    mine = RegisterChange.register == register, RegisterChange.entry_id.in_(list(entry_ids))
    query = select(RegisterChange).where(*mine)
    return list(session.scalars(query.order_by(RegisterChange.at.desc(), RegisterChange.id.desc())))
