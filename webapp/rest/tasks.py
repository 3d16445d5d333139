"""/task: list, count, one, claim, unclaim, complete, form-variables. Completing goes the inbox's way."""

from __future__ import annotations

from typing import Any

from flask import request
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from webapp import access
from webapp.accounts.models import Account
from webapp.accounts.service import current_actor
from webapp.engine.tables import process_instance, user_task
from webapp.errors import Forbidden, Invalid, NotFound
from webapp.http import db_session
from webapp.inbox import service as inbox
from webapp.rest import instances, paging, shapes
from webapp.rest.blueprint import bp
from webapp.rest.variables import decode_all, encode_all, instant

_c = user_task.c
_assignee = select(Account.username).where(Account.id == _c.assignee_id).correlate(user_task).scalar_subquery()


def _account(username: str) -> Any:
    return select(Account.id).where(Account.username == username).scalar_subquery()


FILTERS: paging.Filters = {
    "taskId": lambda v: _c.id == paging.uuid(v),
    "taskIdIn": lambda v: _c.id.in_([paging.uuid(x) for x in v.split(",")]),
    "processInstanceId": lambda v: _c.instance_id == paging.uuid(v),
    "processInstanceIdIn": lambda v: _c.instance_id.in_([paging.uuid(x) for x in v.split(",")]),
    "processInstanceBusinessKey": lambda v: _c.business_key == v,
    "processInstanceBusinessKeyLike": lambda v: _c.business_key.like(v),
    "processDefinitionId": lambda v: _c.definition_id == paging.uuid(v),
    "processDefinitionKey": lambda v: _c.definition_key == v,
    "processDefinitionKeyIn": lambda v: _c.definition_key.in_(v.split(",")),
    "executionId": lambda v: _c.instance_id == paging.uuid(v),
    "taskDefinitionKey": lambda v: _c.element_id == v,
    "taskDefinitionKeyIn": lambda v: _c.element_id.in_(v.split(",")),
    "taskDefinitionKeyLike": lambda v: _c.element_id.like(v),
    "name": lambda v: _c.name == v,
    "nameLike": lambda v: _c.name.like(v),
    "assignee": lambda v: _c.assignee_id == _account(v),
    "assigneeIn": lambda v: _c.assignee_id.in_(select(Account.id).where(Account.username.in_(v.split(",")))),
    "assigned": lambda v: _c.assignee_id.is_not(None) if paging.flag(v) else None,
    "unassigned": lambda v: _c.assignee_id.is_(None) if paging.flag(v) else None,
    "candidateGroup": lambda v: _c.candidate_groups.contains([v]) & _c.assignee_id.is_(None),
    "candidateGroups": lambda v: _c.candidate_groups.overlap(v.split(",")) & _c.assignee_id.is_(None),
    "withCandidateGroups": lambda v: func.cardinality(_c.candidate_groups) > 0 if paging.flag(v) else None,
    "priority": lambda v: _c.priority == paging.number(v, "priority"),
    "dueAfter": lambda v: _c.due_at > instant(v),
    "dueBefore": lambda v: _c.due_at < instant(v),
    "createdAfter": lambda v: _c.created_at > instant(v),
    "createdBefore": lambda v: _c.created_at < instant(v),
    "active": lambda v: process_instance.c.suspended.is_(False) if paging.flag(v) else None,
    "suspended": lambda v: process_instance.c.suspended.is_(True) if paging.flag(v) else None,
}
SORTS: dict[str, ColumnElement[Any]] = {
    "instanceId": _c.instance_id,
    "dueDate": _c.due_at,
    "created": _c.created_at,
    "name": _c.name,
    "assignee": _assignee,
    "priority": _c.priority,
    "id": _c.id,
}


def _visible(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .join(process_instance, process_instance.c.id == _c.instance_id)
        .where(_c.status == "open", inbox.visible_tasks(current_actor()))
    )


_COLUMNS = (user_task, process_instance.c.suspended, _assignee.label("assignee"))


def _open(session: Session, id: str) -> Any:
    row = session.execute(_visible(*_COLUMNS).where(_c.id == paging.uuid(id))).first()
    if row is None:
        raise NotFound(f"没有任务 {id}，或您无权查看。")
    return row


@bp.route("/task", methods=["GET", "POST"])
@access.signed_in
def task_list() -> list[shapes.Json]:
    statement = _visible(*_COLUMNS).where(*paging.conditions(FILTERS))
    return shapes.all_of(shapes.task, db_session().execute(paging.page(statement, SORTS, _c.created_at, _c.id)))


@bp.route("/task/count", methods=["GET", "POST"])
@access.signed_in
def task_count() -> dict[str, int]:
    return paging.count(db_session(), _visible(_c.id).where(*paging.conditions(FILTERS)))


@bp.get("/task/<id>")
@access.signed_in
def task_get(id: str) -> shapes.Json:
    return shapes.task(_open(db_session(), id))


@bp.post("/task/<id>/claim")
@access.signed_in
def task_claim(id: str) -> tuple[str, int]:
    session, actor = db_session(), current_actor()
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or body.get("userId") != actor.username:
        raise Forbidden("只能以自己的名义签收任务；userId 应为当前用户。")
    inbox.claim(session, actor, paging.uuid(id))
    return "", 204


@bp.post("/task/<id>/unclaim")
@access.signed_in
def task_unclaim(id: str) -> tuple[str, int]:
    inbox.release(db_session(), current_actor(), paging.uuid(id))
    return "", 204


@bp.post("/task/<id>/complete")
@access.signed_in
def task_complete(id: str) -> tuple[shapes.Json | str, int]:
    session = db_session()
    body = request.get_json(silent=True) or {}
    if not isinstance(body, dict):
        raise Invalid("请求内容应为 JSON 对象。")
    task_id, variables = paging.uuid(id), decode_all(body.get("variables"))
    made = inbox.complete(session, current_actor(), task_id, variables=variables, follow=False)
    if body.get("withVariablesInReturn"):
        return encode_all(instances.variables_of(session, made.instance_id)), 200
    return "", 204


@bp.get("/task/<id>/form-variables")
@access.signed_in
def task_form_variables(id: str) -> shapes.Json:
    session = db_session()
    found = instances.variables_of(session, _open(session, id).instance_id)
    if names := request.args.get("variableNames"):
        found = {name: value for name, value in found.items() if name in names.split(",")}
    return encode_all(found)
