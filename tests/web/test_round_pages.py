"""A round's pages: the matrix with pages and words, reminding and settling in bulk, voiding, what was served."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select, update

from tests.processes.conftest import Town, _founded, town  # noqa: F401  (the fixtures of the processes' stories)
from tests.processes.evaluation import Evaluation
from tests.support import Client
from webapp import db
from webapp.demo import people
from webapp.engine.tables import process_instance
from webapp.registers.evaluation_models import EvaluationResult, EvaluationService
from webapp.registers.models import LeadUnit, RegisterChange


@pytest.fixture
def as_(app: Any, town: Town) -> Any:  # noqa: F811
    """A person of the demo's town, signed in."""

    def sign_in(username: str) -> Client:
        person = Client(app)
        person.post("/login", data={"username": username, "password": people.PASSWORD})
        return person

    return sign_in


def test_the_matrix_moves_while_a_round_opens_and_is_found_filtered_and_sorted(town: Town, as_: Any) -> None:  # noqa: F811
    evaluation = Evaluation(town)
    evaluation.fix()
    town.do("office", evaluation.case, "open_reporting", {"checks": ["questionnaire", "visit"]}, "open")
    office, page = as_("office"), f"/rounds/{evaluation.round.id}"
    opening = office.get(page).text
    assert "正在逐家开启" in opening
    assert 'hx-trigger="every 1s"' in opening
    assert "0 / 3 家" in opening
    town.make_documents()
    running = office.get(page).text
    assert "总进度" in running
    assert f"{page}/progress" in running
    assert all(town.unit(letter).name in running for letter in ("", "_b", "_c"))
    found = office.get(page, query_string={"q": town.unit("_b").name}).text
    assert (town.unit("_b").name in found, town.unit("_c").name in found) == (True, False)
    assert office.get(f"{page}?sort=-name&view=running&page=9").status_code == 200
    assert "没有符合条件的单位" in office.get(f"{page}?q=没有这样的单位").text
    first = office.get(f"{page}/progress")
    again = office.get(f"{page}/progress", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)


def test_3_3_1_units_are_reminded_in_bulk_and_those_who_reported_are_left_alone(town: Town, as_: Any) -> None:  # noqa: F811
    evaluation = Evaluation(town)
    evaluation.open()
    evaluation.report("_b")
    office, page = as_("office"), f"/rounds/{evaluation.round.id}"
    ids = [str(evaluation.result(letter).id) for letter in ("", "_b")]
    answer = office.post(f"{page}/remind", data={"ids": ids, "back": f"{page}?view=running"})
    assert answer.headers["Location"].endswith("?view=running")
    told = office.get(page).text
    assert "已提醒 1 家单位" in told
    assert "不需要提醒报送" in told
    assert (evaluation.result().reminded_at is not None, evaluation.result("_b").reminded_at) == (True, None)
    assert office.post(f"{page}/remind", data={}).status_code == 422
    town.pass_time(working_days=11)
    office.post(f"{page}/remind", data={"every": "over"})
    with db.transaction() as session:
        reminded = select(func.count()).where(RegisterChange.action == "reminded")
        assert session.scalar(reminded) == 3


def test_3_3_2_conclusions_are_settled_in_bulk_each_on_its_own(town: Town, as_: Any) -> None:  # noqa: F811
    evaluation = Evaluation(town)
    evaluation.open()
    for letter in ("", "_b"):
        evaluation.report(letter)
        evaluation.judge(letter)
    evaluation.report("_c")
    for who in evaluation.asked("_c"):
        evaluation.score(who, "_c")
    said = {"statement": "两个项目因企业搬迁延后，已补签协议。"}
    town.do("lead_unit_c", evaluation.unit_case("_c"), "state_case", said, "state")
    group, page = as_("working_group"), f"/rounds/{evaluation.round.id}/settle"
    ids = {letter: str(evaluation.result(letter).id) for letter in ("", "_b", "_c")}
    shown = group.get(page).text
    assert said["statement"] in shown
    checks = {f"check:{key}": "done" for key in ids.values()}
    data = {"ids": list(ids.values()), "shared": "继续推进改造项目。", **checks}
    data[f"arrangement:{ids['_b']}"] = "补签合同。"
    answer = group.post(page, data=data)
    assert answer.status_code == 422
    assert "已审定 2 家" in answer.text
    assert "请予答复" in answer.text
    results = {letter: evaluation.result(letter) for letter in ids}
    assert [results[letter].status for letter in ids] == ["settled", "settled", "settling"]
    assert [results[letter].arrangement for letter in ("", "_b")] == ["继续推进改造项目。", "补签合同。"]
    data[f"answer:{ids['_c']}"] = "已核实，不影响得分。"
    assert group.post(page, data=data).status_code == 200
    town.work()
    assert evaluation.round.status == "settled"
    assert "已经审定" in group.get(group.post(page, data=data).headers["Location"]).text
    assert as_("office").get(page).status_code == 403


def test_3_2_a_round_is_voided_from_its_page_with_its_reason(town: Town, as_: Any) -> None:  # noqa: F811
    evaluation = Evaluation(town, [""])
    evaluation.open()
    page = f"/rounds/{evaluation.round.id}"
    assert as_("office").post(f"{page}/void", data={"reason": "评价指标的口径有误。"}).status_code == 403
    group = as_("working_group")
    assert "整体作废…" in group.get(page).text
    assert group.post(f"{page}/void", data={"reason": ""}).status_code == 422
    why = "评价指标的口径有误，须重新评价。"
    answer = group.post(f"{page}/void", data={"reason": why}, follow_redirects=True)
    assert "已于" in answer.text
    assert why in answer.text
    assert "整体作废…" not in answer.text
    town.make_documents()
    with db.transaction() as session:
        mine = process_instance.c.root_instance_id == evaluation.case, process_instance.c.status == "active"
        assert session.scalar(select(func.count()).where(*mine)) == 0


def test_3_3_2_what_was_served_is_received_by_the_unit_once(town: Town, as_: Any) -> None:  # noqa: F811
    evaluation = Evaluation(town, ["", "_b"])
    evaluation.open()
    evaluation.through("")
    page = f"/rounds/{evaluation.round.id}/served"
    unit = as_("lead_unit")
    assert unit.get("/rounds/served").headers["Location"].endswith(page)
    shown = unit.get(page).text
    assert "继续推进改造项目。" in shown
    assert "签收下一阶段工作安排" in shown
    assert town.unit("_b").name not in shown
    assert unit.post(f"{page}/arrangement").status_code == 303
    assert unit.post(f"{page}/arrangement").status_code == 409
    assert as_("lead_unit_b").post(f"{page}/arrangement").status_code == 404
    with db.transaction() as session:
        kinds = select(EvaluationService.kind).where(EvaluationService.received_at.isnot(None))
        assert session.scalars(kinds).all() == ["arrangement"]
    assert "待签收" in as_("office").get(page).text


def test_the_matrix_shows_fifty_of_many_units(town: Town, as_: Any) -> None:  # noqa: F811
    evaluation = Evaluation(town)
    evaluation.open()
    with db.transaction() as session:
        others = session.scalars(select(LeadUnit).where(LeadUnit.status == "withdrawn")).all()
        session.add_all(EvaluationResult(round_id=evaluation.round.id, lead_unit_id=unit.id) for unit in others)
        session.execute(update(LeadUnit).values(industry="其他"))
    from webapp.registers import listing

    whole = as_("office").get(f"/rounds/{evaluation.round.id}").text
    assert whole.count('<th scope="row">') == min(listing.PAGE_SIZE, len(others) + 3)
