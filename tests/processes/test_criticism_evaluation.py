"""What an evaluation brings about under 4.2: the case opens by itself, and falls when the round is voided."""

from __future__ import annotations

from sqlalchemy import select

from tests.processes.conftest import Town
from tests.processes.evaluation import Evaluation
from tests.processes.test_round_voided import WHY, void
from webapp import db
from webapp.demo import criticism as play_criticism
from webapp.notices.models import Notice
from webapp.registers import criticisms
from webapp.registers.criticism_models import Criticism
from webapp.registers.evaluation_models import EvaluationConsequence


def lagging(town: Town) -> Evaluation:
    """A settled conclusion that finds the first unit behind schedule (4.2.3)."""
    evaluation = Evaluation(town, [""])
    evaluation.open()
    evaluation.report()
    for who in evaluation.asked():
        evaluation.score(who)
    words = {"statement": "两个项目因企业搬迁延后，已补签协议。"}
    town.do("lead_unit", evaluation.unit_case(), "state_case", words, "state")
    evaluation.settle(statement_answer="不予采纳。", lagging=True, lagging_reason="三个项目逾期，没有补救措施。")
    return evaluation


def case_of(town: Town) -> Criticism:
    with db.transaction() as session:
        found = session.scalars(select(Criticism).where(Criticism.lead_unit_id == town.unit().id)).unique().one()
        _ = found.grounds
        return found


def serve(town: Town, case: Criticism) -> None:
    for verb, who in (("gather", "office"), ("state_case", "lead_unit_head"), ("decide", "working_group")):
        with db.transaction() as session:
            found = criticisms.get(session, case.id)
            words = ["确有延误。"] if verb == "state_case" else []
            getattr(play_criticism, verb)(session, town.people[who], found, *words)
    for verb, who in (("draft", "office"), ("sign", "working_group2")):
        with db.transaction() as session:
            getattr(play_criticism, verb)(session, town.people[who], criticisms.get(session, case.id))


def test_4_2_3_lagging_opens_a_case_that_falls_with_the_voided_round(town: Town) -> None:
    evaluation = lagging(town)
    case = case_of(town)
    assert case.instance_id is not None
    assert (case.source, case.status, town.open(case.instance_id)) == ("consequence", "gathering", ["gather"])
    assert "三个项目逾期" in case.grounds[0].facts
    with db.transaction() as session:
        entry = session.scalars(select(EvaluationConsequence).where(EvaluationConsequence.kind == "criticism"))
        assert [one.instance_id for one in entry.unique()] == [case.instance_id]
    fallen = void(town, evaluation)
    assert fallen.criticisms == {"ended": [town.unit().name]}
    ended = case_of(town)
    assert (ended.status, WHY in ended.closed_reason) == ("lapsed", True)
    assert town.status(case.instance_id) == "cancelled"


def test_4_2_3_a_published_criticism_is_taken_back_with_the_voided_round(town: Town) -> None:
    evaluation = lagging(town)
    case = case_of(town)
    serve(town, case)
    assert town.unit().id == case.lead_unit_id
    void(town, evaluation)
    ended = case_of(town)
    assert (ended.status, ended.lead_unit.rectifying) == ("lapsed", False)
    with db.transaction() as session:
        criticised = session.get_one(Notice, ended.notice_id)
        taken_back = session.scalars(select(Notice).where(Notice.kind == "criticism_withdrawal")).unique().one()
        assert criticised.status == "withdrawn"
        assert (taken_back.corrects_id, taken_back.number) == (criticised.id, "穗工信撤通〔2026〕1 号")
        assert taken_back.pdf_id is not None


def test_4_2_3_a_case_with_another_ground_goes_on_without_the_one_that_fell(town: Town) -> None:
    evaluation = lagging(town)
    case = case_of(town)
    with db.transaction() as session:
        facts = "两家试点企业投诉，诊断服务不能满足需求。"
        criticisms.open_case(session, town.unit().id, "4.2.1", facts, "office", actor=town.people["office"])
    fallen = void(town, evaluation)
    assert fallen.criticisms == {"lessened": [town.unit().name]}
    assert [ground.clause for ground in case_of(town).grounds] == ["4.2.1"]
    assert case.instance_id is not None
    assert town.open(case.instance_id) == ["gather"]
