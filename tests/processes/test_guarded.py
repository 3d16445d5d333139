"""What the regulation demands cannot be passed from outside (4.6.3): no message, early timer or corrected variable."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.processes.conftest import Town
from tests.processes.test_batches import in_publicity
from webapp import db
from webapp.engine.commands import FireTimer, SetVariables
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
