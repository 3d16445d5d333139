"""Comparing versions, deploying with a look at what it does, and moving the cases under way to the new version."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from webapp import access
from webapp.accounts.roles import ROLES
from webapp.accounts.service import current_actor
from webapp.designer import checking, comparing, deploying, drafts, library
from webapp.designer.blueprint import DESIGNER, bp
from webapp.engine import commands, deployment
from webapp.engine.errors import DeploymentRefused
from webapp.engine.handler_api import hooks
from webapp.engine.runtime import engine
from webapp.errors import Conflict, Invalid, NotFound
from webapp.http import db_session, unit
from webapp.i18n import _
from webapp.monitor import operating

KEPT = "kept-"


@bp.get("/<key>/compare")
@access.roles(DESIGNER)
def compare(key: str) -> str:
    """Two states of the folder: what differs in words, and one of its diagrams side by side.

    `before`, `after`: id of a deployment, `kept-<id>`, or nothing: the newest deployment, and the drafts.
    """
    session = db_session()
    folder, rows = library.folder(session, key), library.versions(session, key)
    before, after = request.args.get("before", ""), request.args.get("after", "")
    before = before or (str(folder.deployment_id) if folder.deployment_id else "")
    old, new = _state(session, key, before) if before else {}, _state(session, key, after)
    differing = comparing.files(old, new)
    diagrams = [path for path in sorted({*old, *new}) if library.kind(path) == "bpmn"]
    changed = [path for path, _kind in differing if path in diagrams]
    path = request.args.get("path", "")
    if path not in diagrams:
        path = (changed or diagrams or [""])[0]
    changes = comparing.compare(old.get(path), new.get(path))
    data = {
        "before": old.get(path, b"").decode("utf-8", "replace"),
        "after": new.get(path, b"").decode("utf-8", "replace"),
        "marks": {kind: [one.element_id for one in changes if one.kind == kind] for kind in _KINDS},
    }
    options = [{"value": str(one.id), "label": f"{one.label or _('流程未变')} · {one.author}"} for one in rows]
    return render_template(
        "designer/compare.html",
        folder=folder,
        path=path,
        diagrams=[{"value": one, "label": one} for one in diagrams],
        before=before,
        after=after,
        options=options,
        changes=changes,
        files=differing,
        words=comparing.words,
        kind_word=comparing.kind_word,
        data=data,
    )


_KINDS = ("added", "removed", "changed", "moved")


def _state(session: Session, key: str, wanted: str) -> dict[str, bytes]:
    if not wanted:
        return library.working(session, key)
    if wanted.startswith(KEPT):
        try:
            kept = drafts.kept(session, key, UUID(wanted.removeprefix(KEPT)))
        except ValueError as error:
            raise NotFound(_("没有这份另存的内容。")) from error
        return {**library.working(session, key), kept.path: bytes(kept.content)}
    found = next((one.id for one in library.versions(session, key) if str(one.id) == wanted), None)
    if found is None:
        raise NotFound(_("没有这个版本。"))
    return library.deployed(session, found)


# ---- deploying


@bp.get("/<key>/deploy")
@access.roles(DESIGNER)
def deploy(key: str) -> str:
    return _deploy(key)


def _deploy(key: str, comment: str = "", error: str = "", refused: str = "") -> str:
    session = db_session()
    folder, files = library.folder(session, key), library.working(session, key)
    found = checking.findings(session, files)
    errors = [one for one in found if one.severity == "error"]
    compiled = {}
    if not errors:
        checked = deployment.review(session, files, hooks, roles=frozenset(ROLES))
        compiled = {process: one for process, (one, _path) in checked.processes.items()}
    old = library.deployed(session, folder.deployment_id)
    return render_template(
        "designer/deploy.html",
        folder=folder,
        findings=found,
        errors=errors,
        changes=[
            (path, kind, comparing.compare(old.get(path), files.get(path)) if library.kind(path) == "bpmn" else [])
            for path, kind in comparing.files(old, files)
        ],
        words=comparing.words,
        standing=deploying.impact(session, key, compiled) if not errors else [],
        seen=deploying.mark(files),
        comment=comment,
        error=error,
        refused=refused,
    )


@bp.post("/<key>/deploy")
@access.roles(DESIGNER)
def deploy_now(key: str) -> ResponseReturnValue:
    session, actor = db_session(), current_actor()
    comment = request.form.get("comment", "")
    try:
        result = deploying.deploy(session, actor, key, comment, request.form.get("seen", ""))
    except (Conflict, Invalid) as error:
        unit().rollback()
        at_field = (getattr(error, "fields", None) or {}).get("comment")
        told = "" if at_field or isinstance(error, DeploymentRefused) else error.message
        return _deploy(key, comment, at_field[0] if at_field else "", told), error.status
    made = "、".join(_("%(key)s 第 %(n)s 版", key=one.key, n=one.version) for one in result.definitions if one.changed)
    flash(_("已部署：%(made)s。新的事项按新版办理。", made=made or _("流程未变")), "success")
    old, _elements = deploying.candidates(session, key)
    return redirect(url_for("designer.migrate" if old else "designer.folder", key=key), 303)


# ---- moving cases


@bp.get("/<key>/migrate")
@access.roles(DESIGNER)
def migrate(key: str) -> str:
    """The cases on older versions, to be moved one by one by the page's script."""
    session = db_session()
    found, elements = deploying.candidates(session, key)
    mapping = [
        {
            "process": process,
            "id": id,
            "name": one.get("name") or id,
            "options": [
                {"value": new, "label": other.get("name") or new}
                for new, other in after.items()
                if other.get("type") == one.get("type")
            ],
        }
        for process, (before, after) in elements.items()
        for id, one in before.items()
    ]
    folder = library.folder(session, key)
    return render_template("designer/migrate.html", folder=folder, cases=found, mapping=mapping)


@bp.post("/<key>/migrate/<uuid:instance_id>")
@access.roles(DESIGNER)
def migrate_one(key: str, instance_id: UUID) -> ResponseReturnValue:
    """Move one case: JSON {definition, mapping, reason}, or {back: true, reason}; each call is a transaction."""
    session, actor = db_session(), current_actor()
    body = request.get_json(silent=True)
    wanted = body if isinstance(body, dict) else {}
    if not deploying.belongs(session, key, instance_id):
        raise NotFound(_("没有找到，或您无权查看。"))
    reason = str(wanted.get("reason") or "").strip()[:2000]
    if not reason:
        raise Invalid(_("请写明理由。"), fields={"reason": _("请写明理由。")})
    if wanted.get("back"):
        operating.apply(session, actor, instance_id, operating.Act("migrate_back"), reason)
    else:
        engine().step(session, instance_id, _command(wanted, reason), actor)
    return jsonify(done=True)


def _command(wanted: dict[str, Any], reason: str) -> commands.Migrate:
    mapping = wanted.get("mapping")
    pairs = mapping.items() if isinstance(mapping, dict) else ()
    try:
        target = UUID(str(wanted.get("definition")))
    except ValueError as error:
        raise Invalid(_("没有这个版本。")) from error
    return commands.Migrate(target, reason, {str(old): str(new) for old, new in pairs if new})
