"""流程: all processes, the analysis of one, its exports, and the target of its length."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from webapp import access, clock, db
from webapp.accounts.service import current_actor
from webapp.audit import service as audit
from webapp.engine import deployment
from webapp.errors import Invalid
from webapp.http import db_session
from webapp.i18n import _
from webapp.monitor import definition_page, figures, list_options, mining, study, xes
from webapp.monitor.dashboard_views import WATCHERS
from webapp.monitor.filters import Filter
from webapp.monitor.list_page import address
from webapp.monitor.models import ProcessTarget
from webapp.monitor.overview_page import days
from webapp.registers import exports

bp = Blueprint("definitions", __name__, template_folder="templates", url_prefix="/definitions")
#: Days in which cases were completed that the list of processes tells of.
_SPAN = 84


@bp.get("")
@access.roles(*WATCHERS)
def index() -> str:
    session, today = db_session(), clock.today()
    first = today - timedelta(days=_SPAN - 1)
    standing = figures.standing(session, "", clock.now())
    took, targets = figures.durations(session, "", first, today), figures.targets(session)
    rows = []
    for row in list_options.latest(session):
        now, length = standing.get(row.key, figures.Standing()), took.get(row.key, figures.Duration())
        ended = Filter(view="done", process=row.key, ended_from=first, ended_to=today)
        rows.append(
            {
                "name": row.name,
                "key": row.key,
                "version": row.version,
                "url": url_for("definitions.page", key=row.key),
                "running": {"text": now.running, "url": address(Filter(process=row.key))},
                "overdue": {"text": now.overdue, "url": address(Filter(view="overdue", process=row.key))},
                "done": {"text": length.done, "url": address(ended)},
                "median": days(length.median),
                "ninth": days(length.ninth),
                "target": targets.get(row.key),
            }
        )
    return render_template("monitor/definitions.html", rows=rows)


@bp.get("/<key>")
@access.roles(*WATCHERS)
def page(key: str) -> str:
    return _page(key)


def _page(key: str, error: str = "", entered: str | None = None) -> str:
    may_set = "manager" in current_actor().roles
    context = definition_page.page(db_session(), current_actor(), key, request.args)
    return render_template("monitor/definition.html", may_set=may_set, error=error, entered=entered, **context)


@bp.get("/<key>/diagram.bpmn")
@access.roles(*WATCHERS)
def diagram(key: str) -> Response:
    session = db_session()
    row = study.definition(session, key, study.wanted(request.args, key).scope.version)
    response = Response(deployment.bpmn_xml(session, row.id), mimetype="application/xml")
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


@bp.get("/<key>/log.xes")
@access.roles(*WATCHERS)
def xes_log(key: str) -> Response:
    """The completed cases of the days asked for, as XES."""
    scope = study.wanted(request.args, key).scope
    name = study.definition(db_session(), key, scope.version).name

    def parts() -> Iterator[bytes]:
        with db.transaction() as session:  # of its own: it lasts as long as the download
            yield from xes.stream(session, scope, name)

    response = Response(stream_with_context(parts()), mimetype="application/xml")
    response.headers.set("Content-Disposition", "attachment", filename=f"{name} {scope.first}–{scope.last}.xes")
    return response


@bp.get("/<key>/bottlenecks.csv")
@access.roles(*WATCHERS)
def bottlenecks(key: str) -> Response:
    """The table of the page."""
    session, scope = db_session(), study.wanted(request.args, key).scope
    row = study.definition(session, key, scope.version)
    heads = [
        _("环节"), _("角色"), _("件数"), _("次数"), _("等待中位（天）"), _("等待 90 分位（天）"), _("等待合计（天）"),
        _("办理中位（天）"), _("办理合计（天）"), _("返工件数"),
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for one in mining.heat(session, scope):
        known = row.elements.get(one.element_id) or {}
        role = list_options.role_label(known["role"]) if known.get("role") else ""
        lengths = (one.wait, one.wait_ninth, one.wait_sum, one.work, one.work_sum)
        wait, ninth, wait_sum, work, work_sum = (round(length, 3) for length in lengths)
        name = known.get("name") or one.element_id
        rows.append([name, role, one.cases, one.count, wait, ninth, wait_sum, work, work_sum, one.again])
    return exports.response("csv", _("环节用时"), heads, rows)


@bp.post("/<key>/target")
@access.roles("manager")
def target(key: str) -> ResponseReturnValue:
    """Set how many days a case should take; nothing entered takes the target away."""
    session, actor, words = db_session(), current_actor(), request.form.get("days", "").strip()
    study.definition(session, key, None)
    kept = session.get(ProcessTarget, key)
    before = kept.days if kept else None
    try:
        wanted = _days(words)
    except Invalid as error:
        return _page(key, str(error), words), 422
    if wanted is None:
        if kept:
            session.delete(kept)
    elif kept:
        kept.days, kept.set_by, kept.set_at = wanted, actor.id, clock.now()
    else:
        session.add(ProcessTarget(definition_key=key, days=wanted, set_by=actor.id, set_at=clock.now()))
    if before != wanted:
        audit.record(session, "process.target", actor, subject=key, detail={"before": before, "after": wanted})
    flash(_("目标用时已保存。") if wanted is not None else _("目标用时已取消。"), "success")
    return redirect(url_for("definitions.page", key=key), 303)


def _days(words: str) -> int | None:
    if not words:
        return None
    if not (words.isascii() and words.isdigit() and 1 <= int(words[:6]) <= 3650):
        raise Invalid(_("请填写 1 至 3650 之间的整数，或留空表示不设目标。"))
    return int(words)
