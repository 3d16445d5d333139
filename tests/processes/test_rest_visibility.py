"""What a lead unit reads by REST of its own cases is no more than its pages show: nothing of how the office decides."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.processes.conftest import Town
from webapp import db
from webapp.accounts.models import Account
from webapp.demo import cases, make
from webapp.registers.models import FilingItem

SECRET = "内部意见：请重点核对。"


def reviewed(town: Town, outcome: str, **more: Any) -> tuple[UUID, UUID]:
    """An enterprise whose review nobody has confirmed yet, with an internal note: (its case, the filing's)."""
    filing = town.file([make.enterprise(70)])
    (item,) = town.items(filing)
    with db.transaction() as session:
        found = session.get_one(FilingItem, item)
        cases.review(session, town.people["office"], found, outcome, internal_note=SECRET, **more)
    submitted = town.filing(filing).instance_id
    assert submitted is not None
    return town.case_of(item), submitted


def as_person(town: Town, client: Any, who: str) -> None:
    with db.transaction() as session:
        client.sign_in(session.get_one(Account, town.people[who].id))


def test_a_lead_unit_does_not_read_the_review_that_is_not_confirmed(town: Town, client: Any) -> None:
    case, filing = reviewed(town, "reject", review_opinion="不符合要求。")
    for who in ("lead_unit", "lead_unit_head"):
        as_person(town, client, who)
        assert client.get(f"/engine-rest/process-instance/{case}/variables").get_json() == {}
        assert client.get(f"/engine-rest/process-instance/{case}/variables/internal_note").status_code == 404
        own = client.get(f"/engine-rest/process-instance/{filing}/variables").get_json()
        assert "need" in own  # what it filed itself it reads
        acts = client.get(f"/engine-rest/history/activity-instance?processInstanceId={case}").get_json()
        assert {act["assignee"] for act in acts} == {None}  # who in the office reviewed stays inside
    as_person(town, client, "office2")
    whole = client.get(f"/engine-rest/process-instance/{case}/variables").get_json()
    assert (whole["internal_note"]["value"], whole["review_decision"]["value"]) == (SECRET, "reject")
    acts = client.get(f"/engine-rest/history/activity-instance?processInstanceId={case}").get_json()
    assert town.people["office"].username in {act["assignee"] for act in acts}


def test_a_lead_unit_that_corrects_reads_its_form_and_no_internal_note(town: Town, client: Any) -> None:
    more = {"licence_verdict": "correct", "licence_request": "不清晰"}
    case, _filing = reviewed(town, "return", review_opinion="请补正。", **more)
    town.do("office2", case, "second_review", {"second_opinion": "内部复核意见"}, "agree")
    as_person(town, client, "lead_unit")
    task = town.task(case, "correct").id
    hidden = {"internal_note", "second_opinion", "verdicts", "review_decision"}
    assert hidden.isdisjoint(client.get(f"/engine-rest/task/{task}/form-variables").get_json())
    new = town.upload("lead_unit", make.enterprise(70))["licence"]
    body = {
        "variables": {"licence": {"value": new}, "correct_decision": {"value": "resubmit"}},
        "withVariablesInReturn": True,
    }
    done = client.post(f"/engine-rest/task/{task}/complete", json=body)
    assert done.status_code == 200, done.get_data(as_text=True)
    assert hidden.isdisjoint(done.get_json())
