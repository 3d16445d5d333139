"""A designer changes a rule, tries a row, sees which scenario no longer holds, and records a new one with coverage."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.people import Person
from tests.browser.product import Product


def test_a_rule_is_changed_tried_and_told_by_the_scenarios(product: Product, as_person: Callable[..., Person]) -> None:
    person = as_person("designer")
    page = person.page
    person.go("/designer/lead_unit_evaluation/decision/evaluation_grade.dmn")
    page.locator("body[data-ready]").wait_for()
    cell = page.locator("td[data-element-id=total_2]")
    expect(cell).to_contain_text(">= 90")
    cell.click()
    page.keyboard.press("Control+A")
    page.keyboard.type(">= 95")
    page.locator("[name=newly_admitted]").select_option("false")
    expect(cell).to_contain_text(">= 95")
    page.locator("[name=total]").fill("93")
    expect(page.locator("[data-result]")).to_contain_text("命中的规则： 6")
    page.locator("[name=total]").fill("96")
    expect(page.locator("[data-result]")).to_contain_text('grade = "excellent"')
    page.get_by_role("button", name="保存草稿").click()
    expect(page.locator("[data-saved]")).to_contain_text("草稿已存")

    person.go("/designer/lead_unit_evaluation/scenarios")
    row = page.get_by_role("row").filter(has_text="得分 93：优秀")
    expect(row).to_contain_text("变量 grade 应为 “excellent”，实际为 “none”。")
    person.go("/designer/lead_unit_evaluation/")
    discard = page.locator("[data-confirm=discard]")
    page.locator("details[data-menu]").filter(has=discard).locator("summary").click()
    discard.click()
    page.locator("#discard").get_by_role("button", name="撤销草稿").click()
    person.go("/designer/lead_unit_evaluation/scenarios")
    expect(page.get_by_text("全部通过")).to_be_visible()


def test_a_scenario_is_recorded_step_by_step_and_passes_with_coverage(
    product: Product, as_person: Callable[..., Person]
) -> None:
    person = as_person("designer")
    page = person.page
    person.go("/designer/change_review/record")
    page.get_by_role("button", name="开始走").click()
    # what the handler would have said is not known: its double is given
    double = page.locator("details").filter(has=page.get_by_role("heading", name="替身：汇总在办事项"))
    double.locator("summary").click()
    double.locator("tr", has=page.locator("[name=__name][value=review_due]")).locator("[name=__value]").fill("true")
    double.locator("tr", has=page.locator("[name=__name][value=meeting_at]")).locator("[name=__value]").fill('"P1WD"')
    double.get_by_role("button", name="按此结果重走").click()
    page.get_by_role("button", name="时钟拨到此时").click()
    expect(page.locator(".diagram .djs-element").first).to_be_visible()
    page.locator("[name=attendees]").fill("牵引单位与工作小组办公室")
    page.locator("[name=conclusion]").fill("两项变更均予同意。")
    page.locator(".trial-actions button").first.click()
    expect(page.get_by_text("案件已正常结束")).to_be_visible()
    page.get_by_role("button", name="存为情景").click()
    dialog = page.locator("#save-scenario")
    dialog.get_by_label("名称").fill("到期召集并记录")
    dialog.get_by_role("button", name="存入草稿").click()
    row = page.get_by_role("row").filter(has_text="到期召集并记录")
    expect(row).to_contain_text("通过")
    expect(page.get_by_text("环节 8 / 9")).to_be_visible()
    expect(page.locator(".diagram .is-done").first).to_be_visible()
