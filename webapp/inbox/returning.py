"""退回 and 收回: the case goes back to an earlier task, sent by who holds the present one, or fetched by who did it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, aliased

from webapp import clock
from webapp.accounts.models import Account
from webapp.engine import queries, runtime
from webapp.engine.bpmn import Execution
from webapp.engine.commands import RecallTask, ReturnTask, StepResult
from webapp.engine.errors import TaskNotOpen
from webapp.engine.handler_api import Actor
from webapp.engine.host import StepHost
from webapp.engine.returning import Ground, beyond
from webapp.engine.tables import audit, process_instance, user_task
from webapp.errors import Conflict, Forbidden, Invalid, NotFound
from webapp.i18n import _
from webapp.inbox import drafts
from webapp.inbox.claiming import look, taken_by
from webapp.inbox.four_eyes import prepared_by_oneself
from webapp.inbox.task_form import element_of
from webapp.inbox.visibility import visible_tasks

_c = user_task.c


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a task may be returned to: an earlier task of its case, or of the case that called it."""

    instance_id: UUID
    node: UUID
    element_id: str
    label: str

    @property
    def value(self) -> str:
        return f"{self.instance_id}:{self.element_id}"


def _ground(session: Session, instance_id: UUID) -> tuple[Ground, Any] | None:
    row = queries.instance(session, instance_id)
    if row.status != "active" or row.suspended:
        return None
    definition = runtime.engine().definitions.get(session, row.definition_id)
    execution = Execution.load(definition.compiled, bytes(row.state), StepHost())
    return Ground.of(session, instance_id, execution, definition), row


def goals(session: Session, row: Any) -> list[Goal]:
    """The earlier tasks that the holder of an open task may return the case to, the latest first."""
    found = _ground(session, row.instance_id)
    if found is None:
        return []
    ground, instance = found
    try:
        token = ground.execution.token(row.node)
    except TaskNotOpen:
        return []
    own = [Goal(row.instance_id, row.node, e.id, e.name or e.id) for e in ground.targets(token)]
    if instance.super_instance_id is None or token.task_spec.element.properties.get("returnTo"):
        return own
    spec = ground.definition.compiled.spec
    acted = any(beyond(spec.node(name)) for name in ground.law.way)
    caller = None if acted else _ground(session, instance.super_instance_id)
    if caller is None:
        return own
    above = caller[0].targets(caller[0].execution.token(instance.super_node))
    return own + [Goal(instance.super_instance_id, instance.super_node, e.id, e.name or e.id) for e in above]


def give_back(session: Session, actor: Actor, task_id: UUID, goal: str, reason: str) -> Goal:
    """Return an open task's case to an earlier task, which opens for who did it, with what was entered there.

    Errors: NotFound, TaskNotOpen, Conflict (another has it; it is not possible any more), Forbidden (four eyes),
    Invalid (no reason, no such goal).
    """
    row = look(session, actor, task_id)
    if row.assignee_id not in {None, actor.id}:
        raise taken_by(session, row)
    if sentence := prepared_by_oneself(session, actor, row, element_of(session, row)):
        raise Forbidden(sentence)
    if not reason.strip():
        raise Invalid(_("请填写退回理由。"), fields={"reason": _("请填写退回理由。")})
    chosen = next((one for one in goals(session, row) if one.value == goal), None)
    if chosen is None:
        raise Invalid(_("请选择要退回到的环节。"), fields={"to": _("请选择要退回到的环节。")})
    done = _last(session, chosen)
    person = session.get(Account, done.completed_by) if done is not None and done.completed_by else None
    assignee = person.id if person is not None and person.active else None
    command = ReturnTask(chosen.node, chosen.element_id, reason.strip(), assignee, task_id)
    made = runtime.engine().step(session, chosen.instance_id, command, actor)
    _entered(session, made, done)
    return chosen


def _last(session: Session, goal: Goal) -> Any:
    where = (_c.instance_id == goal.instance_id, _c.element_id == goal.element_id, _c.status == "completed")
    return session.execute(select(user_task).where(*where).order_by(_c.ended_at.desc(), _c.id.desc())).first()


def _entered(session: Session, made: StepResult, done: Any) -> None:
    """What was entered the last time lies in the draft of the person who gets the task again."""
    if done is None or not done.form_data:
        return
    where = (_c.id.in_(made.opened), _c.element_id == done.element_id, _c.assignee_id.is_not(None))
    for task in session.execute(select(_c.id, _c.assignee_id).where(*where)):
        drafts.keep_for(session, task.assignee_id, task.id, queries.decoded(done.form_data))


# ---- 收回


def may_recall(session: Session, actor: Actor, row: Any) -> bool:
    """Whether a completed task looks as if its completer could still take it back; the step says it for certain."""
    if row.status != "completed" or row.completed_by != actor.id:
        return False
    p, a = process_instance.c, audit.c
    told = (a.instance_id == row.instance_id, a.task_id == row.id, a.action == "task.complete")
    version = select(a.detail["version"].as_integer()).where(*told).order_by(a.id.desc()).limit(1).scalar_subquery()
    where = (p.id == row.instance_id, p.status == "active", p.suspended.is_(False), p.version == version)
    after = (_c.instance_id == row.instance_id, _c.status == "open", _c.created_at >= row.ended_at)
    seen = exists(select(1).where(*after, _c.seen_at.is_not(None) | (_c.claimed_at > _c.created_at)))
    return session.scalar(select(p.id).where(*where, ~seen)) is not None


def recall(session: Session, actor: Actor, task_id: UUID, reason: str) -> UUID:
    """Take back what one has just completed; gives the task that is open again. Errors: NotFound, Conflict, Invalid."""
    where = (_c.id == task_id, visible_tasks(actor))
    row = session.execute(select(user_task).where(*where)).one_or_none()
    if row is None:
        raise NotFound(_("没有找到该事项，或您无权查看。"))
    if row.status == "open":
        raise Conflict(_("这件事项还没有提交，不用收回。"))
    if not reason.strip():
        raise Invalid(_("请填写收回理由。"), fields={"reason": _("请填写收回理由。")})
    made = runtime.engine().step(session, row.instance_id, RecallTask(task_id, reason.strip()), actor)
    _entered(session, made, row)
    return next(iter(made.opened), task_id)


def mark_seen(session: Session, actor: Actor, row: Any) -> None:
    """Who may do an open task has opened it. Who has just sent it does not count: it is not the next person."""
    if row.status != "open" or row.seen_at is not None or row.assignee_id not in {None, actor.id}:
        return
    sent = aliased(user_task)
    own = select(1).where(
        sent.c.instance_id == row.instance_id, sent.c.completed_by == actor.id, sent.c.ended_at == row.created_at
    )
    session.execute(
        update(user_task).where(_c.id == row.id, _c.seen_at.is_(None), ~own.exists()).values(seen_at=clock.now())
    )
