"""Uploading, downloading and previewing documents. A document that may not be seen does not exist (404)."""

from __future__ import annotations

import os
from uuid import UUID

from flask import Blueprint, Response, current_app, jsonify, render_template_string, request, send_file
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import access
from webapp.accounts import service as accounts
from webapp.documents import content, service, storage
from webapp.documents.models import Document
from webapp.engine.handler_api import Actor
from webapp.errors import Invalid, NotFound, QianyinError
from webapp.http import db_session
from webapp.i18n import _

bp = Blueprint("documents", __name__)
bp.record(lambda state: storage.configure(state.app.config["QIANYIN"]))

#: Shown in the browser: everything else is only ever downloaded.
INLINE = frozenset({content.PDF, content.JPEG, content.PNG})
#: A document can load, run and submit nothing, and has no origin. Browsers' PDF viewers do not start inside `sandbox`;
#: they run apart from the page, so a PDF gets the same policy without that word.
NO_RIGHTS = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
TILE = '{% import "macros/pieces.html" as p %}{{ p.file_tile(file, true, name) }}'


def _actor() -> Actor | None:
    return accounts.current_actor() if current_user.is_authenticated else None


@bp.post("/documents")
@access.signed_in
def upload() -> ResponseReturnValue:
    """One file (field `file`): its tile as HTML, with the hidden input named by `name`; JSON for those who ask."""
    try:
        document = receive(accounts.current_actor())
    except QianyinError as error:
        return jsonify({"message": error.message}), error.status
    return uploaded(service.tile(document))


def receive(actor: Actor | None) -> Document:
    """Keep the request's file. Errors: Invalid."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid(_("没有收到文件，请选择文件后再上传。"))
    return service.store_upload(db_session(), file.stream, file.filename, actor=actor)


def uploaded(tile: dict[str, object]) -> ResponseReturnValue:
    """The answer to an upload: HTML of the tile, or JSON."""
    if request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html") == "application/json":
        return jsonify(tile), 201
    return render_template_string(TILE, file=tile, name=request.form.get("name", "documents"))


@bp.get("/documents/<uuid:document_id>")
@access.public
def download(document_id: UUID) -> ResponseReturnValue:
    """The file, to be saved."""
    return send(service.find(db_session(), document_id, _actor()), inline=False)


@bp.get("/documents/<uuid:document_id>/preview")
@access.public
def preview(document_id: UUID) -> ResponseReturnValue:
    """The file, shown in the browser when it is a PDF, JPEG or PNG."""
    return send(service.find(db_session(), document_id, _actor()), inline=True)


@bp.get("/documents/<uuid:document_id>/digest")
@access.public
def digest(document_id: UUID) -> ResponseReturnValue:
    """JSON: the recorded SHA-256 and whether the stored bytes still have it."""
    document = service.find(db_session(), document_id, _actor())
    return jsonify(digest=document.digest, size=document.size, intact=storage.intact(document.digest))


def send(document: Document, *, inline: bool) -> Response:
    """The bytes with headers that leave them no power over our pages. Errors: NotFound when the file is gone."""
    try:
        file = storage.open_bytes(document.digest)
    except FileNotFoundError:
        current_app.logger.error("the bytes of document %s are missing", document.id)
        message = _("文件“%(name)s”的内容暂时无法读取，请联系系统管理员。", name=document.filename)
        raise NotFound(message) from None
    shown = inline and document.media_type in INLINE
    response = send_file(
        file,
        mimetype=document.media_type,
        as_attachment=not shown,
        download_name=document.filename,
        etag=document.digest,
        max_age=3600 if document.public else None,
        conditional=False,
    )
    response.content_length = file.seek(0, os.SEEK_END)
    file.seek(0)
    response.make_conditional(request.environ, accept_ranges=True, complete_length=response.content_length)
    response.headers["X-Content-Type-Options"] = "nosniff"
    sandbox = "" if document.media_type == content.PDF else "sandbox; "
    response.headers["Content-Security-Policy"] = sandbox + NO_RIGHTS
    if not document.public:
        response.headers["Cache-Control"] = "private, no-store"
    return response
