"""Work that the demo leaves to the worker: documents of lists and rounds that no process of this database has made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.engine import store
from webapp.engine.bpmn.codec import clone, encode
from webapp.ids import uuid7
from webapp.registers import numbers
from webapp.registers.evaluation_models import EvaluationRound


def make_documents(session: Session, notice_id: UUID) -> None:
    """Have the PDF and DOCX of a published notice made, as `ctx.enqueue` does inside a step."""
    _defer(session, "documents.notice", {"notice_id": str(notice_id)})


def make_reports(session: Session) -> None:
    """Give the rounds that are closed already their 文号, and have their reports made as PDF, DOCX and XLSX."""
    closed = EvaluationRound.closed_at.is_not(None), EvaluationRound.report_number.is_(None)
    for round_ in session.scalars(select(EvaluationRound).where(*closed).order_by(EvaluationRound.closed_at)):
        assert round_.closed_at is not None
        year = round_.closed_at.astimezone(clock.BEIJING).year
        round_.report_number = numbers.document_number(session, "evaluation_report", year)
        _defer(session, "round.report", {"round_id": str(round_.id)})


def _defer(session: Session, topic: str, variables: Mapping[str, Any]) -> None:
    arguments = encode(clone(dict(variables)))
    args = {"topic": topic, "arguments": arguments, "key": str(uuid7()), "instance_id": None}
    store.defer(session, [store.Defer("qianyin.call", args, queue="external")])
