"""The figures that supervision (3.2) gives to scoring: of one unit in one quarter, in one statement."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from webapp.i18n import lazy
from webapp.registers.evaluation_models import EvaluationResult, EvaluationRound
from webapp.registers.supervision_models import (
    Questionnaire,
    QuestionnaireInvitation,
    SpotCheck,
    SupervisionRecord,
)

LABELS = {
    "questionnaire_answers": lazy("问卷回收份数"),
    "questionnaire_rate": lazy("问卷回收率（百分比）"),
    "questionnaire_satisfaction": lazy("问卷满意度（0 至 100）"),
    "interviews": lazy("电话访谈次数"),
    "visits": lazy("实地走访次数"),
    "spot_checked": lazy("抽查项目数"),
    "spot_problems": lazy("抽查有问题的项目数"),
}
_CENT = Decimal("0.01")


def figures(session: Session, unit_id: UUID, year: int, quarter: int) -> dict[str, Decimal]:
    """By name, of the round that stands; 0 where nothing was carried out. Each answer weighs the same."""
    result = (
        select(EvaluationResult.id)
        .join(EvaluationRound, EvaluationRound.id == EvaluationResult.round_id)
        .where(EvaluationResult.lead_unit_id == unit_id)
        .where(EvaluationRound.year == year, EvaluationRound.quarter == quarter, EvaluationRound.voided_at.is_(None))
        .scalar_subquery()
    )
    asked = (
        select(
            func.count().label("invited"),
            func.count(QuestionnaireInvitation.answered_at).label("answered"),
            func.coalesce(func.avg(QuestionnaireInvitation.score), 0).label("satisfaction"),
        )
        .join(Questionnaire, Questionnaire.id == QuestionnaireInvitation.questionnaire_id)
        .where(Questionnaire.result_id == result)
        .subquery()
    )
    held = (
        select(
            func.count().filter(SupervisionRecord.kind == "interview").label("interviews"),
            func.count().filter(SupervisionRecord.kind == "visit").label("visits"),
        )
        .where(SupervisionRecord.result_id == result)
        .subquery()
    )
    finding = func.jsonb_array_elements(SpotCheck.findings).table_valued("value")
    bad = finding.c.value.op("->>")("verdict") == "problem"
    spots = (
        select(func.count().label("checked"), func.count().filter(bad).label("problems"))
        .select_from(SpotCheck)
        .join(finding, true())
        .where(SpotCheck.result_id == result)
        .subquery()
    )
    every = asked.join(held, true()).join(spots, true())
    row = session.execute(select(asked, held, spots).select_from(every)).one()
    rate = Decimal(row.answered * 100) / row.invited if row.invited else Decimal()
    return {
        "questionnaire_answers": Decimal(row.answered),
        "questionnaire_rate": rate.quantize(_CENT, ROUND_HALF_UP),
        "questionnaire_satisfaction": Decimal(row.satisfaction).quantize(_CENT, ROUND_HALF_UP),
        "interviews": Decimal(row.interviews),
        "visits": Decimal(row.visits),
        "spot_checked": Decimal(row.checked),
        "spot_problems": Decimal(row.problems),
    }
