"""Nothing of a file is lost in silence: whatever is not carried out is refused or told."""
# ruff: noqa: E501  # models read better unbroken

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import etree

from tests.engine.bpmn.helpers import compiled, document, flow, line, refused, user
from webapp.engine.bpmn import Known, compile_bpmn, report
from webapp.engine.bpmn.mending import MENDS
from webapp.engine.bpmn.xml import BPMN

ROOT = Path(__file__).parents[3]
MODELS = sorted((ROOT / "processes").glob("*/*.bpmn"))


def told(xml: bytes) -> set[tuple[str, str | None, str]]:
    return {(f.code, f.element_id, f.severity) for f in report(xml).findings}


@pytest.mark.parametrize("kind", ["sequenceFlow", "userTask"])
def test_an_element_that_stands_where_none_may_be_is_refused(kind: str) -> None:
    """Mutated files of our own: a flow or task is moved into a lane, a task, the document itself."""
    root = etree.fromstring(MODELS[-1].read_bytes())
    moved = next(root.iter(BPMN + kind))
    for target in (next(root.iter(f"{BPMN}lane")), next(root.iter(f"{BPMN}serviceTask")), root):
        target.append(moved)
        refusal = refused(etree.tostring(root), Known.anything())
        assert str(moved.get("id")) in {refusal.get("lost"), refusal.get("unsupported"), refusal.get("flow_end")}


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_every_flow_and_element_of_our_models_is_built(path: Path) -> None:
    root = etree.fromstring(path.read_bytes())
    drawn = {
        str(node.get("id"))
        for node in root.iter(f"{BPMN}*")
        if re.search(r"(Task|Event|Gateway|ubProcess|Flow|callActivity|}task)$", str(node.tag))
        and "message" not in str(node.tag)
    }
    built = {
        name
        for process in compile_bpmn(path.read_bytes(), known=Known.anything())
        for name in (*process.elements, *process.flows)
    }
    assert drawn == built


def test_nothing_that_the_standard_allows_on_an_element_is_dropped_unseen() -> None:
    xml = document(
        line(
            user("a", '<performer id="x"/>'),
            '<serviceTask id="b" camunda:topic="t" operatonRef="typo"/>',
            user("c", "<dataInputAssociation><targetRef>zz</targetRef></dataInputAssociation>"),
            '<serviceTask id="d" camunda:topic="t" xmlns:fl="http://flowable.org/bpmn" fl:class="a.B"/>',
            '<task id="e1" xmlns:s="http://www.signavio.com" s:colour="red"/>',
        )
    )
    assert told(xml) == {
        ("not_carried_out", "a", "warning"),
        ("unknown_plain", "b", "warning"),
        ("drawn_only", "c", "info"),
        ("vendor", "d", "warning"),
        ("foreign", "e1", "info"),
    } | {("handler", name, "warning") for name in "bd"}
    assert {warning.element_id for warning in compiled(xml).warnings} == {"a", "b", "d"}


def test_pools_message_flows_and_lanes_that_point_nowhere_are_told() -> None:
    pools = (
        '<collaboration id="co"><participant id="p1" processRef="p"/><participant id="p2" processRef="ghost"/><participant id="p3" name="外部"/>'
        '<messageFlow id="mf" sourceRef="u" targetRef="p3"/><messageFlow id="mf2" sourceRef="u" targetRef="nobody"/></collaboration>'
        '<process id="q"><task id="qt"/></process>'
    )
    lane = '<laneSet id="ls"><lane id="office"><flowNodeRef>u</flowNodeRef><flowNodeRef>gone</flowNodeRef></lane></laneSet>'
    assert told(document(lane + line(user("u")), extra=pools)) == {
        ("pool", "p2", "warning"),
        ("drawn_only", "mf", "info"),
        ("drawn_only", "mf2", "info"),
        ("flow_end", "mf2", "warning"),
        ("not_executable", "q", "warning"),
        ("lane", "office", "warning"),
    }


def test_the_report_tells_of_every_element_what_becomes_of_it() -> None:
    found = report(
        document(
            line(user("u"), '<userTask id="n"/>') + '<complexGateway id="x"/>',
            '<process id="q"><task id="qt"/></process>',
        )
    )
    assert not found.deployable
    assert {element.element_id for element in found.of("refused")} == {"n", "x"}
    assert {element.element_id for element in found.of("not_executed")} == {"qt"}
    assert {"u", "s", "e"} <= {element.element_id for element in found.of("carried_out")}


@pytest.mark.parametrize("xml", [b"", b"<a", b"<a/>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "不是".encode()])
def test_a_report_of_what_is_no_model_is_a_finding(xml: bytes) -> None:
    found = report(xml)
    assert not found.deployable
    assert found.elements == ()
    assert all(finding.message.endswith("。") and finding.mend for finding in found.findings)


def test_a_model_that_was_deployed_before_a_check_existed_still_runs() -> None:
    xml = document(line(user("u", attributes='startQuantity="2"')))
    assert refused(xml) == {"unsupported": "u"}
    assert "u" in compile_bpmn(xml, known=Known.deployed())[0].elements


def test_every_code_says_how_to_mend_it() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "webapp/engine/bpmn").glob("*.py"))
    calls = r"(?:error|warning|info|unknown|refuse)\(\s*(?:known, )?[^,\"]+,\s*\"(\w+)\""
    assert set(re.findall(calls, sources)) - set(MENDS) == set()
    assert len(re.findall(calls, sources)) > 80


def test_flows_of_a_link_and_without_ids_are_counted() -> None:
    body = line(user("u"))
    assert len(compiled(document(re.sub(r'<sequenceFlow id="[^"]+"', "<sequenceFlow", body))).flows) == 2
    assert flow("a", "b") not in body
