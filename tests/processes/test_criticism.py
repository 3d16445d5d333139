"""通报批评与限期整改 (4.2, 4.3) through the engine: facts, statement, finding, order, rectification, consequences."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.processes.conftest import Town
from webapp import clock, db
from webapp.config import ROOT
from webapp.demo import criticism as play_criticism
from webapp.demo import expulsion as play_expulsion
from webapp.documents.models import Document
from webapp.engine.commands import Cancel
from webapp.engine.decisions import parse_dmn
from webapp.errors import Conflict, Forbidden, Invalid
from webapp.notices.models import Notice
from webapp.registers import criticisms, expulsions, filing_checks, numbers
from webapp.registers.criticism_models import Criticism
from webapp.registers.models import LeadUnit

FACTS = "两家试点企业书面投诉顾问没有行业经验，方案不能满足需求。"


class Case:
    """One criticism of unit C and the people who work on it; every verb is a transaction of its own."""

    def __init__(self, town: Town, ground: str = "4.2.1") -> None:
        self.town = town
        self.unit = town.registers.units[2]
        with db.transaction() as session:
            unit = session.get_one(LeadUnit, self.unit.id)
            self.id = play_criticism.open_case(session, town.people["office"], unit, ground, FACTS).id

    @property
    def row(self) -> Criticism:
        with db.transaction() as session:
            found = session.get_one(Criticism, self.id)
            _ = found.grounds, found.periods
            return found

    @property
    def case(self) -> UUID:
        found = self.row.instance_id
        assert found is not None
        return found

    def act(self, verb: str, who: str, *args: Any, **changes: Any) -> None:
        with db.transaction() as session:
            found = session.get_one(Criticism, self.id)
            getattr(play_criticism, verb)(session, self.town.people[who], found, *args, **changes)
        self.town.work()

    def heard(self, *more: dict[str, str]) -> None:
        self.act("gather", "office", *more)
        self.act("state_case", "lead_unit_head_c", "顾问正在更换。")

    def served(self, **changes: Any) -> None:
        """Up to the served order."""
        self.heard()
        self.act("decide", "working_group")
        self.act("draft", "office", **changes)
        self.act("sign", "working_group2")

    def failed(self) -> None:
        """Reported, and found wanting."""
        self.act("report", "lead_unit_head_c")
        self.act("check", "office", "fail")

    def cancel(self) -> None:
        self.act("assess", "office", "neglected", "grave")
        self.act("resolve", "working_group", "cancel")
        self.act("sign_cancel", "working_group2")

    @property
    def lead_unit(self) -> LeadUnit:
        with db.transaction() as session:
            return session.get_one(LeadUnit, self.unit.id)


def test_4_2_an_established_ground_is_criticised_rectified_and_closed(town: Town) -> None:
    case = Case(town)
    assert (case.row.number, town.open(case.case)) == ("PP-2026-0001", ["gather"])
    case.heard({"clause": "4.2.5", "facts": "承诺驻场服务而没有派人，经催促仍不履行。"})
    case.act("decide", "working_group", "4.2.5")
    assert [(g.clause, g.established) for g in case.row.grounds] == [("4.2.1", True), ("4.2.5", False)]
    case.act("draft", "office")
    assert not case.lead_unit.rectifying
    case.act("sign", "working_group2")
    row = case.row
    assert (row.status, row.notice_number) == ("rectifying", "穗工信通报〔2026〕1 号")
    (period,) = row.periods
    assert (period.number, period.days) == ("穗工信整改〔2026〕1 号", 30)
    assert period.due_at == clock.deadline(period.served_at, days=30)
    assert case.lead_unit.rectifying
    assert case.lead_unit.status == "listed"
    town.make_documents()
    with db.transaction() as session:
        notice = session.get_one(Notice, row.notice_id)
        assert [g["clause"] for g in notice.rows[0].extra["grounds"]] == ["4.2.1"]
        made = select(Document.kind, Document.public).where(Document.instance_id == case.case)
        told = sorted(session.execute(made.where(Document.made_from.isnot(None))).all())
        assert told == [("criticism", True)] * 2 + [("rectification_order", False)] * 2
    case.act("report", "lead_unit_head_c")
    assert case.row.periods[0].received_at is not None  # who reports has received the order
    case.act("check", "office")
    assert (case.row.status, town.status(case.case)) == ("rectified", "completed")
    assert not case.lead_unit.rectifying
    with db.transaction() as session:
        assert list(numbers.inconsistencies(session)) == []


def test_4_2_what_is_not_established_ends_without_notice(town: Town) -> None:
    case = Case(town, "4.2.6")
    case.heard()
    case.act("decide", "working_group", "4.2.6")
    assert (case.row.status, case.row.notice_number, town.status(case.case)) == ("not_established", None, "completed")


@pytest.mark.parametrize("ground", criticisms.GROUNDS)
def test_4_2_each_of_the_six_grounds_opens_a_case(town: Town, ground: str) -> None:
    assert [g.clause for g in Case(town, ground).row.grounds] == [ground]


def test_4_2_no_other_ground_and_no_ground_without_facts(town: Town) -> None:
    with db.transaction() as session:
        for clause, facts in (("4.4.5", FACTS), ("4.2.7", FACTS), ("4.2.1", "投诉")):
            with pytest.raises(Invalid):
                criticisms.open_case(session, town.registers.units[2].id, clause, facts, "office")


def test_4_2_a_ground_that_joins_late_is_told_before_it_is_decided(town: Town) -> None:
    case = Case(town)
    case.heard()
    with db.transaction() as session:
        joined = criticisms.open_case(session, case.unit.id, "4.2.2", "三月材料逾期二十日报送。", "office")
        assert (joined.joined, joined.case.id) == (True, case.id)
    rows = [
        {"clause": clause, "established": "yes", "finding": "事实清楚，情形成立。"} for clause in ("4.2.1", "4.2.2")
    ]
    wrong = town.refused("working_group", case.case, "decide", {"findings": rows}, "decide")
    assert "4.2.2" in wrong[""][0]
    town.do("working_group", case.case, "decide", {"decide_words": "请告知第 4.2.2 条。"}, "return")
    assert town.open(case.case) == ["gather"]
    case.heard()
    case.act("decide", "working_group")
    with db.transaction() as session:  # after the decision, a further ground is a case of its own
        assert not criticisms.open_case(session, case.unit.id, "4.2.2", "四月材料又逾期报送。", "office").joined


def test_4_2_silence_is_recorded_and_does_not_hold_up_the_case(town: Town) -> None:
    case = Case(town)
    case.act("gather", "office")
    town.pass_time(working_days=7)
    assert [said["kind"] for said in case.row.statements] == ["silent"]
    assert town.open(case.case) == ["decide"]


def test_4_2_a_case_has_a_conclusion(town: Town) -> None:
    case = Case(town)
    with db.transaction() as session, pytest.raises(Forbidden, match="须有结论"):
        town.engine.step(session, case.case, Cancel("不想办了，先行终止。"), town.people["office"])


def test_4_3_a_missed_deadline_is_weighed_and_continued_with_a_new_order(town: Town) -> None:
    case = Case(town)
    case.served(days=10)
    town.pass_time(days=15)
    assert (case.row.status, case.row.periods[0].status) == ("weighing", "missed")
    case.act("assess", "office", "hindered", "light")
    assert town.variables(case.case)["proposed"]["proposal"] == "continue"
    case.act("resolve", "working_group", "continue")
    first, second = case.row.periods
    assert (first.resolved["outcome"], second.seq, second.days) == ("continue", 2, 15)
    assert second.number == "穗工信整改〔2026〕2 号"
    assert case.row.status == "rectifying"
    case.act("report", "lead_unit_head_c")
    case.act("check", "office")
    assert case.row.status == "rectified"


def test_4_3_the_qualification_is_cancelled_without_a_bar(town: Town) -> None:
    case = Case(town)
    case.served()
    case.failed()
    second = Case(town, "4.2.2")
    case.cancel()
    assert (case.row.status, case.row.cancel_number) == ("cancelled", "穗工信取消〔2026〕1 号")
    assert (case.lead_unit.status, case.lead_unit.rectifying) == ("cancelled", False)
    assert (second.row.status, town.status(second.case)) == ("ended", "cancelled")
    town.make_documents()
    with db.transaction() as session:
        assert filing_checks.bars(session, [case.unit.credit_code]) == []
        assert session.get_one(Notice, case.row.cancel_notice_id).pdf_id is not None
        assert list(numbers.inconsistencies(session)) == []
        with pytest.raises(Conflict, match="不在牵引单位名单中"):
            criticisms.open_case(session, case.unit.id, "4.2.1", FACTS, "office")


def test_4_4_facts_that_are_also_a_ground_of_expulsion_open_the_review(town: Town) -> None:
    case = Case(town)
    case.heard()
    case.act("decide", "working_group", also_ground="4.4.5", also_facts="诊断报告的企业签章系伪造，企业否认。")
    with db.transaction() as session:
        review = expulsions.open_of(session, case.unit.id)
        assert review is not None
        assert [g.clause for g in review.grounds] == ["4.4.5"]
        assert case.row.number in review.grounds[0].facts
    case.act("draft", "office")
    case.act("sign", "working_group2")
    case.failed()
    case.act("assess", "office", "neglected", "grave")
    data = {"resolve_words": "情节严重，拟取消资格。", "next_requirements": "", "next_days": 30}
    wrong = town.refused("working_group", case.case, "resolve", data, "cancel")
    assert "局务会" in wrong[""][0]


def test_4_4_an_expulsion_ends_what_runs(town: Town) -> None:
    case = Case(town)
    case.served()
    with db.transaction() as session:
        review = play_expulsion.open_review(session, town.people["office"], session.get_one(LeadUnit, case.unit.id)).id
    for verb, who, *args in (
        ("gather", "office"),
        ("state_case", "lead_unit_head_c", "请求从轻处理。"),
        ("propose", "working_group"),
        ("check_legality", "working_group2"),
        ("set_agenda", "office"),
        ("deliberate", "bureau_meeting"),
        ("draft_decision", "office"),
        ("sign", "working_group"),
    ):
        with db.transaction() as session:
            found = expulsions.get(session, review)
            getattr(play_expulsion, verb)(session, town.people[who], found, *args)
        town.work()
    assert (case.row.status, town.status(case.case)) == ("ended", "cancelled")
    assert (case.lead_unit.status, case.lead_unit.rectifying) == ("expelled", False)


@pytest.mark.parametrize(
    ("severity", "circumstances", "periods", "proposal"),
    [
        ("grave", "neglected", 1, "cancel"),
        ("grave", "partial", 1, "continue"),
        ("grave", "hindered", 2, "cancel"),
        ("light", "neglected", 1, "continue"),
        ("light", "neglected", 2, "cancel"),
        ("medium", "partial", 2, "continue"),
        ("medium", "partial", 3, "cancel"),
        ("medium", "hindered", 5, "continue"),
    ],
)
def test_4_3_the_table_proposes_by_circumstances_and_severity(
    severity: str, circumstances: str, periods: int, proposal: str
) -> None:
    (table,) = parse_dmn((ROOT / "processes/criticism/rectification_outcome.dmn").read_bytes())
    given = {"severity": severity, "circumstances": circumstances, "periods": periods}
    (found,) = table.evaluate(given, now=clock.now())
    assert found["proposal"] == proposal
    assert found["reason"]
