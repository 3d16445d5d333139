"""Verbs of quarterly evaluation for the stories: a round over a few units, each brought to its conclusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from tests.processes.conftest import Town
from webapp import db
from webapp.engine import queries
from webapp.engine.tables import user_task
from webapp.inbox import completing
from webapp.registers import evaluation_scoring as scoring
from webapp.registers import evaluation_units as units
from webapp.registers import spot_checks
from webapp.registers.evaluation_models import EvaluationConsequence, EvaluationResult, EvaluationRound
from webapp.registers.models import LeadUnit

PANEL = ["expert", "expert2"]
ACCOUNT = {"carried_out": "上一阶段安排的事项均已办结。"}
UNITS = ("", "_b", "_c")
#: The forms of supervision that a round of the stories orders: those that need no waiting.
CHECKS = ["interview", "spot_check"]


class Evaluation:
    """A round of the quarter before today over the units that have people."""

    def __init__(self, town: Town, letters: Sequence[str] = UNITS) -> None:
        self.town = town
        keep = [town.unit(letter).id for letter in letters]
        with db.transaction() as session:
            session.execute(update(LeadUnit).where(LeadUnit.id.not_in(keep)).values(status="withdrawn"))
        self.case = town.start("office", "quarterly_evaluation")

    @property
    def round(self) -> EvaluationRound:
        with db.transaction() as session:
            return session.scalars(select(EvaluationRound).where(EvaluationRound.instance_id == self.case)).one()

    def indicators(self, **changes: Any) -> dict[str, Any]:
        """The form of the indicator set as it would be handed in."""
        rows = []
        for row in scoring.standard_set():
            hidden = "criteria" if row["kind"] == "computed" else "formula"
            rows.append({name: value for name, value in row.items() if name != hidden and value != ""})
        return {"indicators": rows, "experts": PANEL, **changes}

    def fix(self, **changes: Any) -> None:
        """Indicators drafted, approved, frozen."""
        self.town.do("office", self.case, "fix_indicators", self.indicators(**changes), "submit")
        self.town.do("working_group", self.case, "approve_indicators", {"approve_opinion": "同意。"}, "approve")

    def open(self, checks: Sequence[str] = CHECKS, **changes: Any) -> None:
        """A round whose units report."""
        self.fix(**changes)
        self.town.do("office", self.case, "open_reporting", {"checks": list(checks)}, "open")
        self.town.make_documents()

    def result(self, letter: str = "") -> EvaluationResult:
        with db.transaction() as session:
            mine = EvaluationResult.lead_unit_id == self.town.unit(letter).id
            query = select(EvaluationResult).join(EvaluationResult.round).where(mine)
            return session.scalars(query.where(EvaluationRound.instance_id == self.case)).unique().one()

    def unit_case(self, letter: str = "") -> UUID:
        found = self.result(letter).instance_id
        assert found is not None
        return found

    def report_form(self, letter: str = "", factor: int = 1, **changes: Any) -> dict[str, Any]:
        """What the unit enters: `factor` times its targets."""
        with db.transaction() as session:
            rows = units.report_rows(session, units.get(session, self.result(letter).id))
        filled = [{"actual": row["target"] * factor, "note": "按台账汇总。"} for row in rows]
        return {"rows": filled, "report_words": "各项目按计划推进。", "true_report": True, **ACCOUNT, **changes}

    def report(self, letter: str = "", check: bool = True, **changes: Any) -> None:
        """The unit reports, its head confirms; `check`: the checks that need no waiting are done too."""
        case = self.unit_case(letter)
        self.town.do(f"lead_unit{letter}", case, "report", self.report_form(letter, **changes), "report")
        self.confirm(letter)
        if check:
            self.check(letter)

    def confirm(self, letter: str = "") -> None:
        """The head answers for what the staff reported."""
        given = {"submit_words": "同意提交。"}
        self.town.do(f"lead_unit_head{letter}", self.unit_case(letter), "confirm_submission", given, "confirm")

    def check(self, letter: str = "") -> None:
        """The office's open checks of a unit, in as few words as will do."""
        case = self.unit_case(letter)
        for element in self.town.open(case):
            if element in ("interview", "visit"):
                self.town.do("office", case, element, {"rows": [], "none_words": "本季度未开展。"}, "record")
            elif element == "spot_check":
                self.town.do("office", case, element, {"rows": [{"verdict": "conform"}] * self.drawn(letter)}, "record")

    def drawn(self, letter: str = "") -> int:
        """How many projects of a unit were drawn."""
        with db.transaction() as session:
            check = spot_checks.of_result(session, self.result(letter).id)
            return len(check.drawn) if check else 0

    def score(self, who: str, letter: str = "", marks: Sequence[int] = (85, 85), outcome: str = "score") -> None:
        """One expert's scores of one unit, through the same door as the page."""
        case, actor = self.unit_case(letter), self.town.people[who]
        data: Mapping[str, Any] = {"rows": [{"score": mark} for mark in marks], "score_words": "依据现场情况。"}
        with db.transaction() as session:
            mine = user_task.c.instance_id == case, user_task.c.assignee_id == actor.id, user_task.c.status == "open"
            task = session.scalars(select(user_task.c.id).where(*mine)).one()
            completing.complete(session, actor, task, variables=dict(data), outcome=outcome)
        self.town.work()

    def asked(self, letter: str = "") -> list[str]:
        """Who is asked to score a unit now."""
        names = {actor.id: name for name, actor in self.town.people.items()}
        with db.transaction() as session:
            tasks = queries.open_tasks(session, self.unit_case(letter))
            return sorted(names[task.assignee_id] for task in tasks if task.element_id == "score")

    def judge(self, letter: str = "", marks: Sequence[int] = (85, 85)) -> None:
        """All who are asked give the same scores, then the unit accepts."""
        for who in self.asked(letter):
            self.score(who, letter, marks)
        self.town.do(f"lead_unit{letter}", self.unit_case(letter), "state_case", {}, "accept")

    def settle(self, letter: str = "", **changes: Any) -> None:
        data = {"arrangement": "继续推进改造项目。", "arrangement_check": "done", **changes}
        self.town.do("working_group", self.unit_case(letter), "settle", data, "settle")

    def through(self, letter: str = "", marks: Sequence[int] = (85, 85), factor: int = 1) -> None:
        """One unit from its report to its settled conclusion."""
        self.report(letter, factor=factor)
        self.judge(letter, marks)
        self.settle(letter)

    def consequences(self, letter: str = "") -> list[tuple[str, str]]:
        with db.transaction() as session:
            mine = EvaluationConsequence.lead_unit_id == self.town.unit(letter).id
            found = session.scalars(select(EvaluationConsequence).where(mine)).unique()
            return sorted((entry.kind, entry.clause) for entry in found)
