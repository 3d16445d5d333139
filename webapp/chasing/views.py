"""The bell: what one has been told; 催办 by hand; how one wants to be told."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import access, clock
from webapp.accounts.service import current_actor
from webapp.chasing import service
from webapp.errors import Conflict, Invalid
from webapp.http import db_session, unit
from webapp.i18n import _
from webapp.inbox import deadlines

bp = Blueprint("chasing", __name__, template_folder="templates", url_prefix="/reminders")


@bp.get("")
@access.signed_in
def index() -> str:
    """What one was told, newest first."""
    shown = [
        {
            "id": row.PersonalNotice.id,
            "title": row.title or row.name,
            "number": row.business_key or "",
            "step": row.name,
            "words": service.sentence(row),
            "at": deadlines.moment(row.PersonalNotice.created_at, clock.now()),
            "unread": row.PersonalNotice.read_at is None and row.status == "open",
            "open": row.status == "open",
        }
        for row in service.newest(db_session(), current_actor().id)
    ]
    return render_template("chasing/list.html", notices=shown, unread=sum(one["unread"] for one in shown))


@bp.get("/count")
@access.signed_in
def count() -> ResponseReturnValue:
    """How many are not read; 304 while that is so."""
    response = jsonify(reminders=service.unread(db_session(), current_actor().id))
    response.add_etag()
    response.headers["Cache-Control"] = "private, no-cache"
    return response.make_conditional(request)


@bp.post("/<uuid:notice_id>")
@access.signed_in
def follow(notice_id: UUID) -> ResponseReturnValue:
    """Read one: on to its task."""
    task_id = service.read(db_session(), current_actor().id, notice_id)
    return redirect(url_for("inbox.task", task_id=task_id), 303)


@bp.post("/read")
@access.signed_in
def read_all() -> ResponseReturnValue:
    service.read(db_session(), current_actor().id)
    return redirect(url_for("chasing.index"), 303)


@bp.post("/chase/<uuid:task_id>")
@access.signed_in
def chase(task_id: UUID) -> ResponseReturnValue:
    """催办: from a task's or a case's page, back to it."""
    try:
        told = service.chase(db_session(), current_actor(), task_id, request.form.get("words", ""))
    except (Invalid, Conflict) as refused:
        unit().rollback()
        flash(refused.message, "warning")
    else:
        flash(_("已催办，通知了 %(n)s 人。", n=told), "success")
    came = request.referrer or ""
    ours = came.startswith(request.host_url)
    return redirect(came if ours else url_for("inbox.index"), 303)


@bp.get("/choices")
@access.signed_in
def choices() -> str:
    """How one wants to be told."""
    chosen = service.choice(db_session(), current_actor().id)
    return _choices(chosen.email, chosen.mail, [k for k in ("before", "over", "escalated") if k not in chosen.muted])


def _choices(email: str, mail: str, wanted: list[str], errors: dict[str, list[str]] | None = None) -> str:
    from flask import current_app

    on = bool(current_app.config["QIANYIN"].smtp_url)
    context = {"email": email, "mail": mail, "wanted": wanted, "errors": errors or {}, "mail_on": on}
    return render_template("chasing/choices.html", **context, username=current_user.username)


@bp.post("/choices")
@access.signed_in
def choose() -> ResponseReturnValue:
    form = request.form
    email, mail, wanted = form.get("email", ""), form.get("mail", "off"), form.getlist("wanted")
    try:
        service.choose(db_session(), current_actor().id, email=email, mail=mail, wanted=wanted)
    except Invalid as refused:
        return _choices(email, mail, wanted, refused.fields), 422
    flash(_("提醒方式已保存。"), "success")
    return redirect(url_for("chasing.choices"), 303)
