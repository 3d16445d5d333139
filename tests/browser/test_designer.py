"""A designer changes a process by mouse and keyboard, mends, compares, deploys; a new case goes the new way."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

FOLDER = "/designer/partner_filing"
TASK = "核对申报资格"


def middle(page: Page, element: str) -> tuple[float, float]:
    box = page.locator(f"[data-element-id={element}] .djs-hit").first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def right_of(page: Page, left: str, right: str) -> tuple[float, float]:
    """A point on the flow between two elements that stand side by side."""
    from_x, y = middle(page, left)
    to_x, _y = middle(page, right)
    width = page.locator(f"[data-element-id={right}] .djs-hit").first.bounding_box()["width"]
    return (from_x + to_x - width / 2) / 2 + 6, y


def deploy(page: Page, comment: str) -> None:
    page.get_by_label("改动说明").fill(comment)
    with page.expect_navigation():
        page.get_by_role("button", name="部署新版").click()
    expect(page.locator(".flash")).to_contain_text("新的事项按新版办理")


@pytest.fixture
def partner_filing_back(as_person):
    """The other stories file by the regulation's own way."""
    yield
    page = as_person("designer").page
    page.goto(f"{FOLDER}/")
    page.get_by_role("button", name="取回为草稿").last.click()
    expect(page.locator(".flash")).to_contain_text("已取回为草稿")
    page.goto(f"{FOLDER}/deploy")
    deploy(page, "恢复原来的流程")


def test_a_designer_changes_the_filing_and_a_new_case_goes_the_new_way(as_person, partner_filing_back):
    designer = as_person("designer")
    page = designer.page
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{FOLDER}/bpmn/partner_filing.bpmn")
    expect(page.locator("#canvas[data-ready]")).to_be_attached()
    expect(page.locator("#findings-state")).to_have_text("没有发现问题")

    # A task dropped on the flow between the start and the first task; its name and role from the panel.
    page.locator(".djs-palette [data-action='create.user-task']").click()
    x, y = right_of(page, "start", "prepare_filing")
    page.mouse.move(x - 3, y, steps=4)
    page.mouse.move(x, y)
    page.mouse.click(x, y)
    expect(page.locator(".panel-head")).to_contain_text("办理任务")
    expect(page.locator(".djs-direct-editing-content")).to_be_visible()
    page.keyboard.press("Escape")  # the name typed into the drawing is left for the panel
    page.get_by_label("名称", exact=True).fill(TASK)
    page.keyboard.press("Tab")
    page.locator("#prop-role").select_option("lead_unit")
    expect(page.locator(".chosen")).to_contain_text("牵引单位经办人")

    # A condition, at first wrong: told at the field and among the findings, led to, mended with a known name.
    label = page.locator("[data-element-id=flow_confirmed_register_label] .djs-hit").first
    condition = page.get_by_role("combobox", name="条件")
    for _ in range(20):  # a click while the drawing is being saved may only end the typing
        label.click()
        page.wait_for_timeout(1000)
        if condition.is_visible():
            break
    condition.fill('confirm_decision = "confirm" and ')
    expect(page.locator(".feel-said.bad")).to_be_visible()
    page.keyboard.press("Tab")
    found = page.locator("#findings-list button").first
    expect(page.locator("#findings-state")).to_contain_text("处须改")
    found.click()
    expect(page.locator(".panel-head")).to_contain_text("确认提交")
    condition.fill('confirm_decision = "confirm" and enterprise_c')
    expect(page.get_by_role("option", name="enterprise_count")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type(" > 0")
    expect(page.locator(".feel-said.good")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator("#findings-state")).to_have_text("没有发现问题")
    expect(page.locator("#save-state")).to_contain_text("已存为草稿")

    page.get_by_role("link", name="比较").click()
    expect(page.locator("#side-after[data-ready]")).to_be_attached()
    expect(page.locator(".compare-list").first).to_contain_text(TASK)
    expect(page.locator(".compare-list").first).to_contain_text("enterprise_count > 0")
    expect(page.locator("#side-after .is-added").first).to_be_attached()

    page.get_by_role("link", name="部署…").click()
    expect(page.locator("main")).to_contain_text(f"新增“{TASK}”")
    expect(page.locator("main")).to_contain_text("件可以")
    deploy(page, "先核对申报资格再填报")
    page.get_by_role("checkbox", name="选择").first.check()
    page.get_by_label("理由").fill("按新版办理")
    page.get_by_role("button", name="迁移所选").click()
    expect(page.locator("#progress")).to_contain_text("已迁移 1 件")

    unit = as_person("lead_unit")
    unit.start("新增产业生态联合体企业备案")
    unit.sees(TASK)
