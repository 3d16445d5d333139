"""代理: name a stand-in, end it, and do the tasks of those for whom one stands in."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import access, clock
from webapp.accounts.models import Account
from webapp.accounts.service import current_actor
from webapp.engine.handler_api import Actor
from webapp.errors import Invalid
from webapp.http import db_session, unit
from webapp.i18n import _
from webapp.inbox import deadlines
from webapp.standing import service

bp = Blueprint("standing", __name__, template_folder="templates", url_prefix="/standing")


@bp.get("")
@access.signed_in
def index() -> str:
    return _page(db_session(), current_actor(), {}, {})


def _page(session: Session, actor: Actor, entered: dict[str, str], errors: dict[str, list[str]]) -> str:
    administers = bool(service.ADMINISTRATORS & actor.roles)
    people = select(Account).where(Account.active).order_by(Account.name).limit(500)
    if not administers:
        people = people.where(Account.organisation_id == actor.organisation_id, Account.id != actor.id)
    options = [{"value": str(one.id), "label": f"{one.name}（{one.username}）"} for one in session.scalars(people)]
    now = clock.now()
    groups = []
    for principal in service.principals(session, actor.id):
        rows = service.tasks_of(session, principal)
        tasks = [
            {"row": row, "due": deadlines.tell(row.due_at, now, row.due_provisional), "id": row.id} for row in rows
        ]
        groups.append({"name": principal.name, "id": principal.id, "tasks": tasks})
    return render_template(
        "standing/index.html",
        administers=administers, people=options, groups=groups, known=_known(session, actor), entered=entered,
        errors=errors, today=clock.today().isoformat(),
    )  # fmt: skip


def _known(session: Session, actor: Actor) -> list[dict[str, Any]]:
    found, today = service.mine(session, actor.id), clock.today()
    ids = {one.account_id for one in found} | {one.stand_in_id for one in found}
    names = {row.id: row.name for row in session.execute(select(Account.id, Account.name).where(Account.id.in_(ids)))}
    return [
        {
            "id": one.id,
            "words": _("%(who)s代%(whom)s", who=names[one.stand_in_id], whom=names[one.account_id]),
            "days": f"{deadlines.full_date(one.first_day)} – {deadlines.full_date(one.last_day)}",
            "reason": one.reason,
            "state": _("已结束")
            if one.ended_at or one.last_day < today
            else (_("代理中") if one.first_day <= today else _("未开始")),
            "open": one.ended_at is None and one.last_day >= today,
        }
        for one in found
    ]


@bp.post("")
@access.signed_in
def appoint() -> ResponseReturnValue:
    session, actor, form = db_session(), current_actor(), request.form
    try:
        principal = UUID(form["principal"]) if form.get("principal") else actor.id
        other = UUID(form.get("stand_in", ""))
        first, last = date.fromisoformat(form.get("first", "")), date.fromisoformat(form.get("last", ""))
    except ValueError:
        words = _("请选择代理人并填写日期。")
        return _page(session, actor, dict(form), {"stand_in": [words]}), 422
    try:
        service.appoint(session, actor, principal, other, first, last, form.get("reason", ""))
    except Invalid as refused:
        unit().rollback()
        return _page(db_session(), actor, dict(form), refused.fields), 422
    flash(_("已指定代理人。"), "success")
    return redirect(url_for("standing.index"), 303)


@bp.post("/<uuid:id>/end")
@access.signed_in
def end(id: UUID) -> ResponseReturnValue:
    service.end(db_session(), current_actor(), id)
    flash(_("代理已结束，没有办完的事项已退还本人。"), "success")
    return redirect(url_for("standing.index"), 303)


@bp.post("/<uuid:principal_id>/tasks/<uuid:task_id>")
@access.signed_in
def take(principal_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Take a task in another's name, and go on to it."""
    service.take(db_session(), current_actor(), principal_id, task_id)
    return redirect(url_for("inbox.task", task_id=task_id), 303)
