"""By what a list of cases may be sorted, and where: what no index holds is offered only where few cases are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select

from webapp.engine.tables import process_instance, user_task

_i, _t = process_instance.c, user_task.c
#: The next deadline of a case.
next_due = (
    select(func.min(_t.due_at))
    .where(_t.instance_id == _i.id, _t.status == "open")
    .correlate(process_instance)
    .scalar_subquery()
)
SORTS: Mapping[str, ColumnElement[Any]] = {
    "started": _i.started_at,
    "ended": _i.ended_at,
    "title": func.left(
        _i.title, literal_column("100")
    ),  # as ix_process_instance_title has it: a title may be longer than an index takes
    "stage": _i.stage,
    "due": next_due,
}
NEVER_NULL = frozenset({"started", "title"})
#: What finished cases have too.
_ANYWHERE = frozenset({"started", "ended", "title"})
#: Views with the finished cases of all years: these have neither a deadline nor a stage any more.
_OF_YEARS = frozenset({"done", "ended", "all"})
USUAL = "-started"


def offered(view: str) -> frozenset[str]:
    """The keys of SORTS by which this view may be sorted."""
    return _ANYWHERE if view in _OF_YEARS else frozenset(SORTS)


def settled(view: str, sort: str) -> str:
    """`sort` where the view offers it (`-` for falling), else what is usual."""
    return sort if sort.removeprefix("-") in offered(view) else USUAL
