"""批量审定: the working group settles the conclusions of many units at once (3.3.2), each on its own.

Each unit is settled by the very task of its case, through the same door as its page, in a transaction of its own: what
cannot be settled says why and keeps nobody else back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import db
from webapp.engine.handler_api import Actor
from webapp.engine.tables import user_task
from webapp.errors import Invalid, QianyinError
from webapp.i18n import _
from webapp.inbox import completing
from webapp.inbox.visibility import visible_tasks
from webapp.registers import evaluation_arrangements as arrangements
from webapp.registers.evaluation_models import EvaluationResult
from webapp.registers.models import LeadUnit
from webapp.registers.values import as_text

#: So many conclusions are settled at once, at most; the next ones follow on the same page.
MOST = 50
#: What the page asks of each unit; the fields are called `<name>:<id of the result>`.
FIELDS = ("arrangement", "answer", "check", "words")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit whose conclusion may be settled now. `before`: the last round's arrangement, which is checked (3.2)."""

    result: EvaluationResult
    task_id: UUID
    before: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one unit."""

    result_id: UUID
    name: str
    done: bool
    message: str


def candidates(session: Session, actor: Actor, round_id: UUID) -> list[Candidate]:
    """Units of a round whose task 审定评价结论 this person may do, by name."""
    t = user_task.c
    query = (
        select(EvaluationResult, t.id)
        .join(user_task, (t.instance_id == EvaluationResult.instance_id) & (t.element_id == "settle"))
        .join(LeadUnit, LeadUnit.id == EvaluationResult.lead_unit_id)
        .where(EvaluationResult.round_id == round_id, EvaluationResult.status == "settling", t.status == "open")
        .where(visible_tasks(actor))
        .order_by(LeadUnit.name)
    )
    rows = session.execute(query).unique().all()
    before = arrangements.before(session, [row[0] for row in rows])
    return [Candidate(row[0], row[1], before.get(row[0].id, "")) for row in rows]


def entered(form: Mapping[str, str], result_id: UUID, shared: str) -> dict[str, Any]:
    """What the page holds of one unit, as its task's form takes it; the shared arrangement where it has no own."""
    given = {name: as_text(form.get(f"{name}:{result_id}")) for name in FIELDS}
    return {
        "arrangement": given["arrangement"] or shared,
        "statement_answer": given["answer"] or None,
        "arrangement_check": given["check"] or None,
        "arrangement_check_words": given["words"] or None,
        "lagging": False,
    }


def settle(
    actor: Actor, chosen: Sequence[tuple[UUID, UUID, str]], form: Mapping[str, str], shared: str
) -> list[Outcome]:
    """Settle the chosen (result, task, name), one after the other; what became of each.

    Errors: Invalid (none chosen, or too many).
    """
    if not chosen:
        raise Invalid(_("请先选中要审定的单位。"))
    if len(chosen) > MOST:
        raise Invalid(_("一次最多审定 %(n)s 家，请分次审定。", n=MOST))
    return [
        _one(actor, task_id, result_id, name, entered(form, result_id, shared)) for result_id, task_id, name in chosen
    ]


def _one(actor: Actor, task_id: UUID, result_id: UUID, name: str, data: dict[str, Any]) -> Outcome:
    def work(session: Session) -> None:
        completing.complete(session, actor, task_id, variables=data, outcome="settle", follow=False)

    try:
        db.retrying(work)
    except completing.FormRefused as refused:
        sentences = [sentence for found in refused.fields.values() for sentence in found]
        return Outcome(result_id, name, False, " ".join(sentences))
    except QianyinError as error:
        return Outcome(result_id, name, False, error.message)
    return Outcome(result_id, name, True, _("已审定"))
