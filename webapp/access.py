"""Who may call which route: one decorator per view, one table, one check before every request.

A route without a rule stops the program at its start; a test walks the table with every role. Whether somebody may see
one *object* is asked by the services, which answer `NotFound`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Flask, request
from flask_login import current_user
from werkzeug.exceptions import Unauthorized

from webapp.accounts.roles import ROLES
from webapp.errors import Forbidden

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Rule:
    """`public`: everyone, `signed_in`: every account, `roles`: accounts that hold one of them."""

    kind: str
    roles: frozenset[str] = field(default=frozenset())

    def allows(self, held: Iterable[str] | None) -> bool:
        """Whether a caller with these roles may call; None: nobody is signed in."""
        if self.kind == "public" or held is None:
            return self.kind == "public"
        return self.kind == "signed_in" or not self.roles.isdisjoint(held)

    def __str__(self) -> str:
        return ", ".join(sorted(self.roles)) if self.kind == "roles" else self.kind


#: endpoint -> rule, of the program that was made last.
RULES: dict[str, Rule] = {}


def _mark(view: View, rule: Rule) -> View:
    view.__dict__["access_rule"] = rule
    return view


def public(view: View) -> View:
    """Everyone may call, with or without account."""
    return _mark(view, Rule("public"))


def signed_in(view: View) -> View:
    """Every account may call."""
    return _mark(view, Rule("signed_in"))


def roles(*names: str) -> Callable[[View], View]:
    """Accounts holding one of these roles may call. Errors: ValueError for a role that does not exist."""
    if unknown := set(names) - set(ROLES):
        raise ValueError(f"no such roles: {sorted(unknown)}")
    return lambda view: _mark(view, Rule("roles", frozenset(names)))


def init_app(app: Flask) -> None:
    """Collect the rules of all routes. Errors: RuntimeError naming every route that has none."""
    RULES.clear()
    missing = []
    for endpoint, view in app.view_functions.items():
        rule = Rule("public") if endpoint == "static" else getattr(view, "access_rule", None)
        if rule is None:
            missing.append(endpoint)
        else:
            RULES[endpoint] = rule
    if missing:
        raise RuntimeError(f"routes without an access rule: {', '.join(sorted(missing))}")


def check() -> None:
    """Before every request. Errors: Unauthorized (nobody is signed in), Forbidden (the roles do not allow it)."""
    rule = RULES.get(request.endpoint or "")
    if rule is None or rule.kind == "public":
        return
    if not current_user.is_authenticated:
        raise Unauthorized
    if not rule.allows(current_user.roles):
        raise Forbidden
