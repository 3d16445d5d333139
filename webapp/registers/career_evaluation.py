"""What a lead unit's career 履历 says of its evaluation: commitments (3.1), quarters with grade (3.2), consequences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.engine.handler_api import Actor
from webapp.i18n import _
from webapp.registers import evaluation_labels, evaluation_lists, labels
from webapp.registers.career import Event, day_of
from webapp.registers.evaluation_models import Commitment, EvaluationConsequence, EvaluationResult, EvaluationRound
from webapp.registers.evaluation_scoring import Quarter
from webapp.registers.models import LeadUnit
from webapp.registers.values import as_date

#: grade -> tone of its bar
TONES = {"excellent": "good", "good": "good", "pass": "run", "fail": "bad", "absent": "bad"}
#: Statuses in which a total is known, though it may still change.
PRELIMINARY = ("stating", "settling")


def results(session: Session, actor: Actor, unit: LeadUnit) -> list[EvaluationResult]:
    """The unit's results that this person sees, the earliest quarter first; rounds that were voided are left out."""
    query = select(EvaluationResult).join(EvaluationResult.lead_unit).join(EvaluationResult.round)
    mine = EvaluationResult.lead_unit_id == unit.id, evaluation_lists.results_scope(actor)
    query = query.where(*mine, EvaluationRound.status != "voided")
    return list(session.scalars(query.order_by(EvaluationRound.year, EvaluationRound.quarter)).unique())


def commitments(session: Session, unit: LeadUnit) -> list[Commitment]:
    """Every signed version, the earliest first."""
    query = select(Commitment).where(Commitment.lead_unit_id == unit.id)
    return list(session.scalars(query.order_by(Commitment.year, Commitment.version)).unique())


def consequences(session: Session, unit: LeadUnit) -> list[EvaluationConsequence]:
    """What conclusions brought about, the earliest first; those of a voided round have fallen."""
    mine = EvaluationConsequence.lead_unit_id == unit.id, EvaluationConsequence.fell_at.is_(None)
    return list(session.scalars(select(EvaluationConsequence).where(*mine)).unique())


def events(
    signed: Sequence[Commitment], judged: Sequence[EvaluationResult], brought: Sequence[EvaluationConsequence]
) -> list[Event]:
    """All of it as events of the career."""
    return [*map(_commitment, signed), *(_result(result) for result in judged), *map(_consequence, brought)]


def _commitment(entry: Commitment) -> Event:
    first = entry.version == 1
    title = _("签订 %(y)s 年绩效任务书", y=entry.year) if first else _("%(y)s 年绩效任务书补充协议", y=entry.year)
    words = _("%(n)s 项指标，自第 %(q)s 季度起执行", n=len(entry.indicators), q=entry.effective_quarter)
    begins = Quarter(entry.year, entry.effective_quarter).start
    span = (max(begins, entry.signed_on) if first else begins, date(entry.year, 12, 31))
    mark = _("%(y)s 年任务书", y=entry.year) if first else _("补充协议")
    url = url_for("evaluation.commitment", entry_id=entry.id)
    label = _("%(y)s 年第 %(v)s 版", y=entry.year, v=entry.version)
    return Event(entry.signed_on, "commitment", title, words, url, label, "run", mark, span)


def _result(entry: EvaluationResult) -> Event:
    quarter = Quarter(entry.round.year, entry.round.quarter)
    name = evaluation_labels.quarter(quarter.year, quarter.number)
    at = as_date(entry.settled_at) or as_date(entry.reported_at) or as_date(entry.round.opened_at) or quarter.end
    url, span = url_for("evaluation.result", entry_id=entry.id), (quarter.start, quarter.end)
    grade = labels.word(evaluation_labels.GRADE, entry.grade)
    if entry.settled_at is None:
        told = _("初评 %(total)s 分", total=entry.total) if _is_preliminary(entry) else ""
        state = labels.word(evaluation_labels.RESULT, entry.status)
        title = _("%(quarter)s绩效评价：%(state)s", quarter=name, state=state)
        mark = f"{entry.total} {_('初评')}" if told else state
        return Event(at, "evaluation", title, told, url, entry.round.number, "idle", mark, span)
    if entry.status == "left":  # ended without a conclusion; the arrangement holds why
        state = labels.word(evaluation_labels.RESULT, entry.status)
        title = _("%(quarter)s绩效评价：%(state)s", quarter=name, state=state)
        return Event(at, "evaluation", title, entry.arrangement or "", url, entry.round.number, "idle", state, span)
    total = f"{entry.total} " if entry.total is not None else ""
    title = _("%(quarter)s审定 %(result)s", quarter=name, result=f"{total}{grade}")
    note = _("下一阶段安排：%(words)s", words=entry.arrangement) if entry.arrangement else ""
    if entry.late:
        note = "；".join(filter(None, [_("材料迟报"), note]))
    tone = TONES.get(entry.grade or "", "idle")
    return Event(at, "evaluation", title, note, url, entry.round.number, tone, f"{total}{grade}", span)


def _is_preliminary(entry: EvaluationResult) -> bool:
    return entry.total is not None and entry.status in PRELIMINARY


def _consequence(entry: EvaluationConsequence) -> Event:
    title = labels.word(evaluation_labels.CONSEQUENCE, entry.kind)
    title = _("%(what)s：第 %(n)s 条", what=title, n=entry.clause)
    url = url_for("evaluation.result", entry_id=entry.result_id)
    return Event(
        day_of(entry.recorded_at), "consequence", title, entry.reason, url, _("查看"), "bad", f"{entry.clause}"
    )
