"""The real history of finished cases on a new version: which of them would have taken another path.

Each case is begun in the sandbox with what it was given; its people's answers, messages, timers and the results of its
handlers are taken from the history in their order; decisions, conditions and scripts are computed anew. Nothing is
written. What history does not keep, the first value of a variable that was changed later, is missing at the start.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from webapp.designer.scenarios import service
from webapp.designer.scenarios.running import label, standing
from webapp.designer.scenarios.sandbox import Sandbox, Stopped, Surroundings, Wait, named
from webapp.engine import queries
from webapp.engine.handler_api import Hooks
from webapp.engine.tables import process_instance, user_task
from webapp.engine.types import Element, Variables
from webapp.errors import QianyinError
from webapp.i18n import _

MOST: Final = 100
SECONDS: Final = 2.0  # for one case
_p, _u = process_instance.c, user_task.c


@dataclass(frozen=True, slots=True)
class Replayed:
    """One finished case on the new version. `difference`: where it leaves its real path, None: the same path.

    `before`, `after`: the elements that it came by, in order.
    """

    instance_id: UUID
    number: str
    title: str
    ended_at: datetime | None
    difference: str | None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        return self.difference is None


@dataclass(slots=True)
class _History:
    """What is known of one case."""

    row: Row[Any]
    activities: list[Row[Any]]
    given: Mapping[str, Any]
    answers: dict[UUID, tuple[Mapping[str, Any], str | None]]  # task id -> form data, outcome


def replay(
    session: Session, resources: Mapping[str, bytes], hooks: Hooks, process: str, *, last: int = 20
) -> list[Replayed]:
    """The last finished cases of a process on these files, the latest first. Errors: Invalid (files with errors)."""
    around = service.prepared(session, resources, hooks)
    finished = _p.status.in_(("completed", "terminated", "failed"))
    statement = select(process_instance).where(_p.definition_key == process, finished)
    rows = session.execute(statement.order_by(_p.ended_at.desc(), _p.id.desc()).limit(min(last, MOST))).all()
    return [_replayed(_history(session, row), around) for row in rows]


def _history(session: Session, row: Row[Any]) -> _History:
    activities = queries.history(session, row.id)
    changed = {name for one in activities for name in (one.variables or {})}
    final = queries.variables(session, row.id)
    tasks = session.execute(select(_u.id, _u.form_data, _u.outcome).where(_u.instance_id == row.id))
    answers = {one.id: (queries.decoded(one.form_data or {}), one.outcome) for one in tasks}
    return _History(row, activities, {k: v for k, v in final.items() if k not in changed}, answers)


def _replayed(history: _History, around: Surroundings) -> Replayed:
    row = history.row
    before = tuple(one.element_id for one in history.activities if not one.cancelled)
    box = Sandbox(around, row.started_at, _Doubles(history.activities), seconds=SECONDS)
    try:
        box.start(row.definition_key, history.given)
        difference = _drive(box, history) or _other_path(box, before)
    except QianyinError as error:
        difference = str(error) if isinstance(error, Stopped) else _("无法重演：%(why)s", why=str(error))
    after = tuple(step for step in box.path if ":" not in step)
    return Replayed(row.id, row.business_key or "", row.title, row.ended_at, difference, before, after)


class _Doubles:
    """What handlers and called cases gave, by element in the order of history."""

    def __init__(self, activities: Sequence[Row[Any]]) -> None:
        self._given: dict[str, deque[Mapping[str, Any]]] = defaultdict(deque)
        for one in activities:
            if not one.cancelled:
                self._given[one.element_id].append(queries.decoded(one.variables or {}))

    def __call__(self, element: Element, _variables: Variables) -> Mapping[str, Any] | None:
        known = self._given.get(element.id)
        if not known:
            return {} if element.called_key else None
        return known.popleft() if len(known) > 1 else known[0]


def _drive(box: Sandbox, history: _History) -> str | None:
    """Give the case what came from outside, in order; the first thing that does not fit, in words."""
    for one in _from_outside(history.activities):
        wait = next((wait for wait in box.waits.values() if wait.element.id == one.element_id), None)
        if wait is None or wait.kind == "incident":
            return _unlike(box, one)
        _give(box, wait, one, history)
    return None


def _from_outside(activities: Sequence[Row[Any]]) -> Iterator[Row[Any]]:
    kinds = {"userTask", "receiveTask", "intermediateCatchEvent", "boundaryEvent"}
    return (one for one in activities if one.element_type in kinds and not one.cancelled)


def _give(box: Sandbox, wait: Wait, one: Row[Any], history: _History) -> None:
    box.at = max(box.at, one.ended_at)
    changed = queries.decoded(one.variables or {})
    if wait.kind == "task":
        data, outcome = history.answers.get(one.task_id, ({}, None))
        box.complete(wait, {**changed, **data}, outcome)
    else:
        box.deliver(wait, changed)


def _unlike(box: Sandbox, one: Row[Any]) -> str:
    name = one.element_name or one.element_id
    if one.element_id not in box.cases[0].compiled.elements:
        return _("原来办理了“%(name)s”，新版没有这一环节；新版中%(standing)s。", name=name, standing=standing(box))
    return _("原来到了“%(name)s”，新版中此时%(standing)s。", name=name, standing=standing(box))


def _other_path(box: Sandbox, before: Sequence[str]) -> str | None:
    """Parallel branches may end in another order: what counts is by which elements it came, and how often."""
    known, came = Counter(before), Counter(step for step in box.path if ":" not in step)
    more = [step for step in box.path if came[step] > known[step]]
    if more:
        return _("新版还会经过“%(name)s”。", name=label(box, more[0]))
    if box.state == "waiting":
        return _("原来到此已办结，新版中%(standing)s。", standing=standing(box))
    fewer = [step for step in before if known[step] > came[step]]
    if fewer:
        element = box.cases[0].compiled.elements.get(fewer[0])
        return _("新版不再经过“%(name)s”。", name=fewer[0] if element is None else named(element))
    return None
