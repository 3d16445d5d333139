"""清退审议 (4.4): how a review is opened and joined, told and heard, proposed, resolved; who was there, and when.

The consequences of a signed decision are in `expelling`. One open review per unit: further grounds join it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts import settings_service
from webapp.engine.commands import Cancel, StartInstance
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, Forbidden, Invalid, NotFound
from webapp.i18n import _
from webapp.registers import filings, history, numbers, regulation
from webapp.registers.models import Expulsion, ExpulsionGround, ExpulsionMeeting, LeadUnit
from webapp.registers.values import as_date, as_text

#: The grounds of 4.4; the words of each are the regulation's own.
GROUNDS = tuple(f"4.4.{n}" for n in range(1, 9))
EXIT = "4.4.1"
#: Statuses before the 局务会 has resolved: the unit may still withdraw a voluntary exit.
BEFORE_RESOLUTION = ("gathering", "hearing", "proposing", "meeting")
KEY = "expulsion_review"


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of opening a review. `joined`: the unit had one already, and the ground stands in it now."""

    review: Expulsion
    joined: bool


def clause_words(clause: str) -> str:
    """The ground in the regulation's words, without its last sign."""
    words: str = regulation.source()["clauses"][clause]["text"]
    return words.rstrip("；。")


def get(session: Session, expulsion_id: UUID) -> Expulsion:
    """Errors: NotFound."""
    found = session.get(Expulsion, expulsion_id)
    if found is None:
        raise NotFound(_("没有找到该清退审议。"))
    return found


def locked(session: Session, expulsion_id: UUID) -> Expulsion:
    """The review as it stands now, its unit locked until the transaction ends. Errors: NotFound."""
    found = get(session, expulsion_id)
    filings.lock_unit(session, found.lead_unit)
    session.refresh(found)
    return found


def open_of(session: Session, lead_unit_id: UUID) -> Expulsion | None:
    """The unit's open review."""
    query = select(Expulsion).where(Expulsion.lead_unit_id == lead_unit_id, Expulsion.closed_at.is_(None))
    return session.scalars(query).unique().one_or_none()


def unit_to_expel(session: Session, lead_unit_id: UUID) -> LeadUnit:
    """The unit, locked, that may be brought under a review (4.4, 5.2). Errors: NotFound, Conflict."""
    unit = session.get(LeadUnit, lead_unit_id)
    if unit is None:
        raise NotFound(_("没有找到该牵引单位。"))
    filings.lock_unit(session, unit)
    if unit.status != "listed":
        raise Conflict(_("%(unit)s不在牵引单位名单中，不能提出清退。", unit=unit.name))
    until: date | None = settings_service.get(session, "valid_until")
    if until is not None and clock.today() > until and open_of(session, unit.id) is None:
        raise Conflict(_("规程已于 %(day)s 期满（第 5.2 条），不再受理新的清退审议。", day=until.isoformat()))
    return unit


def open_review(
    session: Session,
    lead_unit_id: UUID,
    ground: str,
    facts: str,
    source: str,
    *,
    evidence: Sequence[UUID] = (),
    actor: Actor | None = None,
) -> Opened:
    """Open a review of a unit on one ground, or let the ground join the unit's open one, and start its case.

    `source`: office (a person proposes it; `actor`) | consequence (of another case). A unit's own exit (4.4.1) begins
    with its own case. Errors: Invalid with fields, Conflict, NotFound.
    """
    unit = unit_to_expel(session, lead_unit_id)
    check_ground(ground, facts)
    opened = enter(session, unit, ground, facts, source, evidence=evidence, actor=actor)
    if not opened.joined:
        _start(session, opened.review, actor)
    return opened


def check_ground(ground: str, facts: str) -> None:
    """Errors: Invalid with fields."""
    wrong = {}
    if ground not in GROUNDS:
        wrong["clause"] = _("请选择第 4.4.1 至 4.4.8 条的一种情形。")
    if len(as_text(facts)) < 10:
        wrong["facts"] = _("请写明事实，不少于 10 个字。")
    if wrong:
        raise Invalid(_("清退审议没有提出，请改正以下内容。"), fields=wrong)


def enter(
    session: Session,
    unit: LeadUnit,
    ground: str,
    facts: str,
    source: str,
    *,
    number: str = "",
    instance_id: UUID | None = None,
    evidence: Sequence[UUID] = (),
    actor: Actor | None = None,
) -> Opened:
    """Enter a ground against a (locked) unit: in its open review, else in a new one; the unit is flagged (4.4)."""
    review = open_of(session, unit.id)
    joined = review is not None
    if review is None:
        review = Expulsion(
            number=number or numbers.case_number(session, "QT", clock.today().year),
            lead_unit_id=unit.id,
            instance_id=instance_id,
            opened_at=clock.now(),
            opened_by=actor.id if actor else None,
            source=source,
        )
        session.add(review)
        session.flush()
        history.record(session, review, "opened", actor=actor, instance_id=instance_id)
        flag(session, unit, True, actor=actor, instance_id=instance_id)
    _put_ground(session, review, ground, facts, source, [str(key) for key in evidence], actor)
    session.expire(review, ["grounds"])
    return Opened(review, joined)


def flag(session: Session, unit: LeadUnit, on: bool, *, actor: Actor | None, instance_id: UUID | None) -> None:
    """清退审议中: a flag, not a status; the unit is still listed while the review is open."""
    before = history.snapshot(unit)
    unit.under_expulsion = on
    action = "under_expulsion" if on else "review_over"
    history.record(session, unit, action, before=before, actor=actor, instance_id=instance_id)


def _put_ground(
    session: Session, review: Expulsion, clause: str, facts: str, source: str, evidence: list[str], actor: Actor | None
) -> None:
    """A ground, or further facts of one that is in the review: then the unit must be told again."""
    found = next((ground for ground in review.grounds if ground.clause == clause), None)
    before = history.snapshot(found) if found else None
    if found is None:
        found = ExpulsionGround(
            expulsion_id=review.id,
            clause=clause,
            facts=as_text(facts),
            source=source,
            evidence=evidence,
            entered_at=clock.now(),
            entered_by=actor.id if actor else None,
        )
        session.add(found)
    else:
        found.facts = f"{found.facts}\n{as_text(facts)}"
        found.evidence = list(dict.fromkeys([*found.evidence, *evidence]))
        found.told_at = None
    history.record(session, found, "joined", before=before, actor=actor, instance_id=review.instance_id)


def _start(session: Session, review: Expulsion, actor: Actor | None) -> None:
    from webapp.engine import runtime

    variables = {**first_variables(review.lead_unit), "expulsion_id": str(review.id), "opened_by": review.source}
    command = StartInstance(
        key=KEY, variables=variables, business_key=review.number, org_id=review.lead_unit.organisation_id
    )
    review.instance_id = runtime.engine().start(session, command, actor).instance_id
    session.flush()


def first_variables(unit: LeadUnit) -> dict[str, Any]:
    """What each case of a review begins with."""
    return {
        "lead_unit_id": str(unit.id),
        "lead_unit_name": unit.name,
        "credit_code": unit.credit_code,
        "joined": False,
        "voluntary": False,
        "bar_known": False,
        "exit_files": [],
        "statement": None,
        "statement_files": [],
        "hearing_due_at": None,
        "hearing_remind_at": None,
    }


# ---- facts ---------------------------------------------------------------------------------------------------------


def check_facts(review: Expulsion, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """What is wrong with the gathered grounds, by field: each once, with evidence, and none dropped (4.4)."""
    wrong: dict[str, list[str]] = {}
    named = [as_text(row.get("clause")) for row in rows]
    for index, row in enumerate(rows):
        clause = named[index]
        if clause not in GROUNDS or named.index(clause) != index:
            wrong[f"grounds[{index}].clause"] = [_("同一情形只写一项，请选择第 4.4.1 至 4.4.8 条之一。")]
        if clause != EXIT and not row.get("evidence"):
            wrong[f"grounds[{index}].evidence"] = [_("请上传第 %(clause)s 条情形的证据。", clause=clause)]
    if missing := [ground.clause for ground in review.grounds if ground.clause not in named]:
        words = _("已提出的情形不能删去：第 %(clauses)s 条；不成立的，由局务会决定。", clauses="、".join(missing))
        wrong.setdefault("grounds", []).append(words)
    return wrong


def keep_facts(session: Session, review: Expulsion, rows: Sequence[Mapping[str, Any]], actor: Actor | None) -> None:
    """Enter what the office found out about each ground; whatever changed must be told to the unit anew."""
    known = {ground.clause: ground for ground in review.grounds}
    for row in rows:
        clause, facts = as_text(row.get("clause")), as_text(row.get("facts"))
        evidence = [str(key) for key in row.get("evidence") or ()]
        ground = known.get(clause)
        if ground is None:
            _put_ground(session, review, clause, facts, "office", evidence, actor)
            continue
        before = history.snapshot(ground)
        if (ground.facts, ground.evidence) != (facts, evidence):
            ground.facts, ground.evidence, ground.told_at = facts, evidence, None
        history.record(session, ground, "gathered", before=before, actor=actor, instance_id=review.instance_id)
    session.flush()
    session.expire(review, ["grounds"])


def exit_only(review: Expulsion) -> bool:
    """Whether the unit's own exit (4.4.1) is the only ground: then there is no hearing, and it may withdraw."""
    return [ground.clause for ground in review.grounds] == [EXIT]


def untold(review: Expulsion) -> list[str]:
    """Grounds of which the unit has not been told (as they stand now)."""
    if exit_only(review) and review.bar_known:
        return []
    return [ground.clause for ground in review.grounds if ground.told_at is None]


def tell(session: Session, review: Expulsion, now: datetime, *, actor: Actor | None) -> None:
    """Number the 清退告知书; its period runs from the next day, in working days (house rule)."""
    before = history.snapshot(review)
    review.told_number = numbers.document_number(session, "expulsion_told", _year(now))
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


# ---- the 局务会 ----------------------------------------------------------------------------------------------------


def attendance(members: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """(entitled, present): whoever is recused counts in neither."""
    entitled = [row for row in members if row.get("attendance") in ("present", "absent")]
    return len(entitled), sum(row.get("attendance") == "present" for row in entitled)


def check_meeting(
    session: Session, review: Expulsion, data: Mapping[str, Any], outcome: str | None, today: date
) -> dict[str, list[str]]:
    """What keeps a resolution from being entered (4.4): quorum, minutes, recusals with reason, an untold ground."""
    wrong: dict[str, list[str]] = {}
    members: Sequence[Mapping[str, Any]] = data.get("members") or ()
    names = [as_text(row.get("name")) for row in members]
    for index, row in enumerate(members):
        if names.index(names[index]) != index:
            wrong[f"members[{index}].name"] = [_("%(name)s重复，请核对。", name=names[index])]
        if row.get("attendance") in ("recused", "absent") and not as_text(row.get("reason")):
            wrong[f"members[{index}].reason"] = [_("请写明回避或者缺席的理由。")]
    entitled, present = attendance(members)
    percent = int(settings_service.get(session, "quorum_percent"))
    if present * 100 <= entitled * percent:
        wrong["members"] = [
            _("到会 %(n)s 人，应到 %(all)s 人，没有超过 %(p)s%%，不能作出决议。", n=present, all=entitled, p=percent)
        ]
    if not as_text(data.get("minutes")) or not data.get("minutes_files"):
        wrong["minutes_files"] = [_("请填写会议纪要并上传签字的原件，没有纪要不能登记决议。")]
    met_on = as_date(data.get("met_on"))
    if met_on is None or met_on > today:
        wrong["met_on"] = [_("会议日期晚于今日或者没有填写，请核对。")]
    if outcome == "confirm" and (clauses := untold(review)):
        words = _("第 %(n)s 条的情形尚未告知单位，不能确认清退；请发回补充事实。", n="、".join(clauses))
        wrong[""] = [words]
    return wrong


def resolve(
    session: Session, review: Expulsion, given: Mapping[str, Any], *, actor: Actor | None, now: datetime
) -> ExpulsionMeeting:
    """Enter a session of the 局务会 and where the review goes from it (4.4)."""
    members = [
        {name: as_text(row.get(name)) for name in ("name", "post", "attendance", "reason")} for row in given["members"]
    ]
    entitled, present = attendance(members)
    meeting = ExpulsionMeeting(
        expulsion_id=review.id,
        seq=len(review.meetings) + 1,
        met_on=as_date(given["met_on"]) or now.date(),
        place=as_text(given.get("meeting_place")),
        members=members,
        entitled=entitled,
        present=present,
        resolution=as_text(given["resolution"]),
        words=as_text(given.get("resolution_words")),
        minutes=as_text(given.get("minutes")),
        minutes_files=[str(key) for key in given.get("minutes_files") or ()],
        recorded_at=now,
        recorded_by=actor.id if actor else None,
    )
    session.add(meeting)
    before = history.snapshot(review)
    review.status = {"confirm": "deciding", "send_back": "gathering"}.get(meeting.resolution, review.status)
    session.flush()
    session.expire(review, ["meetings"])
    history.record(session, review, "resolved", before=before, actor=actor, instance_id=review.instance_id)
    return meeting


def close(session: Session, review: Expulsion, status: str, reason: str, *, actor: Actor | None, now: datetime) -> None:
    """End a review that does not expel: the flag goes, the unit stays listed."""
    before = history.snapshot(review)
    review.status, review.closed_at, review.closed_reason = status, now, reason
    history.record(session, review, status, before=before, actor=actor, instance_id=review.instance_id)
    flag(session, review.lead_unit, False, actor=actor, instance_id=review.instance_id)


# ---- withdrawal of a voluntary exit --------------------------------------------------------------------------------


def may_withdraw(review: Expulsion, actor: Actor | None) -> bool:
    """Whether this person may take the unit's own exit back now (4.4.1)."""
    return (
        actor is not None
        and "lead_unit_head" in actor.roles
        and actor.organisation_id == review.lead_unit.organisation_id
        and exit_only(review)
        and review.status in BEFORE_RESOLUTION
    )


def withdraw(session: Session, review: Expulsion, actor: Actor) -> None:
    """The unit takes its exit back before the resolution; its case ends with it. Errors: Forbidden, Conflict."""
    from webapp.engine import runtime

    review = locked(session, review.id)
    _check_withdrawal(review, actor)
    reason = _("牵引单位在局务会决议前撤回退出申请。")
    assert review.instance_id is not None
    runtime.engine().step(session, review.instance_id, Cancel(reason), actor)


def _check_withdrawal(review: Expulsion, actor: Actor | None) -> None:
    if actor is None or actor.organisation_id != review.lead_unit.organisation_id:
        raise Forbidden(_("清退审议须有结论，不能直接终止；只有自行退出的单位可以在决议前撤回（第 4.4.1 条）。"))
    if not may_withdraw(review, actor):
        raise Conflict(_("只有仅因自行要求退出、局务会尚未作出决议的，可以由单位负责人撤回（第 4.4.1 条）。"))


def give_up(session: Session, review: Expulsion, actor: Actor | None, reason: str, now: datetime) -> None:
    """What ending the case does in the register: a withdrawal ends it, and the fall of all its grounds has done so.

    Errors: Forbidden, Conflict.
    """
    if review.status == "lapsed":
        return
    _check_withdrawal(review, actor)
    close(session, review, "withdrawn", reason, actor=actor, now=now)


def _year(now: datetime) -> int:
    return (as_date(now) or now.date()).year
