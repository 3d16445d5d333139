"""Four eyes 二人复核: what the same person may not both prepare and decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from webapp.engine.handler_api import Actor
from webapp.engine.tables import user_task
from webapp.engine.types import Element
from webapp.i18n import _

_c = user_task.c


def prepared_by_oneself(session: Session, actor: Actor, row: Any, element: Element) -> str | None:
    """Four eyes 二人复核: why this person may not decide here, None when they may.

    The last completion of each named task counts; in the same case, or for a task of another process in the same root.
    """
    if not element.not_same_as:
        return None
    statement = (
        select(_c.element_id, _c.completed_by, _c.on_behalf_of, _c.name)
        .ext(distinct_on(_c.element_id))
        .where(_c.status == "completed", _c.element_id.in_(element.not_same_as))
        .where(_c.root_instance_id == row.root_instance_id)
        .where((_c.instance_id == row.instance_id) | (_c.definition_key != row.definition_key))
        .order_by(_c.element_id, _c.ended_at.desc())
    )
    acting = {actor.id, row.on_behalf_of} - {None}  # a stand-in and for whom he acts count both
    for done in session.execute(statement):
        if {done.completed_by, done.on_behalf_of} & acting:
            return _("“%(name)s”是您本人办理的，这一步要由另一人办理。", name=done.name)
    return None


def kept_for_others(session: Session, actor: Actor, rows: Sequence[Any], elements: Mapping[UUID, Element]) -> set[UUID]:
    """Of the tasks of one list, those that `prepared_by_oneself` keeps from this person: one statement for all.

    `elements`: by task id, the element of each row.
    """
    asked = [row for row in rows if elements[row.id].not_same_as]
    if not asked:
        return set()
    statement = (
        select(_c.instance_id, _c.root_instance_id, _c.definition_key, _c.element_id, _c.completed_by, _c.on_behalf_of)
        .where(_c.status == "completed", _c.root_instance_id.in_({row.root_instance_id for row in asked}))
        .where(_c.element_id.in_({name for row in asked for name in elements[row.id].not_same_as}))
        .order_by(_c.ended_at)
    )
    done = session.execute(statement).all()
    return {row.id for row in asked if actor.id in _last(done, row, elements[row.id])}


def _last(done: Sequence[Any], row: Any, element: Element) -> set[UUID | None]:
    last: dict[str, set[UUID | None]] = {}
    for one in done:
        near = one.instance_id == row.instance_id or one.definition_key != row.definition_key
        if near and one.root_instance_id == row.root_instance_id and one.element_id in element.not_same_as:
            last[one.element_id] = {one.completed_by, one.on_behalf_of}
    return set().union(*last.values())
