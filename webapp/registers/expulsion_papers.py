"""What the documents of a review 清退审议 (4.4) are filled in with: 清退告知书, 局务会议题材料, 清退决定."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts import settings_service
from webapp.registers import expulsion_hearing, expulsions
from webapp.registers.models import Expulsion
from webapp.registers.values import as_date

#: kind of document -> its title
TITLES = {"expulsion_told": "清退告知书", "expulsion_agenda": "局务会议题材料"}
PROPOSALS = {"expel": "建议清退", "keep": "建议不予清退"}


def data(session: Session, review: Expulsion, kind: str) -> dict[str, Any]:
    """The data of a template, plain JSON. `kind`: expulsion_told | expulsion_agenda."""
    unit = review.lead_unit
    common: dict[str, Any] = {
        "title": f"关于拟清退牵引单位{unit.name}的{'告知书' if kind == 'expulsion_told' else '议题材料'}",
        "unit": unit.name,
        "credit_code": unit.credit_code,
        "listed_on": unit.listed_on.isoformat() if unit.listed_on else "",
        "grounds": [_ground(ground.clause, ground.facts, len(ground.evidence)) for ground in review.grounds],
        "said": [line for line in expulsion_hearing.said_words(review).splitlines() if line],
    }
    return {**common, **(_told if kind == "expulsion_told" else _agenda)(session, review)}


def _ground(clause: str, facts: str, evidence: int) -> dict[str, Any]:
    return {"clause": clause, "words": expulsions.clause_words(clause), "facts": facts, "evidence": evidence}


def _told(session: Session, review: Expulsion) -> dict[str, Any]:
    day = as_date(review.told_at) or clock.today()
    return {
        "number": review.told_number or "",
        "published_on": day.isoformat(),
        "days": int(settings_service.get(session, "statement_days")),
        "due": review.statement_due_at.isoformat() if review.statement_due_at else "",
    }


def _agenda(_session: Session, review: Expulsion) -> dict[str, Any]:
    return {
        "number": review.number,
        "published_on": clock.today().isoformat(),
        "meeting_on": review.agenda.get("meeting_on", ""),
        "place": review.agenda.get("place", ""),
        "note": review.agenda.get("note", ""),
        "findings": review.proposal.get("findings", ""),
        "proposal": PROPOSALS.get(review.proposal.get("proposal", ""), ""),
        "answer": review.proposal.get("answer_to_statement", ""),
        "legality": review.legality.get("opinion", "") or "审核通过",
        "earlier": [
            {"on": meeting.met_on.isoformat(), "words": meeting.words, "minutes": meeting.minutes}
            for meeting in review.meetings
        ],
    }


def filename(review: Expulsion, kind: str, suffix: str) -> str:
    """The name under which people download it."""
    return f"{TITLES[kind]}（{review.lead_unit.name}）.{suffix}"
