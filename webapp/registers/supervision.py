"""监督检查 (3.2): which forms a round or a unit is checked by, and the records of interviews and site visits.

3.2 asks for 多种形式 and names four; which of them a quarter uses is the office's choice, two at least.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp import clock
from webapp.documents.models import Document
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, Invalid
from webapp.i18n import _, lazy
from webapp.registers import history, questionnaires, spot_checks
from webapp.registers.evaluation_models import EvaluationResult, EvaluationRound
from webapp.registers.supervision_models import SupervisionRecord
from webapp.registers.values import as_date, as_int, as_text, as_uuid

#: The four forms that 3.2 names, in its order.
CHECKS = {
    "questionnaire": lazy("问卷调查"),
    "interview": lazy("电话访谈"),
    "visit": lazy("实地走访"),
    "spot_check": lazy("项目抽查"),
}
#: What a round orders when reporting opens by itself, and what the form proposes (house rule).
USUAL = ("questionnaire", "interview")
FEWEST = 2
#: A unit's own choice may be changed as long as its checks have not begun.
OPEN_TO_CHANGE = frozenset({"waiting", "reporting", "verifying"})


def options() -> list[dict[str, str]]:
    """The forms of supervision as a form's options."""
    return [{"value": name, "label": str(label)} for name, label in CHECKS.items()]


def check_order(chosen: Iterable[str]) -> str:
    """Why this choice of forms cannot be ordered, or nothing (3.2: 多种形式)."""
    wanted = set(chosen)
    if len(wanted & set(CHECKS)) < FEWEST or wanted - set(CHECKS):
        return _("第 3.2 条要求以多种形式监督检查，请至少选择 %(n)s 种。", n=FEWEST)
    return ""


def order_for_round(session: Session, round_: EvaluationRound, chosen: Iterable[str] | None) -> None:
    """What the round is checked by; None: the usual forms."""
    wanted = set(USUAL if chosen is None else chosen)
    round_.checks = [name for name in CHECKS if name in wanted]
    session.flush()


def order_for_unit(session: Session, result: EvaluationResult, chosen: Iterable[str], actor: Actor | None) -> None:
    """What this unit alone is checked by. Errors: Conflict (its checks have begun), Invalid (fewer than two)."""
    if result.status not in OPEN_TO_CHANGE:
        raise Conflict(_("该单位的监督检查已经开始，不能再改检查形式。"))
    wanted = set(chosen)
    if words := check_order(wanted):
        raise Invalid(words, fields={"checks": [words]})
    before, listed = history.snapshot(result), [name for name in CHECKS if name in wanted]
    result.checks = None if listed == list(result.round.checks) else listed
    history.record(session, result, "changed", before=before, actor=actor, instance_id=result.instance_id)


def ordered(result: EvaluationResult) -> list[str]:
    """The forms that hold for a unit: its own, else those of its round."""
    return list(result.round.checks if result.checks is None else result.checks)


def begin(session: Session, result: EvaluationResult) -> dict[str, bool]:
    """Which checks are carried out now, by form; one that has nobody to ask or nothing to draw from is noted."""
    wanted, asked = ordered(result), bool(questionnaires.pilots(session, result))
    why = {}
    for name in wanted:
        if name in ("questionnaire", "interview") and not asked:
            why[name] = _("本季度末没有服务的试点企业。")
        elif name == "spot_check" and not spot_checks.population(session, result):
            why[name] = _("本季度末没有已签合同的改造项目。")
    held = {name: name in wanted and name not in why for name in CHECKS}
    before = history.snapshot(result)
    result.unchecked = why
    if any(held.values()):
        result.status = "checking"
    history.record(session, result, "changed", before=before, instance_id=result.instance_id)
    return held


# ---- records -----------------------------------------------------------------------------------------------------


def check_records(kind: str, data: Mapping[str, Any], now: datetime) -> dict[str, str]:
    """What is wrong with interviews or visits, by field: at least one, or why there was none; nothing of the future."""
    rows, found = data.get("rows") or [], {}
    if not rows and not as_text(data.get("none_words")):
        found["none_words"] = _("没有记录的，请写明未开展的原因。")
    today = now.astimezone(clock.BEIJING).date()
    for at, row in enumerate(rows):
        if (day := as_date(row.get("held_on"))) is not None and day > today:
            found[f"rows[{at}].held_on"] = _("日期不能晚于今天。")
        if kind == "interview" and as_uuid(row.get("pilot_enterprise_id")) is None:
            found[f"rows[{at}].pilot_enterprise_id"] = _("请选择受访企业。")
    return found


def enter_records(
    session: Session,
    result: EvaluationResult,
    kind: str,
    given: Mapping[str, Any],
    actor: Actor | None,
    now: datetime,
) -> None:
    """Enter the interviews or visits of a unit; none: why, in `unchecked`. Their photos stay inside."""
    rows: Sequence[Mapping[str, Any]] = given.get("rows") or []
    known = {pilot.id for pilot in questionnaires.pilots(session, result)}
    for row in rows:
        pilot = as_uuid(row.get("pilot_enterprise_id"))
        record = SupervisionRecord(
            result_id=result.id,
            kind=kind,
            held_on=as_date(row.get("held_on")) or clock.today(),
            pilot_enterprise_id=pilot if pilot in known else None,
            person=as_text(row.get("person")),
            mark=as_int(row.get("mark")),
            words=as_text(row.get("words")),
            documents=[str(document) for document in row.get("photos") or []],
            entered_at=now,
            entered_by=actor.name if actor else "",
        )
        session.add(record)
        history.record(session, record, "registered", actor=actor, instance_id=result.instance_id)
        keep_inside(session, [UUID(document) for document in record.documents])
    if not rows:
        result.unchecked = {**result.unchecked, kind: as_text(given.get("none_words"))}
    session.flush()


def keep_inside(session: Session, document_ids: Iterable[UUID]) -> None:
    """Photos and evidence of a check are the working group's and the experts', not the judged unit's."""
    session.execute(update(Document).where(Document.id.in_(list(document_ids))).values(org_id=None))


def records(session: Session, result_id: UUID, kind: str) -> list[SupervisionRecord]:
    """The interviews or visits of a unit in a round, by day."""
    mine = SupervisionRecord.result_id == result_id, SupervisionRecord.kind == kind
    query = select(SupervisionRecord).where(*mine).order_by(SupervisionRecord.held_on, SupervisionRecord.id)
    return list(session.scalars(query).unique())
