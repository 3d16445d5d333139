"""The pieces page in a real browser: accessible in both themes and on a phone, and its behaviours work."""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from tests.frontend.rendering import WEBAPP, Site, page, served

AXE = WEBAPP / "frontend/node_modules/axe-core/axe.min.js"
RULES = "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"


@pytest.fixture(scope="module")
def address(_built_frontend: None) -> Iterator[str]:
    pages = {f"/{theme}": page("pieces.html", theme=theme) for theme in ("light", "dark", "auto")}
    with served(Site(pages)) as site:
        yield site.address


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Page]:
    tab = browser.new_page(viewport={"width": 1440, "height": 900})
    tab.goto(f"{address}/light")
    yield tab
    tab.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_no_accessibility_violation_and_no_sideways_scrolling(
    browser: Browser, address: str, theme: str, width: int
) -> None:
    tab = browser.new_page(viewport={"width": width, "height": 900})
    told: list[str] = []
    tab.on("console", lambda message: told.append(message.text) if message.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: told.append(str(error)))
    tab.goto(f"{address}/{theme}")
    tab.evaluate(AXE.read_text())
    violations = tab.evaluate(RULES)["violations"]
    assert [(v["id"], [node["target"] for node in v["nodes"]]) for v in violations] == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert told == []  # no script error, no breach of the Content-Security-Policy
    tab.close()


def test_keys_move_pick_and_unpick_rows(opened: Page) -> None:
    bar = opened.locator("[data-bulk]")
    assert bar.is_hidden()
    for key in ("j", "x", "j", "x"):
        opened.keyboard.press(key)
    assert opened.locator("[data-picked-text]").inner_text() == "已选 2 件"
    assert opened.locator("tr.cursor").locator(".meta").inner_text() == "BA-2026-0187"
    opened.keyboard.press("Escape")
    assert bar.is_hidden()


def test_keys_do_nothing_while_one_writes(opened: Page) -> None:
    opened.locator("#f-phone").fill("")
    opened.locator("#f-phone").press_sequentially("jx/?")
    assert opened.locator("#f-phone").input_value() == "jx/?"
    assert opened.locator("tr.cursor").count() == 0
    assert not opened.locator("#shortcuts").is_visible()


def test_slash_goes_to_the_search_and_question_mark_explains(opened: Page) -> None:
    opened.keyboard.press("/")
    assert opened.locator("[data-search]").evaluate("box => box === document.activeElement")
    opened.locator("[data-search]").blur()
    opened.keyboard.press("?")
    assert opened.locator("#shortcuts").is_visible()


def test_a_destructive_act_waits_for_the_reason_and_the_word(opened: Page) -> None:
    opened.locator(".page-actions > [data-confirm=end]").click()
    act = opened.locator("#end [data-confirmed]")
    assert act.is_disabled()
    opened.locator("#end-reason").fill("审计报告签章不全。")
    assert act.is_disabled()
    opened.locator("#end-typed").fill("不予通过")
    assert act.is_enabled()


def test_an_error_leads_to_its_field(opened: Page) -> None:
    opened.locator(".error-summary a").first.click()
    assert opened.locator("#f-code").evaluate("box => box === document.activeElement")


def test_the_count_follows_the_words_and_phrases_are_put_in(opened: Page) -> None:
    need = opened.locator("#f-need")
    need.fill("机床联网")
    assert opened.locator("[data-count-for=f-need]").inner_text() == "4 / 300 字"
    opened.get_by_role("button", name="页面不清晰").click()
    assert need.input_value() == "机床联网；页面不清晰"
    assert opened.locator("[data-count-for=f-need]").inner_text() == "10 / 300 字"


def test_a_new_row_never_takes_the_name_of_a_removed_one(opened: Page) -> None:
    opened.get_by_role("button", name="再加一家企业").click()
    assert opened.locator("[name=rows-2-name]").is_visible()
    opened.locator("#e2 [data-row-remove]").click()
    opened.get_by_role("button", name="再加一家企业").click()
    assert opened.locator("[name=rows-3-name]").is_visible()
    assert opened.locator("[name=rows-2-name]").count() == 0
    assert opened.locator("#e3 [data-row-number]").inner_text() == "3"


def test_a_removed_row_comes_back_with_what_stood_in_it(opened: Page) -> None:
    opened.get_by_role("button", name="再加一家企业").click()
    opened.locator("[name=rows-2-name]").fill("广州青禾")
    opened.locator("#e2 [data-row-remove]").click()
    assert opened.locator("[name=rows-2-name]").count() == 0
    assert "已移除" in opened.locator(".row-gone").inner_text()
    opened.get_by_role("button", name="撤销移除").click()
    assert opened.locator("[name=rows-2-name]").input_value() == "广州青禾"
    assert opened.locator("#e2 [data-row-number]").inner_text() == "3"


def test_tabs_answer_to_arrows(opened: Page) -> None:
    opened.locator("#tab-one").focus()
    opened.keyboard.press("ArrowRight")
    assert opened.locator("#panel-two").is_visible()
    assert opened.locator("#panel-one").is_hidden()


def test_the_theme_is_kept_in_a_cookie_for_the_server(opened: Page) -> None:
    opened.locator(".topbar-end > [data-theme-switch]").click()
    assert opened.evaluate("document.documentElement.dataset.theme") == "dark"
    cookies = opened.context.cookies()
    assert [cookie.get("value") for cookie in cookies if cookie.get("name") == "theme"] == ["dark"]


@pytest.mark.parametrize(("system", "paper"), [("light", "rgb(245, 247, 250)"), ("dark", "rgb(16, 22, 29)")])
def test_without_a_choice_the_page_follows_the_system(
    browser: Browser, address: str, system: Literal["light", "dark"], paper: str
) -> None:
    tab = browser.new_page(color_scheme=system)
    tab.goto(f"{address}/auto")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == paper
    tab.close()
