"""The report of a round 季度评价报告 (3.2): one set of figures, as data of the PDF's template and as a workbook."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from webapp import clock
from webapp.i18n import _
from webapp.registers import evaluation_labels as words
from webapp.registers import evaluation_rounds as rounds
from webapp.registers import exports
from webapp.registers.evaluation_models import EvaluationRound

XLSX = exports.XLSX


def filename(round_: EvaluationRound) -> str:
    """How the report's files are called, without suffix."""
    return _("%(quarter)s绩效评价报告", quarter=words.quarter(round_.year, round_.quarter))


def data(session: Session, round_: EvaluationRound) -> dict[str, Any]:
    """What the template `evaluation_report` takes; every figure as text."""
    found = rounds.report(session, round_)
    columns, rows = rounds.table(round_, found)
    consequences = [
        {
            "name": line.result.lead_unit.name,
            "grade": str(words.GRADE[line.result.grade][0]),
            "words": line.result.arrangement,
        }
        for line in found.lines
        if line.result.grade in ("fail", "absent")
    ]
    return {
        "number": round_.number,
        "title": filename(round_),
        "published_on": clock.today().isoformat(),
        "units": len(found.lines),
        "mean": "—" if found.mean is None else str(found.mean),
        "grades": [{"name": str(words.GRADE[g][0]), "count": n} for g, n in found.grades.items()],
        "dimensions": [
            {
                "name": str(words.DIMENSION[n][0]),
                "mean": str(mean),
                "weight": f"{found.weights[n]:f}",
                "percent": f"{mean / found.weights[n] * 100:.1f}",
            }
            for n, mean in found.dimensions.items()
        ],
        "columns": columns,
        "table": [[str(value) for value in row] for row in rows],
        "failed": consequences,
    }


def workbook(session: Session, round_: EvaluationRound) -> bytes:
    """The ranking as XLSX: the same cells as the page and the PDF."""
    columns, rows = rounds.table(round_, rounds.report(session, round_))
    return exports.to_xlsx(filename(round_), columns, rows)
