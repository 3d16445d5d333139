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


Command = (
    CompleteTask
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
