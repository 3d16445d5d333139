"""Making a reminder and telling those who can do something about the task, each as they chose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts.models import Account, AccountRole
from webapp.accounts.roles import ORG_SCOPED, ROLES
from webapp.chasing.models import NoticeChoice, PersonalNotice, TaskReminder

#: One reminder tells at most so many people.
MOST = 50


def remind(
    session: Session, task: Any, kind: str, to: Iterable[UUID], *, by: UUID | None = None, words: str = ""
) -> TaskReminder:
    """Record a reminder of a task's row and tell these people who did not turn the kind off."""
    now = clock.now()
    made = TaskReminder(
        task_id=task.id, instance_id=task.instance_id, kind=kind, by_id=by, words=words, due_at=task.due_at, at=now
    )
    session.add(made)
    session.flush()
    wanted = [one for one in dict.fromkeys(to) if one != by]
    muted = set()
    if kind != "chase":
        off = select(NoticeChoice.account_id).where(
            NoticeChoice.account_id.in_(wanted), NoticeChoice.muted.contains([kind])
        )
        muted = set(session.scalars(off))
    session.add_all(
        PersonalNotice(account_id=one, reminder_id=made.id, created_at=now) for one in wanted if one not in muted
    )
    session.flush()
    return made


def workers(session: Session, task: Any) -> list[UUID]:
    """Who can do the task: its assignee, else its candidates and the holders of its roles who may see it."""
    if task.assignee_id:
        return [task.assignee_id]
    named = list(session.scalars(select(Account.id).where(Account.id.in_(task.candidate_users), Account.active)))
    return [*named, *_holders(session, task.candidate_groups, task.case_org_id)][:MOST]


def heads(session: Session, task: Any) -> list[UUID]:
    """The heads of the roles that the task is offered to (`head` in `processes/roles.toml`)."""
    wanted = {ROLES[role].head for role in task.candidate_groups if role in ROLES} - {""}
    return _holders(session, sorted(wanted), task.case_org_id)[:MOST]


def _holders(session: Session, roles: Iterable[str], org_id: UUID | None) -> list[UUID]:
    known = [role for role in roles if role in ROLES]
    everywhere = [role for role in known if role not in ORG_SCOPED and ROLES[role].scope != "assigned"]
    own = [role for role in known if role in ORG_SCOPED]
    reasons: list[ColumnElement[bool]] = [AccountRole.role.in_(everywhere)]
    if org_id is not None:
        reasons.append(and_(AccountRole.role.in_(own), Account.organisation_id == org_id))
    query = (
        select(Account.id)
        .join(AccountRole, AccountRole.account_id == Account.id)
        .where(Account.active, or_(*reasons))
        .order_by(Account.id)
        .limit(MOST)
    )
    return list(dict.fromkeys(session.scalars(query)))
