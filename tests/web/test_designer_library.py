"""The library of definitions: what is on the table, what is deployed, and what may come in from elsewhere."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.support import Client
from webapp.designer import drafts, library
from webapp.designer.models import DesignDraft, DesignKept
from webapp.engine.handler_api import Actor
from webapp.engine.tables import process_definition
from webapp.errors import Conflict
from webapp.supervisor import deploy_processes

FOREIGN = sorted((Path(__file__).parents[1] / "conformance" / "foreign").glob("*.bpmn"))


@pytest.fixture
def designer(demo_data, app, session, account):
    person = account("designer", name="谢一")
    client = Client(app)
    client.sign_in(person)
    client.person = person
    return client


def actor(person):
    return Actor(person.id, person.username, person.name, frozenset({"designer"}), None)


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_every_folder_stands_in_the_library_with_what_runs(designer, session):
    page = designer.get("/designer/")
    assert page.status_code == 200
    for key in ("partner_filing", "publicity_batch", "objection"):
        assert key in page.text
    folder = library.folder(session, "partner_filing")
    assert folder.processes.keys() == {"partner_filing", "enterprise_review"}
    assert folder.running > 0
    shown = designer.get("/designer/partner_filing/")
    for part in ("enterprise_review.bpmn", "forms/review.json", "documents/list.docx", "scenarios/", "随程序部署"):
        assert part in shown.text
    assert f"在办 {folder.running} 件" in words(shown)


def test_words_are_found_in_names_and_conditions(designer):
    page = words(designer.get("/designer/?q=填报备案"))
    assert "填报备案材料" in page
    assert "confirm_decision = &#34;confirm&#34;" in words(designer.get("/designer/?q=confirm_decision"))
    assert "没有找到“没有这样的词”" in words(designer.get("/designer/?q=没有这样的词"))


def test_a_new_process_begins_with_its_start(designer, session):
    answer = designer.post("/designer/new", data={"key": "leave", "title": "请假 <b>审批</b>"})
    assert answer.status_code == 303
    page = designer.get("/designer/leave/")
    assert "请假 &lt;b&gt;审批&lt;/b&gt;" in page.text
    assert b'name="\xe8\xaf\xb7\xe5\x81\x87 &lt;b&gt;' in library.working(session, "leave")["leave.bpmn"]
    again = designer.post("/designer/new", data={"key": "leave", "title": "又一个"})
    assert again.status_code == 409
    assert "已有流程使用" in again.text
    assert 'value="又一个"' in again.text  # what was typed stays
    assert designer.post("/designer/new", data={"key": "9 bad", "title": "x"}).status_code == 422


def test_a_copy_has_processes_of_its_own(designer, session):
    answer = designer.post("/designer/partner_filing/duplicate", data={"key": "filing_two", "title": "备案（试行）"})
    assert answer.status_code == 303
    files = library.working(session, "filing_two")
    assert "filing_two.bpmn" in files
    assert b'<bpmn:process id="filing_two" name="\xe5\xa4\x87\xe6\xa1\x88' in files["filing_two.bpmn"]
    assert b'processRef="filing_two"' in files["filing_two.bpmn"]
    assert b'id="filing_two_enterprise_review"' in files["enterprise_review.bpmn"]
    assert session.scalar(select(func.count()).select_from(process_definition).where(
        process_definition.c.key == "filing_two")) == 0  # fmt: skip


def test_a_retired_process_starts_no_new_cases_and_may_be_taken_up_again(designer, session, engine):
    from webapp.engine.commands import StartInstance

    assert designer.post("/designer/change_review/retire", data={"retired": "true", "reason": " "}).status_code == 422
    answer = designer.post("/designer/change_review/retire", data={"retired": "true", "reason": "改由系统自动办理"})
    assert answer.status_code == 303
    with pytest.raises(Conflict, match="暂停受理"):
        engine.start(session, StartInstance(key="change_review"), None)
    session.rollback()
    assert "已停用" in designer.get("/designer/change_review/").text
    designer.post("/designer/change_review/retire", data={"reason": "恢复"})
    assert not session.scalar(select(process_definition.c.suspended).where(process_definition.c.key == "change_review"))


def test_a_later_save_is_told_of_the_earlier_and_nothing_is_lost(demo_data, session, account):
    one, two = account("designer", name="谢一"), account("designer", name="谢二")
    assert drafts.save(session, actor(one), "objection", "objection.bpmn", b"<first/>", 0) == 1
    with pytest.raises(drafts.StaleSave, match=r"谢一于 .* 先保存了") as told:
        drafts.save(session, actor(two), "objection", "objection.bpmn", b"<second/>", 0)
    assert told.value.detail["version"] == 1
    kept = drafts.keep(session, actor(two), "objection", "objection.bpmn", b"<second/>", 0)
    assert drafts.read(session, "objection", "objection.bpmn").content == b"<first/>"
    assert drafts.kept(session, "objection", kept).content == b"<second/>"
    assert drafts.save(session, actor(two), "objection", "objection.bpmn", b"<merged/>", 1) == 2
    assert drafts.save(session, actor(two), "objection", "objection.bpmn", b"<merged/>", 1) == 2  # a repeated request
    assert session.scalar(select(func.count()).select_from(DesignKept)) == 1


def test_drafts_lie_over_what_is_deployed_until_they_are_given_up(designer, session):
    before = library.working(session, "objection")
    drafts.save(session, actor(designer.person), "objection", "forms/decide.json", b"{}", 0)
    session.commit()
    page = designer.get("/designer/objection/")
    assert "已改" in page.text
    assert "谢一" in page.text
    assert designer.post("/designer/objection/remove", data={"path": "forms/investigate.json"}).status_code == 303
    assert library.working(session, "objection").keys() == before.keys() - {"forms/investigate.json"}
    assert designer.post("/designer/objection/discard").status_code == 303
    session.expire_all()
    assert library.working(session, "objection") == before


def test_an_earlier_version_comes_back_as_a_draft(designer, session):
    from webapp.engine import deployment
    from webapp.engine.handler_api import hooks

    before = library.working(session, "change_review")
    first = library.folder(session, "change_review").deployment_id
    changed = {path: content.replace("登记".encode(), "补登".encode()) for path, content in before.items()}
    deployment.deploy(session, "change_review", {**changed, "documents/note.html": b"<p>"}, hooks=hooks)
    session.commit()
    assert "取回为草稿" in designer.get("/designer/change_review/").text
    assert designer.post("/designer/change_review/restore", data={"of": "nothing"}).status_code == 404
    assert designer.post("/designer/change_review/restore", data={"of": str(first)}).status_code == 303
    session.expire_all()
    assert library.working(session, "change_review") == before


@pytest.mark.parametrize("file", FOREIGN, ids=lambda path: path.stem)
def test_files_drawn_elsewhere_come_in_with_a_report(designer, session, file):
    content = file.read_bytes()
    answer = designer.post(
        "/designer/import", data={"file": (io.BytesIO(content), file.name), "key": "foreign"},
        content_type="multipart/form-data",
    )  # fmt: skip
    assert answer.status_code == 303, words(answer)
    report = designer.get(answer.headers["Location"])
    assert report.status_code == 200
    assert "逐个元素" in report.text
    kept = library.working(session, "foreign")["foreign.bpmn"]
    foreign = set(re.findall(rb'[a-z]+:[A-Za-z]+="[^"<>&]*"', content))
    assert {one for one in foreign if one not in kept} == set()


BAD = {
    "bomb": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>',
    "outside": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "no xml": b"%PDF-1.7",
    "no bpmn": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "empty": b"",
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_what_is_no_model_is_refused_in_words(designer, session, content):
    answer = designer.post(
        "/designer/import", data={"file": (io.BytesIO(content), "x.bpmn")}, content_type="multipart/form-data"
    )
    assert answer.status_code == 422
    assert re.search("DTD|XML|BPMN 2.0", words(answer))
    assert session.scalar(select(func.count()).select_from(DesignDraft)) == 0


def test_twenty_megabytes_are_refused(designer):
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="x.bpmn"\r\n\r\n<x>'
    body = head + b" " * (20 * 2**20) + b"</x>\r\n--x--\r\n"
    answer = designer.post("/designer/import", data=body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 422
    assert "超过 4 MB" in words(answer)


def test_a_start_of_the_program_leaves_what_designers_deployed(demo_data, session, config, engine):
    from webapp.engine import deployment
    from webapp.engine.handler_api import hooks

    files = library.working(session, "change_review")
    files["change_review.bpmn"] = files["change_review.bpmn"].replace("登记".encode(), "补登".encode())
    made = deployment.deploy(session, "change_review", files, hooks=hooks, source=deployment.DESIGNER)
    session.commit()
    assert made.definitions[0].changed
    deploy_processes(config)
    newest = session.scalar(select(func.max(process_definition.c.version)).where(
        process_definition.c.key == "change_review"))  # fmt: skip
    assert newest == made.definitions[0].version
