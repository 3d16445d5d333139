"""What the Python of a domain (`handlers/`) may use of the engine: seven kinds of named hooks, found by the models.

* ``@handler("topic")`` — a service task. *Local* (default): runs inside the step's transaction, under a savepoint; its
  effects on our own tables and the token's move commit together. ``external=True``: called by a worker with no
  transaction open, with the job's id as idempotency key, in a process that is killed at its limit of time or memory;
  for mail, HTTP, long rendering.
* ``@validator("name")`` — checks a form's data before a user task completes; returns sentences by field path.
* ``@provider("name")`` — gives a form its options and prefilled data.
* ``@starter("process_key")`` — whether a case may be opened now and by this person, its number and first variables.
* ``@canceller("process_key")`` — whether a case may simply be ended (`Cancel`), and what that undoes in the registers.
* ``@overview("name")`` — a part of the managers' dashboard: figures, shares and a table of the domain.
* ``@case_panel("process_key")`` — what stands beside the task in the tab 案卷, as generic blocks.

A hook is a plain function of one context. Its module is imported by the composition roots (`handlers.load()`), which
give the registry to the engine: the engine never imports the domain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from webapp.engine.errors import BpmnError, HandlerFailed
from webapp.errors import Invalid

__all__ = [
    "Block",
    "BpmnError",
    "CancelContext",
    "CasePanelContext",
    "ExternalContext",
    "FormContext",
    "FormData",
    "HandlerContext",
    "HandlerFailed",
    "Hooks",
    "Invalid",
    "OverviewFigure",
    "OverviewPanel",
    "StartContext",
    "StartPlan",
    "Tab",
    "canceller",
    "case_panel",
    "handler",
    "hooks",
    "overview",
    "provider",
    "starter",
    "validator",
]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an account, with its roles and organisation; `None` where the system acts by itself."""

    id: UUID
    username: str
    name: str
    roles: frozenset[str]
    organisation_id: UUID | None


@dataclass(slots=True)
class HandlerContext:
    """What a local handler gets. It returns the variables to set (or None)."""

    opened: Callable[[], Session]  # `session` below: a savepoint is set at its first use
    instance_id: UUID
    business_key: str | None
    element_id: str
    variables: Mapping[str, Any]  # merged scope chain, or exactly the element's inputs when it has a mapping
    now: datetime
    actor: Actor | None
    properties: Mapping[str, str]  # attributes of our namespace on the element
    #: start another instance in the same transaction (after this handler): (process_key, variables, keywords)
    start_instance: Callable[..., UUID]
    #: run an external handler once, after commit, outside the process: (topic, arguments)
    enqueue: Callable[[str, Mapping[str, Any]], None]
    #: end another instance in the same transaction, with a reason that stands in its history
    cancel_instance: Callable[[UUID, str], None]

    @property
    def session(self) -> Session:
        """The step's session; what the handler does in it is undone when it fails."""
        return self.opened()


@dataclass(slots=True)
class ExternalContext:
    """What an external handler gets: no session is open; `job_id` is the idempotency key of every attempt."""

    job_id: UUID
    instance_id: UUID | None
    variables: Mapping[str, Any]
    now: datetime


@dataclass(slots=True)
class StartContext:
    """What a starter gets, before the instance exists; `actor` is None when a timer or the system starts it."""

    session: Session
    instance_id: UUID  # of the instance that is about to start
    process_key: str
    variables: Mapping[str, Any]
    actor: Actor | None
    now: datetime


@dataclass(slots=True)
class StartPlan:
    """What a starter gives; what the start command names itself (business key, title, organisation) goes first."""

    variables: Mapping[str, Any] = field(default_factory=dict)  # added to those of the command
    business_key: str | None = None
    title: str | None = None
    org_id: UUID | None = None


@dataclass(slots=True)
class CancelContext:
    """What a canceller gets, in the transaction that ends the case; it refuses by raising a QianyinError."""

    session: Session
    instance_id: UUID
    variables: Mapping[str, Any]
    reason: str
    actor: Actor | None
    now: datetime


@dataclass(slots=True)
class FormContext:
    """What validators and providers get."""

    session: Session
    instance_id: UUID | None
    task_id: UUID | None
    element_id: str
    variables: Mapping[str, Any]
    actor: Actor
    now: datetime
    data: Mapping[str, Any] = field(default_factory=dict)  # validators: what was entered (typed by the schema)
    outcome: str | None = None


@dataclass(slots=True)
class FormData:
    """What a provider gives: initial data by form key; option lists by `valuesKey`; values shown read-only."""

    data: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)  # names visible to conditional visibility and text views
    warnings: Sequence[str] = ()


@dataclass(slots=True)
class Block:
    """One block of a case panel; `kind` picks the macro.

    kinds: ``facts`` items=[(label, value, link?)] · ``diff`` items=[(label, before, after)] · ``hint`` text, style
    (info|warn) · ``files`` items=[document ids] · ``opinions`` items=[{who, role, at, decision, words}] ·
    ``table`` columns, rows · ``text`` text
    """

    kind: str
    title: str = ""
    note: str = ""
    items: Sequence[Any] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    text: str = ""
    style: str = "info"
    link: str | None = None


@dataclass(slots=True)
class Tab:
    """A sibling part of the same case (one enterprise of a filing), shown as tabs above the task."""

    label: str
    state: str
    style: str  # good | warn | bad | now | idle
    instance_id: UUID | None = None
    current: bool = False


@dataclass(slots=True)
class CasePanelContext:
    session: Session
    instance_id: UUID
    root_instance_id: UUID
    definition_key: str
    variables: Mapping[str, Any]
    actor: Actor


@dataclass(slots=True)
class CasePanel:
    """What the domain shows of a case: blocks for the tab 案卷, tabs of sibling parts, facts of the case head."""

    blocks: Sequence[Block] = ()
    tabs: Sequence[Tab] = ()
    documents: Sequence[UUID] = ()


@dataclass(frozen=True, slots=True)
class OverviewFigure:
    """One figure of a domain's part of the dashboard. `link`: the path of a page that shows exactly what it counts."""

    label: str
    value: str
    note: str = ""
    style: str = ""  # good | warn | bad | idle
    link: str = ""


@dataclass(slots=True)
class OverviewPanel:
    """What the domain shows on the managers' dashboard: figures, shares as (label, count, style, link), a table.

    A cell of `rows` is a text or (text, link) or (text, link, style).
    """

    title: str
    note: str = ""
    link: str = ""
    figures: Sequence[OverviewFigure] = ()
    shares: Sequence[tuple[str, int, str, str]] = ()
    table_title: str = ""
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    empty: str = ""


Handler = Callable[[HandlerContext], Mapping[str, Any] | None]
ExternalHandler = Callable[[ExternalContext], Mapping[str, Any] | None]
Validator = Callable[[FormContext], Mapping[str, str | Sequence[str]]]
Provider = Callable[[FormContext], FormData]
Panel = Callable[[CasePanelContext], CasePanel]
Starter = Callable[[StartContext], StartPlan]
Canceller = Callable[[CancelContext], None]
Overview = Callable[[Session, Actor, datetime], OverviewPanel | None]


@dataclass(frozen=True, slots=True)
class Registered:
    """A handler with its documented inputs and outputs, {name: description}, for the designer."""

    call: Callable[..., Any]
    external: bool
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    doc: str
    time_limit: float | None = None  # seconds that an external handler may take; None is the setting's


class Hooks:
    """The named hooks of one domain."""

    def __init__(self) -> None:
        self.handlers: dict[str, Registered] = {}
        self.validators: dict[str, Validator] = {}
        self.providers: dict[str, Provider] = {}
        self.panels: dict[str, Panel] = {}
        self.starters: dict[str, Starter] = {}
        self.cancellers: dict[str, Canceller] = {}
        self.overviews: dict[str, Overview] = {}
        #: why a form's schema cannot be rendered and checked (sentences); asked when a deployment is made
        self.form_check: Callable[[Mapping[str, Any]], Sequence[str]] | None = None


hooks = Hooks()


def _put(table: dict[str, Any], name: str, value: Any) -> None:
    if name in table:
        raise ValueError(f"the hook {name!r} is registered twice")
    table[name] = value


def handler(
    topic: str,
    *,
    external: bool = False,
    inputs: Mapping[str, str] | None = None,
    outputs: Mapping[str, str] | None = None,
    time_limit: float | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register what a service task with this topic does. Errors: ValueError when the topic is taken.

    `time_limit`: seconds after which an external handler is killed, where the setting HANDLER_SECONDS is too short.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        doc = (function.__doc__ or "").strip()
        _put(hooks.handlers, topic, Registered(function, external, inputs or {}, outputs or {}, doc, time_limit))
        return function

    return register


def validator(name: str) -> Callable[[Validator], Validator]:
    """Register a check of a form's data, named by `qianyin:validator` on the user task."""

    def register(function: Validator) -> Validator:
        _put(hooks.validators, name, function)
        return function

    return register


def provider(name: str) -> Callable[[Provider], Provider]:
    """Register what fills a form, named by `qianyin:provider` on the user task."""

    def register(function: Provider) -> Provider:
        _put(hooks.providers, name, function)
        return function

    return register


def case_panel(process_key: str) -> Callable[[Panel], Panel]:
    """Register what the tab 案卷 shows for the cases of a process."""

    def register(function: Panel) -> Panel:
        _put(hooks.panels, process_key, function)
        return function

    return register


def overview(name: str) -> Callable[[Overview], Overview]:
    """Register a part of the managers' dashboard; it gives None when there is nothing to show."""

    def register(function: Overview) -> Overview:
        _put(hooks.overviews, name, function)
        return function

    return register


def canceller(process_key: str) -> Callable[[Canceller], Canceller]:
    """Register what is asked before an instance of the process is ended by an operation."""

    def register(function: Canceller) -> Canceller:
        _put(hooks.cancellers, process_key, function)
        return function

    return register


def starter(process_key: str) -> Callable[[Starter], Starter]:
    """Register what is asked before an instance of the process starts; it refuses by raising a QianyinError."""

    def register(function: Starter) -> Starter:
        _put(hooks.starters, process_key, function)
        return function

    return register
