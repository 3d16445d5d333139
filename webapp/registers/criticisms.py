"""通报批评 (4.2): how a case is opened and joined, its grounds, the unit's statement, and what the group establishes.

A unit has one case that is not decided yet; further grounds join it, and the unit is told of them. What comes after the
decision is a case of its own. Notice, order and rectification: `rectifying`; what falls with a round:
`criticism_falling`.
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
from webapp.registers import expulsions, filings, history, numbers
from webapp.registers.criticism_models import Criticism, CriticismGround
from webapp.registers.models import LeadUnit
from webapp.registers.values import as_date, as_text

#: The grounds of 4.2; the words of each are the regulation's own.
GROUNDS = tuple(f"4.2.{n}" for n in range(1, 7))
#: Grounds of 4.4 that facts may be too; a unit's own exit (4.4.1) is nobody else's to say.
OF_EXPULSION = expulsions.GROUNDS[1:]
#: Statuses in which a further ground joins the case.
UNDECIDED = ("gathering", "hearing", "deciding")
KEY = "criticism"


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of opening a case. `joined`: the unit had an undecided one, and the ground stands in it now."""

    case: Criticism
    joined: bool


def get(session: Session, criticism_id: UUID) -> Criticism:
    """Errors: NotFound."""
    found = session.get(Criticism, criticism_id)
    if found is None:
        raise NotFound(_("没有找到该通报批评。"))
    return found


def locked(session: Session, criticism_id: UUID) -> Criticism:
    """The case as it stands now, its unit locked until the transaction ends. Errors: NotFound."""
    found = get(session, criticism_id)
    filings.lock_unit(session, found.lead_unit)
    session.refresh(found)
    session.expire(found, ["grounds", "periods"])
    return found


def undecided_of(session: Session, lead_unit_id: UUID) -> Criticism | None:
    """The unit's case that further grounds join."""
    query = select(Criticism).where(Criticism.lead_unit_id == lead_unit_id, Criticism.status.in_(UNDECIDED))
    return session.scalars(query).unique().one_or_none()


def over(session: Session) -> bool:
    """Whether the regulation has run out (5.2): then no new case opens."""
    until: date | None = settings_service.get(session, "valid_until")
    return until is not None and clock.today() > until


def unit_to_criticise(session: Session, lead_unit_id: UUID) -> LeadUnit:
    """The unit, locked, that may be criticised (4.2, 5.2). Errors: NotFound, Conflict."""
    unit = session.get(LeadUnit, lead_unit_id)
    if unit is None:
        raise NotFound(_("没有找到该牵引单位。"))
    filings.lock_unit(session, unit)
    if unit.status != "listed":
        raise Conflict(_("%(unit)s不在牵引单位名单中，不能通报批评。", unit=unit.name))
    if over(session) and undecided_of(session, unit.id) is None:
        raise Conflict(_("规程已期满（第 5.2 条），不再受理新的通报批评。"))
    return unit


def open_case(
    session: Session, lead_unit_id: UUID, ground: str, facts: str, source: str, *, actor: Actor | None = None
) -> Opened:
    """Open a case on one ground, or let the ground join the unit's undecided one, and start its process.

    `source`: office (`actor` proposes it) | consequence (of another case). Errors: Invalid with fields, Conflict,
    NotFound.
    """
    unit = unit_to_criticise(session, lead_unit_id)
    check_ground(ground, facts)
    case = undecided_of(session, unit.id)
    joined = case is not None
    if case is None:
        case = Criticism(
            number=numbers.case_number(session, "PP", clock.today().year),
            lead_unit_id=unit.id,
            opened_at=clock.now(),
            opened_by=actor.id if actor else None,
            source=source,
        )
        session.add(case)
        session.flush()
        history.record(session, case, "opened", actor=actor)
    _put_ground(session, case, ground, facts, source, [], actor)
    session.expire(case, ["grounds"])
    if not joined:
        _start(session, case, actor)
    return Opened(case, joined)


def check_ground(ground: str, facts: str) -> None:
    """Errors: Invalid with fields."""
    wrong = {}
    if ground not in GROUNDS:
        wrong["clause"] = _("请选择第 4.2.1 至 4.2.6 条的一种情形。")
    if len(as_text(facts)) < 10:
        wrong["facts"] = _("请写明事实，不少于 10 个字。")
    if wrong:
        raise Invalid(_("通报批评没有提出，请改正以下内容。"), fields=wrong)


def _put_ground(
    session: Session, case: Criticism, clause: str, facts: str, source: str, evidence: list[str], actor: Actor | None
) -> None:
    """A ground, or further facts of one that is in the case: then the unit must be told again."""
    found = next((ground for ground in case.grounds if ground.clause == clause), None)
    before = history.snapshot(found) if found else None
    if found is None:
        found = CriticismGround(
            criticism_id=case.id,
            clause=clause,
            facts=as_text(facts),
            source=source,
            evidence=evidence,
            entered_at=clock.now(),
            entered_by=actor.id if actor else None,
        )
        session.add(found)
    elif as_text(facts) not in found.facts:
        found.facts = f"{found.facts}\n{as_text(facts)}"
        found.told_at = None
    history.record(session, found, "joined", before=before, actor=actor, instance_id=case.instance_id)


def _start(session: Session, case: Criticism, actor: Actor | None) -> None:
    from webapp.engine import runtime

    unit = case.lead_unit
    variables: dict[str, Any] = {
        "criticism_id": str(case.id),
        "lead_unit_name": unit.name,
        "credit_code": unit.credit_code,
        "statement": None,
        "statement_files": [],
        "established": 0,
        "hearing_due_at": None,
        "hearing_remind_at": None,
        "rectify_due_at": None,
        "rectify_remind_at": None,
    }
    command = StartInstance(key=KEY, variables=variables, business_key=case.number, org_id=unit.organisation_id)
    case.instance_id = runtime.engine().start(session, command, actor).instance_id
    session.flush()


# ---- facts and statement -------------------------------------------------------------------------------------------


def check_facts(case: Criticism, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """What is wrong with the gathered grounds, by field: each once, and none dropped (4.2)."""
    wrong: dict[str, list[str]] = {}
    named = [as_text(row.get("clause")) for row in rows]
    for index, clause in enumerate(named):
        if clause not in GROUNDS or named.index(clause) != index:
            wrong[f"grounds[{index}].clause"] = [_("同一情形只写一项，请选择第 4.2.1 至 4.2.6 条之一。")]
    if missing := [ground.clause for ground in case.grounds if ground.clause not in named]:
        words = _("已提出的情形不能删去：第 %(clauses)s 条；不成立的，由工作小组认定。", clauses="、".join(missing))
        wrong.setdefault("grounds", []).append(words)
    return wrong


def keep_facts(session: Session, case: Criticism, rows: Sequence[Mapping[str, Any]], actor: Actor | None) -> None:
    """Enter what the office found out about each ground."""
    known = {ground.clause: ground for ground in case.grounds}
    for row in rows:
        clause, facts = as_text(row.get("clause")), as_text(row.get("facts"))
        evidence = [str(key) for key in row.get("evidence") or ()]
        ground = known.get(clause)
        if ground is None:
            _put_ground(session, case, clause, facts, "office", evidence, actor)
            continue
        before = history.snapshot(ground)
        ground.facts, ground.evidence = facts, evidence
        history.record(session, ground, "gathered", before=before, actor=actor, instance_id=case.instance_id)
    session.flush()
    session.expire(case, ["grounds"])


def tell(session: Session, case: Criticism, now: datetime, *, actor: Actor | None) -> None:
    """The unit is told of facts and grounds; its time to state its case runs from the next day (house rule)."""
    before = history.snapshot(case)
    case.told_at, case.status = now, "hearing"
    case.statement_due_at = clock.deadline(now, working_days=int(settings_service.get(session, "statement_days")))
    for ground in case.grounds:
        ground.told_at = now
    history.record(session, case, "told", before=before, actor=actor, instance_id=case.instance_id)


def state(
    session: Session,
    case: Criticism,
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
    before = history.snapshot(case)
    case.statements = [*case.statements, said]
    case.status = "deciding"
    action = "silent" if kind == "silent" else "stated"
    history.record(session, case, action, before=before, actor=actor, instance_id=case.instance_id)


def said_words(case: Criticism) -> str:
    """Everything that the unit said or did not say, oldest first; empty when it was not asked."""
    parts = []
    for said in case.statements:
        day = as_date(said["at"])
        if said["kind"] == "statement":
            parts.append(f"{said['words']}（{said['by']}，{day}）")
        elif said["kind"] == "waived":
            parts.append(_("%(day)s 放弃陈述申辩。", day=day))
        else:
            parts.append(_("期限届满（%(day)s），未提出陈述申辩。", day=day))
    return "\n".join(parts)


def untold(case: Criticism) -> list[str]:
    """Grounds of which the unit has not been told (as they stand now)."""
    return [ground.clause for ground in case.grounds if ground.told_at is None]


# ---- the working group's finding -----------------------------------------------------------------------------------


def check_findings(case: Criticism, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Every ground has its finding with reasons; the unit was told of each (4.2)."""
    if missing := untold(case):
        words = _("尚未告知单位的情形：第 %(n)s 条。请退回补充，告知并听取陈述申辩后再认定。", n="、".join(missing))
        return {"": words}
    found = {}
    for index, ground in enumerate(case.grounds):
        row = rows[index] if index < len(rows) else {}
        if as_text(row.get("clause")) != ground.clause or as_text(row.get("established")) not in ("yes", "no"):
            found[f"findings[{index}].established"] = _("请逐项认定情形是否成立。")
        if len(as_text(row.get("finding"))) < 5:
            found[f"findings[{index}].finding"] = _("请写明认定的理由。")
    return found


def find(
    session: Session, case: Criticism, rows: Sequence[Mapping[str, Any]], actor: Actor | None, now: datetime
) -> int:
    """Enter which grounds are established; gives how many. One that is MUST be criticised (4.2)."""
    told = {as_text(row.get("clause")): row for row in rows}
    for ground in case.grounds:
        before, row = history.snapshot(ground), told[ground.clause]
        ground.established, ground.finding = row.get("established") == "yes", as_text(row.get("finding"))
        history.record(session, ground, "found", before=before, actor=actor, instance_id=case.instance_id)
    before = history.snapshot(case)
    case.decision = {"by": actor.name if actor else "", "at": now.isoformat()}
    count = len(established(case))
    if count:
        case.status = "drafting"
        history.record(session, case, "found", before=before, actor=actor, instance_id=case.instance_id)
    return count


def established(case: Criticism) -> list[CriticismGround]:
    """The grounds that stand."""
    return [ground for ground in case.grounds if ground.established and ground.fell_at is None]


def told_grounds(case: Criticism) -> list[dict[str, str]]:
    """The grounds that stand, as documents tell them."""
    return [
        {"clause": g.clause, "words": expulsions.clause_words(g.clause), "facts": g.facts} for g in established(case)
    ]


def pass_on(session: Session, case: Criticism, clause: str, facts: str, actor: Actor | None) -> str:
    """Facts that are also a ground of 4.4 open (or join) the expulsion review; gives its number."""
    reason = _("通报批评 %(number)s 中查明：%(facts)s", number=case.number, facts=facts)
    opened = expulsions.open_review(session, case.lead_unit_id, clause, reason, "consequence", actor=actor)
    return opened.review.number


def close(session: Session, case: Criticism, status: str, reason: str, *, actor: Actor | None, now: datetime) -> None:
    """End the case; the unit is 整改中 no longer unless another case of it is."""
    before = history.snapshot(case)
    case.status, case.closed_at, case.closed_reason = status, now, reason
    history.record(session, case, status, before=before, actor=actor, instance_id=case.instance_id)
    for period in case.periods:
        if period.status in ("open", "reported"):
            was = history.snapshot(period)
            period.status = "ended"
            history.record(session, period, "ended", before=was, actor=actor, instance_id=case.instance_id)
    flag(session, case.lead_unit, actor=actor, instance_id=case.instance_id)


def flag(session: Session, unit: LeadUnit, *, actor: Actor | None, instance_id: UUID | None) -> None:
    """整改中: a flag, not a status; the unit is still listed and evaluated while it rectifies (4.2)."""
    session.flush()
    mine = Criticism.lead_unit_id == unit.id, Criticism.notice_id.isnot(None), Criticism.closed_at.is_(None)
    on = session.scalar(select(Criticism.id).where(*mine).limit(1)) is not None
    if unit.rectifying != on:
        before = history.snapshot(unit)
        unit.rectifying = on
        action = "rectifying" if on else "rectification_over"
        history.record(session, unit, action, before=before, actor=actor, instance_id=instance_id)
