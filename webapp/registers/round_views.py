"""Rounds of quarterly evaluation (3.2): the list, and one round as a matrix of units and steps, with its report."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for

from webapp import access, clock
from webapp.accounts import service as accounts
from webapp.documents import service as documents
from webapp.errors import NotFound
from webapp.http import db_session
from webapp.i18n import _
from webapp.registers import evaluation_labels as words
from webapp.registers import evaluation_lists, evaluation_reports, exports, labels, pages, queries
from webapp.registers import evaluation_rounds as rounds
from webapp.registers.evaluation_models import EvaluationResult, EvaluationRound
from webapp.registers.queries import SEE_ALL

bp = Blueprint("rounds", __name__, template_folder="templates", url_prefix="/rounds")
pages.add_list(bp, evaluation_lists.ROUNDS, "/", *SEE_ALL)

#: The steps of a unit's case, in order; a result's status says at which it stands.
STEPS = ("report", "score", "state", "settle")
AT = {"waiting": -1, "reporting": 0, "verifying": 0, "scoring": 1, "stating": 2, "settling": 3, "settled": 4}
#: Bands of five points of the distribution, lowest first; below 50 is one band.
BANDS = tuple(range(50, 100, 5))


def _find(round_id: UUID) -> EvaluationRound:
    found = db_session().get(EvaluationRound, round_id)
    if found is None:
        raise NotFound(_("没有找到该季度评价。"))
    return found


@bp.get("/<uuid:round_id>")
@access.roles(*SEE_ALL)
def round_page(round_id: UUID) -> str:
    """Progress, the matrix with views, grades, distribution, dimensions, ranking, report files."""
    session, round_ = db_session(), _find(round_id)
    found = rounds.report(session, round_)
    results = rounds.results(session, round_.id)
    cells = [_row(result) for result in results]
    view = request.args.get("view", "")
    shown = [row for row in cells if not view or view in row["views"]]
    columns, ranking = rounds.table(round_, found)
    files = [f for f in (round_.pdf_id, round_.xlsx_id) if f]
    return render_template(
        "registers/round.html",
        round=round_,
        title=_("%(quarter)s绩效评价", quarter=words.quarter(round_.year, round_.quarter)),
        state=(labels.word(words.ROUND, round_.status), labels.tone(words.ROUND, round_.status)),
        progress=_progress(round_, cells),
        views=_views(round_, cells, view),
        heads=_heads(round_, cells),
        rows=shown,
        grades=_grades(results),
        bands=_bands([r.total for r in results if r.total is not None]),
        dimensions=_dimensions(found),
        mean=found.mean,
        columns=columns,
        ranking=ranking,
        graded=any(line.rank for line in found.lines),
        consequences=queries.consequences(session, round_.id),
        kinds=words.CONSEQUENCE,
        files=[documents.tile(document) for document in documents.by_ids(session, files)],
        sees_case=accounts.current_actor().roles & {"office", "working_group", "manager"},
    )


@bp.get("/<uuid:round_id>/report.<any(csv, xlsx):kind>")
@access.roles(*SEE_ALL)
def report_export(round_id: UUID, kind: str) -> Response:
    """The ranking as it stands: the same cells as the page and the PDF."""
    round_ = _find(round_id)
    columns, rows = rounds.table(round_, rounds.report(db_session(), round_))
    return exports.response(kind, evaluation_reports.filename(round_), columns, rows)


def _day(moment: Any) -> str:
    return f"{moment.astimezone(clock.BEIJING):%m-%d}" if moment else ""


def _last_day(due: Any) -> str:
    return _day(due - timedelta(seconds=1)) if due else ""


def _row(result: EvaluationResult) -> dict[str, Any]:
    """One unit of the matrix: a cell (kind, words) for each step, and the views that it belongs to."""
    at = AT.get(result.status, 4)
    over = result.status in ("reporting", "verifying") and bool(result.urged_at)
    cells = [_report_cell(result, at, over), _score_cell(result, at), _state_cell(result, at), _settle_cell(result, at)]
    if result.status in ("absent", "left"):
        cells = [
            ("no" if result.status == "absent" else "", labels.word(words.RESULT, result.status)),
            *[("", "—")] * 3,
        ]
    views = {"running"} if result.settled_at is None else {"settled"}
    views |= {name for name, on in (("over", over), ("late", result.late), ("fail", result.grade == "fail")) if on}
    return {
        "name": result.lead_unit.name,
        "url": url_for("evaluation.result", entry_id=result.id),
        "note": _("本季新增") if result.newly_admitted else "",
        "cells": cells,
        "done": [at > step for step in range(len(STEPS))],
        "total": result.total,
        "grade": labels.word(words.GRADE, result.grade),
        "tone": labels.tone(words.GRADE, result.grade),
        "preliminary": result.settled_at is None,
        "views": views,
        "over": over,
    }


def _report_cell(result: EvaluationResult, at: int, over: bool) -> tuple[str, str]:
    if at < 0:
        return "", _("未开启")
    if at == 0:
        if result.status == "verifying":
            return "no", _("核实未参加")
        return ("no", _("超期，已催告")) if over else ("now", _("至 %(day)s", day=_last_day(result.report_due_at)))
    day = _day(result.reported_at)
    return ("fix", _("迟报 %(day)s", day=day)) if result.late else ("ok", day)


def _score_cell(result: EvaluationResult, at: int) -> tuple[str, str]:
    if at < 1:
        return "", _("未开始")
    count = len(result.expert_scores)
    return ("now", _("%(n)s 名专家", n=count)) if at == 1 else ("ok", _("%(n)s 名专家", n=count))


def _state_cell(result: EvaluationResult, at: int) -> tuple[str, str]:
    if at < 2:
        return "", _("未开始")
    if at == 2:
        return "now", _("陈述中")
    return "ok", _("已陈述") if result.statement else _("无异议") if result.stated_at else _("未答复")


def _settle_cell(result: EvaluationResult, at: int) -> tuple[str, str]:
    if at < 3:
        return "", _("未开始")
    return ("now", _("待审定")) if at == 3 else ("ok", _day(result.settled_at))


def _progress(round_: EvaluationRound, cells: list[dict[str, Any]]) -> dict[str, Any]:
    opening = round_.status == "opening"
    if opening:
        done, total = round_.opened_units, round_.total_units
    else:
        done, total = sum(sum(row["done"]) for row in cells), len(cells) * len(STEPS)
    return {"opening": opening, "done": done, "total": total, "percent": round(done * 100 / total) if total else 0}


def _views(round_: EvaluationRound, cells: list[dict[str, Any]], now: str) -> list[dict[str, Any]]:
    names = {
        "": _("全部"),
        "running": _("办理中"),
        "over": _("超期"),
        "late": _("迟报"),
        "fail": _("不合格"),
        "settled": _("已审定"),
    }
    return [
        {
            "label": label,
            "count": sum(not key or key in row["views"] for row in cells),
            "url": url_for(".round_page", round_id=round_.id, view=key or None),
            "current": key == now,
        }
        for key, label in names.items()
    ]


def _heads(round_: EvaluationRound, cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = (_("材料报送"), _("专家评分"), _("陈述申辩"), _("审定"))
    return [
        {
            "label": name,
            "note": _("至 %(day)s", day=_last_day(round_.report_due_at)) if place == 0 and round_.report_due_at else "",
            "done": sum(row["done"][place] for row in cells),
            "total": len(cells),
        }
        for place, name in enumerate(names)
    ]


def _grades(results: list[EvaluationResult]) -> list[dict[str, Any]]:
    """How many of each grade, settled and preliminary."""
    most = max((sum(r.grade == g for r in results) for g in words.GRADE), default=0) or 1
    found = []
    for grade, (label, tone) in words.GRADE.items():
        mine = [r for r in results if r.grade == grade]
        settled = sum(r.settled_at is not None for r in mine)
        share = {"settled": settled * 100 // most, "all": len(mine) * 100 // most}
        found.append({"label": label, "tone": tone, "count": len(mine), "settled": settled, "share": share})
    return found


def _bands(totals: list[Decimal]) -> list[dict[str, Any]]:
    """Bands of five points with their counts."""
    counts: dict[int, int] = dict.fromkeys((0, *BANDS), 0)
    for total in totals:
        counts[0 if total < BANDS[0] else min(BANDS[-1], int(total) // 5 * 5)] += 1
    most = max(counts.values()) or 1
    return [
        {
            "label": f"< {BANDS[0]}" if low == 0 else f"{low}–{low + 5}",
            "count": count,
            "percent": count * 100 // most,
            "bad": low < 60,
        }
        for low, count in counts.items()
    ]


def _dimensions(found: rounds.Report) -> list[dict[str, Any]]:
    return [
        {
            "label": words.DIMENSION[name][0],
            "mean": mean,
            "weight": f"{found.weights[name]:f}",
            "percent": int(mean * 100 / found.weights[name]),
        }
        for name, mean in found.dimensions.items()
    ]
