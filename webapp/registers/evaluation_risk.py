"""The present quarter at a glance (3.2): grades, what is behind, and the units that another fail puts in question.

A unit is at risk when it failed or did not take part this quarter, is late with its report, or has a settled fail: a
second one in total opens the expulsion review (4.4.3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, case, cast, func, select
from sqlalchemy.orm import Session

from webapp.engine.tables import user_task
from webapp.registers.evaluation_models import EvaluationResult, EvaluationRound
from webapp.registers.evaluation_rounds import STANDING
from webapp.registers.models import LeadUnit

_r = EvaluationResult
#: Grades of a unit that was judged or did not take part.
GRADES = ("excellent", "good", "pass", "fail", "none", "absent")
#: Quarters told beside each unit.
LOOK_BACK = 4


@dataclass(frozen=True, slots=True)
class Risk:
    """One unit: `reasons` are of failed | absent | late | fails."""

    lead_unit_id: UUID
    name: str
    result_id: UUID
    status: str
    grade: str | None
    total: Decimal | None
    fails: int
    reasons: tuple[str, ...]
    totals: tuple[Decimal | None, ...]  # of the last quarters, oldest first


@dataclass(frozen=True, slots=True)
class Glance:
    """The newest standing round and its counts."""

    round: EvaluationRound
    grades: Mapping[str, int]
    settled: int
    late: int
    overdue: int  # units with a task of their case past its date
    risks: Sequence[Risk]


def glance(session: Session, now: datetime) -> Glance | None:
    """The newest round that is not voided; None while there was none."""
    newest = (
        select(EvaluationRound).where(STANDING).order_by(EvaluationRound.year.desc(), EvaluationRound.quarter.desc())
    )
    round_ = session.scalars(newest.limit(1)).first()
    if round_ is None:
        return None
    mine = _r.round_id == round_.id
    grades = dict.fromkeys(GRADES, 0)
    grades.update(
        {str(g): n for g, n in session.execute(select(_r.grade, func.count()).where(mine).group_by(_r.grade)) if g}
    )
    late_tasks = select(user_task.c.instance_id).where(user_task.c.status == "open", user_task.c.due_at < now)
    columns = (
        func.count().filter(_r.status == "settled"),
        func.count().filter(_r.late),
        func.count().filter(_r.instance_id.in_(late_tasks)),
    )
    settled, late, overdue = session.execute(select(*columns).where(mine)).one()
    return Glance(round_, grades, settled, late, overdue, _risks(session, round_))


def _risks(session: Session, round_: EvaluationRound) -> list[Risk]:
    failed = func.count().filter(_r.grade == "fail", _r.status == "settled")
    history = (
        select(_r.lead_unit_id, failed.label("fails"))
        .join(EvaluationRound, EvaluationRound.id == _r.round_id)
        .where(STANDING)
        .group_by(_r.lead_unit_id)
        .subquery()
    )
    fails = func.coalesce(history.c.fails, 0)
    weight = (
        cast(case((_r.grade == "absent", 4), (_r.grade == "fail", 3), else_=0), Integer)
        + fails * 2
        + cast(case((_r.late, 1), else_=0), Integer)
    )
    statement = (
        select(_r.id, _r.lead_unit_id, LeadUnit.name, _r.status, _r.grade, _r.total, _r.late, fails.label("fails"))
        .join(LeadUnit, LeadUnit.id == _r.lead_unit_id)
        .outerjoin(history, history.c.lead_unit_id == _r.lead_unit_id)
        .where(_r.round_id == round_.id, weight > 0)
        .order_by(weight.desc(), LeadUnit.name)
    )
    found = session.execute(statement).all()
    totals = _totals(session, [row.lead_unit_id for row in found])
    return [
        Risk(
            row.lead_unit_id,
            row.name,
            row.id,
            row.status,
            row.grade,
            row.total,
            row.fails,
            _reasons(row),
            tuple(totals.get(row.lead_unit_id, [])[-LOOK_BACK:]),
        )
        for row in found
    ]


def _reasons(row: Any) -> tuple[str, ...]:
    told = {"failed": row.grade == "fail", "absent": row.grade == "absent", "late": row.late, "fails": row.fails > 0}
    return tuple(name for name, true in told.items() if true)


def _totals(session: Session, units: Sequence[UUID]) -> dict[UUID, list[Decimal | None]]:
    statement = (
        select(_r.lead_unit_id, _r.total)
        .join(EvaluationRound, EvaluationRound.id == _r.round_id)
        .where(STANDING, _r.lead_unit_id.in_(units))
        .order_by(EvaluationRound.year, EvaluationRound.quarter)
    )
    found: dict[UUID, list[Decimal | None]] = {}
    for unit, total in session.execute(statement):
        found.setdefault(unit, []).append(total)
    return found
