"""What is not carried out is refused when the file is deployed, with the element's id and the reason."""

from __future__ import annotations

import pytest

from webapp.engine.decisions import parse_dmn
from webapp.engine.dmn.reading import MAX_BYTES
from webapp.engine.errors import DeploymentRefused

from .models import NAMESPACE, decision, definitions, literal, requires, table

ONE = [("1", "2")]


@pytest.mark.parametrize(
    ("elements", "element_id", "code"),
    [
        (decision(literal("1 +")), "le", "feel"),
        (decision(table(["x"], ["n"], [("< ", "2")])), "r0c0", "feel"),
        (decision(table(["x"], ["n"], [("1", "2 +")])), "r0c1", "feel"),
        (decision(table(["x ="], ["n"], ONE)), "ie0", "feel"),
        (decision(table(["${x}"], ["n"], ONE)), "ie0", "feel"),
        (decision(table([""], ["n"], ONE)), "in0", "dmn_input"),
        (decision(table(["x"], ["n"], ONE, policy="BEST")), "t", "dmn_hit_policy"),
        (decision(table(["x"], ["n"], ONE, policy="PRIORITY")), "t", "dmn_output_values"),
        (decision(table(["x"], ["n"], ONE, aggregation="SUM")), "t", "dmn_aggregation"),
        (decision(table(["x"], ["n"], ONE, policy="COLLECT", aggregation="AVG")), "t", "dmn_aggregation"),
        (
            decision(table(["x"], ["n", "m"], [("1", "2", "3")], policy="COLLECT", aggregation="SUM")),
            "t",
            "dmn_aggregation",
        ),
        (decision(table(["x"], ["n", "n"], [("1", "2", "3")])), "t", "dmn_output"),
        (decision(table(["x"], [], [("1",)])), "t", "dmn_output"),
        (decision(table(["x", "y"], ["n"], ONE)), "r0", "dmn_rule"),
        (decision(""), "d", "dmn_logic"),
        (decision("<conditional/>"), "d", "dmn_logic"),
        (decision(literal("1", 'expressionLanguage="javascript"')), "le", "dmn_language"),
        (decision(literal("1"), needs=[requires("nowhere")]), "d", "dmn_requirement"),
        (decision(literal("1"), needs=[requires("d")]), "d", "dmn_cycle"),
        (decision(literal("1"), variable='<variable name="d" typeRef="tMissing"/>'), "d", "dmn_type"),
        (decision(literal("1")) + decision(literal("2")), "d", "dmn_id"),
        ('<decision name="a">' + literal("1") + "</decision>", "m", "dmn_id"),
        ("", "m", "dmn_empty"),
        ('<import id="im" namespace="n"/>' + decision(literal("1")), "im", "dmn_import"),
        (
            decision('<functionDefinition id="f" kind="Java">' + literal("1") + "</functionDefinition>"),
            "f",
            "dmn_function",
        ),
        (
            '<itemDefinition id="ty" name="t"><typeRef>number</typeRef><allowedValues><text>&lt;</text></allowedValues>'
            "</itemDefinition>" + decision(literal("1")),
            "ty",
            "feel",
        ),
    ],
)
def test_refused(elements: str, element_id: str, code: str) -> None:
    with pytest.raises(DeploymentRefused) as caught:
        parse_dmn(definitions(elements))
    assert (element_id, code) in [(finding.element_id, finding.code) for finding in caught.value.findings]
    assert all(finding.message for finding in caught.value.findings)


def test_all_faults_of_a_file_are_told_at_once() -> None:
    faulty = decision(table(["x"], ["n"], [("< ", "2"), ("1", "+"), (">", "1")]))
    with pytest.raises(DeploymentRefused) as caught:
        parse_dmn(definitions(faulty, decision(literal("("), key="e")))
    assert [finding.element_id for finding in caught.value.findings] == ["r0c0", "r2c0", "r1c1", "le"]


ENTITY_BOMB = (
    '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    f'<definitions xmlns="{NAMESPACE}"><decision id="d" name="&b;"/></definitions>'
)
EXTERNAL_ENTITY = (
    '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    f'<definitions xmlns="{NAMESPACE}"><decision id="d" name="d"><literalExpression><text>"&x;"</text>'
    "</literalExpression></decision></definitions>"
)


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (b"", "dmn_xml"),
        (b"not xml", "dmn_xml"),
        (b"<definitions/>", "dmn_root"),
        (f'<other xmlns="{NAMESPACE}"/>'.encode(), "dmn_root"),
        (ENTITY_BOMB.encode(), "dmn_dtd"),
        (EXTERNAL_ENTITY.encode(), "dmn_dtd"),
        (EXTERNAL_ENTITY.encode("utf-16"), "dmn_dtd"),
        (b"<!DOCTYPE d SYSTEM 'http://127.0.0.1:9/x.dtd'>" + definitions(decision(literal("1"))), "dmn_dtd"),
        (b"<a>" * 100_000, "dmn_xml"),
        (b" " * (MAX_BYTES + 1), "dmn_size"),
    ],
    ids=["empty", "text", "no namespace", "root", "bomb", "external", "utf-16", "dtd", "depth", "size"],
)
def test_hostile_files_are_refused(xml: bytes, code: str) -> None:
    with pytest.raises(DeploymentRefused) as caught:
        parse_dmn(xml)
    assert [finding.code for finding in caught.value.findings] == [code]


def test_drawings_and_extensions_are_passed_over() -> None:
    extra = '<x:layout xmlns:x="urn:x"><x:decision id="d"/></x:layout><extensionElements/>'
    assert len(parse_dmn(definitions(extra, decision(extra + literal("1"))))) == 1
