"""How a quarter is scored (3.2): register figures, the indicator set with its checks, scores, redistribution, total.

Pure functions but for `figures`. Scores run from 0 to 100; a total is Σ score × weight ÷ Σ weight of what applies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from webapp.engine.errors import FeelError
from webapp.engine.feel import compile_expression
from webapp.i18n import _, lazy
from webapp.registers import supervision_figures
from webapp.registers.evaluation_labels import DIMENSION
from webapp.registers.evaluation_models import Commitment, PilotEnterprise, RetrofitProject
from webapp.registers.models import ConsortiumEnterprise, LeadUnit
from webapp.registers.values import as_decimal, as_text

#: The register figures that a formula may name, as they stand at the end of the quarter.
FIGURES = {
    "pilots": lazy("服务的试点企业数"),
    "contracts": lazy("已签改造合同数"),
    "contract_amount": lazy("合同金额（万元）"),
    "enterprises_done": lazy("完成改造的试点企业数"),
    "projects_accepted": lazy("已验收项目数"),
    "projects_failed": lazy("验收未通过项目数"),
    "projects_late": lazy("逾期未完成项目数"),
    "level2": lazy("达到二级及以上的试点企业数"),
    "partners": lazy("联合体企业数"),
    "commitment_targets": lazy("任务书指标数"),
    "commitment_rate": lazy("任务书按进度完成率（百分比）"),
    **supervision_figures.LABELS,
}
#: The five dimensions that 3.2 names: each must weigh above zero.
FIVE = ("retrofitted", "effect", "satisfaction", "service", "commitment")
_NOON = datetime(2026, 1, 1, 4, tzinfo=UTC)
_CENT = Decimal("0.01")


def rounded(value: Decimal) -> Decimal:
    """To two places, half up, as people do."""
    return value.quantize(_CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Quarter:
    """A calendar quarter."""

    year: int
    number: int

    @property
    def start(self) -> date:
        return date(self.year, self.number * 3 - 2, 1)

    @property
    def end(self) -> date:
        """Its last day."""
        return self.after.start - timedelta(days=1)

    @property
    def after(self) -> Quarter:
        return Quarter(self.year + self.number // 4, self.number % 4 + 1)

    @property
    def before(self) -> Quarter:
        return Quarter(self.year - (self.number == 1), (self.number - 2) % 4 + 1)


def quarter_of(day: date) -> Quarter:
    """
    >>> quarter_of(date(2026, 9, 30))
    Quarter(year=2026, number=3)
    """
    return Quarter(day.year, (day.month + 2) // 3)


def standard_set() -> list[dict[str, Any]]:
    """The set that a round begins with; the weights are house rules (25, 25, 20, 15, 15)."""

    def computed(key: str, label: str, weight: int, formula: str, base: str) -> dict[str, Any]:
        return {
            "dimension": key,
            "label": label,
            "weight": weight,
            "kind": "computed",
            "formula": formula,
            "base": base,
        }

    def judged(key: str, label: str, weight: int, criteria: str, base: str) -> dict[str, Any]:
        return {
            "dimension": key,
            "label": label,
            "weight": weight,
            "kind": "judged",
            "criteria": criteria,
            "base": base,
        }

    return [
        computed("retrofitted", "完成改造的试点企业占比", 25, "min(100, enterprises_done / pilots * 100)", "pilots"),
        computed("effect", "改造后达到二级及以上的企业占比", 25, "min(100, level2 / pilots * 100)", "pilots"),
        computed("satisfaction", "问卷满意度", 10, "questionnaire_satisfaction", "questionnaire_answers"),
        judged("satisfaction", "访谈和走访反映的满意度", 10, "依据访谈、走访记录，100 分为非常满意。", "pilots"),
        judged("service", "服务团队与解决方案", 15, "团队配置、诊断质量、“小快轻准”产品与响应速度。", ""),
        computed("commitment", "任务书按进度完成率", 15, "min(100, commitment_rate)", "commitment_targets"),
    ]


# ---- the indicator set -------------------------------------------------------------------------------------------


def check_set(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What is wrong with an indicator set, by field: weights (3.2), formulas, bases."""
    found: dict[str, str] = {}
    weights = [as_decimal(row.get("weight")) or Decimal() for row in rows]
    if sum(weights) != 100:
        found["indicators"] = _("各指标权重之和须为 100，现为 %(sum)s。", sum=f"{sum(weights):f}")
    held = {row.get("dimension") for row, weight in zip(rows, weights, strict=True) if weight > 0}
    if missing := [str(DIMENSION[key][0]) for key in FIVE if key not in held]:
        words = _("第 3.2 条的五个方面都须有权重大于零的指标，缺少：%(names)s。", names="、".join(missing))
        found["indicators"] = " ".join(filter(None, [found.get("indicators"), words]))
    for at, row in enumerate(rows):
        if (wrong := _check_row(row)) is not None:
            found[f"indicators[{at}].{wrong[0]}"] = wrong[1]
    return found


def _check_row(row: Mapping[str, Any]) -> tuple[str, str] | None:
    if (as_decimal(row.get("weight")) or 0) <= 0:
        return "weight", _("权重须大于零。")
    if row.get("kind") == "judged":
        return None if as_text(row.get("criteria")) else ("criteria", _("请写明专家评分的标准。"))
    formula, base = as_text(row.get("formula")), as_text(row.get("base"))
    if not formula:
        return "formula", _("请填写计算公式。")
    if words := check_formula(formula, base):
        return "formula", words
    return None


def check_formula(formula: str, base: str) -> str:
    """Why a formula cannot be used, or nothing: its syntax, its names, a division by zero."""
    try:
        expression = compile_expression(formula)
    except FeelError as error:
        return _("公式有误：%(why)s", why=str(error))
    if unknown := sorted(expression.names - set(FIGURES)):
        return _("公式中没有这些台账数字：%(names)s。", names="、".join(unknown))
    ones = dict.fromkeys(FIGURES, Decimal(7))
    if _number(formula, ones) is None:
        return _("公式除以零，或得不出数值。")
    for name in sorted(expression.names - {base}):
        if _number(formula, {**ones, name: Decimal()}) is None:
            return _("“%(name)s”为 0 时公式除以零：请将它选为基数，或改写公式。", name=str(FIGURES[name]))
    return ""


def formula_words(formula: str) -> str:
    """A formula as people read it: the figures' names, × and ÷; what they do not need to know of FEEL left out."""
    capped = re.fullmatch(r"min\(100, ([^(),]+)\)", formula)
    told = re.sub(r"[A-Za-z_]\w*", lambda m: str(FIGURES.get(m[0], m[0])), capped[1] if capped else formula)
    told = told.replace("*", "×").replace("/", "÷")
    return _("%(formula)s，最高 100", formula=told) if capped else told


def _number(formula: str, values: Mapping[str, Any]) -> Decimal | None:
    try:
        value = compile_expression(formula).evaluate(values, now=_NOON)
    except FeelError:
        return None
    return value if isinstance(value, Decimal) else None


def frozen(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The set as the round keeps it: numbered keys, plain values."""
    names = ("dimension", "label", "kind", "formula", "criteria", "base")
    return [
        {"key": f"i{at}", "weight": str(as_decimal(row["weight"])), **{name: as_text(row.get(name)) for name in names}}
        for at, row in enumerate(rows, 1)
    ]


# ---- figures -----------------------------------------------------------------------------------------------------


def commitment_of(session: Session, unit_id: UUID, quarter: Quarter) -> Commitment | None:
    """The version of the annual commitment that holds in a quarter (3.1): the newest that has taken effect."""
    mine = Commitment.lead_unit_id == unit_id, Commitment.year == quarter.year
    query = select(Commitment).where(*mine, Commitment.effective_quarter <= quarter.number)
    return session.scalars(query.order_by(Commitment.version.desc()).limit(1)).first()


def figures(
    session: Session, unit: LeadUnit, quarter: Quarter, report: Sequence[Mapping[str, Any]]
) -> dict[str, Decimal]:
    """The register figures of a unit at the end of a quarter; a fixed number of statements."""
    end, project = quarter.end, RetrofitProject
    pilot = PilotEnterprise
    serves = pilot.lead_unit_id == unit.id, pilot.listed_on <= end, (pilot.until.is_(None)) | (pilot.until > end)
    pilots = session.scalar(select(func.count()).where(*serves)) or 0
    member = ConsortiumEnterprise
    inside = member.lead_unit_id == unit.id, member.since <= end, (member.until.is_(None)) | (member.until > end)
    partners = session.scalar(select(func.count()).where(*inside)) or 0
    done = project.done_on <= end
    row = session.execute(
        select(
            func.count().label("contracts"),
            func.coalesce(func.sum(project.contract_amount), 0).label("contract_amount"),
            func.count(func.distinct(case((done, project.pilot_enterprise_id)))).label("enterprises_done"),
            func.count().filter(project.accepted_on <= end).label("projects_accepted"),
            func.count().filter(project.status == "failed").label("projects_failed"),
            func.count()
            .filter(project.due_on <= end, (project.done_on.is_(None)) | (project.done_on > end))
            .label("late"),
            func.count(func.distinct(case((done & (project.level_after >= 2), project.pilot_enterprise_id)))).label(
                "level2"
            ),
        ).where(project.lead_unit_id == unit.id, project.signed_on <= end)
    ).one()
    found = {name: Decimal(value) for name, value in row._mapping.items() if name != "late"}
    targets = commitment_of(session, unit.id, quarter)
    found |= {"pilots": Decimal(pilots), "partners": Decimal(partners), "projects_late": Decimal(row.late)}
    found["commitment_targets"] = Decimal(len(targets.indicators) if targets else 0)
    found["commitment_rate"] = commitment_rate(targets, report, share(unit, quarter))
    return found | supervision_figures.figures(session, unit.id, quarter.year, quarter.number)


def share(unit: LeadUnit, quarter: Quarter) -> Decimal:
    """How much of a year's target is due by the end of a quarter: pro rata for a unit admitted within the year."""
    begins = max(unit.listed_on or quarter.start, date(quarter.year, 1, 1))
    if begins.year < quarter.year or begins == date(quarter.year, 1, 1):
        return Decimal(quarter.number) / 4
    return Decimal(max(1, (quarter.end - begins).days + 1)) / Decimal((date(quarter.year, 12, 31) - begins).days + 1)


def commitment_rate(targets: Commitment | None, report: Sequence[Mapping[str, Any]], due: Decimal) -> Decimal:
    """The mean of the indicators' completion against what is due by now, each at most 100 per cent."""
    if targets is None or not targets.indicators:
        return Decimal()
    actuals = {row.get("key"): as_decimal(row.get("actual")) or Decimal() for row in report}
    rates = []
    for indicator in targets.indicators:
        target = (as_decimal(indicator["target"]) or Decimal()) * (due if indicator["cumulative"] else 1)
        actual = actuals.get(indicator["key"], Decimal())
        rates.append(min(Decimal(100), actual / target * 100) if target else Decimal(100))
    return rounded(sum(rates, Decimal()) / len(rates))


# ---- scores ------------------------------------------------------------------------------------------------------


def spread(opinions: Sequence[Mapping[str, Any]]) -> Decimal:
    """The greatest distance between two experts on one indicator."""
    columns: dict[str, list[Decimal]] = {}
    for opinion in opinions:
        for key, value in opinion["scores"].items():
            columns.setdefault(key, []).append(Decimal(str(value)))
    return max((max(values) - min(values) for values in columns.values()), default=Decimal())


def score(
    indicators: Sequence[Mapping[str, Any]], values: Mapping[str, Decimal], opinions: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], Decimal | None]:
    """The scores of every indicator and the total; None when nothing applies.

    An indicator without base (3.2: no pilot enterprise to be served) does not apply; its weight is shared out.
    """
    raw = [(indicator, _score_one(indicator, values, opinions)) for indicator in indicators]
    applied = sum((Decimal(i["weight"]) for i, value in raw if value is not None), Decimal())
    rows = []
    for indicator, value in raw:
        weight = Decimal(indicator["weight"])
        effective = weight * 100 / applied if value is not None else Decimal()
        points = None if value is None else rounded(value * effective / 100)
        rows.append(
            {
                **{name: indicator[name] for name in ("key", "label", "dimension", "weight", "kind")},
                "effective": str(rounded(effective)),
                "score": None if value is None else str(value),
                "points": None if points is None else str(points),
            }
        )
    if not applied:
        return rows, None
    total = sum((value * Decimal(i["weight"]) for i, value in raw if value is not None), Decimal()) / applied
    return rows, rounded(total)


def _score_one(
    indicator: Mapping[str, Any], values: Mapping[str, Decimal], opinions: Sequence[Mapping[str, Any]]
) -> Decimal | None:
    if indicator["base"] and not values.get(indicator["base"]):
        return None
    if indicator["kind"] == "judged":
        given = [Decimal(str(o["scores"][indicator["key"]])) for o in opinions if indicator["key"] in o["scores"]]
        return rounded(sum(given, Decimal()) / len(given)) if given else None
    value = _number(indicator["formula"], values)
    return None if value is None else rounded(min(Decimal(100), max(Decimal(), value)))
