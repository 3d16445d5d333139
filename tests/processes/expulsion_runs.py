"""The verbs of the scenarios of expulsion and reconsideration (4.4), and what must have come of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from tests.processes.conftest import Town
from tests.processes.test_expulsion import Review, unit
from tests.processes.test_expulsion_after import After
from webapp import clock, db
from webapp.demo import expulsion as play_expulsion
from webapp.registers import filing_checks, handovers, reconsiderations
from webapp.registers.models import Expulsion


class ExpulsionRun:
    """One scenario about unit C on its way."""

    def __init__(self, town: Town) -> None:
        self.town = town

    def step(self, verb: dict[str, Any]) -> None:
        ((name, value),) = verb.items()
        getattr(self, name)(value)

    # ---- given

    def projects(self, count: int) -> None:
        with db.transaction() as session:
            for number in range(count):
                play_expulsion.add_project(
                    session, self.town.registers.units[2], number, clock.today() - timedelta(days=90)
                )

    def opened(self, ground: str) -> None:
        self.review = Review(self.town, ground)

    def expelled(self, _nothing: Any) -> None:
        self.after = After(self.town)
        self.review = self.after.review

    # ---- when

    def gather(self, _nothing: Any) -> None:
        self.review.gather()

    def state_case(self, words: str) -> None:
        self.review.act("state_case", "lead_unit_head_c", words)

    def silent_for(self, working_days: int) -> None:
        self.town.pass_time(working_days=working_days)

    def propose(self, _nothing: Any) -> None:
        self.review.propose_again()

    def deliberate(self, outcome: str) -> None:
        self.review.act("deliberate", "bureau_meeting", outcome)

    def sign(self, _nothing: Any) -> None:
        self.review.act("draft_decision", "office")
        self.review.act("sign", "working_group")

    def ask(self, proposal: str) -> None:
        self.after.to_meeting(proposal)

    def reconsider(self, outcome: str) -> None:
        self.after.act("deliberate", "bureau_meeting", outcome)

    def examine(self, proposal: str) -> None:
        self.after.act("examine", "office", proposal)
        self.after.act("check", "working_group")

    def sign_reconsideration(self, _nothing: Any) -> None:
        self.after.sign()

    # ---- then

    def outcome(self) -> dict[str, Any]:
        """How the unit and its review stand."""
        with db.transaction() as session:
            review = session.scalars(select(Expulsion).where(Expulsion.id == self.review.id)).unique().one()
            asked = reconsiderations.of_review(session, review.id)
            return {
                "unit": unit(self.town).status,
                "review": review.status,
                "barred": bool(filing_checks.bars(session, [self.review.unit.credit_code])),
                "said": [said["kind"] for said in review.statements],
                "handovers": [entry.status for entry in handovers.of_review(session, review.id)],
                "reconsiderations": [entry.status for entry in asked],
            }
