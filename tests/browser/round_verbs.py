"""Verbs of a round of quarterly evaluation in the browser stories: who takes part, and what repeats itself by API."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.browser.people import Person
from tests.browser.product import Product, call, waited
from webapp import clock
from webapp.demo.people import PASSWORD
from webapp.registers import evaluation_scoring as scoring

ACCOUNTS = """
with made as (
  insert into account (id, username, name, password_hash, organisation_id, active, locale, theme, version)
  select gen_random_uuid(), a.username || '_' || %(word)s, a.name, a.password_hash, u.organisation_id,
    true, 'zh', 'auto', 1
  from account a, lead_unit u where a.username in ('lead_unit', 'lead_unit_head') and u.id = %(unit)s
  returning id, username)
insert into account_role (account_id, role)
select id, case when username like 'lead_unit_head%%' then 'lead_unit_head' else 'lead_unit' end from made
"""


def cast(product: Product) -> dict[str, str]:
    """The six units on the list, by their part in the story: their names."""
    of_account = "select u.id, u.name from account a join lead_unit u using (organisation_id) where a.username = %s"
    [failed] = product.rows(
        "select u.id, u.name from evaluation_result r join lead_unit u on u.id = r.lead_unit_id where r.grade = 'fail'"
    )
    listed = "select u.id, u.name from lead_unit u where u.status = 'listed' and not u.under_expulsion and "
    serves = "exists (select 1 from pilot_enterprise p where p.lead_unit_id = u.id) order by u.id"
    [none] = product.rows(listed + "not " + serves)
    found = {"a": product.rows(of_account, "lead_unit")[0], "b": product.rows(of_account, "lead_unit_b")[0]}
    found |= {"failed": failed, "none": none}
    rest = [row for row in product.rows(listed + serves) if row not in found.values()]
    found |= {"new": rest[0], "absent": rest[1]}
    day = scoring.quarter_of(clock.today()).before.end - timedelta(days=20)
    with product.database() as connection:
        keep = [unit for unit, _name in found.values()]
        connection.execute(
            "update lead_unit set status = 'withdrawn' where status = 'listed' and not id = any(%s)", [keep]
        )
        connection.execute("update lead_unit set listed_on = %s where id = %s", [day, found["new"][0]])
        for word in ("failed", "none", "new"):
            connection.execute(ACCOUNTS, {"word": word, "unit": found[word][0]})
    return {word: name for word, (_unit, name) in found.items()}


def advance(product: Product, working_days: int) -> None:
    """Move the demo's clock past that many working days."""
    ahead = "coalesce((select offset_seconds from demo_clock), 0) * interval '1 second'"
    day = product.rows(f"select now() + {ahead}")[0][0].astimezone(clock.BEIJING).date()
    days = (clock.add_working_days(day, working_days) - day).days
    call(f"{product.address}/api/v1/demo/clock", json={"advance": f"P{days}D"}, auth=("sysadmin", PASSWORD))


def tasks(product: Product, unit: str, element: str) -> list[tuple[str, str]]:
    """Open tasks of a unit's case in the round that stands: id and the name of who is asked."""
    return [
        (str(task), str(who))
        for task, who in product.rows(
            "select t.id, coalesce(a.username, '') from user_task t left join account a on a.id = t.assignee_id"
            " join evaluation_result r on r.instance_id = t.instance_id join lead_unit u on u.id = r.lead_unit_id"
            " where u.name = %s and t.element_id = %s and t.status = 'open' and r.status <> 'voided' order by t.id",
            unit,
            element,
        )
    ]


def task(product: Product, unit: str, element: str) -> str:
    """The one such task, once a worker has brought it."""
    return str(waited(lambda: tasks(product, unit, element), f"{element} of {unit}")[0][0])


def do(product: Product, who: str, key: str, decision: str, outcome: str, **data: Any) -> None:
    """Complete a task through the API, by the same door as the page."""
    values = {**data, decision: outcome}
    body = {name: {"value": json.dumps(value), "type": "Json"} for name, value in values.items()}
    call(f"{product.address}/engine-rest/task/{key}/complete", json={"variables": body}, auth=(who, PASSWORD))


def report(product: Product, who: str, unit: str, actual: int) -> None:
    """Staff report the same figure everywhere, the head confirms; the office notes that it called nobody."""
    rows = [{"actual": actual, "note": "按台账汇总。"}] * 4
    told = {"rows": rows, "report_words": "各项目按计划推进。", "carried_out": "均已办结。", "true_report": True}
    staff, head = f"lead_unit_{who}", f"lead_unit_head_{who}"
    do(product, staff, task(product, unit, "report"), "report_decision", "report", **told)
    do(product, head, task(product, unit, "confirm_submission"), "submit_decision", "confirm", submit_words="同意。")
    interviewed(product, unit)


def interviewed(product: Product, unit: str) -> None:
    if found := tasks(product, unit, "interview"):
        none = {"rows": [], "none_words": "本季度以问卷为主。"}
        do(product, "office", found[0][0], "interview_decision", "record", **none)


def unfold(person: Person) -> None:
    """Open the entries of the form that are folded."""
    for entry in person.page.locator("#task-form details:not([open]) > summary").all()[::-1]:
        if entry.is_visible():
            entry.click()


def round_page(product: Product) -> str:
    [(key,)] = product.rows(
        "select id from evaluation_round where voided_at is null order by year desc, quarter desc limit 1"
    )
    return f"/rounds/{key}"


def result_page(product: Product, unit: str) -> str:
    [(key,)] = product.rows(
        "select r.id from evaluation_result r join lead_unit u on u.id = r.lead_unit_id"
        " join evaluation_round e on e.id = r.round_id and e.voided_at is null"
        " where u.name = %s order by r.id desc limit 1",
        unit,
    )
    return f"/registers/results/{key}"


def voided_cases(product: Product) -> bool:
    """Whether cases of a voided round still run."""
    return bool(
        product.rows(
            "select 1 from evaluation_result r join evaluation_round e on e.id = r.round_id"
            " join process_instance p on p.id = r.instance_id"
            " where e.voided_at is not null and p.status = 'active' limit 1"
        )
    )
