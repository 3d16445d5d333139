"""What a person had taken goes back to those whom it is offered to, once the account is off or has lost the role."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import not_, true, update
from sqlalchemy.orm import Session

from webapp.accounts.models import Account
from webapp.audit import service as audit
from webapp.engine.handler_api import Actor
from webapp.engine.tables import user_task

_c = user_task.c


def release(session: Session, actor: Actor | None, account: Account, roles: Iterable[str] = ()) -> int:
    """Free the open tasks of an account that none of its (remaining) roles reaches; how many.

    What is offered to nobody else stays with the person: only an operation can give it to another.
    """
    kept = sorted(roles)
    reached = _c.candidate_groups.overlap(kept) | _c.candidate_users.contains([account.id]) if kept else not_(true())
    freed = session.execute(
        update(user_task)
        .where(_c.status == "open", _c.assignee_id == account.id, not_(reached))
        .where((_c.candidate_groups != []) | (_c.candidate_users != []))
        .values(assignee_id=None, on_behalf_of=None, claimed_at=None)
        .returning(_c.id, _c.instance_id, _c.business_key)
    ).all()
    for task in freed:
        detail = {"of": account.username}
        audit.record(
            session,
            "task.release",
            actor,
            instance_id=task.instance_id,
            task_id=task.id,
            subject=task.business_key,
            detail=detail,
        )
    return len(freed)
