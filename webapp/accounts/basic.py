"""HTTP Basic for the REST API: argon2 costs a tenth of a second, a step three milliseconds.

So a credential that was verified is remembered in the process for five minutes, under a hash keyed with a secret of
the process (no password is kept), and forgotten when the account's `version` changes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, Table, bindparam, func, select
from sqlalchemy.orm import Session

from webapp.accounts import attempts
from webapp.accounts.models import Account, AccountRole

LIFETIME = 300.0  # seconds
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Caller:
    """What a call by credentials needs of its account: read anew by one statement in every request."""

    id: UUID
    username: str
    name: str
    organisation_id: UUID | None
    locale: str
    theme: str
    active: bool
    version: int
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Known:
    account_id: UUID
    version: int
    until: float


_key = secrets.token_bytes(32)
_lock = threading.Lock()
_known: OrderedDict[bytes, _Known] = OrderedDict()


def _caller() -> Select[Any]:
    account, role = cast(Table, Account.__table__), cast(Table, AccountRole.__table__)
    c = account.c
    roles = func.array(select(role.c.role).where(role.c.account_id == c.id).scalar_subquery()).label("roles")
    columns = (c.id, c.username, c.name, c.organisation_id, c.locale, c.theme, c.active, c.version, roles)
    return select(*columns).where(c.id == bindparam("account"))


#: Made once: building it and looking it up costs more than the database takes to answer it.
_CALLER = _caller()


def _digest(username: str, password: str) -> bytes:
    return hmac.digest(_key, f"{username.casefold()}\0{password}".encode(), hashlib.sha256)


def caller(session: Session, username: str, password: str) -> Caller | None:
    """Whose credentials these are, None when they are wrong. Errors: TooManyAttempts."""
    digest = _digest(username, password)
    with _lock:
        known = _known.get(digest)
    if known and known.until > time.monotonic():
        found = _look(session, known.account_id)
        if found is not None and found.active and found.version == known.version:
            return found
    forget(digest)
    account = attempts.verify(session, username, password)
    if account is None:
        return None
    _remember(digest, account)
    session.flush()  # a password hash made anew
    return _look(session, account.id)


def _look(session: Session, account_id: UUID) -> Caller | None:
    row = session.connection().execute(_CALLER, {"account": account_id}).one_or_none()
    return None if row is None else Caller(**{**row._mapping, "roles": frozenset(row.roles)})


def _remember(digest: bytes, found: Account) -> None:
    with _lock:
        _known[digest] = _Known(found.id, found.version, time.monotonic() + LIFETIME)
        while len(_known) > _MOST:
            _known.popitem(last=False)


def forget(digest: bytes | None = None) -> None:
    """Forget one credential, or all."""
    with _lock:
        if digest is None:
            _known.clear()
        else:
            _known.pop(digest, None)
