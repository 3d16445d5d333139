"""Rounds of quarterly evaluation (3.2): the list, one round as a matrix of units and steps, and its report."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for

from webapp import access, clock
from webapp.accounts import service as accounts
from webapp.documents import service as documents
from webapp.http import db_session
from webapp.i18n import _
from webapp.registers import evaluation_labels as words
from webapp.registers import evaluation_lists, evaluation_reports, exports, labels, listing, pages, queries
from webapp.registers import evaluation_rounds as rounds
from webapp.registers import evaluation_voiding as voiding
from webapp.registers import round_charts as charts
from webapp.registers import round_figures as figures
from webapp.registers import round_matrix as matrix
from webapp.registers.evaluation_models import EvaluationRound
from webapp.registers.queries import SEE_ALL

bp = Blueprint("rounds", __name__, template_folder="templates", url_prefix="/rounds")
pages.add_list(bp, evaluation_lists.ROUNDS, "/", *SEE_ALL)


@bp.get("/<uuid:round_id>")
@access.roles(*SEE_ALL)
def round_page(round_id: UUID) -> str:
    """Progress, the matrix with views, words, order and pages, distribution, consequences."""
    session, round_, actor = db_session(), rounds.get(db_session(), round_id), accounts.current_actor()
    now = clock.now()
    found = matrix.units(session, round_, now)
    return render_template(
        "registers/round.html",
        **_head(round_),
        **_list(round_, found),
        progress=matrix.progress(round_, found),
        tiles=matrix.tiles(found, now),
        heads=matrix.heads(round_, found),
        grades=_grades(found),
        bands=_bands(found),
        consequences=queries.consequences(session, round_.id),
        kinds=words.CONSEQUENCE,
        may_remind="office" in actor.roles and round_.status in ("opening", "running"),
        may_settle="working_group" in actor.roles and round_.status in ("opening", "running"),
        may_void="working_group" in actor.roles and voiding.may_void(round_),
        ranked=any(unit.grade in figures.RANKED for unit in found),
    )


@bp.get("/<uuid:round_id>/progress")
@access.roles(*SEE_ALL)
def progress(round_id: UUID) -> Response:
    """The bar alone, for the open page to look at again: 304 while nothing has moved."""
    session, round_ = db_session(), rounds.get(db_session(), round_id)
    now = clock.now()
    found = matrix.units(session, round_, now)
    shown = {"progress": matrix.progress(round_, found), "tiles": matrix.tiles(found, now), "round": round_}
    answer = Response(render_template("registers/round_progress.html", **shown))
    answer.add_etag()
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.make_conditional(request)
    return answer


@bp.get("/<uuid:round_id>/report")
@access.roles(*SEE_ALL)
def report_page(round_id: UUID) -> str:
    """The report 季度评价报告: charts with their tables, the ranking with each unit's last quarters, the files."""
    session, round_ = db_session(), rounds.get(db_session(), round_id)
    found = figures.report(session, round_)
    columns, rows = figures.table(round_, found)
    number = listing.page_number(request.args.get("page"))
    last = max(1, -(-len(rows) // listing.PAGE_SIZE))
    start = (min(number, last) - 1) * listing.PAGE_SIZE
    shown = slice(start, start + listing.PAGE_SIZE)
    parts = evaluation_reports.dimensions(found)
    drawn = [
        (d["name"], mean, found.weights[key]) for d, (key, mean) in zip(parts, found.dimensions.items(), strict=True)
    ]
    files = [f for f in (round_.pdf_id, round_.docx_id, round_.xlsx_id) if f]
    path = url_for(".report_page", round_id=round_.id)
    return render_template(
        "registers/round_report.html",
        **_head(round_),
        columns=columns,
        rows=[(row, *_line(line)) for row, line in zip(rows[shown], found.lines[shown], strict=True)],
        page=listing.pager(min(number, last), len(rows), len(rows[shown]), path, {}),
        mean=found.mean,
        ranked=sum(count for _low, count in found.bands),
        units=len(found.lines),
        grades=[
            (labels.word(words.GRADE, grade), labels.tone(words.GRADE, grade), n) for grade, n in found.grades.items()
        ],
        bands=[(figures.band_words(low), count) for low, count in found.bands],
        dimensions=parts,
        bands_chart=charts.distribution(found.bands),
        dimensions_chart=charts.dimensions(drawn),
        files=[documents.tile(document) for document in documents.by_ids(session, files)],
        note=evaluation_reports.note(found),
        failed=[line for line in found.lines if line.result.grade in ("fail", "absent")],
    )


def _line(line: figures.Line) -> tuple[Any, str, str]:
    """The drawing of a unit's last quarters, the address of its result, the tone of its grade."""
    drawing = charts.career([*line.earlier, line.result.total])
    tone = labels.tone(words.GRADE, line.result.grade)
    return drawing, url_for("evaluation.result", entry_id=line.result.id), tone


@bp.get("/<uuid:round_id>/report.<any(csv, xlsx):kind>")
@access.roles(*SEE_ALL)
def report_export(round_id: UUID, kind: str) -> Response:
    """The ranking as it stands: the same cells as the page and the PDF."""
    round_ = rounds.get(db_session(), round_id)
    columns, rows = figures.table(round_, figures.report(db_session(), round_))
    return exports.response(kind, evaluation_reports.filename(round_), columns, rows)


def _head(round_: EvaluationRound) -> dict[str, Any]:
    """What both pages of a round begin with."""
    sees_case = accounts.current_actor().roles & {"office", "working_group", "manager"}
    return {
        "round": round_,
        "title": _("%(quarter)s绩效评价", quarter=words.quarter(round_.year, round_.quarter)),
        "state": (labels.word(words.ROUND, round_.status), labels.tone(words.ROUND, round_.status)),
        "case_of": (lambda key: pages.case_url(key) if key and sees_case else ""),
    }


def _list(round_: EvaluationRound, found: list[matrix.Unit]) -> dict[str, Any]:
    """The rows of this page of this view, in this order, with the addresses that lead on from here."""
    given = {name: request.args.get(name, "").strip() for name in ("view", "q", "sort")}
    view = given["view"] if given["view"] in matrix.VIEWS else ""
    kept = {**{name: value for name, value in given.items() if value}, "view": view}
    shown = matrix.chosen(found, view, given["q"], given["sort"])
    last = max(1, -(-len(shown) // listing.PAGE_SIZE))
    number = min(listing.page_number(request.args.get("page")), last)
    rows = shown[(number - 1) * listing.PAGE_SIZE : number * listing.PAGE_SIZE]
    path, counts = url_for(".round_page", round_id=round_.id), matrix.counts(found)
    return {
        "rows": [_row(unit) for unit in rows],
        "page": listing.pager(number, len(shown), len(rows), path, kept),
        "views": [
            {
                "label": label,
                "count": counts[key],
                "url": listing.address(path, {**kept, "view": key}),
                "current": key == view,
                "tone": {"over": "over", "today": "today", "verify": "over"}.get(key, ""),
            }
            for key, label in matrix.VIEWS.items()
            if counts[key] or not key or key == view
        ],
        "query": given["q"],
        "kept": {"view": view, "sort": given["sort"]},
        "sorts": {key: _sort(path, kept, key, given["sort"]) for key in matrix.SORTS},
        "path": path,
    }


def _sort(path: str, kept: dict[str, str], key: str, now: str) -> dict[str, str]:
    mine = now.lstrip("-") == key
    turn = f"-{key}" if mine and not now.startswith("-") else key
    direction = "descending" if now.startswith("-") else "ascending"
    return {"url": listing.address(path, {**kept, "sort": turn}), "sorted": direction if mine else ""}


#: How a cell of the matrix is drawn: the kind of the macro `status`.
_DRAWN = {"ok": "ok", "late": "late", "now": "now", "today": "fix", "over": "no", "absent": "no"}


def _row(unit: matrix.Unit) -> dict[str, Any]:
    notes = [_("本季新增")] if unit.new else []
    notes += [_("清退审议中")] if unit.flagged else []
    if unit.reminded_at and unit.status == "reporting":
        notes.append(_("已提醒 %(day)s", day=matrix.day(unit.reminded_at)))
    pressing = "over" if "over" in unit.views else "today" if "today" in unit.views else "open"
    return {
        "unit": unit,
        "url": url_for("evaluation.result", entry_id=unit.result_id),
        "notes": notes,
        "cells": [(_DRAWN.get(cell.kind, ""), cell.text) for cell in unit.cells],
        "grade": labels.word(words.GRADE, unit.grade) if unit.grade else "",
        "tone": labels.tone(words.GRADE, unit.grade),
        "due": matrix.last_day(unit.due_at),
        "pressing": pressing,
    }


def _grades(found: list[matrix.Unit]) -> list[dict[str, Any]]:
    """How many of each grade, settled and preliminary."""
    most = max((sum(unit.grade == g for unit in found) for g in words.GRADE), default=0) or 1
    rows = []
    for grade, (label, tone) in words.GRADE.items():
        mine = [unit for unit in found if unit.grade == grade]
        settled = sum(unit.settled for unit in mine)
        share = {"settled": settled * 100 // most, "all": len(mine) * 100 // most}
        rows.append({"label": label, "tone": tone, "count": len(mine), "settled": settled, "share": share})
    return rows


def _bands(found: list[matrix.Unit]) -> Any:
    totals = [unit.total for unit in found if unit.total is not None and unit.grade in figures.RANKED]
    return charts.distribution([(low, sum(figures.band(t) == low for t in totals)) for low in figures.BANDS], width=320)
