"""The rules of 4.6.1 and 4.6.2 one by one, named after their clause: what is refused, and what reviewers are told."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.processes.conftest import Town
from webapp import clock, db
from webapp.demo import make
from webapp.errors import Conflict, Forbidden
from webapp.registers import filing_checks, filings, reviews
from webapp.registers.models import FilingItem, LeadUnit

TODAY = date(2026, 11, 25)


def check(town: Town, *enterprises: dict[str, Any]) -> dict[str, list[str]]:
    """The errors of a filing of unit A, without the prefix of its first enterprise."""
    with db.transaction() as session:
        unit = session.get_one(LeadUnit, town.unit().id)
        found = filing_checks.check_filing(session, unit, {"enterprises": list(enterprises)}, TODAY)
    return {path.removeprefix("enterprises[0]."): sentences for path, sentences in found.items()}


@pytest.fixture
def sound(town: Town) -> dict[str, Any]:
    """An enterprise in order, its materials uploaded."""
    return town.upload("lead_unit", make.enterprise(70))


def test_4_6_1_a_sound_enterprise_passes(town: Town, sound: dict[str, Any]) -> None:
    assert check(town, sound) == {}


def test_4_6_1_each_of_the_four_materials_is_needed(town: Town, sound: dict[str, Any]) -> None:
    for material, label in filing_checks.MATERIALS.items():
        assert check(town, {**sound, material: []}) == {material: [f"请上传{label}。"]}


def test_4_6_1_a_file_of_another_unit_does_not_count(town: Town, sound: dict[str, Any]) -> None:
    foreign = town.upload("lead_unit_b", make.enterprise(71))
    assert list(check(town, {**sound, "licence": foreign["licence"]})) == ["licence"]
    assert list(check(town, {**sound, "licence": ["no-id"]})) == ["licence"]


def test_4_6_1_check_digits_are_checked_at_their_field(town: Town, sound: dict[str, Any]) -> None:
    code, number = sound["credit_code"], sound["id_number"]
    wrong = code[:-1] + ("A" if code[-1] != "A" else "B")
    assert "校验位不符" in check(town, {**sound, "credit_code": wrong})["credit_code"][0]
    off = number[:-1] + ("1" if number[-1] != "1" else "2")
    assert "校验位不符" in check(town, {**sound, "id_number": off})["id_number"][0]


def test_4_6_1_another_identity_document_needs_an_interpretation(town: Town, sound: dict[str, Any]) -> None:
    other = {**sound, "id_kind": "other", "id_number": "H12345678"}
    assert list(check(town, other)) == ["interpretation_id"]
    assert check(town, {**other, "interpretation_id": str(town.registers.other_identity.id)}) == {}


def test_4_6_1_no_accounts_need_an_interpretation_of_that_topic(town: Town, sound: dict[str, Any]) -> None:
    young = {**sound, "no_accounts": True, "accounts": [], "fiscal_year": None}
    assert list(check(town, young)) == ["interpretation_id"]
    wrong_topic = {**young, "interpretation_id": str(town.registers.other_identity.id)}
    assert list(check(town, wrong_topic)) == ["interpretation_id"]


def test_4_6_1_dates_do_not_lie_in_the_future_and_the_accounts_are_last_years(
    town: Town, sound: dict[str, Any]
) -> None:
    tomorrow = TODAY + timedelta(days=1)
    assert list(check(town, {**sound, "founded_on": tomorrow})) == ["founded_on"]
    assert list(check(town, {**sound, "credit_report_on": tomorrow})) == ["credit_report_on"]
    assert check(town, {**sound, "fiscal_year": 2024})["fiscal_year"] == [
        "应提交上一年度（2025 年）的财务材料，请核对年度。"
    ]


def test_4_6_1_the_units_own_code_a_member_and_a_double_are_refused(town: Town, sound: dict[str, Any]) -> None:
    assert "本单位自己的" in check(town, {**sound, "credit_code": town.unit().credit_code})["credit_code"][0]
    member = make.enterprise(0)["credit_code"]
    assert "已在本单位联合体名单中" in check(town, {**sound, "credit_code": member})["credit_code"][0]
    twice = check(town, sound, sound)
    assert twice == {"enterprises[1].credit_code": ["该企业与本次备案的第 1 家重复，请移除其中一家。"]}


def test_4_6_1_an_enterprise_in_another_open_filing_of_this_unit_is_refused(town: Town) -> None:
    filing = town.file([make.enterprise(70)])
    again = town.upload("lead_unit", make.enterprise(70))
    number = town.filing(filing).number
    assert number in check(town, again)["credit_code"][0]
    (item,) = town.items(filing)
    town.review(item, "reject", review_opinion="材料真实性无法确认。")
    assert town.filing(filing).status == "closed"
    assert check(town, again) == {}  # a rejected enterprise may be filed anew


def test_4_6_1_a_filing_needs_an_enterprise_and_holds_at_most_two_hundred(town: Town) -> None:
    assert list(check(town)) == ["enterprises"]
    assert "最多 200 家" in check(town, *[{}] * 201)["enterprises"][0]


def test_1_2_only_a_listed_unit_files_and_a_flagged_one_still_does(town: Town) -> None:
    with db.transaction() as session:
        session.get_one(LeadUnit, town.unit().id).under_expulsion = True
    town.start("lead_unit", "partner_filing")
    with db.transaction() as session:
        session.get_one(LeadUnit, town.unit().id).status = "expelled"
    with pytest.raises(Forbidden, match="不在牵引单位名单中"):
        town.start("lead_unit", "partner_filing")
    with pytest.raises(Forbidden, match="只有牵引单位"):
        town.start("office", "partner_filing")


def test_5_2_no_new_filing_after_the_end_of_validity(town: Town) -> None:
    from webapp.accounts.models import Setting

    with db.transaction() as session:
        session.add(Setting(key="valid_until", value={"value": "2026-11-24"}))
    with pytest.raises(Conflict, match=r"第 5\.2 条"):
        town.start("lead_unit", "partner_filing")


def test_4_6_2_reviewers_are_told_of_bars_other_consortia_and_an_old_report(town: Town) -> None:
    barred = {"name": town.registers.expelled.name, "credit_code": town.registers.expelled.credit_code}
    old = {"credit_report_on": TODAY - timedelta(days=31)}
    elsewhere = make.enterprise(5)  # a member of unit 5
    filing = town.file([make.enterprise(70, **barred), make.enterprise(71, **old), elsewhere, make.enterprise(72)])
    found = [[w["code"] for w in town.item(item).warnings] for item in town.items(filing)]
    assert found == [["barred"], ["old_report"], ["other_consortium"], []]
    first = town.item(town.items(filing)[0])
    assert "第 4.4.5 条" in first.warnings[0]["text"]
    assert reviews.must_answer(first) == first.warnings


PASS = {f"{material}_verdict": "pass" for material in filing_checks.MATERIALS}


def item(*warnings: dict[str, Any]) -> FilingItem:
    materials = {material: ["x"] for material in filing_checks.MATERIALS}
    return FilingItem(name="某企业", materials=materials, warnings=list(warnings))


def test_4_6_2_no_pass_while_a_material_has_not_passed() -> None:
    assert reviews.check_review(item(), PASS, "pass") == {}
    data = {**PASS, "accounts_verdict": "correct", "accounts_request": "补章"}
    assert list(reviews.check_review(item(), data, "pass")) == ["accounts_verdict"]
    assert list(reviews.check_review(item(), {**PASS, "licence_verdict": None}, "pass")) == ["licence_verdict"]


def test_4_6_2_a_barred_code_must_be_answered_with_a_reason() -> None:
    barred = item({"code": "barred", "text": "…", "must_answer": True})
    assert set(reviews.check_review(barred, PASS, "pass")) == {"barred_answer", "barred_reason"}
    answered = {**PASS, "barred_answer": "effect", "barred_reason": "同一控制人"}
    assert list(reviews.check_review(barred, answered, "pass")) == ["barred_answer"]
    assert reviews.check_review(barred, {**answered, "review_opinion": "不予通过"}, "reject") == {}
    assert reviews.check_review(barred, {**answered, "barred_answer": "no_effect"}, "pass") == {}


def test_4_6_2_a_return_says_what_and_why_and_a_rejection_says_why() -> None:
    assert list(reviews.check_review(item(), {**PASS, "review_opinion": "不齐"}, "return")) == ["ask_fields"]
    named = {**PASS, "correction_days": 5, "fix_fields": ["name"], "review_opinion": "名称与执照不一致"}
    assert reviews.check_review(item(), named, "return") == {}
    assert list(reviews.check_review(item(), {**named, "correction_days": 0}, "return")) == ["correction_days"]
    assert list(reviews.check_review(item(), {**named, "review_opinion": None}, "return")) == ["review_opinion"]
    assert list(reviews.check_review(item(), PASS, "reject")) == ["review_opinion"]
    assert "" in reviews.check_review(item(), PASS, None)
    open_request = {**named, "licence_verdict": "correct"}
    assert list(reviews.check_review(item(), open_request, "return")) == ["licence_request"]


def test_a_reminder_goes_out_before_a_correction_lapses(town: Town) -> None:
    now = clock.now()
    due = clock.deadline(now, working_days=5)
    with db.transaction() as session:
        assert reviews.remind_at(session, due, now).isoformat() == "2026-11-30T09:00:00+08:00"
        assert reviews.remind_at(session, clock.deadline(now, working_days=1), now) == now


def test_4_6_3_of_two_enterprises_that_end_exactly_the_second_is_the_last(town: Town) -> None:
    first, second = town.items(town.file([make.enterprise(70), make.enterprise(71)]))
    with db.transaction() as session:
        one, two = session.get_one(FilingItem, first), session.get_one(FilingItem, second)
        with pytest.raises(Conflict):
            filings.settle(session, one, clock.now())
        one.status = two.status = "lapsed"
        session.flush()
        assert filings.settle(session, one, clock.now()) is False
        assert filings.settle(session, two, clock.now()) is True
