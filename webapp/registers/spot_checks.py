"""项目抽查 (3.2): a sample of a unit's projects, drawn by a recorded seed, which anyone can draw again.

The rule: for each project number of the population, the SHA-256 of `seed:number` in hexadecimal; in ascending order of
these, the first ones are the sample. No secret, no generator of a library: a pocket script in any language repeats it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.accounts import settings_service
from webapp.engine.handler_api import Actor
from webapp.i18n import _, lazy
from webapp.registers import evaluation_scoring as scoring
from webapp.registers.evaluation_models import EvaluationResult, RetrofitProject
from webapp.registers.labels import Words
from webapp.registers.supervision_models import SpotCheck
from webapp.registers.values import as_text

#: What may be found of a project.
VERDICT: Words = {
    "conform": (lazy("相符"), "done"),
    "minor": (lazy("有瑕疵"), "fix"),
    "problem": (lazy("有问题"), "bad"),
}


def sample(seed: str, population: Iterable[str], size: int) -> list[str]:
    """
    >>> sample("seed", ["GZ-1", "GZ-2", "GZ-3"], 2) == sample("seed", ["GZ-3", "GZ-1", "GZ-2"], 2)
    True
    """

    def place(number: str) -> str:
        return hashlib.sha256(f"{seed}:{number}".encode()).hexdigest()

    return sorted(set(population), key=place)[:size]


def population(session: Session, result: EvaluationResult) -> list[str]:
    """The numbers of the unit's projects whose contract was signed by the end of the quarter."""
    end = scoring.Quarter(result.round.year, result.round.quarter).end
    project = RetrofitProject
    query = select(project.number).where(project.lead_unit_id == result.lead_unit_id, project.signed_on <= end)
    return list(session.scalars(query.order_by(project.number)))


def draw(session: Session, result: EvaluationResult, now: datetime) -> SpotCheck:
    """Draw the sample once; a second call gives the first's."""
    if (held := of_result(session, result.id)) is not None:
        return held
    numbers, seed = population(session, result), secrets.token_hex(8)
    size = int(settings_service.get(session, "spot_check_size"))
    made = SpotCheck(
        result_id=result.id,
        seed=seed,
        population=numbers,
        drawn=sample(seed, numbers, size),
        drawn_at=now,
    )
    session.add(made)
    session.flush()
    return made


def of_result(session: Session, result_id: UUID) -> SpotCheck | None:
    """The spot check of a unit in a round, if one was drawn."""
    return session.scalars(select(SpotCheck).where(SpotCheck.result_id == result_id)).one_or_none()


def drawn_again(check: SpotCheck) -> list[str]:
    """The sample drawn anew from what was recorded: the same, or something was changed since."""
    return sample(check.seed, check.population, len(check.drawn))


def projects(session: Session, check: SpotCheck) -> list[RetrofitProject]:
    """The drawn projects, in the order of the draw."""
    query = select(RetrofitProject).where(RetrofitProject.number.in_(check.drawn))
    found = {project.number: project for project in session.scalars(query).unique()}
    return [found[number] for number in check.drawn if number in found]


def check_findings(rows: Sequence[Mapping[str, Any]], count: int) -> dict[str, str]:
    """A verdict for each project; what does not conform has its facts."""
    found: dict[str, str] = {}
    for at in range(count):
        row = rows[at] if at < len(rows) else {}
        verdict = as_text(row.get("verdict"))
        if verdict not in VERDICT:
            found[f"rows[{at}].verdict"] = _("请填写抽查结论。")
        elif verdict != "conform" and not as_text(row.get("words")):
            found[f"rows[{at}].words"] = _("请写明发现的事实。")
    return found


def enter(
    session: Session, check: SpotCheck, rows: Sequence[Mapping[str, Any]], actor: Actor | None, now: datetime
) -> list[UUID]:
    """Enter what was found of each project; gives the documents that go with it."""
    check.findings = [
        {
            "number": project.number,
            "title": project.title,
            "enterprise": project.pilot_enterprise.name,
            "verdict": as_text(row.get("verdict")),
            "words": as_text(row.get("words")),
            "documents": [str(document) for document in row.get("evidence") or []],
        }
        for project, row in zip(projects(session, check), rows, strict=True)
    ]
    check.entered_at, check.entered_by = now, actor.name if actor else ""
    session.flush()
    return [UUID(document) for finding in check.findings for document in finding["documents"]]
