"""What the page script does with the server: drafts, uploads, live counts, sending once."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.frontend.rendering import Site, environment, page_of, served

TILE = {"id": "d7", "type": "PDF", "name": "营业执照.pdf", "meta": "1 KB", "verdict": "检查通过"}
FORM = """
<form id="task-form" method="post" action="/complete" data-once data-dirty data-draft="/draft"
      data-saved="{time} 已暂存" data-unsaved="暂存失败，请稍后再试">
{{ f.text('name', '企业名称', '') }}{{ f.file_field('licence', '营业执照', upload_url='/upload') }}
<button type="submit" name="outcome" value="pass">审核通过</button></form><span data-draft-state></span>
<div data-live="/counts"><b data-count="open">2</b></div>
"""


def tile(_: bytes) -> tuple[int, str]:
    source = '{% import "macros/pieces.html" as p %}{{ p.file_tile(file, true, "licence") }}'
    return 200, environment().from_string(source).render(file=TILE)


def refused(_: bytes) -> tuple[int, str]:
    return 422, '{"message": "文件有密码，无法读取。"}'


@pytest.fixture
def site() -> Iterator[Site]:
    answers = {
        "/draft": lambda _: (200, '{"saved_at": "14:02"}'),
        "/upload": tile,
        "/complete": lambda _: (200, "办理完成"),
    }
    with served(Site({"/": page_of(FORM)}, answers, {"open": 3})) as running:
        yield running


@pytest.fixture
def opened(browser: Browser, site: Site) -> Iterator[Page]:
    tab = browser.new_page()
    tab.goto(f"{site.address}/")
    yield tab
    tab.close()


def test_a_draft_is_saved_while_one_writes(opened: Page, site: Site) -> None:
    opened.fill("#f-name", "广州砺行")
    expect(opened.locator("[data-draft-state]")).to_have_text("14:02 已暂存")
    (path, body) = site.sent[0]
    assert path == "/draft"
    assert "广州砺行".encode() in body


def test_a_draft_that_cannot_be_saved_is_told(opened: Page, site: Site) -> None:
    site.answers["/draft"] = lambda _: (503, "")
    opened.fill("#f-name", "广州砺行")
    expect(opened.locator("[data-draft-state]")).to_have_text("暂存失败，请稍后再试")


def test_a_draft_that_another_decided_meanwhile_stops_and_says_so(opened: Page, site: Site) -> None:
    site.answers["/draft"] = lambda _: (409, '{"message": "此事项刚刚被他人办理。"}')
    opened.fill("#f-name", "广州砺行")
    expect(opened.locator("[data-draft-state]")).to_have_text("此事项刚刚被他人办理。")


def test_a_chosen_file_is_sent_at_once_and_its_id_goes_with_the_form(opened: Page, site: Site) -> None:
    opened.set_input_files(
        "[data-drop] input", {"name": "营业执照.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"}
    )
    expect(opened.locator(".file-good")).to_have_text("检查通过")
    assert opened.locator("input[name=licence]").input_value() == "d7"
    assert b"%PDF" in next(body for path, body in site.sent if path == "/upload")


def test_a_refused_file_says_why_and_can_be_taken_away(opened: Page, site: Site) -> None:
    site.answers["/upload"] = refused
    opened.set_input_files("[data-drop] input", {"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"})
    expect(opened.locator(".file-bad .file-meta")).to_have_text("文件有密码，无法读取。")
    assert opened.locator("input[name=licence]").count() == 0
    opened.locator("[data-file-remove]").click()
    assert opened.locator(".file").count() == 0


def test_counts_follow_the_server_and_ask_whether_they_changed(opened: Page, site: Site) -> None:
    expect(opened.locator("[data-count=open]")).to_have_text("3")
    opened.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    opened.wait_for_timeout(300)
    assert site.count_answers == [200, 304]
    assert opened.locator("[data-count=open]").inner_text() == "3"


def test_a_form_is_sent_once_however_often_one_clicks(opened: Page, site: Site) -> None:
    opened.evaluate("for (let i = 0; i < 3; i++) document.querySelector('[name=outcome]').click()")
    expect(opened.locator("body")).to_have_text("办理完成")
    assert [body for path, body in site.sent if path == "/complete"] == [b"name=&outcome=pass"]


PARTS = """
<form id="parts"><div id="c-kind" hx-post="/parts" hx-trigger="change" hx-include="closest form" hx-swap="none">
<input type="checkbox" name="kind" value="b"></div>
<div id="c-after"><label for="f-after">改为</label><input id="f-after" name="after" value=""></div></form>
"""


def test_what_is_typed_while_the_server_answers_stays(browser: Browser, site: Site) -> None:
    site.pages["/parts"] = page_of(PARTS)
    part = '<div id="c-after" hx-swap-oob="true"><label for="f-after">更正为</label><input id="f-after" name="after">'
    site.answers["/parts"] = lambda _: (200, part)
    tab = browser.new_page()
    held: list[Route] = []
    tab.route("**/parts", lambda route: held.append(route) if route.request.method == "POST" else route.continue_())
    tab.goto(f"{site.address}/parts")
    with tab.expect_request("**/parts"):
        tab.check("[name=kind]")
    tab.locator("[name=after]").press_sequentially("广州砺")
    while not held:
        tab.wait_for_timeout(20)
    held[0].continue_()
    expect(tab.locator("label[for=f-after]")).to_have_text("更正为")
    expect(tab.locator("[name=after]")).to_be_focused()
    tab.keyboard.type("行")
    expect(tab.locator("[name=after]")).to_have_value("广州砺行")
    tab.close()
