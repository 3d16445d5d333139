"""Handing over what an expelled unit leaves unfinished (4.4, 2.2.12): one entry and one case per retrofit project.

The unit (or the office for it) names who takes a project over and when; the office confirms; then the project and its
pilot enterprise stand under the new lead unit in the registers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.engine.handler_api import Actor
from webapp.errors import NotFound
from webapp.i18n import _
from webapp.registers import history
from webapp.registers.evaluation_models import RetrofitProject
from webapp.registers.expulsion_models import ExpulsionHandover
from webapp.registers.models import Expulsion, LeadUnit
from webapp.registers.values import as_date, as_text, as_uuid

#: Statuses of a project under contract that is neither accepted nor failed.
UNFINISHED = ("signed", "running", "done")


def get(session: Session, handover_id: UUID) -> ExpulsionHandover:
    """Errors: NotFound."""
    found = session.get(ExpulsionHandover, handover_id)
    if found is None:
        raise NotFound(_("没有找到该移交事项。"))
    return found


def locked(session: Session, handover_id: UUID) -> ExpulsionHandover:
    """As it stands now; the handovers of one decision are confirmed one after the other. Errors: NotFound."""
    entry = get(session, handover_id)
    session.execute(select(Expulsion.id).where(Expulsion.id == entry.expulsion_id).with_for_update(key_share=True))
    session.refresh(entry)
    return entry


def of_review(session: Session, expulsion_id: UUID) -> list[ExpulsionHandover]:
    """The handovers that a decision brought about, in their order."""
    query = select(ExpulsionHandover).where(ExpulsionHandover.expulsion_id == expulsion_id)
    return list(session.scalars(query.order_by(ExpulsionHandover.seq)).unique())


def unfinished(session: Session, unit: LeadUnit) -> list[RetrofitProject]:
    """A unit's projects that somebody else must finish, the earliest due first."""
    project = RetrofitProject
    query = select(project).where(project.lead_unit_id == unit.id, project.status.in_(UNFINISHED))
    return list(session.scalars(query.order_by(project.due_on, project.number)).unique())


def enter(session: Session, review: Expulsion, actor: Actor | None) -> list[ExpulsionHandover]:
    """One entry for each unfinished project of the unit, as of the decision."""
    made = []
    for seq, project in enumerate(unfinished(session, review.lead_unit), 1):
        entry = ExpulsionHandover(expulsion_id=review.id, project_id=project.id, seq=seq)
        session.add(entry)
        history.record(session, entry, "opened", actor=actor, instance_id=review.instance_id)
        made.append(entry)
    return made


def takers(session: Session, unit: LeadUnit) -> list[LeadUnit]:
    """The listed units that may take a project over from this one."""
    query = select(LeadUnit).where(LeadUnit.status == "listed", LeadUnit.id != unit.id)
    return list(session.scalars(query.order_by(LeadUnit.name)).unique())


def check(session: Session, entry: ExpulsionHandover, data: Mapping[str, Any], today: date) -> dict[str, str]:
    """What is wrong with a handover, by field: a listed taker, a day between the decision and today."""
    wrong = {}
    taker = as_uuid(data.get("taker"))
    if taker is None or taker not in {unit.id for unit in takers(session, entry.expulsion.lead_unit)}:
        wrong["taker"] = _("请选择接手的在册牵引单位。")
    day, decided = as_date(data.get("handed_over_on")), entry.expulsion.decided_on
    if day is None or day > today:
        wrong["handed_over_on"] = _("移交日期晚于今日或者没有填写，请核对。")
    elif decided and day < decided:
        wrong["handed_over_on"] = _("移交日期早于清退决定（%(day)s），请核对。", day=decided.isoformat())
    return wrong


def hand_over(session: Session, entry: ExpulsionHandover, given: Mapping[str, Any], actor: Actor | None) -> None:
    """Enter who takes the project over and when; the office has still to confirm."""
    before = history.snapshot(entry)
    entry.taker_id, entry.handed_over_on = as_uuid(given.get("taker")), as_date(given.get("handed_over_on"))
    entry.note = as_text(given.get("handover_note"))
    entry.files = [str(key) for key in given.get("handover_files") or ()]
    entry.status, entry.return_words = "handed", ""
    session.flush()
    session.expire(entry, ["taker"])
    history.record(session, entry, "handed_over", before=before, actor=actor, instance_id=entry.instance_id)


def send_back(session: Session, entry: ExpulsionHandover, words: str, actor: Actor | None) -> None:
    """The office does not confirm it as entered."""
    before = history.snapshot(entry)
    entry.status, entry.return_words = "open", words
    history.record(session, entry, "returned", before=before, actor=actor, instance_id=entry.instance_id)


def confirm(session: Session, entry: ExpulsionHandover, *, actor: Actor | None, now: datetime) -> bool:
    """The project stands under its new lead unit from here on. Gives whether it was the last one of the decision."""
    review = entry.expulsion
    before = history.snapshot(entry)
    entry.status, entry.confirmed_at, entry.confirmed_by = "confirmed", now, actor.id if actor else None
    history.record(session, entry, "confirmed", before=before, actor=actor, instance_id=entry.instance_id)
    for moved in (entry.project, entry.project.pilot_enterprise):
        if moved.lead_unit_id == review.lead_unit_id and entry.taker_id is not None:
            was = history.snapshot(moved)
            moved.lead_unit_id = entry.taker_id
            history.record(session, moved, "handed_over", before=was, actor=actor, instance_id=entry.instance_id)
    session.flush()
    waiting = ExpulsionHandover.status.in_(("open", "handed"))
    left = select(func.count()).select_from(ExpulsionHandover).where(ExpulsionHandover.expulsion_id == review.id)
    last = not session.scalar(left.where(waiting))
    if last:
        review.handover = {"at": now.isoformat()}
    return last


def give_up(session: Session, review: Expulsion, actor: Actor | None) -> list[ExpulsionHandover]:
    """The decision was reversed: what was not handed over stays with the unit. Gives those that were under way."""
    found = [entry for entry in of_review(session, review.id) if entry.status in ("open", "handed")]
    for entry in found:
        before = history.snapshot(entry)
        entry.status = "cancelled"
        history.record(session, entry, "annulled", before=before, actor=actor, instance_id=entry.instance_id)
    return found
