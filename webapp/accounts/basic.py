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

from sqlalchemy.orm import Session

from webapp.accounts import attempts, people
from webapp.accounts.people import Person

LIFETIME = 300.0  # seconds
_MOST = 1000


@dataclass(frozen=True, slots=True)
class _Known:
    person: Person
    until: float


_key = secrets.token_bytes(32)
_lock = threading.Lock()
_known: OrderedDict[bytes, _Known] = OrderedDict()


def _digest(username: str, password: str) -> bytes:
    return hmac.digest(_key, f"{username.casefold()}\0{password}".encode(), hashlib.sha256)


def person(session: Session, username: str, password: str) -> Person | None:
    """Whose credentials these are, None when they are wrong. Errors: TooManyAttempts."""
    digest = _digest(username, password)
    with _lock:
        known = _known.get(digest)
    if known and known.until > time.monotonic() and people.is_unchanged(session, known.person):
        return known.person
    forget(digest)
    account = attempts.verify(session, username, password)
    if account is None:
        return None
    found = people.of(account)
    _remember(digest, found)
    return found


def _remember(digest: bytes, found: Person) -> None:
    with _lock:
        _known[digest] = _Known(found, time.monotonic() + LIFETIME)
        while len(_known) > _MOST:
            _known.popitem(last=False)


def forget(digest: bytes | None = None) -> None:
    """Forget one credential, or all."""
    with _lock:
        if digest is None:
            _known.clear()
        else:
            _known.pop(digest, None)
