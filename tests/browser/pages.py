"""The pages of the product on the demo's data: a name, who looks, and the address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from playwright.sync_api import Page

from tests.browser.product import Product


class Shown(NamedTuple):
    """One page. `who`: username, '' for the public; `act`: what is done before one looks."""

    name: str
    who: str
    path: str
    act: Callable[[Page], object] | None = None


def _tab(name: str) -> Callable[[Page], object]:
    def show(page: Page) -> None:
        page.locator(f"#tab-{name}").click()
        if name == "flow":
            page.locator(".diagram .djs-element").first.wait_for()

    return show


def _send(label: str) -> Callable[[Page], object]:
    def send(page: Page) -> None:
        with page.expect_navigation():
            page.locator(".submit-bar").get_by_role("button", name=label).click()

    return send


def _batch(page: Page) -> None:
    """All running cases, frozen for an operation."""
    page.locator(".page-head details summary").first.click()
    with page.expect_navigation():
        page.locator(".page-head button[value=filter]").click()


def _follow_link(page: Page) -> None:
    page.goto(page.locator("[data-copy]").first.get_attribute("data-copy") or "")


def pages(product: Product) -> Iterator[Shown]:
    """Every page worth a look."""
    yield from _public(product)
    yield from _inbox(product)
    yield from _registers(product)
    yield from _supervision(product)
    yield from _watching(product)
    yield from _designing()
    yield from (
        Shown("account", "office", "/account"),
        Shown("reminders", "office", "/reminders"),
        Shown("standing", "office", "/standing"),
        Shown("reminder-choices", "office", "/reminders/choices"),
        Shown("settings", "office", "/admin/settings"),
        Shown("admin-accounts", "sysadmin", "/admin/accounts"),
        Shown("admin-organisations", "sysadmin", "/admin/organisations"),
        Shown("admin-roles", "secadmin", "/admin/roles"),
        Shown("admin-audit", "auditor", "/admin/audit"),
        Shown("not-found", "office", "/tasks/00000000-0000-7000-8000-000000000000"),
    )


def _one(product: Product, query: str) -> str:
    return str(product.rows(query)[0][0])


def _public(product: Product) -> Iterator[Shown]:
    notice = _one(product, "select id from notice where kind = 'publicity' and status = 'published' limit 1")
    yield Shown("login", "", "/login")
    yield Shown("public-notices", "", "/public/")
    yield Shown("public-notice", "", f"/public/notices/{notice}")
    yield Shown("public-objection", "", f"/public/notices/{notice}/objection")
    yield Shown("public-objection-errors", "", f"/public/notices/{notice}/objection", _send("提交异议"))
    yield Shown("public-answer", "", "/public/objections/answer")
    yield Shown("public-lists", "", "/public/lists")
    yield Shown("public-list-changes", "", "/public/lists/changes")
    yield Shown("public-verify", "", "/public/verify")


def task(product: Product, element: str, about: str = "%") -> str:
    """The address of an open task of the demo."""
    query = "select id from user_task where status = 'open' and element_id = %s and title like %s order by id limit 1"
    return f"/tasks/{product.rows(query, element, about)[0][0]}"


def _inbox(product: Product) -> Iterator[Shown]:
    barred = "%恒锐数控%"
    yield Shown("inbox", "office", "/tasks")
    yield Shown("inbox-lead-unit", "lead_unit", "/tasks")
    yield Shown("inbox-empty", "office2", "/tasks?q=没有这样的事项")
    yield Shown("start", "lead_unit", "/tasks/start/partner_filing")
    yield Shown("filing-form", "lead_unit", task(product, "prepare_filing"))
    yield Shown("filing-form-errors", "lead_unit", task(product, "prepare_filing"), _send("送负责人确认"))
    yield Shown("review", "office", task(product, "review", barred))
    yield Shown("review-record", "office", task(product, "review", barred), _tab("record"))
    yield Shown("review-diagram", "office", task(product, "review", barred), _tab("flow"))
    yield Shown("review-clauses", "office", task(product, "review", barred), _tab("basis"))
    yield Shown("second-review", "office2", task(product, "second_review"))
    yield Shown("correction", "lead_unit", task(product, "correct"))
    yield Shown("investigate", "office", task(product, "investigate"))
    yield Shown("review-print", "office", task(product, "review", barred) + "/print")
    yield Shown("done", "office", "/tasks/done")
    yield Shown("started", "lead_unit", "/tasks/started")
    yield Shown("views", "office", "/tasks/views?query=due=today")
    yield Shown("phrases", "office", "/tasks/phrases")


def _registers(product: Product) -> Iterator[Shown]:
    yield Shown("registers", "office", "/registers/")
    for name in ("lead-units", "consortium", "filings", "barred", "documents"):
        yield Shown(f"register-{name}", "office", f"/registers/{name}")
    yield Shown("register-interpretations", "office", "/registers/interpretations/")
    unit = _one(product, "select id from lead_unit where status = 'listed' order by id limit 1")
    member = _one(product, "select id from consortium_enterprise order by id limit 1")
    filing = _one(product, "select filing_id from filing_item where name like '%%恒锐数控%%' limit 1")
    yield Shown("lead-unit", "office", f"/registers/lead-units/{unit}")
    yield Shown("lead-unit-form", "office", "/registers/lead-units/new")
    expelled = _one(product, "select id from expulsion where status = 'expelled' limit 1")
    yield Shown("expulsions", "office", "/registers/expulsions?view=all")
    yield Shown("expulsion", "office", f"/registers/expulsions/{expelled}")
    yield Shown("expulsion-own", "former_lead_unit", f"/registers/expulsions/{expelled}")
    closed = _one(product, "select id from criticism where status = 'rectified' limit 1")
    running = _one(product, "select id from criticism where status = 'rectifying' limit 1")
    yield Shown("criticisms", "office", "/registers/criticisms?view=all")
    yield Shown("criticism", "office", f"/registers/criticisms/{closed}")
    yield Shown("criticism-own", "lead_unit_head", f"/registers/criticisms/{running}")
    yield Shown("criticism-form", "office", "/registers/criticisms/new")
    yield Shown("rectify", "lead_unit_head", task(product, "rectify"))
    yield Shown("enterprise", "office", f"/registers/consortium/{member}")
    yield Shown("filing", "office", f"/registers/filings/{filing}")
    yield Shown("filing-own", "lead_unit", f"/registers/filings/{filing}")
    notice = _one(product, "select id from notice where kind = 'publicity' order by id limit 1")
    objection = _one(product, "select id from objection order by id limit 1")
    yield Shown("notices", "office", "/notices/")
    yield Shown("notice", "office", f"/notices/{notice}")
    yield Shown("objections", "office", "/notices/objections")
    yield Shown("objection", "office", f"/notices/objections/{objection}")
    yield Shown("letter", "office", "/notices/objections/letter")
    yield Shown("regulation", "office", "/regulation/")
    running = _one(product, "select id from evaluation_round where closed_at is null order by id desc limit 1")
    closed = _one(product, "select id from evaluation_round where closed_at is not null order by id desc limit 1")
    yield Shown("rounds", "office", "/rounds/")
    yield Shown("round", "office", f"/rounds/{running}")
    yield Shown("round-closed", "working_group", f"/rounds/{closed}")
    yield Shown("round-report", "office", f"/rounds/{closed}/report")
    yield Shown("round-settle", "working_group", f"/rounds/{running}/settle")
    yield Shown("round-served", "office", f"/rounds/{running}/served")
    yield Shown("round-served-own", "lead_unit", f"/rounds/{running}/served")


def _supervision(product: Product) -> Iterator[Shown]:
    begun = _one(product, "select id from evaluation_result where status = 'checking' limit 1")
    waiting = _one(product, "select id from evaluation_result where status = 'reporting' limit 1")
    settled = _one(product, "select id from evaluation_result where status = 'settled' order by id limit 1")
    yield Shown("supervision", "office", f"/registers/results/{begun}/supervision")
    yield Shown("supervision-order", "office", f"/registers/results/{waiting}/supervision")
    yield Shown("supervision-sheet", "office", f"/registers/results/{begun}/supervision/sheet")
    yield Shown("result", "office", f"/registers/results/{settled}")
    for element in ("hand_out", "interview"):
        yield Shown(element.replace("_", "-"), "office", task(product, element))
    yield Shown("questionnaire", "office", f"/registers/results/{begun}/supervision", _follow_link)
    yield Shown("questionnaire-forged", "", "/public/questionnaires/forged")
    yield Shown("questionnaire-thanks", "", "/public/questionnaires/thanks")


def _watching(product: Product) -> Iterator[Shown]:
    batch = _one(product, "select id from process_instance where definition_key = 'publicity_batch' limit 1")
    yield Shown("instances", "manager", "/instances")
    yield Shown("instances-filtered", "manager", "/instances?view=all&process=enterprise_review&element=review")
    yield Shown("instances-views", "manager", "/instances/views?query=view=done")
    yield Shown("dashboard", "manager", "/dashboard")
    yield Shown("dashboard-year", "office", "/dashboard?weeks=52")
    yield Shown("definitions", "manager", "/definitions")
    yield Shown("definition", "manager", "/definitions/change_review?compare=before")
    yield Shown("definition-now", "office", "/definitions/enterprise_review?metric=now")
    yield Shown("instance", "manager", f"/instances/{batch}")
    running = _one(product, "select id from process_instance where status = 'active' limit 1")
    yield Shown("batches", "manager", "/batches")
    yield Shown("batch-choose", "manager", "/instances", _batch)
    yield Shown("operations", "manager", f"/instances/{running}/operations")


def _drawn(page: Page) -> None:
    page.locator("#canvas[data-ready], #side-after[data-ready]").first.wait_for(state="attached")


def _designing() -> Iterator[Shown]:
    yield Shown("designer", "designer", "/designer/")
    yield Shown("designer-search", "designer", "/designer/?q=备案")
    yield Shown("designer-folder", "designer", "/designer/partner_filing/")
    yield Shown("designer-bpmn", "designer", "/designer/partner_filing/bpmn/partner_filing.bpmn", _drawn)
    yield Shown("designer-compare", "designer", "/designer/partner_filing/compare", _drawn)
    yield Shown("designer-deploy", "designer", "/designer/partner_filing/deploy")
    yield Shown("designer-migrate", "designer", "/designer/partner_filing/migrate")
