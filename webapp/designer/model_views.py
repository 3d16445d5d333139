"""The editors of decision tables and forms: their pages, the check as one draws, the test row, the previews."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any, Final

from flask import jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp import access
from webapp.accounts.service import current_actor
from webapp.designer import decisions, drafts, forms, library
from webapp.designer.blueprint import DESIGNER, bp
from webapp.errors import Conflict, Invalid, NotFound
from webapp.http import db_session
from webapp.i18n import _, language

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,59}", re.ASCII)


def body() -> dict[str, Any]:
    """The JSON object that was sent. Errors: Invalid."""
    found = request.get_json(silent=True)
    if not isinstance(found, dict):
        raise Invalid(_("请求有误，请返回上一页重试。"))
    return found


def content_of(sent: dict[str, Any]) -> bytes:
    """The text of the file that the editor holds. Errors: Invalid (no text, too large)."""
    content = sent.get("content")
    if not isinstance(content, str):
        raise Invalid(_("请求有误，请返回上一页重试。"))
    encoded = content.encode("utf-8", "replace")
    if len(encoded) > drafts.MOST_BYTES:
        raise Invalid(_("文件超过 %(most)s MB。", most=drafts.MOST_BYTES // 2**20))
    return encoded


def opened(key: str, path: str, kind: str) -> tuple[library.Folder, drafts.Text]:
    """The folder and the text that an editor opens. Errors: NotFound (also for a file of another kind)."""
    session = db_session()
    if library.kind(path) != kind:
        raise NotFound(_("没有文件“%(path)s”。", path=path))
    return library.folder(session, key), drafts.read(session, key, path)


def held(key: str, path: str, text: drafts.Text) -> dict[str, Any]:
    """What every editor's page knows: the text, the version to save it by, and where to save it."""
    return {
        "lang": language(),
        "content": text.content.decode("utf-8", "replace"),
        "version": text.version,
        "save": url_for("designer.save", key=key, path=path),
        "reload": url_for(request.endpoint or "", key=key, path=path),
    }


# ---- decision tables


@bp.get("/<key>/decision/<path:path>")
@access.roles(DESIGNER)
def decision(key: str, path: str) -> str:
    folder, text = opened(key, path, "dmn")
    data = held(key, path, text) | {
        "check": url_for("designer.decision_check", key=key),
        "try": url_for("designer.decision_try", key=key),
    }
    return render_template("designer/decision.html", folder=folder, path=path, text=text, data=data)


@bp.post("/<key>/decision-check")
@access.roles(DESIGNER)
def decision_check(key: str) -> ResponseReturnValue:
    """{content} -> {findings, decisions [{key, name, inputs, rules}]}."""
    library.folder(db_session(), key)
    findings, shown = decisions.inspect(content_of(body()))
    return jsonify(findings=[asdict(one) for one in findings], decisions=[asdict(one) for one in shown])


@bp.post("/<key>/decision-try")
@access.roles(DESIGNER)
def decision_try(key: str) -> ResponseReturnValue:
    """{content, decision, values {input: text}} -> {rules, rows, error, warnings, fields}."""
    library.folder(db_session(), key)
    sent = body()
    values = sent.get("values")
    if not isinstance(values, dict):
        raise Invalid(_("请求有误，请返回上一页重试。"))
    return jsonify(asdict(decisions.try_row(content_of(sent), str(sent.get("decision")), values)))


# ---- forms


@bp.get("/<key>/form/<path:path>")
@access.roles(DESIGNER)
def form(key: str, path: str) -> str:
    folder, text = opened(key, path, "form")
    data = held(key, path, text) | {
        "preview": url_for("designer.form_preview", key=key),
        "offered": forms.OFFERED,
    }
    return render_template("designer/form.html", folder=folder, path=path, text=text, data=data)


@bp.post("/<key>/form-preview")
@access.roles(DESIGNER)
def form_preview(key: str) -> ResponseReturnValue:
    """{content} -> {problems, fill, review}: the same check as at deployment, the form as the server renders it."""
    library.folder(db_session(), key)
    return jsonify(asdict(forms.preview(content_of(body()))))


# ---- new ones


@bp.post("/<key>/begin")
@access.roles(DESIGNER)
def begin(key: str) -> ResponseReturnValue:
    """A new, empty decision table (`kind=dmn`) or form (`kind=form`) as a draft; its editor is shown next."""
    kind, name = request.form.get("kind", ""), request.form.get("name", "").strip()
    if not _NAME.fullmatch(name):
        raise Invalid(_("标识须以小写字母开头，只含小写字母、数字和下划线，2 至 60 个字符。"))
    if kind not in ("dmn", "form"):
        raise Invalid(_("请求有误，请返回上一页重试。"))
    path = f"{name}.dmn" if kind == "dmn" else f"forms/{name}.json"
    session = db_session()
    if path in library.working(session, key):
        raise Conflict(_("已有“%(path)s”，请换一个标识。", path=path))
    empty = decisions.EMPTY if kind == "dmn" else forms.EMPTY
    drafts.put(session, current_actor(), key, {path: empty.format(key=name).encode()})
    return redirect(url_for("designer.decision" if kind == "dmn" else "designer.form", key=key, path=path), 303)
