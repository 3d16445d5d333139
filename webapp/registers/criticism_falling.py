"""What becomes of a criticism when the evaluation that it rests on is voided (3.2, 4.2): its ground falls with it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.engine import store
from webapp.engine.bpmn.codec import encode
from webapp.engine.handler_api import Actor
from webapp.ids import uuid7
from webapp.notices.models import Notice
from webapp.registers import criticisms, history, rectifying
from webapp.registers.criticism_models import Criticism, CriticismGround
from webapp.registers.evaluation_models import EvaluationConsequence
from webapp.registers.models import RegisterChange


def lose_ground(session: Session, entry: EvaluationConsequence, told: str, actor: Actor, now: datetime) -> str:
    """The case loses the ground that this consequence gave it. Gives what came of it:

    ended (nothing is left; the caller ends its process) | lessened (other grounds or facts stand) | decided (the case
    was over already) | nothing ("").
    """
    query = select(Criticism).where(Criticism.instance_id == entry.instance_id)
    found = session.scalars(query).unique().one_or_none() if entry.instance_id else None
    if found is None:
        return ""
    case = criticisms.locked(session, found.id)
    if case.closed_at is not None:
        return "decided" if case.status in ("rectified", "cancelled") else ""
    ground = next((ground for ground in case.grounds if ground.clause == entry.clause), None)
    if ground is None:
        return ""
    before = history.snapshot(ground)
    if ground.source != "consequence" or _stands_otherwise(session, entry):
        ground.facts = f"{ground.facts}\n{told}"
        history.record(session, ground, "fallen", before=before, actor=actor, instance_id=case.instance_id)
        return "lessened"
    if case.notice_id is None:
        _drop(session, case, ground, told, actor, now)
    else:
        ground.fell_at, ground.facts = now, f"{ground.facts}\n{told}"
        history.record(session, ground, "fallen", before=before, actor=actor, instance_id=case.instance_id)
    if criticisms.established(case) if case.notice_id or case.status == "drafting" else case.grounds:
        return "lessened"
    if case.notice_id is not None:
        _take_back(session, case, told, actor, now)
    criticisms.close(session, case, "lapsed", told, actor=actor, now=now)
    return "ended"


def _stands_otherwise(session: Session, entry: EvaluationConsequence) -> bool:
    """Whether another conclusion that still counts carries the same ground of the same case."""
    one = EvaluationConsequence
    same = one.instance_id == entry.instance_id, one.clause == entry.clause, one.kind == entry.kind
    others = one.fell_at.is_(None), one.id != entry.id
    return session.scalar(select(one.id).where(*same, *others).limit(1)) is not None


def _drop(session: Session, case: Criticism, ground: CriticismGround, told: str, actor: Actor, now: datetime) -> None:
    """The ground leaves the case; what it said, and why it left, stays in the case's history."""
    session.add(
        RegisterChange(
            register=Criticism.__tablename__,
            entry_id=case.id,
            at=now,
            actor_id=actor.id,
            instance_id=case.instance_id,
            action="fallen",
            before={"clause": ground.clause, "facts": ground.facts},
            after={"clause": "", "facts": told},
        )
    )
    session.delete(ground)
    session.flush()
    session.expire(case, ["grounds"])


def _take_back(session: Session, case: Criticism, told: str, actor: Actor, now: datetime) -> Notice:
    """A criticism that was published rests on nothing: 撤销通报, published as it was; its documents follow by a job."""
    title = f"关于撤销对{case.lead_unit.name}通报批评的公告"
    notice = rectifying.publish(session, case, "criticism_withdrawal", title, told, actor, now)
    criticised = session.get_one(Notice, case.notice_id)
    criticised.status = "withdrawn"
    args = {
        "topic": "documents.notice",
        "arguments": encode({"notice_id": str(notice.id)}),
        "key": str(uuid7()),
        "instance_id": str(case.instance_id) if case.instance_id else None,
    }
    store.defer(session, [store.Defer("qianyin.call", args, queue="external")])
    return notice
