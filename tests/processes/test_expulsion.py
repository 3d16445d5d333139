"""清退审议 (4.4) through the engine: opened, told and heard, proposed, resolved, signed; each rule by its clause."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.processes.conftest import Town
from webapp import db
from webapp.accounts.models import Account
from webapp.accounts.service import actor_of
from webapp.demo import expulsion as play_expulsion
from webapp.documents import service as documents
from webapp.documents.models import Document
from webapp.engine.commands import Cancel, FireTimer, MoveToken, RestartFrom, SetVariables
from webapp.engine.errors import LawForbids
from webapp.engine.tables import timer
from webapp.errors import Conflict, Forbidden, Invalid, NotFound
from webapp.registers import expulsion_withdrawal, expulsions, filing_checks, history
from webapp.registers.models import BarredEntry, Expulsion, LeadUnit

FACTS = "核查发现两份验收材料的签字系伪造，签收人否认。"


class Review:
    """One review of unit C and the people who work on it; every verb is a transaction of its own."""

    def __init__(self, town: Town, ground: str = "4.4.5") -> None:
        self.town = town
        self.unit = town.registers.units[2]
        with db.transaction() as session:
            unit = session.get_one(LeadUnit, self.unit.id)
            self.id = play_expulsion.open_review(session, town.people["office"], unit, ground, FACTS).id

    @property
    def row(self) -> Expulsion:
        with db.transaction() as session:
            found = session.get_one(Expulsion, self.id)
            _ = found.grounds, found.meetings
            return found

    @property
    def case(self) -> UUID:
        found = self.row.instance_id
        assert found is not None
        return found

    def act(self, verb: str, who: str, *args: Any, **changes: Any) -> None:
        with db.transaction() as session:
            found = session.get_one(Expulsion, self.id)
            getattr(play_expulsion, verb)(session, self.town.people[who], found, *args, **changes)
        self.town.work()

    def gather(self, *more: dict[str, str]) -> None:
        self.act("gather", "office", *more)

    def to_meeting(self) -> None:
        """Told, heard, proposed, on the agenda."""
        self.gather()
        self.act("state_case", "lead_unit_head_c", "材料由外包人员收集，请求从轻处理。")
        self.propose_again()

    def propose_again(self) -> None:
        self.act("propose", "working_group")
        self.act("check_legality", "working_group2")
        self.act("set_agenda", "office")

    def to_signature(self) -> None:
        self.to_meeting()
        self.act("deliberate", "bureau_meeting")
        self.act("draft_decision", "office")

    def expel(self) -> None:
        self.to_signature()
        self.act("sign", "working_group")

    def paper(self, who: str, name: str) -> str:
        with db.transaction() as session:
            return play_expulsion.paper(session, self.town.people[who], name)


def unit(town: Town, number: int = 2) -> LeadUnit:
    with db.transaction() as session:
        return session.get_one(LeadUnit, town.registers.units[number].id)


def test_4_4_a_unit_is_told_heard_and_expelled_by_a_confirmed_resolution(town: Town) -> None:
    review = Review(town)
    assert (unit(town).status, unit(town).under_expulsion) == ("listed", True)
    review.gather()
    assert review.row.told_number == "穗工信清退告〔2026〕1 号"
    assert town.open(review.case) == ["state_case"]
    review.act("state_case", "lead_unit_head_c", "材料由外包人员收集，请求从轻处理。")
    review.act("propose", "working_group")
    review.act("check_legality", "working_group2")
    review.act("set_agenda", "office")
    review.act("deliberate", "bureau_meeting")
    assert unit(town).status == "listed"  # only the signed decision expels
    review.act("draft_decision", "office")
    review.act("sign", "working_group")
    row = review.row
    assert (row.status, row.decision_number) == ("expelled", "穗工信清退〔2026〕1 号")
    assert (unit(town).status, unit(town).under_expulsion) == ("expelled", False)
    with db.transaction() as session:
        bar = session.scalars(select(BarredEntry).where(BarredEntry.credit_code == review.unit.credit_code)).one()
        assert (bar.clause, bar.decision_number) == ("4.4.5", row.decision_number)
        told = {change.action for change in history.of_entry(session, "lead_unit", [review.unit.id])}
        assert {"under_expulsion", "expelled"} <= told


@pytest.mark.parametrize("ground", expulsions.GROUNDS)
def test_4_4_each_of_the_eight_grounds_opens_a_review(town: Town, ground: str) -> None:
    review = Review(town, ground)
    assert [g.clause for g in review.row.grounds] == [ground]
    assert town.open(review.case) == ["gather"]


def test_4_4_no_ninth_ground_and_no_ground_without_facts(town: Town) -> None:
    with db.transaction() as session:
        for clause, facts in (("4.5", FACTS), ("4.4.9", FACTS), ("4.4.5", "伪造")):
            with pytest.raises(Invalid):
                expulsions.open_review(session, town.registers.units[2].id, clause, facts, "office")


def test_4_4_a_unit_has_one_open_review_and_further_grounds_join_it(town: Town) -> None:
    review = Review(town)
    with db.transaction() as session:
        second = expulsions.open_review(session, review.unit.id, "4.4.3", "两次评价不达标，见评价结论。", "consequence")
        again = expulsions.open_review(session, review.unit.id, "4.4.5", "又查出一份伪造的合同。", "office")
        assert (second.joined, again.joined) == (True, True)
        assert second.review.id == again.review.id == review.id
    assert {g.clause for g in review.row.grounds} == {"4.4.3", "4.4.5"}
    assert next(g for g in review.row.grounds if g.clause == "4.4.5").facts.endswith("又查出一份伪造的合同。")


def test_4_4_an_expelled_unit_cannot_be_proposed_again(town: Town) -> None:
    review = Review(town)
    review.expel()
    with db.transaction() as session, pytest.raises(Conflict, match="不在牵引单位名单中"):
        expulsions.open_review(session, review.unit.id, "4.4.5", FACTS, "office")


# ---- facts and hearing ---------------------------------------------------------------------------------------------


def test_4_4_each_ground_needs_evidence_and_none_is_dropped(town: Town) -> None:
    review = Review(town)
    wrong = town.refused(
        "office", review.case, "gather", {"grounds": [{"clause": "4.4.6", "facts": FACTS, "evidence": []}]}, "submit"
    )
    assert "请上传第 4.4.6 条情形的证据。" in str(wrong)
    assert "已提出的情形不能删去：第 4.4.5 条" in str(wrong)


def test_4_4_the_unit_reads_the_evidence_once_it_is_told_and_never_the_minutes(town: Town) -> None:
    review = Review(town)
    evidence = review.paper("office", "核查记录")
    rows = [{"clause": "4.4.5", "facts": FACTS, "evidence": [evidence]}]
    head = town.people["lead_unit_head_c"]
    with db.transaction() as session, pytest.raises(NotFound):
        documents.find(session, UUID(evidence), head)
    town.do("office", review.case, "gather", {"grounds": rows}, "submit")
    with db.transaction() as session:
        assert documents.find(session, UUID(evidence), head)
    review.act("state_case", "lead_unit_head_c", "请求从轻处理。")
    review.propose_again()
    review.act("deliberate", "bureau_meeting")
    minutes = UUID(review.row.meetings[0].minutes_files[0])
    with db.transaction() as session, pytest.raises(NotFound):
        documents.find(session, minutes, head)


def test_4_4_silence_is_recorded_after_a_reminder(town: Town) -> None:
    review = Review(town)
    review.gather()
    town.pass_time(working_days=4)
    assert town.variables(review.case)["reminded_at"] is not None
    assert town.open(review.case) == ["state_case"]
    town.pass_time(working_days=3)
    assert town.open(review.case) == ["propose"]
    assert [said["kind"] for said in review.row.statements] == ["silent"]


def test_4_4_the_hearing_is_not_cut_short_nor_a_resolution_put_in(town: Town) -> None:
    review = Review(town)
    review.gather()
    with db.transaction() as session:
        timers = session.scalars(select(timer.c.id).where(timer.c.instance_id == review.case)).all()
    refused = 0
    for waiting in timers:
        try:
            with db.transaction() as session:
                town.engine.step(session, review.case, FireTimer(waiting, "提前"), town.people["manager"])
        except Conflict:
            refused += 1
    assert refused == 1  # the reminder may go out early, the period may not end early
    assert town.open(review.case) == ["state_case"]
    command = SetVariables({"resolution": "confirm"}, "更正")
    with pytest.raises(Conflict), db.transaction() as session:
        town.engine.step(session, review.case, command, town.people["manager"])


def test_4_4_what_the_unit_said_is_answered(town: Town) -> None:
    review = Review(town)
    review.gather()
    review.act("state_case", "lead_unit_head_c", "材料由外包人员收集，请求从轻处理。")
    data = {"findings": "事实清楚，情形成立，建议清退。", "proposal": "expel"}
    assert "answer_to_statement" in town.refused("working_group", review.case, "propose", data, "submit")


def test_4_4_legality_is_checked_by_another_person_and_passes_only_whole(town: Town) -> None:
    review = Review(town)
    review.gather()
    review.act("state_case", "lead_unit_head_c", "请求从轻处理。")
    review.act("propose", "working_group")
    with pytest.raises((Forbidden, Conflict, Invalid)):
        review.act("check_legality", "working_group")
    data = {"facts_clear": True, "procedure_kept": False, "basis_right": True}
    assert "procedure_kept" in town.refused("working_group2", review.case, "legality", data, "pass")
    town.do("working_group2", review.case, "legality", {"legality_opinion": "请补充证据。"}, "return")
    assert town.open(review.case) == ["propose"]
    assert town.form("working_group", review.case, "propose").context["return_words"] == "请补充证据。"


# ---- the 局务会 ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attendance", "field"),
    [
        (("present", "present", "absent", "absent", "absent"), "members"),
        (("present", "present", "absent", "absent", "recused"), "members"),  # two of four: not more than half
    ],
)
def test_4_4_no_resolution_without_quorum(town: Town, attendance: tuple[str, ...], field: str) -> None:
    review = Review(town)
    review.to_meeting()
    with pytest.raises(Invalid) as refusal:
        review.act("deliberate", "bureau_meeting", "confirm", members=play_expulsion.members(*attendance))
    assert field in refusal.value.fields
    assert review.row.meetings == []


def test_4_4_whoever_is_recused_says_why_and_counts_in_neither(town: Town) -> None:
    review = Review(town)
    review.to_meeting()
    told = play_expulsion.members("present", "present", "recused", "recused", "absent")
    silent = [{**row, "reason": ""} for row in told]
    with pytest.raises(Invalid) as refusal:
        review.act("deliberate", "bureau_meeting", "confirm", members=silent)
    assert "members[2].reason" in refusal.value.fields
    review.act("deliberate", "bureau_meeting", "confirm", members=told)
    meeting = review.row.meetings[0]
    assert (meeting.entitled, meeting.present) == (3, 2)


def test_4_4_no_resolution_without_minutes(town: Town) -> None:
    review = Review(town)
    review.to_meeting()
    with pytest.raises(Invalid) as refusal:
        review.act("deliberate", "bureau_meeting", "confirm", minutes_files=[])
    assert "minutes_files" in refusal.value.fields


def test_4_4_sent_back_for_facts_as_often_as_needed_then_told_and_heard_again(town: Town) -> None:
    review = Review(town)
    review.to_meeting()
    for number in (1, 2):
        review.act("deliberate", "bureau_meeting", "send_back", resolution_words="请补充签收人的书面证言。")
        assert town.form("office", review.case, "gather").context["return_words"] == "请补充签收人的书面证言。"
        review.to_meeting()
        assert [m.resolution for m in review.row.meetings] == ["send_back"] * number
    review.act("deliberate", "bureau_meeting")
    assert [m.seq for m in review.row.meetings] == [1, 2, 3]
    assert len(review.row.statements) == 3


def test_4_4_a_ground_that_joined_after_the_unit_was_told_is_not_confirmed_unheard(town: Town) -> None:
    review = Review(town)
    review.to_meeting()
    with db.transaction() as session:
        expulsions.open_review(session, review.unit.id, "4.4.6", "泄露试点企业的客户数据，见举报。", "office")
    with pytest.raises(Invalid) as refusal:
        review.act("deliberate", "bureau_meeting")
    assert "第 4.4.6 条的情形尚未告知单位" in str(refusal.value.fields)
    review.act("deliberate", "bureau_meeting", "send_back")
    review.to_meeting()
    review.act("deliberate", "bureau_meeting")
    assert review.row.status == "deciding"


def test_4_4_not_confirmed_leaves_the_unit_on_the_list(town: Town) -> None:
    review = Review(town)
    review.to_meeting()
    review.act("deliberate", "bureau_meeting", "not_confirm", resolution_words="证据不足，不予清退。")
    assert (review.row.status, town.status(review.case)) == ("not_confirmed", "completed")
    assert (unit(town).status, unit(town).under_expulsion) == ("listed", False)
    Review(town)  # and a new review may be opened


def test_4_4_a_review_is_not_ended_by_an_operation(town: Town) -> None:
    review = Review(town)
    with pytest.raises(Forbidden), db.transaction() as session:
        town.engine.step(session, review.case, Cancel("不办了"), town.people["manager"])
    assert town.status(review.case) == "active"


def test_4_4_no_operation_passes_the_bureau_meeting(town: Town) -> None:
    """Issue 3: a manager's token move past 局务会 is refused as `law`."""
    review = Review(town)
    review.to_meeting()
    manager = town.people["manager"]
    for command in (
        MoveToken("draft_decision", "已口头同意", element_id="deliberate"),
        MoveToken("resolved", "已口头同意", element_id="deliberate"),
        MoveToken("expel", "已口头同意", element_id="deliberate"),
        RestartFrom("expel", "已口头同意"),
    ):
        with (
            pytest.raises(LawForbids, match=r"“局务会审议”是规程规定的环节（4\.4）") as refused,
            db.transaction() as session,
        ):
            town.engine.step(session, review.case, command, manager)
        assert refused.value.code == "law"
    assert town.open(review.case) == ["deliberate"]
    with db.transaction() as session:  # back to the proposal: the meeting is still to come
        town.engine.step(session, review.case, MoveToken("propose", "建议有误", element_id="deliberate"), manager)
    assert town.open(review.case) == ["propose"]
    with pytest.raises(LawForbids, match="局务会审议"), db.transaction() as session:
        town.engine.step(session, review.case, MoveToken("sign", "快", element_id="propose"), manager)


# ---- a unit's own exit ---------------------------------------------------------------------------------------------


def ask_to_leave(town: Town) -> UUID:
    case = town.start("lead_unit_head_c", "expulsion_review")
    with db.transaction() as session:
        stamped = play_expulsion.paper(session, town.people["lead_unit_head_c"], "退出申请")
    data = {"exit_reasons": "公司业务调整，不再从事试点服务。", "exit_files": [stamped], "bar_known": True}
    town.do("lead_unit_head_c", case, "request_exit", data, "submit")
    return case


def exit_review(town: Town) -> Expulsion:
    with db.transaction() as session:
        found = expulsions.open_of(session, town.registers.units[2].id)
        assert found is not None
        return found


def test_4_4_1_a_unit_that_asks_to_leave_knows_the_bar_and_is_not_heard(town: Town) -> None:
    case = town.start("lead_unit_head_c", "expulsion_review")
    data = {"exit_reasons": "公司业务调整，不再从事试点服务。", "exit_files": [], "bar_known": False}
    assert "bar_known" in town.refused("lead_unit_head_c", case, "request_exit", data, "submit")
    data["bar_known"] = True
    assert "exit_files" in town.refused("lead_unit_head_c", case, "request_exit", data, "submit")
    case = ask_to_leave(town)
    review = Review.__new__(Review)
    review.town, review.unit, review.id = town, town.registers.units[2], exit_review(town).id
    review.gather()
    assert town.open(case) == ["propose"]
    review.propose_again()
    review.act("deliberate", "bureau_meeting")
    review.act("draft_decision", "office")
    review.act("sign", "working_group")
    assert unit(town).status == "expelled"


def test_4_4_1_it_may_withdraw_before_the_resolution_and_not_after(town: Town) -> None:
    case = ask_to_leave(town)
    with db.transaction() as session:
        expulsion_withdrawal.withdraw(session, exit_review(town), town.people["lead_unit_head_c"])
    assert town.status(case) == "cancelled"
    assert (unit(town).status, unit(town).under_expulsion) == ("listed", False)
    case = ask_to_leave(town)
    review = Review.__new__(Review)
    review.town, review.unit, review.id = town, town.registers.units[2], exit_review(town).id
    review.gather()
    review.propose_again()
    review.act("deliberate", "bureau_meeting")
    with db.transaction() as session, pytest.raises(Conflict):
        expulsion_withdrawal.withdraw(session, session.get_one(Expulsion, review.id), town.people["lead_unit_head_c"])


def test_4_4_1_another_unit_or_the_staff_cannot_withdraw_it(town: Town) -> None:
    ask_to_leave(town)
    for who in ("lead_unit_head", "lead_unit_c", "office"):
        with db.transaction() as session, pytest.raises((Forbidden, Conflict)):
            expulsion_withdrawal.withdraw(session, exit_review(town), town.people[who])


def test_4_4_1_a_voluntary_exit_joins_an_open_review_and_never_closes_it(town: Town) -> None:
    review = Review(town)
    case = ask_to_leave(town)
    assert town.status(case) == "completed"
    assert {g.clause for g in review.row.grounds} == {"4.4.1", "4.4.5"}
    with db.transaction() as session, pytest.raises(Conflict):
        expulsion_withdrawal.withdraw(session, session.get_one(Expulsion, review.id), town.people["lead_unit_head_c"])
    review.gather()
    assert town.open(review.case) == ["state_case"]  # with another ground it is told and heard


def test_4_4_1_entered_by_the_office_the_unit_acknowledges_the_bar(town: Town) -> None:
    review = Review(town, "4.4.1")
    review.gather()
    assert town.open(review.case) == ["acknowledge"]
    town.do("lead_unit_head_c", review.case, "acknowledge", {"bar_known": True}, "acknowledge")
    assert town.open(review.case) == ["propose"]
    assert review.row.bar_known


def test_4_4_1_a_unit_that_does_not_answer_is_told_and_heard(town: Town) -> None:
    review = Review(town, "4.4.1")
    review.gather()
    town.pass_time(working_days=6)
    assert town.open(review.case) == ["state_case"]


def test_4_4_1_only_the_head_of_a_listed_unit_asks_to_leave(town: Town) -> None:
    for who in ("lead_unit_c", "office", "pilot_enterprise"):
        with pytest.raises(Forbidden):
            town.start(who, "expulsion_review")


# ---- what the signature does ---------------------------------------------------------------------------------------


def test_4_4_the_signatory_is_not_who_drafted_it_and_the_office_does_not_sign(town: Town) -> None:
    review = Review(town)
    review.to_signature()
    with pytest.raises((Forbidden, NotFound)):
        review.act("sign", "office")
    assert unit(town).status == "listed"


def test_4_4_the_expelled_units_people_read_the_decision_and_submit_nothing(town: Town) -> None:
    review = Review(town)
    review.expel()
    town.make_documents()
    with db.transaction() as session:
        account = session.get_one(Account, town.people["lead_unit_head_c"].id)
        assert account.roles == {"former_lead_unit"}
        actor = actor_of(account)
        kinds = set(session.scalars(select(Document.kind).where(documents.visible(actor))))
        assert {"expulsion", "expulsion_told"} <= kinds
        assert "expulsion_agenda" not in kinds
        town.people["lead_unit_head_c"] = actor
        town.people["lead_unit_c"] = actor_of(session.get_one(Account, town.people["lead_unit_c"].id))
    for who in ("lead_unit_c", "lead_unit_head_c"):
        for key in ("partner_filing", "expulsion_review"):
            with pytest.raises(Forbidden):
                town.start(who, key)


def test_4_4_the_documents_say_what_was_decided_in_both_kinds(town: Town) -> None:
    review = Review(town)
    review.expel()
    town.make_documents()
    with db.transaction() as session:
        made = session.scalars(
            select(Document).where(Document.instance_id == review.case, Document.made_from.isnot(None))
        )
        found = {(document.kind, document.filename.rpartition(".")[2]): document for document in made}
        kinds = ("expulsion_told", "expulsion_agenda", "expulsion")
        assert set(found) == {(kind, suffix) for kind in kinds for suffix in ("pdf", "docx")}
        decision = found["expulsion", "pdf"]
        assert decision.public
        assert (decision.made_from or {})["data"]["grounds"][0]["clause"] == "4.4.5"
    town.make_documents()


def test_4_4_a_barred_code_is_shown_when_it_comes_back_as_partner(town: Town) -> None:
    review = Review(town)
    review.expel()
    with db.transaction() as session:
        assert [b.clause for b in filing_checks.bars(session, [review.unit.credit_code])] == ["4.4.5"]
