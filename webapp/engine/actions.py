"""What each command does to the execution of its locked instance; the runtime then writes what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from webapp.engine import commands as c
from webapp.engine import corrections, incidents, migrating, operations
from webapp.engine.bpmn import Execution
from webapp.engine.bpmn.codec import clone, encode
from webapp.engine.bpmn.throwing import interrupting
from webapp.engine.errors import BpmnError, TaskNotOpen
from webapp.engine.guard import Law, refuse
from webapp.engine.handler_api import CancelContext
from webapp.engine.host import Step
from webapp.engine.recorder import Recorder
from webapp.engine.store import Defer, Instance, Row
from webapp.engine.tables import event_subscription, incident, job, process_instance, timer, user_task
from webapp.engine.types import EndState
from webapp.errors import Invalid, NotFound

if TYPE_CHECKING:
    from webapp.engine.runtime import Engine


@dataclass(frozen=True, slots=True)
class Context:
    """A locked, hydrated instance in the middle of a step."""

    session: Session
    step: Step
    recorder: Recorder
    execution: Execution
    instance: Instance
    task: Any  # (node, element id) of the user task that CompleteTask names

    def row(self, table: Table, id: UUID) -> Row | None:
        """A row of this instance, read after the lock."""
        where = (table.c.id == id, table.c.instance_id == self.instance.id)
        found = self.session.execute(select(table).where(*where)).mappings().one_or_none()
        return None if found is None else {str(name): value for name, value in found.items()}


def apply(command: c.Command, context: Context) -> None:
    _APPLY[type(command)](context, command)


# ---- people


def _complete(at: Context, command: c.CompleteTask) -> None:
    node, element_id = at.task
    if node is None:
        raise NotFound(f"没有任务 {command.task_id}。")
    element = at.recorder.case.definition.compiled.elements[element_id]
    if command.outcome is not None and element.outcomes:
        _check_outcome(command.outcome, [outcome.value for outcome in element.outcomes])
    values = {**(command.form_data or {}), **command.variables}
    if at.step.actor is not None and element.form_ref is None:
        _unasked(at, {name: value for name, value in values.items() if name != element.outcome_variable})
    if command.outcome is not None:
        values[element.outcome_variable] = command.outcome
        if element.outputs and all(output.name != element.outcome_variable for output in element.outputs):
            # A mapping keeps the form local; the decision is for the gateway behind the task.
            at.execution.set_variables({element.outcome_variable: command.outcome})
            at.recorder.changed[element.outcome_variable] = command.outcome
    case = at.recorder.case
    case.done_node, case.done_task = node, command.task_id
    told = values.get(element.outcome_variable)
    case.done = {
        "outcome": told if isinstance(told, str) else None,
        "form_data": None if command.form_data is None else encode(clone(dict(command.form_data))),
    }
    try:
        at.execution.complete(node, values)
    except TaskNotOpen as error:
        raise closed_task(at.session, command.task_id) from error
    told = {"element_id": element_id, "outcome": case.done["outcome"], "version": at.instance.version + 1}
    at.recorder.audit("task.complete", detail=told)  # the version: whether anything has happened since (收回)


def _unasked(at: Context, values: Mapping[str, Any]) -> None:
    """No form says what the task is to bring: no more may be set than an operation may correct. Errors: LawForbids."""
    if values and any(element.law for element in at.recorder.case.definition.compiled.elements.values()):
        _correctable(at, at.execution.variables(), values, kinds=False)


def _check_outcome(outcome: str, allowed: list[str]) -> None:
    if outcome not in allowed:
        raise Invalid(f"没有“{outcome}”这个办理结果，可选：{'、'.join(allowed)}。")


def closed_task(session: Session, task_id: UUID) -> TaskNotOpen:
    """The error for a task that no longer waits: who completed it and when."""
    t = user_task.c
    row = session.execute(select(t.status, t.completed_by, t.ended_at, t.outcome).where(t.id == task_id)).one_or_none()
    if row is None:
        return TaskNotOpen()
    return TaskNotOpen(
        "此任务已办结。" if row.status == "completed" else "此任务已撤销。",
        detail={
            "status": row.status,
            "completed_by": row.completed_by,
            "ended_at": row.ended_at,
            "outcome": row.outcome,
        },
    )


# ---- events


def _unguarded(at: Context, element_id: str, words: str) -> None:
    """No event that a person causes passes an element that the law demands, or interrupts one. Errors: LawForbids."""
    compiled = at.recorder.case.definition.compiled
    element = compiled.elements[element_id]
    if element.law:
        raise refuse(element, words)
    if element.attached_to and interrupting(compiled.spec.node(element_id)):
        law = Law(compiled.spec, ())
        for demanded in law.inside(compiled.spec.node(element.attached_to)):
            raise refuse(demanded, "尚未办结，不能由人提前中断")


def _deliver(at: Context, command: c.DeliverMessage) -> None:
    row = at.row(event_subscription, command.subscription_id)
    if row is None:
        raise TaskNotOpen("没有人在等待这条消息。")
    if at.step.actor is not None:
        _unguarded(at, row["element_id"], "只能由办理事项之间的消息推动")
        _correctable(at, at.execution.variables(), command.payload, kinds=False)
    at.execution.deliver(row["node"], command.payload)
    at.recorder.changed.update(command.payload)
    if at.step.actor is not None:
        at.recorder.audit("message.deliver", detail={"element_id": row["element_id"], "name": row["name"]})


def _fire(at: Context, command: c.FireTimer) -> None:
    row = at.row(timer, command.timer_id)
    if row is None:
        raise TaskNotOpen("该定时已触发或已撤销。")
    if row["due_at"] > at.step.now:
        _unguarded(at, row["element_id"], "不能提前触发")
    at.recorder.case.fired = (row["node"], row["due_at"])
    at.execution.deliver(row["node"], {})
    if command.reason is not None:
        at.recorder.audit("timer.fire", reason=command.reason, detail={"element_id": row["element_id"]})


# ---- jobs


def _job(at: Context, job_id: UUID) -> Row:
    row = at.row(job, job_id)
    if row is None:
        raise NotFound(f"没有作业 {job_id}，可能已经完成。")
    return row


def _act_for(at: Context, row: Row) -> None:
    """What follows is still the act of the person in whose step the job was parked (who signed, who decided)."""
    if at.step.actor is None and row["actor_id"] is not None:
        at.step.actor = at.step.engine.actor_of(at.session, row["actor_id"])
        at.recorder.case.actor_id = row["actor_id"]


def _run_job(at: Context, command: c.RunJob) -> None:
    row = _job(at, command.job_id)
    _act_for(at, row)
    at.recorder.case.job = row
    at.execution.retry(row["node"])


def _resume_job(at: Context, command: c.ResumeJob) -> None:
    row = _job(at, command.job_id)
    _act_for(at, row)
    if command.error_code is not None:
        at.execution.fail(row["node"], BpmnError(command.error_code, command.error_message))
    else:
        at.execution.resume(row["node"], command.result)


def _fail_job(at: Context, command: c.FailJob) -> None:
    row = _job(at, command.job_id)
    at.recorder.fail_job(
        row, command.error, permanent=command.permanent, left=command.retries_left, wait=command.retry_in
    )


def _retry_job(at: Context, command: c.RetryJob) -> None:
    row = _job(at, command.job_id)
    row.update(retries_left=max(command.retries, 1), due_at=at.step.now)
    at.recorder.changes.settled.append(row["node"])
    at.recorder.queue_job(row)
    at.recorder.audit("job.retry", reason=command.reason, detail={"element_id": row["element_id"]})


def _retry_incident(at: Context, command: c.RetryIncident) -> None:
    row = at.row(incident, command.incident_id)
    if row is None or row["resolved_at"] is not None:
        raise NotFound(f"没有待处理的异常 {command.incident_id}。")
    if row["job_id"] is not None:
        _retry_job(at, c.RetryJob(row["job_id"], reason=command.reason))
        return
    incidents.resolve(at.session, command.incident_id, at.recorder.case.actor_id)
    at.recorder.audit("incident.retry", reason=command.reason, detail={"element_id": row["element_id"]})
    at.recorder.changes.defers += incidents.again(at.step.engine, at.session, row)
    if row["kind"] in ("element", "call"):
        at.execution.retry(row["node"])


def _answer(at: Context, command: c.AnswerCall) -> None:
    if not _awaited(at, command):
        raise TaskNotOpen()
    if command.state is EndState.CANCELLED:
        element_id = next((token[0] for token in at.execution.tokens() if token[1] == command.node), None)
        if element_id is None:
            raise TaskNotOpen()
        at.recorder.incident(command.node, element_id, "call", "被调用的办理事项已被终止。")
    elif command.state is EndState.FAILED:
        at.execution.fail(command.node, BpmnError(command.error_code or "", "被调用的办理事项以错误结束。"))
    else:
        at.execution.resume(command.node, command.variables)


def _awaited(at: Context, command: c.AnswerCall) -> bool:
    """Whether the activation waits for this very instance: none was called anew, and its end has not been told."""
    p, j, i = process_instance.c, job.c, incident.c
    newer = select(p.id).where(
        p.root_instance_id == at.instance.root_instance_id,
        p.super_instance_id == at.instance.id,
        p.super_node == command.node,
        p.id > command.called_instance_id,
    )
    calling = select(j.id).where(j.instance_id == at.instance.id, j.node == command.node, j.kind == "call")
    told = select(i.id).where(
        i.instance_id == at.instance.id, i.node == command.node, i.kind == "call", i.resolved_at.is_(None)
    )
    return not any(at.session.execute(query.limit(1)).first() for query in (newer, calling, told))


# ---- operations


def _cancel(at: Context, command: c.Cancel) -> None:
    """The process's canceller is asked first: it refuses, or undoes what the case has done in the registers."""
    ask = at.step.engine.hooks.cancellers.get(at.recorder.case.definition.key)
    if ask is not None:
        variables = at.execution.variables()
        ask(CancelContext(at.session, at.instance.id, variables, command.reason, at.step.actor, at.step.now))
    at.execution.cancel()
    at.recorder.changes.row["end_reason"] = command.reason
    at.recorder.audit("instance.cancel", reason=command.reason)


def _set_variables(at: Context, command: c.SetVariables) -> None:
    before = at.execution.variables()
    if at.step.actor is not None:
        _correctable(at, before, command.variables)
    at.execution.set_variables(command.variables)
    at.recorder.changed.update(command.variables)
    after = clone(dict(command.variables))
    detail = {"before": encode({name: before[name] for name in after if name in before}), "after": encode(after)}
    at.recorder.audit("instance.variables", reason=command.reason, detail=detail)


def _correctable(at: Context, before: Mapping[str, Any], new: Mapping[str, Any], *, kinds: bool = True) -> None:
    """Gateways and handlers read variables: a corrected one may pass what the law demands. Errors: LawForbids."""
    engine, deployment_id = at.step.engine, at.recorder.case.definition.deployment_id

    def names(key: str) -> frozenset[str]:
        return engine.definitions.decision(at.session, deployment_id, key).names

    compiled = at.recorder.case.definition.compiled
    if kinds:
        corrections.same_kinds(before, new)
    corrections.check(compiled, engine.hooks, names, before, new)


def _suspend(at: Context, command: c.Suspend) -> None:
    at.recorder.changes.row["suspended"] = True
    _hold(at, True)
    at.recorder.audit("instance.suspend", reason=command.reason)


def _resume(at: Context, command: c.Resume) -> None:
    """Calls that ended meanwhile are answered now; timers, jobs and messages are found by the workers."""
    at.recorder.changes.row["suspended"] = False
    _hold(at, False)
    at.recorder.audit("instance.resume", reason=command.reason)
    p = process_instance.c
    ended = select(p.id).where(
        p.root_instance_id == at.instance.root_instance_id,
        p.super_instance_id == at.instance.id,
        p.status != "active",
    )
    for called in at.session.scalars(ended):
        at.recorder.changes.defers.append(Defer("qianyin.answer", {"instance_id": str(called)}))


def _hold(at: Context, held: bool) -> None:
    """Whoever looks for due timers does not meet those of a suspended instance."""
    at.session.execute(update(timer).where(timer.c.instance_id == at.instance.id).values(held=held))


def cancel_called(engine: Engine, step: Step, recorder: Recorder) -> None:
    """End the instances whose call activities were taken away in this step, in id order."""
    if not recorder.called:
        return
    p = process_instance.c
    running = select(p.id).where(
        p.root_instance_id == step.root_instance_id,
        p.super_instance_id == step.instance_id,
        p.super_node.in_(recorder.called),
        p.status == "active",
    )
    reason = recorder.changes.row.get("end_reason") or "上级办理事项不再需要。"
    for called in sorted(step.session.scalars(running)):
        engine.step(step.session, called, c.Cancel(reason), step.actor)


_APPLY: dict[type, Callable[[Context, Any], None]] = {
    c.CompleteTask: _complete,
    c.MoveToken: operations.move,
    c.RestartFrom: operations.restart,
    c.ReturnTask: operations.give_back,
    c.RecallTask: operations.recall,
    c.Migrate: migrating.migrate,
    c.DeliverMessage: _deliver,
    c.FireTimer: _fire,
    c.RunJob: _run_job,
    c.ResumeJob: _resume_job,
    c.FailJob: _fail_job,
    c.RetryJob: _retry_job,
    c.RetryIncident: _retry_incident,
    c.AnswerCall: _answer,
    c.Cancel: _cancel,
    c.SetVariables: _set_variables,
    c.Suspend: _suspend,
    c.Resume: _resume,
}
