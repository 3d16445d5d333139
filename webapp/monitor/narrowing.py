"""Where the first rows of a sorted list must lie, so that a page needs not read every case that a filter holds.

A page that is filled from such a part is exactly the page of the whole; one that is not filled is asked for again
without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, literal_column, select

from webapp.engine.tables import process_instance, user_task
from webapp.monitor.sorting import next_due

#: Cases, begun last or first, among which very common words are looked for.
CASES = 2000
#: Open tasks, due soonest or latest, among whose cases a list by deadlines is looked for.
TASKS = 500
_i, _t = process_instance.c, user_task.c


def by_begin(but_words: Sequence[ColumnElement[bool]], *, falling: bool) -> ColumnElement[bool]:
    """Among those begun last (`falling`) or first of all that the clauses hold, the words looked for left out."""
    order = (_i.started_at.desc(), _i.id.desc()) if falling else (_i.started_at.asc(), _i.id.asc())
    near = select(_i.id).where(*but_words).order_by(*order).limit(_written(CASES))
    return _i.id.in_(near.correlate(None))


def by_deadline(*, falling: bool) -> ColumnElement[bool]:
    """With an open task due no later than the five hundredth of all (`falling`: and none due before it)."""
    due = _t.due_at.desc() if falling else _t.due_at.asc()
    known = (_t.status == "open", _t.due_at.is_not(None))
    last: Any = select(_t.due_at).where(*known).order_by(due).offset(_written(TASKS)).limit(_written(1))
    last = last.scalar_subquery()
    near = _i.id.in_(select(_t.instance_id).where(*known, _t.due_at >= last if falling else _t.due_at <= last))
    return and_(near, next_due >= last) if falling else near


def _written(number: int) -> ColumnElement[Any]:
    """Written out, not bound: the planner must know how little is wanted."""
    return literal_column(str(number), Integer)
