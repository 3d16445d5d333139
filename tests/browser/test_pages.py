"""What people do on the pages beside the main story: keys, bulk actions, drafts, two at once, languages, bad files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import task
from tests.browser.people import MATERIALS, Person
from tests.browser.product import Product
from tests.support_documents import image, pdf

People = Callable[..., Person]


def cursor(page: Page) -> str:
    """The title of the row under the cursor."""
    return page.locator("#tasks tr.cursor a.title").inner_text()


def test_the_inbox_is_worked_by_keys(as_person: People) -> None:
    office = as_person("office")
    office.go("/tasks")
    page, titles = office.page, office.page.locator("#tasks a.title").all_inner_texts()
    for key, row in (("j", 0), ("j", 1), ("j", 2), ("k", 1)):
        page.keyboard.press(key)
        assert cursor(page) == titles[row]
    page.keyboard.press("x")
    expect(page.locator("[data-bulk]")).to_be_visible()
    expect(page.locator("#tasks tr.cursor [data-pick]")).to_be_checked()
    page.keyboard.press("Escape")
    expect(page.locator("[data-bulk]")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.press("Tab")
    page.locator("#tasks a.title").nth(1).focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert re.search(r"/tasks/[0-9a-f-]{36}$", page.url)


def test_several_tasks_are_claimed_and_released_at_once(as_person: People) -> None:
    office = as_person("office")
    office.go("/tasks?q=备案材料审核")
    picks = office.page.locator("#tasks tbody [data-pick]")
    for number in range(2):
        picks.nth(number).check()
    office.sees("已选 2 件")
    office.page.locator("[data-bulk]").get_by_role("button", name="签收").click()
    office.sees("已签收 2 件。")
    office.go("/tasks?q=备案材料审核")
    mine = office.page.locator("#tasks tbody tr").filter(has=office.page.get_by_role("link", name=re.compile("^办理")))
    expect(mine).to_have_count(2)
    for number in range(2):
        mine.nth(number).locator("[data-pick]").check()
    office.page.locator("[data-bulk]").get_by_role("button", name="放回").click()
    office.sees("已放回 2 件。")


def test_a_draft_survives_the_closing_of_the_tab(as_person: People, product: Product) -> None:
    office, path = as_person("office"), task(product, "review", "%砺行%")
    tab = office.tab()
    tab.goto(path)
    tab.locator('[name="review_opinion"]').fill("先写到这里，等对方补充说明。")
    expect(tab.locator("[data-draft-state]")).to_contain_text("已暂存")
    tab.close()
    office.go(path)
    expect(office.page.locator('[name="review_opinion"]')).to_have_value("先写到这里，等对方补充说明。")
    office.page.locator(".submit-bar summary").click()
    office.page.get_by_role("button", name="退回签收").click()
    with office.page.expect_navigation():
        office.page.locator("#release [data-confirmed]").click()


def test_of_two_who_decide_at_once_one_is_told_who_was_faster_and_keeps_the_words(
    as_person: People, product: Product
) -> None:
    office, second, path = as_person("office"), as_person("office2"), task(product, "review", "%内观%")
    for person in (office, second):
        person.go(path)
        person.fill(**{f"{material}_verdict": "pass" for material in MATERIALS})
    office.fill(review_opinion="四项材料齐全。")
    second.fill(review_opinion="我也看过，意见相同。")
    office.decide("审核通过")
    second.expected = {409}
    with second.page.expect_navigation() as answer:
        second.page.locator(".submit-bar").get_by_role("button", name="审核通过").click()
    assert answer.value.status == 409
    expect(second.main()).to_contain_text(re.compile(r"陈思远于.*\d+:\d+.*办结"))
    second.sees("我也看过，意见相同。")
    [(count,)] = product.rows(
        "select count(*) from activity_history where element_id = 'review' and instance_id ="
        " (select instance_id from user_task where id = %s)",
        path.rsplit("/", 1)[1],
    )
    assert count == 1


def test_a_reviewer_cannot_be_the_second_person(as_person: People, product: Product) -> None:
    done = product.rows(
        "select id from user_task where element_id = 'second_review' and status = 'completed' order by id limit 1"
    )
    office = as_person("office")
    office.go(f"/tasks/{done[0][0]}")
    assert not office.page.locator(".submit-bar").count()
    office.sees("办结")


def test_everything_is_there_in_english_and_comes_back(as_person: People) -> None:
    office = as_person("office")
    office.go("/tasks")
    office.page.locator("[data-language=en]").first.click()
    expect(office.page.locator("h1")).to_have_text("My tasks")
    expect(office.page.locator("html")).to_have_attribute("lang", "en")
    office.page.locator("[data-language=zh]").first.click()
    expect(office.page.locator("h1")).to_have_text("我的待办")


def test_the_dark_theme_is_chosen_and_kept(as_person: People) -> None:
    office = as_person("office")
    office.go("/tasks")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = office.page.evaluate(ground)
    with office.page.expect_response("**/account/theme"):
        office.page.locator("[data-theme-switch]:visible").first.click()
    office.go("/registers/")
    expect(office.page.locator("html")).to_have_attribute("data-theme", "dark")
    assert office.page.evaluate(ground) != light
    with office.page.expect_response("**/account/theme"):
        office.page.locator("[data-theme-switch]:visible").first.click()


def test_a_form_without_its_token_is_refused_with_a_sentence(as_person: People, product: Product) -> None:
    office, path = as_person("office"), task(product, "investigate")
    office.expected = {400}
    office.go(path)
    office.fill(findings="这段话不应丢失，也不应提交。")
    office.page.evaluate("for (const i of document.querySelectorAll('[name=csrf_token]')) i.value = ''")
    with office.page.expect_navigation() as answer:
        office.page.locator(".submit-bar").get_by_role("button", name="提交调查意见").click()
    assert answer.value.status == 400
    office.sees("页面")
    [(status,)] = product.rows("select status from user_task where id = %s", path.rsplit("/", 1)[1])
    assert status == "open"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("营业执照.pdf", b"MZ\x90\x00 this is no PDF", "不是 PDF、JPEG 或 PNG"),
        ("营业执照.pdf", image("PNG"), "扩展名"),
        ("营业执照.pdf", pdf(password="secret"), "设有密码"),
        ("营业执照.pdf", b"", "是空的"),
        ("营业执照.pdf", pdf() + b"\0" * (20 * 2**20), "超过 20 MB"),
    ],
    ids=["wrong content", "wrong extension", "encrypted", "empty", "oversize"],
)
def test_a_bad_file_is_told_at_its_field(
    as_person: People, product: Product, tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    staff = as_person("lead_unit")
    staff.expected = {413, 422}
    staff.go(task(product, "prepare_filing"))
    if not staff.page.locator('[data-name="enterprises[0].licence"]').count():
        staff.add_enterprise()
    box = staff.page.locator('[data-upload][data-name="enterprises[0].licence"]')
    (tmp_path / name).write_bytes(content)
    box.locator("input[type=file]").set_input_files(tmp_path / name)
    expect(box.locator(".file-bad")).to_contain_text(sentence)
    expect(box.locator("input[type=hidden][name]")).to_have_count(0)
