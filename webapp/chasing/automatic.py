"""Reminders by the clock: before a deadline, after it, and to the role's head when it stays undone. On working days."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts import settings_service as settings
from webapp.chasing import telling
from webapp.chasing.models import TaskReminder
from webapp.engine.tables import process_instance, user_task

#: Of each kind at most so many in one round; the next round does the rest.
MOST = 200
_t = user_task.c
#: One worker at a time; the number names this round among the advisory locks.
_LOCK = text("select pg_try_advisory_xact_lock(7102611)")


def run(session: Session) -> int:
    """One round; how many reminders were made. Nothing on days off, nothing for suspended cases."""
    today = clock.today()
    if not clock.is_working_day(today) or not session.scalar(_LOCK):
        return 0
    return _before(session, today) + _over(session, today) + _escalate(session, today)


def _told(kind: str, *more: ColumnElement[bool]) -> ColumnElement[bool]:
    found = select(1).where(TaskReminder.task_id == _t.id, TaskReminder.kind == kind, *more)
    return ~found.correlate(user_task).exists()


def _due(session: Session, *where: ColumnElement[bool]) -> list[Any]:
    query = (
        select(user_task)
        .join(process_instance, process_instance.c.id == _t.instance_id)
        .where(text("user_task.status = 'open'"), process_instance.c.suspended.is_(False), *where)
        .order_by(_t.due_at, _t.id)
        .limit(MOST)
    )
    return list(session.execute(query))


def _before(session: Session, today: date) -> int:
    days = int(settings.get(session, "due_reminder_days"))
    if not days:
        return 0
    until = clock.end_of_day(clock.add_working_days(today, days))
    told = _told("before", TaskReminder.due_at == _t.due_at)
    found = _due(session, _t.due_at > clock.now(), _t.due_at <= until, told)
    for task in found:
        telling.remind(session, task, "before", telling.workers(session, task))
    return len(found)


def _over(session: Session, today: date) -> int:
    every = int(settings.get(session, "overdue_reminder_days"))
    if not every:
        return 0
    first = today if every == 1 else clock.add_working_days(today, 1 - every)
    since = datetime.combine(first, time(), clock.BEIJING)
    found = _due(session, _t.due_at <= clock.now(), _told("over", TaskReminder.at >= since))
    for task in found:
        telling.remind(session, task, "over", telling.workers(session, task))
    return len(found)


def _escalate(session: Session, today: date) -> int:
    days = int(settings.get(session, "escalation_days"))
    if not days:
        return 0
    until = clock.end_of_day(clock.add_working_days(today, -days))
    found = _due(session, _t.due_at <= until, _told("escalated", TaskReminder.due_at == _t.due_at))
    for task in found:
        telling.remind(session, task, "escalated", telling.heads(session, task))
    return len(found)
