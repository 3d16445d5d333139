"""The report of a round 季度评价报告 (3.2): one set of figures, as data of PDF and DOCX, and as XLSX."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from webapp.clock import BEIJING
from webapp.i18n import _
from webapp.registers import evaluation_labels as words
from webapp.registers import exports
from webapp.registers import round_figures as figures
from webapp.registers.evaluation_models import EvaluationRound

XLSX = exports.XLSX


def filename(round_: EvaluationRound) -> str:
    """How the report's files are called, without suffix."""
    return _("%(quarter)s绩效评价报告", quarter=words.quarter(round_.year, round_.quarter))


def data(session: Session, round_: EvaluationRound) -> dict[str, Any]:
    """What the template `evaluation_report` takes; every figure as text.

    number 文号, title, published_on, units, ranked, mean, grades [{name, count}], bands [{name, count, percent}],
    dimensions [{name, mean, weight, percent}], columns, table (texts), note (on the
    table, or ""), failed [{name, grade, words}], quarter, opened_on.
    """
    found = figures.report(session, round_)
    columns, rows = figures.table(round_, found)
    assert round_.closed_at is not None
    most = max((count for _low, count in found.bands), default=0) or 1
    return {
        "number": round_.report_number or round_.number,
        "title": filename(round_),
        "published_on": round_.closed_at.astimezone(BEIJING).date().isoformat(),
        "quarter": words.quarter(round_.year, round_.quarter).replace(" ", ""),
        "opened_on": round_.opened_at.astimezone(BEIJING).date().isoformat() if round_.opened_at else "",
        "units": len(found.lines),
        "ranked": sum(count for _low, count in found.bands),
        "mean": "—" if found.mean is None else str(found.mean),
        "grades": [{"name": str(words.GRADE[g][0]), "count": n} for g, n in found.grades.items()],
        "bands": [
            {"name": figures.band_words(low), "count": count, "percent": count * 100 // most}
            for low, count in found.bands
        ],
        "dimensions": dimensions(found),
        "columns": columns,
        "table": [[str(value) for value in row] for row in rows],
        "note": note(found),
        "failed": [_failed(line) for line in found.lines if line.result.grade in ("fail", "absent")],
    }


def note(found: figures.Report) -> str:
    """Why a dimension's points may stand above its weight (3.2), when they do for a unit; else nothing."""
    shifted = any(
        row["score"] is not None and row["effective"] != row["weight"]
        for line in found.lines
        for row in line.result.scores
    )
    words = _("注：没有基数的指标不适用，其权重按比例分给该单位的其他指标，所以其他方面的得分可能高于该方面的权重。")
    return words if shifted else ""


def _failed(line: figures.Line) -> dict[str, str]:
    result = line.result
    return {
        "name": result.lead_unit.name,
        "grade": str(words.GRADE[str(result.grade)][0]),
        "words": result.arrangement or "—",
    }


def dimensions(found: figures.Report) -> list[dict[str, str]]:
    """Each dimension's mean points, its weight, and the share of the weight that was reached (per cent)."""
    return [
        {
            "name": str(words.DIMENSION[name][0]),
            "mean": str(mean),
            "weight": f"{found.weights[name]:f}",
            "percent": f"{mean / found.weights[name] * 100:.1f}",
        }
        for name, mean in found.dimensions.items()
    ]


def workbook(session: Session, round_: EvaluationRound) -> bytes:
    """Ranking, distributions and dimensions as XLSX: the same figures as the page and the PDF."""
    found = figures.report(session, round_)
    columns, rows = figures.table(round_, found)
    grades = [[str(words.GRADE[grade][0]), count] for grade, count in found.grades.items()]
    bands = [[figures.band_words(low), count] for low, count in found.bands]
    parts = [[d["name"], found_mean, d["weight"], d["percent"]] for d, found_mean in _with_means(found)]
    return exports.to_workbook(
        [
            (filename(round_), columns, rows),
            (_("等次分布"), [_("等次"), _("家数")], grades),
            (_("得分分布"), [_("分数段"), _("家数")], bands),
            (_("各方面平均得分"), [_("方面"), _("平均得分"), _("权重"), _("得分率（%）")], parts),
        ]
    )


def _with_means(found: figures.Report) -> list[tuple[dict[str, str], Any]]:
    return list(zip(dimensions(found), found.dimensions.values(), strict=True))
