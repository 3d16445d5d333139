"""Every figure of a round's report, recomputed from the registers by other code than the product's (3.2).

Plain SQL on the tables and fractions; nothing of `webapp.registers` computes anything here.
"""

from __future__ import annotations

import io
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import openpyxl
import pypdf
from docx import Document as Word
from sqlalchemy import text

from tests.processes.conftest import Town
from tests.processes.evaluation import Evaluation
from webapp import db
from webapp.documents import storage
from webapp.documents.models import Document

END = date(2026, 9, 30)
WEIGHTS = {"i1": 25, "i2": 25, "i3": 10, "i4": 10, "i5": 15, "i6": 15}
PART = {"i1": "完成改造", "i2": "成效", "i3": "满意度", "i4": "满意度", "i5": "服务能力", "i6": "任务书"}

PILOTS = """select count(*) from pilot_enterprise where lead_unit_id = :unit
 and listed_on <= :day and (until is null or until > :day)"""
DONE = """select count(distinct pilot_enterprise_id) from retrofit_project where lead_unit_id = :unit
 and signed_on <= :day and done_on <= :day and coalesce(level_after, 0) >= :level"""
PROMISED = """select indicators from commitment where lead_unit_id = :unit and year = 2026 and effective_quarter <= 3
 order by version desc limit 1"""
EARLIER = """select r.year, r.quarter, e.total from evaluation_result e join evaluation_round r on r.id = e.round_id
 where e.lead_unit_id = :unit and r.voided_at is null and (r.year, r.quarter) in ((2025, 4), (2026, 1), (2026, 2))"""


def cents(value: Fraction) -> Fraction:
    """Half up, to two places."""
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return Fraction(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))


def shown(value: Fraction | None) -> str:
    return "—" if value is None else f"{Decimal(value.numerator) / Decimal(value.denominator):.2f}"


def scores_of(session: Any, unit: Any, report: list[Any], opinions: list[Any]) -> dict[str, Fraction | None]:
    """The scores of the standard set, by indicator; None where it does not apply."""

    def one(sql: str, **values: Any) -> Fraction:
        return Fraction(session.execute(text(sql), {"unit": unit, "day": END, **values}).scalar() or 0)

    pilots = one(PILOTS)
    rates = []
    actual = {row["key"]: Fraction(row["actual"]) for row in report}
    for row in session.execute(text(PROMISED), {"unit": unit}).scalar():
        due = Fraction(row["target"]) * (Fraction(3, 4) if row["cumulative"] else 1)
        rates.append(min(Fraction(100), actual[row["key"]] / due * 100))

    def judged(key: str) -> Fraction:
        given = [Fraction(opinion["scores"][key]) for opinion in opinions]
        return cents(sum(given) / len(given))

    return {
        "i1": cents(min(Fraction(100), one(DONE, level=0) / pilots * 100)),
        "i2": cents(min(Fraction(100), one(DONE, level=2) / pilots * 100)),
        "i3": None,  # the round orders no questionnaire: nothing was answered
        "i4": judged("i4"),
        "i5": judged("i5"),
        "i6": cents(min(Fraction(100), cents(sum(rates, Fraction()) / len(rates)))),
    }


def total_of(scores: dict[str, Fraction | None]) -> tuple[Fraction, dict[str, Fraction]]:
    """The total, and the points of each part at the weights that are left when one does not apply."""
    held = {key: value for key, value in scores.items() if value is not None}
    whole = sum(WEIGHTS[key] for key in held)
    points: dict[str, Fraction] = {}
    for key, value in held.items():
        points[PART[key]] = points.get(PART[key], Fraction()) + cents(value * WEIGHTS[key] / whole)
    return cents(sum((value * WEIGHTS[key] for key, value in held.items()), Fraction()) / whole), points


def grade_of(total: Fraction) -> str:
    return next(word for least, word in ((90, "优秀"), (80, "良好"), (60, "合格"), (0, "不合格")) if total >= least)


def test_3_2_every_figure_of_the_report_is_recomputed_from_the_registers(town: Town) -> None:
    evaluation = Evaluation(town)
    evaluation.open()
    for letter, marks, factor in (("", (95, 91), 1), ("_b", (40, 35), 0), ("_c", (70, 88), 1)):
        evaluation.through(letter, marks=marks, factor=factor)
    town.do("working_group", evaluation.case, "confirm_report", {"report_words": "同意。"}, "confirm")
    town.make_documents()
    with db.transaction() as session:
        expected = []
        for letter in ("", "_b", "_c"):
            unit, result = town.unit(letter), evaluation.result(letter)
            scores = scores_of(session, unit.id, result.report, result.expert_scores)
            total, points = total_of(scores)
            held = {(y, q): t for y, q, t in session.execute(text(EARLIER), {"unit": unit.id})}
            past = [Fraction(held[key]) for key in ((2025, 4), (2026, 1), (2026, 2))]
            expected.append((unit.name, total, grade_of(total), points, past, scores))
        files = [getattr(evaluation.round, f"{kind}_id") for kind in ("xlsx", "pdf", "docx")]
        content = [storage.path_of(session.get_one(Document, key).digest).read_bytes() for key in files]
    expected.sort(key=lambda one: -one[1])
    book = openpyxl.load_workbook(io.BytesIO(content[0]))
    printed = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content[1])).pages)
    word = Word(io.BytesIO(content[2]))
    tables = [[[cell.text for cell in row.cells] for row in table.rows] for table in word.tables]
    ranking, grades, bands, parts = (list(sheet.iter_rows(min_row=2, values_only=True)) for sheet in book)

    for place, (name, total, grade, points, past, _scores) in enumerate(expected, 1):
        row = ranking[place - 1]
        change = total - past[-1]
        sign = "+" if change > 0 else "−" if change < 0 else ""
        told = [str(place), name, shown(total), grade, *map(shown, points.values()), *map(shown, past)]
        told.append(sign + shown(abs(change)))
        assert [str(row[0]), *(f"{c:.2f}" if isinstance(c, int | float) else c.lstrip("'") for c in row[1:])] == told
        assert tables[-1][place] == told
        assert all(part in printed for part in (shown(total), *map(shown, past)))

    assert dict(grades)["优秀"] == sum(one[2] == "优秀" for one in expected)
    assert sum(count for _word, count in grades) == 3
    for label, count in bands:
        low = 0 if label.startswith("<") else int(label.split("–")[0])
        high = 50 if low == 0 else 101 if low == 95 else low + 5
        assert count == sum(low <= one[1] < high for one in expected)
    mean = cents(sum((one[1] for one in expected), Fraction()) / 3)
    assert f"平均得分{shown(mean)}分" in printed.replace("\n", "")
    for (name, average, weight, rate), keys in zip(parts, (["i1"], ["i2"], ["i5"], ["i6"]), strict=True):
        values = [
            sum(((one[5][key] or Fraction()) * WEIGHTS[key] for key in keys), Fraction()) / 100 for one in expected
        ]
        assert f"{average:.2f}" == shown(cents(sum(values, Fraction()) / 3)), name
        assert int(weight) == sum(WEIGHTS[key] for key in keys)
        assert float(rate) == round(float(average) / int(weight) * 100, 1)
    assert str(evaluation.round.report_number).startswith("穗工信评价〔2026〕1")
