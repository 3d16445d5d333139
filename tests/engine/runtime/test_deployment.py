"""Deployments: checked as a whole, versions only where something has changed, guarded elements stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.runtime.conftest import Bench
from tests.engine.runtime.models import end, model, start, user
from webapp import db
from webapp.engine import deployment, queries
from webapp.engine.errors import DeploymentRefused
from webapp.errors import NotFound

FORM = b'{"id": "review_form", "components": []}'


def _formed(inner: str = "", attributes: str = "") -> bytes:
    return model(
        "formed",
        start(),
        user("review", f'camunda:formRef="review" {attributes}', inner),
        end(),
        flows="start>review review>end",
    )


def _deploy(bench: Bench, files: dict[str, bytes], *, only_changed: bool = True) -> deployment.DeploymentResult:
    with db.transaction() as session:
        return deployment.deploy(session, "formed", files, hooks=bench.hooks, only_changed=only_changed)


def test_the_same_files_again_make_nothing_new(bench: Bench) -> None:
    files = {"formed.bpmn": _formed(), "forms/review.json": FORM}
    first = _deploy(bench, files)
    assert [d.version for d in first.definitions] == [1]
    again = _deploy(bench, files)
    assert again.id == first.id
    assert [(d.id, d.changed) for d in again.definitions] == [(first.definitions[0].id, False)]
    assert [d.version for d in _deploy(bench, files, only_changed=False).definitions] == [2]


def test_a_changed_form_makes_a_new_version_and_running_instances_keep_theirs(bench: Bench) -> None:
    first = _deploy(bench, {"formed.bpmn": _formed(), "forms/review.json": FORM})
    started = bench.start("formed")
    changed = FORM.replace(b"[]", b'[{"type": "textfield", "key": "words"}]')
    second = _deploy(bench, {"formed.bpmn": _formed(), "forms/review.json": changed})
    assert second.definitions[0].version == 2
    with db.transaction() as session:
        assert queries.instance(session, started.instance_id).definition_id == first.definitions[0].id
        assert deployment.form(session, first.definitions[0].id, "review")["components"] == []
        assert deployment.form(session, second.definitions[0].id, "review_form")["components"][0]["key"] == "words"
        with pytest.raises(NotFound):
            deployment.form(session, second.definitions[0].id, "other")


def test_an_unrelated_file_leaves_the_version_alone(bench: Bench) -> None:
    files = {"formed.bpmn": _formed(), "forms/review.json": FORM}
    first = _deploy(bench, files)
    second = _deploy(bench, files | {"documents/notice.html": b"<p>"})
    assert second.id != first.id
    assert second.definitions[0].id == first.definitions[0].id
    with db.transaction() as session:
        assert deployment.resource(session, second.id, "documents/notice.html") == b"<p>"
        assert deployment.bpmn_xml(session, first.definitions[0].id) == _formed()


def test_all_findings_of_all_files_are_told_at_once(bench: Bench) -> None:
    broken = model("other", start(), '<serviceTask id="s" camunda:topic="nobody"/>', end(), flows="start>s s>end")
    with pytest.raises(DeploymentRefused) as caught:
        _deploy(bench, {"formed.bpmn": _formed(), "other.bpmn": broken, "forms/x.json": b"[]"})
    elements = {finding.element_id for finding in caught.value.findings}
    assert {"review", "s", None} <= elements
    assert bench.rows("select 1 from deployment") == []
    assert bench.rows("select 1 from process_definition") == []


def test_what_the_law_requires_cannot_be_deployed_away(bench: Bench) -> None:
    guarded = 'qianyin:law="true" qianyin:clause="4.6.2"'
    files = {"forms/review.json": FORM}
    _deploy(bench, files | {"formed.bpmn": _formed(attributes=guarded)})
    for unlawful in (
        model("formed", start(), user("other"), end(), flows="start>other other>end"),
        _formed(),
        _formed(attributes='qianyin:law="true" qianyin:clause="4.7"'),
    ):
        with pytest.raises(DeploymentRefused, match=r"review：.*4\.6\.2"):
            _deploy(bench, files | {"formed.bpmn": unlawful})
    _deploy(bench, files | {"formed.bpmn": _formed(attributes=f'{guarded} camunda:priority="70"')})


def test_readers_find_what_the_model_says_in_the_row(bench: Bench) -> None:
    result = _deploy(
        bench,
        {"formed.bpmn": _formed(attributes='qianyin:law="true" qianyin:clause="4.6.2"'), "forms/review.json": FORM},
    )
    with db.transaction() as session:
        row = queries.definition(session, result.definitions[0].id)
        assert queries.latest_definition(session, "formed").id == row.id
    assert row.elements["review"]["clauses"] == ["4.6.2"]
    assert row.elements["review"]["law"] is True
    assert row.elements["review"]["role"] == "office"
    assert row.info["starter_groups"] == ["designer", "manager"]


def test_a_folder_is_a_deployment(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "formed"
    (folder / "forms").mkdir(parents=True)
    (folder / "scenarios").mkdir()
    (folder / "formed.bpmn").write_bytes(_formed())
    (folder / "forms" / "review.json").write_bytes(FORM)
    (folder / "scenarios" / "one.json").write_bytes(b"[]")
    with db.transaction() as session:
        result = deployment.deploy_directory(session, folder, hooks=bench.hooks)
    assert [d.key for d in result.definitions] == ["formed"]
    assert bench.rows("select name from deployment") == [("formed",)]
    assert list(bench.open(bench.start("formed").instance_id)) == ["review"]


def test_a_decision_of_the_deployment_decides(bench: Bench) -> None:
    decision = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="t">
      <decision id="risk" name="risk"><decisionTable id="t" hitPolicy="UNIQUE">
        <input id="i"><inputExpression id="e"><text>amount</text></inputExpression></input>
        <output id="o" name="level"/>
        <rule id="r1"><inputEntry id="a"><text>&lt; 100</text></inputEntry>
          <outputEntry id="b"><text>"{low}"</text></outputEntry></rule>
        <rule id="r2"><inputEntry id="c"><text>&gt;= 100</text></inputEntry>
          <outputEntry id="f"><text>"high"</text></outputEntry></rule>
      </decisionTable></decision></definitions>"""
    process = model(
        "decided",
        start(),
        '<businessRuleTask id="rule" camunda:decisionRef="risk" camunda:resultVariable="risk"'
        ' camunda:mapDecisionResult="singleEntry"/>',
        user("look"),
        end(),
        flows="start>rule rule>look look>end",
    )
    first = {"decided.bpmn": process, "risk.dmn": decision.replace("{low}", "low").encode()}
    _deploy(bench, first)
    started = bench.start("decided", {"amount": 5})
    assert bench.variables(started.instance_id)["risk"] == "low"
    second = _deploy(bench, first | {"risk.dmn": decision.replace("{low}", "tiny").encode()})
    assert second.definitions[0].version == 2
    assert bench.variables(bench.start("decided", {"amount": 5}).instance_id)["risk"] == "tiny"
