"""One task: who sees it, filling it in, deciding, what happens when another was faster."""

from __future__ import annotations

import io
import re
from typing import Any
from uuid import UUID, uuid4

from pypdf import PdfWriter
from sqlalchemy import select

from tests.support import Client
from tests.web.inbox.conftest import PREPARED
from webapp.documents.models import Document
from webapp.engine import queries
from webapp.engine.commands import Suspend
from webapp.engine.tables import audit
from webapp.inbox.models import Draft


def test_a_task_is_seen_by_role_and_organisation_alone(app: Any, people: Any, start: Any) -> None:
    task = start(people.one)
    for person, status in ((people.lin, 200), (people.stranger, 404), (people.chen, 404), (people.designer, 404)):
        client = Client(app)
        client.sign_in(person)
        assert client.get(f"/tasks/{task}").status_code == status
        listed = client.get("/tasks")
        assert listed.status_code == 200
        assert ("BA-2026-0001" in listed.text) == (status == 200)


def test_what_is_not_there_is_told_like_what_may_not_be_seen(client: Any, people: Any, start: Any) -> None:
    client.sign_in(people.stranger)
    hidden, missing = client.get(f"/tasks/{start(people.one)}"), client.get(f"/tasks/{uuid4()}")
    assert hidden.status_code == missing.status_code == 404
    for path in ("claim", "release", "transfer", "draft", "form"):
        assert client.post(f"/tasks/{uuid4()}/{path}", data={"to": str(uuid4())}).status_code == 404


def test_the_page_shows_form_stages_clause_and_decisions(client: Any, people: Any, start: Any, open_task: Any) -> None:
    client.sign_in(people.lin)
    client.post(f"/tasks/{start(people.one)}", data=PREPARED)
    client.sign_in(people.chen)
    page = client.get(f"/tasks/{open_task('review').id}").text
    for words in (
        "审核材料",
        "审核通过",
        "退回补正",
        "不予通过",
        "第 4.6.2 条",
        "法规原文",
        "个工作日",
        "逐项核对材料",
    ):
        assert words in page
    assert 'aria-current="step"' in page
    assert "广州青禾工业软件有限公司" in page
    assert 'name="name"' not in page  # read-only fields are shown, not sent


def test_filling_in_moves_the_case_with_typed_values(
    client: Any, session: Any, people: Any, start: Any, task_row: Any
) -> None:
    task = start(people.one)
    client.sign_in(people.lin)
    answer = client.post(f"/tasks/{task}", data=PREPARED)
    assert answer.status_code == 303
    row = task_row(task)
    assert (row.status, row.completed_by) == ("completed", people.lin.id)
    data = queries.decoded(row.form_data)
    assert data["name"] == "广州青禾工业软件有限公司"
    assert (data["capital"], data["new"]) == (1000, False)
    assert data["enterprises"] == [{"name": "甲公司"}]
    assert queries.variables(session, row.instance_id)["capital"] == 1000


def test_a_refused_form_comes_back_with_sentences_and_what_was_typed(
    client: Any, people: Any, start: Any, task_row: Any
) -> None:
    task = start(people.one)
    client.sign_in(people.lin)
    sent = {"name": "", "capital": "很多", "enterprises[3]": "", "enterprises[3].name": ""}
    answer = client.post(f"/tasks/{task}", data=sent)
    assert answer.status_code == 422
    for words in (
        "有 3 处需要修改",
        "请填写企业名称。",
        "注册资本要填数字，您填的是“很多”。",
        "企业 1",
        "请填写名称。",
    ):
        assert words in answer.text
    assert 'value="很多"' in answer.text
    assert 'href="#f-enterprises-0-name"' in answer.text
    assert 'id="f-enterprises-0-name"' in answer.text
    assert task_row(task).status == "open"


def test_an_unknown_field_is_refused(client: Any, people: Any, start: Any, task_row: Any) -> None:
    task = start(people.one)
    client.sign_in(people.lin)
    answer = client.post(f"/tasks/{task}", data={**PREPARED, "org_id": "1"})
    assert answer.status_code == 422
    assert "没有的字段：org_id" in answer.text
    assert task_row(task).status == "open"


def test_without_a_token_nothing_is_done(client: Any, people: Any, start: Any, task_row: Any) -> None:
    task = start(people.one)
    client.sign_in(people.lin)
    assert client.post(f"/tasks/{task}", data=PREPARED, csrf=False).status_code == 400
    assert task_row(task).status == "open"


def test_the_second_of_two_submissions_learns_who_and_when_and_keeps_its_words(
    app: Any, session: Any, people: Any, start: Any, task_row: Any
) -> None:
    task = start(people.one)
    first, second = Client(app), Client(app)
    first.sign_in(people.lin)
    second.sign_in(people.colleague)
    assert first.post(f"/tasks/{task}", data=PREPARED).status_code == 303
    answer = second.post(f"/tasks/{task}", data={**PREPARED, "name": "另一家公司"})
    assert answer.status_code == 409
    assert "林晓桐" in answer.text
    assert "办结" in answer.text
    assert "另一家公司" in answer.text
    assert task_row(task).completed_by == people.lin.id
    kept = session.get(Draft, (task, people.colleague.id))
    assert kept.data["name"] == "另一家公司"
    assert queries.instance(session, task_row(task).instance_id).status == "active"


def test_a_decision_needs_one_of_the_models_outcomes_and_its_reason(
    client: Any, session: Any, people: Any, start: Any, open_task: Any, task_row: Any
) -> None:
    client.sign_in(people.lin)
    client.post(f"/tasks/{start(people.one)}", data=PREPARED)
    review = open_task("review").id
    client.sign_in(people.chen)
    assert "请选择办理结果" in client.post(f"/tasks/{review}", data={"verdict": "ok"}).text
    assert "请选择办理结果" in client.post(f"/tasks/{review}", data={"verdict": "ok", "outcome": "approve"}).text
    bare = client.post(f"/tasks/{review}", data={"verdict": "fix", "outcome": "return"})
    assert bare.status_code == 422
    assert "请填写“退回补正”的理由。" in bare.text
    data = {"verdict": "fix", "outcome": "return", "reason": "缺少签章页"}
    assert client.post(f"/tasks/{review}", data=data).status_code == 303
    row = task_row(review)
    assert row.outcome == "return"
    assert queries.decoded(row.form_data)["reason"] == "缺少签章页"
    again = open_task("prepare")
    client.sign_in(people.lin)
    page = client.get(f"/tasks/{again.id}").text
    assert 'value="广州青禾工业软件有限公司"' in page  # what was entered before stands in the form


def test_nobody_confirms_what_they_decided_themselves(
    client: Any, people: Any, start: Any, open_task: Any, task_row: Any
) -> None:
    client.sign_in(people.lin)
    client.post(f"/tasks/{start(people.one)}", data=PREPARED)
    client.sign_in(people.chen)
    answer = client.post(f"/tasks/{open_task('review').id}", data={"verdict": "ok", "outcome": "pass"})
    second = open_task("second").id
    assert answer.location == "/tasks"  # the next task is not one that this person may not do
    page = client.get(f"/tasks/{second}")
    assert "这一步要由另一人办理" in page.text
    assert "task-form" not in page.text
    assert client.post(f"/tasks/{second}", data={"second_note": "同意"}).status_code == 403
    listed = client.get("/tasks").text
    assert "待他人复核" in listed
    assert f"/tasks/{second}/claim" not in listed
    taken = client.post(f"/tasks/{second}/claim")  # else nobody could do it, who took it least of all
    assert (taken.status_code, "这一步要由另一人办理" in taken.text) == (403, True)
    assert (task_row(second).status, task_row(second).assignee_id) == ("open", None)
    client.sign_in(people.liang)
    handed = client.post(f"/tasks/{second}/transfer", data={"to": str(people.chen.id), "reason": "请办理"})
    assert (handed.status_code, "不能转给他" in handed.text) == (422, True)
    assert f"/tasks/{second}/claim" in client.get("/tasks").text
    assert client.post(f"/tasks/{second}", data={"second_note": "同意"}).status_code == 303
    assert task_row(second).completed_by == people.liang.id


def test_the_next_task_opens_by_itself(client: Any, people: Any, start: Any, open_task: Any, session: Any) -> None:
    client.sign_in(people.lin)
    first, other = start(people.one, "BA-2026-0001"), start(people.one, "BA-2026-0002")
    assert client.post(f"/tasks/{first}", data=PREPARED).location == "/tasks"  # not another, empty filing
    review = open_task("review").id
    client.post(f"/tasks/{other}", data=PREPARED)
    client.sign_in(people.chen)
    answer = client.post(f"/tasks/{review}", data={"verdict": "ok", "outcome": "pass"})
    assert answer.location == f"/tasks/{open_task('review').id}"  # reviews have deadlines: the next in the queue
    page = client.get(answer.location).text
    assert "BA-2026-0001：审核通过。已为您打开下一件。" in page
    assert f'<a href="/tasks/{review}">查看办结的这一件</a>' in page


def test_a_draft_is_kept_typed_or_not_and_takes_the_task(
    client: Any, session: Any, people: Any, start: Any, task_row: Any
) -> None:
    task = start(people.one)
    client.sign_in(people.lin)
    saved = client.post(f"/tasks/{task}/draft", data={**PREPARED, "capital": "三百", "name": "草稿公司"})
    assert saved.status_code == 200
    assert len(saved.json["saved_at"]) == 5
    assert task_row(task).assignee_id == people.lin.id
    page = client.get(f"/tasks/{task}").text
    assert 'value="草稿公司"' in page
    assert 'value="三百"' in page
    assert "已暂存" in page
    client.post(f"/tasks/{task}", data=PREPARED)
    session.rollback()
    assert session.get(Draft, (task, people.lin.id)) is None


def test_a_draft_on_anothers_task_is_refused_as_json(app: Any, people: Any, start: Any) -> None:
    task = start(people.one)
    first, second = Client(app), Client(app)
    first.sign_in(people.lin)
    second.sign_in(people.colleague)
    first.post(f"/tasks/{task}/claim")
    answer = second.post(f"/tasks/{task}/draft", data=PREPARED, headers={"Accept": "application/json"})
    assert answer.status_code == 409
    assert answer.json
    assert "林晓桐" in answer.json["message"]


def test_a_condition_is_answered_by_the_server(client: Any, people: Any, start: Any) -> None:
    task = start(people.one)
    client.sign_in(people.lin)
    page = client.get(f"/tasks/{task}").text
    assert 'name="why"' not in page
    assert f'hx-post="/tasks/{task}/form?changed=new"' in page
    part = client.post(f"/tasks/{task}/form?changed=new", data={**PREPARED, "new": "true"})
    assert part.status_code == 200
    assert 'name="why"' in part.text
    assert 'hx-swap-oob="true"' in part.text
    assert 'name="capital"' not in part.text  # only what hangs on the field
    gone = client.post(f"/tasks/{task}/form?changed=new", data=PREPARED)
    assert 'name="why"' not in gone.text


def test_a_finished_task_is_read_only_with_its_answer(client: Any, people: Any, start: Any) -> None:
    task = start(people.one)
    client.sign_in(people.lin)
    client.post(f"/tasks/{task}", data=PREPARED)
    page = client.get(f"/tasks/{task}").text
    assert "已由林晓桐于" in page
    assert "广州青禾工业软件有限公司" in page
    assert "1000 万元" in page
    assert "甲公司" in page
    assert 'id="task-form"' not in page


def test_the_record_tells_the_other_side_less(client: Any, people: Any, start: Any, open_task: Any) -> None:
    task = start(people.one)
    client.sign_in(people.lin)
    client.post(f"/tasks/{task}", data=PREPARED)
    client.sign_in(people.chen)
    review = open_task("review").id
    decided = {"verdict": "ok", "outcome": "pass", "note": "内部看法"}
    client.post(f"/tasks/{review}", data=decided)
    assert "内部看法" in client.get(f"/tasks/{review}").text
    client.sign_in(people.lin)
    page = client.get(f"/tasks/{task}").text
    assert "审核材料" in page
    for words in ("内部看法", "陈思远", "审核材料：审核通过"):
        assert words not in page


def test_comments_are_internal_unless_shared(client: Any, people: Any, start: Any, open_task: Any) -> None:
    task = start(people.one)
    client.sign_in(people.lin)
    client.post(f"/tasks/{task}", data=PREPARED)
    client.post(f"/tasks/{task}/comments", data={"comment": "请尽快"})
    client.sign_in(people.chen)
    review = open_task("review").id
    client.post(f"/tasks/{review}/comments", data={"comment": "先核实执照"})
    client.post(f"/tasks/{review}/comments", data={"comment": "请补执照副本", "shared": "true"})
    page = client.get(f"/tasks/{review}").text
    assert all(words in page for words in ("请尽快", "先核实执照", "请补执照副本"))
    client.sign_in(people.lin)
    theirs = client.get(f"/tasks/{task}").text
    assert "请补执照副本" in theirs
    assert "先核实执照" not in theirs


def test_a_form_is_printed(client: Any, people: Any, start: Any) -> None:
    task = start(people.one)
    client.sign_in(people.lin)
    client.post(f"/tasks/{task}", data=PREPARED)
    page = client.get(f"/tasks/{task}/print")
    assert page.status_code == 200
    assert "广州青禾工业软件有限公司" in page.text
    assert "林晓桐打印" in page.text


def test_the_diagram_is_given_to_whom_the_task_is(client: Any, people: Any, start: Any) -> None:
    task = start(people.one)
    client.sign_in(people.lin)
    assert b"small_filing" in client.get(f"/tasks/{task}/diagram.bpmn").data
    client.sign_in(people.stranger)
    assert client.get(f"/tasks/{task}/diagram.bpmn").status_code == 404


def test_claims_and_transfers_stand_in_the_audit_trail(client: Any, session: Any, people: Any, start: Any) -> None:
    task = start(people.one)
    client.sign_in(people.lin)
    client.post(f"/tasks/{task}/claim")
    client.post(f"/tasks/{task}/transfer", data={"to": str(people.colleague.id), "reason": "请假"})
    session.rollback()
    rows = session.execute(select(audit.c.action, audit.c.reason).where(audit.c.task_id == task).order_by(audit.c.id))
    assert [tuple(row) for row in rows] == [("task.claim", None), ("task.transfer", "请假")]


def test_a_suspended_case_is_not_moved_and_says_so(
    client: Any, session: Any, engine: Any, people: Any, start: Any, task_row: Any
) -> None:
    task = start(people.one)
    engine.step(session, task_row(task).instance_id, Suspend("等待法院通知"), None)
    session.commit()
    client.sign_in(people.lin)
    assert "已挂起" in client.get(f"/tasks/{task}").text
    answer = client.post(f"/tasks/{task}", data=PREPARED)
    assert answer.status_code == 409
    assert "广州青禾工业软件有限公司" in answer.text
    assert task_row(task).status == "open"


def test_files_come_with_the_form_and_belong_to_the_case(
    client: Any, session: Any, people: Any, start: Any, open_task: Any
) -> None:
    task = start(people.one)
    client.sign_in(people.lin)
    pdf = io.BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.write(pdf)
    pdf.seek(0)
    tile = client.post("/documents", data={"file": (pdf, "执照.pdf"), "name": "licence"})
    found = re.search(r'name="licence" value="([0-9a-f-]{36})"', tile.text)
    assert found
    stolen = {**PREPARED, "licence": found.group(1)}
    client.sign_in(people.stranger)
    theirs = start(people.two, "BA-2026-0002")
    refused = client.post(f"/tasks/{theirs}", data=stolen)
    assert "有文件已不存在或不是您上传的" in refused.text
    client.sign_in(people.lin)
    assert client.post(f"/tasks/{task}", data=stolen).status_code == 303
    document = session.get(Document, UUID(found.group(1)))
    assert document.root_instance_id == open_task("review").root_instance_id
    client.sign_in(people.chen)
    page = client.get(f"/tasks/{open_task('review').id}").text
    assert "执照.pdf" in page
