"""Signing in and out, the landing page, one's own account."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from webapp import access, nav
from webapp.accounts import attempts, roles, service, sessions
from webapp.accounts.models import Account
from webapp.audit import service as audit
from webapp.config import Config
from webapp.errors import Invalid
from webapp.http import db_session
from webapp.i18n import LANGUAGES, _, language

bp = Blueprint("accounts", __name__, template_folder="templates")
THEMES = ("light", "dark")
#: Roles whose work is not the inbox.
_LANDINGS = {"sysadmin": "/admin/", "secadmin": "/admin/", "auditor": "/admin/", "manager": "/instances"}


@bp.get("/")
@access.public
def home() -> ResponseReturnValue:
    """To where the caller's work is: public notices, administration, or the inbox."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    if not current_user.is_authenticated:
        return redirect("/public/" if nav.endpoint_of(app, "/public/") else url_for("accounts.login"), 303)
    landings = {_LANDINGS.get(role, "/tasks") for role in current_user.roles} or {"/tasks"}
    target = landings.pop() if len(landings) == 1 else "/tasks"
    return redirect(target if nav.endpoint_of(app, target) else url_for("accounts.own"), 303)


def _safe(target: str | None) -> str:
    """An address of our own, never another site's."""
    ours = target and target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if target and ours else "/"


@bp.get("/login")
@access.public
def login() -> ResponseReturnValue:
    """The sign-in page; who is signed in already goes on."""
    target = _safe(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(target, 303)
    return _login_page(target)


@bp.post("/login")
@access.public
def login_submit() -> ResponseReturnValue:
    """Sign in with user name and password."""
    username, password = request.form.get("username", ""), request.form.get("password", "")
    target = _safe(request.form.get("next"))
    if not username.strip() or not password:
        return _login_page(target, username, _("请填写用户名和密码。")), 422
    session = db_session()
    try:
        account = attempts.verify(session, username, password)
    except attempts.TooManyAttempts as error:
        return _login_page(target, username, error.message), error.status
    if account is None:
        return _login_page(target, username, _("用户名或密码不正确，或账号已停用。")), 401
    service.touch(account)
    audit.record(session, "login", service.actor_of(account), subject=account.username)
    sessions.sign_in(account)
    return redirect(target, 303)


def _login_page(target: str, username: str = "", error: str = "") -> str:
    config: Config = current_app.config["QIANYIN"]
    context: dict[str, Any] = {"next": target, "username": username, "error": error}
    if config.demo:
        context |= {"demo_accounts": _demo_accounts(), "demo_password": demo_password()}
    return render_template("login.html", **context)


def demo_password() -> str:
    """The password that all accounts of the demo have."""
    from webapp.demo import people

    return people.PASSWORD


def _demo_accounts() -> list[dict[str, str]]:
    found = db_session().scalars(select(Account).where(Account.active).order_by(Account.id).limit(30))
    return [
        {
            "username": account.username,
            "name": account.name,
            "organisation": account.organisation_name,
            "roles": "、".join(roles.ROLES[r].label(language()) for r in sorted(account.roles) if r in roles.ROLES),
        }
        for account in found
    ]


@bp.post("/logout")
@access.public
def logout() -> ResponseReturnValue:
    """End the session."""
    if current_user.is_authenticated:
        audit.record(db_session(), "logout", service.current_actor(), subject=current_user.username)
    sessions.sign_out()
    flash(_("您已退出登录。"), "success")
    return redirect(url_for("accounts.login"), 303)


@bp.get("/account")
@access.signed_in
def own() -> ResponseReturnValue:
    """One's own account: who, roles, language, theme, password."""
    return _own_page({})


def _own_page(errors: dict[str, list[str]]) -> str:
    held = [roles.ROLES[role].label(language()) for role in sorted(current_user.roles) if role in roles.ROLES]
    return render_template("accounts/own.html", held=held, errors=errors)


@bp.post("/account/password")
@access.signed_in
def password() -> ResponseReturnValue:
    """Change one's own password; other sessions of the account end, this one goes on."""
    form = request.form
    try:
        service.change_password(
            db_session(), current_user.account, form.get("old", ""), form.get("password", ""), form.get("again", "")
        )
    except Invalid as error:
        return _own_page(error.fields), error.status
    sessions.sign_in(current_user.account)
    flash(_("密码已修改，其他设备上的登录已失效。"), "success")
    return redirect(url_for("accounts.own"), 303)


@bp.post("/account/preferences")
@access.signed_in
def preferences() -> ResponseReturnValue:
    """Set one's language and theme."""
    wanted, theme = request.form.get("locale", ""), request.form.get("theme", "")
    if wanted not in LANGUAGES or theme not in {"auto", *THEMES}:
        raise Invalid(_("请选择语言和外观。"))
    current_user.account.locale, current_user.account.theme = wanted, theme
    response = redirect(url_for("accounts.own", lang=wanted), 303)
    if theme == "auto":
        response.delete_cookie("theme")
    else:
        response.set_cookie("theme", theme, max_age=365 * 86400, samesite="Lax", secure=request.is_secure)
    return response


@bp.post("/account/theme")
@access.public
def theme() -> ResponseReturnValue:
    """The switch of the top bar, with or without account: light or dark."""
    chosen = request.form.get("theme", "")
    if chosen not in THEMES:
        raise Invalid(_("请选择浅色或深色。"))
    if current_user.is_authenticated:
        current_user.account.theme = chosen
    response = current_app.response_class(status=204)
    response.set_cookie("theme", chosen, max_age=365 * 86400, samesite="Lax", secure=request.is_secure)
    return response
