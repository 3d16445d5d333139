"""Pages of operations on many instances: choose, preview, confirm, watch. For managers."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from webapp import access
from webapp.accounts.service import current_actor
from webapp.batches import picking, presenting, running, service
from webapp.batches.models import Batch
from webapp.engine.handler_api import Actor
from webapp.errors import Invalid
from webapp.http import db_session, unit
from webapp.i18n import _

bp = Blueprint("batches", __name__, template_folder="templates", url_prefix="/batches")
MANAGER = running.MANAGER


def _page_number() -> int:
    text = request.args.get("page", "1")
    return min(max(int(text), 1), 10_000) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def _show(batch: Batch, **more: object) -> str:
    shown = presenting.page(db_session(), batch, _page_number(), only=request.args.get("only", ""), **more)  # type: ignore[arg-type]
    return render_template("batches/batch.html", **shown)


def _go(batch: Batch) -> ResponseReturnValue:
    return redirect(url_for("batches.batch", batch_id=batch.id), 303)


@bp.get("")
@access.roles(MANAGER)
def index() -> str:
    return render_template("batches/list.html", **presenting.everything(db_session(), _page_number()))


@bp.post("")
@access.roles(MANAGER)
def create() -> ResponseReturnValue:
    """Freeze what is ticked, or with `scope=filter` all that the list shows now."""
    session, actor = db_session(), current_actor()
    if request.form.get("scope") == "filter":
        ids = picking.filtered(session, actor, request.form.get("filter", ""))
        described = _("符合筛选条件的全部案件")
    else:
        ids = picking.ticked(session, actor, request.form.getlist("ids"))
        described = _("在列表中选中的案件")
    return _go(service.create(session, actor, ids, described))


@bp.get("/<uuid:batch_id>")
@access.roles(MANAGER)
def batch(batch_id: UUID) -> str:
    return _show(service.find(db_session(), batch_id))


@bp.post("/<uuid:batch_id>/preview")
@access.roles(MANAGER)
def preview(batch_id: UUID) -> ResponseReturnValue:
    session, actor = db_session(), current_actor()
    own = {"csrf_token", "kind"}
    params = {name: value for name, value in request.form.items() if name not in own and value}
    try:
        return _go(service.look(session, actor, batch_id, request.form.get("kind", ""), params))
    except Invalid as refused:
        unit().rollback()
        return _show(service.find(db_session(), batch_id), errors={"": [refused.message]} | refused.fields), 422


@bp.post("/<uuid:batch_id>/start")
@access.roles(MANAGER)
def start(batch_id: UUID) -> ResponseReturnValue:
    session, actor = db_session(), current_actor()
    reason, confirm = request.form.get("reason", ""), request.form.get("confirm", "")
    try:
        made = service.start(session, actor, batch_id, reason, confirm)
    except Invalid as refused:
        unit().rollback()
        return _show(service.find(db_session(), batch_id), errors=refused.fields, reason=reason), 422
    flash(_("已开始执行，可以离开此页，结果会保留。"), "success")
    return _go(made)


#: What a button of the page does, and what is said then.
_ACTS: dict[str, Callable[[Session, Actor, UUID], Batch]] = {
    "back": service.back,
    "pause": service.pause,
    "resume": service.resume,
    "cancel": service.cancel,
    "again": service.again,
}


@bp.post("/<uuid:batch_id>/<any(back,pause,resume,cancel,again):what>")
@access.roles(MANAGER)
def change(batch_id: UUID, what: str) -> ResponseReturnValue:
    return _go(_ACTS[what](db_session(), current_actor(), batch_id))
