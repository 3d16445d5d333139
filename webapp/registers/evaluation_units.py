"""One lead unit in a round (3.3): report, experts, scores, conclusion, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.accounts import settings_service
from webapp.accounts.models import Account, Organisation
from webapp.engine.handler_api import Actor
from webapp.errors import NotFound
from webapp.i18n import _
from webapp.registers import criticisms, expulsions, history
from webapp.registers import evaluation_arrangements as arrangements
from webapp.registers import evaluation_labels as words
from webapp.registers import evaluation_rounds as rounds
from webapp.registers import evaluation_scoring as scoring
from webapp.registers.evaluation_models import EvaluationConsequence, EvaluationResult, EvaluationRound
from webapp.registers.models import ConsortiumEnterprise, LeadUnit
from webapp.registers.values import as_decimal, as_text

FINAL = frozenset({"settled", "absent", "left"})


def get(session: Session, result_id: UUID) -> EvaluationResult:
    """Errors: NotFound."""
    found = session.get(EvaluationResult, result_id)
    if found is None:
        raise NotFound(_("没有找到该评价结果。"))
    return found


def over(result: EvaluationResult) -> dict[str, str]:
    """The sentence for a form of a round that was voided meanwhile, else nothing."""
    if result.round.voided_at is None:
        return {}
    quarter = words.quarter(result.round.year, result.round.quarter)
    return {"": _("%(quarter)s的评价已整体作废，不再办理。", quarter=quarter)}


def change(
    session: Session, result: EvaluationResult, action: str, *, actor: Actor | None = None, **values: Any
) -> None:
    """Set columns of a result, with its history."""
    before = history.snapshot(result)
    for name, value in values.items():
        setattr(result, name, value)
    history.record(session, result, action, before=before, actor=actor, instance_id=result.instance_id)


# ---- the report (3.3.1) ------------------------------------------------------------------------------------------


def report_rows(session: Session, result: EvaluationResult) -> list[dict[str, Any]]:
    """The indicators of the commitment that holds, each with its target and what earlier quarters reported."""
    quarter = rounds.quarter(result.round)
    targets = scoring.commitment_of(session, result.lead_unit_id, quarter)
    earlier = _earlier_reports(session, result)
    rows = []
    for indicator in targets.indicators if targets else []:
        told = [(number, values[indicator["key"]]) for number, values in earlier if indicator["key"] in values]
        rows.append(
            {
                **indicator,
                "last": told[-1][1] if told else None,
                "earlier": "；".join(_("第 %(n)s 季度 %(value)s", n=number, value=value) for number, value in told),
            }
        )
    return rows


def _earlier_reports(session: Session, result: EvaluationResult) -> list[tuple[int, dict[str, str]]]:
    """What the unit reported in the earlier quarters of the year, oldest first."""
    query = select(EvaluationRound.quarter, EvaluationResult.report).join(
        EvaluationRound, EvaluationRound.id == EvaluationResult.round_id
    )
    same_year = EvaluationRound.year == result.round.year, rounds.STANDING
    mine = EvaluationResult.lead_unit_id == result.lead_unit_id, *same_year
    found = session.execute(query.where(*mine, EvaluationRound.quarter < result.round.quarter))
    return [
        (number, {row["key"]: str(row["actual"]) for row in report})
        for number, report in sorted(found, key=lambda row: int(row[0]))
    ]


def check_report(session: Session, result: EvaluationResult, data: Mapping[str, Any]) -> dict[str, str]:
    """Every actual is there; a cumulative one below last quarter's is asked about, not refused."""
    found = over(result)
    given = data.get("rows") or []
    for at, row in enumerate(report_rows(session, result)):
        told = given[at] if at < len(given) else {}
        actual, last = as_decimal(told.get("actual")), as_decimal(row["last"])
        if actual is None:
            found[f"rows[{at}].actual"] = _("请填写本季度末的实际完成数。")
        elif row["cumulative"] and last is not None and actual < last and not as_text(told.get("note")):
            sentence = _("累计数低于上季度报送的 %(last)s，请核对；确实如此的，请在说明中写明原因。", last=f"{last:f}")
            found[f"rows[{at}].note"] = sentence
    return found


def accept_report(
    session: Session, result: EvaluationResult, given: Mapping[str, Any], actor: Actor | None, now: datetime
) -> None:
    """Enter the report; a late one is recorded as late (4.2.2)."""
    rows = report_rows(session, result)
    names = ("key", "label", "unit", "target", "cumulative")
    report = [
        {
            **{name: row[name] for name in names},
            "actual": str(as_decimal(told.get("actual"))),
            "note": as_text(told.get("note")),
            "evidence": [str(document) for document in told.get("evidence") or []],
        }
        for row, told in zip(rows, given.get("rows") or [], strict=True)
    ]
    late = bool(result.report_due_at and now > result.report_due_at)
    about = as_text(given.get("report_words"))
    carried_out = as_text(given.get("carried_out"))
    changes = {
        "carried_out": carried_out,
        "report": report,
        "report_words": about,
        "reported_at": now,
        "late": late,
        "status": "scoring",
    }
    change(session, result, "reported", actor=actor, **changes)
    if late:
        reason = _("%(quarter)s的材料迟报。", quarter=words.quarter(result.round.year, result.round.quarter))
        consequence(session, result, "criticism", "4.2.2", reason, now)


# ---- experts -----------------------------------------------------------------------------------------------------


def judged(result: EvaluationResult) -> list[dict[str, Any]]:
    """The indicators that experts judge."""
    return [indicator for indicator in result.round.indicators if indicator["kind"] == "judged"]


def tied(session: Session, account: Account, unit: LeadUnit) -> bool:
    """回避: whether an expert belongs to the organisation that is judged, or to one of its consortium."""
    if account.organisation_id is None:
        return False
    if account.organisation_id == unit.organisation_id:
        return True
    code = session.scalar(select(Organisation.credit_code).where(Organisation.id == account.organisation_id))
    member = ConsortiumEnterprise
    held = member.lead_unit_id == unit.id, member.until.is_(None), member.credit_code == code
    return bool(code) and (code == unit.credit_code or session.scalar(select(member.id).where(*held)) is not None)


def wanted(session: Session, result: EvaluationResult) -> int:
    """How many more experts are asked: two alone; a third when the spread exceeds the setting (house rule)."""
    if not judged(result):
        return 0
    needed, have = int(settings_service.get(session, "expert_count")), len(result.expert_scores)
    if have < needed:
        return needed - have
    too_far = scoring.spread(result.expert_scores) > int(settings_service.get(session, "expert_spread"))
    return 1 if have == needed and too_far else 0


def free(session: Session, result: EvaluationResult, names: Sequence[str], used: Sequence[str]) -> list[str]:
    """Of these experts, those who may still judge this unit, beginning at another one for each unit."""
    known = {account.username: account for account in rounds.experts(session)}
    found = [
        name
        for name in names
        if name in known and name not in used and not tied(session, known[name], result.lead_unit)
    ]
    turn = sum(map(ord, result.lead_unit.credit_code)) % len(found) if found else 0
    return [*found[turn:], *found[:turn]]


def take_opinions(session: Session, result: EvaluationResult, given: Sequence[Mapping[str, Any]]) -> list[str]:
    """Enter what experts scored; gives those who declared an interest."""
    known = {account.username: account.name for account in rounds.experts(session)}
    keys, recused, opinions = [i["key"] for i in judged(result)], [], list(result.expert_scores)
    for said in given:
        name, rows = str(said["expert"]), said.get("rows") or []
        if said.get("decision") == "recuse":
            recused.append(name)
            continue
        scores = {key: str(as_decimal(row.get("score"))) for key, row in zip(keys, rows, strict=True)}
        entry = {"username": name, "name": known.get(name, name), "scores": scores, "words": as_text(said.get("words"))}
        opinions.append(entry)
    result.expert_scores = opinions
    return recused


# ---- scores and conclusion ---------------------------------------------------------------------------------------


def compute(session: Session, result: EvaluationResult, now: datetime) -> Decimal | None:
    """Figures of the registers as of the quarter's end, scores, total."""
    values = scoring.figures(session, result.lead_unit, rounds.quarter(result.round), result.report)
    rows, total = scoring.score(result.round.indicators, values, result.expert_scores)
    kept = {name: str(value) for name, value in values.items()}
    change(session, result, "scored", figures=kept, scores=rows, total=total, scored_at=now)
    return total


def conclude(
    session: Session, result: EvaluationResult, given: Mapping[str, Any], actor: Actor | None, now: datetime
) -> None:
    """The settled conclusion (3.3.2), the next-stage arrangement (3.2), and what follows from it. Errors: Conflict."""
    rounds.standing(session, result.round_id)
    change(
        session,
        result,
        "settled",
        actor=actor,
        status="settled",
        settled_at=now,
        arrangement=as_text(given.get("arrangement")),
        arrangement_check=as_text(given.get("arrangement_check")),
        arrangement_check_words=as_text(given.get("arrangement_check_words")),
        statement_answer=as_text(given.get("statement_answer")),
    )
    arrangements.serve(session, result.round, [result.lead_unit_id], "arrangement", now)
    quarter = words.quarter(result.round.year, result.round.quarter)
    if given.get("lagging"):
        reason = _("%(quarter)s项目实施进度滞后：%(why)s", quarter=quarter, why=as_text(given.get("lagging_reason")))
        consequence(session, result, "criticism", "4.2.3", reason, now)
    if result.grade == "fail" and (count := fails(session, result.lead_unit_id)) >= 2:
        reason = _(
            "累计 %(n)s 次绩效评价不达标，最近一次为%(quarter)s（%(total)s 分）。",
            n=count,
            quarter=quarter,
            total=result.total,
        )
        consequence(session, result, "expulsion_review", "4.4.3", reason, now)


def fails(session: Session, unit_id: UUID) -> int:
    """Settled fails of a unit in total (累计, not consecutive; 4.4.3)."""
    mine = EvaluationResult.lead_unit_id == unit_id, EvaluationResult.grade == "fail"
    return session.scalar(select(func.count()).where(*mine, EvaluationResult.status == "settled")) or 0


def record_absence(
    session: Session, result: EvaluationResult, given: Mapping[str, Any], actor: Actor | None, now: datetime
) -> None:
    """Verified by a person: the unit did not take part (4.4.2). Errors: Conflict."""
    rounds.standing(session, result.round_id)
    change(session, result, "absent", actor=actor, status="absent", grade="absent", settled_at=now)
    quarter = words.quarter(result.round.year, result.round.quarter)
    reason = _(
        "未按规定参加%(quarter)s绩效评价，经催告仍未报送：%(why)s",
        quarter=quarter,
        why=as_text(given.get("absence_words")),
    )
    consequence(session, result, "expulsion_review", "4.4.2", reason, now)


def consequence(
    session: Session, result: EvaluationResult, kind: str, clause: str, reason: str, now: datetime
) -> EvaluationConsequence:
    """Record what a conclusion brings about, and open its case: the ONE place where that is done.

    `kind`: expulsion_review | criticism, opened, or the ground joins the unit's open case; after the regulation's end
    (5.2) a criticism is recorded alone. The row keeps the reason and clause, and `instance_id` of the case.
    """
    mine = EvaluationConsequence.result_id == result.id, EvaluationConsequence.kind == kind
    known = session.scalars(select(EvaluationConsequence).where(*mine, EvaluationConsequence.clause == clause))
    if (held := known.unique().first()) is not None:
        return held
    entry = EvaluationConsequence(
        result_id=result.id,
        lead_unit_id=result.lead_unit_id,
        kind=kind,
        clause=clause,
        reason=reason,
        recorded_at=now,
    )
    session.add(entry)
    if kind == "expulsion_review" and result.lead_unit.status == "listed":
        opened = expulsions.open_review(session, result.lead_unit_id, clause, reason, "consequence")
        entry.instance_id = opened.review.instance_id
    elif kind == "criticism" and result.lead_unit.status == "listed" and not criticisms.over(session):
        entry.instance_id = criticisms.open_case(
            session, result.lead_unit_id, clause, reason, "consequence"
        ).case.instance_id
    history.record(session, entry, "registered", instance_id=result.instance_id)
    return entry


def leave(session: Session, result: EvaluationResult, reason: str, actor: Actor | None, now: datetime) -> None:
    """A unit that has left the list still answers its round; the last one ends the round's wait.

    In a round that was voided nobody answers: the case ends with it.
    """
    from webapp.engine import runtime

    if rounds.locked(session, result.round_id).voided_at is not None:
        change(session, result, "voided", actor=actor, status="voided")
        return
    change(session, result, "left", actor=actor, status="left", settled_at=now, arrangement=reason)
    if rounds.count_settled(session, result.round_id):
        runtime.engine().correlate(session, "round_settled", correlation_key=str(result.round_id), actor=actor)


def is_tied(session: Session, username: str, unit: LeadUnit) -> bool:
    """As `tied`, by the account's name."""
    account = session.scalars(select(Account).where(Account.username == username)).unique().one_or_none()
    return account is not None and tied(session, account, unit)


def check_named(
    session: Session, result: EvaluationResult, data: Mapping[str, Any], used: Sequence[str]
) -> dict[str, str]:
    """Experts whom the office names: as many as are wanted, none tied (回避), none asked before."""
    chosen, count = list(data.get("experts") or []), wanted(session, result)
    barred = [name for name in chosen if is_tied(session, name, result.lead_unit)]
    if barred:
        return {"experts": _("与被评单位有利害关系，应当回避：%(names)s。", names="、".join(barred))}
    if again := [name for name in chosen if name in used]:
        return {"experts": _("已评过分或已回避，不能再选：%(names)s。", names="、".join(again))}
    if len(set(chosen)) != count:
        return {"experts": _("请选派 %(n)s 名专家。", n=count)}
    return {}
