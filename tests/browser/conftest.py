"""One running product and one browser for the tests of this folder; a browser context for each person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.people import Person
from tests.browser.product import CHROMIUM, OPTIONS, Product, call, running
from webapp.demo.people import PASSWORD


@pytest.fixture(scope="package")
def product() -> Iterator[Product]:
    """`make run` with demo data, on a free port, in a directory of its own."""
    with running() as started:
        yield started


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as tool:
        chromium = tool.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def as_person(browser: Browser, product: Product) -> Iterator[Callable[..., Person]]:
    """as_person("office"): that person, signed in, the same one each time; as_person() for somebody without account.

    At the end nobody's page has reported an error of a script or of the content security policy.
    """
    people: dict[str, Person] = {}

    def get(name: str = "") -> Person:
        if name not in people:
            people[name] = Person(browser, product, name)
        return people[name]

    yield get
    problems = [f"{person.name or 'the public'}: {words}" for person in people.values() for words in person.problems]
    for person in people.values():
        person.close()
    assert problems == []


@pytest.fixture(scope="package")
def advance_clock(product: Product) -> Callable[[str], Any]:
    """advance_clock("P6D") moves the demo's clock, as sysadmin by the API."""

    def advance(duration: str) -> Any:
        return call(f"{product.address}/api/v1/demo/clock", json={"advance": duration}, auth=("sysadmin", PASSWORD))

    return advance
