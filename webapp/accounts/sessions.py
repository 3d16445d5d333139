"""The signed cookie of a signed-in person, and how a request finds its account again.

The cookie holds the account's id and `version`: whatever changes an account (password, roles, deactivation) raises
the version and so ends every session of it, on every machine, without a table of sessions.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any
from uuid import UUID

from flask import Flask, Request, Response, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_login import AnonymousUserMixin, LoginManager

from webapp.accounts import basic, people, service
from webapp.accounts.models import Account
from webapp.accounts.people import Person
from webapp.http import db_session, is_api


class SignedIn:
    """What `current_user` is: the person, with what Flask-Login and the templates ask."""

    is_authenticated = True
    is_anonymous = False

    def __init__(self, person: Person) -> None:
        self.person = person

    def __getattr__(self, name: str) -> Any:
        return getattr(self.person, name)

    @property
    def account(self) -> Account:
        """The account itself, in the request's session, to be changed."""
        return service.get(db_session(), self.person.id)

    @property
    def is_active(self) -> bool:
        return self.person.active

    def get_id(self) -> str:
        return f"{self.person.id}:{self.person.version}"


class Nobody(AnonymousUserMixin):  # type: ignore[misc]
    """A caller without account."""

    id = None
    name = ""
    organisation_name = ""
    roles: frozenset[str] = frozenset()


class CookieSessions(SecureCookieSessionInterface):
    """Cookies that are only sent back over TLS when they were made over TLS."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """A caller that sends no cookie (a program) costs no signature."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def put(stored: MutableMapping[str, Any], account: Account) -> None:
    """Make `stored` (the session) the account's: nothing of the earlier session but the language stays."""
    language = stored.get("lang") or account.locale
    stored.clear()
    stored["_user_id"] = f"{account.id}:{account.version}"
    stored["_fresh"] = True
    stored["_permanent"] = True
    stored["lang"] = language


def sign_in(account: Account) -> None:
    """Sign the account in on this session."""
    session.modified = True
    put(session, account)
    g._login_user = SignedIn(people.of(account))


def sign_out() -> None:
    """End this session."""
    language = session.get("lang")
    session.clear()
    if language:
        session["lang"] = language
    g._login_user = Nobody()


def _from_cookie(stored: str) -> SignedIn | None:
    if is_api() and request.authorization is not None:
        return None  # who sends credentials is who they name, whatever cookie comes along
    account_id, _, version = stored.partition(":")
    person = people.find(db_session(), UUID(account_id))
    return SignedIn(person) if person is not None and str(person.version) == version else None


def _from_credentials(incoming: Request) -> SignedIn | None:
    given = incoming.authorization
    if not is_api() or given is None or given.type != "basic" or not given.username:
        return None
    person = basic.person(db_session(), given.username, given.password or "")
    return SignedIn(person) if person else None


def look_at_credentials() -> None:
    """Before a call of the JSON APIs that brings credentials: they alone say who calls, no cookie is looked at."""
    if is_api() and request.authorization is not None:
        g._login_user = _from_credentials(request) or Nobody()


def init_app(app: Flask) -> None:
    """Give the program its sessions: twelve hours, HttpOnly, SameSite=Lax."""
    app.session_interface = CookieSessions()
    app.config.update(
        SESSION_COOKIE_NAME="qianyin_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=12 * 3600,
    )
    manager = LoginManager(app)
    manager.session_protection = None  # binds to the address, which changes on a phone
    manager.anonymous_user = Nobody
    manager.user_loader(_from_cookie)
    manager.request_loader(_from_credentials)


def actor_in_request() -> Any:
    """The actor of this request, None when nobody is signed in."""
    from flask_login import current_user

    return service.actor_of(current_user) if current_user.is_authenticated else None


def forget_user() -> None:
    """Let the next look load the account anew (the unit of work is run again after a deadlock)."""
    if hasattr(g, "_login_user"):
        del g._login_user


def be_nobody() -> None:
    """This request goes on as a stranger's; the session stays as it is."""
    g._login_user = Nobody()


def no_store(response: Response) -> Response:
    """Pages of signed-in people stay out of shared caches."""
    response.headers.setdefault("Cache-Control", "no-store" if "_user_id" in session else "no-cache")
    return response
