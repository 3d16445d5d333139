"""Who may see which task: the one home of that rule, for inbox, pages and REST.

A task is seen by whom it is assigned to, by its candidate persons, by who completed it, and by holders of a candidate
role. Roles of organisation scope see only what belongs to their organisation; roles of assigned scope (experts) only
what is assigned to them.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, Text, and_, false, literal_column, or_, select
from sqlalchemy.orm import Session

from webapp.accounts.models import Account, AccountRole
from webapp.accounts.roles import ROLES
from webapp.engine.handler_api import Actor
from webapp.engine.tables import user_task

_c = user_task.c
_NOBODY: ColumnElement[Any] = literal_column("'{}'::uuid[]")
#: Written out, not bound: partial indexes are chosen by it.
OPEN: ColumnElement[bool] = literal_column("user_task.status = 'open'", Boolean)

#: Written out as the predicates of the indexes are.
SINGLE: ColumnElement[bool] = literal_column("cardinality(user_task.candidate_groups) = 1", Boolean)
SEVERAL: ColumnElement[bool] = literal_column("cardinality(user_task.candidate_groups) > 1", Boolean)
_first_role: ColumnElement[str] = literal_column("(user_task.candidate_groups)[1]", Text)


def _roles(actor: Actor) -> tuple[list[str], list[str]]:
    """The actor's roles that work for everybody's cases, and those that work for the own organisation's."""
    known = sorted(role for role in actor.roles if role in ROLES)
    everywhere = [role for role in known if ROLES[role].scope not in {"organisation", "assigned"}]
    return everywhere, [role for role in known if ROLES[role].scope == "organisation"]


def offered(actor: Actor) -> list[ColumnElement[bool]]:
    """Why a task is offered to the actor, one condition per reason; each has an index of its own."""
    everywhere, own = _roles(actor)
    # The literal comparison lets the planner use the partial index, which holds no task without candidate persons.
    named = and_(_c.candidate_users != _NOBODY, _c.candidate_users.contains([actor.id]))
    reasons: list[ColumnElement[bool]] = [named]
    if everywhere:
        reasons.append(_c.candidate_groups.overlap(everywhere))
    if own and actor.organisation_id:
        # The case's organisation counts: also for a task that several kinds of roles may do, which has no org_id.
        reasons.append(and_(_c.candidate_groups.overlap(own), _c.case_org_id == actor.organisation_id))
    return reasons


def offered_parts(actor: Actor) -> list[ColumnElement[bool]]:
    """`offered`, cut into parts that are each one range of an index, however many tasks wait for other roles.

    Nearly every task names one role: for such tasks each of the actor's roles is a part, the others are one part.
    """
    everywhere, _own = _roles(actor)
    if not everywhere:
        return offered(actor)
    named, together, *own = offered(actor)
    single = [and_(SINGLE, _first_role == role) for role in everywhere]
    return [named, *single, and_(SEVERAL, together), *own]


def visible_tasks(actor: Actor) -> ColumnElement[bool]:
    """The WHERE clause on `user_task` for what the actor may see, open or not."""
    return or_(_c.assignee_id == actor.id, _c.completed_by == actor.id, *offered(actor))


def to_do(actor: Actor) -> ColumnElement[bool]:
    """What stands in the actor's inbox: open, and assigned to the actor or offered and not taken by another."""
    waiting = or_(false(), *offered(actor))
    return and_(OPEN, or_(_c.assignee_id == actor.id, and_(_c.assignee_id.is_(None), waiting)))


def may_see(session: Session, task_id: UUID, actor: Actor) -> bool:
    """Whether the actor may see this task: asked before it is given to somebody."""
    return session.scalar(select(_c.id).where(_c.id == task_id, visible_tasks(actor))) is not None


def people(session: Session, roles: list[str], *, limit: int = 200) -> list[Account]:
    """Active accounts that hold one of these roles, by name: whom a task may be given to (then asked by `may_see`)."""
    held = Account.id.in_(select(AccountRole.account_id).where(AccountRole.role.in_(roles)))
    return list(session.scalars(select(Account).where(Account.active, held).order_by(Account.name).limit(limit)))
