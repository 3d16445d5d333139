"""作废: a round is voided whole, never in parts, with reason; its consequences fall with it; it may be run again (3.2).

What decides is done in one transaction: the round, its results, its consequences, the reviews that stood on them. The
cases of its units, which may be many, end in the background; until then none of them can be settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from webapp import clock, db
from webapp.audit import service as audit
from webapp.engine import store
from webapp.engine.bpmn.codec import encode
from webapp.engine.commands import Cancel
from webapp.engine.handler_api import Actor
from webapp.engine.tables import process_instance
from webapp.errors import Conflict, Invalid
from webapp.i18n import _
from webapp.ids import uuid7
from webapp.registers import criticism_falling, expulsions, history
from webapp.registers import evaluation_labels as words
from webapp.registers import evaluation_rounds as rounds
from webapp.registers import evaluation_units as units
from webapp.registers.evaluation_models import EvaluationConsequence, EvaluationResult, EvaluationRound
from webapp.registers.models import Expulsion, ExpulsionGround, RegisterChange
from webapp.registers.values import as_text

#: How many cases of units one transaction ends.
BATCH = 25


@dataclass(slots=True)
class Voided:
    """What fell: consequences; reviews that ended, that lost a ground, and that were decided already (names)."""

    consequences: int = 0
    ended: list[str] = field(default_factory=list)
    lessened: list[str] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)
    #: criticisms (4.2): ended | lessened | decided -> names
    criticisms: dict[str, list[str]] = field(default_factory=dict)


def may_void(round_: EvaluationRound) -> bool:
    """From the serving of its indicators on; before it, a round is simply given up."""
    return round_.frozen_at is not None and round_.voided_at is None


def void(session: Session, round_id: UUID, reason: str, actor: Actor, now: datetime) -> Voided:
    """Void a round whole. Errors: NotFound, Invalid (no reason), Conflict (voided already, indicators not served)."""
    round_, reason = rounds.locked(session, round_id), as_text(reason)
    if len(reason) < 10:
        words_ = _("请写明整体作废的理由，不少于 10 个字。")
        raise Invalid(words_, fields={"reason": words_})
    if round_.voided_at is not None:
        raise Conflict(_("本季度评价已于此前整体作废，无需再次作废。"))
    if not may_void(round_):
        raise Conflict(_("评价指标尚未下发，不需要作废；可以直接终止本次评价。"))
    before = history.snapshot(round_)
    round_.status, round_.voided_at, round_.voided_by, round_.void_reason = "voided", now, actor.id, reason
    history.record(session, round_, "voided", before=before, actor=actor, instance_id=round_.instance_id)
    _void_results(session, round_, actor, now)
    told = _("%(quarter)s绩效评价整体作废：%(why)s", quarter=words.quarter(round_.year, round_.quarter), why=reason)
    fallen = Voided()
    for entry in _consequences(session, round_):
        _fall(session, entry, told, actor, now, fallen)
    _end_case(session, round_.instance_id, told, actor)
    audit.record(
        session, "evaluation.void", actor, instance_id=round_.instance_id, subject=round_.number, reason=reason
    )
    args = {
        "topic": "round.end_cases",
        "arguments": encode({"round_id": str(round_.id)}),
        "key": str(uuid7()),
        "instance_id": str(round_.instance_id) if round_.instance_id else None,
    }
    store.defer(session, [store.Defer("qianyin.call", args, queue="external")])
    return fallen


def _void_results(session: Session, round_: EvaluationRound, actor: Actor, now: datetime) -> None:
    """Every result of the round, with its history, in two statements however many they are."""
    result = EvaluationResult
    found = session.execute(select(result.id, result.status, result.instance_id).where(result.round_id == round_.id))
    changes = [
        {
            "register": result.__tablename__,
            "entry_id": row.id,
            "at": now,
            "actor_id": actor.id,
            "instance_id": row.instance_id,
            "action": "voided",
            "before": {"status": row.status},
            "after": {"status": "voided"},
        }
        for row in found
    ]
    if changes:
        session.execute(insert(RegisterChange), changes)
        session.execute(update(result).where(result.round_id == round_.id).values(status="voided"))


def _consequences(session: Session, round_: EvaluationRound) -> list[EvaluationConsequence]:
    """What stands on this round: its own consequences, and second fails of other rounds that are second no more."""
    entry, result = EvaluationConsequence, EvaluationResult
    mine = select(entry).join(result, result.id == entry.result_id).where(entry.fell_at.is_(None))
    found = list(session.scalars(mine.where(result.round_id == round_.id)).unique())
    failed = select(result.lead_unit_id).where(result.round_id == round_.id, result.grade == "fail")
    for unit_id in session.scalars(failed).all():
        if units.fails(session, unit_id) < 2:
            others = mine.where(entry.lead_unit_id == unit_id, entry.clause == "4.4.3", result.round_id != round_.id)
            found += session.scalars(others).unique()
    return found


def _fall(
    session: Session, entry: EvaluationConsequence, told: str, actor: Actor, now: datetime, fallen: Voided
) -> None:
    """One consequence no longer holds; the review that it opened or joined loses this ground."""
    before = history.snapshot(entry)
    entry.fell_at, entry.fell_reason = now, told
    history.record(session, entry, "fallen", before=before, actor=actor, instance_id=entry.instance_id)
    fallen.consequences += 1
    if entry.kind == "expulsion_review":
        _lose_ground(session, entry, told, actor, now, fallen)
        return
    came = criticism_falling.lose_ground(session, entry, told, actor, now)
    if came:
        fallen.criticisms.setdefault(came, []).append(entry.result.lead_unit.name)
    if came == "ended":
        _end_case(session, entry.instance_id, told, actor)


def _lose_ground(
    session: Session, entry: EvaluationConsequence, told: str, actor: Actor, now: datetime, fallen: Voided
) -> None:
    name = entry.result.lead_unit.name
    review = expulsions.open_of(session, entry.lead_unit_id)
    if review is None:
        gone = Expulsion.lead_unit_id == entry.lead_unit_id, Expulsion.status == "expelled"
        if session.scalar(select(Expulsion.id).where(*gone)) is not None:
            fallen.decided.append(name)
        return
    review = expulsions.locked(session, review.id)
    ground = next((ground for ground in review.grounds if ground.clause == entry.clause), None)
    if ground is None:
        return
    before = history.snapshot(ground)
    if ground.source != "consequence" or _stands_otherwise(session, entry):
        ground.facts = f"{ground.facts}\n{told}"
        history.record(session, ground, "fallen", before=before, actor=actor, instance_id=review.instance_id)
        fallen.lessened.append(name)
        return
    _drop_ground(session, review, ground, told, actor)
    if review.grounds:
        fallen.lessened.append(name)
        return
    expulsions.close(session, review, "lapsed", told, actor=actor, now=now)
    _end_case(session, review.instance_id, told, actor)
    fallen.ended.append(name)


def _stands_otherwise(session: Session, entry: EvaluationConsequence) -> bool:
    """Whether another conclusion that still counts carries the same ground."""
    same = EvaluationConsequence.lead_unit_id == entry.lead_unit_id, EvaluationConsequence.clause == entry.clause
    others = EvaluationConsequence.fell_at.is_(None), EvaluationConsequence.id != entry.id
    return session.scalar(select(EvaluationConsequence.id).where(*same, *others).limit(1)) is not None


def _drop_ground(session: Session, review: Expulsion, ground: ExpulsionGround, told: str, actor: Actor) -> None:
    """The ground leaves the review; what it said, and why it left, stays in the review's history."""
    session.add(
        RegisterChange(
            register=Expulsion.__tablename__,
            entry_id=review.id,
            at=clock.now(),
            actor_id=actor.id,
            instance_id=review.instance_id,
            action="fallen",
            before={"clause": ground.clause, "facts": ground.facts},
            after={"clause": "", "facts": told},
        )
    )
    session.delete(ground)
    session.flush()
    session.expire(review, ["grounds"])


def _end_case(session: Session, instance_id: UUID | None, reason: str, actor: Actor) -> None:
    """End a case that still runs, with the reason in its history."""
    from webapp.engine import runtime

    active = process_instance.c.id == instance_id, process_instance.c.status == "active"
    if instance_id is not None and session.scalar(select(process_instance.c.id).where(*active)) is not None:
        runtime.engine().step(session, instance_id, Cancel(reason), actor)


def end_some(session: Session, round_id: UUID) -> int:
    """End the cases of some units of a voided round; gives how many. May be called again until nothing is left."""
    from webapp.engine import runtime

    round_ = rounds.get(session, round_id)
    if round_.voided_at is None:
        return 0
    p, result = process_instance.c, EvaluationResult
    running = select(p.id).join(result, result.instance_id == p.id)
    running = running.where(result.round_id == round_id, p.status == "active").order_by(p.id).limit(BATCH)
    cases: Sequence[UUID] = session.scalars(running).all()
    reason = _("%(number)s 整体作废：%(why)s", number=round_.number, why=round_.void_reason)
    for case in cases:
        runtime.engine().step(session, case, Cancel(reason), None)
    return len(cases)


def end_all(round_id: UUID) -> None:
    """End every case of a voided round, batch by batch."""
    while db.retrying(lambda session: end_some(session, round_id)):
        pass
