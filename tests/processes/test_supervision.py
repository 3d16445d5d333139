"""Supervision 监督检查 (3.2) through the engine: side by side as ordered, closed by time, counted in the score."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from tests.processes.conftest import Town
from tests.processes.evaluation import Evaluation
from webapp import clock, db
from webapp.demo.supervision import _photo
from webapp.documents import service as documents
from webapp.engine.commands import Cancel
from webapp.engine.handler_api import CasePanelContext, hooks
from webapp.errors import Conflict, NotFound
from webapp.registers import evaluation_units as units
from webapp.registers import questionnaires, spot_checks, supervision
from webapp.registers.evaluation_models import EvaluationResult, PilotEnterprise, RetrofitProject
from webapp.registers.models import LeadUnit

ALL = list(supervision.CHECKS)
BEST = {"staff": "5", "diagnosis": "5", "solution": "5", "speed": "5", "effect": "5", "fees": "no"}
WORST = {**BEST, "staff": "1", "diagnosis": "1", "comments": "调试拖了两个月。"}


def tokens(evaluation: Evaluation) -> list[str]:
    with db.transaction() as session:
        held = questionnaires.of_result(session, evaluation.result().id)
        assert held is not None
        return list(questionnaires.live_tokens(session, held.id).values())


def answer(token: str, given: dict[str, str]) -> None:
    with db.transaction() as session:
        questionnaires.answer(session, token, given, clock.now())


def panel(town: Town, evaluation: Evaluation, who: str) -> str:
    """All that the case panel says to a person."""
    case = evaluation.unit_case()
    with db.transaction() as session:
        variables = {"result_id": str(evaluation.result().id)}
        context = CasePanelContext(session, case, case, "lead_unit_evaluation", variables, town.people[who])
        return str(
            [(b.title, b.note, b.items, b.rows, b.text) for b in hooks.panels[context.definition_key](context).blocks]
        )


def test_3_2_checks_run_side_by_side_and_their_figures_are_scored(town: Town) -> None:
    evaluation = Evaluation(town, [""])
    evaluation.fix()
    one = town.refused("office", evaluation.case, "open_reporting", {"checks": ["visit"]}, "open")
    assert "至少选择 2 种" in one["checks"][0]
    town.do("office", evaluation.case, "open_reporting", {"checks": ALL}, "open")
    town.make_documents()
    evaluation.report(check=False)
    case = evaluation.unit_case()
    assert (evaluation.result().status, town.open(case)) == (
        "checking",
        ["hand_out", "interview", "spot_check", "visit"],
    )

    links = tokens(evaluation)
    answer(links[0], BEST)
    answer(links[1], WORST)
    early = town.refused("office", case, "hand_out", {}, "close")
    assert f"还有 {len(links) - 2} 家没有作答" in early[""][0]

    with db.transaction() as session:
        pilot = questionnaires.pilots(session, units.get(session, evaluation.result().id))[0]
    call = {"pilot_enterprise_id": str(pilot.id), "person": "厂长", "mark": "4", "words": "响应及时。"}
    assert "未开展的原因" in town.refused("office", case, "interview", {"rows": []}, "record")["none_words"][0]
    later = {**call, "held_on": (clock.today() + timedelta(days=1)).isoformat()}
    assert (
        "不能晚于今天" in town.refused("office", case, "interview", {"rows": [later]}, "record")["rows[0].held_on"][0]
    )
    town.do("office", case, "interview", {"rows": [{**call, "held_on": clock.today().isoformat()}]}, "record")

    with db.transaction() as session:
        photo = _photo(session, town.people["office"], 1)
    seen = {"held_on": clock.today().isoformat(), "person": "陈思远", "words": "现场有序。", "photos": [str(photo)]}
    town.do("office", case, "visit", {"rows": [seen]}, "record")
    with db.transaction() as session:
        assert documents.find(session, photo, town.people["working_group"]).id == photo
        with pytest.raises(NotFound):
            documents.find(session, photo, town.people["lead_unit"])

    found: list[dict[str, Any]] = [{"verdict": "conform"}] * evaluation.drawn()
    missing = town.refused("office", case, "spot_check", {"rows": [{"verdict": "problem"}, {}, {}]}, "record")
    assert set(missing) == {"rows[0].words", "rows[1].verdict", "rows[2].verdict"}
    found[0] = {"verdict": "problem", "words": "设备没有联网。"}
    town.do("office", case, "spot_check", {"rows": found}, "record")
    assert town.open(case) == ["hand_out"]

    town.pass_time(days=12)
    assert (evaluation.result().status, evaluation.asked()) == ("scoring", ["expert", "expert2"])
    with pytest.raises(questionnaires.LinkEnded, match="截止"):
        answer(links[2], BEST)
    inside, outside = panel(town, evaluation, "expert"), panel(town, evaluation, "lead_unit")
    assert all(words in inside for words in ("调试拖了两个月", pilot.name, "厂长", "设备没有联网", "n＝2"))
    assert all(words not in outside for words in ("调试拖了两个月", pilot.name, "厂长", "满意度"))
    evaluation.judge()
    told = panel(town, evaluation, "lead_unit")
    assert "满意度 84.00 分" in told
    assert all(words not in told for words in ("调试拖了两个月", "厂长", "懂不懂企业", "他们派来"))
    result = evaluation.result()
    rate = (Decimal(200) / len(links)).quantize(Decimal("0.01"))
    assert {name: Decimal(result.figures[name]) for name in supervision_names()} == {
        "questionnaire_answers": 2,
        "questionnaire_rate": rate,
        "questionnaire_satisfaction": Decimal(84),  # (100 + 68) / 2: five marks of 5; two of 1 and three of 5
        "interviews": 1,
        "visits": 1,
        "spot_checked": evaluation.drawn(),
        "spot_problems": 1,
    }
    assert {row["key"]: row["score"] for row in result.scores}["i3"] == "84.00"


def supervision_names() -> list[str]:
    from webapp.registers import supervision_figures

    return list(supervision_figures.LABELS)


def test_3_2_a_unit_has_forms_of_its_own_until_its_checks_begin(town: Town) -> None:
    evaluation = Evaluation(town, ["", "_b"])
    evaluation.open(["interview", "visit"])

    def order(letter: str, *chosen: str) -> None:
        with db.transaction() as session:
            result = units.get(session, evaluation.result(letter).id)
            supervision.order_for_unit(session, result, chosen, town.people["office"])

    order("", "questionnaire", "spot_check")
    evaluation.report(check=False)
    evaluation.report("_b", check=False)
    assert town.open(evaluation.unit_case()) == ["hand_out", "spot_check"]
    assert town.open(evaluation.unit_case("_b")) == ["interview", "visit"]
    with pytest.raises(Conflict, match="已经开始"):
        order("", "visit", "interview")
    # everyone has answered: the office need not wait
    for token in tokens(evaluation):
        answer(token, BEST)
    town.do("office", evaluation.unit_case(), "hand_out", {"hand_out_words": "均已送达。"}, "close")
    assert town.open(evaluation.unit_case()) == ["spot_check"]


def test_3_2_a_check_that_has_nobody_to_ask_is_noted_and_holds_nothing_up(town: Town) -> None:
    evaluation = Evaluation(town, [""])
    with db.transaction() as session:
        session.execute(update(PilotEnterprise).values(lead_unit_id=None))
        session.execute(update(RetrofitProject).values(signed_on=date(2026, 11, 1)))
    evaluation.open(["questionnaire", "spot_check"])
    evaluation.report(check=False)
    assert set(evaluation.result().unchecked) == {"questionnaire", "spot_check"}
    assert evaluation.asked() == ["expert", "expert2"]
    assert "没有服务的试点企业" in panel(town, evaluation, "expert")


def test_a_unit_that_leaves_ends_its_questionnaire(town: Town) -> None:
    evaluation = Evaluation(town, [""])
    evaluation.open(["questionnaire", "visit"])
    evaluation.report(check=False)
    link = tokens(evaluation)[0]
    with db.transaction() as session:
        session.execute(update(LeadUnit).where(LeadUnit.id == town.unit().id).values(status="expelled"))
    with db.transaction() as session:
        town.engine.step(session, evaluation.unit_case(), Cancel("已被清退。"), town.people["manager"])
    with pytest.raises(questionnaires.LinkEnded):
        answer(link, BEST)


def test_a_sample_is_the_same_for_the_same_seed_in_whatever_order(town: Town) -> None:
    with db.transaction() as session:
        result = session.scalars(select(EvaluationResult)).unique().first()
        assert result is not None
        check = spot_checks.of_result(session, result.id)
        assert check is not None
        assert spot_checks.drawn_again(check) == check.drawn
        assert spot_checks.sample(check.seed, reversed(check.population), 3) == check.drawn
        drawn = {tuple(spot_checks.sample(f"{seed}", check.population, 3)) for seed in range(50)}
        assert len(drawn) > 10  # another seed, another sample
        assert spot_checks.sample("a", check.population, 99) == sorted(
            check.population, key=spot_checks.sample("a", check.population, 99).index
        )
        check.drawn = [*check.population][:3]
        assert spot_checks.drawn_again(check) != check.drawn
        session.rollback()


def test_a_token_stands_in_no_row(town: Town) -> None:
    link = UUID("01a21198-b5fb-7eb2-9b78-625ddc49e45e")
    token = questionnaires.token_of(link)
    assert len(token) == 32
    assert token not in (str(link), questionnaires.digest(token))
    assert questionnaires.token_of(link) == token
