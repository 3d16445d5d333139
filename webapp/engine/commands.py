"""What may be done to an instance: small frozen commands, all given to `runtime.Engine.step` (a start to `start`).

A new kind of event is a new command here, its branch in `runtime`, and a test; nowhere an `if` in five files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from webapp.engine.types import EndState


@dataclass(frozen=True, slots=True)
class StartInstance:
    """Start an instance of a definition version (`definition_id`) or of the latest version of a process (`key`).

    `business_key` is the case number. `org_id` is the organisation whose case it is; None: the office's own.
    """

    key: str | None = None
    definition_id: UUID | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    business_key: str | None = None
    title: str | None = None  # used when the model has no title of its own
    org_id: UUID | None = None
    started_by: UUID | None = None  # the actor's account when None
    root_instance_id: UUID | None = None  # the case that it belongs to; itself when None
    super_instance_id: UUID | None = None  # the caller, for a call activity
    super_node: UUID | None = None
    start_element: str | None = None  # a message or timer start event
    instance_id: UUID | None = None  # chosen by the caller


@dataclass(frozen=True, slots=True)
class CompleteTask:
    """A person has done a user task. `outcome` is the value of the pressed button; `form_data` what was entered.

    Errors of the step: TaskNotOpen, with who completed it and when in `detail`.
    """

    task_id: UUID
    variables: Mapping[str, Any] = field(default_factory=dict)
    outcome: str | None = None
    form_data: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class DeliverMessage:
    """A message or signal reaches ONE waiting subscription."""

    subscription_id: UUID
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FireTimer:
    """A timer is due. A person may fire it early, with a reason."""

    timer_id: UUID
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RunJob:
    """Run the local handler of a parked service task again (the worker does this)."""

    job_id: UUID


@dataclass(frozen=True, slots=True)
class ResumeJob:
    """An external job succeeded; `result` are the variables that it sets."""

    job_id: UUID
    result: Mapping[str, Any] = field(default_factory=dict)
    #: the handler's business fault instead of a result: caught by the element's error boundary event
    error_code: str | None = None
    error_message: str = ""


@dataclass(frozen=True, slots=True)
class FailJob:
    """An external job failed. `retries_left` and `retry_in` (seconds) are an external worker's own wish."""

    job_id: UUID
    error: str
    permanent: bool = False
    retries_left: int | None = None
    retry_in: float | None = None


@dataclass(frozen=True, slots=True)
class RetryJob:
    """A manager lets a job that has used up its attempts run again; its incident is resolved."""

    job_id: UUID
    retries: int = 3
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RetryIncident:
    """A manager lets the instance go on where it stopped: the element is tried again, or its job."""

    incident_id: UUID
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerCall:
    """The instance that a call activity started has ended."""

    node: UUID
    called_instance_id: UUID
    state: EndState
    variables: Mapping[str, Any] = field(default_factory=dict)
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """End the instance and every instance that it called, with a reason that stands in the record."""

    reason: str


@dataclass(frozen=True, slots=True)
class SetVariables:
    """Set variables of the instance. `reason`: why a manager corrected them."""

    variables: Mapping[str, Any]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Suspend:
    """Nothing moves until `Resume`: no completion, no timer, no job."""

    reason: str


@dataclass(frozen=True, slots=True)
class Resume:
    reason: str


@dataclass(frozen=True, slots=True)
class MoveToken:
    """A manager puts a token elsewhere: that of `node`, or the only one at `element_id`.

    Errors of the step: LawForbids, Invalid (no such element, it cannot be a target, several tokens stand there).
    """

    target: str
    reason: str
    node: UUID | None = None
    element_id: str | None = None


@dataclass(frozen=True, slots=True)
class RestartFrom:
    """Everything that stands in the target's scope is taken away; the case goes on at the target alone.

    `node`: a token inside the subprocess that is meant, where several run. `index`: instead, only the instance of that
    number (from 0) of a loop begins anew. Errors of the step: as MoveToken.
    """

    target: str
    reason: str
    node: UUID | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class ReturnTask:
    """退回: who holds a task sends the case back to an earlier task, with a reason.

    `node`: the activation that is returned (of a user task, or of the call activity whose called case it holds).
    `assignee_id`: who gets the earlier task again; None: whom the model names. Errors of the step: LawForbids,
    Conflict (not before the task, or what happened between cannot be done a second time).
    """

    node: UUID
    target: str
    reason: str
    assignee_id: UUID | None = None
    task_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RecallTask:
    """收回: who completed a task takes it back, as long as nothing else has happened. Errors: Conflict (why not)."""

    task_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class Migrate:
    """The instance goes on in another version. `mapping`: element -> element of the new version, where ids differ.

    Errors of the step: Invalid (which tokens have no place there, and why), LawForbids.
    """

    definition_id: UUID
    reason: str
    mapping: Mapping[str, str] = field(default_factory=dict)


Command = (
    CompleteTask
    | MoveToken
    | RestartFrom
    | ReturnTask
    | RecallTask
    | Migrate
    | DeliverMessage
    | FireTimer
    | RunJob
    | ResumeJob
    | FailJob
    | RetryJob
    | RetryIncident
    | AnswerCall
    | Cancel
    | SetVariables
    | Suspend
    | Resume
)


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step did: the user tasks that it opened (ids of `user_task`), and how the instance ended if it did.

    `business_key`: the number of the case, which a starter may have given.
    """

    instance_id: UUID
    opened: tuple[UUID, ...] = ()
    ended: EndState | None = None
    business_key: str | None = None
