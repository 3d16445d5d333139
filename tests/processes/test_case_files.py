"""案卷 and forms as people meet them: what the office sees, what a lead unit must not see, every form on its page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from tests.processes.conftest import Town
from webapp import db
from webapp.demo import make
from webapp.engine.handler_api import CasePanel
from webapp.engine.tables import user_task
from webapp.forms.render import render
from webapp.inbox.task_form import open_form
from webapp.notices import objections
from webapp.registers import filing_checks

VERDICTS = {f"{material}_verdict": "pass" for material in filing_checks.MATERIALS}


def titles(panel: CasePanel) -> list[str]:
    return [block.title for block in panel.blocks]


def words(panel: CasePanel) -> str:
    return str([(b.title, b.text, b.items, b.rows) for b in panel.blocks])


def under_review(town: Town) -> list[UUID]:
    barred = {"name": town.registers.expelled.name, "credit_code": town.registers.expelled.credit_code}
    elsewhere = make.enterprise(5, legal_rep="新任代表")
    return town.items(town.file([make.enterprise(70), make.enterprise(71, **barred), elsewhere]))


def test_the_office_sees_facts_comparison_and_hints(town: Town) -> None:
    _first, barred, elsewhere = under_review(town)
    panel = town.panel("office", town.case_of(elsewhere))
    assert titles(panel) == ["备案概要", "与台账比对", "提示"]
    assert ("法定代表人", make.person(5), "新任代表") in panel.blocks[1].items
    assert "的联合体中" in panel.blocks[2].text
    assert [tab.state for tab in panel.tabs] == ["未审核", "未审核", "正在审核"]
    assert [tab.current for tab in panel.tabs] == [False, False, True]
    # The warning that must be answered stands in the form, not among the hints.
    assert "提示" not in titles(town.panel("office", town.case_of(barred)))
    form = town.form("office", town.case_of(barred), "review")
    assert form.context["has_barred"] is True
    assert "第 4.4.5 条" in form.context["barred_text"]


def test_a_lead_unit_reads_a_review_only_when_it_has_taken_effect(town: Town) -> None:
    first, _barred, _elsewhere = under_review(town)
    case = town.case_of(first)
    data = {**VERDICTS, "licence_verdict": "correct", "licence_request": "不清晰", "internal_note": "只给内部看"}
    town.do("office", case, "review", {**data, "correction_days": 5, "review_opinion": "请补正执照"}, "return")
    assert "退回补正，待复核" in [tab.state for tab in town.panel("office", case).tabs]
    seen = town.panel("lead_unit", case)
    assert [tab.state for tab in seen.tabs] == ["审核中"] * 3
    assert titles(seen) == ["备案概要"]
    town.do("office2", case, "second_review", {"second_opinion": "内部同意"}, "agree")
    seen = town.panel("lead_unit", case)
    assert "请补正执照" in words(seen)
    assert "内部同意" not in words(seen)
    assert "只给内部看" not in words(seen)
    assert seen.tabs[0].state.startswith("补正中，至 2026 年 12 月 2 日")
    root = town.panel("lead_unit", town.case("partner_filing"))
    assert [row[2] for row in root.blocks[1].rows] == [seen.tabs[0].state, "审核中", "审核中"]


def test_batch_objection_and_correction_have_their_case_files(town: Town) -> None:
    items = under_review(town)
    town.review(items[0])
    batch = town.publish([items[0]])
    notice = town.notice(batch)
    with db.transaction() as session:
        found = objections.receive(
            session,
            notice_id=notice.id,
            filing_item_id=items[0],
            channel="web",
            objector_name="",
            objector_contact="",
            words="该企业没有开展所填报的业务，请核实。",
        )
    town.make_documents()
    panel = town.panel("office", batch)
    assert titles(panel) == ["公示概要", "本批企业", "异议"]
    assert len(panel.documents) == 2  # the draft's job came late: the notice was published, its files are made once
    assert found.instance_id is not None
    assert titles(town.panel("working_group", found.instance_id)) == ["所涉公示与企业", "本件已有意见"]
    correction = town.start("office", "notice_correction")
    assert titles(town.panel("office", correction)) == []


def test_every_form_can_be_shown_to_those_who_have_it(town: Town, app: Any) -> None:
    items = under_review(town)
    town.start("lead_unit_b", "partner_filing")
    town.review(items[0])
    town.do("office", town.case_of(items[1]), "review", {**VERDICTS, **BARRED}, "pass")
    town.start("office", "publicity_batch")
    town.start("office", "notice_correction")
    with app.test_request_context():
        shown = {element for element, _html in _pages(town)}
    assert shown == {"prepare_filing", "review", "second_review", "compose", "prepare"}


BARRED = {"barred_answer": "no_effect", "barred_reason": "已核实。", "review_opinion": "齐全。"}


def _pages(town: Town) -> list[tuple[str, str]]:
    pages = []
    with db.transaction() as session:
        for row in session.execute(select(user_task).where(user_task.c.status == "open")).all():
            form = open_form(session, town.people[_someone(row)], row)
            html = str(render(form.schema, form.data, {}, form.environment))
            assert "{{" not in html
            pages.append((row.element_id, html))
    return pages


def _someone(row: Any) -> str:
    role = str(row.candidate_groups[0])
    return f"{role}_b" if role == "lead_unit" else role
