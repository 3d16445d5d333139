"""The scenario files beside the models, of two kinds.

Those of one process run in the designers' sandbox, exactly as on their page and before a deployment. Those of the whole
product have verbs of the town in given and when; then is what must have come of them in the registers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

import handlers
from tests.processes.conftest import Town
from tests.processes.criticism_runs import CriticismRun
from tests.processes.expulsion_runs import ExpulsionRun
from webapp import db
from webapp.config import ROOT
from webapp.demo import make
from webapp.designer.scenarios import service
from webapp.engine.handler_api import hooks
from webapp.notices import objections
from webapp.registers import membership, regulation

ALL = sorted((ROOT / "processes").glob("*/scenarios/*.json"))
FILES = [path for path in ALL if "process" not in json.loads(path.read_bytes())]
FOLDERS = sorted({path.parent.parent for path in ALL if path not in FILES})


class Run:
    """One scenario on its way; enterprises are counted from 1 in the order of the filing."""

    def __init__(self, town: Town) -> None:
        self.town = town

    def step(self, verb: dict[str, Any]) -> None:
        (name, *_rest) = verb
        getattr(self, name)(verb[name], **{key: value for key, value in verb.items() if key != name})

    def file(self, numbers: list[int]) -> None:
        self.filing = self.town.file([make.enterprise(number) for number in numbers])
        self.items = self.town.items(self.filing)

    def review(self, number: int, outcome: str, changes: dict[str, Any] | None = None) -> None:
        self.town.review(self.items[number - 1], outcome, **(changes or {}))

    def publish(self, numbers: list[int]) -> None:
        self.batch = self.town.publish([self.items[number - 1] for number in numbers])

    def object(self, number: int, decision: str) -> None:
        with db.transaction() as session:
            found = objections.receive(
                session,
                notice_id=self.town.notice(self.batch).id,
                filing_item_id=self.items[number - 1],
                channel="web",
                objector_name="",
                objector_contact="",
                words="该企业没有开展所填报的业务，请核实。",
            )
        case = found.instance_id
        assert case is not None
        self.town.do("office", case, "investigate", {"findings": "已电话核实。", "proposal": decision}, "submit")
        self.town.do("working_group", case, "decide", {"decision_reasons": "依据调查情况。"}, decision)

    def close_period(self, _nothing: dict[str, Any]) -> None:
        self.town.close_period(self.batch)

    def publish_list(self, more: dict[str, Any]) -> None:
        self.town.publish_list(self.batch, **more)


def check_unit(scenario: dict[str, Any], run: ExpulsionRun | CriticismRun) -> None:
    for verb in (*scenario["given"], *scenario["when"]):
        run.step(verb)
    assert run.outcome() == scenario["then"]


def files(folder: Path) -> dict[str, bytes]:
    """A process folder as a deployment has it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_scenarios_of_one_process(folder: Path, session: Session) -> None:
    handlers.load()
    report = service.run_all(session, files(folder), hooks)
    assert report.refused == []
    assert {result.path: result.difference for result in report.failed} == {}
    assert report.passed == sum(not result.elsewhere for result in report.results) > 0
    assert {result.clause for result in report.results} <= set(regulation.source()["clauses"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenario(path: Path, town: Town) -> None:
    scenario = json.loads(path.read_text(encoding="utf-8"))
    assert scenario["clause"] in regulation.source()["clauses"]
    if path.parent.parent.name.startswith("expulsion_"):
        check_unit(scenario, ExpulsionRun(town))
        return
    if path.parent.parent.name == "criticism":
        check_unit(scenario, CriticismRun(town))
        return
    run = Run(town)
    for verb in (*scenario["given"], *scenario["when"]):
        run.step(verb)
    then = scenario["then"]
    assert [town.item(item).status for item in run.items] == then["enterprises"]
    assert town.filing(run.filing).status == then["filing"]
    with db.transaction() as session:
        members = [
            number
            for number in range(70, 80)
            if membership.current(session, town.unit().id, str(make.enterprise(number)["credit_code"]))
        ]
    assert members == then["members"]
