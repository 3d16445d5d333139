"""The JSON shapes of the dialect, one function per resource. Keys that we have no counterpart for are null."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from flask import request

from webapp.engine.commands import StepResult
from webapp.engine.definitions import Definition
from webapp.rest.variables import stamp

Json = dict[str, Any]


def link(path: str, rel: str = "self", method: str = "GET") -> Json:
    """One hypermedia link, absolute."""
    return {"method": method, "href": f"{request.url_root.rstrip('/')}/engine-rest/{path}", "rel": rel}


def definition(row: Any) -> Json:
    """A process definition (table `process_definition`)."""
    return {
        "id": str(row.id),
        "key": row.key,
        "category": None,
        "description": row.info.get("documentation") or None,
        "name": row.name,
        "version": row.version,
        "resource": row.resource_name,
        "deploymentId": str(row.deployment_id),
        "diagram": None,
        "suspended": row.suspended,
        "tenantId": None,
        "versionTag": row.info.get("version_tag"),
        "historyTimeToLive": None,
        "startableInTasklist": True,
    }


def deployment(row: Any) -> Json:
    """A deployment (table `deployment`)."""
    return {
        "links": [link(f"deployment/{row.id}")],
        "id": str(row.id),
        "name": row.name,
        "source": row.source,
        "deploymentTime": stamp(row.deployed_at),
        "tenantId": None,
    }


def instance(row: Any) -> Json:
    """A process instance (table `process_instance`)."""
    ended, suspended = row.ended_at is not None, row.suspended
    return _instance(row.id, row.definition_id, row.definition_key, row.business_key, ended, suspended)


def started(result: StepResult, definition: Definition) -> Json:
    """The process instance that has just begun."""
    ended = result.ended is not None
    return _instance(result.instance_id, definition.id, definition.key, result.business_key, ended, False)


def _instance(
    id: UUID, definition_id: UUID, definition_key: str, business_key: str | None, ended: bool, suspended: bool
) -> Json:
    return {
        "links": [link(f"process-instance/{id}")],
        "id": str(id),
        "definitionId": str(definition_id),
        "definitionKey": definition_key,
        "businessKey": business_key,
        "caseInstanceId": None,
        "ended": ended,
        "suspended": suspended,
        "tenantId": None,
    }


def task(row: Any) -> Json:
    """An open user task (table `user_task` with `assignee`, the account's name)."""
    return {
        "id": str(row.id),
        "name": row.name,
        "assignee": row.assignee,
        "created": stamp(row.created_at),
        "due": stamp(row.due_at),
        "followUp": None,
        "lastUpdated": None,
        "delegationState": None,
        "description": None,
        "executionId": str(row.instance_id),
        "owner": None,
        "parentTaskId": None,
        "priority": row.priority,
        "processDefinitionId": str(row.definition_id),
        "processInstanceId": str(row.instance_id),
        "taskDefinitionKey": row.element_id,
        "caseExecutionId": None,
        "caseInstanceId": None,
        "caseDefinitionId": None,
        "suspended": row.suspended,
        "formKey": row.form_ref,
        "camundaFormRef": None,
        "tenantId": None,
    }


#: How our states are called there.
_HISTORIC_STATE = {
    "active": "ACTIVE",
    "completed": "COMPLETED",
    "terminated": "INTERNALLY_TERMINATED",
    "cancelled": "EXTERNALLY_TERMINATED",
    "failed": "INTERNALLY_TERMINATED",
}


def _millis(start: Any, end: Any) -> int | None:
    return None if end is None else round((end - start).total_seconds() * 1000)


def historic_instance(row: Any) -> Json:
    """A process instance as history tells it."""
    state = "SUSPENDED" if row.suspended and row.status == "active" else _HISTORIC_STATE[row.status]
    return {
        "id": str(row.id),
        "businessKey": row.business_key,
        "processDefinitionId": str(row.definition_id),
        "processDefinitionKey": row.definition_key,
        "processDefinitionName": row.definition_name,
        "processDefinitionVersion": row.definition_version,
        "startTime": stamp(row.started_at),
        "endTime": stamp(row.ended_at),
        "removalTime": None,
        "durationInMillis": _millis(row.started_at, row.ended_at),
        "startUserId": row.starter,
        "startActivityId": None,
        "deleteReason": row.end_reason,
        "rootProcessInstanceId": str(row.root_instance_id),
        "superProcessInstanceId": str(row.super_instance_id) if row.super_instance_id else None,
        "superCaseInstanceId": None,
        "caseInstanceId": None,
        "tenantId": None,
        "state": state,
    }


#: Element types whose name there differs from the BPMN one.
_ACTIVITY_TYPE = {
    "startEvent": "startEvent",
    "endEvent": "noneEndEvent",
    "boundaryEvent": "boundaryEvent",
    "intermediateCatchEvent": "intermediateCatchEvent",
    "intermediateThrowEvent": "intermediateNoneThrowEvent",
}


def historic_activity(row: Any) -> Json:
    """One finished activation of an element."""
    return {
        "id": str(row.id),
        "parentActivityInstanceId": str(row.instance_id),
        "activityId": row.element_id,
        "activityName": row.element_name or None,
        "activityType": _ACTIVITY_TYPE.get(row.element_type, row.element_type),
        "processDefinitionKey": row.definition_key,
        "processDefinitionId": str(row.definition_id),
        "processInstanceId": str(row.instance_id),
        "executionId": str(row.node),
        "taskId": str(row.task_id) if row.task_id else None,
        "calledProcessInstanceId": None,
        "calledCaseInstanceId": None,
        "assignee": row.actor,
        "startTime": stamp(row.started_at),
        "endTime": stamp(row.ended_at),
        "durationInMillis": _millis(row.started_at, row.ended_at),
        "canceled": row.cancelled,
        "completeScope": False,
        "rootProcessInstanceId": str(row.root_instance_id),
        "tenantId": None,
        "removalTime": None,
    }


def all_of(shape: Any, rows: Iterable[Any]) -> list[Json]:
    """A list answer."""
    return [shape(row) for row in rows]


def by_id(items: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """`{id: item}`, or null when there is none, as a deployment's answer has it."""
    return {str(item["id"]): dict(item) for item in items} or None
