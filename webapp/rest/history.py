"""/history: process-instance and activity-instance, each with its count."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, select

from webapp import access
from webapp.accounts.models import Account
from webapp.accounts.service import current_actor
from webapp.engine.handler_api import Actor
from webapp.engine.tables import activity_history, process_definition, process_instance
from webapp.errors import NotFound
from webapp.http import db_session
from webapp.inbox.personal import is_inside
from webapp.monitor.visibility import visible_instances
from webapp.rest import paging, shapes
from webapp.rest.blueprint import bp
from webapp.rest.variables import instant

_i, _a = process_instance.c, activity_history.c

INSTANCE_FILTERS: paging.Filters = {
    "processInstanceId": lambda v: _i.id == paging.uuid(v),
    "processInstanceIds": lambda v: _i.id.in_([paging.uuid(x) for x in v.split(",")]),
    "processInstanceBusinessKey": lambda v: _i.business_key == v,
    "processInstanceBusinessKeyLike": lambda v: _i.business_key.like(v),
    "processDefinitionId": lambda v: _i.definition_id == paging.uuid(v),
    "processDefinitionKey": lambda v: _i.definition_key == v,
    "processDefinitionKeyIn": lambda v: _i.definition_key.in_(v.split(",")),
    "superProcessInstanceId": lambda v: _i.super_instance_id == paging.uuid(v),
    "rootProcessInstances": lambda v: _i.super_instance_id.is_(None) if paging.flag(v) else None,
    "startedBy": lambda v: _i.started_by == select(Account.id).where(Account.username == v).scalar_subquery(),
    "startedAfter": lambda v: _i.started_at >= instant(v),
    "startedBefore": lambda v: _i.started_at <= instant(v),
    "finishedAfter": lambda v: _i.ended_at >= instant(v),
    "finishedBefore": lambda v: _i.ended_at <= instant(v),
    "finished": lambda v: _i.ended_at.is_not(None) if paging.flag(v) else None,
    "unfinished": lambda v: _i.ended_at.is_(None) if paging.flag(v) else None,
    "active": lambda v: (_i.status == "active") & _i.suspended.is_(False) if paging.flag(v) else None,
    "completed": lambda v: _i.status == "completed" if paging.flag(v) else None,
    "externallyTerminated": lambda v: _i.status == "cancelled" if paging.flag(v) else None,
    "internallyTerminated": lambda v: _i.status.in_(["terminated", "failed"]) if paging.flag(v) else None,
}
INSTANCE_SORTS: dict[str, ColumnElement[Any]] = {
    "instanceId": _i.id,
    "definitionId": _i.definition_id,
    "definitionKey": _i.definition_key,
    "businessKey": _i.business_key,
    "startTime": _i.started_at,
    "endTime": _i.ended_at,
    "duration": _i.ended_at - _i.started_at,
}
ACTIVITY_FILTERS: paging.Filters = {
    "activityInstanceId": lambda v: _a.id == paging.uuid(v),
    "processInstanceId": lambda v: _a.instance_id == paging.uuid(v),
    "processDefinitionId": lambda v: _i.definition_id == paging.uuid(v),
    "processDefinitionKey": lambda v: _i.definition_key == v,
    "activityId": lambda v: _a.element_id == v,
    "activityIdIn": lambda v: _a.element_id.in_(v.split(",")),
    "activityName": lambda v: _a.element_name == v,
    "activityType": lambda v: _a.element_type == v,
    "taskAssignee": lambda v: _a.actor_id == select(Account.id).where(Account.username == v).scalar_subquery(),
    "canceled": lambda v: _a.cancelled.is_(True) if paging.flag(v) else None,
    "finished": lambda v: None if paging.flag(v) else _a.id.is_(None),
    "unfinished": lambda v: _a.id.is_(None) if paging.flag(v) else None,
    "startedAfter": lambda v: _a.started_at >= instant(v),
    "startedBefore": lambda v: _a.started_at <= instant(v),
    "finishedAfter": lambda v: _a.ended_at >= instant(v),
    "finishedBefore": lambda v: _a.ended_at <= instant(v),
}
ACTIVITY_SORTS: dict[str, ColumnElement[Any]] = {
    "activityInstanceId": _a.id,
    "instanceId": _a.instance_id,
    "activityId": _a.element_id,
    "activityName": _a.element_name,
    "activityType": _a.element_type,
    "startTime": _a.started_at,
    "endTime": _a.ended_at,
    "duration": _a.ended_at - _a.started_at,
    "occurrence": _a.id,
}


def _name(account_id: Any, of: Any) -> Any:
    return select(Account.username).where(Account.id == account_id).correlate(of).scalar_subquery()


def _instances(where: list[ColumnElement[bool]]) -> Select[Any]:
    return (
        select(
            process_instance,
            process_definition.c.name.label("definition_name"),
            process_definition.c.version.label("definition_version"),
            _name(_i.started_by, process_instance).label("starter"),
        )
        .join(process_definition, process_definition.c.id == _i.definition_id)
        .where(visible_instances(current_actor()), *where)
    )


def _actor(actor: Actor) -> Any:
    """Who did it; an organisation's side reads the names of its own people alone."""
    who = select(Account.username).where(Account.id == _a.actor_id).correlate(activity_history)
    return (who if is_inside(actor) else who.where(Account.organisation_id == actor.organisation_id)).scalar_subquery()


def _activities(where: list[ColumnElement[bool]]) -> Select[Any]:
    actor = current_actor()
    return (
        select(
            activity_history,
            _i.definition_key,
            _i.definition_id,
            _i.root_instance_id,
            _actor(actor).label("actor"),
        )
        .join(process_instance, _i.id == _a.instance_id)
        .where(visible_instances(actor), *where)
    )


@bp.route("/history/process-instance", methods=["GET", "POST"])
@access.signed_in
def history_instance_list() -> list[shapes.Json]:
    statement = paging.page(_instances(paging.conditions(INSTANCE_FILTERS)), INSTANCE_SORTS, _i.started_at, _i.id)
    return shapes.all_of(shapes.historic_instance, db_session().execute(statement))


@bp.route("/history/process-instance/count", methods=["GET", "POST"])
@access.signed_in
def history_instance_count() -> dict[str, int]:
    return paging.count(db_session(), _instances(paging.conditions(INSTANCE_FILTERS)).with_only_columns(_i.id))


@bp.get("/history/process-instance/<id>")
@access.signed_in
def history_instance_get(id: str) -> shapes.Json:
    row = db_session().execute(_instances([_i.id == paging.uuid(id)])).first()
    if row is None:
        raise NotFound(f"没有流程实例 {id}。")
    return shapes.historic_instance(row)


@bp.route("/history/activity-instance", methods=["GET", "POST"])
@access.signed_in
def history_activity_list() -> list[shapes.Json]:
    statement = paging.page(_activities(paging.conditions(ACTIVITY_FILTERS)), ACTIVITY_SORTS, _a.ended_at, _a.id)
    return shapes.all_of(shapes.historic_activity, db_session().execute(statement))


@bp.route("/history/activity-instance/count", methods=["GET", "POST"])
@access.signed_in
def history_activity_count() -> dict[str, int]:
    return paging.count(db_session(), _activities(paging.conditions(ACTIVITY_FILTERS)).with_only_columns(_a.id))
