"""Who may see which instance: the one home of that rule, for pages, lists and REST.

Scope `all` (office, working group, manager …) sees every instance. Everyone else sees the cases of the own organisation
(roles of organisation scope), what they started, and the cases in which a task is or was theirs.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, or_, select, true

from webapp.accounts.roles import ROLES
from webapp.engine.handler_api import Actor
from webapp.engine.tables import process_instance, user_task


def sees_all(actor: Actor) -> bool:
    """Whether one of the actor's roles sees every instance."""
    return any(ROLES[role].scope == "all" for role in actor.roles if role in ROLES)


def visible_instances(actor: Actor) -> ColumnElement[bool]:
    """The WHERE clause on `process_instance` for what `actor` may see."""
    if sees_all(actor):
        return true()
    own = [process_instance.c.started_by == actor.id]
    if actor.organisation_id and any(ROLES[role].scope == "organisation" for role in actor.roles if role in ROLES):
        own.append(process_instance.c.org_id == actor.organisation_id)
    task = user_task.c
    mine = or_(
        task.completed_by == actor.id,
        task.assignee_id == actor.id,
        task.candidate_users.contains([actor.id]),
        and_(
            task.status == "open",
            task.candidate_groups.overlap(sorted(actor.roles)),
            or_(task.org_id.is_(None), task.org_id == actor.organisation_id),
        ),
    )
    own.append(exists(select(1).where(task.instance_id == process_instance.c.id, mine)))
    return or_(*own)
