"""A person at a browser of their own: what they click and fill in, by what they see; what went wrong in the page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.product import Product
from webapp.demo import make
from webapp.demo.people import PASSWORD

#: Milliseconds that a busy machine may take; nothing waits longer than it must.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)
#: The materials of 4.6.1 as the form names them.
MATERIALS = ("licence", "identity", "accounts", "credit_report")


class Person:
    """One browser context: cookies and storage of their own. `problems` holds console errors and failed requests."""

    def __init__(self, browser: Browser, product: Product, name: str = "", **options: Any) -> None:
        self.product = product
        self.name = name
        self.context: BrowserContext = browser.new_context(base_url=product.address, locale="zh-CN", **options)
        self.problems: list[str] = []
        #: Answers of 400 and more that the story asks for are no problem.
        self.expected: set[int] = set()
        self.page = self.tab()
        if name:
            self.sign_in()

    def tab(self) -> Page:
        """One more tab of the same browser."""
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        page.on("console", lambda message: self._heard(page, message))
        return page

    def _heard(self, page: Page, message: Any) -> None:
        status = re.search(r"status of (\d{3})", message.text)
        if message.type == "error" and not (status and int(status.group(1)) in self.expected):
            self.problems.append(f"{page.url}: {message.text}")

    def close(self) -> None:
        self.context.close()

    def sign_in(self) -> None:
        self.page.goto("/login")
        self.page.get_by_label("用户名").fill(self.name)
        self.page.get_by_label("密码").fill(PASSWORD)
        self.page.get_by_role("button", name="登录", exact=True).click()
        expect(self.page.locator("main h1")).to_be_visible()

    # ---- finding and opening

    def go(self, path: str) -> None:
        self.page.goto(path)

    def sees(self, *words: str) -> None:
        """Every sentence stands on the page, visible."""
        for sentence in words:
            expect(self.page.locator("body")).to_contain_text(sentence)

    def main(self) -> Locator:
        return self.page.locator("main")

    def row(self, words: str, step: str = "") -> Locator:
        """The inbox row about something, at a step."""
        found = self.page.locator("#tasks tbody tr").filter(has_text=words)
        return (found.filter(has_text=step) if step else found).first

    def open_task(self, words: str, step: str = "") -> None:
        """Open the inbox, wait until the task is there (a worker may still bring it), and open it."""
        self.page.goto(f"/tasks?q={words}")
        row = self.row(words, step)
        self.awaits(row)
        row.locator("a.title").click()
        expect(self.page.locator("#task-form")).to_be_attached()

    def awaits(self, found: Locator) -> Locator:
        """Reload the page until something is on it that a worker brings."""
        for _ in range(PATIENCE // 200):
            if found.count():
                return found
            self.page.wait_for_timeout(200)
            self.page.reload()
        raise AssertionError(f"{found} never came to\n{self.main().inner_text()}")

    def option(self, name: str, words: str | re.Pattern[str]) -> str:
        """The label of the select's option that holds these words."""
        option = self.page.locator(f'[name="{name}"] option').filter(has_text=words).first
        expect(option).to_be_attached()
        return option.inner_text()

    def has_task(self, words: str, step: str) -> bool:
        self.page.goto(f"/tasks?q={words}")
        return self.row(words, step).count() > 0

    def start(self, process: str) -> None:
        """Start a case from the inbox's 发起办理."""
        self.page.goto("/tasks")
        link = self.page.locator("main .menu-list a, main .page-head a").filter(has_text=process)
        if self.page.locator("main .page-head summary").count():
            self.page.locator("main .page-head summary").first.click()
        link.first.click()
        self.page.get_by_role("button", name="开始办理").click()
        expect(self.page.locator("#task-form")).to_be_attached()

    # ---- filling in

    def fill(self, **values: Any) -> None:
        """Fill in the task's form: text, numbers, dates, choices, boxes; by the field's name."""
        for name, value in values.items():
            self.put(name, value)

    def put(self, name: str, value: Any) -> None:
        fields = self.page.locator(f'#task-form [name="{name}"]:not([type=hidden])')
        expect(fields.first).to_be_attached()
        kind = fields.first.get_attribute("type") or fields.first.evaluate("e => e.tagName")
        if kind == "radio":
            self.page.locator(f'#task-form label:has([name="{name}"][value="{value}"])').click()
        elif kind == "checkbox":
            fields.first.set_checked(bool(value))
        elif kind == "SELECT":
            fields.first.select_option(value)
        else:
            fields.first.fill(value.isoformat() if isinstance(value, date) else str(value))

    def upload(self, name: str, filename: str, content: bytes) -> None:
        """Choose a file and wait until the server has it."""
        box = self.page.locator(f'[data-upload][data-name="{name}"]')
        box.locator("input[type=file]").set_input_files(
            {"name": filename, "mimeType": "application/octet-stream", "buffer": content}
        )
        expect(box.locator(f'input[type=hidden][name="{name}"]')).to_be_attached()

    def fill_enterprise(self, number: int, enterprise: Mapping[str, Any], *, without: Sequence[str] = ()) -> None:
        """Fill in one enterprise of the filing (numbered from 0 on the page) and upload its materials."""
        for key, value in enterprise.items():
            if key in {"no_accounts", "interpretation_id"}:
                continue
            self.put(f"enterprises[{number}].{key}", value)
        for material, (name, content) in make.materials(enterprise).items():
            if material not in without:
                self.upload(f"enterprises[{number}].{material}", name, content)

    def add_enterprise(self) -> None:
        self.page.locator('[data-row-add="enterprises"]').click()

    # ---- deciding

    def press(self, label: str) -> None:
        """Press a button of the bar and wait for the next page."""
        button = self.page.locator(".submit-bar").get_by_role("button", name=label).first
        with self.page.expect_navigation():
            button.click()

    def decide(self, label: str) -> None:
        """Press a decision that is accepted; a dialog that asks first is agreed to."""
        button = self.page.locator(".submit-bar").get_by_role("button", name=label).first
        asks = button.get_attribute("data-confirm")
        with self.page.expect_navigation():
            button.click()
            if asks:
                self.page.locator(f"#{asks} [data-confirmed]").click()
        refused = self.page.locator(".error-summary")
        assert not refused.count(), refused.inner_text()
        expect(self.page.locator("body")).to_contain_text(label)

    def error_at(self, name: str) -> Locator:
        """The sentence at a field."""
        return self.page.locator(f"#f-{re.sub(r'[^A-Za-z0-9_-]+', '-', name).strip('-')}-error")


def review(person: Person, enterprise: str, decision: str = "审核通过", **values: Any) -> None:
    """The review of one enterprise in which every material passes, `values` over it."""
    person.open_task(enterprise, "审核备案材料")
    verdicts = {f"{material}_verdict": "pass" for material in MATERIALS}
    person.fill(**{**verdicts, "review_opinion": "四项材料齐全、有效，与申报一致。", **values})
    person.decide(decision)


def agree(person: Person, enterprise: str) -> None:
    """The second person's agreement to the review of an enterprise."""
    person.open_task(enterprise, "复核审核意见")
    person.fill(second_opinion="同意审核意见。")
    person.decide("同意")
