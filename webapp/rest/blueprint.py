"""The blueprint of `/engine-rest` and its error bodies (`type`, `message`), with the statuses of the dialect."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from werkzeug.exceptions import HTTPException

from webapp.engine.errors import DeploymentRefused, TaskNotOpen
from webapp.errors import Conflict, Forbidden, Invalid, NotFound, QianyinError

bp = Blueprint("rest", __name__, url_prefix="/engine-rest")

#: Name of the error class that clients of the dialect look for.
_TYPES: tuple[tuple[type[QianyinError], str], ...] = (
    (DeploymentRefused, "ParseException"),
    (NotFound, "InvalidRequestException"),
    (Forbidden, "AuthorizationException"),
    (TaskNotOpen, "TaskAlreadyClaimedException"),
    (Conflict, "OptimisticLockingException"),
    (Invalid, "InvalidRequestException"),
)


@bp.errorhandler(QianyinError)
def told(error: QianyinError) -> tuple[Response, int]:
    """An error that the caller is told about. A refused value is 400 there, not 422."""
    name = next((name for kind, name in _TYPES if isinstance(error, kind)), "RestException")
    body = {"type": name, "message": error.message, "code": error.status}
    if isinstance(error, Invalid) and error.fields:
        body["fields"] = error.fields
    if isinstance(error, DeploymentRefused):
        body["details"] = _details(error)
    if error.detail:
        body["detail"] = {key: str(value) for key, value in error.detail.items()}
    return jsonify(body), 400 if error.status == 422 else error.status


def _details(error: DeploymentRefused) -> dict[str, object]:
    problems = [
        {"message": finding.message, "mainElementId": finding.element_id, "elementIds": [finding.element_id]}
        for finding in error.findings
    ]
    return {"model": {"errors": problems, "warnings": []}}


@bp.errorhandler(HTTPException)
def refused(error: HTTPException) -> tuple[Response, int]:
    """What the framework itself refuses (unknown path is handled by the app, wrong method or body here)."""
    return jsonify({"type": "InvalidRequestException", "message": error.description or error.name}), error.code or 500
