"""The editor's services: saving, checking while one draws, FEEL, comparing, deploying, moving the cases under way."""

from __future__ import annotations

import json
import re
import time

import pytest
from sqlalchemy import func, select

from tests.support import Client
from webapp.designer import comparing, library
from webapp.engine.tables import process_definition, process_instance

PROCESS = "enterprise_review"
FILE = "enterprise_review.bpmn"
BASE = "/designer/partner_filing"


@pytest.fixture
def designer(demo_data, app, account):
    client = Client(app)
    client.sign_in(account("designer", name="谢一"))
    return client


@pytest.fixture
def model(demo_data, session):
    return library.working(session, "partner_filing")[FILE].decode()


def save(client, content, version=0, path=FILE):
    return client.put(f"{BASE}/files/{path}", json={"content": content, "version": version})


def check(client, content, path=FILE):
    answer = client.post(f"{BASE}/check/{path}", json={"content": content})
    assert answer.status_code == 200
    return answer.json


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def seen(page):
    return re.search(r'name="seen" value="(\w+)"', page.text).group(1)


def test_the_editor_opens_with_all_that_one_may_pick(designer, model):
    page = designer.get(f"{BASE}/bpmn/{FILE}")
    assert page.status_code == 200
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    data = re.search(r'id="designer-data">(.*?)</script>', page.text, flags=re.S).group(1)
    offered = json.dumps(json.loads(data), ensure_ascii=False)
    for part in ("工作小组办公室", "filing.register", "备案的标识", "second_review", "complexGateway", "4.6.3"):
        assert part in offered, part
    assert designer.get(f"{BASE}/bpmn/forms/review.json").status_code == 404
    assert designer.get(f"{BASE}/bpmn/nothing.bpmn").status_code == 404


def test_what_stands_in_labels_is_text(designer, model):
    bad = model.replace('name="审核备案材料"', 'name="&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;"')
    assert bad != model
    assert save(designer, bad).json["version"] == 1
    page = designer.get(f"{BASE}/bpmn/{FILE}").text
    assert "<script>alert" not in page
    assert "alert(1)" not in re.sub(r'<script type="application/json".*?</script>', "", page, flags=re.S)
    assert "<script>alert" not in designer.get(f"{BASE}/compare?path={FILE}").text
    assert "<script>alert" not in designer.get(f"{BASE}/deploy").text


def test_a_stale_save_is_told_and_can_be_compared(designer, app, account, model):
    other = Client(app)
    other.sign_in(account("designer", name="谢二"))
    mine, theirs = model.replace("审核备案材料", "我的"), model.replace("审核备案材料", "对方的")
    assert save(other, theirs).json["version"] == 1
    answer = save(designer, mine)
    assert answer.status_code == 409
    assert answer.json["detail"]["who"] == "谢二"
    assert "没有覆盖" in answer.json["message"]
    assert designer.get(answer.json["kept"]).data.decode() == mine
    compared = words(designer.get(answer.json["compare"]))
    assert "我的" in compared
    assert "对方的" in compared
    assert designer.get(f"{BASE}/files/{FILE}").data.decode() == theirs
    assert save(designer, mine, answer.json["detail"]["version"]).json["version"] == 2


NONSENSE = [
    None,
    [],
    {},
    {"content": 1, "version": 0},
    {"content": "x"},
    {"content": "x", "version": -1},
    {"content": "x", "version": True},
]


@pytest.mark.parametrize("body", NONSENSE, ids=repr)
def test_a_save_that_makes_no_sense_is_refused(designer, body):
    assert designer.put(f"{BASE}/files/{FILE}", json=body).status_code == 422


def test_paths_lead_nowhere_else(designer):
    for path in ("../x.bpmn", "forms/../../x.json", "a/b/c.bpmn", ".hidden"):
        assert designer.put(f"{BASE}/files/{path}", json={"content": "x", "version": 0}).status_code in (404, 422)
    assert save(designer, "x" * (4 * 2**20 + 1)).status_code == 422


def test_findings_are_those_of_deployment(designer, model):
    assert check(designer, model)["findings"] == []
    broken = model.replace('camunda:formRef="review"', 'camunda:formRef="nothing"')
    found = check(designer, broken)["findings"]
    assert [(one["severity"], one["element_id"], one["where"]) for one in found] == [
        ("error", "review", "审核备案材料")
    ]
    assert "nothing" in found[0]["message"]
    assert found[0]["mend"] == "选择一张已有的表单，或把表单与流程一起部署。"
    save(designer, broken)
    page = designer.get(f"{BASE}/deploy")
    assert found[0]["message"] in page.text
    answer = designer.post(f"{BASE}/deploy", data={"comment": "试", "seen": seen(page)})
    assert answer.status_code == 422
    assert found[0]["message"] in answer.text


def test_what_is_no_xml_is_a_finding_too(designer):
    found = check(designer, "<bpmn:definitions")["findings"]
    assert found[0]["severity"] == "error"
    assert found[0]["mend"]


def test_the_variables_of_each_step_are_known(designer, model):
    names = check(designer, model)["names"]
    assert "review_opinion" in names["review"]
    assert "enterprise_name" in names[PROCESS]


def test_a_guarded_step_cannot_be_deployed_away(designer, model):
    law = re.search(r'id="(\w+)"[^>]*qianyin:law="true"', model).group(1)
    found = check(designer, model.replace(' qianyin:law="true"', ""))
    assert any("不得删除" in one["message"] and one["element_id"] == law for one in found["findings"])


def test_expressions_are_checked_as_one_types(designer):
    def judge(source):
        return designer.post("/designer/feel", json={"source": source}).json

    assert judge('decision = "pass" and amount > 3') == {"ok": True, "names": ["amount", "decision"]}
    bad = judge("amount >")
    assert bad["ok"] is False
    assert bad["message"]
    assert judge("") == {"ok": True, "names": []}
    begun = time.monotonic()
    assert judge("(" * 3000)["ok"] is False
    assert (
        judge("for a in 1..1000000000 return for b in 1..1000000000 return a")["ok"] is True
    )  # never carried out here
    assert time.monotonic() - begun < 30
    assert designer.post("/designer/feel", json={"source": 3}).status_code == 422


def test_differences_are_told_in_words(model):
    changed = model.replace('name="审核备案材料"', 'name="核对材料"').replace('<dc:Bounds x="', '<dc:Bounds x="1', 1)
    found = comparing.compare(model.encode(), changed.encode())
    assert ("changed", "核对材料", (("名称", "审核备案材料", "核对材料"),)) in [(c.kind, c.name, c.rows) for c in found]
    assert [one.kind for one in found if one.kind != "changed"] == ["moved"]
    assert not any(one.what == "sequenceFlow" for one in found)  # another name of its end is no other flow
    everything = comparing.compare(None, model.encode())
    assert {one.kind for one in everything} == {"added"}
    assert {one.kind for one in comparing.compare(model.encode(), b"no xml")} == {"removed"}
    assert comparing.compare(model.encode(), model.encode()) == []


def test_deploying_asks_a_comment_and_what_one_has_seen(designer, session, model):
    save(designer, model.replace('name="审核备案材料"', 'name="审核材料"'))
    page = designer.get(f"{BASE}/deploy")
    assert "审核材料" in page.text
    running = session.scalar(select(func.count()).where(
        process_instance.c.definition_key == PROCESS, process_instance.c.status == "active"))  # fmt: skip
    assert f"{running} 件可以" in words(page)
    assert designer.post(f"{BASE}/deploy", data={"comment": " ", "seen": seen(page)}).status_code == 422
    save(designer, model.replace('name="审核备案材料"', 'name="审核四项材料"'), 1)
    stale = designer.post(f"{BASE}/deploy", data={"comment": "改名", "seen": seen(page)})
    assert stale.status_code == 409
    assert "又有改动" in stale.text
    assert ">改名</textarea>" in stale.text
    done = designer.post(f"{BASE}/deploy", data={"comment": "改名 <i>", "seen": seen(stale)})
    assert done.status_code == 303
    assert done.headers["Location"].endswith("/migrate")
    versions = select(process_definition.c.version).where(process_definition.c.key == PROCESS)
    assert sorted(session.scalars(versions)) == [1, 2]
    folder = designer.get(f"{BASE}/")
    assert "改名 &lt;i&gt;" in folder.text
    assert "谢一" in folder.text
    assert "草稿 1 份" not in folder.text
    again = designer.post(f"{BASE}/deploy", data={"comment": "又一次", "seen": seen(stale)})  # a double click
    assert again.status_code in (303, 409)
    session.rollback()
    assert sorted(session.scalars(versions)) == [1, 2]


def test_cases_move_one_by_one_and_back(designer, session, model, engine):
    save(designer, model.replace('name="审核备案材料"', 'name="审核材料"'))
    designer.post(f"{BASE}/deploy", data={"comment": "改名", "seen": seen(designer.get(f"{BASE}/deploy"))})
    page = designer.get(f"{BASE}/migrate")
    ids = re.findall(r'data-case="([\w-]+)" data-target="([\w-]+)"', page.text)
    assert len(ids) > 2
    one, target = ids[0]
    i = process_instance.c

    def version():
        session.rollback()
        joined = select(process_definition.c.version).join(
            process_instance, i.definition_id == process_definition.c.id)  # fmt: skip
        return session.scalar(joined.where(i.id == one))

    body = {"definition": target, "mapping": {}, "reason": ""}
    assert designer.post(f"{BASE}/migrate/{one}", json=body).status_code == 422
    body["reason"] = "按新版办理"
    assert designer.post(f"{BASE}/migrate/{one}", json=body).json == {"done": True}
    assert version() == 2
    assert designer.post(f"{BASE}/migrate/{one}", json=body).status_code == 409  # twice
    assert one not in designer.get(f"{BASE}/migrate").text
    assert designer.post(f"{BASE}/migrate/{one}", json={"back": True, "reason": "撤销"}).json == {"done": True}
    assert version() == 1
    bad = designer.post(f"{BASE}/migrate/{one}", json={"definition": "x", "reason": "试"})
    assert bad.status_code == 422
    strange = session.scalar(select(i.id).where(i.definition_key == "objection", i.status == "active"))
    assert designer.post(f"{BASE}/migrate/{strange}", json=body).status_code == 404
    wrong = {**body, "mapping": {"nothing": "nowhere"}}
    told = designer.post(f"{BASE}/migrate/{one}", json=wrong, headers={"Accept": "application/json"})
    assert told.status_code == 422
    assert "nowhere" in told.json["message"]
