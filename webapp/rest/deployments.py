"""/version, /deployment, /message."""

from __future__ import annotations

from typing import Any

from flask import request
from sqlalchemy import ColumnElement, select

from webapp import access
from webapp.accounts.roles import ROLES
from webapp.accounts.service import current_actor
from webapp.audit import service as audit
from webapp.engine import deployment as deploying
from webapp.engine.handler_api import hooks
from webapp.engine.runtime import engine
from webapp.engine.tables import deployment, process_definition, process_instance
from webapp.errors import Invalid, NotFound
from webapp.http import db_session
from webapp.rest import paging, shapes
from webapp.rest.blueprint import bp
from webapp.rest.variables import decode_all

#: The version of the dialect that we speak; clients that ask want to know what they may send.
DIALECT = "7.24.0"

_c = deployment.c
FILTERS: paging.Filters = {
    "id": lambda v: _c.id == paging.uuid(v),
    "name": lambda v: _c.name == v,
    "nameLike": lambda v: _c.name.like(v),
    "source": lambda v: _c.source == v,
}
SORTS: dict[str, ColumnElement[Any]] = {"id": _c.id, "name": _c.name, "deploymentTime": _c.deployed_at}


@bp.get("/version")
@access.signed_in
def version() -> dict[str, str]:
    return {"version": DIALECT}


@bp.get("/deployment")
@access.signed_in
def deployment_list() -> list[shapes.Json]:
    statement = select(deployment).where(*paging.conditions(FILTERS))
    return shapes.all_of(shapes.deployment, db_session().execute(paging.page(statement, SORTS, _c.deployed_at, _c.id)))


@bp.get("/deployment/count")
@access.signed_in
def deployment_count() -> dict[str, int]:
    return paging.count(db_session(), select(_c.id).where(*paging.conditions(FILTERS)))


@bp.get("/deployment/<id>")
@access.signed_in
def deployment_get(id: str) -> shapes.Json:
    row = db_session().execute(select(deployment).where(_c.id == paging.uuid(id))).first()
    if row is None:
        raise NotFound(f"没有部署 {id}。")
    return shapes.deployment(row)


def _resources() -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for file in request.files.values():
        name = (file.filename or "").replace("\\", "/").rsplit("/", 1)[-1]
        if not name:
            raise Invalid("部署的文件缺少文件名。")
        if name in found:
            raise Invalid(f"文件 {name} 出现两次。")
        found[name] = file.read()
    if not found:
        raise Invalid("没有收到要部署的文件。")
    return found


@bp.post("/deployment/create")
@access.roles("designer")
def deployment_create() -> shapes.Json:
    session, form = db_session(), request.form
    changed_only = any(
        paging.flag(form.get(name, "false")) for name in ("deploy-changed-only", "enable-duplicate-filtering")
    )
    resources = _resources()
    result = deploying.deploy(
        session,
        form.get("deployment-name") or next(iter(resources)),
        resources,
        source=form.get("deployment-source"),
        deployed_by=current_actor().id,
        comment=form.get("deployment-comment", ""),
        hooks=hooks,
        only_changed=changed_only,
        roles=frozenset(ROLES),
    )
    audit.record(session, "deployment.create", current_actor(), subject="、".join(sorted(resources)))
    row = session.execute(select(deployment).where(_c.id == result.id)).one()
    new = [made.id for made in result.definitions if made.changed]
    made = session.execute(select(process_definition).where(process_definition.c.id.in_(new)))
    return shapes.deployment(row) | {
        "deployedProcessDefinitions": shapes.by_id(shapes.all_of(shapes.definition, made)),
        "deployedCaseDefinitions": None,
        "deployedDecisionDefinitions": None,
        "deployedDecisionRequirementsDefinitions": None,
    }


@bp.post("/message")
@access.roles("manager", "office", "sysadmin")
def message() -> tuple[list[shapes.Json] | str, int]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not body.get("messageName"):
        raise Invalid("请求内容应为 JSON 对象，且含 messageName。")
    known = {"messageName", "businessKey", "correlationKeys", "processVariables", "resultEnabled", "processInstanceId"}
    paging.only(body, known)
    keys = decode_all(body.get("correlationKeys"))
    if len(keys) > 1:
        raise Invalid("只支持一个 correlationKeys 条目。")
    session = db_session()
    reached = engine().correlate(
        session,
        str(body["messageName"]),
        correlation_key=next((str(value) for value in keys.values()), None),
        business_key=body.get("businessKey"),
        instance_id=paging.uuid(body["processInstanceId"]) if body.get("processInstanceId") else None,
        payload=decode_all(body.get("processVariables")),
        actor=current_actor(),
    )
    if not body.get("resultEnabled"):
        return "", 204
    row = session.execute(select(process_instance).where(process_instance.c.id == reached.instance_id)).one()
    kind = "ProcessDefinition" if reached.started else "Execution"
    execution = {
        "id": str(row.id),
        "processInstanceId": str(row.id),
        "ended": row.ended_at is not None,
        "tenantId": None,
    }
    return [
        {
            "resultType": kind,
            "execution": None if reached.started else execution,
            "processInstance": shapes.instance(row) if reached.started else None,
        }
    ], 200
