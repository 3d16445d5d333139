"""4.6.3 in its branches: held objections, late ones, bars, a unit that leaves, withdrawal, four eyes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.processes.conftest import Town
from webapp import clock, db
from webapp.accounts.models import Setting
from webapp.demo import make
from webapp.errors import Forbidden, Invalid
from webapp.notices import objections
from webapp.notices.models import Notice, Objection
from webapp.registers import filing_checks
from webapp.registers.models import BarredEntry, LeadUnit

WORDS = "据了解，该企业上年度没有开展所填报的业务，请核实。"


def in_publicity(town: Town, count: int = 2, first: int = 70) -> tuple[UUID, list[UUID], UUID]:
    """A filing whose enterprises all are public: (filing, enterprises, the batch's case)."""
    filing = town.file([make.enterprise(first + n) for n in range(count)])
    items = town.items(filing)
    for item in items:
        town.review(item)
    return filing, items, town.publish(items)


def objection(town: Town, batch: UUID, item: UUID, **more: Any) -> Objection:
    details = {"channel": "web", "objector_name": "", "objector_contact": "", "words": WORDS, **more}
    with db.transaction() as session:
        return objections.receive(session, notice_id=town.notice(batch).id, filing_item_id=item, **details)


def decide(town: Town, found: Objection, decision: str) -> None:
    assert found.instance_id is not None
    town.do("office", found.instance_id, "investigate", {"findings": "已电话核实。", "proposal": "dismissed"}, "submit")
    town.do("working_group", found.instance_id, "decide", {"decision_reasons": "依据调查情况。"}, decision)


def test_an_open_objection_holds_back_its_own_enterprise_alone(town: Town) -> None:
    filing, (free, held), batch = in_publicity(town)
    found = objection(town, batch, held)
    town.close_period(batch)
    panel = town.form("office", batch, "prepare_list").context
    assert [row["name"] for row in panel["ready"]] == [town.item(free).name]
    assert found.receipt_number in panel["held"][0]["reason"]
    town.publish_list(batch)
    assert (town.item(free).status, town.item(held).status) == ("published", "objected")
    assert town.status(town.case_of(free)) == "completed"
    assert (town.status(batch), town.filing(filing).status) == ("active", "review")
    decide(town, found, "dismissed")
    town.publish_list(batch)
    assert town.item(held).status == "published"
    assert (town.status(batch), town.filing(filing).status) == ("completed", "closed")


def test_an_upheld_objection_after_the_period_strikes_the_enterprise_and_ends_the_batch(town: Town) -> None:
    filing, (only,), batch = in_publicity(town, 1)
    found = objection(town, batch, only)
    town.close_period(batch)
    assert town.open(batch) == []  # nothing to publish: the batch waits for the decision
    decide(town, found, "upheld")
    assert town.item(only).status == "struck"
    assert "异议成立" in town.item(only).outcome_reason
    assert (town.status(batch), town.filing(filing).status) == ("completed", "closed")


def test_two_decisions_while_the_batch_waits_wake_it_once_each_and_none_is_lost(town: Town) -> None:
    _filing, (one, two), batch = in_publicity(town)
    first, second = objection(town, batch, one), objection(town, batch, two)
    town.close_period(batch)
    decide(town, first, "dismissed")
    assert town.open(batch) == ["prepare_list"]
    decide(town, second, "dismissed")  # decided while the list with the first one is being prepared
    town.publish_list(batch)
    assert {town.item(one).status, town.item(two).status} <= {"published", "public"}
    if town.status(batch) == "active":
        town.publish_list(batch)
    assert (town.item(one).status, town.item(two).status) == ("published", "published")
    assert town.status(batch) == "completed"
    with db.transaction() as session:
        from webapp.engine.tables import message

        assert session.scalars(select(message.c.status)).all().count("waiting") == 0


def test_an_objection_sent_back_is_investigated_again(town: Town) -> None:
    _filing, (only,), batch = in_publicity(town, 1)
    found = objection(town, batch, only)
    decide(town, found, "return")
    assert found.instance_id is not None
    assert town.form("office", found.instance_id, "investigate").context["return_words"] == "依据调查情况。"
    decide(town, found, "dismissed")
    assert town.item(only).status == "public"


def test_an_objection_counts_by_its_time_of_receipt_and_a_late_one_is_a_lead(town: Town) -> None:
    _filing, (one, two), batch = in_publicity(town)
    within = clock.now() + timedelta(days=1)
    town.pass_time(working_days=6)
    letter = objection(
        town, batch, one, channel="letter", received_at=within, entered_by=town.people["office"], objector_name="来信人"
    )
    late = objection(town, batch, two)
    assert (letter.status, late.status, late.instance_id) == ("open", "late", None)
    assert (town.item(one).status, town.item(two).status) == ("objected", "public")
    task = town.task(letter.instance_id, "investigate")  # type: ignore[arg-type]
    assert task.due_at == clock.deadline(within, working_days=10)


def test_an_objection_is_refused_with_sentences(town: Town) -> None:
    _filing, (only,), batch = in_publicity(town, 1)
    for more, field in (
        ({"words": "不行"}, "words"),
        ({"received_at": clock.now() + timedelta(days=1)}, "received_at"),
        ({"received_at": clock.now() - timedelta(days=9)}, "received_at"),
        ({"channel": "letter"}, "channel"),
    ):
        with pytest.raises(Invalid) as refusal:
            objection(town, batch, only, **more)
        assert list(refusal.value.fields) == [field]


def test_a_letter_entered_after_the_confirmation_still_holds_its_enterprise_back(town: Town) -> None:
    _filing, (one, two), batch = in_publicity(town)
    within = clock.now() + timedelta(days=1)
    town.close_period(batch)
    found = objection(town, batch, two, channel="letter", received_at=within, entered_by=town.people["office"])
    town.publish_list(batch)
    assert (town.item(one).status, town.item(two).status) == ("published", "objected")
    decide(town, found, "dismissed")
    town.publish_list(batch)
    assert town.item(two).status == "published"
    assert town.status(batch) == "completed"


def test_4_4_an_enterprise_barred_since_its_review_needs_a_judgement(town: Town) -> None:
    _filing, (one, two), batch = in_publicity(town)
    with db.transaction() as session:
        code = town.item(two).credit_code
        session.add(
            BarredEntry(
                credit_code=code, name="某", clause="4.4.5", decision_number="一号", decided_on=clock.today(), reason=""
            )
        )
    town.close_period(batch)
    title = {"list_title": "名单"}
    assert list(town.refused("office", batch, "prepare_list", title, "submit")) == ["excluded_reason"]
    town.publish_list(batch, excluded=[str(two)], excluded_reason="同一控制人，影响本次发布。")
    assert (town.item(one).status, town.item(two).status) == ("published", "struck")
    assert town.item(two).outcome_reason == "同一控制人，影响本次发布。"
    assert town.status(batch) == "completed"


def test_a_unit_that_leaves_meanwhile_is_struck_by_a_correction_and_the_batch_goes_on(town: Town) -> None:
    _filing, (gone,), _batch = in_publicity(town, 1)
    other = town.file([make.enterprise(74)], "_b")
    (stays,) = town.items(other)
    town.review(stays)
    batch = town.publish([stays])
    with db.transaction() as session:
        session.get_one(LeadUnit, town.unit().id).status = "expelled"
    town.close_period(_batch)
    assert town.item(gone).status == "struck"
    assert "已不在名单中" in town.item(gone).outcome_reason
    assert town.status(_batch) == "completed"
    town.do("office", batch, "confirm_entered", {"all_entered": True}, "confirm")
    town.publish_list(batch)
    assert town.item(stays).status == "published"
    correction = town.case("notice_correction")
    given = town.form("office", correction, "prepare").data
    town.do("office", correction, "prepare", {**given}, "submit")
    town.do("working_group", correction, "sign", {}, "sign")
    with db.transaction() as session:
        act = session.scalars(select(Notice).where(Notice.kind == "correction")).one()
        assert (act.status, act.rows[0].extra["change"]) == ("published", "撤下")


def test_a_withdrawn_notice_sends_its_enterprises_back_to_the_pool(town: Town) -> None:
    filing, (free, objected, upheld), batch = in_publicity(town, 3)
    open_one, done = objection(town, batch, objected), objection(town, batch, upheld)
    decide(town, done, "upheld")
    notice = town.notice(batch)
    case = town.start("office", "notice_correction")
    data = {
        "notice_id": str(notice.id),
        "correction_kind": "withdrawal",
        "correction_title": "关于撤回公示的公告",
        "correction_words": "因名单核对有误，现予撤回，另行公示。",
    }
    town.do("office", case, "prepare", data, "submit")
    town.do("working_group", case, "sign", {}, "sign")
    assert town.status(batch) == "cancelled"
    assert [town.item(i).status for i in (free, objected, upheld)] == ["pooled", "pooled", "struck"]
    assert town.status(town.case_of(upheld)) == "completed"
    with db.transaction() as session:
        assert session.get_one(Notice, notice.id).status == "withdrawn"
    again = town.start("office", "publicity_batch")
    assert [o["value"] for o in town.form("office", again, "compose").options["pool"]] == [str(free)]
    decide(town, open_one, "upheld")
    assert town.status(town.case_of(objected)) == "completed"
    late = town.publish([free])
    town.close_period(late)
    town.publish_list(late)
    assert town.filing(filing).status == "closed"


def test_a_batch_takes_only_what_waits_and_keeps_the_period_of_the_house_rule(town: Town) -> None:
    _filing, items, _batch = in_publicity(town)
    case = town.start("office", "publicity_batch")
    errors = town.refused(
        "office", case, "compose", {"title": "公示", "item_ids": [str(items[0])], "period_days": 5}, "submit"
    )
    assert list(errors) == ["item_ids"]
    other = town.file([make.enterprise(74)], "_b")
    town.review(town.items(other)[0])
    data = {"title": "公示", "item_ids": [str(i) for i in town.items(other)], "period_days": 4}
    assert town.refused("office", case, "compose", data, "submit") == {
        "period_days": ["公示期不少于 5 个工作日（工作口径）。"]
    }
    # An enterprise that one batch has drafted is not offered to another.
    town.do("office", case, "compose", {**data, "period_days": 5}, "submit")
    second = town.start("office", "publicity_batch")
    assert town.form("office", second, "compose").options["pool"] == []
    assert list(town.refused("working_group", case, "sign_notice", {}, "return")) == ["sign_opinion"]
    town.do("working_group", case, "sign_notice", {"sign_opinion": "请核对标题。"}, "return")
    assert town.form("office", case, "compose").context["return_words"] == "请核对标题。"
    town.do("office", case, "compose", {**data, "period_days": 7}, "submit")
    town.do("working_group", case, "sign_notice", {}, "sign")
    assert town.notice(case).period_days == 7


def test_nobody_decides_what_they_prepared(town: Town) -> None:
    (item,) = town.items(town.file([make.enterprise(70)]))
    case = town.case_of(item)
    verdicts = {f"{material}_verdict": "pass" for material in filing_checks.MATERIALS}
    town.do("office", case, "review", {**verdicts, "correction_days": 5, "review_opinion": "齐全"}, "pass")
    with pytest.raises(Forbidden):
        town.do("office", case, "second_review", {}, "agree")
    town.do("office2", case, "second_review", {"second_opinion": "请再核对。"}, "disagree")
    assert town.form("office", case, "review").context["second_words"] == "请再核对。"
    assert town.form("office", case, "review").data["licence_verdict"] == "pass"


def test_without_a_second_reviewer_the_review_takes_effect_at_once(town: Town) -> None:
    with db.transaction() as session:
        session.add(Setting(key="second_reviewer", value={"value": False}))
    (item,) = town.items(town.file([make.enterprise(70)]))
    verdicts = {f"{material}_verdict": "pass" for material in filing_checks.MATERIALS}
    data = {**verdicts, "correction_days": 5, "review_opinion": "齐全"}
    town.do("office", town.case_of(item), "review", data, "pass")
    assert town.item(item).status == "pooled"


def test_a_correction_in_time_brings_the_enterprise_before_the_reviewers_again(town: Town) -> None:
    (item,) = town.items(town.file([make.enterprise(70)]))
    more = {"licence_verdict": "correct", "licence_request": "不清晰", "ask_fields": True, "fix_fields": ["legal_rep"]}
    town.review(item, "return", **more, review_opinion="请补正。")
    case, form = town.case_of(item), town.form("lead_unit", town.case_of(item), "correct")
    assert town.task(case, "correct").due_at == town.item(item).correction_due_at
    assert form.context["ask"] == {"licence": True, "identity": False, "accounts": False, "credit_report": False}
    assert form.context["requests"]["licence"] == "不清晰"
    assert list(form.data) == ["legal_rep", "licence"]
    old = town.item(item).materials["licence"]
    assert set(town.refused("lead_unit", case, "correct", {"legal_rep": "李新"}, "resubmit")) == {"licence"}
    assert list(town.refused("lead_unit", case, "correct", {"legal_rep": "李新", "licence": old}, "resubmit")) == [
        "licence"
    ]
    new = town.upload("lead_unit", make.enterprise(70))["licence"]
    town.do("lead_unit", case, "correct", {"legal_rep": "李新", "licence": new}, "resubmit")
    found = town.item(item)
    assert (found.status, found.legal_rep, found.materials["licence"]) == ("review", "李新", new)
    assert town.form("office", case, "review").data["identity_verdict"] == "pass"
    assert town.form("office", case, "review").data["licence_verdict"] is None
    town.review(item)
    assert town.item(item).status == "pooled"


def test_4_7_the_working_group_reviews_changes_each_month_on_the_first_working_day(town: Town) -> None:
    in_publicity(town, 1)
    town.pass_time(days=6)  # 1 December, a Tuesday
    case = town.case("change_review")
    assert town.open(case) == ["record_review"]
    context = town.form("working_group", case, "record_review").context
    assert (context["open_filings"], context["filings"][0]["number"]) == (1, "BA-2026-0001")
    town.do("working_group", case, "record_review", {"attendees": "工作小组", "conclusion": "没有异常情况。"}, "record")
    assert town.status(case) == "completed"
    town.pass_time(days=31)  # 1 January is a holiday: the review opens on the next working day
    january = town.case("change_review")
    assert january != case
    assert town.open(january) == []
    town.pass_time(days=4)
    assert town.open(january) == ["record_review"]
