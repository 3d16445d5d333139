"""Operations on one instance: choose, preview what will change, confirm with a reason. For managers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from webapp import access
from webapp.accounts.service import current_actor
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, Invalid, NotFound, QianyinError
from webapp.http import db_session, unit
from webapp.i18n import _
from webapp.monitor import operating, operation_page, queries
from webapp.monitor.blueprint import bp

MANAGER = "manager"


@bp.get("/<uuid:instance_id>/operations")
@access.roles(MANAGER)
def operation(instance_id: UUID) -> str:
    """What may be done, to all or to the element that was clicked."""
    session = db_session()
    row = _running(session, current_actor(), instance_id)
    element = request.args.get("element", "")
    if element and element not in row.elements:
        raise NotFound(_("流程没有这个环节。"))
    return render_template("monitor/operate.html", **operation_page.context(session, row, element))


@bp.post("/<uuid:instance_id>/operations/preview")
@access.roles(MANAGER)
def operation_preview(instance_id: UUID) -> ResponseReturnValue:
    session, actor = db_session(), current_actor()
    return _show(session, actor, instance_id)


@bp.post("/<uuid:instance_id>/operations/apply")
@access.roles(MANAGER)
def operation_apply(instance_id: UUID) -> ResponseReturnValue:
    session, actor = db_session(), current_actor()
    row = _running(session, actor, instance_id)
    act, reason = operation_page.act_of(request.form), request.form.get("reason", "")
    wrong: dict[str, str] = {}
    if not reason.strip():
        wrong["reason"] = _("请写明操作理由。")
    number = operation_page.context(session, row, "")["number"]
    if act.kind in operating.DESTRUCTIVE and request.form.get("confirm", "").strip() != number:
        wrong["confirm"] = _("请输入“%(word)s”以确认", word=number)
    if wrong:
        return _show(session, actor, instance_id, errors=wrong, reason=reason)
    try:
        operating.apply(session, actor, instance_id, act, reason)
    except (Invalid, Conflict) as refused:
        unit().rollback()
        return _refused(db_session(), actor, instance_id, act, refused)
    flash(_("%(title)s：已完成。", title=operation_page.titles()[act.kind]), "success")
    return redirect(url_for("monitor.instance", instance_id=instance_id), 303)


def _running(session: Session, actor: Actor, instance_id: UUID) -> Any:
    row = queries.instance(session, actor, instance_id)
    if row.status != "active":
        raise Conflict(_("该办理事项已结束。"))
    return row


def _show(
    session: Session, actor: Actor, instance_id: UUID, *, errors: dict[str, str] | None = None, reason: str = ""
) -> ResponseReturnValue:
    row = _running(session, actor, instance_id)
    act = operation_page.act_of(request.form)
    try:
        found = operating.preview(session, actor, instance_id, act)
    except (Invalid, Conflict, NotFound) as refused:
        unit().rollback()
        return _refused(db_session(), actor, instance_id, act, refused)
    shown = operation_page.context(session, row, request.form.get("chosen", ""), act)
    shown = operation_page.with_preview(shown, act, found) | {"errors": errors or {}, "reason": reason}
    page = render_template("monitor/operate.html", **shown)
    unit().rollback()  # the locks of the preview
    return page, 422 if errors else 200


def _refused(
    session: Session, actor: Actor, instance_id: UUID, act: operating.Act, refused: QianyinError
) -> ResponseReturnValue:
    """The same page with why it cannot be done; what was chosen stays."""
    row = queries.instance(session, actor, instance_id)
    shown = operation_page.context(session, row, request.form.get("chosen", ""), act)
    return render_template("monitor/operate.html", **(shown | {"refused": refused.message})), refused.status
