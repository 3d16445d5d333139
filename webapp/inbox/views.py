"""The inbox: list, counts, bulk actions, starting a case, what one did and started, saved views and phrases."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from webapp import access, clock
from webapp.accounts.service import current_actor
from webapp.engine.tables import process_definition, user_task
from webapp.errors import Invalid
from webapp.http import db_session
from webapp.i18n import _
from webapp.inbox import deadlines, personal, presenting, queries, service, starting, task_views
from webapp.inbox.blueprint import bp
from webapp.registers import exports

__all__ = ["bp", "task_views"]


@bp.get("/tasks")
@access.signed_in
def index() -> str:
    return render_template("inbox/list.html", **presenting.page(db_session(), current_actor(), request.args))


@bp.get("/tasks/counts")
@access.signed_in
def counts() -> ResponseReturnValue:
    """Live counts; 304 while nothing has changed."""
    response = jsonify(presenting.live(db_session(), current_actor()))
    response.add_etag()
    response.headers["Cache-Control"] = "private, no-cache"
    return response.make_conditional(request)


@bp.post("/tasks/bulk")
@access.signed_in
def bulk() -> ResponseReturnValue:
    """Claim, release, transfer or export the picked tasks; the answer tells each one that could not be done."""
    session, actor = db_session(), current_actor()
    action, ids = request.form.get("action", ""), [uuid(item) for item in request.form.getlist("ids")]
    if action == "export":
        return _export(ids)
    to = request.form.get("to", "")
    results = service.bulk(
        session, actor, action, ids, to=uuid(to) if to else None, reason=request.form.get("reason", "")
    )
    done = [one for one in results if one.done]
    if done:
        words = {"claim": _("已签收 %(n)s 件。", n=len(done)), "release": _("已放回 %(n)s 件。", n=len(done))}
        flash(words.get(action) or _("已转办 %(n)s 件。", n=len(done)), "success")
    for one in results:
        if not one.done:
            flash(f"{one.number} {one.message}".strip(), "warning")
    return redirect(back(), 303)


def _export(ids: list[UUID]) -> ResponseReturnValue:
    session, actor = db_session(), current_actor()
    where = (user_task.c.id.in_(ids[: service_limit()]), service.visible_tasks(actor))
    found = session.execute(select(*queries.COLUMNS).where(*where).order_by(user_task.c.due_at, user_task.c.id)).all()
    shown = presenting.rows(session, actor, found)
    names = [_("事项"), _("编号"), _("环节"), _("牵引单位"), _("办理时限"), _("状态")]
    lines = [
        [row["title"], row["number"], row["step"], row["unit"], row["due"]["full"] if row["due"] else "", row["state"]]
        for row in shown
    ]
    return exports.response("xlsx", _("待办清单"), names, lines)


def service_limit() -> int:
    """How many rows one export of picked tasks holds."""
    return 2 * queries.MOST


def uuid(text: str) -> UUID:
    """An id from an address or a form. Errors: Invalid."""
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid(_("事项编号无效。")) from error


def back() -> str:
    """The list that the person came from: only an address of our own inbox is followed."""
    came = request.referrer or ""
    path = came.split(request.host_url.rstrip("/"), 1)[-1] if came.startswith(request.host_url) else ""
    return path if path.startswith("/tasks?") or path == "/tasks" else url_for("inbox.index")


# ---- starting ----------------------------------------------------------------------------------------------------


@bp.get("/tasks/start/<key>")
@access.signed_in
def start_page(key: str) -> str:
    one = starting.find(db_session(), current_actor(), key)
    stages = [{"label": label, "note": "", "state": ""} for label in one.stages]
    clauses = [task_views.clause_card(number) for number in one.clauses]
    return render_template("inbox/start.html", process=one, stages=stages, clauses=clauses)


@bp.post("/tasks/start/<key>")
@access.signed_in
def start(key: str) -> ResponseReturnValue:
    """Start a case; its first task opens at once when it is this person's."""
    made = service.start(db_session(), current_actor(), key)
    flash(_("已发起 %(number)s。", number=made.number) if made.number else _("已发起。"), "success")
    if made.task_id:
        return redirect(url_for("inbox.task", task_id=made.task_id), 303)
    return redirect(url_for("inbox.started"), 303)


# ---- what one did and started ------------------------------------------------------------------------------------


@bp.get("/tasks/done")
@access.signed_in
def done() -> str:
    session, actor = db_session(), current_actor()
    found, following = queries.did(session, actor, request.args.get("page", ""))
    units = queries.organisations(session, [row.case_org_id for row in found])
    lines = [
        {
            "what": {
                "label": row.title or row.name,
                "url": url_for("inbox.task", task_id=row.id),
                "meta": row.business_key or "",
            },
            "step": row.name,
            "unit": units.get(row.case_org_id, ""),
            "outcome": task_views.outcome_label(session, row),
            "at": deadlines.moment(row.ended_at, clock.now()),
        }
        for row in found
    ]
    columns = [
        {"key": "what", "label": _("事项"), "kind": "link"},
        {"key": "step", "label": _("环节"), "kind": "text", "narrow_hide": True},
        {"key": "unit", "label": _("牵引单位"), "kind": "text", "narrow_hide": True},
        {"key": "outcome", "label": _("结果"), "kind": "text"},
        {"key": "at", "label": _("办结时间"), "kind": "text"},
    ]
    return _plain(_("我办过的"), _("您办结的每一件事项，最近的在前。"), columns, lines, following, "inbox.done")


@bp.get("/tasks/started")
@access.signed_in
def started() -> str:
    session, actor = db_session(), current_actor()
    found, following = queries.started(session, actor, request.args.get("page", ""))
    names = presenting.process_names(session)
    tasks = task_views.tasks_of(session, actor, [row.id for row in found])
    lines = [_started_row(row, names, tasks) for row in found]
    columns = [
        {"key": "what", "label": _("事项"), "kind": "link"},
        {"key": "process", "label": _("流程"), "kind": "text", "narrow_hide": True},
        {"key": "stage", "label": _("阶段"), "kind": "text", "narrow_hide": True},
        {"key": "state", "label": _("状态"), "kind": "badge"},
        {"key": "at", "label": _("发起时间"), "kind": "text"},
    ]
    info = {row.id: row.info for row in _infos(session, [row.definition_id for row in found])}
    for line, row in zip(lines, found, strict=True):
        line["stage"] = dict(info[row.definition_id].get("stages") or ()).get(row.stage, "")
    return _plain(_("我发起的"), _("您发起的案件和它们到了哪里。"), columns, lines, following, "inbox.started")


def _infos(session: Any, ids: list[UUID]) -> Any:
    d = process_definition.c
    return session.execute(select(d.id, d.info).where(d.id.in_(ids)))


def _started_row(row: Any, names: dict[str, str], tasks: dict[UUID, UUID]) -> dict[str, Any]:
    states = {"active": "办理中", "completed": "已办结", "failed": "异常"}
    label = row.title or names.get(row.definition_key, row.definition_key)
    meta = row.business_key or ""
    what: Any = f"{label} {meta}".strip()
    if row.id in tasks:
        what = {"label": label, "url": url_for("inbox.task", task_id=tasks[row.id]), "meta": meta}
    else:
        what = {"label": label, "url": url_for("inbox.index", q=meta), "meta": meta}
    return {
        "what": what,
        "process": names.get(row.definition_key, row.definition_key),
        "state": states.get(row.status, "已终止"),
        "at": deadlines.moment(row.started_at, clock.now()),
    }


def _plain(title: str, words: str, columns: Any, rows: Any, following: str | None, endpoint: str) -> str:
    following_url = url_for(endpoint, page=following) if following else ""
    return render_template(
        "inbox/plain.html", title=title, words=words, columns=columns, rows=rows, following_url=following_url
    )


# ---- views and phrases -------------------------------------------------------------------------------------------


@bp.get("/tasks/views")
@access.signed_in
def view_page() -> str:
    views = personal.saved_views(db_session(), current_actor())
    query = personal.clean_query(request.args.get("query", ""))
    return render_template("inbox/views.html", query=query, views=views, errors={}, name="")


@bp.post("/tasks/views")
@access.signed_in
def keep_view() -> ResponseReturnValue:
    session, actor = db_session(), current_actor()
    name, query = request.form.get("name", ""), request.form.get("query", "")
    try:
        view = service.keep_view(session, actor, name, query)
    except Invalid as error:
        views = personal.saved_views(session, actor)
        page = render_template("inbox/views.html", query=query, views=views, errors=error.fields, name=name)
        return page, 422
    flash(_("已存为视图“%(name)s”。", name=view.name), "success")
    return redirect(f"{url_for('inbox.index')}?{view.query}", 303)


@bp.post("/tasks/views/<uuid:view_id>/delete")
@access.signed_in
def drop_view(view_id: UUID) -> ResponseReturnValue:
    personal.drop_view(db_session(), current_actor(), view_id)
    flash(_("视图已删去。"), "success")
    return redirect(url_for("inbox.view_page"), 303)


@bp.get("/tasks/phrases")
@access.signed_in
def phrase_page() -> str:
    phrases = personal.own_phrases(db_session(), current_actor())
    return render_template("inbox/phrases.html", phrases=phrases, errors={}, words="")


@bp.post("/tasks/phrases")
@access.signed_in
def keep_phrase() -> ResponseReturnValue:
    session, actor, words = db_session(), current_actor(), request.form.get("words", "")
    try:
        service.keep_phrase(session, actor, words)
    except Invalid as error:
        phrases = personal.own_phrases(session, actor)
        return render_template("inbox/phrases.html", phrases=phrases, errors=error.fields, words=words), 422
    flash(_("已保存，填写意见时可以直接点选。"), "success")
    return redirect(url_for("inbox.phrase_page"), 303)


@bp.post("/tasks/phrases/<uuid:phrase_id>/delete")
@access.signed_in
def drop_phrase(phrase_id: UUID) -> ResponseReturnValue:
    personal.drop_phrase(db_session(), current_actor(), phrase_id)
    flash(_("常用意见已删去。"), "success")
    return redirect(url_for("inbox.phrase_page"), 303)
