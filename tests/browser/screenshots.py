"""`make screenshots`: every page, on a desk and on a phone, in light and in dark, into `screenshots/`."""

from __future__ import annotations

import shutil
import sys

from playwright.sync_api import Browser, sync_playwright

from tests.browser.pages import pages
from tests.browser.people import Person
from tests.browser.product import CHROMIUM, OPTIONS, Product, running
from webapp.config import ROOT

FOLDER = ROOT / "screenshots"
SIZES = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
THEMES = ("light", "dark")


def take(browser: Browser, product: Product, only: tuple[str, ...] = ()) -> int:
    """Take the pictures `<page>-<size>-<theme>.png` of pages whose name holds one of `only` (all without); how many."""
    people: dict[str, Person] = {}
    count = 0
    for shown in pages(product):
        if only and not any(word in shown.name for word in only):
            continue
        if shown.who not in people:
            people[shown.who] = Person(browser, product, shown.who)
        page = people[shown.who].page
        for size, viewport in SIZES.items():
            page.set_viewport_size(viewport)
            page.goto(shown.path)
            if shown.act:
                shown.act(page)
            # As tall as the page, so that the bar at its foot does not stand in the middle of the picture.
            height = max(viewport["height"], page.evaluate("document.documentElement.scrollHeight"))
            page.set_viewport_size({**viewport, "height": height})
            for theme in THEMES:
                page.emulate_media(color_scheme=theme)
                page.screenshot(path=FOLDER / f"{shown.name}-{size}-{theme}.png", full_page=True)
                count += 1
            page.emulate_media(color_scheme="light")
    return count


def main() -> int:
    """Start the product with demo data and take the pictures; arguments choose pages by parts of their names."""
    only = tuple(sys.argv[1:])
    if not only:
        shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(exist_ok=True)
    with running() as product, sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        print(f"{take(browser, product, only)} pictures in {FOLDER.relative_to(ROOT)}/")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
