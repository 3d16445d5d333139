"""下一阶段工作安排 (3.2): recorded with the conclusion, served on the unit, checked in the unit's next round.

The indicator set (3.3.2) is served in the same way. Serving 送达 is the entry of the act in the unit's own pages; its
receipt 签收 is recorded with person and time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, NotFound
from webapp.i18n import _
from webapp.ids import uuid7
from webapp.registers import evaluation_labels as words
from webapp.registers import history
from webapp.registers.evaluation_models import EvaluationResult, EvaluationRound, EvaluationService
from webapp.registers.evaluation_rounds import STANDING
from webapp.registers.models import LeadUnit
from webapp.registers.values import as_text


def serve(session: Session, round_: EvaluationRound, unit_ids: Sequence[UUID], kind: str, now: datetime) -> None:
    """Enter that something was served on units. `kind`: indicators | arrangement."""
    rows = [
        {"id": uuid7(), "round_id": round_.id, "lead_unit_id": unit_id, "kind": kind, "served_at": now}
        for unit_id in unit_ids
    ]
    if rows:
        session.execute(insert(EvaluationService), rows)


def serve_indicators(session: Session, round_: EvaluationRound, now: datetime) -> None:
    """The frozen set is served on every listed unit, before the quarter begins where the round was begun in time."""
    listed = session.scalars(select(LeadUnit.id).where(LeadUnit.status == "listed")).all()
    serve(session, round_, listed, "indicators", now)


def served(session: Session, round_id: UUID, unit_id: UUID, kind: str) -> EvaluationService | None:
    """The entry of what was served on a unit in a round."""
    entry = EvaluationService
    mine = entry.round_id == round_id, entry.lead_unit_id == unit_id, entry.kind == kind
    return session.scalars(select(entry).where(*mine)).unique().one_or_none()


def receive(session: Session, round_id: UUID, kind: str, actor: Actor, now: datetime) -> EvaluationService:
    """签收 by a person of the unit. Errors: NotFound (nothing was served on this unit), Conflict (received before)."""
    unit_id = session.scalar(select(LeadUnit.id).where(LeadUnit.organisation_id == actor.organisation_id))
    entry = served(session, round_id, unit_id, kind) if unit_id else None
    if entry is None:
        raise NotFound(_("没有找到送达本单位的文书。"))
    if entry.received_at is not None:
        raise Conflict(_("本单位此前已经签收，无需再次签收。"))
    before = history.snapshot(entry)
    entry.received_at, entry.received_by = now, actor.id
    history.record(session, entry, "received", before=before, actor=actor)
    return entry


def before(session: Session, results: Sequence[EvaluationResult]) -> dict[UUID, str]:
    """The arrangement of each unit's round before (the last that counts), by the id of the present result."""
    if not results:
        return {}
    present = results[0].round
    earlier = EvaluationRound.year * 4 + EvaluationRound.quarter < present.year * 4 + present.quarter
    query = (
        select(EvaluationResult.lead_unit_id, EvaluationResult.arrangement)
        .join(EvaluationRound, EvaluationRound.id == EvaluationResult.round_id)
        .where(EvaluationResult.lead_unit_id.in_([result.lead_unit_id for result in results]))
        .where(STANDING, earlier, EvaluationResult.status == "settled", EvaluationResult.arrangement != "")
        .order_by(EvaluationRound.year, EvaluationRound.quarter)
    )
    held = {unit_id: arrangement for unit_id, arrangement in session.execute(query)}  # noqa: C416  (the last one stays)
    return {result.id: held[result.lead_unit_id] for result in results if result.lead_unit_id in held}


def context(session: Session, result: EvaluationResult) -> dict[str, str]:
    """What the forms of report and conclusion show of the arrangement before."""
    told = before(session, [result]).get(result.id, "")
    return {
        "arrangement_before": told,
        "carried_out_words": result.carried_out or (_("单位没有说明。") if told else ""),
    }


def check_account(session: Session, result: EvaluationResult, data: Mapping[str, Any]) -> dict[str, str]:
    """The unit says in its report how it carried out the arrangement before (3.2)."""
    if before(session, [result]) and not as_text(data.get("carried_out")):
        return {"carried_out": _("请说明上一阶段工作安排的落实情况（第 3.2 条）。")}
    return {}


def check_conclusion(session: Session, result: EvaluationResult, data: Mapping[str, Any]) -> dict[str, str]:
    """The working group says whether it was carried out, and why not where it was not (3.2)."""
    if not before(session, [result]):
        return {}
    found = as_text(data.get("arrangement_check"))
    if found not in words.CARRIED_OUT:
        return {"arrangement_check": _("请认定上一阶段工作安排是否落实（第 3.2 条）。")}
    if found != "done" and not as_text(data.get("arrangement_check_words")):
        return {"arrangement_check_words": _("没有全部落实的，请写明哪些没有落实。")}
    return {}
