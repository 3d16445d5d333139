"""A manager goes from a figure to its cases, and from a step of the heat map to the cases that stand there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect


def test_from_the_dashboard_by_the_heat_map_to_the_cases(as_person: Callable[..., Any]) -> None:
    page = as_person("manager").page
    page.goto("/dashboard")
    overdue = page.locator(".figures a").nth(1)
    count = overdue.locator(".value").inner_text().split()[0].removesuffix("件")
    expect(page.locator("[data-chart] svg").first).to_be_visible()
    page.locator("[data-figure=figure-trend][data-show=table]").click()
    expect(page.locator("#figure-trend table")).to_be_visible()
    overdue.click()
    expect(page.locator(".list-foot")).to_contain_text(f"共 {count} 件")
    page.goto("/definitions/enterprise_review?metric=now")
    mark = page.locator('.diagram [data-container-id="review"] a.diagram-mark')
    standing = mark.inner_text().split()[0]
    mark.click()
    expect(page.locator(".chips")).to_contain_text("停在“审核备案材料”")
    expect(page.locator(".list-foot")).to_contain_text(f"共 {standing} 件")
