"""Every path ends (4.6.3): whatever happens between two steps, nothing and nobody is left waiting for ever."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.processes.conftest import Town
from tests.processes.test_batches import decide, in_publicity, objection
from webapp import clock, db
from webapp.demo import make, play
from webapp.engine import commands, messages
from webapp.engine.tables import message
from webapp.errors import Conflict
from webapp.registers.models import BarredEntry, ConsortiumEnterprise, FilingItem, LeadUnit


def prepare_list(town: Town, batch: UUID) -> None:
    with db.transaction() as session:
        given = play.fill_in(session, town.people["office"], batch, "prepare_list")
    town.do("office", batch, "prepare_list", {"list_title": given["list_title"]}, "submit")


def expel(town: Town, letter: str = "") -> None:
    with db.transaction() as session:
        session.get_one(LeadUnit, town.unit(letter).id).status = "expelled"


def test_4_6_3_a_unit_that_leaves_between_the_final_check_and_the_signature_is_struck(town: Town) -> None:
    filing, (gone,), _other_batch = in_publicity(town, 1)
    other = town.file([make.enterprise(74)], "_b")
    (stays,) = town.items(other)
    town.review(stays)
    batch = town.publish([stays])
    for case in (_other_batch, batch):
        if case == batch:
            town.do("office", case, "confirm_entered", {"all_entered": True}, "confirm")
        else:
            town.close_period(case)
        prepare_list(town, case)
    expel(town)
    town.do("working_group", _other_batch, "sign_list", {"sign_opinion": "同意发布。"}, "sign")
    town.do("working_group", batch, "sign_list", {"sign_opinion": "同意发布。"}, "sign")
    assert (town.item(gone).status, town.item(stays).status) == ("struck", "published")
    assert (town.status(_other_batch), town.filing(filing).status) == ("completed", "closed")
    correction = town.case("notice_correction")  # 更正公告, the words filled in
    assert town.form("office", correction, "prepare").data["lines"][0]["field"] == "strike"


def test_4_6_3_an_enterprise_that_became_a_member_before_the_signature_is_struck(town: Town) -> None:
    filing, (double, sound), batch = in_publicity(town)
    town.close_period(batch)
    prepare_list(town, batch)
    with db.transaction() as session:
        item = session.get_one(FilingItem, double)
        session.add(
            ConsortiumEnterprise(
                lead_unit_id=item.filing.lead_unit_id, name=item.name, credit_code=item.credit_code, since=clock.today()
            )
        )
    town.do("working_group", batch, "sign_list", {"sign_opinion": "同意发布。"}, "sign")
    assert (town.item(double).status, town.item(sound).status) == ("struck", "published")
    assert (town.status(batch), town.filing(filing).status) == ("completed", "closed")


def test_4_4_a_bar_that_comes_between_the_list_and_the_signature_needs_a_judgement_first(town: Town) -> None:
    _filing, (barred,), batch = in_publicity(town, 1)
    town.close_period(batch)
    prepare_list(town, batch)
    with db.transaction() as session:
        code = town.item(barred).credit_code
        entry = {"name": "某", "clause": "4.4.5", "decision_number": "一号", "decided_on": clock.today(), "reason": ""}
        session.add(BarredEntry(credit_code=code, **entry))
    assert town.refused("working_group", batch, "sign_list", {"sign_opinion": "同意。"}, "sign")
    town.do("working_group", batch, "sign_list", {"sign_opinion": "请就新列入的企业作出判断。"}, "return")
    town.publish_list(batch, excluded_reason="经核实不影响。")
    assert town.item(barred).status == "published"


def test_4_6_3_one_enterprise_twice_in_a_batch_is_listed_once_and_nobody_waits(town: Town) -> None:
    filing, (one, two), batch = in_publicity(town)
    with db.transaction() as session:  # by a correction of the code while the notice is out
        session.get_one(FilingItem, two).credit_code = town.item(one).credit_code
    town.close_period(batch)
    town.publish_list(batch)
    assert (town.item(one).status, town.item(two).status) == ("published", "struck")
    assert (town.status(batch), town.filing(filing).status) == ("completed", "closed")


def test_a_correction_never_gives_an_enterprise_a_code_that_its_unit_has_already(town: Town) -> None:
    _filing, (one, two), batch = in_publicity(town)
    notice, case = town.notice(batch), town.start("office", "notice_correction")
    line = next(row for row in notice.rows if row.filing_item_id == two)
    with db.transaction() as session:
        unit = session.get_one(LeadUnit, town.unit().id)
        member = session.scalars(
            select(ConsortiumEnterprise.credit_code).where(ConsortiumEnterprise.lead_unit_id == unit.id)
        ).first()
        taken = [town.item(one).credit_code, unit.credit_code, str(member)]
    data: dict[str, Any] = {
        "notice_id": str(notice.id),
        "correction_kind": "correction",
        "correction_title": "更正公告",
        "correction_words": "信用代码有误，现予更正。",
    }
    for code in taken:
        lines = [{"line": str(line.id), "field": "credit_code", "after": code}]
        assert list(town.refused("office", case, "prepare", {**data, "lines": lines}, "submit")) == ["lines[0].after"]


def test_4_6_3_passed_enterprises_of_a_unit_that_left_do_not_wait_in_the_pool_for_ever(town: Town) -> None:
    filing = town.file([make.enterprise(70)])
    (gone,) = town.items(filing)
    town.review(gone)
    (stays,) = town.items(town.file([make.enterprise(74)], "_b"))
    town.review(stays)
    expel(town)
    with db.transaction() as session:
        assert session.get_one(FilingItem, gone).status == "pooled"
    batch = town.publish([stays])
    town.close_period(batch)
    assert town.item(gone).status == "struck"
    assert "已不在名单中" in town.item(gone).outcome_reason
    town.publish_list(batch)
    assert (town.item(stays).status, town.status(batch)) == ("published", "completed")
    assert town.filing(filing).status == "closed"


def test_a_decision_that_comes_while_the_list_is_signed_leaves_no_message_behind(town: Town) -> None:
    """Else a manager is told a month later of an undelivered message, and nothing was wrong."""
    _filing, (_free, held), batch = in_publicity(town)
    found = objection(town, batch, held)
    town.close_period(batch)
    decide(town, found, "upheld")
    town.publish_list(batch)
    assert town.status(batch) == "completed"
    town.pass_time(days=100)
    with db.transaction() as session:
        messages.expire(session)
        assert session.scalars(select(message.c.name).where(message.c.status != "delivered")).all() == []


# ---- ended by a manager --------------------------------------------------------------------------------------------


def cancel(town: Town, case: UUID) -> None:
    with db.transaction() as session:
        town.engine.step(session, case, commands.Cancel("误发起"), town.people["manager"])
    town.work()


def test_a_batch_ended_before_its_publication_gives_its_enterprises_back(town: Town) -> None:
    (item,) = town.items(town.file([make.enterprise(70)]))
    town.review(item)
    case = town.start("office", "publicity_batch")
    data = {"title": "公示", "item_ids": [str(item)], "period_days": 5}
    town.do("office", case, "compose", data, "submit")
    cancel(town, case)
    assert town.item(item).batch_id is None
    batch = town.publish([item])
    assert town.item(item).status == "public"
    with pytest.raises(Conflict):  # once public, only 撤回 ends it
        cancel(town, batch)
    assert town.status(batch) == "active"


def test_what_must_have_an_outcome_is_not_simply_ended(town: Town) -> None:
    filing, (item,), batch = in_publicity(town, 1)
    found = objection(town, batch, item)
    assert found.instance_id is not None
    submitted = town.filing(filing).instance_id
    assert submitted is not None
    for case in (town.case_of(item), found.instance_id, submitted):
        with pytest.raises(Conflict):
            cancel(town, case)
        assert town.status(case) == "active"


def test_a_draft_may_be_ended_with_a_reason(town: Town) -> None:
    draft, correction = town.start("lead_unit", "partner_filing"), town.start("office", "notice_correction")
    for case in (draft, correction):
        cancel(town, case)
        assert town.status(case) == "cancelled"
