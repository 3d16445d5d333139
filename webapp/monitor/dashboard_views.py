"""监控总览: the dashboard, and its body alone for the open page to look at again."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import access
from webapp.accounts.service import current_actor
from webapp.http import db_session
from webapp.monitor import live, overview_page

bp = Blueprint("dashboard", __name__, template_folder="templates", url_prefix="/dashboard")
#: Roles of the office's side that see every instance.
WATCHERS = ("manager", "office", "working_group")


@bp.get("")
@access.roles(*WATCHERS)
def page() -> str:
    context = overview_page.page(db_session(), current_actor(), request.args)
    address = url_for("dashboard.body", weeks=context["weeks"], process=context["process"] or None)
    return render_template("monitor/dashboard.html", live_url=address, **context)


@bp.get("/body")
@access.roles(*WATCHERS)
def body() -> Response:
    session, actor = db_session(), current_actor()

    def look() -> str:
        return render_template("monitor/dashboard_body.html", **overview_page.page(session, actor, request.args))

    return live.answer(session, actor, "dashboard", look, mimetype="text/html")
