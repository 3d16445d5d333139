"""A round 季度绩效评价 (3.2, 3.3): its quarter, frozen indicator set, opening in the background, counting, report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_
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
from webapp.registers.values import as_int, as_text

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
    """Fix the set for good; gives when reporting opens: 9:00 on the first working day after the quarter (3.3.1)."""
    before = history.snapshot(round_)
    round_.indicators = scoring.frozen(given["indicators"])
    round_.experts = list(given["experts"])
    round_.frozen_at, round_.status = now, "served"
    history.record(session, round_, "signed", before=before, instance_id=round_.instance_id)
    return opens_at(quarter(round_))


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


# ---- counting and the report -------------------------------------------------------------------------------------


def count_settled(session: Session, round_id: UUID) -> bool:
    """One more unit has its outcome; whether it was the last. Under the round's row lock, without counting rows."""
    round_ = locked(session, round_id)
    round_.settled_units += 1
    if round_.settled_units < round_.total_units:
        return False
    round_.status = "settled"
    return True


def close(session: Session, round_: EvaluationRound, actor: Actor | None, now: datetime) -> None:
    """The report is confirmed (3.3.2)."""
    before = history.snapshot(round_)
    round_.status, round_.closed_at = "closed", now
    history.record(session, round_, "closed", before=before, actor=actor, instance_id=round_.instance_id)


@dataclass(frozen=True, slots=True)
class Line:
    """One unit in the ranking; `rank` None where nothing is graded. `earlier`: its last totals, oldest first."""

    rank: int | None
    result: EvaluationResult
    dimensions: dict[str, Decimal | None]
    earlier: tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a round, from which page, PDF and XLSX are made alike."""

    lines: list[Line]
    grades: dict[str, int]
    mean: Decimal | None
    dimensions: dict[str, Decimal]  # mean points of each dimension over the units to which it applies
    weights: dict[str, Decimal]


def results(session: Session, round_id: UUID) -> list[EvaluationResult]:
    """All units of a round, by name."""
    query = select(EvaluationResult).join(EvaluationResult.lead_unit).where(EvaluationResult.round_id == round_id)
    return list(session.scalars(query.order_by(LeadUnit.name)).unique())


def report(session: Session, round_: EvaluationRound) -> Report:
    """Ranking, distribution, means per dimension, each unit against its last three quarters (3.2)."""
    found = results(session, round_.id)
    ranked = sorted((r for r in found if _counts(r)), key=lambda r: (-(r.total or 0), r.lead_unit.name))
    totals = [r.total for r in ranked if r.total is not None]
    places = {r.id: 1 + sum(total > r.total for total in totals if r.total is not None) for r in ranked}
    earlier = _earlier(session, round_)
    rest = [r for r in found if not _counts(r)]
    lines = [Line(places.get(r.id), r, _points(r.scores), earlier.get(r.lead_unit_id, ())) for r in [*ranked, *rest]]
    names = dict.fromkeys(i["dimension"] for i in round_.indicators)
    weights = {
        n: sum((Decimal(i["weight"]) for i in round_.indicators if i["dimension"] == n), Decimal()) for n in names
    }
    return Report(
        lines=lines,
        grades={grade: sum(r.grade == grade for r in found) for grade in words.GRADE},
        mean=mean(totals),
        dimensions=_means([r for r in found if _counts(r)], list(names)),
        weights=weights,
    )


def _counts(result: EvaluationResult) -> bool:
    """Whether a result is ranked: it has a total and a grade of its own (not 不定等, not absent)."""
    return result.total is not None and result.grade in ("excellent", "good", "pass", "fail")


def _means(found: Sequence[EvaluationResult], names: Sequence[str]) -> dict[str, Decimal]:
    """Mean points of each dimension at its own weight, over the units to which all of it applies."""
    means = {}
    for name in names:
        mine = [[row for row in result.scores if row["dimension"] == name] for result in found]
        whole = [rows for rows in mine if rows and all(row["score"] is not None for row in rows)]
        points = [sum((Decimal(r["score"]) * Decimal(r["weight"]) for r in rows), Decimal()) / 100 for rows in whole]
        if (held := mean(points)) is not None:
            means[name] = held
    return means


def _points(rows: Sequence[Mapping[str, Any]]) -> dict[str, Decimal | None]:
    found: dict[str, Decimal | None] = {}
    for row in rows:
        if row["points"] is None:
            found.setdefault(row["dimension"], None)
        else:
            found[row["dimension"]] = (found.get(row["dimension"]) or Decimal()) + Decimal(row["points"])
    return found


def mean(values: Iterable[Decimal | None]) -> Decimal | None:
    """To two places; None of nothing."""
    held = [value for value in values if value is not None]
    return scoring.rounded(sum(held, Decimal()) / len(held)) if held else None


def _earlier(session: Session, round_: EvaluationRound, count: int = 3) -> dict[UUID, tuple[Decimal | None, ...]]:
    before, wanted = quarter(round_).before, []
    for _n in range(count):
        wanted.append((before.year, before.number))
        before = before.before
    query = select(EvaluationRound.year, EvaluationRound.quarter, EvaluationResult.lead_unit_id, EvaluationResult.total)
    query = query.join(EvaluationRound, EvaluationRound.id == EvaluationResult.round_id)
    rows = session.execute(query.where(STANDING, tuple_(EvaluationRound.year, EvaluationRound.quarter).in_(wanted)))
    totals = {(year, number, unit): total for year, number, unit, total in rows}
    units = {unit for _y, _q, unit in totals}
    return {unit: tuple(totals.get((*q, unit)) for q in reversed(wanted)) for unit in units}


def _cell(line: Line, name: str) -> Decimal | str:
    """A dimension's points; nothing before the unit is scored."""
    value = line.dimensions.get(name)
    return value if value is not None else _("不适用") if line.result.scores else "—"


def table(round_: EvaluationRound, found: Report) -> tuple[list[str], list[list[Any]]]:
    """The ranking as columns and rows: what the page, the PDF and the XLSX show."""
    names = list(found.weights)
    columns = [_("名次"), _("牵引单位"), _("得分"), _("等次")]
    columns += [_("%(name)s（%(n)s）", name=str(words.DIMENSION[n][0]), n=f"{found.weights[n]:f}") for n in names]
    before = quarter(round_).before
    columns += [words.quarter(q.year, q.number) for q in (before.before.before, before.before, before)]
    rows = [
        [
            line.rank or "—",
            line.result.lead_unit.name,
            line.result.total if line.result.total is not None else "—",
            str(words.GRADE[line.result.grade][0])
            if line.result.grade
            else as_text(words.RESULT[line.result.status][0]),
            *(_cell(line, n) for n in names),
            *(total if total is not None else "—" for total in (line.earlier or (None, None, None))),
        ]
        for line in found.lines
    ]
    return columns, rows
