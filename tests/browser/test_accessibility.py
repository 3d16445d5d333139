"""Every page: no WCAG 2.2 AA violation that axe-core finds, no sideways scrolling on a phone, no error of a script or
of the content security policy; on a desk in light, on a phone in the dark."""

from __future__ import annotations

from playwright.sync_api import Browser, Page

from tests.browser.pages import pages
from tests.browser.people import Person
from tests.browser.product import Product
from webapp.frontend.build import MODULES

AXE = MODULES / "axe-core" / "axe.min.js"
RUN = """async () => (await axe.run(document, {runOnly: {type: 'tag',
  values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}})).violations
  .map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ') + ' ' + n.failureSummary).join(' | ').slice(0, 400))"""
#: Elements that reach beyond the window, named; empty when the page does not scroll sideways.
TOO_WIDE = """() => { const wide = document.documentElement; if (wide.scrollWidth <= innerWidth) return [];
  return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 5).map(e => e.tagName + '.' + e.className); }"""


def violations(page: Page) -> list[str]:
    """What axe-core finds; its script goes past the page's policy, which stays in force for the page itself."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    return [str(found) for found in page.evaluate(RUN)]


DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def looks(page: Page) -> list[str]:
    """The page as a desk and as a phone in the dark shows it."""
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(PHONE)
    found += [f"dark, on a phone: {words}" for words in violations(page)]
    found += [f"too wide for a phone: {words}" for words in page.evaluate(TOO_WIDE)]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESK)
    return found


def test_no_page_breaks_a_rule_of_accessibility_or_scrolls_sideways(browser: Browser, product: Product) -> None:
    people: dict[str, Person] = {}
    found: list[str] = []
    for shown in pages(product):
        if shown.who not in people:
            people[shown.who] = Person(browser, product, shown.who, viewport=DESK)
        person = people[shown.who]
        person.expected = {404, 422}
        person.go(shown.path)
        if shown.act:
            shown.act(person.page)
        found += [f"{shown.name}: {words}" for words in looks(person.page)]
    for person in people.values():
        found += person.problems
        person.close()
    assert found == []
