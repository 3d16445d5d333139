"""问卷调查 (3.2) by one-time link on the demo's running round: answered once, then never again; the office's page."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from tests.support import Client
from webapp import clock, db
from webapp.demo.people import PASSWORD
from webapp.registers import questionnaires
from webapp.registers.evaluation_models import EvaluationResult
from webapp.registers.supervision_models import Questionnaire, QuestionnaireInvitation, QuestionnaireLink

MARKS = {"staff": "4", "diagnosis": "4", "solution": "4", "speed": "4", "effect": "5", "fees": "no"}
OPEN = select(Questionnaire).where(Questionnaire.closed_at.is_(None))


@pytest.fixture(autouse=True)
def _demo(demo_data: str) -> None:
    """The demo's database, before anything opens a session."""


@pytest.fixture
def survey(session: Session) -> Questionnaire:
    found = session.scalars(OPEN).unique().one()
    session.commit()
    return found


@pytest.fixture
def links(survey: Questionnaire, session: Session) -> list[str]:
    """The links of who has not answered."""
    open_ones = QuestionnaireInvitation.questionnaire_id == survey.id, QuestionnaireInvitation.answered_at.is_(None)
    waiting = set(session.scalars(select(QuestionnaireInvitation.id).where(*open_ones)))
    found = questionnaires.live_tokens(session, survey.id)
    session.commit()
    return [f"/public/questionnaires/{token}" for key, token in found.items() if key in waiting]


def as_(client: Any, username: str) -> Any:
    client.post("/login", data={"username": username, "password": PASSWORD})
    return client


def answered(session: Session, survey: Questionnaire) -> int:
    session.rollback()
    return questionnaires.counts(session, survey.id)[0]


def test_a_link_is_answered_once(client: Any, session: Session, survey: Questionnaire, links: list[str]) -> None:
    before = answered(session, survey)
    page = client.get(links[0])
    assert page.status_code == 200
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    half = client.post(links[0], data={"staff": "4", "effect": "9", "comments": "培训再多一些"})
    assert half.status_code == 422
    assert "第 2 题还没有回答" in half.text
    assert "第 1 题还没有回答" not in half.text
    assert re.search(r'name="staff"[^>]*value="4"[^>]*checked', half.text)
    assert "培训再多一些" in half.text  # nothing typed is lost
    assert answered(session, survey) == before
    sent = client.post(links[0], data={**MARKS, "comments": "培训再多一些"})
    assert (sent.status_code, sent.headers["Location"]) == (303, "/public/questionnaires/thanks")
    assert "答卷已经收到" in client.get(sent.headers["Location"]).text
    assert answered(session, survey) == before + 1
    for again in (client.get(links[0]), client.post(links[0], data=MARKS)):
        assert again.status_code == 409
        assert "每家企业只答一次" in again.text
    assert answered(session, survey) == before + 1


def test_two_tabs_at_the_same_moment_give_one_answer(session: Session, survey: Questionnaire, links: list[str]) -> None:
    token, before = links[0].rsplit("/", 1)[1], answered(session, survey)
    session.commit()
    ready, told = threading.Barrier(4), []

    def send() -> None:
        with db.transaction() as mine:
            questionnaires.open_link(mine, token, clock.now())
            ready.wait()
            try:
                questionnaires.answer(mine, token, MARKS, clock.now())
                told.append("kept")
            except questionnaires.AlreadyAnswered:
                told.append("refused")

    tabs = [threading.Thread(target=send) for _ in range(4)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert sorted(told) == ["kept", "refused", "refused", "refused"]
    assert answered(session, survey) == before + 1


def test_a_forged_a_replaced_and_a_late_link_say_so(
    client: Any, session: Session, survey: Questionnaire, links: list[str]
) -> None:
    forged = client.get("/public/questionnaires/" + "A" * 32)
    assert (forged.status_code, "请核对链接是否完整" in forged.text) == (404, True)
    office = as_(Client(client.application), "office")
    page = office.get(f"/registers/results/{survey.result_id}/supervision").text
    assert page.count("复制链接") == len(links)
    (action,) = re.findall(r'action="(/registers/results/[^"]+/links/[^"]+)"', page)[:1]
    assert office.post(action).status_code == 303
    session.rollback()
    dead = session.scalars(select(QuestionnaireLink).where(QuestionnaireLink.ended_at.isnot(None))).one()
    old = client.get(f"/public/questionnaires/{questionnaires.token_of(dead.id)}")
    assert (old.status_code, "请使用新的链接" in old.text) == (410, True)
    tokens = questionnaires.live_tokens(session, survey.id)
    assert client.get(f"/public/questionnaires/{tokens[dead.invitation_id]}").status_code == 200
    session.execute(update(Questionnaire).where(Questionnaire.id == survey.id).values(ends_at=clock.now()))
    session.commit()
    late = client.post(f"/public/questionnaires/{tokens[dead.invitation_id]}", data=MARKS)
    assert (late.status_code, "截止，不再接收答卷" in late.text) == (410, True)
    assert office.post(action).status_code == 409
    assert "复制链接" not in office.get(f"/registers/results/{survey.result_id}/supervision").text


def test_who_tries_links_is_stopped(client: Any, links: list[str]) -> None:
    codes = [client.get(f"/public/questionnaires/wrong{n}").status_code for n in range(21)]
    assert codes == [404] * 20 + [429]
    assert client.get(links[0]).status_code == 429


def test_no_row_of_the_database_holds_a_token(session: Session, survey: Questionnaire, links: list[str]) -> None:
    tokens = [link.rsplit("/", 1)[1] for link in links]
    tables = session.scalars(text("select tablename from pg_tables where schemaname = 'public'")).all()
    for table in tables:
        for token in tokens[:2]:
            query = text(f'select count(*) from "{table}" t where t::text like :token')
            assert session.scalar(query, {"token": f"%{token}%"}) == 0, table


def test_the_office_watches_the_returns_and_hands_out_slips(
    client: Any, session: Session, survey: Questionnaire, links: list[str]
) -> None:
    office, path = as_(client, "office"), f"/registers/results/{survey.result_id}/supervision"
    live = office.get(f"{path}.json")
    before = live.get_json()["answered"]
    assert office.get(f"{path}.json", headers={"If-None-Match": live.headers["ETag"]}).status_code == 304
    Client(client.application).post(links[0], data=MARKS)
    assert office.get(f"{path}.json").get_json()["answered"] == before + 1
    slips = office.get(f"{path}/sheet").text
    assert slips.count("/public/questionnaires/") == len(links) - 1
    assert "用同一种子复算，结果一致" in office.get(path).text


def test_a_unit_is_ordered_its_own_forms_by_the_office_alone(client: Any, session: Session) -> None:
    waiting = session.scalars(select(EvaluationResult.id).where(EvaluationResult.status == "reporting")).first()
    session.commit()
    path = f"/registers/results/{waiting}/supervision"
    office = as_(client, "office")
    one = office.post(f"{path}/checks", data={"checks": ["visit"]})
    assert (one.status_code, "至少选择 2 种" in one.text) == (422, True)
    assert office.post(f"{path}/checks", data={"checks": ["visit", "interview"]}).status_code == 303
    assert "本单位单独选定" in office.get(path).text
    session.rollback()
    begun = session.scalars(select(EvaluationResult.id).where(EvaluationResult.status == "checking")).first()
    refused = office.post(f"/registers/results/{begun}/supervision/checks", data={"checks": ["visit", "interview"]})
    assert (refused.status_code, "已经开始" in refused.text) == (409, True)


def test_the_unit_reads_figures_and_never_who_said_what(client: Any, session: Session) -> None:
    query = select(EvaluationResult).join(EvaluationResult.lead_unit).where(EvaluationResult.status == "settled")
    mine = "广州云锦数字科技有限公司"
    result = next(one for one in session.scalars(query).unique() if one.lead_unit.name == mine)
    held = questionnaires.of_result(session, result.id)
    assert held is not None
    asked = questionnaires.invitations(session, held.id)
    said = {questionnaires.said(held.form, one) for one in asked if one.answers} - {""}
    names = {one.pilot_enterprise.name for one in asked}
    count = session.scalar(
        select(func.count(QuestionnaireInvitation.answered_at)).where(
            QuestionnaireInvitation.questionnaire_id == held.id
        )
    )
    session.commit()
    unit = as_(client, "lead_unit")
    page = unit.get(f"/registers/results/{result.id}").text
    assert f"n＝{count}" in page
    assert said
    assert not [words for words in said | names if words in page]
    assert unit.get(f"/registers/results/{result.id}/supervision").status_code == 403
    office = as_(Client(client.application), "office")
    page = office.get(f"/registers/results/{result.id}").text
    assert all(words in page for words in said)
