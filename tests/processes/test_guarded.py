"""What the regulation demands cannot be passed from outside (4.6.3): no message, early timer or corrected variable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.processes.conftest import Town
from tests.processes.test_batches import in_publicity
from webapp import db
from webapp.config import ROOT
from webapp.engine import deployment
from webapp.engine.commands import FireTimer, SetVariables
from webapp.engine.errors import DeploymentRefused
from webapp.engine.handler_api import hooks
from webapp.engine.tables import timer
from webapp.errors import Conflict


def test_4_6_3_no_message_from_outside_passes_an_enterprise_by_its_publicity(town: Town) -> None:
    filing, (item,), batch = in_publicity(town, 1)
    for who in ("office", "manager", "sysadmin"):
        for name, key in (("enterprise_outcome", item), ("filing_settled", filing)):
            with pytest.raises(Conflict), db.transaction() as session:
                town.engine.correlate(session, name, correlation_key=str(key), actor=town.people[who])
    town.close_period(batch)
    town.publish_list(batch)
    assert town.filing(filing).status == "closed"


def test_4_6_3_the_publicity_period_is_not_cut_short(town: Town) -> None:
    _filing, _items, batch = in_publicity(town, 1)
    with db.transaction() as session:
        waiting = session.scalars(select(timer.c.id).where(timer.c.instance_id == batch)).one()
    with pytest.raises(Conflict), db.transaction() as session:
        town.engine.step(session, batch, FireTimer(waiting, "提前结束"), town.people["manager"])
    assert town.open(batch) == []


def test_4_6_2_no_corrected_variable_turns_a_rejection_into_a_pass(town: Town) -> None:
    _filing, (item,), _batch = in_publicity(town, 1)
    command = SetVariables({"review_decision": "pass"}, "更正")
    with pytest.raises(Conflict), db.transaction() as session:
        town.engine.step(session, town.case_of(item), command, town.people["manager"])


@pytest.mark.parametrize(
    ("path", "task"),
    [
        ("expulsion_review/expulsion_review.bpmn", "deliberate"),
        ("expulsion_reconsideration/expulsion_reconsideration.bpmn", "deliberate"),
    ],
)
def test_4_4_a_deployment_without_the_meeting_is_refused_as_law(town: Town, path: str, task: str) -> None:
    """Neither left out nor stripped of its mark: 存在以上情形的牵引单位，经市工业和信息化局局务会审议确认后进行清退."""
    folder = (ROOT / "processes" / path).parent
    files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    model = files[Path(path).name].decode()
    found = re.search(rf'<bpmn:userTask id="{task}"[^>]*>', model)
    assert found is not None
    unmarked = model.replace(found[0], found[0].replace(' qianyin:law="true"', ""))
    other = re.sub(rf'(?<!formRef=)"{task}"', '"waved_through"', model)
    gone = other.replace(f">{task}<", ">waved_through<")
    for changed in (unmarked, gone):
        with pytest.raises(DeploymentRefused) as refusal, db.transaction() as session:
            deployment.deploy(session, folder.name, {**files, Path(path).name: changed.encode()}, hooks=hooks)
        assert [finding.element_id for finding in refusal.value.findings] == [task], refusal.value
        assert "4.4" in str(refusal.value)
