"""Administration by separate powers 三员分立: accounts (system), roles (security); and the office's house rules."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import func, select

from webapp import access, nav
from webapp.accounts import roles, service, settings_service
from webapp.accounts.models import Account, Organisation
from webapp.errors import Conflict, Invalid
from webapp.http import db_session
from webapp.i18n import _, language, lazy
from webapp.retention import presenting as retained
from webapp.retention import service as retention

bp = Blueprint("admin", __name__, url_prefix="/admin", template_folder="templates")
PAGE = 50
PAGES = (
    ("/admin/accounts", lazy("账号")),
    ("/admin/organisations", lazy("单位")),
    ("/admin/roles", lazy("角色与权限")),
    ("/admin/settings", lazy("设置与口径")),
    ("/admin/audit", lazy("审计记录")),
)
ADMINISTRATION = ("sysadmin", "secadmin", "auditor", "office")


def menu() -> list[dict[str, Any]]:
    """The pages of administration that the caller may open, as one group of views."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    found = []
    for path, label in PAGES:
        rule = access.RULES.get(nav.endpoint_of(app, path) or "")
        if rule and rule.allows(current_user.roles):
            found.append({"label": str(label), "url": path, "current": request.path.startswith(path), "count": ""})
    return [{"title": _("管理"), "views": found}]


def page(template: str, **context: Any) -> str:
    """A page of administration, with its menu."""
    return render_template(template, menu=menu(), **context)


@bp.get("/")
@access.roles(*ADMINISTRATION)
def index() -> ResponseReturnValue:
    """To the first page that the caller may open."""
    return redirect(menu()[0]["views"][0]["url"], 303)


@bp.get("/accounts")
@access.roles("sysadmin")
def accounts() -> ResponseReturnValue:
    """All accounts, by user name, searched by name, user name or organisation."""
    return _accounts_page({}, {})


def _accounts_page(errors: Mapping[str, Sequence[str]], entered: Mapping[str, str]) -> str:
    words, number = request.args.get("q", "").strip(), _page_number()
    query = select(Account).outerjoin(Organisation)
    if words:
        by_name = Account.username.icontains(words, autoescape=True) | Account.name.icontains(words, autoescape=True)
        query = query.where(by_name | Organisation.name.icontains(words, autoescape=True))
    total = db_session().scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = db_session().scalars(query.order_by(Account.username).limit(PAGE).offset((number - 1) * PAGE))
    return page(
        "accounts/accounts.html",
        rows=list(rows),
        pager=pager(total, number, "admin.accounts", q=words),
        query=words,
        organisations=_organisation_options(),
        errors=errors,
        entered=entered,
        suggestion=secrets.token_urlsafe(9) + "-A1",
    )


def _page_number() -> int:
    """The page that the address asks for; what is no such number is the first page."""
    return min(max(request.args.get("page", 1, type=int), 1), 1_000_000)


def pager(total: int, number: int, endpoint: str, **arguments: Any) -> dict[str, Any]:
    """The pager's data for a page of a list of `total` rows."""
    last = min(number * PAGE, total)
    return {
        "first": min((number - 1) * PAGE + 1, total),
        "last": last,
        "total": total,
        "pages": [],
        "previous_url": url_for(endpoint, page=number - 1, **arguments) if number > 1 else None,
        "next_url": url_for(endpoint, page=number + 1, **arguments) if last < total else None,
    }


def _organisation_options() -> list[dict[str, str]]:
    found = db_session().execute(select(Organisation.id, Organisation.name).order_by(Organisation.name))
    return [{"value": str(row.id), "label": row.name} for row in found]


def _uuid(words: str) -> UUID | None:
    try:
        return UUID(words)
    except ValueError:
        return None


@bp.post("/accounts")
@access.roles("sysadmin")
def create_account() -> ResponseReturnValue:
    """Make an account."""
    form = request.form
    try:
        made = service.create_account(
            db_session(),
            service.current_actor(),
            username=form.get("username", ""),
            name=form.get("name", ""),
            password=form.get("password", ""),
            organisation_id=_uuid(form.get("organisation", "")),
        )
    except Invalid as error:
        return _accounts_page(error.fields, form), error.status
    except Conflict as error:
        return _accounts_page({"username": [error.message]}, form), error.status
    flash(_("已创建账号 %(username)s，请安全管理员授予角色。", username=made.username), "success")
    return redirect(url_for("admin.accounts"), 303)


@bp.post("/accounts/<uuid:account_id>/active")
@access.roles("sysadmin")
def set_active(account_id: UUID) -> ResponseReturnValue:
    """Switch an account on or off."""
    account = service.get(db_session(), account_id)
    active = request.form.get("active") == "1"
    service.set_active(db_session(), service.current_actor(), account, active)
    done = _("已启用账号 %(name)s。", name=account.name) if active else _("已停用账号 %(name)s。", name=account.name)
    flash(done, "success")
    return redirect(url_for("admin.accounts"), 303)


@bp.post("/accounts/<uuid:account_id>/password")
@access.roles("sysadmin")
def reset_password(account_id: UUID) -> ResponseReturnValue:
    """Set a person's password anew."""
    account = service.get(db_session(), account_id)
    service.set_password(db_session(), service.current_actor(), account, request.form.get("password", ""))
    flash(_("已重置 %(name)s 的密码，请提醒其登录后修改。", name=account.name), "success")
    return redirect(url_for("admin.accounts"), 303)


@bp.get("/organisations")
@access.roles("sysadmin")
def organisations() -> ResponseReturnValue:
    """All organisations."""
    return _organisations_page({}, {})


def _organisations_page(errors: Mapping[str, Sequence[str]], entered: Mapping[str, str]) -> str:
    members = select(func.count()).where(Account.organisation_id == Organisation.id).scalar_subquery()
    query = select(Organisation, members.label("members")).order_by(Organisation.name)
    words, number = request.args.get("q", "").strip(), _page_number()
    if words:
        code = Organisation.credit_code.icontains(words, autoescape=True)
        query = query.where(Organisation.name.icontains(words, autoescape=True) | code)
    total = db_session().scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = db_session().execute(query.limit(PAGE).offset((number - 1) * PAGE)).all()
    return page(
        "accounts/organisations.html",
        rows=rows,
        pager=pager(total, number, "admin.organisations", q=words),
        query=words,
        errors=errors,
        entered=entered,
    )


@bp.post("/organisations")
@access.roles("sysadmin")
def create_organisation() -> ResponseReturnValue:
    """Make an organisation."""
    form = request.form
    kind = form.get("kind", "firm")
    if kind not in {"firm", "bureau", "other"}:
        raise Invalid(_("请选择单位类别。"))
    try:
        made = service.create_organisation(
            db_session(),
            service.current_actor(),
            name=form.get("name", ""),
            kind=kind,
            credit_code=form.get("credit_code"),
        )
    except Invalid as error:
        return _organisations_page(error.fields, form), error.status
    except Conflict as error:
        return _organisations_page({"credit_code": [error.message]}, form), error.status
    flash(_("已创建单位 %(name)s。", name=made.name), "success")
    return redirect(url_for("admin.organisations"), 303)


@bp.get("/roles")
@access.roles("secadmin")
def role_list() -> ResponseReturnValue:
    """Who holds which role."""
    words, number = request.args.get("q", "").strip(), _page_number()
    query = select(Account)
    if words:
        by_name = Account.username.icontains(words, autoescape=True) | Account.name.icontains(words, autoescape=True)
        query = query.where(by_name)
    total = db_session().scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = db_session().scalars(query.order_by(Account.username).limit(PAGE).offset((number - 1) * PAGE))
    labels = {key: role.label(language()) for key, role in roles.ROLES.items()}
    listing = pager(total, number, "admin.role_list", q=words)
    return page("accounts/roles.html", rows=list(rows), pager=listing, query=words, labels=labels)


@bp.get("/roles/<uuid:account_id>")
@access.roles("secadmin")
def roles_of(account_id: UUID) -> ResponseReturnValue:
    """The roles of one account."""
    account = service.get(db_session(), account_id)
    return _roles_page(account, account.roles, "")


def _roles_page(account: Account, chosen: frozenset[str], error: str) -> str:
    options = [
        {"value": role.id, "label": role.label(language()), "hint": _excluded(role)} for role in roles.ROLES.values()
    ]
    return page("accounts/roles_of.html", account=account, options=options, chosen=sorted(chosen), error=error)


def _excluded(role: roles.Role) -> str:
    names = "、".join(roles.ROLES[other].label(language()) for other in role.exclusive)
    return _("不得同时担任：%(names)s", names=names) if names else ""


@bp.post("/roles/<uuid:account_id>")
@access.roles("secadmin")
def set_roles(account_id: UUID) -> ResponseReturnValue:
    """Give an account exactly the chosen roles."""
    account = service.get(db_session(), account_id)
    chosen = frozenset(request.form.getlist("roles"))
    try:
        service.set_roles(db_session(), service.current_actor(), account, chosen)
    except (Invalid, Conflict) as error:
        return _roles_page(account, chosen, error.message), error.status
    flash(_("已保存 %(name)s 的角色，其登录需重新进行。", name=account.name), "success")
    return redirect(url_for("admin.role_list"), 303)


def _groups() -> frozenset[str]:
    """The settings that the caller may change: the office its house rules, the system administrator the rest."""
    held = current_user.roles
    return frozenset(group for group, role in (("house_rule", "office"), ("system", "sysadmin")) if role in held)


@bp.get("/settings")
@access.roles("office", "sysadmin")
def settings() -> ResponseReturnValue:
    """House rules 工作口径 and settings."""
    return _settings_page({}, {})


def _settings_page(errors: Mapping[str, Sequence[str]], entered: Mapping[str, str]) -> str:
    return page(
        "accounts/settings.html",
        definitions=list(settings_service.DEFINITIONS.values()),
        values=settings_service.everything(db_session()) | dict(entered),
        editable=_groups(),
        errors=errors,
        language=language(),
        history=retained.words(retention.plan(db_session())) if "system" in _groups() else [],
    )


@bp.post("/settings")
@access.roles("office", "sysadmin")
def change_settings() -> ResponseReturnValue:
    """Save the settings that the caller may change; each change stands in the audit trail."""
    entered = request.form.to_dict()
    try:
        changed = settings_service.change(db_session(), service.current_actor(), entered, groups=_groups())
    except Invalid as error:
        return _settings_page(error.fields, entered), error.status
    flash(_("已保存 %(count)s 项设置。", count=len(changed)) if changed else _("没有改动。"), "success")
    return redirect(url_for("admin.settings"), 303)
