"""A decision to expel (4.4) and somebody else's step at the same moment, in real sessions; numbers without gaps."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from tests.processes.conftest import Town
from tests.processes.evaluation import Evaluation
from tests.processes.test_at_once import BLOCKED, race
from tests.processes.test_expulsion import FACTS, Review, unit
from webapp import db
from webapp.demo import expulsion as play_expulsion
from webapp.demo import play
from webapp.errors import Conflict, QianyinError
from webapp.registers import expulsions
from webapp.registers.evaluation_models import EvaluationResult
from webapp.registers.models import Expulsion, LeadUnit, SerialNumber

SIGNED = {"sign_opinion": "同意签发。"}


def of_unit(town: Town, number: int, letter: str) -> Review:
    """A review of another unit than C, to the signature."""
    review = Review.__new__(Review)
    review.town, review.unit = town, town.registers.units[number]
    with db.transaction() as session:
        found = session.get_one(LeadUnit, review.unit.id)
        review.id = play_expulsion.open_review(session, town.people["office"], found, "4.4.5", FACTS).id
    review.gather()
    review.act("state_case", f"lead_unit_head{letter}", "请求从轻处理。")
    review.propose_again()
    review.act("deliberate", "bureau_meeting")
    review.act("draft_decision", "office")
    return review


def test_4_4_two_decisions_signed_at_once_take_two_numbers_and_one_that_fails_takes_none(town: Town) -> None:
    first, second, third = (of_unit(town, n, letter) for n, letter in ((2, "_c"), (1, "_b"), (0, "")))
    signatory = town.people["working_group"]

    def signing(review: Review) -> Any:
        case = review.case
        return lambda session: play.do(session, signatory, case, "sign", SIGNED, "sign")

    def cut_off(session: Session) -> None:
        signing(third)(session)
        event.listen(session, "before_commit", power_cut)  # when the other has come to wait for its number

    raised = race(cut_off, signing(first))
    assert [type(error) for error in raised] == [Conflict, type(None)]
    assert race(signing(second), signing(third)) == [None, None]
    numbers = {review.row.decision_number for review in (first, second, third)}
    assert numbers == {f"穗工信清退〔2026〕{n} 号" for n in (1, 2, 3)}
    with db.transaction() as session:
        assert session.get_one(SerialNumber, ("document:expulsion", 2026)).last == 3


def test_4_4_a_decision_that_is_signed_twice_at_once_takes_effect_once(town: Town) -> None:
    review = Review(town)
    review.to_signature()
    case, signatory = review.case, town.people["working_group"]

    def sign(session: Session) -> None:
        play.do(session, signatory, case, "sign", SIGNED, "sign")

    raised = race(sign, sign)
    assert raised[0] is None
    assert isinstance(raised[1], QianyinError)
    with db.transaction() as session:
        assert len(session.scalars(select(Expulsion).where(Expulsion.status == "expelled")).unique().all()) == 1


def power_cut(_session: Session) -> None:
    raise Conflict("断电")


def settling(town: Town, second_fail: bool) -> tuple[Evaluation, Any]:
    """A round in which unit C waits for its conclusion, and the step that settles it."""
    evaluation = Evaluation(town)
    evaluation.open()
    evaluation.report("_c", factor=0 if second_fail else 1)
    evaluation.judge("_c", (10, 10) if second_fail else (85, 85))
    if second_fail:
        with db.transaction() as session:
            earlier = session.scalars(
                select(EvaluationResult).where(EvaluationResult.lead_unit_id == town.unit("_c").id)
            ).unique()
            next(result for result in earlier if result.settled_at).grade = "fail"
    case, group = evaluation.unit_case("_c"), town.people["working_group2"]
    data = {"arrangement": "逐项整改。", "arrangement_check": "done"}
    return evaluation, lambda session: play.do(session, group, case, "settle", data, "settle")


@pytest.mark.parametrize("expelled_first", [True, False])
def test_4_4_expelled_while_its_evaluation_is_being_settled_in_another_window(town: Town, expelled_first: bool) -> None:
    evaluation, settle = settling(town, second_fail=False)
    review = Review(town)
    review.to_signature()
    case, signatory = review.case, town.people["working_group"]

    def sign(session: Session) -> None:
        play.do(session, signatory, case, "sign", SIGNED, "sign")

    raised = race(sign, settle) if expelled_first else race(settle, sign)
    assert raised[0] is None
    assert unit(town).status == "expelled"
    if expelled_first:  # the conclusion comes too late: a clear sentence, and the round has its answer
        assert isinstance(raised[1], Conflict)
        assert str(raised[1])
        assert evaluation.result("_c").status == "left"
        assert town.status(evaluation.unit_case("_c")) == "cancelled"
    else:  # the conclusion stands, and the decision takes effect after it
        assert raised[1] is None
        assert (evaluation.result("_c").status, evaluation.result("_c").arrangement) == ("settled", "逐项整改。")
    town.work()
    assert evaluation.round.settled_units == 1


def test_4_4_3_a_second_fail_that_joins_the_review_while_the_decision_is_signed_never_waits_in_a_circle(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settling step holds its case and wants the unit; the signing one must not hold the unit and want the case."""
    evaluation, settle = settling(town, second_fail=True)
    review = Review(town)
    review.to_signature()
    case, signatory = review.case, town.people["working_group"]
    holding, go_on, failed = threading.Event(), threading.Event(), []
    real = expulsions.unit_to_expel

    def paused(session: Session, unit_id: Any) -> LeadUnit:
        holding.set()
        go_on.wait()
        return real(session, unit_id)

    def once(work: Any) -> None:
        try:
            with db.transaction() as session:  # no second try: a deadlock would show
                work(session)
        except BaseException as error:
            failed.append(error)

    monkeypatch.setattr(expulsions, "unit_to_expel", paused)
    settler = threading.Thread(target=once, args=(settle,))
    signer = threading.Thread(
        target=once, args=(lambda session: play.do(session, signatory, case, "sign", SIGNED, "sign"),)
    )
    settler.start()
    while not holding.is_set() and settler.is_alive():
        pass
    assert failed == []
    signer.start()
    while not waits():
        pass
    go_on.set()
    settler.join()
    signer.join()
    assert failed == []
    assert unit(town).status == "expelled"
    assert evaluation.result("_c").status == "settled"
    assert {ground.clause for ground in review.row.grounds} == {"4.4.3", "4.4.5"}


def waits() -> bool:
    with Session(db.engine()) as looking:
        return bool(looking.scalar(BLOCKED))
