"""A pilot enterprise answers on its telephone by the link that the office hands out, and is counted (3.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.people import Person
from tests.browser.product import Product, running

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    """A product of its own: where another story has moved the clock, the questionnaire is closed."""
    with running() as started:
        yield started


def test_3_2_a_questionnaire_is_answered_on_a_telephone_and_counted(
    product: Product, browser: Browser, as_person: Callable[..., Person]
) -> None:
    ((result, answered),) = product.rows(
        "select q.result_id, count(i.answered_at) from questionnaire q"
        " join questionnaire_invitation i on i.questionnaire_id = q.id where q.closed_at is null group by 1"
    )
    office = as_person("office").page
    office.goto(f"/registers/results/{result}/supervision")
    counted = office.locator("[data-count=answered]")
    expect(counted).to_have_text(str(answered))
    link = office.locator("[data-copy]").first.get_attribute("data-copy")
    assert link is not None

    phone = Person(browser, product, **PHONE)
    phone.expected = {409, 422}
    page = phone.page
    page.goto(link)
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]  # nothing sticks out at the side
    send = page.get_by_role("button", name="提交答卷")
    send.tap()
    expect(page.get_by_role("alert")).to_contain_text("第 1 题还没有回答")
    for question in page.get_by_role("group").filter(has_text="非常满意").all():
        question.get_by_text("满意", exact=True).tap()
    page.get_by_role("group").filter(has_text="中介费").get_by_text("没有", exact=True).tap()
    page.get_by_label("您还有什么意见或建议").fill("第二个车间也希望尽快联网。")
    second = phone.tab()
    second.goto(link)
    send.tap()
    expect(page.get_by_role("heading", name="提交成功")).to_be_visible()
    second.get_by_role("button", name="提交答卷").tap()
    expect(second.get_by_role("heading", name="已经提交过了")).to_be_visible()
    assert phone.problems == []
    phone.close()

    office.reload()
    expect(counted).to_have_text(str(answered + 1))
    expect(office.get_by_text("第二个车间也希望尽快联网。")).to_be_visible()
    office.goto(f"/registers/results/{result}")
    expect(office.get_by_text(f"n＝{answered + 1}")).to_be_visible()
