"""The pages of expulsion reviews 清退审议 (4.4): who proposes, who sees what, list, export, withdrawal."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from tests.support import Client
from webapp import db
from webapp.accounts.models import Account
from webapp.registers.models import Expulsion, LeadUnit


@pytest.fixture
def demo(app: Any, config: Any, engine: Any) -> dict[str, Client]:
    """The demo's people, each signed in; one review waits for the 局务会."""
    from webapp.supervisor import load_demo

    load_demo(config)
    found = {}
    with db.transaction() as session:
        for account in session.scalars(select(Account)).unique():
            client = Client(app)
            client.sign_in(account)
            found[account.username] = client
    return found


def review() -> Expulsion:
    with db.transaction() as session:
        return session.scalars(select(Expulsion).order_by(Expulsion.opened_at.desc())).unique().all()[0]


def test_the_register_shows_the_review_to_the_working_groups_side_and_to_the_unit(demo: dict[str, Client]) -> None:
    path, number = f"/registers/expulsions/{review().id}", review().number
    for who in ("office", "working_group", "bureau_meeting", "manager"):
        assert number in demo[who].get("/registers/expulsions").text
        page = demo[who].get(path)
        assert page.status_code == 200
        assert "第 4.4.5 条" in page.text
        assert "变更历史" in page.text
    unit = demo["lead_unit_head_c"].get(path)  # it has been told
    assert unit.status_code == 200
    assert "变更历史" not in unit.text
    assert demo["lead_unit_head_b"].get(path).status_code == 404
    assert number not in demo["lead_unit_head_b"].get("/registers/expulsions?view=all").text
    exported = demo["office"].get("/registers/expulsions.csv?view=all")
    assert number in exported.get_data().decode("utf-8-sig")


def test_the_office_proposes_a_review_and_a_second_ground_joins_it(demo: dict[str, Client]) -> None:
    with db.transaction() as session:
        unit_id = session.scalars(select(LeadUnit.id).where(LeadUnit.name.contains("海纬"))).one()
    office = demo["office"]
    assert "提出清退审议" in office.get(f"/registers/lead-units/{unit_id}").text
    wrong = office.post("/registers/expulsions/new", data={"unit": str(unit_id), "clause": "4.4.9", "facts": "短"})
    assert wrong.status_code == 422
    assert "请写明事实，不少于 10 个字。" in wrong.text
    given = {"unit": str(unit_id), "clause": "4.4.7", "facts": "向三家试点企业收取中介费用共计九万元。"}
    made = office.post("/registers/expulsions/new", data=given, follow_redirects=True)
    assert "已提出清退审议" in made.text
    joined = office.post("/registers/expulsions/new", data={**given, "clause": "4.4.6"}, follow_redirects=True)
    assert "本情形已并入" in joined.text
    with db.transaction() as session:
        assert len(session.scalars(select(Expulsion).where(Expulsion.lead_unit_id == unit_id)).unique().all()) == 1
    page = office.get(f"/registers/lead-units/{unit_id}").text
    assert "清退审议中" in page
    assert "提出清退审议" in page


def test_only_a_unit_that_asked_to_leave_withdraws(demo: dict[str, Client]) -> None:
    path = f"/registers/expulsions/{review().id}/withdraw"
    assert demo["lead_unit_head_c"].post(path).status_code == 409  # its review has another ground
    assert demo["lead_unit_head_b"].post(path).status_code == 404
    assert demo["office"].post(path).status_code == 403
    assert review().closed_at is None
