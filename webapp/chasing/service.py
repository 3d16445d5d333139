"""催办: a person urges who has a task; what a person has been told; how each wants to be told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts.models import Account
from webapp.audit import service as audit
from webapp.chasing import telling
from webapp.chasing.models import KINDS, NoticeChoice, PersonalNotice, TaskReminder
from webapp.engine.handler_api import Actor
from webapp.engine.tables import process_instance, user_task
from webapp.errors import Conflict, Invalid, NotFound
from webapp.i18n import _
from webapp.inbox import deadlines
from webapp.inbox.visibility import visible_tasks
from webapp.monitor.visibility import visible_instances

MAX_WORDS = 200
#: A task is urged by hand at most once in so long.
PAUSE = timedelta(hours=4)
PAGE = 50
MAILS = ("off", "daily", "at_once")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_t = user_task.c


def _seen(session: Session, actor: Actor, task_id: UUID) -> Any:
    """The task, locked, when the actor sees it or its case. Errors: NotFound, Conflict (not open)."""
    mine = select(process_instance.c.id).where(process_instance.c.id == _t.instance_id, visible_instances(actor))
    may = visible_tasks(actor) | mine.correlate(user_task).exists()
    row = session.execute(select(user_task).where(_t.id == task_id, may).with_for_update(of=user_task)).one_or_none()
    if row is None:
        raise NotFound(_("没有找到该事项，或您无权查看。"))
    if row.status != "open":
        raise Conflict(_("这件事项已办结或撤销，无需催办。"))
    return row


def chase(session: Session, actor: Actor, task_id: UUID, words: str) -> int:
    """Urge whoever can do the task; how many were told. Errors: NotFound, Conflict (done, too soon, own), Invalid."""
    row = _seen(session, actor, task_id)
    words = " ".join(words.split())
    if not words or len(words) > MAX_WORDS:
        message = _("催办的话要有 1 至 %(limit)s 个字。", limit=MAX_WORDS)
        raise Invalid(message, fields={"words": message})
    if row.assignee_id == actor.id:
        raise Conflict(_("这件事项由您自己办理。"))
    last = session.scalar(
        select(func.max(TaskReminder.at)).where(TaskReminder.task_id == row.id, TaskReminder.kind == "chase")
    )
    if last is not None and last > clock.now() - PAUSE:
        when = deadlines.moment(last + PAUSE, clock.now())
        raise Conflict(_("这件事项刚刚催办过，%(when)s 以后可以再催。", when=when))
    to = [one for one in telling.workers(session, row) if one != actor.id]
    telling.remind(session, row, "chase", to, by=actor.id, words=words)
    audit.record(
        session, "task.chase", actor, instance_id=row.instance_id, task_id=row.id, subject=row.business_key,
        reason=words, detail={"element_id": row.element_id, "told": len(to)},
    )  # fmt: skip
    return len(to)


def of_tasks(session: Session, task_ids: Iterable[UUID]) -> Sequence[Any]:
    """The 催办 of these tasks, newest first: task_id, words, at, name."""
    query = (
        select(TaskReminder.task_id, TaskReminder.words, TaskReminder.at, Account.name)
        .join(Account, Account.id == TaskReminder.by_id)
        .where(TaskReminder.task_id.in_(list(task_ids)), TaskReminder.kind == "chase")
        .order_by(TaskReminder.at.desc())
        .limit(20)
    )
    return session.execute(query).all()


# ---- what a person is told


def _mine(account_id: UUID) -> Any:
    return (
        select(PersonalNotice, TaskReminder, _t.title, _t.name, _t.business_key, _t.status, Account.name.label("who"))
        .join(TaskReminder, TaskReminder.id == PersonalNotice.reminder_id)
        .join(user_task, _t.id == TaskReminder.task_id)
        .outerjoin(Account, Account.id == TaskReminder.by_id)
        .where(PersonalNotice.account_id == account_id)
        .order_by(PersonalNotice.created_at.desc(), PersonalNotice.id.desc())
    )


def unread(session: Session, account_id: UUID) -> int:
    """How many notices of tasks that are still open have not been read, up to 100."""
    query = (
        select(PersonalNotice.id)
        .join(TaskReminder, TaskReminder.id == PersonalNotice.reminder_id)
        .join(user_task, _t.id == TaskReminder.task_id)
        .where(PersonalNotice.account_id == account_id, PersonalNotice.read_at.is_(None), _t.status == "open")
        .limit(100)
    )
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def newest(session: Session, account_id: UUID) -> Sequence[Any]:
    """The newest notices of a person, read or not."""
    return session.execute(_mine(account_id).limit(PAGE)).all()


def unmailed(session: Session, account_id: UUID) -> Sequence[Any]:
    """What stands in the next mail to a person: not read, not mailed, of open tasks."""
    waits = (PersonalNotice.mailed_at.is_(None), PersonalNotice.read_at.is_(None), _t.status == "open")
    return session.execute(_mine(account_id).where(*waits).limit(PAGE)).all()


def sentence(row: Any) -> str:
    """What a notice says, in the reader's language."""
    reminder = row.TaskReminder
    due = deadlines.tell(reminder.due_at, clock.now())
    if reminder.kind == "chase":
        return _("%(who)s催办：%(words)s", who=row.who, words=reminder.words)
    if reminder.kind == "escalated":
        return _("下级超期未办，请督促：%(due)s", due=due["text"] if due else "")
    if reminder.kind == "over":
        return _("已超期，请尽快办理：%(due)s", due=due["text"] if due else "")
    return _("即将到期：%(due)s", due=due["text"] if due else "")


def read(session: Session, account_id: UUID, notice_id: UUID | None = None) -> UUID | None:
    """Mark one notice as read, or all (None); the task of the one. Errors: NotFound."""
    mine = [PersonalNotice.account_id == account_id]
    if notice_id is not None:
        mine.append(PersonalNotice.id == notice_id)
    now = func.coalesce(PersonalNotice.read_at, clock.now())
    if notice_id is None:
        mine.append(PersonalNotice.read_at.is_(None))
    found = session.scalars(
        update(PersonalNotice).where(*mine).values(read_at=now).returning(PersonalNotice.reminder_id)
    )
    reminders = found.all()
    if notice_id is None:
        return None
    if not reminders:
        raise NotFound(_("没有找到，可能已经删去。"))
    return session.scalar(select(TaskReminder.task_id).where(TaskReminder.id == reminders[0]))


# ---- how a person wants to be told


def choice(session: Session, account_id: UUID) -> NoticeChoice:
    """How the person chose to be told; what is usual where nothing was chosen."""
    found = session.get(NoticeChoice, account_id)
    return found or NoticeChoice(account_id=account_id, email="", mail="off", muted=[])


def choose(session: Session, account_id: UUID, *, email: str, mail: str, wanted: Iterable[str]) -> None:
    """Keep the choice. Errors: Invalid with fields."""
    email = email.strip()
    problems = {}
    if mail not in MAILS:
        problems["mail"] = _("请选择是否发送邮件。")
    if (email or mail != "off") and not (len(email) < 255 and _EMAIL.fullmatch(email)):
        problems["email"] = _("请填写邮箱地址，例如 name@example.com。")
    if problems:
        raise Invalid(_("提醒方式没有保存，请改正以下内容。"), fields=problems)
    muted = sorted(set(KINDS) - {"chase"} - set(wanted))
    row = {"email": email, "mail": mail, "muted": muted}
    kept = insert(NoticeChoice).values(account_id=account_id, **row)
    session.execute(kept.on_conflict_do_update(index_elements=["account_id"], set_=row))
    session.expire_all()
