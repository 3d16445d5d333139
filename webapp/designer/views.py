"""The library's pages: folders, one folder, making, importing, copying, renaming, retiring, files as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp import access
from webapp.accounts.service import current_actor
from webapp.designer import (
    bringing,
    comparing,
    deploy_views,
    drafts,
    editor_views,
    library,
    model_views,
    saving_views,
    scenario_views,
    searching,
)
from webapp.designer.blueprint import DESIGNER, bp
from webapp.designer.checking import told
from webapp.engine.bpmn import report
from webapp.errors import Conflict, Invalid, NotFound
from webapp.http import db_session, unit
from webapp.i18n import _

__all__ = ["bp", "deploy_views", "editor_views", "model_views", "saving_views", "scenario_views"]

#: Where a file of a kind is edited: (endpoint, argument names are `key` and `path`). Without the route: only read.
EDITORS: Mapping[str, str] = {
    "bpmn": "designer.bpmn",
    "dmn": "designer.decision",
    "form": "designer.form",
    "scenario": "designer.scenario",
}


@bp.app_context_processor
def _context() -> dict[str, Any]:
    """`url_exists(endpoint)`, for links to pages that a program may lack."""
    return {"url_exists": lambda endpoint: endpoint in current_app.view_functions}


def kinds() -> dict[str, str]:
    """The kinds of files, as people call them."""
    return {
        "bpmn": _("流程图"),
        "dmn": _("决策表"),
        "form": _("表单"),
        "document": _("文书模板"),
        "scenario": _("情景"),
        "other": _("其他文件"),
    }


def editor_url(key: str, path: str) -> str:
    """The editor's page of a file; '' when there is none."""
    endpoint = EDITORS.get(library.kind(path), "")
    return url_for(endpoint, key=key, path=path) if endpoint in current_app.view_functions else ""


@bp.get("/")
@access.roles(DESIGNER)
def index() -> str:
    return _index()


def _index(errors: Mapping[str, str] | None = None, opened: str = "") -> str:
    session, words = db_session(), request.args.get("q", "").strip()[:200]
    found = [(match, editor_url(match.folder.key, match.path)) for match in searching.search(session, words)]
    shown = {"folders": library.folders(session), "words": words, "found": found, "kinds": kinds()}
    return render_template("designer/index.html", **shown, errors=errors or {}, opened=opened, form=request.form)


@bp.post("/new")
@access.roles(DESIGNER)
def new() -> ResponseReturnValue:
    key, title = request.form.get("key", "").strip(), request.form.get("title", "")
    try:
        bringing.begin(db_session(), current_actor(), key, title)
    except (Invalid, Conflict) as refused:
        return _refused(refused, "new")
    return redirect(url_for("designer.folder", key=key), 303)


@bp.post("/import")
@access.roles(DESIGNER)
def bring() -> ResponseReturnValue:
    """A BPMN file from elsewhere. Its report is shown next."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _refused(Invalid(_("请选择文件。"), fields={"file": _("请选择文件。")}), "import")
    content = file.stream.read(drafts.MOST_BYTES + 1)
    file.close()
    try:
        key = bringing.bring(db_session(), current_actor(), file.filename, content, request.form.get("key", "").strip())
    except (Invalid, Conflict) as refused:
        return _refused(refused, "import")
    return redirect(url_for("designer.imported", key=key, path=f"{key}.bpmn"), 303)


def _refused(error: Invalid | Conflict, opened: str) -> ResponseReturnValue:
    """The library with the dialog open again and the sentence at its field; what was typed stays."""
    unit().rollback()
    fields = {name: said[0] for name, said in getattr(error, "fields", {}).items()}
    fields = fields or {"file" if opened == "import" else "key": error.message}
    return _index(fields, opened), error.status


@bp.get("/<key>/report/<path:path>")
@access.roles(DESIGNER)
def imported(key: str, path: str) -> str:
    """What the engine makes of a file: carried out, in part, refused."""
    session = db_session()
    text = drafts.read(session, key, path)
    found = report(text.content)
    names = {one.element_id: one.name for one in found.elements}
    return render_template(
        "designer/report.html",
        folder=library.folder(session, key),
        path=path,
        report=found,
        findings=[told(one, names) for one in found.findings],
        editor=editor_url(key, path),
        kind_word=comparing.kind_word,
        executable=all(one.code != "no_process" for one in found.findings),
    )


@bp.post("/<key>/executable/<path:path>")
@access.roles(DESIGNER)
def executable(key: str, path: str) -> ResponseReturnValue:
    bringing.make_executable(db_session(), current_actor(), key, path)
    return redirect(url_for("designer.imported", key=key, path=path), 303)


# ---- one folder


@bp.get("/<key>/")
@access.roles(DESIGNER)
def folder(key: str) -> str:
    return render_template("designer/folder.html", **_folder(key))


def _folder(key: str) -> dict[str, Any]:
    session = db_session()
    found = library.folder(session, key)
    held = library.listing(session, key)
    groups = []
    for kind, label in kinds().items():
        files = [(one, editor_url(key, one.path)) for one in held if library.kind(one.path) == kind]
        if files:
            groups.append({"kind": kind, "label": label, "files": files})
    diagrams = [one.path for one in held if library.kind(one.path) == "bpmn" and one.state != "removed"]
    main = editor_url(key, f"{key}.bpmn" if f"{key}.bpmn" in diagrams else diagrams[0]) if diagrams else ""
    changed = [one for one in held if one.state != "deployed"]
    rows = library.versions(session, key)
    return {"folder": found, "groups": groups, "main": main, "changed": changed, "versions": rows}


@bp.post("/<key>/duplicate")
@access.roles(DESIGNER)
def duplicate(key: str) -> ResponseReturnValue:
    made = request.form.get("key", "").strip()
    try:
        bringing.duplicate(db_session(), current_actor(), key, made, request.form.get("title", ""))
    except (Invalid, Conflict) as refused:
        return _back(key, refused)
    flash(_("已复制为“%(key)s”，尚未部署。", key=made), "success")
    return redirect(url_for("designer.folder", key=made), 303)


@bp.post("/<key>/rename")
@access.roles(DESIGNER)
def rename(key: str) -> ResponseReturnValue:
    try:
        library.rename(db_session(), current_actor(), key, request.form.get("title", ""))
    except Invalid as refused:
        return _back(key, refused)
    return redirect(url_for("designer.folder", key=key), 303)


@bp.post("/<key>/retire")
@access.roles(DESIGNER)
def retire(key: str) -> ResponseReturnValue:
    wanted = request.form.get("retired") == "true"
    try:
        library.retire(db_session(), current_actor(), key, wanted, request.form.get("reason", ""))
    except Invalid as refused:
        return _back(key, refused)
    flash(_("已停用，不再受理新的事项；在办的照常办理。") if wanted else _("已恢复受理。"), "success")
    return redirect(url_for("designer.folder", key=key), 303)


@bp.post("/<key>/discard")
@access.roles(DESIGNER)
def discard(key: str) -> ResponseReturnValue:
    """Give up the drafts; a folder that was never deployed goes with them."""
    count = drafts.discard(db_session(), current_actor(), key, request.form.get("path", ""))
    flash(_("已撤销 %(n)s 份草稿。", n=count), "success")
    known = any(one.key == key for one in library.folders(db_session()))
    return redirect(url_for("designer.folder", key=key) if known else url_for("designer.index"), 303)


@bp.post("/<key>/remove")
@access.roles(DESIGNER)
def remove(key: str) -> ResponseReturnValue:
    drafts.remove(db_session(), current_actor(), key, request.form.get("path", ""))
    return redirect(url_for("designer.folder", key=key), 303)


@bp.post("/<key>/restore")
@access.roles(DESIGNER)
def restore(key: str) -> ResponseReturnValue:
    """An earlier version becomes the draft; it is looked at and deployed as any other."""
    count = drafts.restore(db_session(), current_actor(), key, _of(key, request.form.get("of", "")))
    flash(_("已取回为草稿，%(n)s 个文件与现在不同；看过后再部署。", n=count), "success")
    return redirect(url_for("designer.folder", key=key), 303)


def _back(key: str, error: Invalid | Conflict) -> ResponseReturnValue:
    unit().rollback()
    flash(error.message, "error")
    return render_template("designer/folder.html", **_folder(key)), error.status


# ---- files as they are


@bp.get("/<key>/files/<path:path>")
@access.roles(DESIGNER)
def file(key: str, path: str) -> Response:
    """A file of the working set, or of a deployment (`?of=<id>`), always as a download."""
    session, wanted = db_session(), request.args.get("of", "")
    if wanted:
        content = library.deployed(session, _of(key, wanted)).get(path)
        if content is None:
            raise NotFound(_("没有文件“%(path)s”。", path=path))
    else:
        content = drafts.read(session, key, path).content
    response = Response(content, mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=path.rsplit("/", 1)[-1])
    return response


def _of(key: str, wanted: str) -> UUID:
    """The id of one of the folder's deployments. Errors: NotFound."""
    found = next((one.id for one in library.versions(db_session(), key) if str(one.id) == wanted), None)
    if found is None:
        raise NotFound(_("没有这个版本。"))
    return found
