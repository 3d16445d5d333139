"""Who a caller is: asked anew by one statement in every request, so that no change of an account is ever missed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import Table, bindparam, func, select
from sqlalchemy.orm import Session

from webapp.accounts.models import Account, AccountRole, Organisation
from webapp.db import Compiled


@dataclass(frozen=True, slots=True)
class Person:
    """An account as pages and rules need it."""

    id: UUID
    username: str
    name: str
    active: bool
    version: int
    organisation_id: UUID | None
    organisation_name: str
    locale: str
    theme: str
    roles: frozenset[str]


def _look() -> Compiled:
    account, role = cast(Table, Account.__table__), cast(Table, AccountRole.__table__)
    organisation = cast(Table, Organisation.__table__)
    c = account.c
    roles = func.array(select(role.c.role).where(role.c.account_id == c.id).scalar_subquery()).label("roles")
    name = func.coalesce(organisation.c.name, "").label("organisation_name")
    columns = (c.id, c.username, c.name, c.active, c.version, c.organisation_id, name, c.locale, c.theme, roles)
    look = select(*columns).select_from(account.outerjoin(organisation)).where(c.id == bindparam("account"))
    return Compiled.of(look)


def _version() -> Compiled:
    c = cast(Table, Account.__table__).c
    return Compiled.of(select(c.version, c.active).where(c.id == bindparam("account")))


#: Made once: building them and looking them up costs more than the database takes to answer them.
_LOOK, _VERSION = _look(), _version()


def find(session: Session, account_id: UUID) -> Person | None:
    """The person with this account id, None when there is none or the account is inactive."""
    for *plain, held in _LOOK.rows(session, account=account_id):
        person = Person(*(*plain, frozenset(held)))
        return person if person.active else None
    return None


def is_unchanged(session: Session, person: Person) -> bool:
    """Whether what is remembered of a person still holds: every change of an account raises its version."""
    return (person.version, True) in _VERSION.rows(session, account=person.id)


def of(account: Account) -> Person:
    """The person of a loaded account."""
    return Person(
        account.id,
        account.username,
        account.name,
        account.active,
        account.version,
        account.organisation_id,
        account.organisation_name,
        account.locale,
        account.theme,
        account.roles,
    )
