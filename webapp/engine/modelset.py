"""The files of a deployment, read, compiled and checked together: what one refers to, another must bring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.engine import duetime
from webapp.engine.bpmn import CompiledProcess, Known, Sources, compile_bpmn, lint
from webapp.engine.bpmn.xml import BPMN, parse_xml
from webapp.engine.decisions import Decision, parse_dmn
from webapp.engine.errors import DeploymentRefused, FeelError
from webapp.engine.feel import compile_expression
from webapp.engine.handler_api import Hooks
from webapp.engine.tables import decision_definition, process_definition
from webapp.engine.types import Finding
from webapp.errors import Invalid

_BPMN, _DMN, _FORM = (".bpmn", ".bpmn20.xml"), (".dmn",), (".json", ".form")


@dataclass(slots=True)
class ModelSet:
    """The files of a deployment, read and compiled."""

    resources: Mapping[str, bytes]
    forms: dict[str, str] = field(default_factory=dict)  # form reference -> resource name
    decisions: dict[str, tuple[Decision, str]] = field(default_factory=dict)
    processes: dict[str, tuple[CompiledProcess, str]] = field(default_factory=dict)
    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)


def check(
    session: Session, resources: Mapping[str, bytes], hooks: Hooks, *, roles: frozenset[str] = frozenset()
) -> ModelSet:
    """Read and compile a set of files without storing anything; findings stand in `errors` and `warnings`."""
    files = ModelSet(resources)
    for name, content in resources.items():
        if is_form(name):
            read_form(files, name, content)
            _check_form(files, name, content, hooks)
        elif name.lower().endswith(_DMN):
            _read_decisions(files, name, content)
    models = {name: content for name, content in resources.items() if name.lower().endswith(_BPMN)}
    known = Known(
        topics=frozenset(hooks.handlers),
        forms=frozenset(files.forms),
        decisions=frozenset(files.decisions) | frozenset(session.scalars(select(decision_definition.c.key).distinct())),
        validators=frozenset(hooks.validators),
        providers=frozenset(hooks.providers),
        processes=_keys(models) | frozenset(session.scalars(select(process_definition.c.key).distinct())),
        roles=roles,
    )
    for name, content in models.items():
        _read_model(files, name, content, known)
    if not files.errors:
        _lint(files, hooks)
    return files


def is_form(name: str) -> bool:
    """Whether a file of a set is a form's schema."""
    return name.lower().endswith(_FORM) and not name.startswith("scenarios/")


def read_form(files: ModelSet, name: str, content: bytes) -> None:
    """Take in a form's schema: it is referred to by its `id` or its file's name without ending."""
    try:
        schema = orjson.loads(content)
    except orjson.JSONDecodeError:
        schema = None
    if not isinstance(schema, dict):
        files.errors.append(Finding(None, "form", f"表单 {name} 不是 JSON 对象。"))
        return
    for reference in {PurePosixPath(name).stem, str(schema.get("id") or "")} - {""}:
        files.forms.setdefault(reference, name)


def _check_form(files: ModelSet, name: str, content: bytes, hooks: Hooks) -> None:
    """Refuse a form that whoever shows forms could not carry out; what is no JSON is told by `read_form`."""
    if hooks.form_check is None or name not in files.forms.values():
        return
    for problem in hooks.form_check(orjson.loads(content)):
        files.errors.append(Finding(None, "form", f"表单 {name}：{problem}"))


def _read_decisions(files: ModelSet, name: str, content: bytes) -> None:
    try:
        for decision in parse_dmn(content):
            files.decisions[decision.key] = (decision, name)
    except DeploymentRefused as error:
        files.errors += error.findings


def _keys(models: Mapping[str, bytes]) -> frozenset[str]:
    keys: set[str] = set()
    for content in models.values():
        try:
            keys.update(str(node.get("id")) for node in parse_xml(content).iter(f"{BPMN}process"))
        except DeploymentRefused:
            continue  # told when the file is compiled
    return frozenset(keys)


def _read_model(files: ModelSet, name: str, content: bytes, known: Known) -> None:
    try:
        compiled = compile_bpmn(content, known=known)
    except DeploymentRefused as error:
        files.errors += error.findings
        return
    for process in compiled:
        files.warnings += process.warnings
        if process.info.key in files.processes:
            files.errors.append(Finding(process.info.key, "twice", f"流程 {process.info.key} 出现在两个文件中。"))
        files.processes[process.info.key] = (process, name)
        files.errors += _untimely(process)


def _lint(files: ModelSet, hooks: Hooks) -> None:
    """What the models should be asked about (`lint`), once all of them can be carried out."""
    known = sources(files, hooks)
    passed = _passed(process for process, _name in files.processes.values())
    for key, (process, _name) in files.processes.items():
        found = lint(process, replace(known, given=passed.get(key, frozenset()), open=key in hooks.starters))
        files.errors += [finding for finding in found if finding.severity == "error"]
        files.warnings += [finding for finding in found if finding.severity == "warning"]


def sources(files: ModelSet, hooks: Hooks) -> Sources:
    """What the forms of a set and the documented handlers bring."""
    fields = {reference: read_keys(orjson.loads(files.resources[name])) for reference, name in files.forms.items()}
    return Sources(fields, {topic: frozenset(handler.outputs) for topic, handler in hooks.handlers.items()})


def _passed(processes: Iterable[CompiledProcess]) -> dict[str, frozenset[str]]:
    """Key of a process -> the variables that call activities of the set give it."""
    found: dict[str, frozenset[str]] = {}
    for process in processes:
        for element in process.elements.values():
            if element.called_key:
                names = frozenset(parameter.name for parameter in element.called_inputs)
                found[element.called_key] = found.get(element.called_key, frozenset()) | names
    return found


def read_keys(schema: Any) -> frozenset[str]:
    """The keys of all fields of a form, those inside groups and lists too."""
    parts = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    own = {schema["key"]} if isinstance(schema, dict) and isinstance(schema.get("key"), str) else set()
    return frozenset(own).union(*(read_keys(part) for part in parts))


def _untimely(process: CompiledProcess) -> list[Finding]:
    findings = []
    for element_id, kind in process.start_elements.items():
        if kind != "timer" or element_id not in process.start_names:
            continue
        try:
            first_start(process.start_names[element_id])
        except Invalid as error:
            findings.append(Finding(element_id, "start_timer", f"定时开始：{error}"))
    return findings


def first_start(written: str) -> duetime.Due:
    """When a timer start event fires first: an ISO 8601 literal, else FEEL without variables. Errors: Invalid."""
    value: Any = written.strip()
    if not value.startswith(("R", "P")) and not value[:4].isdigit():
        value = compile_expression(value).evaluate({}, now=clock.now())
    due = duetime.compute(value, clock.now())
    if due is None:
        raise FeelError(f"“{written}”没有得到时间。")
    return due
