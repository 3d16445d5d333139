"""The registers of quarterly evaluation: pages, search, exports, and who sees what."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from webapp import db
from webapp.registers.evaluation_models import (
    Commitment,
    EvaluationResult,
    EvaluationRound,
    PilotEnterprise,
    RetrofitProject,
)

LISTS = {
    "pilots": PilotEnterprise,
    "projects": RetrofitProject,
    "commitments": Commitment,
    "results": EvaluationResult,
}


@pytest.fixture
def as_(demo_data: Any, client: Any, session: Any) -> Any:
    """Sign in with a demo account."""
    from webapp.demo import people

    def sign_in(username: str) -> Any:
        client.post("/login", data={"username": username, "password": people.PASSWORD})
        return client

    return sign_in


def test_the_demo_has_pilots_projects_and_three_quarters_with_results(demo_data: Any, session: Any) -> None:

    def count(model: Any) -> int:
        return int(session.scalar(select(func.count()).select_from(model)) or 0)

    assert count(PilotEnterprise) >= 200
    assert count(RetrofitProject) >= 180
    assert sorted(session.scalars(select(EvaluationRound.status))) == ["closed"] * 3 + ["running"]
    settled = select(EvaluationResult.grade, func.count()).where(EvaluationResult.settled_at.isnot(None))
    grades = session.execute(settled.group_by(EvaluationResult.grade)).all()
    found = {row[0]: row[1] for row in grades}
    assert found["fail"] == 1
    assert sum(found.values()) == 39
    assert {"excellent", "good"} <= set(found)


@pytest.mark.parametrize("key", LISTS)
def test_each_register_has_list_search_detail_and_exports(as_: Any, session: Any, key: str) -> None:
    client = as_("office")
    assert client.get(f"/registers/{key}").status_code == 200
    entry = session.scalars(select(LISTS[key])).unique().first()
    page = client.get(f"/registers/{key}/{entry.id}")
    assert page.status_code == 200
    assert "变更历史" in page.text
    for kind in ("csv", "xlsx"):
        assert client.get(f"/registers/{key}.{kind}?view=all").status_code == 200
    assert "没有符合条件的记录" in client.get(f"/registers/{key}?q=没有这样的名称").text


def test_a_lead_unit_sees_its_own_entries_alone(as_: Any, session: Any) -> None:
    client = as_("lead_unit")
    with db.transaction() as other:
        mine = "广州云锦数字科技有限公司"
        theirs = [
            p.id for p in other.scalars(select(PilotEnterprise)).unique() if p.lead_unit and p.lead_unit.name != mine
        ]
    rows = client.get("/registers/pilots.csv?view=all").text.splitlines()[1:]
    assert rows
    assert all(mine in row for row in rows)
    assert client.get(f"/registers/pilots/{theirs[0]}").status_code == 404


def test_a_closed_round_shows_matrix_ranking_and_exports(as_: Any, session: Any) -> None:
    client = as_("office")
    listing = client.get("/rounds/")
    assert "发起季度评价" in listing.text
    for path in ("/rounds/rounds.csv", "/rounds/rounds.xlsx"):
        assert client.get(path).status_code == 200
    closed = select(EvaluationRound).where(EvaluationRound.status == "closed")
    last = session.scalars(closed.order_by(EvaluationRound.year.desc(), EvaluationRound.quarter.desc()))
    round_ = last.first()
    page = client.get(f"/rounds/{round_.id}")
    assert page.status_code == 200
    assert all(words in page.text for words in ("总进度", "等次分布", "得分分布", "不合格"))
    report = client.get(f"/rounds/{round_.id}/report").text
    assert all(words in report for words in ("排名", "等次分布", "得分分布", "各方面平均得分", "较上季度"))
    results = session.scalars(select(EvaluationResult).where(EvaluationResult.round_id == round_.id)).unique().all()
    assert all(f"<b>{result.total}</b>" in page.text for result in results)
    assert all(f"<b>{result.total}</b>" in report for result in results)
    failed = client.get(f"/rounds/{round_.id}?view=fail").text
    assert failed.count('<th scope="row">') == 1
    table = client.get(f"/rounds/{round_.id}/report.csv").text
    assert all(str(result.total) in table for result in results)
    assert client.get("/registers/lead-units").status_code == 200


def test_a_round_is_not_for_lead_units(as_: Any, session: Any) -> None:
    client = as_("lead_unit")
    round_ = session.scalars(select(EvaluationRound)).first()
    assert client.get(f"/rounds/{round_.id}").status_code == 403
    assert "季度评价" not in client.get("/registers/pilots").text.split("<main")[0]
