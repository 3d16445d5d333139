"""Moving the demo's clock: by the bar of the page, or by the API. Answers 404 outside of demo mode."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from webapp import access, clock, demo_clock
from webapp.accounts import service
from webapp.audit import service as audit
from webapp.errors import Invalid, NotFound
from webapp.http import db_session, wants_json
from webapp.i18n import _

bp = Blueprint("demo_clock", __name__, url_prefix="/api/v1/demo")


@bp.post("/clock")
@access.roles("sysadmin")
def advance() -> ResponseReturnValue:
    """Move forward by an ISO 8601 duration: `{"advance": "P6D"}`, or the form field of that name."""
    if not current_app.config["QIANYIN"].demo:
        raise NotFound(_("只有演示环境可以调整时间。"))
    sent = request.get_json(silent=True) if request.is_json else request.form
    words = sent.get("advance") if isinstance(sent, dict) else None
    if not isinstance(words, str):
        raise Invalid(_("请给出推进的时长。"), fields={"advance": _("请给出推进的时长。")})
    offset = demo_clock.advance(db_session(), demo_clock.parse(words))
    audit.record(db_session(), "demo.clock", service.current_actor(), subject=words)
    now = clock.now().astimezone(clock.BEIJING)
    if request.is_json or (wants_json() and "text/html" not in request.headers.get("Accept", "")):
        return jsonify(now=now.isoformat(), offset_seconds=int(offset.total_seconds()))
    flash(_("演示时间已推进到 %(now)s，到期事项正在处理。", now=now.strftime("%Y-%m-%d %H:%M")), "success")
    back = request.form.get("back", "/")
    return redirect(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/", 303)
