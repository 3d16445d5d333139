"""The editors of decision tables and forms, and trying out, over HTTP."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from tests.designer.models import FORM, dmn, folder
from tests.support import Client
from webapp import db
from webapp.designer import drafts, library
from webapp.designer.scenarios import scenario
from webapp.engine import deployment
from webapp.engine.handler_api import Actor, hooks


@pytest.fixture
def designer(app, session, account):
    """A designer with the folder of grants deployed."""
    person = account("designer", name="谢一")
    deployment.deploy(session, "grant", folder(), deployed_by=person.id, hooks=hooks)
    session.commit()
    client = Client(app)
    client.sign_in(person)
    client.person = person
    return client


def put(client, **files):
    with db.transaction() as session:
        actor = Actor(client.person.id, "d", "谢一", frozenset({"designer"}), None)
        drafts.put(session, actor, "grant", files)


def words(answer):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def send(client, path, **body):
    return client.post(f"/designer/grant/{path}", json=body, headers={"Accept": "application/json"})


# ---- decision tables


def test_the_editor_of_decisions_opens_with_the_text_and_its_version(designer):
    page = designer.get("/designer/grant/decision/grant_level.dmn")
    assert page.status_code == 200
    data = json.loads(re.search(r'id="editor-data">(.*?)</script>', page.text, re.S)[1])
    assert data["version"] == 0
    assert data["content"] == dmn().decode()
    assert designer.get("/designer/grant/decision/grant.bpmn").status_code == 404
    assert designer.get("/designer/grant/decision/no.dmn").status_code == 404
    assert designer.get("/designer/nothing/decision/grant_level.dmn").status_code == 404


def test_a_table_with_html_in_its_labels_stays_text(designer):
    evil = (
        dmn().decode().replace('label="金额"', 'label="&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;"').encode()
    )
    put(designer, **{"grant_level.dmn": evil})
    page = designer.get("/designer/grant/decision/grant_level.dmn")
    assert "<script>alert" not in page.text


def test_the_test_row_shows_the_rules_that_fire(designer):
    checked = send(designer, "decision-check", content=dmn().decode()).json
    assert checked["findings"] == []
    asked = checked["decisions"][0]
    assert [(one["name"], one["label"], one["type"]) for one in asked["inputs"]] == [("amount", "金额", "number")]
    tried = send(designer, "decision-try", content=dmn().decode(), decision="grant_level", values={"amount": "1,500"})
    assert (tried.json["rules"], tried.json["rows"]) == (["large"], [{"level": '"large"'}])
    wrong = send(designer, "decision-try", content=dmn().decode(), decision="grant_level", values={"amount": "很多"})
    assert wrong.json["fields"] == {"amount": "“很多”不是数字。"}


def test_overlapping_rules_are_told_with_the_rules(designer):
    both = dmn().decode().replace("&lt; 100", "&lt; 200")
    tried = send(designer, "decision-try", content=both, decision="grant_level", values={"amount": "150"}).json
    assert tried["rules"] == ["small", "large"]
    assert "规则 1、2 同时匹配" in tried["error"]


@pytest.mark.parametrize(
    ("cell", "said"),
    [("&lt; (", "表达式"), ("exists nothing(", ""), ("sum(for x in 1..100000, y in 1..100000 return 1) &gt; ?", None)],
)
def test_what_is_wrong_in_a_cell_is_told_and_never_runs_for_ever(designer, cell, said):
    table = dmn().decode().replace("&lt; 100", cell)
    if said is None:
        tried = send(designer, "decision-try", content=table, decision="grant_level", values={"amount": "5"}).json
        assert "超出计算上限" in tried["error"]
        return
    found = send(designer, "decision-check", content=table).json
    assert len(found["findings"]) == 1
    assert found["findings"][0]["element_id"] == "small_i"
    assert said in found["findings"][0]["message"]
    assert send(designer, "decision-try", content=table, decision="grant_level", values={}).status_code == 422


@pytest.mark.parametrize("policy", ["NONSENSE", "PRIORITY"])
def test_a_hit_policy_that_cannot_be_honoured_is_told(designer, policy):
    found = send(designer, "decision-check", content=dmn(policy=policy).decode()).json
    assert "命中策略" in found["findings"][0]["message"]


@pytest.mark.parametrize("path", ["decision-check", "form-preview"])
def test_bombs_and_large_texts_are_refused(designer, path):
    bomb = '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><definitions>&b;</definitions>'
    answer = send(designer, path, content=bomb)
    assert answer.status_code == 200
    assert answer.json.get("problems") or "DTD" in answer.json["findings"][0]["message"]
    large = send(designer, path, content="x" * (drafts.MOST_BYTES + 1))
    assert large.status_code == 422
    assert "超过 4 MB" in large.json["message"]
    assert send(designer, path, content=5).status_code == 422
    assert designer.post(f"/designer/grant/{path}", json=[1]).status_code == 422
    huge = designer.post(f"/designer/grant/{path}", data=b"x" * 60_000_000, content_type="application/json")
    assert huge.status_code == 413


# ---- forms


def test_a_form_is_shown_as_it_is_filled_in_and_as_it_is_read(designer):
    page = designer.get("/designer/grant/form/forms/check.json")
    assert page.status_code == 200
    assert '"textfield"' in page.text
    assert '"html"' not in page.text
    seen = send(designer, "form-preview", content=FORM.decode()).json
    assert seen["problems"] == []
    assert 'name="words"' in seen["fill"]
    assert "name=" not in seen["review"]
    assert "示例文字" in seen["review"]


@pytest.mark.parametrize(
    ("component", "said"),
    [
        ({"type": "html", "content": "<script>alert(1)</script>"}, "不支持"),
        ({"type": "iframe", "url": "https://example.org"}, "不支持"),
        ({"type": "button", "action": "custom", "label": "跑"}, "自定义动作"),
        ({"type": "textfield", "key": "a b"}, "没有可用的键"),
        ({"type": "textfield", "key": "a", "conditional": {"hide": "=1 +"}}, "表达式有误"),
        ({"type": "textfield", "key": "a", "validate": {"pattern": "(("}}, "正则表达式"),
        ({"type": "number", "key": "a", "decimalDigits": "many", "defaultRepetitions": "x"}, ""),
    ],
)
def test_what_the_server_cannot_render_is_told_as_at_deployment(designer, component, said):
    form = json.dumps({"id": "f", "components": [{"id": "x", "label": "某栏", **component}]})
    seen = send(designer, "form-preview", content=form)
    assert seen.status_code == 200
    if said:
        assert said in seen.json["problems"][0]
    assert "<script>alert" not in seen.json["fill"]


def test_scripts_in_labels_and_loops_in_conditions_are_harmless(designer):
    evil = {"id": "x", "type": "textfield", "key": "a", "label": "<img src=x onerror=alert(1)><script>1</script>"}
    seen = send(designer, "form-preview", content=json.dumps({"components": [evil]})).json
    assert "<img" not in seen["fill"]
    assert "&lt;img" in seen["fill"]
    endless = {**evil, "conditional": {"hide": "=count(for x in 1..100000, y in 1..100000 return 1) > 1"}}
    told = send(designer, "form-preview", content=json.dumps({"components": [endless]})).json
    assert "超出计算上限" in told["problems"][0]


def test_a_new_form_and_a_new_table_begin_as_drafts(designer, session):
    made = designer.post("/designer/grant/begin", data={"kind": "form", "name": "pay_out"})
    assert made.status_code == 303
    assert made.headers["Location"].endswith("/designer/grant/form/forms/pay_out.json")
    made = designer.post("/designer/grant/begin", data={"kind": "dmn", "name": "band"})
    assert designer.get(made.headers["Location"]).status_code == 200
    assert {"forms/pay_out.json", "band.dmn"} <= library.working(session, "grant").keys()
    assert designer.post("/designer/grant/begin", data={"kind": "dmn", "name": "band"}).status_code == 409
    assert designer.post("/designer/grant/begin", data={"kind": "dmn", "name": "../x"}).status_code == 422
    assert designer.post("/designer/grant/begin", data={"kind": "exe", "name": "abc"}).status_code == 422


# ---- trying out


def hidden(answer, name="__scenario"):
    return unescape(re.search(rf'name="{name}" value="([^"]*)"', answer.text)[1])


def act(client, before, act_, **fields):
    return client.post("/designer/grant/record", data={"__act": act_, "__scenario": hidden(before), **fields})


def test_a_scenario_is_recorded_saved_and_run_with_coverage(designer, session):
    page = designer.get("/designer/grant/record")
    assert page.status_code == 200
    began = designer.post(
        "/designer/grant/record", data={"__act": "begin", "__process": "grant", "__name": "amount", "__value": "40"}
    )
    assert "等待“审核”" in words(began)
    refused = act(designer, began, "complete", __element="check", outcome="pass", words="")
    assert refused.status_code == 422
    assert "请填写意见" in words(refused)
    done = act(designer, began, "complete", __element="check", outcome="pass", words="同意", granted="12.5")
    assert "办理“审核”：通过" in words(done)
    assert "等待“等待拨付”" in words(done)
    paid = act(designer, done, "message", __message="grant_paid", __name="on", __value='date("2026-03-09")')
    assert "案件已正常结束" in words(paid)
    saved = act(designer, paid, "save", __title="小额通过", __file="Small one", __check="level")
    assert saved.status_code == 303
    kept = scenario.read(library.working(session, "grant")["scenarios/small_one.json"])
    assert kept.expected.path == ("begin", "level", "check", "passed", "paid", "done")
    assert kept.expected.variables == {"level": "small"}
    shown = designer.get("/designer/grant/scenarios")
    assert "全部通过" in words(shown)
    assert "环节 6 / 9" in words(shown)
    assert "1 / 2 2" in words(shown)  # rules of the table: one of two, number 2 never
    assert "走下来与期望相符" in words(designer.get("/designer/grant/scenario/scenarios/small_one.json"))
    put(designer, **{"grant_level.dmn": dmn().replace(b'"small"</text>', b'"tiny"</text>')})
    changed = designer.get("/designer/grant/scenarios")
    assert "变量 level 应为 “small”，实际为 “tiny”。" in words(changed)


def test_the_clock_steps_and_a_step_is_taken_back(designer):
    began = designer.post("/designer/grant/record", data={"__act": "begin", "__process": "grant"})
    late = act(designer, began, "timer", __element="late")
    assert "时钟 2026-03-06 00:00" in words(late)
    assert "时钟拨到“三个工作日”" in words(late)
    back = act(designer, late, "undo", __keep="0")
    assert "等待“审核”" in words(back)


def test_bad_input_of_a_recording_gets_a_sentence(designer):
    begin = {"__act": "begin", "__process": "grant", "__name": "amount", "__value": "好多"}
    wrong = designer.post("/designer/grant/record", data=begin)
    assert wrong.status_code == 422
    assert "amount：" in words(wrong)
    assert 'value="好多"' in wrong.text  # nothing typed is lost
    began = designer.post("/designer/grant/record", data={"__act": "begin", "__process": "grant"})
    assert act(designer, began, "dance").status_code == 422
    assert "已不在待办中" in words(act(designer, began, "complete", __element="nothing"))
    no_name = act(designer, began, "save", __title=" ")
    assert "请给情景起个名称" in words(no_name)
    garbage = designer.post("/designer/grant/record", data={"__act": "undo", "__scenario": "{", "__process": "grant"})
    assert garbage.status_code == 422
    assert designer.post("/designer/grant/record", data={"__act": "begin", "__process": "no"}).status_code == 404


def test_the_later_save_of_a_scenario_is_told(designer, session):
    began = designer.post("/designer/grant/record", data={"__act": "begin", "__process": "grant"})
    first = act(designer, began, "save", __title="甲", __file="one")
    assert first.status_code == 303
    path = "scenarios/one.json"
    opened = designer.get(f"/designer/grant/scenario/{path}")
    put(designer, **{path: library.working(session, "grant")[path].replace("甲".encode(), "乙".encode())})
    late = act(designer, opened, "save", __title="丙", __path=path, __version=hidden(opened, "__version"))
    assert late.status_code == 409
    assert "先保存了这份草稿" in words(late)
    session.rollback()
    assert "乙".encode() in library.working(session, "grant")[path]


def test_models_with_errors_are_not_tried_but_told(designer):
    put(designer, **{"grant_level.dmn": dmn(policy="NONSENSE")})
    page = designer.get("/designer/grant/scenarios")
    assert page.status_code == 200
    assert "没有命中策略" in words(page)
    assert designer.get("/designer/grant/record").status_code == 303


def test_history_without_cases_says_so(designer):
    assert "还没有办结的案件" in words(designer.get("/designer/grant/history"))
    assert designer.get("/designer/grant/history?process=other").status_code == 404
