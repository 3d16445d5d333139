"""The audit trail, read only, for the audit administrator."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from webapp import access, clock
from webapp.accounts.admin_views import page
from webapp.accounts.service import current_actor
from webapp.audit import service
from webapp.errors import Invalid
from webapp.http import db_session
from webapp.i18n import _

bp = Blueprint("audit", __name__, url_prefix="/admin/audit", template_folder="templates")


def _day(name: str) -> date | None:
    words = request.args.get(name, "").strip()
    try:
        day = date.fromisoformat(words) if words else None
    except ValueError:
        day = date.min
    if day is not None and not 2000 <= day.year <= 2200:
        raise Invalid(_("请填写日期，例如 2027-12-31。"))
    return day


def _search() -> service.Search:
    arguments = request.args
    return service.Search(
        person=arguments.get("person", "").strip(),
        action=arguments.get("action", "").strip(),
        words=arguments.get("q", "").strip(),
        since=_day("since"),
        until=_day("until"),
    )


def _arguments() -> dict[str, Any]:
    return {k: v for k, v in request.args.items() if v and k in {"person", "action", "q", "since", "until"}}


@bp.get("")
@access.roles("auditor")
def listing() -> ResponseReturnValue:
    """A page of the trail, newest first."""
    session = db_session()
    rows, before = service.find(session, _search(), before=request.args.get("before", type=int))
    return page(
        "audit/listing.html",
        rows=[(row, row.at.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M:%S")) for row in rows],
        actions=[{"value": action, "label": action} for action in service.actions(session)],
        entered=_arguments(),
        next_url=url_for("audit.listing", before=before, **_arguments()) if before else None,
        first_url=url_for("audit.listing", **_arguments()) if request.args.get("before") else None,
        export_url=url_for("audit.export", **_arguments()),
    )


@bp.get("/export.csv")
@access.roles("auditor")
def export() -> ResponseReturnValue:
    """The lines that were searched for, as CSV; the export itself is written into the trail."""
    session = db_session()
    content = service.export(session, _search())
    service.record(session, "audit.export", current_actor(), detail=_arguments())
    name = f"audit-{clock.today():%Y%m%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype="text/csv", headers=headers)
