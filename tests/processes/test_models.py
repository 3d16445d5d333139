"""Text tied to code: what the models name exists, what exists is named, every clause is a clause of the regulation."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import handlers
from webapp.accounts import roles
from webapp.config import ROOT
from webapp.engine.bpmn import CompiledProcess, Known, compile_bpmn
from webapp.engine.decisions import parse_dmn
from webapp.engine.handler_api import hooks
from webapp.forms import schema
from webapp.registers import regulation

MODELS = sorted((ROOT / "processes").glob("*/*.bpmn"))
handlers.load()


def compiled(path: Path) -> CompiledProcess:
    known = Known(
        topics=frozenset(hooks.handlers),
        forms=frozenset(form.stem for form in path.parent.glob("forms/*.json")),
        validators=frozenset(hooks.validators),
        providers=frozenset(hooks.providers),
        roles=frozenset(roles.ROLES),
        decisions=frozenset(
            decision.key for table in path.parent.glob("*.dmn") for decision in parse_dmn(table.read_bytes())
        ),
    )
    (process,) = compile_bpmn(path.read_bytes(), known=known)
    return process


PROCESSES = {path.stem: compiled(path) for path in MODELS}
ELEMENTS = [element for process in PROCESSES.values() for element in process.elements.values()]


def test_each_model_names_only_what_exists_and_is_named_after_its_file() -> None:
    assert {name: process.info.key for name, process in PROCESSES.items()} == {name: name for name in PROCESSES}
    assert [process.warnings for process in PROCESSES.values()] == [()] * len(PROCESSES)


def test_each_handler_is_used_by_a_model_or_asked_for_by_another_handler() -> None:
    topics = {element.topic for element in ELEMENTS if element.topic}
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "handlers").glob("*.py"))
    asked = set(re.findall(r'ctx\.enqueue\(\s*"([\w.]+)"', code))
    services = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "webapp" / "registers").glob("*.py"))
    asked |= set(re.findall(r'"topic": "([\w.]+)"', services))
    domain = {topic: found for topic, found in hooks.handlers.items() if found.call.__module__.startswith("handlers.")}
    local = {topic for topic, found in domain.items() if not found.external}
    assert local == topics
    assert set(domain) - local == asked


def test_each_validator_provider_form_starter_and_panel_is_used() -> None:
    assert {element.validator for element in ELEMENTS if element.validator} == set(hooks.validators)
    assert {element.provider for element in ELEMENTS if element.provider} == set(hooks.providers)
    forms = {path.stem for path in (ROOT / "processes").glob("*/forms/*.json")}
    filled = {element.form_ref for element in ELEMENTS if element.form_ref}
    sent = {name for element in ELEMENTS if (name := element.properties.get("form"))}  # a questionnaire's questions
    assert filled | sent == forms
    assert set(hooks.starters) <= set(PROCESSES)
    assert set(hooks.panels) <= set(PROCESSES)


@pytest.mark.parametrize("path", sorted((ROOT / "processes").glob("*/forms/*.json")), ids=lambda path: path.stem)
def test_each_form_can_be_rendered(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["id"] == path.stem
    assert schema.check(document) == []


def test_each_task_of_a_person_bears_a_clause_that_the_regulation_has() -> None:
    known = set(regulation.source()["clauses"])
    for element in ELEMENTS:
        assert set(element.clauses) <= known, element.id
        if element.type in ("userTask", "serviceTask", "sendTask", "receiveTask"):
            assert element.clauses, element.id
    assert {"4.6", "4.6.1", "4.6.2", "4.6.3", "4.7"} <= {clause for e in ELEMENTS for clause in e.clauses}


def test_clauses_that_the_code_cites_exist() -> None:
    known = set(regulation.source()["clauses"])
    rules = (
        "filings filing_checks reviews batches membership change_reviews expulsions expelling"
        " expulsion_hearing expulsion_meetings expulsion_withdrawal handovers reconsiderations reversing admission"
        " evaluation_rounds evaluation_units evaluation_scoring"
        " supervision supervision_figures supervision_panel questionnaires spot_checks",
        "publishing corrections objections",
    )
    homes = [(ROOT / "webapp" / room, names) for room, names in zip(("registers", "notices"), rules, strict=True)]
    paths = [room / f"{name}.py" for room, names in homes for name in names.split()]
    for path in [*(ROOT / "handlers").glob("*.py"), *paths]:
        cited = re.findall(r"(?<![\d.])[1-5]\.\d{1,2}(?:\.\d{1,2})?(?![\d.])", _prose(path))
        assert set(cited) <= known, (path, set(cited) - known)


def _prose(path: Path) -> str:
    """Docstrings and sentences in parentheses that speak of clauses; standards' own sections are left out."""
    text = path.read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if "GB" not in line and re.search(r"\(|第 |（", line))


def test_what_the_law_demands_is_guarded() -> None:
    guarded = {(name, e.id) for name, process in PROCESSES.items() for e in process.elements.values() if e.law}
    assert guarded >= {
        ("partner_filing", "prepare_filing"),
        ("enterprise_review", "review"),
        ("publicity_batch", "period"),
        ("publicity_batch", "sign_notice"),
        ("publicity_batch", "publish_notice"),
        ("publicity_batch", "sign_list"),
        ("publicity_batch", "publish_list"),
        ("objection", "decide"),
        ("change_review", "record_review"),
        ("expulsion_review", "gather"),
        ("expulsion_review", "tell"),
        ("expulsion_review", "state_case"),
        ("expulsion_review", "expired"),
        ("expulsion_review", "deliberate"),
        ("expulsion_review", "record_meeting"),
        ("expulsion_review", "sign"),
        ("expulsion_review", "expel"),
        ("expulsion_reconsideration", "deliberate"),
        ("expulsion_reconsideration", "enter_ruling"),
        ("expulsion_reconsideration", "sign"),
        ("expulsion_reconsideration", "take_effect"),
        ("quarterly_evaluation", "approve_indicators"),
        ("quarterly_evaluation", "freeze"),
        ("lead_unit_evaluation", "report"),
        ("lead_unit_evaluation", "order_checks"),
        ("lead_unit_evaluation", "verify_absence"),
        ("lead_unit_evaluation", "state_case"),
        ("lead_unit_evaluation", "settle"),
    }


def test_nobody_signs_or_confirms_what_they_prepared() -> None:
    found = {(name, e.id): e.not_same_as for name, p in PROCESSES.items() for e in p.elements.values() if e.not_same_as}
    assert found == {
        ("partner_filing", "confirm_submission"): ("prepare_filing",),
        ("enterprise_review", "second_review"): ("review",),
        ("publicity_batch", "sign_notice"): ("compose",),
        ("publicity_batch", "sign_list"): ("prepare_list", "confirm_entered"),
        ("objection", "decide"): ("investigate",),
        ("notice_correction", "sign"): ("prepare",),
        ("expulsion_review", "legality"): ("propose", "gather"),
        ("expulsion_review", "sign"): ("draft_decision",),
        ("project_handover", "confirm_handover"): ("hand_over",),
        ("expulsion_reconsideration", "legality"): ("examine",),
        ("expulsion_reconsideration", "sign"): ("draft_decision", "enter_ruling"),
        ("quarterly_evaluation", "approve_indicators"): ("fix_indicators",),
        ("criticism", "decide"): ("gather",),
        ("criticism", "sign"): ("draft",),
        ("criticism", "resolve"): ("assess",),
        ("criticism", "sign_cancel"): ("resolve",),
        ("lead_unit_evaluation", "confirm_submission"): ("report",),
    }


def test_every_element_is_drawn() -> None:
    for path in MODELS:
        model = path.read_text(encoding="utf-8")
        drawn = set(re.findall(r'bpmnElement="([^"]+)"', model))
        process = PROCESSES[path.stem]
        assert {*process.elements, *process.flows} - {process.info.key} <= drawn, path.stem


def test_names_are_chinese() -> None:
    for element in ELEMENTS:
        if element.name:
            assert re.search(r"[\u4e00-\u9fff]", element.name), element.id
