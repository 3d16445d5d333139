"""A round 季度绩效评价 (3.2, 3.3): its quarter, frozen indicator set, opening in the background, counting."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts import settings_service
from webapp.accounts.models import Account, AccountRole
from webapp.engine.commands import StartInstance
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, NotFound
from webapp.i18n import _
from webapp.registers import evaluation_labels as words
from webapp.registers import evaluation_scoring as scoring
from webapp.registers import history, numbers
from webapp.registers.evaluation_models import EvaluationResult, EvaluationRound
from webapp.registers.evaluation_scoring import Quarter
from webapp.registers.models import LeadUnit
from webapp.registers.values import as_int

#: A round that was not voided: only such a one counts, is looked back at, and keeps its quarter from another.
STANDING = EvaluationRound.voided_at.is_(None)
#: How many units' cases one transaction opens: the cost of each is flat, and progress is seen.
BATCH = 25


def quarter(round_: EvaluationRound) -> Quarter:
    """The quarter that a round judges."""
    return Quarter(round_.year, round_.quarter)


def get(session: Session, round_id: UUID) -> EvaluationRound:
    """Errors: NotFound."""
    found = session.get(EvaluationRound, round_id)
    if found is None:
        raise NotFound(_("没有找到该季度评价。"))
    return found


def locked(session: Session, round_id: UUID) -> EvaluationRound:
    """The round with its row locked until the transaction ends. Errors: NotFound."""
    query = select(EvaluationRound).where(EvaluationRound.id == round_id).with_for_update(key_share=True)
    found = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound(_("没有找到该季度评价。"))
    return found


def standing(session: Session, round_id: UUID) -> EvaluationRound:
    """The round, locked, that still counts: nothing is settled in one that was voided meanwhile. Errors: Conflict."""
    round_ = locked(session, round_id)
    if round_.voided_at is not None:
        quarter_words = words.quarter(round_.year, round_.quarter)
        raise Conflict(_("%(quarter)s的评价已整体作废，不再办理。", quarter=quarter_words))
    return round_


def register(session: Session, instance_id: UUID, given: Mapping[str, Any], actor: Actor | None) -> EvaluationRound:
    """A new round, of the quarter that was asked for or of the first that has none. Errors: Conflict."""
    wanted = _wanted(session, given)
    held = (EvaluationRound.year == wanted.year, EvaluationRound.quarter == wanted.number, STANDING)
    if session.scalar(select(EvaluationRound.id).where(*held)) is not None:
        raise Conflict(_("%(quarter)s的评价已经发起。", quarter=words.quarter(wanted.year, wanted.number)))
    if not session.scalar(select(func.count()).where(LeadUnit.status == "listed")):
        raise Conflict(_("名单上没有在册的牵引单位，不能发起评价。"))
    number = numbers.case_number(session, "PJ", clock.today().year)
    round_ = EvaluationRound(number=number, year=wanted.year, quarter=wanted.number, instance_id=instance_id)
    session.add(round_)
    history.record(session, round_, "registered", actor=actor, instance_id=instance_id)
    return round_


def _wanted(session: Session, given: Mapping[str, Any]) -> Quarter:
    year, number = as_int(given.get("year")), as_int(given.get("quarter"))
    if year and number and 1 <= number <= 4:
        return Quarter(year, number)
    present = scoring.quarter_of(clock.today())
    held = {(y, q) for y, q in session.execute(select(EvaluationRound.year, EvaluationRound.quarter).where(STANDING))}
    candidates = [present.before, present, present.after]
    return next((q for q in candidates if (q.year, q.number) not in held), present.after)


# ---- indicators and panel ----------------------------------------------------------------------------------------


def experts(session: Session) -> list[Account]:
    """Active accounts that may judge, by name."""
    held = Account.id.in_(select(AccountRole.account_id).where(AccountRole.role == "expert"))
    return list(session.scalars(select(Account).where(Account.active, held).order_by(Account.name)).unique())


def check(session: Session, data: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with an indicator set and its panel, by field (3.3.2)."""
    found = scoring.check_set(data.get("indicators") or [])
    needed, chosen = int(settings_service.get(session, "expert_count")), set(data.get("experts") or [])
    if len(chosen) < needed:
        found["experts"] = _("请至少选择 %(n)s 名评审专家（工作口径）。", n=needed)
    elif chosen - {account.username for account in experts(session)}:
        found["experts"] = _("有的专家账号已停用，请重新选择。")
    return found


def freeze(session: Session, round_: EvaluationRound, given: Mapping[str, Any], now: datetime) -> datetime:
    """Fix the set for good; gives when reporting opens by itself: on the first working day after the quarter (3.3.1).

    When that has passed, on the next working day, so that the office still chooses the forms of supervision (3.2).
    """
    before = history.snapshot(round_)
    round_.indicators = scoring.frozen(given["indicators"])
    round_.experts = list(given["experts"])
    round_.frozen_at, round_.status = now, "served"
    history.record(session, round_, "signed", before=before, instance_id=round_.instance_id)
    morning = clock.add_working_days(now.astimezone(clock.BEIJING).date(), 1)
    return max(opens_at(quarter(round_)), datetime.combine(morning, time(9), clock.BEIJING))


def opens_at(wanted: Quarter) -> datetime:
    """9:00 Beijing time on the first working day after a quarter."""
    return datetime.combine(clock.next_working_day(wanted.after.start), time(9), clock.BEIJING)


# ---- opening -----------------------------------------------------------------------------------------------------


def begin(session: Session, round_: EvaluationRound, now: datetime) -> None:
    """Enter a result for every listed unit, in one statement; their cases are opened by `open_some`."""
    units = select(LeadUnit.id, LeadUnit.listed_on).where(LeadUnit.status == "listed").order_by(LeadUnit.name)
    start = quarter(round_).start
    rows = [
        EvaluationResult(round_id=round_.id, lead_unit_id=key, newly_admitted=bool(listed and listed >= start))
        for key, listed in session.execute(units)
    ]
    session.add_all(rows)
    before = history.snapshot(round_)
    prompt = now.astimezone(clock.BEIJING).date() <= clock.next_working_day(quarter(round_).after.start)
    begins = datetime.combine(quarter(round_).end, time(12), clock.BEIJING) if prompt else now
    days = int(settings_service.get(session, "report_days"))
    round_.report_due_at = clock.deadline(begins, working_days=days)
    round_.opened_at, round_.total_units, round_.status = now, len(rows), "opening"
    history.record(session, round_, "opened", before=before, instance_id=round_.instance_id)


def open_some(session: Session, round_id: UUID) -> int:
    """Open the cases of some units that have none yet; gives how many. May be called again, by several at once.

    What is the same for every unit is asked for once, and the rows of the units are written together: a unit costs
    little more than the statement that starts its case. Errors: Conflict when the process takes no new cases.
    """
    from webapp.engine import runtime

    round_, engine = locked(session, round_id), runtime.engine()
    mine = EvaluationResult.round_id == round_id, EvaluationResult.instance_id.is_(None)
    waiting = EvaluationResult.status == "waiting"
    query = select(EvaluationResult).where(*mine, waiting).order_by(EvaluationResult.id).limit(BATCH)
    found = session.scalars(query.with_for_update(of=EvaluationResult, skip_locked=True)).unique().all()
    if not found:
        return 0
    assert round_.report_due_at is not None
    definition, suspended = engine.definition(session, key="lead_unit_evaluation")
    if suspended:
        raise Conflict(_("牵引单位季度评价的流程已暂停受理，不能开启。"))
    times = report_times(session, round_.report_due_at)
    with session.no_autoflush:
        for result in found:
            result.status, result.report_due_at = "reporting", round_.report_due_at
            command = StartInstance(
                key="lead_unit_evaluation",
                variables=_first_variables(round_, result, times),
                business_key=round_.number,
                org_id=result.lead_unit.organisation_id,
                root_instance_id=round_.instance_id,
            )
            result.instance_id = engine.start(session, command, None, definition=definition).instance_id
    round_.opened_units += len(found)
    if round_.opened_units >= round_.total_units and round_.status == "opening":
        round_.status = "running"
    session.flush()
    return len(found)


def _first_variables(round_: EvaluationRound, result: EvaluationResult, times: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "round_id": str(round_.id),
        "result_id": str(result.id),
        "lead_unit_name": result.lead_unit.name,
        "quarter_words": words.quarter(round_.year, round_.quarter),
        "newly_admitted": result.newly_admitted,
        **times,
    }


def report_times(session: Session, due: datetime) -> dict[str, Any]:
    """When a report due at `due` is reminded of, and when the grace after 催告 ends (house rules)."""
    last = (due - timedelta(seconds=1)).astimezone(clock.BEIJING)
    ahead = clock.add_working_days(last.date(), -int(settings_service.get(session, "reminder_working_days")))
    grace = int(settings_service.get(session, "report_grace_days"))
    return {
        "report_due_at": due,
        "remind_at": datetime.combine(ahead, time(9), clock.BEIJING),
        "absent_at": clock.deadline(last, working_days=grace),
    }


# ---- counting ----------------------------------------------------------------------------------------------------


def count_settled(session: Session, round_id: UUID) -> bool:
    """One more unit has its outcome; whether it was the last. Under the round's row lock, without counting rows."""
    round_ = locked(session, round_id)
    round_.settled_units += 1
    if round_.settled_units < round_.total_units:
        return False
    round_.status = "settled"
    return True


def close(session: Session, round_: EvaluationRound, actor: Actor | None, now: datetime) -> None:
    """The report is confirmed (3.3.2) and takes its 文号 in the same transaction. Errors: Conflict (voided)."""
    standing(session, round_.id)
    before = history.snapshot(round_)
    round_.report_number = numbers.document_number(session, "evaluation_report", now.astimezone(clock.BEIJING).year)
    round_.status, round_.closed_at = "closed", now
    history.record(session, round_, "closed", before=before, actor=actor, instance_id=round_.instance_id)
