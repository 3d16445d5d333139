"""The pages of criticisms 通报批评 (4.2, 4.3): who proposes, who sees what, list, export, receipt, bad input."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from tests.support import Client
from webapp import db
from webapp.accounts.models import Account
from webapp.registers.criticism_models import Criticism
from webapp.registers.models import LeadUnit


@pytest.fixture
def demo(app: Any, config: Any, engine: Any) -> dict[str, Client]:
    """The demo's people, each signed in; one criticism is closed, one under rectification (unit A)."""
    from webapp.supervisor import load_demo

    load_demo(config)
    found = {}
    with db.transaction() as session:
        for account in session.scalars(select(Account)).unique():
            client = Client(app)
            client.sign_in(account)
            found[account.username] = client
    return found


def case(status: str) -> Criticism:
    with db.transaction() as session:
        found = session.scalars(select(Criticism).where(Criticism.status == status)).unique().one()
        _ = found.periods
        return found


def test_the_register_shows_the_case_to_the_working_groups_side_and_to_the_unit(demo: dict[str, Client]) -> None:
    closed = case("rectified")
    path = f"/registers/criticisms/{closed.id}"
    for who in ("office", "working_group", "bureau_meeting", "manager"):
        assert closed.number in demo[who].get("/registers/criticisms?view=all").text
        page = demo[who].get(path)
        assert page.status_code == 200
        for words in ("第 4.2.2 条", "变更历史", closed.notice_number, "责令整改 2 次"):
            assert words in page.text
    unit = demo["lead_unit_head_b"].get(path)
    assert unit.status_code == 200
    assert "变更历史" not in unit.text
    assert demo["lead_unit_head_c"].get(path).status_code == 404
    assert closed.number not in demo["lead_unit_head_c"].get("/registers/criticisms?view=all").text
    exported = demo["office"].get("/registers/criticisms.csv?view=all").get_data().decode("utf-8-sig")
    assert closed.number in exported
    career = demo["office"].get(f"/registers/lead-units/{closed.lead_unit_id}?kind=criticism").text
    for words in ("责令继续整改（第 2 次）", "整改合格", closed.number):
        assert words in career
    public = demo["office"].get(f"/public/notices/{closed.notice_id}").text
    assert "存在第 4.2.2 条所列情形" in public


def test_the_unit_takes_what_was_served_once(demo: dict[str, Client]) -> None:
    running = case("rectifying")
    path = f"/registers/criticisms/{running.id}"
    assert "尚未签收" in demo["lead_unit"].get(path).text
    assert demo["lead_unit_b"].post(f"{path}/receive").status_code == 404
    assert demo["office"].post(f"{path}/receive").status_code == 403
    taken = demo["lead_unit"].post(f"{path}/receive", follow_redirects=True)
    assert "已签收。" in taken.text
    assert "尚未签收" not in taken.text
    again = demo["lead_unit_head"].post(f"{path}/receive")
    assert again.status_code == 409
    assert "无需再次签收" in again.text
    assert case("rectifying").periods[0].received_at is not None


def test_the_office_proposes_a_criticism_and_a_second_ground_joins_it(demo: dict[str, Client]) -> None:
    with db.transaction() as session:
        unit_id = session.scalars(select(LeadUnit.id).where(LeadUnit.name.contains("海纬"))).one()
    office = demo["office"]
    assert "提出通报批评" in office.get(f"/registers/lead-units/{unit_id}").text
    wrong = office.post("/registers/criticisms/new", data={"unit": str(unit_id), "clause": "4.2.9", "facts": "短"})
    assert wrong.status_code == 422
    for words in ("请写明事实，不少于 10 个字。", "请选择第 4.2.1 至 4.2.6 条的一种情形。", "短"):
        assert words in wrong.text
    nobody = office.post("/registers/criticisms/new", data={"unit": "x", "clause": "4.2.1", "facts": "投诉属实"})
    assert nobody.status_code == 422
    given = {"unit": str(unit_id), "clause": "4.2.1", "facts": "两家试点企业书面投诉顾问能力不足。"}
    made = office.post("/registers/criticisms/new", data=given, follow_redirects=True)
    assert "已提出通报批评" in made.text
    joined = office.post("/registers/criticisms/new", data={**given, "clause": "4.2.5"}, follow_redirects=True)
    assert "本情形已并入" in joined.text
    with db.transaction() as session:
        assert len(session.scalars(select(Criticism).where(Criticism.lead_unit_id == unit_id)).unique().all()) == 1
