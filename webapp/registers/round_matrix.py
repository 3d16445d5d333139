"""A round as a matrix of units and steps: where each unit stands, who is late, which step waits for whom.

One statement reads all units with only the columns that the matrix shows, so that a round of 1,000 units stays fast;
the page shows fifty of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.engine.tables import user_task
from webapp.i18n import _, lazy
from webapp.registers import evaluation_labels as words
from webapp.registers import labels
from webapp.registers.checks import normalise_text
from webapp.registers.evaluation_models import EvaluationResult, EvaluationRound
from webapp.registers.models import LeadUnit

#: The steps of a unit's case, in order; a result's status says at which it stands. Supervision where it is ordered.
STEPS = {
    "report": lazy("材料报送"),
    "check": lazy("监督检查"),
    "score": lazy("专家评分"),
    "state": lazy("陈述申辩"),
    "settle": lazy("审定"),
}
AT = {"waiting": -1, "reporting": 0, "verifying": 0, "checking": 1, "scoring": 2, "stating": 3, "settling": 4}
DONE = len(STEPS)
#: The views over the matrix, in order.
VIEWS = {
    "": lazy("全部"),
    "over": lazy("超期"),
    "today": lazy("今日到期"),
    "verify": lazy("核实未参加"),
    "late": lazy("迟报"),
    "running": lazy("办理中"),
    "settling": lazy("待审定"),
    "fail": lazy("不合格"),
    "settled": lazy("已审定"),
}
#: What the segments of the progress bar say of a step, in order.
SEGMENTS = {
    "ok": lazy("按时完成"),
    "late": lazy("迟报完成"),
    "now": lazy("办理中"),
    "today": lazy("今日到期"),
    "over": lazy("超期"),
    "none": lazy("未开始"),
}
SORTS = ("name", "total", "due")


@dataclass(frozen=True, slots=True)
class Cell:
    """A unit at a step, and what it says. `kind`: ok | late | now | today | over | none (a segment of the bar).

    A unit that takes no part is absent at its first step and gone at the others: nothing is waited for there.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Unit:
    """One row of the matrix; `due_at`: when the first of its open tasks is due."""

    result_id: UUID
    instance_id: UUID | None
    name: str
    code: str
    status: str
    new: bool
    flagged: bool
    total: Decimal | None
    grade: str | None
    settled: bool
    due_at: datetime | None
    reminded_at: datetime | None
    cells: tuple[Cell, ...]
    views: frozenset[str]


def units(session: Session, round_: EvaluationRound, now: datetime) -> list[Unit]:
    """Every unit of a round, by name; its cells are those of `steps`."""
    wanted = [place for place, name in enumerate(STEPS) if name in steps(round_)]
    t, r = user_task.c, EvaluationResult
    due = select(t.instance_id, func.min(t.due_at).label("due_at")).group_by(t.instance_id)
    due = due.where(t.root_instance_id == round_.instance_id, t.status == "open", t.instance_id != round_.instance_id)
    waiting = due.subquery()
    query = (
        select(
            r.id, r.instance_id, LeadUnit.name, LeadUnit.credit_code, LeadUnit.under_expulsion, r.status,
            r.newly_admitted, r.report_due_at, r.reminded_at, r.urged_at, r.reported_at, r.late,
            func.jsonb_array_length(r.expert_scores).label("experts"), (r.statement != "").label("stated"),
            r.stated_at, r.total, r.grade, r.settled_at, waiting.c.due_at,
        )
        .join(LeadUnit, LeadUnit.id == r.lead_unit_id)
        .outerjoin(waiting, waiting.c.instance_id == r.instance_id)
        .where(r.round_id == round_.id)
        .order_by(LeadUnit.name)
    )  # fmt: skip
    return [_unit(row, now, wanted) for row in session.execute(query)]


def steps(round_: EvaluationRound) -> dict[str, str]:
    """The steps that the units of this round pass, with their words."""
    ordered = bool(getattr(round_, "checks", None))
    return {name: str(label) for name, label in STEPS.items() if ordered or name != "check"}


def _unit(row: Any, now: datetime, wanted: Sequence[int]) -> Unit:
    at = AT.get(row.status, DONE)
    pressing = _pressing(row, at, now)
    every = _cells(row, at, pressing)
    cells = tuple(every[place] for place in wanted)
    views = {
        "running": row.settled_at is None and row.status != "voided",
        "settled": row.settled_at is not None and row.status != "voided",
        "over": pressing == "over",
        "today": pressing == "today",
        "verify": row.status == "verifying",
        "late": row.late,
        "settling": row.status == "settling",
        "fail": row.grade == "fail",
    }
    return Unit(
        row.id, row.instance_id, row.name, row.credit_code, row.status, row.newly_admitted, row.under_expulsion,
        row.total, row.grade, row.settled_at is not None, row.due_at if at < DONE else None, row.reminded_at, cells,
        frozenset(name for name, held in views.items() if held),
    )  # fmt: skip


def _pressing(row: Any, at: int, now: datetime) -> str:
    """How the open step stands to its deadline: over | today | now."""
    if at >= DONE:
        return "now"
    if (row.due_at is not None and row.due_at <= now) or (at == 0 and row.urged_at is not None):
        return "over"
    if row.due_at is None:
        return "now"
    last = (row.due_at - timedelta(seconds=1)).astimezone(clock.BEIJING).date()
    return "today" if last == now.astimezone(clock.BEIJING).date() else "now"


def _cells(row: Any, at: int, pressing: str) -> tuple[Cell, ...]:
    if row.status in ("absent", "left", "voided"):
        told = Cell("absent" if row.status == "absent" else "gone", labels.word(words.RESULT, row.status))
        return (told, *(Cell("gone", "—") for _step in range(1, DONE)))
    texts = (_report_words, _check_words, _score_words, _state_words, _settle_words)
    found = []
    for step, words_of in enumerate(texts):
        if at > step:
            found.append(Cell("late" if step == 0 and row.late else "ok", words_of(row, True)))
        elif at == step:
            found.append(Cell(pressing, words_of(row, False)))
        else:
            found.append(Cell("none", _("未开启") if at < 0 and step == 0 else _("未开始")))
    return tuple(found)


def day(moment: datetime | None) -> str:
    """`10-16`, Beijing time."""
    return f"{moment.astimezone(clock.BEIJING):%m-%d}" if moment else ""


def last_day(due: datetime | None) -> str:
    """The day at whose end a deadline runs out."""
    return day(due - timedelta(seconds=1)) if due else ""


def _until(row: Any) -> str:
    return _("至 %(day)s", day=last_day(row.due_at)) if row.due_at else _("办理中")


def _report_words(row: Any, done: bool) -> str:
    if done:
        return _("迟报 %(day)s", day=day(row.reported_at)) if row.late else day(row.reported_at)
    if row.status == "verifying":
        return _("核实未参加")
    return _("超期，已催告") if row.urged_at else _until(row)


def _check_words(row: Any, done: bool) -> str:
    return _("已检查") if done else _until(row)


def _score_words(row: Any, done: bool) -> str:
    return _("%(n)s 名专家", n=row.experts) if done or row.experts else _until(row)


def _state_words(row: Any, done: bool) -> str:
    if not done:
        return _until(row)
    return _("已陈述") if row.stated else _("无异议") if row.stated_at else _("未答复")


def _settle_words(row: Any, done: bool) -> str:
    return day(row.settled_at) if done else _("待审定")


# ---- looking at them ---------------------------------------------------------------------------------------------


def chosen(found: Sequence[Unit], view: str, query: str, sort: str) -> list[Unit]:
    """The units of a view whose name or code holds every word, in the order that is wanted (`-` turns it round)."""
    parts = normalise_text(query)[:100].casefold().split()
    shown = [
        unit
        for unit in found
        if (not view or view in unit.views) and all(part in f"{unit.name} {unit.code}".casefold() for part in parts)
    ]
    turned, key = sort.startswith("-"), sort.lstrip("-")
    if key == "total":
        held = [unit for unit in shown if unit.total is not None]
        rest = [unit for unit in shown if unit.total is None]
        return [*sorted(held, key=lambda unit: unit.total or Decimal(), reverse=turned), *rest]
    if key == "due":
        timed = [unit for unit in shown if unit.due_at is not None]
        rest = [unit for unit in shown if unit.due_at is None]
        return [*sorted(timed, key=lambda unit: unit.due_at or clock.now(), reverse=turned), *rest]
    return shown[::-1] if turned and key == "name" else shown


def counts(found: Sequence[Unit]) -> dict[str, int]:
    """How many units each view holds."""
    return {view: sum(not view or view in unit.views for unit in found) for view in VIEWS}


def heads(round_: EvaluationRound, found: Sequence[Unit]) -> list[dict[str, Any]]:
    """Each step with how many are past it and how many are overdue at it."""
    rows = []
    for place, label in enumerate(steps(round_).values()):
        kinds = [kind for unit in found if (kind := unit.cells[place].kind) in SEGMENTS]
        done = sum(kind in ("ok", "late") for kind in kinds)
        percent = done * 100 // len(kinds) if kinds else 0
        rows.append(
            {"label": label, "done": done, "total": len(kinds), "over": kinds.count("over"), "percent": percent}
        )
    return rows


def progress(round_: EvaluationRound, found: Sequence[Unit]) -> dict[str, Any]:
    """The bar: units opened while the round opens, then steps by how they stand."""
    opening = round_.status == "opening"
    if opening:
        done, total = round_.opened_units, round_.total_units
        counted = [("now", _("已开启"), done), ("none", _("等待开启"), total - done)]
    else:
        kinds = [cell.kind for unit in found for cell in unit.cells if cell.kind in SEGMENTS]
        total, done = len(kinds), kinds.count("ok") + kinds.count("late")
        counted = [(key, str(label), kinds.count(key)) for key, label in SEGMENTS.items()]
    parts = [
        {"kind": kind, "label": label, "count": n, "percent": round(n * 100 / total, 2) if total else 0}
        for kind, label, n in counted
    ]
    return {"opening": opening, "done": done, "total": total, "percent": done * 100 // (total or 1), "parts": parts}


def tiles(found: Sequence[Unit], now: datetime) -> Mapping[str, Any]:
    """The figures beside the bar: settled, overdue (longest), to be settled."""
    over = [unit for unit in found if "over" in unit.views]
    oldest = min((unit.due_at for unit in over if unit.due_at), default=None)
    return {
        "settled": sum(unit.settled for unit in found),
        "total": len(found),
        "over": len(over),
        "longest": max(0, (now - oldest).days) if oldest and oldest <= now else 0,
        "today": sum("today" in unit.views for unit in found),
        "settling": sum("settling" in unit.views for unit in found),
    }
