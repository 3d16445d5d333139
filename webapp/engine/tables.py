"""The engine's tables. Rows are written by steps (in bulk, once per step) and read by inbox, lists, history and REST.

Reading never loads an instance. `process_instance.state` holds the execution (see `engine/bpmn`); everything that a
list or a page shows stands in columns of its own. Status columns are text with a check: readable in psql and in dumps.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from webapp.db import Base

_meta = Base.metadata


def _uuid(name: str, *args: object, **kw: object) -> Column:  # type: ignore[type-arg]
    return Column(name, PgUUID(as_uuid=True), *args, **kw)  # type: ignore[arg-type]


def _at(name: str, **kw: object) -> Column:  # type: ignore[type-arg]
    return Column(name, DateTime(timezone=True), **kw)  # type: ignore[arg-type]


deployment = Table(
    "deployment",
    _meta,
    _uuid("id", primary_key=True),
    Column("name", Text, nullable=False),
    Column("source", Text),
    Column("comment", Text),
    _at("deployed_at", nullable=False),
    _uuid("deployed_by"),
)

deployment_resource = Table(
    "deployment_resource",
    _meta,
    _uuid("id", primary_key=True),
    _uuid("deployment_id", ForeignKey("deployment.id"), nullable=False),
    Column("name", Text, nullable=False),  # path inside the process folder: partner_filing.bpmn, forms/review.json
    Column("digest", Text, nullable=False),  # SHA-256, hex
    Column("content", LargeBinary, nullable=False),
    UniqueConstraint("deployment_id", "name"),
)

process_definition = Table(
    "process_definition",
    _meta,
    _uuid("id", primary_key=True),
    _uuid("deployment_id", ForeignKey("deployment.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("resource_name", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("suspended", Boolean, nullable=False, server_default=text("false")),
    Column("info", JSONB, nullable=False),  # ProcessInfo: starter_groups, stages, title ...
    Column("elements", JSONB, nullable=False),  # {element_id: {type, name, clauses, law, role, stage, ...}} for readers
    _at("created_at", nullable=False),
    UniqueConstraint("key", "version"),
)

decision_definition = Table(
    "decision_definition",
    _meta,
    _uuid("id", primary_key=True),
    _uuid("deployment_id", ForeignKey("deployment.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("resource_name", Text, nullable=False),
    UniqueConstraint("key", "version"),
)

process_instance = Table(
    "process_instance",
    _meta,
    _uuid("id", primary_key=True),
    _uuid("definition_id", ForeignKey("process_definition.id"), nullable=False),
    Column("definition_key", Text, nullable=False),
    Column("business_key", Text),  # the case number: BA-2026-0187
    Column("title", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False),
    Column("suspended", Boolean, nullable=False, server_default=text("false")),
    Column("version", Integer, nullable=False, server_default="1"),  # counts the steps; guards the cache
    Column("state", LargeBinary, nullable=False),
    Column("tokens", JSONB, nullable=False, server_default="[]"),  # [{element_id, node, state, since}]
    Column("stage", Text),  # where the stepper stands
    _uuid("org_id"),  # the organisation whose case it is; None: the office's own
    _uuid("started_by"),
    _at("started_at", nullable=False),
    _at("ended_at"),
    Column("end_reason", Text),
    _uuid("super_instance_id"),  # the caller, for a call activity
    _uuid("super_node"),
    _uuid("root_instance_id", nullable=False),  # itself unless called or started by another instance
    Column("search", TSVECTOR),
    Column("business", JSONB, nullable=False, server_default="{}"),  # {name: value} of the searchable variables
    CheckConstraint("status in ('active','completed','terminated','cancelled','failed')", name="status"),
    Index("ix_process_instance_business_key", "business_key"),
    Index(
        "ix_process_instance_definition_status", "definition_key", "status", text("started_at DESC"), text("id DESC")
    ),
    Index("ix_process_instance_started", text("started_at DESC"), text("id DESC")),
    Index("ix_process_instance_status", "status", text("started_at DESC"), text("id DESC")),
    Index("ix_process_instance_title", text("left(title, 100)"), "id"),
    Index(
        "ix_process_instance_suspended",
        text("started_at DESC"),
        text("id DESC"),
        postgresql_where=text("suspended is true"),
    ),
    Index(  # what dashboards count: a span of days is one range, read from the index alone
        "ix_process_instance_ended",
        "ended_at",
        postgresql_include=["definition_key", "status", "started_at"],
        postgresql_where=text("ended_at is not null"),
    ),
    Index("ix_process_instance_org", "org_id", text("started_at DESC")),
    Index("ix_process_instance_started_by", "started_by", text("started_at DESC")),
    Index("ix_process_instance_root", "root_instance_id"),
    Index("ix_process_instance_search", "search", postgresql_using="gin"),
)

user_task = Table(
    "user_task",
    _meta,
    _uuid("id", primary_key=True),  # ours, one per activation
    _uuid("instance_id", ForeignKey("process_instance.id"), nullable=False),
    _uuid("root_instance_id", nullable=False),
    _uuid("definition_id", nullable=False),
    Column("definition_key", Text, nullable=False),
    _uuid("node", nullable=False),  # the activation inside the instance
    Column("element_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False, server_default=""),  # the case's title when the task opened
    Column("business_key", Text),
    Column("status", Text, nullable=False, server_default="open"),
    Column("candidate_groups", ARRAY(Text), nullable=False, server_default="{}"),
    Column("candidate_users", ARRAY(PgUUID(as_uuid=True)), nullable=False, server_default="{}"),
    _uuid("org_id"),  # only members of this organisation may see it (roles of organisation scope)
    _uuid("case_org_id"),  # whose case it is, for display and filter
    _uuid("assignee_id"),
    _uuid("on_behalf_of"),  # for whom the assignee does it, as a stand-in 代理
    _at("claimed_at"),
    _at("seen_at"),  # when somebody who may do it first opened it: what was seen cannot be recalled
    Column("priority", Integer, nullable=False, server_default="50"),
    Column("clauses", ARRAY(Text), nullable=False, server_default="{}"),
    Column("form_ref", Text),
    _at("created_at", nullable=False),
    _at("due_at"),
    Column("due_provisional", Boolean, nullable=False, server_default=text("false")),
    _at("ended_at"),
    _uuid("completed_by"),
    Column("outcome", Text),
    Column("form_data", JSONB),  # what was submitted, for the read-only review
    Column("search", TSVECTOR),
    CheckConstraint("status in ('open','completed','cancelled')", name="status"),
    Index("ix_user_task_instance", "instance_id"),
    Index("ix_user_task_root", "root_instance_id"),
    Index("ix_user_task_open_due", "due_at", "id", postgresql_where=text("status = 'open'")),
    Index(
        "ix_user_task_open_groups", "candidate_groups", postgresql_using="gin", postgresql_where=text("status = 'open'")
    ),
    Index("ix_user_task_open_org", "case_org_id", "due_at", "id", postgresql_where=text("status = 'open'")),
    Index("ix_user_task_open_process", "definition_key", "due_at", "id", postgresql_where=text("status = 'open'")),
    Index(
        "ix_user_task_open_users",
        "candidate_users",
        postgresql_using="gin",
        postgresql_where=text("status = 'open' and candidate_users <> '{}'"),
    ),
    Index(  # what waits for one role and nobody has taken, soonest due first: the inbox of a role is one range
        "ix_user_task_offered",
        text("(candidate_groups[1])"),
        "due_at",
        "id",
        postgresql_include=["definition_key"],
        postgresql_where=text("status = 'open' and assignee_id is null and cardinality(candidate_groups) = 1"),
    ),
    Index(
        "ix_user_task_offered_process",
        text("(candidate_groups[1])"),
        "definition_key",
        "due_at",
        "id",
        postgresql_where=text("status = 'open' and assignee_id is null and cardinality(candidate_groups) = 1"),
    ),
    Index(
        "ix_user_task_offered_several",
        "due_at",
        "id",
        postgresql_include=["candidate_groups", "definition_key"],
        postgresql_where=text("status = 'open' and assignee_id is null and cardinality(candidate_groups) > 1"),
    ),
    Index(
        "ix_user_task_open_behalf",
        "on_behalf_of",
        postgresql_where=text("status = 'open' and on_behalf_of is not null"),
    ),
    Index("ix_user_task_open_assignee", "assignee_id", "due_at", "id", postgresql_where=text("status = 'open'")),
    Index(
        "ix_user_task_completed_by",
        "completed_by",
        text("ended_at DESC"),
        postgresql_where=text("status = 'completed'"),
    ),
    Index("ix_user_task_search", "search", postgresql_using="gin", postgresql_where=text("status = 'open'")),
)

# Insert-only, partitioned by month of `ended_at` (the migration makes the partitions and a default one).
activity_history = Table(
    "activity_history",
    _meta,
    _uuid("id", primary_key=True),
    _at("ended_at", primary_key=True),
    _uuid("instance_id", nullable=False),
    _uuid("node", nullable=False),
    Column("element_id", Text, nullable=False),
    Column("element_name", Text, nullable=False),
    Column("element_type", Text, nullable=False),
    _at("started_at", nullable=False),
    Column("cancelled", Boolean, nullable=False, server_default=text("false")),
    _uuid("actor_id"),
    _uuid("task_id"),
    Column("variables", JSONB),  # changed variables, new values (tagged codec)
    Index("ix_activity_history_instance", "instance_id", "ended_at"),
    postgresql_partition_by="RANGE (ended_at)",
)

timer = Table(
    "timer",
    _meta,
    _uuid("id", primary_key=True),
    _uuid("instance_id", ForeignKey("process_instance.id")),  # None: a timer start event
    _uuid("definition_id"),
    _uuid("node"),
    Column("element_id", Text, nullable=False),
    Column("cycle", Text),  # ISO 8601 repetition that is left
    _at("due_at", nullable=False),
    Column("held", Boolean, nullable=False, server_default=text("false")),  # its instance is suspended
    Index("ix_timer_due", "due_at", "id", postgresql_where=text("not held")),
    Index("ix_timer_instance", "instance_id"),
)

event_subscription = Table(
    "event_subscription",
    _meta,
    _uuid("id", primary_key=True),
    _uuid("instance_id", ForeignKey("process_instance.id")),  # None: a message start event
    _uuid("definition_id"),
    _uuid("node"),
    Column("element_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("correlation_key", Text),
    _at("created_at", nullable=False),
    CheckConstraint("kind in ('message','signal')", name="kind"),
    Index("ix_event_subscription_match", "kind", "name", "correlation_key"),
    Index("ix_event_subscription_instance", "instance_id"),
)

# Messages on their way: written by the thrower's step, delivered by a job, kept until somebody waits or they expire.
message = Table(
    "message",
    _meta,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False, server_default="message"),
    Column("name", Text, nullable=False),
    Column("correlation_key", Text),
    Column("payload", JSONB, nullable=False),  # tagged codec
    _uuid("sender_instance_id"),
    Column("status", Text, nullable=False, server_default="waiting"),
    _at("created_at", nullable=False),
    _at("expires_at", nullable=False),
    _at("delivered_at"),
    _uuid("receiver_instance_id"),
    _uuid("subscription_id"),  # a signal: one row per subscription that waited when it was thrown
    CheckConstraint("status in ('waiting','delivered','expired')", name="status"),
    Index("ix_message_waiting", "name", "correlation_key", postgresql_where=text("status = 'waiting'")),
)

job = Table(
    "job",
    _meta,
    _uuid("id", primary_key=True),
    _uuid("instance_id", ForeignKey("process_instance.id"), nullable=False),
    _uuid("node", nullable=False),
    Column("element_id", Text, nullable=False),
    Column("kind", Text, nullable=False),  # local | external | worker (REST) | call
    Column("topic", Text, nullable=False),
    Column("variables", JSONB, nullable=False, server_default="{}"),
    Column("retries_left", Integer, nullable=False),
    _at("due_at", nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error", Text),
    _uuid("actor_id"),  # in whose step it was parked: a later attempt still acts for that person
    Column("worker_id", Text),
    _at("locked_until"),
    _at("created_at", nullable=False),
    Index("ix_job_instance", "instance_id"),
    Index("ix_job_due", "due_at"),
    Index("ix_job_topic", "topic", "due_at"),
)

incident = Table(
    "incident",
    _meta,
    _uuid("id", primary_key=True),
    _uuid("instance_id", ForeignKey("process_instance.id")),
    Column("element_id", Text),
    _uuid("node"),
    _uuid("job_id"),
    Column("kind", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("detail", Text),
    _at("created_at", nullable=False),
    _at("resolved_at"),
    _uuid("resolved_by"),
    Index("ix_incident_open", "instance_id", postgresql_where=text("resolved_at is null")),
)

audit = Table(
    "audit",
    _meta,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    _at("at", nullable=False),
    _uuid("actor_id"),  # None: the system (a timer, a job)
    Column("action", Text, nullable=False),  # task.complete, task.claim, instance.cancel, login ...
    _uuid("instance_id"),
    _uuid("task_id"),
    Column("subject", Text),
    Column("reason", Text),
    Column("detail", JSONB),
    Column("address", Text),
    Index("ix_audit_instance", "instance_id", "at"),
    Index("ix_audit_actor", "actor_id", "at"),
)
