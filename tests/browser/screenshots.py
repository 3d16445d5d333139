"""`make screenshots`: every page as the fitting role, desktop and phone, light and dark, into `screenshots/`.

The pages are found by following the links of each role's pages on the demo's data, one picture for each kind of page
(ids in the address do not make a kind; the name of a task does).
"""

from __future__ import annotations

import re
import shutil
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.product import CHROMIUM, OPTIONS, running
from webapp.config import ROOT
from webapp.demo.people import PASSWORD

FOLDER = ROOT / "screenshots"
ROLES = (
    "", "office", "lead_unit", "lead_unit_head", "working_group", "bureau_meeting", "manager", "designer", "expert",
    "pilot_enterprise", "sysadmin", "secadmin", "auditor",
)  # fmt: skip
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
#: Addresses that are no pages.
NO_PAGE = re.compile(r"\.(csv|xlsx|pdf|docx|bpmn|json|svg|js|css)$|/documents/|/logout|/static/")
IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
#: Starts of addresses whose page is another one for each role.
OWN = ("/tasks", "/account")
MOST = 70


def _kind(role: str, page: Page, path: str) -> str:
    """What makes a page one of its kind."""
    kind = IDS.sub("id", path)
    if re.fullmatch(r"/tasks/id", kind):
        kind += "/" + (page.locator("h1").first.text_content() or "").strip()
    return f"{role}:{kind}" if kind.startswith(OWN) else kind


def _links(page: Page, origin: str) -> Iterator[str]:
    hrefs = page.eval_on_selector_all("a[href], tr[data-row]", "all => all.map(a => a.href || a.dataset.row)")
    for href in hrefs:
        parts = urlsplit(str(href))
        same = not parts.netloc or f"{parts.scheme}://{parts.netloc}" == origin
        if same and parts.path and not NO_PAGE.search(parts.path) and not parts.query:
            yield parts.path


def _context(browser: Browser, size: str, theme: str) -> BrowserContext:
    width, height = SIZES[size]
    viewport = {"width": width, "height": height}
    return browser.new_context(viewport=viewport, locale="zh-CN", color_scheme=theme, has_touch=size == "phone")  # type: ignore[arg-type]


def _sign_in(page: Page, origin: str, role: str) -> None:
    page.goto(f"{origin}/login")
    if role:
        page.fill("[name=username]", role)
        page.fill("[name=password]", PASSWORD)
        page.locator("form button[type=submit], form button.btn-primary").first.click()
        page.wait_for_url(lambda url: "/login" not in url)


def _discover(page: Page, origin: str, role: str, seen: set[str]) -> list[tuple[str, str]]:
    """(kind, path) of the pages that this role can reach and nobody before it has shown."""
    found: list[tuple[str, str]] = []
    todo = deque(["/login", "/public/"] if not role else ["/"])
    tried: set[str] = set()
    while todo and len(found) < MOST:
        path = todo.popleft()
        shape = IDS.sub("id", path)
        if path in tried or (shape != "/tasks/id" and shape in tried):
            continue
        tried |= {path, shape}
        answer = page.goto(origin + path)
        if answer is None or answer.status != 200 or "html" not in answer.headers.get("content-type", ""):
            continue
        here = urlsplit(page.url).path
        kind = _kind(role, page, here)
        if kind not in seen:
            seen.add(kind)
            found.append((kind, here))
        todo.extend(_links(page, origin))
    return found


def _name(role: str, kind: str) -> str:
    words = re.sub(r"[/:\s]+", "-", kind).strip("-") or "home"
    return f"{role or 'public'}--{words}"[:110]


def take(origin: str, folder: Path) -> int:
    """Take all pictures; how many."""
    count = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        seen: set[str] = set()
        for role in ROLES:
            with _context(browser, "desktop", "light") as context:
                page = context.new_page()
                _sign_in(page, origin, role)
                pages = _discover(page, origin, role, seen)
            for size in SIZES:
                for theme in THEMES:
                    with _context(browser, size, theme) as context:
                        page = context.new_page()
                        _sign_in(page, origin, role)
                        for kind, path in pages:
                            page.goto(origin + path)
                            page.wait_for_load_state("networkidle")
                            page.screenshot(path=folder / f"{_name(role, kind)}--{size}-{theme}.png", full_page=True)
                            count += 1
        browser.close()
    return count


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    with running() as product:
        print(f"{take(product.address, FOLDER)} pictures in {FOLDER.relative_to(ROOT)}/")


if __name__ == "__main__":
    main()
