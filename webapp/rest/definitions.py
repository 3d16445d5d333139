"""/process-definition: list, count, one, xml, start."""

from __future__ import annotations

from typing import Any

from flask import request
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from webapp import access
from webapp.accounts.service import current_actor
from webapp.engine import commands, deployment
from webapp.engine.definitions import Definition
from webapp.engine.runtime import engine
from webapp.engine.tables import process_definition
from webapp.errors import Forbidden, Invalid, NotFound
from webapp.http import db_session
from webapp.rest import instances, paging, shapes
from webapp.rest.blueprint import bp
from webapp.rest.variables import decode_all, encode_all

_c = process_definition.c
_newest = select(_c.key.label("key"), func.max(_c.version).label("version")).group_by(_c.key).subquery("newest")
_is_latest = (
    select(1).where(_newest.c.key == _c.key, _newest.c.version == _c.version).correlate(process_definition).exists()
)

FILTERS: paging.Filters = {
    "processDefinitionId": lambda v: _c.id == paging.uuid(v),
    "processDefinitionIdIn": lambda v: _c.id.in_([paging.uuid(x) for x in v.split(",")]),
    "key": lambda v: _c.key == v,
    "keysIn": lambda v: _c.key.in_(v.split(",")),
    "keyLike": lambda v: _c.key.like(v),
    "name": lambda v: _c.name == v,
    "nameLike": lambda v: _c.name.like(v),
    "version": lambda v: _c.version == paging.number(v, "version"),
    "latestVersion": lambda v: _is_latest if paging.flag(v) else None,
    "deploymentId": lambda v: _c.deployment_id == paging.uuid(v),
    "resourceName": lambda v: _c.resource_name == v,
    "active": lambda v: _c.suspended.is_(False) if paging.flag(v) else None,
    "suspended": lambda v: _c.suspended.is_(True) if paging.flag(v) else None,
}
SORTS: dict[str, ColumnElement[Any]] = {
    "key": _c.key,
    "name": _c.name,
    "version": _c.version,
    "id": _c.id,
    "deploymentId": _c.deployment_id,
}


def find(session: Session, *, id: str | None = None, key: str | None = None) -> Any:
    """One definition by id, or the latest version of a key. Errors: NotFound."""
    where = _c.id == paging.uuid(id) if id is not None else _c.key == key
    row = session.execute(select(process_definition).where(where).order_by(_c.version.desc()).limit(1)).first()
    if row is None:
        raise NotFound(f"没有流程定义 {id or key}。")
    return row


@bp.get("/process-definition")
@access.signed_in
def definition_list() -> list[shapes.Json]:
    statement = select(process_definition).where(*paging.conditions(FILTERS))
    return shapes.all_of(shapes.definition, db_session().execute(paging.page(statement, SORTS, _c.key, _c.version)))


@bp.get("/process-definition/count")
@access.signed_in
def definition_count() -> dict[str, int]:
    return paging.count(db_session(), select(_c.id).where(*paging.conditions(FILTERS)))


@bp.get("/process-definition/<id>")
@access.signed_in
def definition_get(id: str) -> shapes.Json:
    return shapes.definition(find(db_session(), id=id))


@bp.get("/process-definition/key/<key>")
@access.signed_in
def definition_get_by_key(key: str) -> shapes.Json:
    return shapes.definition(find(db_session(), key=key))


def _xml(row: Any) -> shapes.Json:
    text = deployment.bpmn_xml(db_session(), row.id).decode("utf-8")
    return {"id": str(row.id), "bpmn20Xml": text}


@bp.get("/process-definition/<id>/xml")
@access.signed_in
def definition_xml(id: str) -> shapes.Json:
    return _xml(find(db_session(), id=id))


@bp.get("/process-definition/key/<key>/xml")
@access.signed_in
def definition_xml_by_key(key: str) -> shapes.Json:
    return _xml(find(db_session(), key=key))


def _start(definition: Definition, suspended: bool) -> shapes.Json:
    actor, session = current_actor(), db_session()
    starters = set(definition.compiled.info.starter_groups)
    if not starters & actor.roles:
        raise Forbidden(f"您的角色不能发起“{definition.name}”。")
    if suspended:
        raise Invalid(f"流程“{definition.name}”已暂停受理，不能发起。")
    body = request.get_json(silent=True) or {}
    if not isinstance(body, dict):
        raise Invalid("请求内容应为 JSON 对象。")
    paging.only(body, {"variables", "businessKey", "withVariablesInReturn"})
    key = body.get("businessKey")
    command = commands.StartInstance(
        definition_id=definition.id,
        variables=decode_all(body.get("variables")),
        business_key=None if key is None else str(key),
        org_id=instances.starter_organisation(actor, starters),
        started_by=actor.id,
    )
    result = engine().start(session, command, actor, definition=definition)
    answer = shapes.started(result, definition)
    if body.get("withVariablesInReturn"):
        answer["variables"] = encode_all(instances.variables_of(session, result.instance_id))
    return answer


@bp.post("/process-definition/<id>/start")
@access.signed_in
def definition_start(id: str) -> shapes.Json:
    return _start(*engine().definition(db_session(), definition_id=paging.uuid(id)))


@bp.post("/process-definition/key/<key>/start")
@access.signed_in
def definition_start_by_key(key: str) -> shapes.Json:
    return _start(*engine().definition(db_session(), key=key))
