"""The editor of diagrams: its page, checking while one draws, expressions as one types them."""

from __future__ import annotations

from dataclasses import asdict

from flask import current_app, jsonify, render_template, url_for
from flask.typing import ResponseReturnValue

from webapp import access
from webapp.designer import checking, drafts, editing, library
from webapp.designer.blueprint import DESIGNER, bp
from webapp.designer.saving_views import content_given, given
from webapp.errors import Invalid, NotFound
from webapp.http import db_session
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
    known = "designer.form" in current_app.view_functions
    return url_for("designer.form", key=key, path="forms/__form__.json") if known else ""


@bp.post("/<key>/check/<path:path>")
@access.roles(DESIGNER)
def check(key: str, path: str) -> ResponseReturnValue:
    """What deployment would say with this text in place of the draft; and which element sets which variables."""
    content = content_given()
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
    source = given().get("source")
    if not isinstance(source, str):
        raise Invalid(_("请求有误，请返回上一页重试。"))
    return jsonify(editing.judged(source))
