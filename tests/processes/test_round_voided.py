"""A round is voided whole, with reason; its consequences fall with it; its quarter is judged again (3.2, 3.3.2)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from tests.processes.conftest import Town
from tests.processes.evaluation import Evaluation
from webapp import clock, db
from webapp.errors import Conflict, Invalid
from webapp.registers import evaluation_rounds as rounds
from webapp.registers import evaluation_units as units
from webapp.registers import evaluation_voiding as voiding
from webapp.registers import expulsions
from webapp.registers.evaluation_models import EvaluationConsequence, EvaluationResult, EvaluationRound, PilotEnterprise
from webapp.registers.models import Expulsion, RegisterChange

WHY = "评价指标的口径有误，须按更正后的口径重新评价。"


def void(town: Town, evaluation: Evaluation, reason: str = WHY) -> voiding.Voided:
    with db.transaction() as session:
        round_id = evaluation.round.id
        found = voiding.void(session, round_id, reason, town.people["working_group"], clock.now())
    town.work()
    town.make_documents()
    return found


def failing(town: Town, letters: list[str]) -> Evaluation:
    """A round that all fail, the first unit for the second time in total (4.4.3)."""
    evaluation = Evaluation(town, letters)
    with db.transaction() as session:
        mine = update(EvaluationResult).where(EvaluationResult.lead_unit_id == town.unit().id)
        session.execute(mine.values(grade="pass"))
        oldest = mine.where(EvaluationResult.settled_at < clock.now() - timedelta(days=250))
        session.execute(oldest.values(grade="fail"))
        session.execute(update(PilotEnterprise).values(lead_unit_id=None))
    evaluation.open()
    return evaluation


def review_of(town: Town) -> Expulsion:
    with db.transaction() as session:
        found = session.scalars(select(Expulsion).where(Expulsion.lead_unit_id == town.unit().id)).unique().one()
        assert found.grounds is not None  # loaded while the session is open
        return found


def test_3_2_a_round_is_voided_whole_and_run_again(town: Town) -> None:
    evaluation = Evaluation(town)
    evaluation.open()
    evaluation.through("_b")
    cases = [evaluation.unit_case(letter) for letter in ("", "_c")]
    void(town, evaluation)
    assert (evaluation.round.status, evaluation.round.void_reason) == ("voided", WHY)
    assert {evaluation.result(letter).status for letter in ("", "_b", "_c")} == {"voided"}
    assert {town.status(case) for case in [evaluation.case, *cases]} == {"cancelled"}
    with db.transaction() as session:
        why = session.scalars(select(RegisterChange.after).where(RegisterChange.entry_id == evaluation.round.id)).all()
    assert any((after or {}).get("void_reason") == WHY for after in why)
    again = Evaluation(town)
    assert (again.round.year, again.round.quarter) == (evaluation.round.year, evaluation.round.quarter)
    assert again.round.number != evaluation.round.number
    again.open()
    for letter in ("", "_b", "_c"):
        again.through(letter)
    assert again.round.status == "settled"


def test_3_2_voiding_asks_for_its_reason_and_for_a_round_whose_indicators_are_served(town: Town) -> None:
    evaluation = Evaluation(town)
    with pytest.raises(Conflict, match="尚未下发"):
        void(town, evaluation)
    evaluation.fix()
    with pytest.raises(Invalid, match="理由"):
        void(town, evaluation, "有误")
    void(town, evaluation)
    with pytest.raises(Conflict, match="无需再次作废"):
        void(town, evaluation)


def test_4_4_3_the_review_that_a_voided_fail_opened_is_ended_with_its_reason(town: Town) -> None:
    evaluation = failing(town, [""])
    evaluation.through("", marks=(10, 10), factor=0)
    review = review_of(town)
    assert review.status == "gathering"
    assert review.instance_id is not None
    fallen = void(town, evaluation)
    assert (fallen.consequences, len(fallen.ended)) == (1, 1)
    ended = review_of(town)
    assert (ended.status, WHY in ended.closed_reason, ended.lead_unit.under_expulsion) == ("lapsed", True, False)
    assert town.status(review.instance_id) == "cancelled"
    with db.transaction() as session:
        entry = session.scalars(select(EvaluationConsequence).where(EvaluationConsequence.kind == "expulsion_review"))
        assert [one.fell_at is not None for one in entry.unique()] == [True]
        assert units.fails(session, town.unit().id) == 1


def test_4_4_3_a_review_with_other_grounds_goes_on_without_the_one_that_fell(town: Town) -> None:
    evaluation = failing(town, [""])
    evaluation.through("", marks=(10, 10), factor=0)
    with db.transaction() as session:
        facts = "提供虚假的改造合同，经核实属实。"
        office = town.people["office"]
        expulsions.open_review(session, town.unit().id, "4.4.5", facts, "office", actor=office)
    fallen = void(town, evaluation)
    assert (fallen.ended, len(fallen.lessened)) == ([], 1)
    review = review_of(town)
    assert (review.status, [ground.clause for ground in review.grounds]) == ("gathering", ["4.4.5"])
    assert review.lead_unit.under_expulsion
    assert town.open(UUID(str(review.instance_id)))


def test_4_4_3_a_later_fail_is_second_no_more_when_the_earlier_round_is_voided(town: Town) -> None:
    evaluation = failing(town, [""])
    evaluation.through("", marks=(10, 10), factor=0)
    with db.transaction() as session:
        query = select(EvaluationRound).join(EvaluationResult, EvaluationResult.round_id == EvaluationRound.id)
        mine = EvaluationResult.lead_unit_id == town.unit().id, EvaluationResult.grade == "fail"
        earlier = session.scalars(query.where(*mine, EvaluationRound.id != evaluation.round.id)).one()
    with db.transaction() as session:
        voiding.void(session, earlier.id, WHY, town.people["working_group"], clock.now())
    assert review_of(town).status == "lapsed"


def test_3_3_2_nothing_is_settled_in_a_round_that_was_voided_meanwhile(town: Town) -> None:
    evaluation = Evaluation(town, [""])
    evaluation.open()
    evaluation.report()
    evaluation.judge()
    with db.transaction() as session:
        voiding.void(session, evaluation.round.id, WHY, town.people["working_group"], clock.now())
    said = {"arrangement": "继续推进。", "arrangement_check": "done"}
    refused = town.refused("working_group", evaluation.unit_case(), "settle", said, "settle")
    assert "整体作废" in refused[""][0]
    town.make_documents()
    assert town.status(evaluation.unit_case()) == "cancelled"
    with db.transaction() as session:
        assert rounds.open_some(session, evaluation.round.id) == 0
