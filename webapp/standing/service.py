"""代理: naming a stand-in, taking a task in another's name, and its end.

A stand-in takes the other's task into his own hands; the task keeps for whom (`user_task.on_behalf_of`). The record
says both, four eyes 二人复核 count both. When it ends, what is not done goes back. What one holds as a stand-in cannot
be passed on, and a stand-in's stand-in does not see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts import roles
from webapp.accounts.models import Account
from webapp.accounts.service import actor_of
from webapp.audit import service as audit
from webapp.engine.handler_api import Actor
from webapp.engine.tables import user_task
from webapp.errors import Conflict, Forbidden, Invalid, NotFound
from webapp.i18n import _
from webapp.inbox.four_eyes import prepared_by_oneself
from webapp.inbox.task_form import element_of
from webapp.inbox.visibility import to_do
from webapp.standing.models import StandIn

#: Longest time for which a stand-in is named, in days.
LONGEST = 366
#: So many tasks of another are shown.
MOST = 100
_t = user_task.c
#: Who may name a stand-in for others.
ADMINISTRATORS = frozenset({"sysadmin", "secadmin"})


def appoint(
    session: Session, actor: Actor, principal_id: UUID, stand_in_id: UUID, first: date, last: date, reason: str
) -> StandIn:
    """Name a stand-in for oneself or, as an administrator, for another. Errors: Forbidden, Invalid with fields."""
    if principal_id != actor.id and ADMINISTRATORS.isdisjoint(actor.roles):
        raise Forbidden(_("只能为自己指定代理人。"))
    principal, other = session.get(Account, principal_id), session.get(Account, stand_in_id)
    problems = {}
    if principal is None:
        problems["principal"] = _("请选择本人。")
    if other is None or not other.active or stand_in_id == principal_id:
        problems["stand_in"] = _("请选择代理人。")
    elif principal is not None and (why := unfit(principal, other)):
        problems["stand_in"] = why
    if last < first or last < clock.today():
        problems["last"] = _("结束日期不能早于开始日期和今天。")
    elif last - first > timedelta(days=LONGEST):
        problems["last"] = _("代理最长 %(n)s 天。", n=LONGEST)
    if not reason.strip():
        problems["reason"] = _("请写明代理的原因。")
    if not problems and _overlaps(session, principal_id, first, last):
        problems["first"] = _("这些日期已经指定了代理人，请先结束原来的代理。")
    if problems:
        raise Invalid(_("代理没有保存，请改正以下内容。"), fields=problems)
    made = StandIn(
        account_id=principal_id, stand_in_id=stand_in_id, first_day=first, last_day=last,
        reason=reason.strip()[:200], created_at=clock.now(), created_by=actor.id,
    )  # fmt: skip
    session.add(made)
    session.flush()
    assert principal is not None
    assert other is not None
    detail = {"stand_in": other.username, "first": first.isoformat(), "last": last.isoformat()}
    audit.record(session, "standin.appoint", actor, subject=principal.username, reason=made.reason, detail=detail)
    return made


def unfit(principal: Account, other: Account) -> str:
    """Why the one may not act for the other, '' when he may: roles that exclude each other, another organisation."""
    if principal.roles & roles.ORG_SCOPED and other.organisation_id != principal.organisation_id:
        return _("代理人要与本人同属一个单位。")
    try:
        roles.check_together(principal.roles | other.roles)
    except Invalid as refused:
        return refused.message
    return ""


def _overlaps(session: Session, account_id: UUID, first: date, last: date) -> bool:
    session.execute(select(Account.id).where(Account.id == account_id).with_for_update())  # two at once
    same = (StandIn.account_id == account_id, StandIn.ended_at.is_(None))
    return bool(session.scalar(select(StandIn.id).where(*same, StandIn.first_day <= last, StandIn.last_day >= first)))


def _now() -> Any:
    today = clock.today()
    return and_(StandIn.ended_at.is_(None), StandIn.first_day <= today, StandIn.last_day >= today)


def principals(session: Session, stand_in_id: UUID) -> Sequence[Account]:
    """For whom this person stands in today."""
    mine = select(StandIn.account_id).where(StandIn.stand_in_id == stand_in_id, _now())
    return session.scalars(select(Account).where(Account.id.in_(mine)).order_by(Account.name)).all()


def mine(session: Session, account_id: UUID) -> Sequence[StandIn]:
    """The stand-ins of a person and whom the person stood in for, newest first."""
    own = or_(StandIn.account_id == account_id, StandIn.stand_in_id == account_id)
    return session.scalars(select(StandIn).where(own).order_by(StandIn.created_at.desc()).limit(50)).all()


def tasks_of(session: Session, principal: Account) -> Sequence[Any]:
    """What waits for a person, due soonest first, without what the person holds for others."""
    query = select(user_task).where(to_do(actor_of(principal)), _t.on_behalf_of.is_(None))
    return session.execute(query.order_by(_t.due_at.asc().nulls_last(), _t.id).limit(MOST)).all()


def take(session: Session, actor: Actor, principal_id: UUID, task_id: UUID) -> None:
    """Take a task of another into one's own hands. Errors: Forbidden (no stand-in, unfit, four eyes), Conflict."""
    principal = next((one for one in principals(session, actor.id) if one.id == principal_id), None)
    own = session.get(Account, actor.id)
    if principal is None or own is None:
        raise Forbidden(_("您现在不是此人的代理人。"))
    if why := unfit(principal, own):
        raise Forbidden(why)
    seen = (_t.id == task_id, to_do(actor_of(principal)), _t.on_behalf_of.is_(None))
    row = session.execute(select(user_task).where(*seen).with_for_update()).one_or_none()
    if row is None:
        raise Conflict(_("这件事项已不在此人的待办中。"))
    element = element_of(session, row)
    for who in (actor, actor_of(principal)):
        if sentence := prepared_by_oneself(session, who, row, element):
            raise Forbidden(sentence)
    values = {"assignee_id": actor.id, "claimed_at": clock.now(), "on_behalf_of": principal.id}
    session.execute(update(user_task).where(_t.id == task_id).values(**values))
    detail = {"on_behalf_of": str(principal.id), "name": principal.name}
    audit.record(
        session, "task.stand_in", actor, instance_id=row.instance_id, task_id=task_id, subject=row.business_key,
        detail=detail,
    )  # fmt: skip


def end(session: Session, actor: Actor, id: UUID) -> None:
    """End it at once, by either of the two or an administrator; what is not done goes back. Errors: NotFound."""
    found = session.get(StandIn, id, with_for_update=True)
    allowed = found and (actor.id in {found.account_id, found.stand_in_id} or ADMINISTRATORS & actor.roles)
    if found is None or not allowed:
        raise NotFound(_("没有找到，可能已经删去。"))
    if found.ended_at is not None:
        return
    found.ended_at = clock.now()
    session.flush()
    audit.record(session, "standin.end", actor, subject=found.reason)
    expire(session)


def expire(session: Session) -> int:
    """Give back what stand-ins hold and have not done although their time is over; how many."""
    standing = exists().where(StandIn.account_id == _t.on_behalf_of, StandIn.stand_in_id == _t.assignee_id, _now())
    over = (_t.status == "open", _t.on_behalf_of.is_not(None), ~standing)
    back = {"assignee_id": _t.on_behalf_of, "on_behalf_of": None}
    rows = session.execute(update(user_task).where(*over).values(**back).returning(*_t)).all()
    for row in rows:
        audit.record(
            session, "task.stand_in_end", None, instance_id=row.instance_id, task_id=row.id, subject=row.business_key
        )
    return len(rows)
