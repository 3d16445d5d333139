"""A review's hearing (4.4): how the unit is told, until when it may state its case, and what it said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts import settings_service
from webapp.engine.handler_api import Actor
from webapp.i18n import _
from webapp.registers import history, numbers
from webapp.registers.models import Expulsion
from webapp.registers.values import as_date


def tell(session: Session, review: Expulsion, now: datetime, *, actor: Actor | None) -> None:
    """Number the 清退告知书; its period runs from the next day, in working days (house rule)."""
    before = history.snapshot(review)
    review.told_number = numbers.document_number(session, "expulsion_told", (as_date(now) or now.date()).year)
    review.told_at, review.statement_due_at = now, due_at(session, now)
    review.status = "hearing"
    for ground in review.grounds:
        ground.told_at = now
    history.record(session, review, "told", before=before, actor=actor, instance_id=review.instance_id)


def due_at(session: Session, now: datetime) -> datetime:
    """When the period of a statement ends that begins on the day after `now`."""
    return clock.deadline(now, working_days=int(settings_service.get(session, "statement_days")))


def state(
    session: Session,
    review: Expulsion,
    kind: str,
    words: str,
    files: Sequence[Any],
    *,
    actor: Actor | None,
    now: datetime,
) -> None:
    """Record what the unit said. `kind`: statement | waived | silent."""
    said = {
        "at": now.isoformat(),
        "by": actor.name if actor else "",
        "kind": kind,
        "words": words,
        "files": [str(key) for key in files],
    }
    before = history.snapshot(review)
    review.statements = [*review.statements, said]
    review.status = "proposing"
    action = "silent" if kind == "silent" else "stated"
    history.record(session, review, action, before=before, actor=actor, instance_id=review.instance_id)


def said_words(review: Expulsion) -> str:
    """Everything that the unit said or did not say, oldest first; empty when it was not asked."""
    parts = []
    for said in review.statements:
        day = as_date(said["at"])
        if said["kind"] == "statement":
            parts.append(f"{said['words']}（{said['by']}，{day}）")
        else:
            parts.append(
                _("%(day)s 放弃陈述申辩。", day=day)
                if said["kind"] == "waived"
                else _("期限届满（%(day)s），未提出陈述申辩。", day=day)
            )
    return "\n".join(parts)
