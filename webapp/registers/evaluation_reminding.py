"""Reminding units of their report in bulk (3.3.1): by the office, beside the reminders that timers send."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.audit import service as audit
from webapp.engine.handler_api import Actor
from webapp.errors import Invalid
from webapp.i18n import _
from webapp.registers import evaluation_labels as words
from webapp.registers import evaluation_rounds as rounds
from webapp.registers import labels
from webapp.registers.evaluation_models import EvaluationResult
from webapp.registers.evaluation_units import change
from webapp.registers.models import LeadUnit


def remind(
    session: Session, round_id: UUID, ids: Sequence[UUID], actor: Actor, now: datetime
) -> tuple[int, list[tuple[str, str]]]:
    """Remind the units that have still to report; how many, and (name, why not) of the others.

    Each reminder stands in the result's history and in the case. Errors: Invalid (nobody), Conflict (voided).
    """
    if not ids:
        raise Invalid(_("请先选中要提醒的单位。"))
    rounds.standing(session, round_id)
    query = select(EvaluationResult).join(LeadUnit, LeadUnit.id == EvaluationResult.lead_unit_id)
    mine = EvaluationResult.round_id == round_id, EvaluationResult.id.in_(ids)
    done, left = 0, []
    for result in session.scalars(query.where(*mine).order_by(LeadUnit.name)).unique():
        if result.status != "reporting":
            stands = labels.word(words.RESULT, result.status)
            left.append((result.lead_unit.name, _("现为“%(stands)s”，不需要提醒报送。", stands=stands)))
            continue
        change(session, result, "reminded", actor=actor, reminded_at=now)
        name = result.lead_unit.name
        audit.record(session, "evaluation.remind", actor, instance_id=result.instance_id, subject=name)
        done += 1
    return done, left
