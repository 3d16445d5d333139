"""The figures of a round (3.2): ranking, distribution, means per dimension, each unit against its last quarters.

ONE source: page, PDF, DOCX and XLSX of the 季度评价报告 are made from `report` and `table`, so that all show the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from webapp.i18n import _
from webapp.registers import evaluation_labels as words
from webapp.registers import evaluation_scoring as scoring
from webapp.registers.evaluation_models import EvaluationResult, EvaluationRound
from webapp.registers.evaluation_rounds import STANDING, quarter
from webapp.registers.models import LeadUnit
from webapp.registers.values import as_text

#: The grades by which a unit is ranked: not 不定等, not absent.
RANKED = ("excellent", "good", "pass", "fail")
#: Bands of five points of the distribution, by their lower ends; below 50 is one band.
BANDS = (0, *range(50, 100, 5))
#: So many earlier quarters stand beside each unit.
LOOK_BACK = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One unit in the ranking; `rank` None where nothing is graded. `earlier`: its last totals, oldest first."""

    rank: int | None
    result: EvaluationResult
    dimensions: dict[str, Decimal | None]
    earlier: tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a round, from which page, PDF and XLSX are made alike."""

    lines: list[Line]
    grades: dict[str, int]
    mean: Decimal | None
    dimensions: dict[str, Decimal]  # mean points of each dimension over the units to which it applies
    weights: dict[str, Decimal]
    bands: list[tuple[int, int]]  # (lower end, count) of the totals that are ranked


def results(session: Session, round_id: UUID) -> list[EvaluationResult]:
    """All units of a round, by name."""
    query = select(EvaluationResult).join(EvaluationResult.lead_unit).where(EvaluationResult.round_id == round_id)
    return list(session.scalars(query.order_by(LeadUnit.name)).unique())


def report(session: Session, round_: EvaluationRound) -> Report:
    """Ranking, distribution, means per dimension, each unit against its last three quarters (3.2)."""
    found = results(session, round_.id)
    ranked = sorted((r for r in found if _counts(r)), key=lambda r: (-(r.total or 0), r.lead_unit.name))
    totals = [r.total for r in ranked if r.total is not None]
    places: dict[Decimal, int] = {}
    for place, total in enumerate(totals, 1):
        places.setdefault(total, place)  # equal totals share a place
    earlier = _earlier(session, round_)
    rest = [r for r in found if not _counts(r)]
    names = list(dict.fromkeys(i["dimension"] for i in round_.indicators))
    return Report(
        lines=[_line(r, places.get(r.total) if _counts(r) and r.total else None, earlier) for r in [*ranked, *rest]],
        grades={grade: sum(r.grade == grade for r in found) for grade in words.GRADE},
        mean=mean(totals),
        dimensions=_means(ranked, names),
        weights={name: _weight(round_, name) for name in names},
        bands=[(low, sum(band(total) == low for total in totals)) for low in BANDS],
    )


def _line(result: EvaluationResult, place: int | None, earlier: Mapping[UUID, tuple[Decimal | None, ...]]) -> Line:
    before = earlier.get(result.lead_unit_id, (None,) * LOOK_BACK)
    return Line(place, result, _points(result.scores), before)


def _weight(round_: EvaluationRound, name: str) -> Decimal:
    return sum((Decimal(i["weight"]) for i in round_.indicators if i["dimension"] == name), Decimal())


def band(total: Decimal) -> int:
    """The lower end of the band that a total falls into; 100 belongs to the highest."""
    return 0 if total < BANDS[1] else min(BANDS[-1], int(total) // 5 * 5)


def band_words(low: int) -> str:
    """How a band is called."""
    return f"< {BANDS[1]}" if low == 0 else f"{low}–{low + 5}"


def _counts(result: EvaluationResult) -> bool:
    """Whether a result is ranked: it has a total and a grade of its own (not 不定等, not absent)."""
    return result.total is not None and result.grade in RANKED


def _means(found: Sequence[EvaluationResult], names: Sequence[str]) -> dict[str, Decimal]:
    """Mean points of each dimension at its own weight, over the units to which all of it applies."""
    means = {}
    for name in names:
        mine = [[row for row in result.scores if row["dimension"] == name] for result in found]
        whole = [rows for rows in mine if rows and all(row["score"] is not None for row in rows)]
        points = [sum((Decimal(r["score"]) * Decimal(r["weight"]) for r in rows), Decimal()) / 100 for rows in whole]
        if (held := mean(points)) is not None:
            means[name] = held
    return means


def _points(rows: Sequence[Mapping[str, Any]]) -> dict[str, Decimal | None]:
    found: dict[str, Decimal | None] = {}
    for row in rows:
        if row["points"] is None:
            found.setdefault(row["dimension"], None)
        else:
            found[row["dimension"]] = (found.get(row["dimension"]) or Decimal()) + Decimal(row["points"])
    return found


def mean(values: Iterable[Decimal | None]) -> Decimal | None:
    """To two places; None of nothing."""
    held = [value for value in values if value is not None]
    return scoring.rounded(sum(held, Decimal()) / len(held)) if held else None


def before_it(round_: EvaluationRound) -> list[scoring.Quarter]:
    """The quarters that a unit is compared with, oldest first."""
    found = [quarter(round_).before]
    while len(found) < LOOK_BACK:
        found.append(found[-1].before)
    return found[::-1]


def _earlier(session: Session, round_: EvaluationRound) -> dict[UUID, tuple[Decimal | None, ...]]:
    """Totals of the quarters before, by unit, oldest first; a voided round has none."""
    wanted = [(q.year, q.number) for q in before_it(round_)]
    query = select(EvaluationRound.year, EvaluationRound.quarter, EvaluationResult.lead_unit_id, EvaluationResult.total)
    query = query.join(EvaluationRound, EvaluationRound.id == EvaluationResult.round_id)
    held = tuple_(EvaluationRound.year, EvaluationRound.quarter).in_(wanted)
    totals = {(year, number, unit): total for year, number, unit, total in session.execute(query.where(STANDING, held))}
    units = {unit for _y, _q, unit in totals}
    return {unit: tuple(totals.get((*q, unit)) for q in wanted) for unit in units}


def change(line: Line) -> Decimal | None:
    """Points more or less than in the quarter before; None where either has no total."""
    last, now = line.earlier[-1], line.result.total
    return None if last is None or now is None else now - last


def change_words(line: Line) -> str:
    """The change with its sign (a true minus)."""
    value = change(line)
    if value is None:
        return "—"
    return f"+{value}" if value > 0 else f"−{-value}" if value < 0 else "0.00"


def _cell(line: Line, name: str) -> Decimal | str:
    """A dimension's points; nothing before the unit is scored."""
    value = line.dimensions.get(name)
    return value if value is not None else _("不适用") if line.result.scores else "—"


def table(round_: EvaluationRound, found: Report) -> tuple[list[str], list[list[Any]]]:
    """The ranking as columns and rows: what the page, the PDF, the DOCX and the XLSX show."""
    names = list(found.weights)
    columns = [_("名次"), _("牵引单位"), _("得分"), _("等次")]
    columns += [_("%(name)s（%(n)s）", name=str(words.DIMENSION[n][0]), n=f"{found.weights[n]:f}") for n in names]
    columns += [words.quarter(q.year, q.number) for q in before_it(round_)]
    columns.append(_("较上季度"))
    rows = [
        [
            line.rank or "—",
            line.result.lead_unit.name,
            line.result.total if line.result.total is not None else "—",
            str(words.GRADE[line.result.grade][0])
            if line.result.grade
            else as_text(words.RESULT[line.result.status][0]),
            *(_cell(line, n) for n in names),
            *(total if total is not None else "—" for total in line.earlier),
            change_words(line),
        ]
        for line in found.lines
    ]
    return columns, rows
