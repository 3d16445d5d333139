"""The editor of diagrams: its page, saving, checking while one draws, expressions as one types them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp import access, clock
from webapp.accounts.service import current_actor
from webapp.designer import checking, drafts, editing, library
from webapp.designer.blueprint import DESIGNER, bp
from webapp.errors import Invalid, NotFound
from webapp.http import db_session, unit
from webapp.i18n import _, language


@bp.get("/<key>/bpmn/<path:path>")
@access.roles(DESIGNER)
def bpmn(key: str, path: str) -> str:
    """The page. The diagram itself is in the page's data, with the version to save it by."""
    session = db_session()
    if library.kind(path) != "bpmn":
        raise NotFound(_("没有文件“%(path)s”。", path=path))
    folder, files = library.folder(session, key), library.working(session, key)
    text = drafts.read(session, key, path)
    data = {
        "lang": language(),
        "xml": text.content.decode("utf-8", "replace"),
        "version": text.version,
        "save": url_for("designer.save", key=key, path=path),
        "check": url_for("designer.check", key=key, path=path),
        "feel": url_for("designer.feel"),
        "file": path,
        "catalogue": editing.catalogue(session, files) | {"formUrl": _form_url(key)},
    }
    diagrams = [one for one in files if library.kind(one) == "bpmn"]
    return render_template("designer/bpmn.html", folder=folder, path=path, text=text, data=data, diagrams=diagrams)


def _form_url(key: str) -> str:
    from flask import current_app

    known = "designer.form" in current_app.view_functions
    return url_for("designer.form", key=key, path="forms/__form__.json") if known else ""


@bp.put("/<key>/files/<path:path>")
@access.roles(DESIGNER)
def save(key: str, path: str) -> ResponseReturnValue:
    """Keep a draft: JSON {content, version} -> {version, saved_at}.

    409 when somebody else's save came first: who, when, their version, and the id under which this text is kept.
    """
    content, version = _content(), _version()
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


def _json() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Invalid(_("请求有误，请返回上一页重试。"))
    return body


def _content() -> bytes:
    content = _json().get("content")
    if not isinstance(content, str):
        raise Invalid(_("请求有误，请返回上一页重试。"))
    return content.encode()


def _version() -> int:
    version = _json().get("version")
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


@bp.post("/<key>/check/<path:path>")
@access.roles(DESIGNER)
def check(key: str, path: str) -> ResponseReturnValue:
    """What deployment would say with this text in place of the draft; and which element sets which variables."""
    content = _content()
    if len(content) > drafts.MOST_BYTES:
        raise Invalid(_("文件超过 %(most)s MB，没有保存。", most=drafts.MOST_BYTES // 2**20))
    session = db_session()
    files = {**library.working(session, key), path: content}
    found = checking.findings(session, files)
    return jsonify(findings=[asdict(one) for one in found], names=editing.names(files, path))


@bp.post("/feel")
@access.roles(DESIGNER)
def feel() -> ResponseReturnValue:
    """Whether {source} is FEEL."""
    source = _json().get("source")
    if not isinstance(source, str):
        raise Invalid(_("请求有误，请返回上一页重试。"))
    return jsonify(editing.judged(source))
