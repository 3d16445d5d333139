"""Quarterly evaluation (3.1–3.3, 4.4.2, 4.4.3) through the engine: rules by their clause."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.processes.conftest import Town
from tests.processes.evaluation import Evaluation
from webapp import clock, db
from webapp.accounts.models import Account
from webapp.documents.models import Document
from webapp.engine.commands import Cancel
from webapp.errors import Conflict, Invalid
from webapp.registers import evaluation_rounds as rounds
from webapp.registers import evaluation_scoring as scoring
from webapp.registers.evaluation_models import EvaluationResult, PilotEnterprise
from webapp.registers.models import Expulsion, LeadUnit


def test_3_2_a_round_judges_each_listed_unit_and_ends_with_its_report(town: Town) -> None:
    evaluation = Evaluation(town)
    assert (evaluation.round.year, evaluation.round.quarter, evaluation.round.number[:8]) == (2026, 3, "PJ-2026-")
    evaluation.open()
    assert (evaluation.round.total_units, evaluation.round.opened_units, evaluation.round.status) == (3, 3, "running")
    for letter in ("", "_b", "_c"):
        evaluation.through(letter)
    assert evaluation.round.status == "settled"
    town.do("working_group", evaluation.case, "confirm_report", {"report_words": "同意。"}, "confirm")
    assert town.status(evaluation.case) == "completed"
    town.make_documents()
    with db.transaction() as session:
        for document_id, begin in (
            (evaluation.round.pdf_id, "application/pdf"),
            (evaluation.round.xlsx_id, "application/vnd"),
        ):
            assert session.get_one(Document, document_id).media_type.startswith(begin)
    result = evaluation.result()
    assert (result.status, result.grade is not None, result.arrangement) == ("settled", True, "继续推进改造项目。")


def test_3_2_a_quarter_is_judged_once(town: Town) -> None:
    Evaluation(town)
    with pytest.raises(Conflict, match="已经发起"):
        town.start("office", "quarterly_evaluation", {"year": 2026, "quarter": 3})


def test_3_3_2_an_indicator_set_is_in_order_before_it_is_served(town: Town) -> None:
    evaluation = Evaluation(town)

    def refused(at: int = 0, **changes: Any) -> dict[str, list[str]]:
        data = evaluation.indicators()
        data["indicators"][at] |= changes
        return town.refused("office", evaluation.case, "fix_indicators", data, "submit")

    assert "现为 99" in refused(weight=24)["indicators"][0]
    assert "缺少：牵引单位服务能力" in refused(4, dimension="other")["indicators"][0]
    assert "没有这些台账数字：turnover" in refused(formula="turnover / pilots")["indicators[0].formula"][0]
    assert "除以零" in refused(formula="pilots / 0")["indicators[0].formula"][0]
    assert "为 0 时公式除以零" in refused(formula="enterprises_done / contracts * 100")["indicators[0].formula"][0]
    assert refused(formula="min(100,")["indicators[0].formula"]
    assert (
        "至少选择 2 名"
        in town.refused(
            "office", evaluation.case, "fix_indicators", evaluation.indicators(experts=["expert"]), "submit"
        )["experts"][0]
    )


def test_3_3_2_the_set_is_approved_by_another_and_frozen(town: Town) -> None:
    evaluation = Evaluation(town)
    evaluation.fix()
    assert evaluation.round.frozen_at is not None
    assert [i["weight"] for i in evaluation.round.indicators] == ["25", "25", "10", "10", "15", "15"]
    with pytest.raises(Conflict, match="已下发"), db.transaction() as session:
        town.engine.step(session, evaluation.case, Cancel("不需要了"), town.people["manager"])


def test_3_3_1_reporting_opens_by_itself_after_the_quarter_and_not_before(town: Town) -> None:
    evaluation = Evaluation(town)
    with db.transaction() as session:
        row = session.merge(evaluation.round)
        row.year, row.quarter = 2026, 4
    evaluation.fix()
    refused = town.refused("office", evaluation.case, "open_reporting", {}, "open")
    assert "才结束" in refused[""][0]
    town.clock_at(datetime(2027, 1, 4, 9, 1, tzinfo=clock.BEIJING))
    town.pass_time(minutes=1)
    town.make_documents()
    assert evaluation.round.opened_units == 3
    assert evaluation.round.report_due_at is not None
    assert evaluation.round.report_due_at.astimezone(clock.BEIJING).date() >= date(2027, 1, 15)


def test_3_3_1_a_report_states_every_indicator_and_asks_about_a_lower_cumulative_figure(town: Town) -> None:
    evaluation = Evaluation(town, [""])
    evaluation.open()
    case, form = evaluation.unit_case(), evaluation.report_form()
    low = [{"actual": 0}, *form["rows"][1:]]
    refused = town.refused("lead_unit", case, "report", {**form, "rows": low}, "report")
    assert "低于上季度" in refused["rows[0].note"][0]
    word = [{"actual": "很多"}, *form["rows"][1:]]
    assert town.refused("lead_unit", case, "report", {**form, "rows": word}, "report")["rows[0].actual"]
    explained = [{"actual": 0, "note": "合同解除。"}, *form["rows"][1:]]
    town.do("lead_unit", case, "report", {**form, "rows": explained}, "report")
    evaluation.confirm()
    assert evaluation.result().report[0]["actual"] == "0"


def test_3_3_1_the_head_confirms_what_the_staff_reported_or_returns_it(town: Town) -> None:
    evaluation = Evaluation(town, [""])
    evaluation.open()
    case = evaluation.unit_case()
    town.do("lead_unit", case, "report", evaluation.report_form(), "report")
    assert evaluation.result().status == "reporting"
    assert "submit_words" in town.refused("lead_unit_head", case, "confirm_submission", {}, "return")
    town.do("lead_unit_head", case, "confirm_submission", {"submit_words": "请附验收单。"}, "return")
    again = town.form("lead_unit", case, "report").data
    assert again["rows"][0]["note"] == "按台账汇总。"
    town.do("lead_unit", case, "report", {**evaluation.report_form(), "report_words": "已附验收单。"}, "report")
    town.pass_time(working_days=11)  # the summons reaches the unit while its head has the report
    assert evaluation.result().urged_at is not None
    evaluation.confirm()
    assert evaluation.result().report_words == "已附验收单。"
    assert evaluation.result().late


def test_4_2_2_a_late_report_is_taken_and_recorded(town: Town) -> None:
    evaluation = Evaluation(town, [""])
    evaluation.open()
    town.pass_time(working_days=9)
    assert evaluation.result().reminded_at is not None
    town.pass_time(working_days=3)
    assert evaluation.result().urged_at is not None
    evaluation.through()
    assert evaluation.result().late
    assert evaluation.consequences() == [("criticism", "4.2.2")]


def _review_grounds(town: Town) -> list[str]:
    """The grounds of the unit's open expulsion review, whose case runs."""
    with db.transaction() as session:
        review = session.scalars(select(Expulsion).where(Expulsion.lead_unit_id == town.unit().id)).unique().one()
        assert review.instance_id is not None
        assert review.lead_unit.under_expulsion
        return [str(ground.clause) for ground in review.grounds]


def test_4_4_2_absence_after_the_summons_is_verified_by_a_person(town: Town) -> None:
    evaluation = Evaluation(town, ["", "_b"])
    evaluation.open()
    town.pass_time(working_days=11)
    town.pass_time(working_days=6)
    for letter in ("", "_b"):
        assert town.open(evaluation.unit_case(letter)) == ["verify_absence"]
    words = {"absence_words": "三次电话联系，均称不再参加。"}
    town.do("office", evaluation.unit_case(), "verify_absence", words, "absent")
    assert (evaluation.result().status, evaluation.consequences()) == ("absent", [("expulsion_review", "4.4.2")])
    assert _review_grounds(town) == ["4.4.2"]
    town.do("office", evaluation.unit_case("_b"), "verify_absence", {"absence_words": "系统停电。"}, "excuse")
    evaluation.through("_b")
    assert evaluation.consequences("_b") == []
    assert evaluation.round.status == "settled"


def test_3_3_2_a_third_expert_is_asked_when_two_are_far_apart(town: Town) -> None:
    evaluation = Evaluation(town, [""])
    evaluation.open(experts=["expert", "expert2", "expert3"])
    evaluation.report()
    first, second = evaluation.asked()
    evaluation.score(first, marks=(90, 90))
    evaluation.score(second, marks=(60, 90))
    (third_asked,) = evaluation.asked()
    assert third_asked not in (first, second)
    evaluation.score(third_asked, marks=(75, 90))
    scores = {row["key"]: row["score"] for row in evaluation.result().scores}
    assert (scores["i4"], scores["i5"]) == ("75.00", "90.00")
    assert town.open(evaluation.unit_case()) == ["state_case"]


def test_recusal_an_expert_of_the_judged_organisation_never_judges(town: Town) -> None:
    evaluation = Evaluation(town, ["", "_b"])
    evaluation.open()
    with db.transaction() as session:
        mine = update(Account).where(Account.username == "expert")
        session.execute(mine.values(organisation_id=town.unit().organisation_id))
    evaluation.report()
    assert town.open(evaluation.unit_case()) == ["name_experts"]
    named = {"experts": ["expert", "expert2"]}
    refused = town.refused("office", evaluation.unit_case(), "name_experts", named, "name")
    assert "应当回避：expert" in refused["experts"][0]
    evaluation.report("_b")
    assert evaluation.asked("_b") == ["expert", "expert2"]
    with db.transaction() as session:
        session.execute(mine.values(organisation_id=town.unit("_b").organisation_id))
    with pytest.raises(Invalid) as refusal:
        evaluation.score("expert", "_b")
    assert "应当回避" in str(refusal.value.fields)


def test_an_expert_who_declares_an_interest_is_replaced(town: Town) -> None:
    evaluation = Evaluation(town, [""])
    evaluation.open()
    evaluation.report()
    evaluation.score("expert", outcome="recuse")
    evaluation.score("expert2")
    assert town.open(evaluation.unit_case()) == ["name_experts"]
    refused = town.refused("office", evaluation.unit_case(), "name_experts", {"experts": ["expert"]}, "name")
    assert "已回避" in refused["experts"][0]


def test_3_2_without_pilot_enterprises_the_weight_is_shared_out(town: Town) -> None:
    evaluation = Evaluation(town, [""])
    with db.transaction() as session:
        session.execute(update(PilotEnterprise).values(lead_unit_id=None))
    evaluation.open()
    evaluation.through(marks=(80,) * 2)
    rows = {row["key"]: row for row in evaluation.result().scores}
    assert [rows[key]["score"] for key in ("i1", "i2", "i3", "i4")] == [None] * 4
    assert (rows["i5"]["effective"], rows["i6"]["effective"]) == ("50.00", "50.00")
    assert evaluation.result().total == Decimal("90.00")
    assert evaluation.result().grade == "excellent"


def test_a_newly_admitted_unit_is_not_graded(town: Town) -> None:
    evaluation = Evaluation(town, [""])
    with db.transaction() as session:
        session.execute(update(LeadUnit).where(LeadUnit.id == town.unit().id).values(listed_on=date(2026, 8, 3)))
    evaluation.open()
    evaluation.through(marks=(10, 10))
    assert (evaluation.result().grade, evaluation.result().total is not None) == ("none", True)
    assert evaluation.consequences() == []


def test_4_4_3_the_second_fail_in_total_brings_an_expulsion_review(town: Town) -> None:
    evaluation = Evaluation(town, ["", "_b"])
    with db.transaction() as session:
        session.execute(
            update(EvaluationResult)
            .where(EvaluationResult.lead_unit_id == town.unit().id, EvaluationResult.grade != "fail")
            .values(grade="pass")
        )
        first = update(EvaluationResult).where(EvaluationResult.lead_unit_id == town.unit().id)
        oldest = first.where(EvaluationResult.settled_at < clock.now() - timedelta(days=250))
        session.execute(oldest.values(grade="fail"))
        session.execute(update(PilotEnterprise).values(lead_unit_id=None))
    evaluation.open()
    for letter in ("", "_b"):
        evaluation.through(letter, marks=(10, 10), factor=0)
    assert (evaluation.result().grade, evaluation.result("_b").grade) == ("fail", "fail")
    assert evaluation.consequences() == [("expulsion_review", "4.4.3")]
    assert _review_grounds(town) == ["4.4.3"]
    assert evaluation.consequences("_b") == []


def test_4_2_3_lagging_without_account_is_recorded_and_3_2_the_arrangement_is_asked_for(town: Town) -> None:
    evaluation = Evaluation(town, [""])
    evaluation.open()
    evaluation.report()
    for who in evaluation.asked():
        evaluation.score(who)
    words = {"statement": "两个项目因企业搬迁延后，已补签协议。"}
    town.do("lead_unit", evaluation.unit_case(), "state_case", words, "state")
    refused = town.refused("working_group", evaluation.unit_case(), "settle", {"lagging": True}, "settle")
    assert set(refused) == {"arrangement", "arrangement_check", "statement_answer", "lagging_reason"}
    evaluation.settle(statement_answer="不予采纳。", lagging=True, lagging_reason="三个项目逾期，没有补救措施。")
    assert evaluation.consequences() == [("criticism", "4.2.3")]


def test_silence_is_recorded_and_the_conclusion_settled(town: Town) -> None:
    evaluation = Evaluation(town, [""])
    evaluation.open()
    evaluation.report()
    for who in evaluation.asked():
        evaluation.score(who)
    town.pass_time(working_days=6)
    assert (evaluation.result().status, evaluation.result().stated_at) == ("settling", None)
    evaluation.settle()


def test_a_unit_that_leaves_the_list_answers_the_round(town: Town) -> None:
    evaluation = Evaluation(town, [""])
    evaluation.open()
    cancel = Cancel("已被清退。")
    with pytest.raises(Conflict, match="须有评价结论"), db.transaction() as session:
        town.engine.step(session, evaluation.unit_case(), cancel, town.people["manager"])
    with db.transaction() as session:
        session.execute(update(LeadUnit).where(LeadUnit.id == town.unit().id).values(status="expelled"))
    with db.transaction() as session:
        town.engine.step(session, evaluation.unit_case(), cancel, town.people["manager"])
    assert (evaluation.result().status, evaluation.round.status) == ("left", "settled")
    assert town.open(evaluation.case) == ["confirm_report"]


def test_opening_goes_on_where_it_was_broken_off(town: Town) -> None:
    evaluation = Evaluation(town)
    evaluation.fix()
    town.do("office", evaluation.case, "open_reporting", {"checks": ["interview", "spot_check"]}, "open")
    assert (evaluation.round.status, evaluation.round.opened_units) == ("opening", 0)
    with Session(db.engine()) as killed:
        assert rounds.open_some(killed, evaluation.round.id) == 3
        killed.rollback()
    assert evaluation.round.opened_units == 0
    town.make_documents()
    assert (evaluation.round.status, evaluation.round.opened_units) == ("running", 3)
    with db.transaction() as session:
        assert rounds.open_some(session, evaluation.round.id) == 0


def test_weights_are_shared_out_exactly() -> None:
    indicators = scoring.frozen(scoring.standard_set())
    values = dict.fromkeys(scoring.FIGURES, Decimal(0)) | {
        "commitment_targets": Decimal(4),
        "commitment_rate": Decimal(50),
    }
    opinions = [{"scores": {"i4": "90", "i5": "70"}}, {"scores": {"i4": "90", "i5": "90"}}]
    rows, total = scoring.score(indicators, values, opinions)
    assert [row["score"] for row in rows] == [None, None, None, None, "80.00", "50.00"]
    assert total == Decimal("65.00")


def test_3_2_page_pdf_and_xlsx_show_equal_figures_recomputed_from_the_registers(
    town: Town, client: Any, config: Any
) -> None:
    import io

    import openpyxl
    import pypdf

    from webapp.demo import people
    from webapp.documents import storage

    evaluation = Evaluation(town)
    evaluation.open()
    for letter, mark in (("", 95), ("_b", 70), ("_c", 88)):
        evaluation.through(letter, marks=(mark, mark))
    town.do("working_group", evaluation.case, "confirm_report", {"report_words": "同意。"}, "confirm")
    town.make_documents()
    with db.transaction() as session:
        digests = [session.get_one(Document, key).digest for key in (evaluation.round.pdf_id, evaluation.round.xlsx_id)]
    files = [storage.path_of(digest).read_bytes() for digest in digests]
    printed = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(files[0])).pages)
    sheet = openpyxl.load_workbook(io.BytesIO(files[1])).active
    assert sheet is not None
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    client.post("/login", data={"username": "office", "password": people.PASSWORD})
    page = client.get(f"/rounds/{evaluation.round.id}/report").text
    assert [row[0] for row in rows] == [1, 2, 3]
    for letter in ("", "_b", "_c"):
        result, name = evaluation.result(letter), town.unit(letter).name
        judged = [(Decimal(row["score"]), Decimal(row["weight"])) for row in result.scores if row["score"] is not None]
        total = sum(score * weight for score, weight in judged) / sum(weight for _score, weight in judged)
        told = f"{total.quantize(Decimal('0.01'), 'ROUND_HALF_UP')}"
        (row,) = [row for row in rows if row[1] == name]
        assert Decimal(str(row[2])) == Decimal(told)
        assert told in page
        assert told in printed
