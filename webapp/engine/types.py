"""The engine's own vocabulary: what a compiled process tells, and what an execution reports after it ran.

Nothing here knows SpiffWorkflow, the database, Flask or the domain. Times are timezone-aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

Variables = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a model is refused (or warned about) at deployment: the element, a stable code and a sentence.

    `severity`: error (not deployed), warning (deployed, but read this), info (drawn, without effect). `message` is the
    Chinese sentence; whoever speaks another language translates `pattern`, then fills in `values` (texts among them are
    patterns too) and translates `mend`, which says how to put it right.
    """

    element_id: str | None
    code: str
    message: str
    severity: str = "error"
    pattern: str = field(default="", compare=False)
    values: Mapping[str, object] = field(default_factory=dict, compare=False)
    mend: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class IOParameter:
    """One `camunda:inputParameter` / `outputParameter`: the FEEL expression is evaluated into `name`."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision button of a user task: `value` goes into the outcome variable, `style` is primary|plain|danger."""

    value: str
    label: str
    style: str = "plain"
    asks_reason: bool = False


@dataclass(frozen=True, slots=True)
class Element:
    """What the model says about one BPMN element (id as in the drawing)."""

    id: str
    type: str  # local BPMN name: userTask, serviceTask, exclusiveGateway, boundaryEvent ...
    name: str = ""
    documentation: str = ""
    parent_id: str | None = None  # subprocess that holds it
    attached_to: str | None = None
    candidate_groups: tuple[str, ...] = ()  # role ids; filled from the lane when the model names none
    candidate_users: str | None = None  # FEEL giving a name or a list of names
    assignee: str | None = None  # FEEL or a literal account name
    due_date: str | None = None  # FEEL | ISO 8601 date(time)/duration | P5WD (working days)
    priority: str | None = None
    form_ref: str | None = None
    topic: str | None = None
    external: bool = False
    decision_ref: str | None = None
    result_variable: str | None = None
    map_decision_result: str = "resultList"
    called_key: str | None = None
    called_binding: str = "latest"  # latest | deployment | version:<n>
    called_business_key: str | None = None  # FEEL
    called_inputs: tuple[IOParameter, ...] = ()  # camunda:in, evaluated in the caller into the called instance
    called_all_inputs: bool = False  # camunda:in variables="all"
    called_outputs: tuple[IOParameter, ...] = ()  # camunda:out, evaluated over the called instance's variables
    called_all_outputs: bool = False
    inputs: tuple[IOParameter, ...] = ()
    outputs: tuple[IOParameter, ...] = ()
    clauses: tuple[str, ...] = ()
    law: bool = False  # guarded: no deployment removes it, no operation passes it
    outcomes: tuple[Outcome, ...] = ()
    outcome_variable: str = "outcome"
    not_same_as: tuple[str, ...] = ()  # four eyes: ids of user tasks whose completer may not complete this one
    validator: str | None = None  # named hook of handler_api, run before completion
    provider: str | None = None  # named hook of handler_api, gives options and prefilled data of the form
    stage: str | None = None  # stage of the process (stepper), a key of ProcessInfo.stages
    properties: Mapping[str, str] = field(default_factory=dict)  # all other attributes of our namespace


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """What the model says about the process as a whole."""

    key: str
    name: str
    version_tag: str | None = None
    documentation: str = ""
    starter_groups: tuple[str, ...] = ("designer", "manager")
    stages: tuple[tuple[str, str], ...] = ()  # (key, label), in order, for the stepper
    title: str | None = None  # FEEL: the case's title, evaluated after every step
    searchable: tuple[str, ...] = ()  # variables that the full-text search covers
    start_variables: tuple[str, ...] = ()  # `qianyin:startVariables`: what whoever starts an instance gives it
    start_timer: str | None = None  # ISO 8601 cycle or FEEL of a timer start event
    start_message: str | None = None


# ---- what an execution reports -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TaskOpened:
    """A user task waits for a person. `node` identifies the activation inside the instance."""

    node: UUID
    element_id: str
    candidate_groups: tuple[str, ...]
    candidate_users: tuple[str, ...]
    assignee: str | None
    due: Any  # value of due_date: datetime | date | duration string ("P3D", "P5WD") | None
    priority: int
    loop_item: Any = None


@dataclass(frozen=True, slots=True)
class TaskClosed:
    """A user task no longer waits; cancelled when a boundary event, an end or an operation took it away."""

    node: UUID
    element_id: str
    cancelled: bool


@dataclass(frozen=True, slots=True)
class ActivityEnded:
    """One finished (or cancelled) activation of any element, for the history."""

    node: UUID
    element_id: str
    element_type: str
    started_at: datetime
    ended_at: datetime
    cancelled: bool
    variables: Mapping[str, Any] = field(default_factory=dict)  # those that it changed, new values


@dataclass(frozen=True, slots=True)
class TimerWanted:
    """A timer waits. `due` as TaskOpened.due; the runtime turns it into an instant once and keeps it as a row."""

    node: UUID
    element_id: str
    kind: str  # date | duration | cycle
    due: Any


@dataclass(frozen=True, slots=True)
class SubscriptionWanted:
    node: UUID
    element_id: str
    kind: str  # message | signal
    name: str
    correlation_key: str | None  # FEEL `qianyin:correlationKey` evaluated when the wait began


@dataclass(frozen=True, slots=True)
class WaitDropped:
    """The timer, subscription, call or job of this node is no longer waited for."""

    node: UUID


@dataclass(frozen=True, slots=True)
class MessageThrown:
    node: UUID
    element_id: str
    name: str
    correlation_key: str | None
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SignalThrown:
    node: UUID
    element_id: str
    name: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ServiceParked:
    """A service task waits for a job: it is external, or its local handler failed (`error` set)."""

    node: UUID
    element_id: str
    topic: str
    external: bool
    variables: Mapping[str, Any]
    error: str | None = None
    permanent: bool = False


@dataclass(frozen=True, slots=True)
class CallWanted:
    """A call activity waits for an instance of its own."""

    node: UUID
    element_id: str
    called_key: str
    binding: str
    business_key: str | None
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class IncidentRaised:
    """The instance cannot go on at this element (no condition true, FEEL error, unknown decision ...)."""

    node: UUID
    element_id: str
    message: str


class EndState(StrEnum):
    COMPLETED = "completed"
    TERMINATED = "terminated"  # terminate end event
    CANCELLED = "cancelled"  # by an operation
    FAILED = "failed"  # uncaught BPMN error


@dataclass(frozen=True, slots=True)
class InstanceEnded:
    state: EndState
    error_code: str | None = None


Event = (
    TaskOpened
    | TaskClosed
    | ActivityEnded
    | TimerWanted
    | SubscriptionWanted
    | WaitDropped
    | MessageThrown
    | SignalThrown
    | ServiceParked
    | CallWanted
    | IncidentRaised
    | InstanceEnded
)


class Host(Protocol):
    """What an execution asks of its surroundings while it runs."""

    def now(self) -> datetime: ...

    def call_handler(self, element: Element, variables: Variables) -> Mapping[str, Any]:
        """Run the local handler of `element.topic`; raises HandlerFailed or BpmnError (webapp.engine.errors)."""

    def decide(self, decision_ref: str, variables: Variables) -> list[dict[str, Any]]:
        """A decision of the same deployment (or the latest of that key): the list of matched rules' outputs."""


@runtime_checkable
class WatchedHost(Host, Protocol):
    """A host that is told of every automatic move, and may stop a run that takes too long by raising."""

    def tick(self) -> None: ...
