"""What all list pages of the registers share: the route of a list, its exports, and the row of registers on top."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import access, clock, nav
from webapp.accounts import service as accounts
from webapp.http import db_session
from webapp.i18n import lazy
from webapp.registers import exports, listing, regulation
from webapp.registers.listing import Register

#: The registers on top of their pages, in order: (address, word).
REGISTERS = (
    ("/registers/lead-units", lazy("牵引单位")),
    ("/registers/consortium", lazy("联合体企业")),
    ("/registers/filings", lazy("备案")),
    ("/registers/pilots", lazy("试点企业")),
    ("/registers/projects", lazy("改造项目")),
    ("/registers/commitments", lazy("任务书")),
    ("/registers/results", lazy("评价结果")),
    ("/notices/", lazy("公示公告")),
    ("/notices/objections", lazy("异议")),
    ("/registers/expulsions", lazy("清退审议")),
    ("/registers/criticisms", lazy("通报批评")),
    ("/registers/barred", lazy("不得重新申请")),
    ("/registers/interpretations", lazy("解释")),
    ("/registers/documents", lazy("文件")),
)


def tabs(here: str = "") -> list[dict[str, Any]]:
    """The registers that this person may open."""
    here = here or request.path
    found = []
    for path, word in REGISTERS:
        rule = access.RULES.get(nav.endpoint_of(current_app, path) or "")
        if rule is not None and rule.allows(current_user.roles):
            found.append({"label": word, "url": path, "current": here.rstrip("/") == path.rstrip("/")})
    return found


def add_list(bp: Blueprint, register: Register, rule: str, *roles: str) -> None:
    """Routes of one list: the page at `rule`, and `<key>.csv` / `<key>.xlsx` beside it, under the same access."""
    prefix = bp.url_prefix or ""
    base = f"{prefix}/{register.key}" if rule == "/" else prefix + rule

    def show() -> str:
        page = listing.page(register, db_session(), accounts.current_actor(), request.args, prefix + rule)
        page["csv_url"], page["xlsx_url"] = (
            page[f"{kind}_url"].replace(f"{prefix}{rule}.{kind}", f"{base}.{kind}", 1) for kind in ("csv", "xlsx")
        )
        return render_template("registers/list.html", **page, tabs=tabs(prefix + rule))

    def export(kind: str) -> Response:
        columns, rows = listing.export(register, db_session(), accounts.current_actor(), request.args)
        return exports.response(kind, str(register.title), columns, rows)

    name = register.key.replace("-", "_")
    allowed = access.roles(*roles)
    bp.add_url_rule(rule, name, allowed(show))
    export_rule = (f"/{register.key}" if rule == "/" else rule) + ".<any(csv, xlsx):kind>"
    bp.add_url_rule(export_rule, f"{name}_export", allowed(export))


def beijing(value: date | datetime | str | None) -> str:
    """A day or an instant as pages show it: Beijing time, `2026-11-24` or `2026-11-24 10:16`."""
    if isinstance(value, datetime):
        return value.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M")
    return value.isoformat() if isinstance(value, date) else str(value or "")


def case_url(instance_id: UUID) -> str:
    """The address of a case for those who may watch it there, else nothing."""
    rule = access.RULES.get("monitor.instance")
    if rule is None or not current_user.is_authenticated or not rule.allows(current_user.roles):
        return ""
    return url_for("monitor.instance", instance_id=instance_id)


def init_templates(bp: Blueprint) -> None:
    """Give all templates what those of the registers and notices use."""
    bp.add_app_template_filter(beijing, "beijing")
    bp.add_app_template_global(case_url, "case_url")
    bp.add_app_template_global(regulation.clause, "clause_words")


def answer(page: str) -> ResponseReturnValue:
    """A page whose form has errors: 422, so that nothing is committed and the browser keeps it out of its history."""
    return page, 422
