"""Files in the styles of other tools: they open, are reported on truthfully, and lose nothing on the way through.

The five files were drawn for this test after what those tools write: vendor attributes of Camunda 8, Flowable,
Signavio, bpmn.io, Bizagi and SAP; flows without ids; no diagram.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from tests.engine.bpmn.helpers import Run
from webapp.engine.bpmn import normalised, report
from webapp.engine.bpmn.xml import BPMN

FOLDER = Path(__file__).parent / "foreign"
FILES = sorted(FOLDER.iterdir())
#: file -> (element, what becomes of it, code of the finding that says why)
TRUTH: dict[str, set[tuple[str, str, str]]] = {
    "camunda_modeler_zeebe.bpmn": {
        ("Activity_check", "refused", "unknown_extension"),
        ("Activity_check", "refused", "nobody"),
        ("Activity_issue", "refused", "unknown_extension"),
        ("Activity_issue", "refused", "handler"),
    },
    "flowable.bpmn20.xml": {
        ("start", "partly", "vendor"),
        ("apply", "refused", "nobody"),
        ("apply", "refused", "vendor"),
        ("approve", "refused", "nobody"),
        ("approve", "refused", "vendor"),
        ("record", "refused", "handler"),
        ("record", "refused", "vendor"),
        ("sf4", "refused", "juel"),
        ("sf4", "refused", "condition"),
        ("sf5", "refused", "juel"),
        ("sf5", "refused", "condition"),
    },
    "signavio.bpmn": {
        ("sid-s1", "refused", "message_missing"),
        ("sid-s1", "refused", "foreign"),
        ("sid-t1", "carried_out", "foreign"),
        ("sid-t1", "carried_out", "drawn_only"),
        ("sid-f1", "carried_out", "foreign"),
        ("sid-g1", "refused", "unsupported"),
        ("sid-f2", "refused", "flow_end"),
        ("sid-f3", "refused", "flow_end"),
        ("sid-e1", "refused", "unreachable"),
    },
    "bpmn_io_plain.bpmn": set(),
    "bizagi_without_ids.bpmn": {
        ("Id_s", "carried_out", "foreign"),
        ("Id_t", "carried_out", "foreign"),
        ("Id_adhoc", "refused", "unsupported"),
    },
}


def test_every_file_is_here() -> None:
    assert {path.name for path in FILES} == set(TRUTH)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_report_is_true(path: Path) -> None:
    found = report(path.read_bytes())
    told = {(e.element_id, e.status, f.code) for e in found.elements for f in e.findings}
    assert told == TRUTH[path.name]
    assert found.deployable is (path.name == "bpmn_io_plain.bpmn")
    assert all(finding.message.endswith("。") and finding.mend.endswith("。") for finding in found.findings)
    drawn = etree.fromstring(path.read_bytes()).iter(f"{BPMN}*")
    ids = {str(node.get("id")) for node in drawn if str(node.tag).endswith(("Task", "Event", "Gateway", "equenceFlow"))}
    assert ids - {"None"} <= {element.element_id for element in found.elements}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_way_through_loses_nothing(path: Path) -> None:
    """Ids are added where none were; every attribute, foreign element, text and comment is as before."""
    before = etree.fromstring(path.read_bytes())
    after = etree.fromstring(normalised(path.read_bytes()))
    for old, new in zip(before.iter(), after.iter(), strict=True):
        assert (old.tag, old.text, old.tail) == (new.tag, new.text, new.tail)
        added = set(new.attrib) - set(old.attrib)
        assert added == set() or (added == {"id"} and str(new.get("id")).startswith("generated_"))
        assert dict(old.attrib).items() <= dict(new.attrib).items()
    assert before.nsmap == after.nsmap
    assert normalised(normalised(path.read_bytes())) == normalised(path.read_bytes())


def test_what_can_be_deployed_runs_as_drawn() -> None:
    run = Run((FOLDER / "bpmn_io_plain.bpmn").read_bytes())
    run.do("Task_read").deliver("Event_late")
    assert run.open == ["Task_answer"]
    assert run.do("Task_answer").ended == "completed"


def test_the_file_without_ids_runs_once_its_ad_hoc_part_is_gone() -> None:
    root = etree.fromstring((FOLDER / "bizagi_without_ids.bpmn").read_bytes())
    part = next(root.iter(f"{BPMN}adHocSubProcess"))
    holder = part.getparent()
    assert holder is not None
    holder.remove(part)
    run = Run(etree.tostring(root))
    assert run.open == ["Id_t"]
    assert run.do("Id_t").ended in ("completed", "terminated")
    assert {"Id_hand", "Id_book", "Id_join"} <= set(run.ended_elements())
