"""Taking a task, giving it back, handing it over: each one atomic statement, checked by the row that it changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts.models import Account
from webapp.accounts.service import actor_of
from webapp.audit import service as audit
from webapp.engine.errors import TaskNotOpen
from webapp.engine.handler_api import Actor
from webapp.engine.tables import user_task
from webapp.errors import Conflict, Forbidden, Invalid, NotFound, QianyinError
from webapp.i18n import _
from webapp.inbox import deadlines
from webapp.inbox.four_eyes import prepared_by_oneself
from webapp.inbox.task_form import element_of
from webapp.inbox.visibility import may_see, visible_tasks

_c = user_task.c
#: A bulk action touches at most so many tasks (two pages of a list).
MAX_BULK = 200


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one task of a bulk action."""

    task_id: UUID
    number: str
    done: bool
    message: str


def claim(session: Session, actor: Actor, task_id: UUID) -> None:
    """Take a task for oneself; again is no error.

    Errors: NotFound, TaskNotOpen, Conflict (who has it, since when), Forbidden (four eyes: it is kept for another).
    """
    taken = session.execute(
        update(user_task)
        .where(_c.id == task_id, _c.status == "open", _c.assignee_id.is_(None), visible_tasks(actor))
        .values(assignee_id=actor.id, on_behalf_of=None, claimed_at=clock.now())
        .returning(*_c)
    ).one_or_none()
    if taken is None:
        row = look(session, actor, task_id)
        if row.assignee_id != actor.id:
            raise taken_by(session, row)
        return
    if sentence := prepared_by_oneself(session, actor, taken, element_of(session, taken)):
        raise Forbidden(sentence)
    audit.record(
        session, "task.claim", actor, instance_id=taken.instance_id, task_id=task_id, subject=taken.business_key
    )


def release(session: Session, actor: Actor, task_id: UUID) -> None:
    """Give a task back to those whom it is offered to. Errors: NotFound, TaskNotOpen, Forbidden (not one's own)."""
    given = session.execute(
        update(user_task)
        .where(_c.id == task_id, _c.status == "open", _c.assignee_id == actor.id)
        .where((_c.candidate_groups != []) | (_c.candidate_users != []) | _c.on_behalf_of.is_not(None))
        .values(
            assignee_id=_c.on_behalf_of, on_behalf_of=None, claimed_at=None
        )  # a stand-in gives it back to the other
        .returning(_c.instance_id, _c.business_key)
    ).one_or_none()
    if given is None:
        row = look(session, actor, task_id)
        if row.assignee_id == actor.id:
            raise Forbidden(_("这件事项只指定由您办理，不能放回；可以转办他人。"))
        if row.assignee_id is None:
            return
        raise Forbidden(_("只有签收人本人可以放回这件事项。"))
    audit.record(
        session, "task.release", actor, instance_id=given.instance_id, task_id=task_id, subject=given.business_key
    )


def transfer(session: Session, actor: Actor, task_id: UUID, to: UUID, reason: str) -> Account:
    """Hand a task over to a person who may see it, with a reason. Errors: NotFound, TaskNotOpen, Conflict, Invalid."""
    row = look(session, actor, task_id)
    if row.assignee_id not in {None, actor.id}:
        raise taken_by(session, row)
    if row.on_behalf_of is not None:
        raise Forbidden(_("您是代理他人办理，不能转办；可以放回给本人。"))
    reason = reason.strip()
    if not reason:
        raise Invalid(_("请填写转办理由。"), fields={"reason": _("请填写转办理由。")})
    person = session.get(Account, to)
    if person is None or not person.active or person.id == actor.id:
        raise Invalid(_("请选择要转给的人。"), fields={"to": _("请选择要转给的人。")})
    if not may_see(session, task_id, actor_of(person)):
        words = _("%(name)s没有办理这件事项的角色，不能转给他。", name=person.name)
        raise Invalid(words, fields={"to": words})
    if prepared_by_oneself(session, actor_of(person), row, element_of(session, row)):
        words = _("%(name)s办理过要复核的环节，这一步要由另一人办理，不能转给他。", name=person.name)
        raise Invalid(words, fields={"to": words})
    changed = session.execute(
        update(user_task)
        .where(_c.id == task_id, _c.status == "open", (_c.assignee_id.is_(None)) | (_c.assignee_id == actor.id))
        .values(assignee_id=person.id, on_behalf_of=None, claimed_at=clock.now())
    )
    if not changed.rowcount:  # type: ignore[attr-defined]
        raise taken_by(session, look(session, actor, task_id))
    detail = {"to": str(person.id), "to_name": person.name}
    audit.record(
        session,
        "task.transfer",
        actor,
        instance_id=row.instance_id,
        task_id=task_id,
        subject=row.business_key,
        reason=reason,
        detail=detail,
    )
    return person


def bulk(
    session: Session, actor: Actor, action: str, ids: Iterable[UUID], *, to: UUID | None = None, reason: str = ""
) -> list[Result]:
    """claim | release | transfer over many tasks, each in a savepoint of its own: one failure never takes others along.

    Errors: Invalid for an unknown action, none or too many tasks, a transfer without person or reason.
    """
    wanted = list(dict.fromkeys(ids))
    if action not in {"claim", "release", "transfer"}:
        raise Invalid(_("没有这种批量操作。"))
    if not wanted:
        raise Invalid(_("请先选中要办理的事项。"))
    if len(wanted) > MAX_BULK:
        raise Invalid(_("一次最多办理 %(n)s 件，请分次办理。", n=MAX_BULK))
    if action == "transfer" and (to is None or not reason.strip()):
        raise Invalid(_("请选择要转给的人并填写转办理由。"))
    return [_one(session, actor, action, task_id, to, reason) for task_id in wanted]


def _one(session: Session, actor: Actor, action: str, task_id: UUID, to: UUID | None, reason: str) -> Result:
    number = session.scalar(select(_c.business_key).where(_c.id == task_id, visible_tasks(actor))) or ""
    try:
        with session.begin_nested():
            if action == "claim":
                claim(session, actor, task_id)
                return Result(task_id, number, True, _("已签收"))
            if action == "release":
                release(session, actor, task_id)
                return Result(task_id, number, True, _("已放回"))
            assert to is not None
            person = transfer(session, actor, task_id, to, reason)
            return Result(task_id, number, True, _("已转给%(name)s", name=person.name))
    except QianyinError as error:
        return Result(task_id, number, False, error.message)


def look(session: Session, actor: Actor, task_id: UUID) -> Any:
    """The open task's row. Errors: NotFound (or not visible), TaskNotOpen (who has done it and when)."""
    row = session.execute(select(user_task).where(_c.id == task_id, visible_tasks(actor))).one_or_none()
    if row is None:
        raise NotFound(_("没有找到该事项，或您无权查看。"))
    if row.status != "open":
        raise not_open(session, actor, row)
    return row


def name_of(session: Session, account_id: UUID | None) -> str:
    """A person's name for sentences; the system where nobody acted."""
    found = session.scalar(select(Account.name).where(Account.id == account_id)) if account_id else None
    return found or _("系统")


def taken_by(session: Session, row: Any) -> Conflict:
    """The refusal of a task that another person has."""
    who = name_of(session, row.assignee_id)
    when = deadlines.moment(row.claimed_at, clock.now()) if row.claimed_at else ""
    message = _("这件事项已由%(who)s于 %(when)s 签收，您可以查看，不能办理。", who=who, when=when)
    return Conflict(message, detail={"who": who, "when": when})


def not_open(session: Session, actor: Actor, row: Any) -> TaskNotOpen:
    """The refusal of a task that is over: who completed it and when, or that the case took it away."""
    when = deadlines.moment(row.ended_at, clock.now()) if row.ended_at else ""
    if row.status == "cancelled":
        return TaskNotOpen(_("这件事项已于 %(when)s 因案件变化撤销，无需办理。", when=when), detail={"when": when})
    who = name_of(session, row.completed_by)
    if row.completed_by == actor.id:  # pressed twice, or in another window
        message = _("您已于 %(when)s 办结这件事项，无需再次提交。", when=when)
        return TaskNotOpen(message, detail={"who": who, "when": when})
    message = _("这件事项已由%(who)s于 %(when)s 办结，您的提交没有生效。", who=who, when=when)
    return TaskNotOpen(message, detail={"who": who, "when": when})
