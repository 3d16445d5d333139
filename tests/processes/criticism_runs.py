"""The verbs of the scenarios of criticism (4.2, 4.3), and what must have come of them."""

from __future__ import annotations

from typing import Any

from tests.processes.conftest import Town
from tests.processes.test_criticism import Case


class CriticismRun:
    """One scenario about unit C on its way."""

    def __init__(self, town: Town) -> None:
        self.town = town

    def step(self, verb: dict[str, Any]) -> None:
        ((name, value),) = verb.items()
        getattr(self, name)(value)

    def opened(self, ground: str) -> None:
        self.case = Case(self.town, ground)

    def hear(self, _nothing: Any) -> None:
        self.case.heard()

    def decide(self, dropped: list[str]) -> None:
        self.case.act("decide", "working_group", *dropped)

    def serve(self, days: int) -> None:
        self.case.act("draft", "office", days=days)
        self.case.act("sign", "working_group2")

    def silent_for(self, days: int) -> None:
        self.town.pass_time(days=days)

    def report(self, _nothing: Any) -> None:
        self.case.act("report", "lead_unit_head_c")

    def check(self, outcome: str) -> None:
        self.case.act("check", "office", outcome)

    def assess(self, words: list[str]) -> None:
        self.case.act("assess", "office", *words)

    def resolve(self, outcome: str) -> None:
        self.case.act("resolve", "working_group", outcome)

    def sign_cancel(self, _nothing: Any) -> None:
        self.case.act("sign_cancel", "working_group2")

    def outcome(self) -> dict[str, Any]:
        """How the unit and its case stand."""
        row, unit = self.case.row, self.case.lead_unit
        return {
            "unit": unit.status,
            "rectifying": unit.rectifying,
            "case": row.status,
            "periods": [period.status for period in row.periods],
        }
