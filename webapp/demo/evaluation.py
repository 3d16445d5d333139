"""The demo's pilot enterprises, retrofit projects, commitments, and three past quarters of evaluation with results."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from sqlalchemy.orm import Session

from webapp import clock
from webapp.config import ROOT
from webapp.demo import make, supervision
from webapp.engine.decisions import parse_dmn
from webapp.registers import evaluation_scoring as scoring
from webapp.registers import history, numbers
from webapp.registers.evaluation_models import (
    Commitment,
    EvaluationResult,
    EvaluationRound,
    PilotEnterprise,
    RetrofitProject,
)
from webapp.registers.models import LeadUnit, RegisterChange

PILOTS = 216
_SUFFIXES = ("精密部件", "五金制品", "塑胶模具", "电子", "服饰")
_TITLES = ("设备联网与数据采集", "生产排程与质量追溯", "仓储与供应链协同", "能耗监测与安全管理")
#: key, label, unit, yearly target, cumulative
_TARGETS = (
    ("contracts", "签订改造合同", "份", 8, True),
    ("diagnoses", "完成咨询诊断", "家", 12, True),
    ("trainings", "开展人才培训和供需对接", "场", 4, True),
    ("satisfaction", "试点企业满意率", "%", 90, False),
)
#: By place in the list of lead units: it serves nobody yet; it failed once, in the last of the three quarters.
WITHOUT_BASE, FAILED_ONCE = 12, 9
#: Working days since the round under way was begun.
BEGUN = 12


def fill(session: Session, units: Sequence[LeadUnit], today: date) -> None:
    """Enter everything, and settle the three quarters before the one that is being evaluated."""
    serving = [unit for place, unit in enumerate(units) if place != WITHOUT_BASE]
    pilots = [_pilot(n, serving[n % len(serving)], today) for n in range(PILOTS)]
    _enter(session, pilots, "registered")
    _enter(session, [_project(n, pilot, today) for n, pilot in enumerate(pilots) if n % 13 != 5], "signed")
    last = under_way(today).before
    quarters = [last.before.before, last.before, last]
    for year in sorted({quarter.year for quarter in [*quarters, scoring.quarter_of(today)]}):
        if _signed_on(year) <= today:
            _enter(session, [_commitment(unit, year) for unit in units], "signed")
    for place, quarter in enumerate(quarters):
        _round(session, units, quarter, place == len(quarters) - 1)


def under_way(today: date) -> scoring.Quarter:
    """The quarter that is being evaluated: the last that had ended when its round was begun.

    Early in a quarter that is not yet the one just ended, whose reports nobody could have asked for days ago (3.3.1).

    >>> under_way(date(2026, 11, 25)), under_way(date(2027, 1, 4))
    (Quarter(year=2026, number=3), Quarter(year=2026, number=3))
    """
    return scoring.quarter_of(clock.add_working_days(today, -BEGUN)).before


def _enter(session: Session, entries: Sequence[Any], action: str) -> None:
    """Rows and the beginning of their histories, in bulk."""
    session.add_all(entries)
    session.flush()
    session.add_all(
        RegisterChange(
            register=entry.__tablename__,
            entry_id=entry.id,
            at=clock.now(),
            action=action,
            before=None,
            after=history.snapshot(entry),
        )
        for entry in entries
    )


def _pilot(n: int, unit: LeadUnit, today: date) -> PilotEnterprise:
    stem = make.stem(n)
    base = make.enterprise(n + 1000, today)
    return PilotEnterprise(
        credit_code=make.credit_code(300_000 + n * 41),
        name=f"广州{stem}{_SUFFIXES[n // make.STEMS % len(_SUFFIXES)]}有限公司",
        lead_unit_id=unit.id,
        programme="national" if n % 3 else "provincial",
        industry=unit.industry,
        district=base["address"][3:6],
        contact=base["legal_rep"],
        phone=f"020-8{n % 10}00{n % 9973:04d}",
        listed_on=today - timedelta(days=620 - n % 30),
    )


def _project(n: int, pilot: PilotEnterprise, today: date) -> RetrofitProject:
    random = Random(n * 7919)
    signed = today - timedelta(days=random.randint(420, 585) if n % 9 else random.randint(20, 120))
    done = signed + timedelta(days=random.randint(60, 150))
    over = done < today
    accepted = done + timedelta(days=random.randint(20, 60))
    status = "accepted" if over and accepted < today else "done" if over else "running"
    return RetrofitProject(
        number=f"GZ-{signed.year}-{n + 1:04d}",
        title=f"{pilot.name.removeprefix('广州').removesuffix('有限公司')}{_TITLES[n % len(_TITLES)]}",
        pilot_enterprise_id=pilot.id,
        lead_unit_id=pilot.lead_unit_id,
        programme=pilot.programme,
        contract_number=f"HT{signed:%Y%m}{n + 1:04d}",
        contract_amount=Decimal(random.randint(18, 160)) / 2,
        signed_on=signed,
        due_on=signed + timedelta(days=180),
        done_on=done if over else None,
        accepted_on=accepted if status == "accepted" else None,
        status=status,
        level_before=1 + (n % 5 == 0),
        level_after=(2 + (n % 4 == 0)) if over and n % 11 else 1 if over else None,
    )


def _signed_on(year: int) -> date:
    return clock.next_working_day(date(year, 1, 8))


def _commitment(unit: LeadUnit, year: int) -> Commitment:
    names = ("key", "label", "unit", "target", "cumulative")
    return Commitment(
        lead_unit_id=unit.id,
        year=year,
        signed_on=_signed_on(year),
        signed_by_unit=unit.legal_rep,
        signed_by_group="何国华",
        indicators=[dict(zip(names, row, strict=True)) for row in _TARGETS],
    )


def _round(session: Session, units: Sequence[LeadUnit], quarter: scoring.Quarter, fails: bool) -> None:
    """One quarter as its cases left it, closed some six weeks after its end."""
    opened = datetime.combine(clock.next_working_day(quarter.after.start), time(9), clock.BEIJING)
    closed = clock.deadline(opened, working_days=30) - timedelta(hours=8)
    indicators = scoring.frozen(scoring.standard_set())
    round_ = EvaluationRound(
        number=numbers.case_number(session, "PJ", opened.year),
        year=quarter.year,
        quarter=quarter.number,
        status="closed",
        indicators=indicators,
        checks=supervision.ALL,
        frozen_at=datetime.combine(clock.next_working_day(quarter.start), time(10), clock.BEIJING),
        opened_at=opened,
        report_due_at=clock.deadline(opened, working_days=10),
        total_units=len(units),
        opened_units=len(units),
        settled_units=len(units),
        closed_at=closed,
    )
    _enter(session, [round_], "closed")
    results = [_reported(round_, unit, quarter, n, fails) for n, unit in enumerate(units)]
    session.add_all(results)
    session.flush()
    supervision.past(session, results, quarter, units[FAILED_ONCE].id if fails else None)
    for n, result in enumerate(results):
        _settle(session, round_, result, quarter, n, fails)
    _enter(session, results, "settled")


def _reported(
    round_: EvaluationRound, unit: LeadUnit, quarter: scoring.Quarter, n: int, fails: bool
) -> EvaluationResult:
    """A unit that has reported and not been judged yet."""
    weak = fails and n == FAILED_ONCE
    random = Random(n * 101 + quarter.number)
    report = [
        {"key": key, "label": label, "unit": measure, "target": target, "cumulative": cumulative, "actual": actual}
        for key, label, measure, target, cumulative in _TARGETS
        for actual in [_actual(random, target, quarter.number if cumulative else 0, weak)]
    ]
    assert round_.opened_at is not None
    return EvaluationResult(
        round_id=round_.id,
        lead_unit_id=unit.id,
        lead_unit=unit,
        round=round_,
        status="checking",
        report_due_at=round_.report_due_at,
        reported_at=round_.opened_at + timedelta(days=3 + n % 6, hours=n % 7),
        report=report,
    )


def _settle(
    session: Session, round_: EvaluationRound, result: EvaluationResult, quarter: scoring.Quarter, n: int, fails: bool
) -> None:
    """Figures, opinions, scores, and the conclusion."""
    weak = fails and n == FAILED_ONCE
    random = Random(n * 103 + quarter.number)
    values = scoring.figures(session, result.lead_unit, quarter, result.report)
    if weak:  # its projects stood still for this quarter's judges
        values = {**values, "enterprises_done": values["pilots"] // 4, "level2": values["pilots"] // 5}
    judged = [i["key"] for i in round_.indicators if i["kind"] == "judged"]
    low, high = (48, 56) if weak else (78, 97)
    opinions = [
        {"name": name, "scores": {key: random.randint(low, high) for key in judged}, "words": ""}
        for name in ("沈书瑶", "傅云帆")
    ]
    rows, total = scoring.score(round_.indicators, values, opinions)
    assert round_.opened_at is not None
    assert round_.closed_at is not None
    result.figures = {name: str(value) for name, value in values.items()}
    result.expert_scores, result.scores, result.total, result.grade = opinions, rows, total, grade(total)
    result.scored_at, result.settled_at = round_.opened_at + timedelta(days=20), round_.closed_at
    lagging, usual = "针对进度滞后的项目逐项制定补救措施，按月报送。", "继续推进改造项目，做好验收准备。"
    result.arrangement = lagging if weak else usual
    result.status = "settled"


def _actual(random: Random, target: int, quarter: int, weak: bool) -> str:
    due = target * quarter / 4 if quarter else target
    return str(int(due * (0.4 if weak else random.uniform(0.85, 1.15))) + (0 if weak else 1))


def grade(total: Decimal | None) -> str:
    """The grade by the decision table that the cases use."""
    (decision,) = parse_dmn((ROOT / "processes/lead_unit_evaluation/evaluation_grade.dmn").read_bytes())
    found = decision.evaluate({"newly_admitted": False, "total": total}, now=clock.now())
    return str(found[0]["grade"])
