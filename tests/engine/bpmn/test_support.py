"""The table `docs/bpmn-support.md`: every test that it names exists, every construct of the code stands in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.engine.bpmn.helpers import document, line, refused
from webapp.engine.bpmn import vocabulary
from webapp.engine.bpmn.normalise import ACTIVITIES, GATEWAYS

ROOT = Path(__file__).parents[3]
TABLE = (ROOT / "docs" / "bpmn-support.md").read_text(encoding="utf-8")
ROWS = [re.split(r"\s*\|\s*", row.strip("| ")) for row in TABLE.splitlines() if row.startswith("| `")]


def functions(file: Path) -> set[str]:
    return {node.name for node in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)}


def test_every_row_names_a_test_that_exists() -> None:
    assert len(ROWS) > 60
    for construct, what, test in ROWS:
        assert re.match(r"carried out|refused|told|passed|kept", what), construct
        name, function = test.strip("`").split("::")
        file = ROOT / name if "/" in name else Path(__file__).parent / name
        assert function in functions(file), test


def test_a_refused_row_names_a_test_of_refusals() -> None:
    for construct, what, test in ROWS:
        name, function = test.strip("`").split("::")
        file = ROOT / name if "/" in name else Path(__file__).parent / name
        source = next(
            ast.unparse(node)
            for node in ast.parse(file.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef) and node.name == function
        )
        if what.startswith("refused"):
            assert "refused(" in source, construct


def test_every_construct_of_the_code_stands_in_the_table() -> None:
    there = {name for row in ROWS for name in re.findall(r"`([^`]+)`", row[0])}
    events = {f"{place} {kind}" for place, kinds in vocabulary.DEFINITIONS.items() for kind in kinds}
    loops = {"multiInstanceLoopCharacteristics", "standardLoopCharacteristics"}
    assert (ACTIVITIES | GATEWAYS | events | loops | set(vocabulary.UNSUPPORTED)) - there == set()


def test_the_table_promises_no_event_that_the_code_refuses() -> None:
    places = "|".join(vocabulary.DEFINITIONS)
    for construct, what, _test in ROWS:
        for place, kind in re.findall(rf"`({places}) (\w+)`", construct):
            if kind in vocabulary.EVENT_NAMES:
                assert (kind in vocabulary.DEFINITIONS[place]) == (not what.startswith("refused")), construct


def test_an_event_definition_by_reference_is_refused() -> None:
    event = '<intermediateCatchEvent id="c"><eventDefinitionRef>somewhere</eventDefinitionRef></intermediateCatchEvent>'
    assert refused(document(line(event)))["event"] == "c"
