"""The columns that the list of instances can show: the same on the page, in the choice of columns and in an export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for

from webapp.i18n import _, lazy
from webapp.inbox import deadlines
from webapp.monitor import presenting

Shape = dict[str, Any]
#: A column of a searchable variable is named so.
VARIABLE = "var."
#: How many columns one may choose.
MOST = 14


@dataclass(frozen=True, slots=True)
class Column:
    """`cell`: a row as {text, meta?, url?} or a deadline or badge; `plain`: the values of an export, by `heads`."""

    key: str
    label: Any
    kind: str  # title | text | when | state
    width: int | None
    cell: Callable[[Any, datetime], Any]
    heads: Sequence[Any]
    plain: Callable[[Any], Sequence[Any]]
    sort: str = ""


def _title(row: Any, _now: datetime) -> Shape:
    return {
        "text": row.title or row.definition_name,
        "meta": row.business_key or row.definition_name,
        "url": url_for("monitor.instance", instance_id=row.id),
    }


def _stage(row: Any, _now: datetime) -> Shape:
    stage, where = presenting.stage_label(row), presenting.where(row)
    return {"text": stage or where, "meta": where if stage else ""}


def _due(row: Any, now: datetime) -> Any:
    return deadlines.tell(row.due_at, now) if row.status == "active" else None


def _state(row: Any, _now: datetime) -> Shape:
    word, tone = presenting.state(row)
    return {"word": word, "tone": tone, "incidents": row.incidents}


def _text(of: Callable[[Any], str]) -> Callable[[Any, datetime], Shape]:
    return lambda row, _now: {"text": of(row), "meta": ""}


def _day(at: datetime | None) -> str:
    return presenting.day(at) if at else ""


COLUMNS: Mapping[str, Column] = {
    column.key: column
    for column in (
        Column(
            "title",
            lazy("事项"),
            "title",
            None,
            _title,
            (lazy("编号"), lazy("事项")),
            lambda row: (row.business_key, row.title or row.definition_name),
            "title",
        ),
        Column(
            "stage",
            lazy("现在何处"),
            "text",
            220,
            _stage,
            (lazy("所处阶段"), lazy("所在环节")),
            lambda row: (presenting.stage_label(row), presenting.where(row)),
            "stage",
        ),
        Column(
            "process",
            lazy("流程"),
            "text",
            190,
            _text(lambda row: str(row.definition_name)),
            (lazy("流程"),),
            lambda row: (row.definition_name,),
        ),
        Column(
            "version",
            lazy("版本"),
            "text",
            90,
            _text(lambda row: _("第 %(n)s 版", n=row.definition_version)),
            (lazy("版本"),),
            lambda row: (row.definition_version,),
        ),
        Column(
            "unit",
            lazy("牵引单位"),
            "text",
            200,
            _text(lambda row: row.organisation or ""),
            (lazy("牵引单位"),),
            lambda row: (row.organisation,),
        ),
        Column(
            "holders",
            lazy("经办人"),
            "text",
            120,
            _text(lambda row: row.holders or ""),
            (lazy("经办人"),),
            lambda row: (row.holders,),
        ),
        Column(
            "starter",
            lazy("发起人"),
            "text",
            110,
            _text(lambda row: row.starter or _("系统")),
            (lazy("发起人"),),
            lambda row: (row.starter or _("系统"),),
        ),
        Column(
            "started",
            lazy("发起"),
            "text",
            110,
            _text(lambda row: _day(row.started_at)),
            (lazy("发起"),),
            lambda row: (row.started_at,),
            "started",
        ),
        Column(
            "ended",
            lazy("办结"),
            "text",
            110,
            _text(lambda row: _day(row.ended_at)),
            (lazy("办结"),),
            lambda row: (row.ended_at,),
            "ended",
        ),
        Column(
            "took",
            lazy("用时"),
            "text",
            120,
            _text(lambda row: deadlines.span(row.ended_at - row.started_at) if row.ended_at else ""),
            (lazy("用时（天）"),),
            lambda row: (round((row.ended_at - row.started_at).total_seconds() / 86400, 2) if row.ended_at else None,),
        ),
        Column("due", lazy("最近时限"), "when", 200, _due, (lazy("最近时限"),), lambda row: (row.due_at,), "due"),
        Column(
            "state",
            lazy("状态"),
            "state",
            120,
            _state,
            (lazy("状态"), lazy("异常")),
            lambda row: (presenting.state(row)[0], row.incidents),
        ),
    )
}
USUAL = ("title", "stage", "unit", "started", "due", "state")
#: What an export holds when no columns were chosen.
EXPORTED = ("title", "process", "version", "stage", "unit", "holders", "starter", "started", "ended", "due", "state")


def variable(name: str) -> Column:
    """The column of a searchable variable."""

    def held(row: Any) -> Any:
        value = (row.business or {}).get(name)
        return presenting.value(value) if isinstance(value, bool) else value

    def cell(row: Any, _now: datetime) -> Shape:
        value = held(row)
        return {"text": "" if value is None else str(value), "meta": ""}

    return Column(VARIABLE + name, name, "text", 160, cell, (name,), lambda row: (held(row),))


def chosen(words: str, variables: Iterable[str]) -> list[Column]:
    """The columns that an address names (`title,due,var.lead_unit_name`); what it does not know is left out."""
    known = set(variables)
    found: dict[str, Column] = {}
    for key in words.split(","):
        if key in COLUMNS:
            found[key] = COLUMNS[key]
        elif key.startswith(VARIABLE) and key.removeprefix(VARIABLE) in known:
            found[key] = variable(key.removeprefix(VARIABLE))
    return list(found.values())[:MOST]


def shown(words: str, variables: Iterable[str]) -> list[Column]:
    """The columns of the page: those chosen, always with the title; else the usual ones."""
    found = chosen(words, variables)
    if not found:
        return [COLUMNS[key] for key in USUAL]
    return found if any(column.key == "title" for column in found) else [COLUMNS["title"], *found][:MOST]


def exported(words: str, variables: Iterable[str]) -> list[Column]:
    """The columns of an export: those of the page when they were chosen, else all that tell something."""
    return shown(words, variables) if chosen(words, variables) else [COLUMNS[key] for key in EXPORTED]
