"""The web program: `create_app(config)` puts the rooms together. Nothing imports this module but its servers."""

from __future__ import annotations

import importlib
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, jsonify, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp import access, assets, clock, demo_clock, health, http, i18n, nav
from webapp.accounts import sessions
from webapp.audit import service as audit
from webapp.config import Config
from webapp.errors import Forbidden
from webapp.i18n import _

#: The rooms, each with a module that holds the blueprint `bp`.
ROOMS = (
    "webapp.accounts.views",
    "webapp.accounts.admin_views",
    "webapp.accounts.demo_views",
    "webapp.audit.views",
    "webapp.inbox.views",
    "webapp.documents.views",
    "webapp.registers.views",
    "webapp.registers.evaluation_views",
    "webapp.registers.round_views",
    "webapp.registers.round_act_views",
    "webapp.registers.round_served_views",
    "webapp.registers.supervision_views",
    "webapp.registers.interpretation_views",
    "webapp.registers.expulsion_views",
    "webapp.registers.criticism_views",
    "webapp.registers.admission_views",
    "webapp.registers.regulation_views",
    "webapp.notices.views",
    "webapp.notices.public_views",
    "webapp.monitor.views",
    "webapp.monitor.dashboard_views",
    "webapp.monitor.definition_views",
    "webapp.batches.views",
    "webapp.chasing.views",
    "webapp.standing.views",
    "webapp.designer.views",
    "webapp.rest.views",
)

csrf = CSRFProtect()


def create_app(config: Config) -> Flask:
    """The web program with these settings. The database is configured by the caller (`db.configure`), per process."""
    app = http.Web(__name__, static_folder=str(assets.STATIC), template_folder="templates")
    app.config.update(
        SECRET_KEY=config.secret_key,
        MAX_CONTENT_LENGTH=config.max_upload + 2**20,  # the form around the file
        MAX_FORM_MEMORY_SIZE=8 * 2**20,  # a text that is too long is told at its field
        MAX_FORM_PARTS=20_000,  # a filing of 200 enterprises with their files has some 3,500
        WTF_CSRF_CHECK_DEFAULT=False,  # `_before` decides: credentials need no token
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        QIANYIN=config,
    )
    if config.trusted_proxies:
        count = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = False
    app.jinja_env.globals["max_upload"] = config.max_upload  # bytes; macros see no context
    csrf.init_app(app)
    sessions.init_app(app)
    i18n.init_app(app)
    assets.init_app(app)
    app.before_request(lambda: _before(app, config))
    app.context_processor(lambda: _context(app, config))
    _register(app)
    http.init_app(app)
    access.init_app(app)
    return app


def _register(app: Flask) -> None:
    app.add_url_rule("/healthz", "healthz", healthz)
    for name in ROOMS:
        room = importlib.import_module(name)
        app.register_blueprint(room.bp)


@access.public
def healthz() -> ResponseReturnValue:
    """200 when web, database and worker are ready, else 503; JSON."""
    found = health.look()
    return jsonify(found), 200 if all(state == "ok" for state in found.values()) else 503


def _before(app: Flask, config: Config) -> ResponseReturnValue | None:
    """Before every view: the clock, the language, may they, is the form ours."""
    audit.address.set(request.remote_addr)
    if request.endpoint in {None, "static", "healthz"}:
        return None
    if config.demo:
        demo_clock.refresh(http.db_session())
    if wanted := _language_switch():
        return wanted
    sessions.look_at_credentials()
    access.check()
    if request.method not in {"GET", "HEAD", "OPTIONS"}:
        if http.is_api() and request.authorization is not None:
            _refuse_other_sites()
        else:
            csrf.protect()
    return None


def _refuse_other_sites() -> None:
    """A browser sends credentials that it was once given by itself: another site's page may not use them.

    Programs send no `Origin`, desktop tools one of `file://`.
    """
    origin = request.headers.get("Origin")
    foreign = origin is not None and not origin.startswith("file://") and urlsplit(origin).netloc != request.host
    if foreign or (origin is None and request.headers.get("Sec-Fetch-Site") == "cross-site"):
        raise Forbidden(_("不能从其他网站调用此接口。"))


def _language_switch() -> Response | None:
    """`?lang=en` on any page: remember the choice and show the page again, without it in the address."""
    if request.method != "GET" or http.is_api() or (wanted := request.args.get("lang")) not in i18n.LANGUAGES:
        return None
    session["lang"] = wanted
    if current_user.is_authenticated and current_user.locale != wanted:
        current_user.account.locale = wanted
        http.unit().finish()
    rest = [(key, value) for key, value in request.args.items(multi=True) if key != "lang"]
    return redirect(request.path + ("?" + urlencode(rest) if rest else ""), 303)  # type: ignore[return-value]


def _context(app: Flask, config: Config) -> dict[str, Any]:
    signed_in = current_user.is_authenticated
    theme = request.cookies.get("theme") or (current_user.theme if signed_in else "")
    context: dict[str, Any] = {
        "product_name": config.product_name,
        "issuing_body": config.issuing_body,
        "theme": theme if theme in {"light", "dark"} else "",
        "nav": nav.sections(app, current_user.roles if signed_in else None),
        "public_nav": nav.public_sections(app),
        "search_url": None if not signed_in else nav.search_url(app, current_user.roles),
        "account_links": nav.account_links(),
        "demo": config.demo,
        "demo_can_advance": config.demo and signed_in and "sysadmin" in current_user.roles,
    }
    if config.demo and clock.clock.offset > timedelta():
        context["demo_now"] = clock.now().astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M")
    return context
