"""Issue 3, "Done when" 1 (a): a round of quarterly evaluation in the browser, each role in turn.

The demo's round under way is voided whole and its quarter judged again, over six units: A (stated case, experts far
apart), B (late), one that failed before and fails again, one without pilot enterprises, one newly admitted, and one
that never reports. What repeats itself for many units goes through the API; assertions are on what people see.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import openpyxl
import pypdf
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.people import Person
from tests.browser.product import Product, running, waited
from tests.browser.round_verbs import (
    advance,
    cast,
    do,
    interviewed,
    report,
    result_page,
    round_page,
    task,
    tasks,
    unfold,
    voided_cases,
)
from tests.browser.test_questionnaire import PHONE

People = Callable[..., Person]
STATEMENT = "两名专家的评分相差较大，本单位的服务记录可以佐证，请予复核。"
ABSENT_WORDS = "电话两次、书面一次催告，均无答复。"
EXPERTS = ("expert", "expert2", "expert3")


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    """A product of this story's own: its clock moves by weeks, and its list of lead units is short."""
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def units(product: Product) -> dict[str, str]:
    """The names of the six units, by their part in the story."""
    return cast(product)


# ---- the story ---------------------------------------------------------------------------------------------------


def test_the_round_under_way_is_voided_whole_with_its_reason(
    as_person: People, product: Product, units: dict[str, str]
) -> None:
    group = as_person("working_group")
    group.go(round_page(product))
    group.page.get_by_role("button", name="整体作废…").click()
    dialog = group.page.locator("#void")
    [(number,)] = product.rows("select number from evaluation_round where voided_at is null and closed_at is null")
    dialog.get_by_label("作废理由").fill("指标权重有误，重新组织。")
    dialog.get_by_label("以确认").fill(number)
    dialog.locator("[data-confirmed]").click()
    group.sees("已于", "整体作废", "指标权重有误，重新组织。")
    waited(lambda: not voided_cases(product), "the voided round's cases end")


def test_indicators_are_fixed_served_and_received_and_reporting_opens(
    as_person: People, product: Product, units: dict[str, str]
) -> None:
    office, group, staff = as_person("office"), as_person("working_group"), as_person("lead_unit")
    office.start("季度绩效评价")
    unfold(office)
    office.fill(**{"indicators[0].weight": 24})
    for name in EXPERTS:
        office.page.locator(f'#task-form label:has([name="experts"][value="{name}"])').click()
    office.expected = {422}
    office.press("送审定")
    expect(office.page.locator(".error-summary")).to_contain_text("99")
    unfold(office)
    office.fill(**{"indicators[0].weight": 25})
    office.decide("送审定")
    group.open_task("绩效评价", "审定评价指标")
    group.sees("沈书瑶", "傅云帆", "叶知秋", "100")
    group.decide("同意，下发")
    page = round_page(product)
    staff.go(f"{page}/served")
    staff.page.get_by_role("button", name="签收评价指标").click()
    staff.sees("签收", "完成改造试点企业数量")
    office.open_task("绩效评价", "开启材料报送")
    office.sees("6 家")
    office.decide("开启材料报送")
    office.go(page)
    office.awaits(office.page.locator("table.matrix tbody tr").nth(5))
    office.sees(*units.values(), "本季新增")


def test_a_unit_reports_and_its_head_confirms(as_person: People, product: Product, units: dict[str, str]) -> None:
    staff, head = as_person("lead_unit"), as_person("lead_unit_head")
    staff.open_task("绩效评价", "报送季度绩效目标完成情况")
    staff.sees("任务书目标", "本年以前各季度", "上一阶段工作安排")
    staff.expected = {422}
    staff.press("送负责人确认")
    expect(staff.error_at("rows[0].actual")).to_be_visible()
    unfold(staff)
    for number in range(4):
        staff.fill(**{f"rows[{number}].actual": 90, f"rows[{number}].note": "按台账汇总。"})
    staff.fill(report_words="各项目按计划推进。", carried_out="均已办结。", true_report=True)
    staff.decide("送负责人确认")
    head.open_task("绩效评价", "确认并提交报送材料")
    head.sees("按台账汇总。", "各项目按计划推进。")
    head.fill(submit_words="同意提交。")
    head.decide("确认并提交")
    interviewed(product, units["a"])
    for word, actual in (("failed", 0), ("none", 60), ("new", 60)):
        report(product, word, units[word], actual)


def test_a_pilot_enterprise_answers_on_a_telephone(
    as_person: People, product: Product, browser: Browser, units: dict[str, str]
) -> None:
    office = as_person("office").page
    page = result_page(product, units["a"])
    office.goto(f"{page}/supervision")
    link = office.locator("[data-copy]").first.get_attribute("data-copy")
    phone = Person(browser, product, **PHONE)
    phone.page.goto(str(link))
    for question in phone.page.get_by_role("group").filter(has_text="非常满意").all():
        question.get_by_text("满意", exact=True).tap()
    phone.page.get_by_role("group").filter(has_text="中介费").get_by_text("没有", exact=True).tap()
    phone.page.get_by_role("button", name="提交答卷").tap()
    expect(phone.page.get_by_role("heading", name="提交成功")).to_be_visible()
    assert phone.problems == []
    phone.close()
    office.reload()
    expect(office.locator("[data-count=answered]")).to_have_text("1")


def test_one_is_late_past_the_summons_and_is_taken(as_person: People, product: Product, units: dict[str, str]) -> None:
    office, staff = as_person("office"), as_person("lead_unit_b")
    page = round_page(product)
    advance(product, 11)
    office.go(f"{page}?view=over")
    office.awaits(office.page.locator("table.matrix tbody tr", has_text="已催告").nth(1))
    office.sees(units["b"], units["absent"])
    staff.open_task("绩效评价", "报送季度绩效目标完成情况")
    report(product, "b", units["b"], 95)
    office.go(page)
    office.awaits(office.page.locator("table.matrix tbody tr", has_text=units["b"]).filter(has_text="迟报"))


def test_the_absent_one_is_verified_by_a_person_and_its_review_opens(
    as_person: People, product: Product, units: dict[str, str]
) -> None:
    office, page = as_person("office"), round_page(product)
    advance(product, 7)
    office.open_task(units["absent"], "核实是否未参加评价")
    office.fill(absence_words=ABSENT_WORDS)
    office.decide("认定未按规定参加")
    office.go(page)
    follows = office.page.locator(".consequences li", has_text=units["absent"])
    expect(follows).to_contain_text(ABSENT_WORDS)
    expect(follows).to_contain_text("第 4.4.2 条")
    office.open_task(f"清退审议：{units['absent']}", "核实事实、收集证据")


def test_two_experts_far_apart_bring_a_third(as_person: People, product: Product, units: dict[str, str]) -> None:
    page = result_page(product, units["a"])
    task(product, units["a"], "score")
    first, second = [who for _task, who in tasks(product, units["a"], "score")]
    for who, score in ((first, 95), (second, 60)):
        expert = as_person(who)
        expert.open_task(units["a"])
        expert.sees("台账数字", "单位报送的完成情况")
        unfold(expert)
        expert.fill(**{"rows[0].score": score, "rows[1].score": score}, score_words="依据报送材料和现场情况。")
        expert.decide("提交评分")
    third = as_person(next(name for name in EXPERTS if name not in (first, second)))
    third.open_task(units["a"])
    assert "95" not in third.main().locator("table").all_inner_texts()  # each judges alone
    unfold(third)
    third.fill(**{"rows[0].score": 80, "rows[1].score": 80}, score_words="依据报送材料。")
    third.decide("提交评分")
    for word, score in (("b", 92), ("failed", 5), ("none", 88), ("new", 86)):
        task(product, units[word], "score")
        for key, who in tasks(product, units[word], "score"):
            scores = {"rows": [{"score": score}] * 2, "score_words": "依据报送材料。"}
            do(product, who, key, "score_decision", "score", **scores)
    as_person("office").go(page)
    as_person("office").sees("78.33")  # the mean of three


def test_a_unit_states_its_case_and_the_others_accept(
    as_person: People, product: Product, units: dict[str, str]
) -> None:
    head = as_person("lead_unit_head")
    head.open_task("绩效评价", "对初步结果陈述申辩")
    head.sees("各指标得分")
    head.fill(statement=STATEMENT)
    head.decide("提交陈述申辩")
    for word in ("b", "failed", "none", "new"):
        do(product, f"lead_unit_{word}", task(product, units[word], "state_case"), "statement_decision", "accept")


def test_conclusions_are_settled_alone_and_in_bulk(as_person: People, product: Product, units: dict[str, str]) -> None:
    group = as_person("working_group")
    group.open_task(units["a"], "审定评价结论")
    group.sees(STATEMENT)
    group.page.locator('#task-form label:has([name="arrangement_check"][value="done"])').click()
    group.fill(arrangement="继续推进改造项目。", statement_answer="已请第三名专家评分，按三人平均计分。")
    group.decide("审定")

    group.go(f"{round_page(product)}/settle")
    rows = group.page.locator(".settle-list > li")
    expect(rows).to_have_count(4)
    group.page.locator("#shared").fill("按任务书推进，按月报送。")
    for row in rows.all():
        row.locator("[data-pick]").check()
        row.locator("select").select_option("done")
    group.page.get_by_role("button", name="审定所选单位").click()
    group.sees("已审定 4 家", *(units[word] for word in ("b", "failed", "none", "new")))


def test_the_second_fail_opens_a_review_by_itself_shown_with_its_reason(
    as_person: People, product: Product, units: dict[str, str]
) -> None:
    office, head = as_person("office"), as_person("lead_unit_head_failed")
    office.go(round_page(product))
    follows = office.page.locator(".consequences li", has_text=units["failed"])
    expect(follows).to_contain_text("第 4.4.3 条")
    expect(follows).to_contain_text("累计 2 次绩效评价不达标")
    office.go(result_page(product, units["none"]))
    office.sees("不适用")
    office.go(result_page(product, units["new"]))
    office.sees("不定等")
    office.go(f"/registers/lead-units?q={units['failed']}")
    office.page.get_by_role("link", name=units["failed"]).first.click()
    office.sees("清退审议", "累计 2 次绩效评价不达标")
    office.open_task(f"清退审议：{units['failed']}", "核实事实、收集证据")
    head.go("/registers/results")
    head.sees("不合格")


def test_the_report_shows_equal_figures_as_page_pdf_and_xlsx(
    as_person: People, product: Product, units: dict[str, str]
) -> None:
    group = as_person("working_group")
    group.open_task("绩效评价", "确认评价报告")
    group.sees(*units.values())
    group.fill(report_words="同意。")
    group.decide("确认评价报告")
    group.go(f"{round_page(product)}/report")
    group.awaits(group.page.locator(".files a[download]").nth(2))
    group.sees("穗工信评价〔", "平均")
    shown = group.page.locator("table.ranking tbody tr")
    expect(shown).to_have_count(6)
    page = [[text.strip() for text in row.locator("th, td").all_inner_texts()][:-1] for row in shown.all()]
    files = {}
    for name, link in zip(
        group.page.locator(".files .file-name").all_inner_texts(),
        group.page.locator(".files a[download]").all(),
        strict=True,
    ):
        files[name[-4:]] = group.context.request.get(str(link.get_attribute("href"))).body()
    sheet = openpyxl.load_workbook(io.BytesIO(files["xlsx"])).worksheets[0]
    cells = [[_plain(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    printed = re.sub(r"\s", "", "".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(files[".pdf"])).pages))
    for row in page:
        assert [_plain(value) for value in row] in cells
        assert "".join(row).replace(" ", "") in printed


def _plain(value: Any) -> str:
    """A cell as text: 15, 15.00 and "15.00" are the same figure."""
    try:
        return f"{float(value):g}"
    except (TypeError, ValueError):
        return "" if value is None else str(value)
