"""Jobs: what a worker does for an instance, in transactions of their own, entering by the one door.

`run` is called by Procrastinate's task with the id of a row of `job`. A rerun of a finished job (a killed worker, a
lost answer) finds no row any more and does nothing.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import isodate
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from webapp import clock, db
from webapp.engine import incidents, store, tables
from webapp.engine.bpmn import decode_variables
from webapp.engine.bpmn.codec import decode
from webapp.engine.commands import AnswerCall, FailJob, ResumeJob, RunJob, StartInstance
from webapp.engine.errors import BpmnError, HandlerFailed, InstanceNotActive, InstanceSuspended, TaskNotOpen
from webapp.engine.handler_api import ExternalContext
from webapp.engine.outside import Interrupted
from webapp.engine.types import EndState
from webapp.errors import NotFound, QianyinError

if TYPE_CHECKING:
    from webapp.engine.runtime import Engine

logger = logging.getLogger(__name__)

_CYCLE = re.compile(r"R(\d{1,3})/(P[^/]+)")
_PAUSES = (10, 60, 300, 1800)  # seconds before the second, third … attempt
_ATTEMPTS = 4
#: So many instances may call one another in a chain; a process that calls itself without end becomes an incident.
MAX_CALLS = 30
_CALLERS = text(
    "WITH RECURSIVE callers AS (SELECT super_instance_id, 1 AS level FROM process_instance WHERE id = :instance_id"
    " UNION ALL SELECT p.super_instance_id, c.level + 1 FROM process_instance p"
    " JOIN callers c ON p.id = c.super_instance_id WHERE c.level < :most) SELECT count(*) FROM callers"
)


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """How often a job is tried at all, and how long it rests between."""

    attempts: int = _ATTEMPTS
    fixed: timedelta | None = None

    def pause(self, attempts: int) -> timedelta:
        """How long to rest after so many attempts."""
        return self.fixed or timedelta(seconds=_PAUSES[min(attempts, len(_PAUSES)) - 1])


def retry_plan(cycle: str | None) -> RetryPlan:
    """The plan of `camunda:failedJobRetryTimeCycle` (`R5/PT10M`: five attempts, ten minutes apart), else the usual."""
    found = _CYCLE.fullmatch((cycle or "").strip())
    if not found:
        return RetryPlan()
    pause = isodate.parse_duration(found[2])
    return RetryPlan(max(int(found[1]), 1), pause if isinstance(pause, timedelta) else timedelta(days=1))


@dataclass(frozen=True, slots=True)
class _Job:
    id: UUID
    instance_id: UUID
    node: UUID
    kind: str
    topic: str
    variables: Any
    attempts: int


def run(engine: Engine, job_id: UUID) -> None:
    """Do a job: repeat a local handler, call an external one, start a called instance."""
    job = db.retrying(lambda session: _claim(session, job_id))
    if job is None:
        return
    try:
        _RUN[job.kind](engine, job)
    except (NotFound, TaskNotOpen, InstanceNotActive):
        logger.info("job %s is no longer wanted", job_id)
    except (InstanceSuspended, Interrupted):
        db.retrying(lambda session: release(session, job_id))
    except Exception as error:  # whatever it is, it costs the job an attempt: a poisoned job ends as an incident
        logger.exception("job %s failed", job_id)
        command = FailJob(job_id, describe(error))
        db.retrying(lambda session: engine.step(session, job.instance_id, command, None))


def _claim(session: Session, job_id: UUID) -> _Job | None:
    """Take the job and renew its lease; None when it is done, given up or an external worker's."""
    j = tables.job.c
    row = session.execute(
        update(tables.job)
        .where(j.id == job_id, j.retries_left > 0, j.kind != "worker")
        .values(locked_until=func.now() + timedelta(seconds=store.LEASE))
        .returning(j.id, j.instance_id, j.node, j.kind, j.topic, j.variables, j.attempts)
    ).one_or_none()
    if row is None:
        return None
    where = tables.process_instance.c.id == row.instance_id
    if session.scalar(select(tables.process_instance.c.suspended).where(where)):
        release(session, job_id)
        return None
    return _Job(*row)


def release(session: Session, job_id: UUID) -> None:
    """Let any worker take the job as soon as it is due."""
    session.execute(update(tables.job).where(tables.job.c.id == job_id).values(locked_until=None))


def _run_local(engine: Engine, job: _Job) -> None:
    db.retrying(lambda session: engine.step(session, job.instance_id, RunJob(job.id), None))


def _run_external(engine: Engine, job: _Job) -> None:
    """Call the handler with no transaction open, then record how it went in a step."""
    command: ResumeJob | FailJob
    try:
        context = ExternalContext(job.id, job.instance_id, decode(job.variables), clock.now())
        command = ResumeJob(job.id, engine.outside(engine.hooks, job.topic, context))
    except Interrupted:
        raise
    except BpmnError as fault:
        command = ResumeJob(job.id, error_code=fault.error_code, error_message=str(fault))
    except Exception as error:
        logger.warning("external handler %s failed (job %s)", job.topic, job.id, exc_info=error)
        command = FailJob(job.id, describe(error), permanent=getattr(error, "permanent", False))
    db.retrying(lambda session: engine.step(session, job.instance_id, command, None))


def describe(error: BaseException) -> str:
    """A fault as a line for the incident."""
    return str(error) if isinstance(error, QianyinError) else f"{type(error).__name__}: {error}"


def _run_call(engine: Engine, job: _Job) -> None:
    """Start the called instance and drop the job, in one transaction; a definition that is missing is an incident."""
    try:
        db.retrying(lambda session: _start_called(engine, session, job))
    except QianyinError as error:
        permanent = isinstance(error, NotFound) or getattr(error, "permanent", False)
        command = FailJob(job.id, str(error), permanent=permanent)
        db.retrying(lambda session: engine.step(session, job.instance_id, command, None))


def _start_called(engine: Engine, session: Session, job: _Job) -> None:
    locked = select(tables.job.c.id).where(tables.job.c.id == job.id).with_for_update()
    if session.scalar(locked) is None:
        return
    if session.scalar(_CALLERS, {"instance_id": job.instance_id, "most": MAX_CALLS}) >= MAX_CALLS:
        raise HandlerFailed(f"流程相互调用超过 {MAX_CALLS} 层，可能没有尽头。", permanent=True)
    p = tables.process_instance.c
    caller = session.execute(
        select(p.root_instance_id, p.org_id, p.started_by, p.definition_id).where(p.id == job.instance_id)
    ).one()
    command = StartInstance(
        definition_id=_called_definition(session, caller.definition_id, job.topic, job.variables["binding"]),
        variables=decode(job.variables["variables"]),
        business_key=job.variables["business_key"],
        org_id=caller.org_id,
        started_by=caller.started_by,
        root_instance_id=caller.root_instance_id,
        super_instance_id=job.instance_id,
        super_node=job.node,
    )
    session.execute(tables.job.delete().where(tables.job.c.id == job.id))
    engine.start(session, command, None)


def _called_definition(session: Session, caller_definition_id: UUID, key: str, binding: str) -> UUID:
    """latest | deployment | version:<n>. Errors: NotFound.

    `deployment`: the version that was in force when the caller was deployed; what had not changed then kept its row of
    an earlier deployment (ids count up with time, and deployments go one after the other).
    """
    d = tables.process_definition.c
    statement = select(d.id).where(d.key == key).order_by(d.version.desc()).limit(1)
    if binding == "deployment":
        own = select(d.deployment_id).where(d.id == caller_definition_id).scalar_subquery()
        statement = statement.where(d.deployment_id <= own)
    elif binding.startswith("version:"):
        wanted = binding.partition(":")[2]
        statement = statement.where(d.version == (int(wanted) if wanted.isdecimal() else -1))
    found: UUID | None = session.scalar(statement)
    if found is None:
        raise NotFound(f"没有可调用的流程“{key}”（{binding}）。")
    return found


def answer(engine: Engine, called_instance_id: UUID) -> None:
    """A called instance has ended: its caller goes on.

    Does nothing when the caller no longer waits, or is suspended: `Resume` asks again.
    """
    try:
        db.retrying(lambda session: _answer(engine, session, called_instance_id))
    except (NotFound, TaskNotOpen, InstanceNotActive, InstanceSuspended):
        logger.info("nobody waits for the end of instance %s", called_instance_id)


def _answer(engine: Engine, session: Session, called_instance_id: UUID) -> None:
    p = tables.process_instance.c
    row = session.execute(
        select(p.super_instance_id, p.super_node, p.status, p.state, p.end_reason).where(p.id == called_instance_id)
    ).one()
    command = AnswerCall(
        row.super_node,
        called_instance_id,
        EndState(row.status),
        decode_variables(bytes(row.state)),
        row.end_reason,
    )
    engine.step(session, row.super_instance_id, command, None)


def call(engine: Engine, topic: str, arguments: Any, key: UUID, instance_id: UUID | None) -> None:
    """Run an external handler that a local one asked for by `ctx.enqueue`; `key` is the same in every attempt."""
    engine.outside(engine.hooks, topic, ExternalContext(key, instance_id, decode(arguments), clock.now()))


def unanswered(session: Session, called_instance_id: UUID, why: str) -> None:
    """A called instance has ended and its caller could not be told."""
    p = tables.process_instance.c
    row = session.execute(select(p.super_instance_id, p.super_node).where(p.id == called_instance_id)).one()
    told = f"被调用的办理事项已结束，但未能继续：{why}"
    detail = {"instance_id": str(called_instance_id)}
    incidents.raise_incident(session, "answer", row.super_instance_id, told, node=row.super_node, detail=detail)


_DUE = text(
    "UPDATE job SET locked_until = now() + make_interval(secs => :lease) WHERE id IN (SELECT j.id FROM job j"
    " JOIN process_instance p ON p.id = j.instance_id WHERE j.due_at <= :now AND j.kind <> 'worker'"
    " AND j.retries_left > 0 AND (j.locked_until IS NULL OR j.locked_until < now())"
    " AND NOT p.suspended AND p.status = 'active' ORDER BY j.due_at LIMIT :limit FOR UPDATE OF j SKIP LOCKED)"
    " RETURNING id, kind"
)


def enqueue_due(session: Session, limit: int = 200) -> int:
    """Give the workers every job whose rest is over or whose worker was lost; how many there were."""
    found = session.execute(_DUE, {"lease": store.LEASE, "now": clock.now(), "limit": limit}).all()
    queues = {"external": "external"}
    store.defer(
        session,
        [store.Defer("qianyin.run_job", {"job_id": str(r.id)}, queue=queues.get(r.kind, "engine")) for r in found],
    )
    return len(found)


_LOST = text(
    "UPDATE job SET locked_until = NULL WHERE id IN (SELECT j.id FROM job j LEFT JOIN procrastinate_jobs q"
    " ON q.task_name = 'qianyin.run_job' AND q.status IN ('todo', 'doing') AND q.args->>'job_id' = j.id::text"
    " WHERE j.kind <> 'worker' AND j.locked_until > now() AND q.id IS NULL FOR UPDATE OF j SKIP LOCKED)"
)


def release_lost(session: Session) -> int:
    """Let go of jobs that are counted as queued and stand in no queue; how many.

    A job enters the queue in the transaction that locks its row, and leaves it after its row has gone or rests: what is
    found here was given up by the queue (the database was away at every attempt), and need not wait for its lease.
    """
    return int(getattr(session.execute(_LOST), "rowcount", 0))


_RUN = {"local": _run_local, "external": _run_external, "call": _run_call}
