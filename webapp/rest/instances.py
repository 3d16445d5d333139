"""/process-instance: list, count, one, delete, suspended, variables."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from flask import request
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from webapp import access
from webapp.accounts.roles import ROLES
from webapp.accounts.service import current_actor
from webapp.engine import commands
from webapp.engine.handler_api import Actor
from webapp.engine.runtime import engine
from webapp.engine.tables import incident, process_definition, process_instance
from webapp.errors import Forbidden, Invalid, NotFound
from webapp.http import db_session
from webapp.inbox import reading
from webapp.monitor.visibility import visible_instances
from webapp.rest import paging, shapes
from webapp.rest.blueprint import bp
from webapp.rest.variables import decode, decode_all, encode, encode_all

_c = process_instance.c
_open_incident = (
    select(1)
    .where(incident.c.instance_id == _c.id, incident.c.resolved_at.is_(None))
    .correlate(process_instance)
    .exists()
)

FILTERS: paging.Filters = {
    "processInstanceIds": lambda v: _c.id.in_([paging.uuid(x) for x in v.split(",")]),
    "businessKey": lambda v: _c.business_key == v,
    "businessKeyLike": lambda v: _c.business_key.like(v),
    "processDefinitionId": lambda v: _c.definition_id == paging.uuid(v),
    "processDefinitionKey": lambda v: _c.definition_key == v,
    "processDefinitionKeyIn": lambda v: _c.definition_key.in_(v.split(",")),
    "deploymentId": lambda v: _c.definition_id.in_(
        select(process_definition.c.id).where(process_definition.c.deployment_id == paging.uuid(v))
    ),
    "superProcessInstance": lambda v: _c.super_instance_id == paging.uuid(v),
    "rootProcessInstances": lambda v: _c.super_instance_id.is_(None) if paging.flag(v) else None,
    "active": lambda v: _c.suspended.is_(False) if paging.flag(v) else None,
    "suspended": lambda v: _c.suspended.is_(True) if paging.flag(v) else None,
    "withIncident": lambda v: _open_incident if paging.flag(v) else None,
}
SORTS: dict[str, ColumnElement[Any]] = {
    "instanceId": _c.id,
    "definitionKey": _c.definition_key,
    "definitionId": _c.definition_id,
    "businessKey": _c.business_key,
}


def starter_organisation(actor: Actor, starters: Collection[str]) -> UUID | None:
    """Whose case a start makes: the starter's organisation when a role of organisation scope gave the right."""
    scoped = any(role in starters and ROLES[role].scope == "organisation" for role in actor.roles if role in ROLES)
    return actor.organisation_id if scoped else None


def running(session: Session, id: str) -> Any:
    """A running instance that the caller may see. Errors: NotFound."""
    actor = current_actor()
    where = (_c.id == paging.uuid(id), _c.ended_at.is_(None), visible_instances(actor))
    row = session.execute(select(process_instance).where(*where)).first()
    if row is None:
        raise NotFound(f"没有运行中的流程实例 {id}。")
    return row


def variables_of(session: Session, instance_id: UUID) -> dict[str, Any]:
    """The instance's variables that the caller may read."""
    return reading.variables(session, current_actor(), instance_id)


def operator(session: Session, id: str) -> Any:
    """A running instance that the caller may operate on. Errors: NotFound, Forbidden."""
    row = running(session, id)
    if "manager" not in current_actor().roles:
        raise Forbidden("只有流程监控人员可以操作流程实例。")
    return row


def _running_where() -> list[ColumnElement[bool]]:
    return [_c.ended_at.is_(None), visible_instances(current_actor()), *paging.conditions(FILTERS)]


@bp.route("/process-instance", methods=["GET", "POST"])
@access.signed_in
def instance_list() -> list[shapes.Json]:
    statement = select(process_instance).where(*_running_where())
    return shapes.all_of(shapes.instance, db_session().execute(paging.page(statement, SORTS, _c.started_at, _c.id)))


@bp.route("/process-instance/count", methods=["GET", "POST"])
@access.signed_in
def instance_count() -> dict[str, int]:
    return paging.count(db_session(), select(_c.id).where(*_running_where()))


@bp.get("/process-instance/<id>")
@access.signed_in
def instance_get(id: str) -> shapes.Json:
    return shapes.instance(running(db_session(), id))


@bp.delete("/process-instance/<id>")
@access.signed_in
def instance_delete(id: str) -> tuple[str, int]:
    session = db_session()
    row = operator(session, id)
    reason = request.args.get("deleteReason") or "通过接口删除"
    engine().step(session, row.id, commands.Cancel(reason=reason), current_actor())
    return "", 204


@bp.put("/process-instance/<id>/suspended")
@access.signed_in
def instance_suspended(id: str) -> tuple[str, int]:
    session = db_session()
    row = operator(session, id)
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not isinstance(body.get("suspended"), bool):
        raise Invalid("请求内容应为 {“suspended”: true | false}。")
    command = commands.Suspend(reason="接口") if body["suspended"] else commands.Resume(reason="接口")
    engine().step(session, row.id, command, current_actor())
    return "", 204


@bp.get("/process-instance/<id>/variables")
@access.signed_in
def instance_variables(id: str) -> shapes.Json:
    session = db_session()
    return encode_all(variables_of(session, running(session, id).id))


@bp.get("/process-instance/<id>/variables/<name>")
@access.signed_in
def instance_variable(id: str, name: str) -> shapes.Json:
    session = db_session()
    found = variables_of(session, running(session, id).id)
    if name not in found:
        raise NotFound(f"流程实例 {id} 没有变量 {name}。")
    return encode(found[name])


@bp.put("/process-instance/<id>/variables/<name>")
@access.signed_in
def instance_variable_put(id: str, name: str) -> tuple[str, int]:
    session = db_session()
    row = operator(session, id)
    value = decode(name, request.get_json(silent=True))
    engine().step(session, row.id, commands.SetVariables({name: value}), current_actor())
    return "", 204


@bp.post("/process-instance/<id>/variables")
@access.signed_in
def instance_variables_post(id: str) -> tuple[str, int]:
    session = db_session()
    row = operator(session, id)
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or body.get("deletions"):
        raise Invalid("请求内容应为 {“modifications”: {…}}；不支持删除变量。")
    engine().step(session, row.id, commands.SetVariables(decode_all(body.get("modifications"))), current_actor())
    return "", 204
