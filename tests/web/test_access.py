"""Every route for every role, and for nobody: the table of rules is what the program does."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.support import Client
from webapp import access
from webapp.accounts.roles import ROLES

#: Routes that nobody needs an account for; a new one is a decision, made here.
PUBLIC = {
    "static",
    "healthz",
    "accounts.home",
    "accounts.login",
    "accounts.login_submit",
    "accounts.logout",
    "accounts.theme",
    "documents.download",  # what was published; the service refuses the rest
    "documents.preview",
    "documents.digest",
}
PUBLIC_ROOMS = ("public.", "notices_public.", "public_notices.", "rest.version", "api_v1.openapi")


EXAMPLES = {"UUIDConverter": uuid4(), "IntegerConverter": 1}


def routes(app):
    """(endpoint, method, path) of every route, with made-up values for its variables."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        values = {
            name: (getattr(converter, "items", None) and min(converter.items))
            or EXAMPLES.get(type(converter).__name__, "x")
            for name, converter in rule._converters.items()
        }
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield rule.endpoint, method, adapter.build(rule.endpoint, values, method=method, append_unknown=False)


def call(client, method, path):
    return client.open(path, method=method, headers={"Accept": "text/html"})


def test_every_route_has_a_rule(app):
    assert {endpoint for endpoint, _, _ in routes(app)} == set(access.RULES)


def test_what_is_public_was_decided(app):
    public = {endpoint for endpoint, rule in access.RULES.items() if rule.kind == "public"}
    assert {e for e in public - PUBLIC if not e.startswith(PUBLIC_ROOMS)} == set()


def test_without_account_nothing_but_public_routes_answers(app, client):
    for endpoint, method, path in routes(app):
        answer = call(client, method, path)
        if access.RULES[endpoint].kind == "public":
            assert answer.status_code != 403, path
            continue
        if path.startswith(("/engine-rest", "/api/")):
            assert answer.status_code == 401, path
            assert answer.headers["WWW-Authenticate"].startswith('Basic realm="qianyin"'), path
        elif method == "GET":
            assert answer.status_code == 303, (method, path)
            assert answer.headers["Location"].startswith("/login?next="), path
        else:
            assert answer.status_code == 401, (method, path)


@pytest.mark.parametrize("role", [*sorted(ROLES), None])
def test_a_role_reaches_exactly_its_routes(app, account, role):
    held = [role] if role else []
    person = Client(app)
    person.sign_in(account(*held))
    for endpoint, method, path in routes(app):
        rule = access.RULES[endpoint]
        if endpoint == "accounts.logout" or rule.allows(held):
            continue
        answer = call(person, method, path)
        assert answer.status_code == 403, f"{role} {method} {path}: {answer.status_code}"


@pytest.mark.parametrize("role", sorted(ROLES))
def test_the_sections_of_the_bar_can_be_opened(app, sign_in, client, role):
    from webapp import nav

    sign_in(role)
    with app.test_request_context("/"):
        sections = nav.sections(app, [role])
    for section in sections:
        answer = client.get(section.url, follow_redirects=True)
        assert answer.status_code == 200, (role, section.url)


def test_a_route_without_rule_stops_the_program(config):
    from webapp.app import create_app

    app = create_app(config)
    app._got_first_request = False
    app.add_url_rule("/forgotten", "forgotten", lambda: "")
    rules = dict(access.RULES)
    with pytest.raises(RuntimeError, match="routes without an access rule: forgotten"):
        access.init_app(app)
    access.RULES.clear()
    access.RULES.update(rules)


def test_a_rule_names_only_roles_that_exist():
    with pytest.raises(ValueError, match="no such roles"):
        access.roles("chief")
