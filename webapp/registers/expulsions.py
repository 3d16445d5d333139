"""清退审议 (4.4): how a review is opened and joined, its grounds with facts and evidence, and how it ends unexpelled.

One open review per unit: further grounds join it. Told and heard: `expulsion_hearing`; 局务会: `expulsion_meetings`;
what a signed decision does: `expelling`; its reversal: `reversing`.
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
from webapp.engine.commands import StartInstance
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, Invalid, NotFound
from webapp.i18n import _
from webapp.registers import filings, history, numbers, regulation
from webapp.registers.models import Expulsion, ExpulsionGround, LeadUnit
from webapp.registers.values import as_text

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


def close(session: Session, review: Expulsion, status: str, reason: str, *, actor: Actor | None, now: datetime) -> None:
    """End a review that does not expel: the flag goes, the unit stays listed."""
    before = history.snapshot(review)
    review.status, review.closed_at, review.closed_reason = status, now, reason
    history.record(session, review, status, before=before, actor=actor, instance_id=review.instance_id)
    flag(session, review.lead_unit, False, actor=actor, instance_id=review.instance_id)
