"""Saving a draft from an editor: versioned, and a text that came too late is kept aside."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from webapp import access, clock
from webapp.accounts.service import current_actor
from webapp.designer import drafts, library
from webapp.designer.blueprint import DESIGNER, bp
from webapp.errors import Invalid
from webapp.http import db_session, unit
from webapp.i18n import _


@bp.put("/<key>/files/<path:path>")
@access.roles(DESIGNER)
def save(key: str, path: str) -> ResponseReturnValue:
    """Keep a draft: JSON {content, version} -> {version, saved_at}.

    409 when somebody else's save came first: who, when, their version, and the id under which this text is kept.
    """
    content, version = content_given(), _version()
    session, actor = db_session(), current_actor()
    drafts.check_path(path)
    try:
        saved = drafts.save(session, actor, key, path, content, version)
    except drafts.StaleSave as stale:
        unit().rollback()
        kept = drafts.keep(db_session(), actor, key, path, content, version)
        unit().finish()
        told = {"type": stale.code, "message": stale.message, "detail": stale.detail}
        told |= {"kept": url_for("designer.kept", key=key, kept_id=kept)}
        if library.kind(path) == "bpmn":
            told["compare"] = url_for("designer.compare", key=key, path=path, before=f"kept-{kept}")
        return jsonify(told), 409
    return jsonify(version=saved, saved_at=clock.now().astimezone(clock.BEIJING).strftime("%H:%M"))


def given() -> dict[str, Any]:
    """The request's JSON object. Errors: Invalid."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Invalid(_("请求有误，请返回上一页重试。"))
    return body


def content_given() -> bytes:
    """Its `content`, as bytes. Errors: Invalid."""
    content = given().get("content")
    if not isinstance(content, str):
        raise Invalid(_("请求有误，请返回上一页重试。"))
    return content.encode()


def _version() -> int:
    version = given().get("version")
    if not isinstance(version, int) or isinstance(version, bool) or not 0 <= version < 2**31:
        raise Invalid(_("请求有误，请返回上一页重试。"))
    return version


@bp.get("/<key>/kept/<uuid:kept_id>")
@access.roles(DESIGNER)
def kept(key: str, kept_id: UUID) -> Response:
    """A text that a stale save could not place, as a download."""
    found = drafts.kept(db_session(), key, kept_id)
    response = Response(bytes(found.content), mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=found.path.rsplit("/", 1)[-1])
    return response
