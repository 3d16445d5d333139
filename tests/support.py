"""What several tests share: accounts made quickly, and a client that behaves like a browser without scripts."""

from __future__ import annotations

import functools
import itertools
import socket
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from webapp.accounts.models import Account, AccountRole, Organisation

_number = itertools.count(1)


@functools.cache
def _hash(password: str) -> str:
    from webapp.accounts import passwords

    return passwords.hash(password)


def make_organisation(session: Session, name: str = "", kind: str = "firm", **details: Any) -> Organisation:
    """An organisation, flushed."""
    made = Organisation(name=name or f"单位{next(_number)}", kind=kind, **details)
    session.add(made)
    session.flush()
    return made


def make_account(
    session: Session,
    *roles: str,
    password: str,
    username: str = "",
    name: str = "",
    organisation: Organisation | None = None,
    **details: Any,
) -> Account:
    """An account with these roles, flushed; the rules of exclusive roles are not asked."""
    username = username or f"user{next(_number)}"
    made = Account(
        username=username,
        name=name or f"测试{username}",
        password_hash=_hash(password),
        organisation=organisation,
        role_rows=[AccountRole(role=role) for role in roles],
        **details,
    )
    session.add(made)
    session.flush()
    return made


class Client(FlaskClient):
    """Sends the CSRF token of its session with every write, unless told `csrf=False`."""

    def __init__(self, app: Flask, **kwargs: Any) -> None:
        super().__init__(app, app.response_class, use_cookies=True, **kwargs)

    def open(self, *args: Any, csrf: bool = True, **kwargs: Any) -> TestResponse:
        if csrf and str(kwargs.get("method", "GET")).upper() not in {"GET", "HEAD", "OPTIONS"}:
            headers = dict(kwargs.pop("headers", None) or {})
            headers.setdefault("X-CSRFToken", self.csrf_token())
            kwargs["headers"] = headers
        return super().open(*args, **kwargs)

    def csrf_token(self) -> str:
        """The token that a page of this session would hold."""
        from flask import session as cookie
        from flask_wtf.csrf import generate_csrf

        with self.application.test_request_context(), self.session_transaction() as stored:
            cookie.update(stored)
            token = generate_csrf()
            stored.update(cookie)
        return str(token)

    def sign_in(self, account: Account) -> None:
        """Put the account into the session, as a successful sign-in does."""
        from webapp.accounts import sessions

        with self.session_transaction() as stored:
            sessions.put(stored, account)


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
