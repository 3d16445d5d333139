"""Trying a process out: the scenarios of a folder with what they cover, recording one step by step, real history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from webapp import access
from webapp.accounts.service import current_actor
from webapp.designer import drafts, library
from webapp.designer.blueprint import DESIGNER, bp
from webapp.designer.model_views import opened
from webapp.designer.scenarios import recording, replaying, running, scenario, service
from webapp.designer.scenarios.running import Outcome
from webapp.designer.scenarios.sandbox import Sandbox, Surroundings, Wait
from webapp.designer.scenarios.scenario import Scenario, Step
from webapp.engine.bpmn.xml import parse_xml
from webapp.engine.handler_api import hooks
from webapp.engine.modelset import ModelSet
from webapp.engine.types import Element
from webapp.errors import Invalid, NotFound, QianyinError
from webapp.forms.parse import Parsed
from webapp.forms.render import cells, error_items, render
from webapp.http import db_session, unit
from webapp.i18n import _

Shape = dict[str, Any]


@bp.get("/<key>/scenarios")
@access.roles(DESIGNER)
def scenarios(key: str) -> str:
    """All scenarios of the folder, run now, with the coverage of elements and rules."""
    session = db_session()
    folder, files = library.folder(session, key), library.working(session, key)
    report = service.run_all(session, files, hooks)
    processes = [_covered(key, files, process, report.coverage) for process in report.coverage.all_elements]
    decisions = [
        {"key": one, "hit": report.coverage.of_decision(one), "missed": _missed(report, one)}
        for one in report.coverage.all_rules
    ]
    return render_template(
        "designer/scenarios.html", folder=folder, report=report, processes=processes, decisions=decisions
    )


def _missed(report: service.Report, decision: str) -> list[int]:
    """The numbers of the rules that no scenario hits."""
    rules = report.coverage.all_rules[decision]
    return [number for number, rule in enumerate(rules, start=1) if rule not in report.coverage.rules]


def _covered(key: str, files: Mapping[str, bytes], process: str, coverage: running.Coverage) -> Shape:
    reached = coverage.elements.get(process, set())
    path = _file_of(files, process)
    return {
        "key": process,
        "count": coverage.of_process(process),
        "missed": sorted(coverage.all_elements[process] - reached),
        "xml_url": url_for("designer.file", key=key, path=path),
        "state": {"done": sorted(reached), "flows": _flows(files[path], reached)},
    }


def _file_of(files: Mapping[str, bytes], process: str) -> str:
    """The file that holds a process."""
    for path, content in files.items():
        if library.kind(path) == "bpmn" and any(
            node.get("id") == process for node in parse_xml(content).iter("{*}process")
        ):
            return path
    raise NotFound(_("本文件夹中没有流程“%(key)s”。", key=process))


def _flows(xml: bytes, reached: set[str]) -> list[str]:
    """The flows whose both ends were reached."""
    flows = parse_xml(xml).iter("{*}sequenceFlow")
    return [str(n.get("id")) for n in flows if n.get("sourceRef") in reached and n.get("targetRef") in reached]


# ---- recording


@dataclass(slots=True)
class Trial:
    """The page of one recording while a request is answered."""

    key: str
    folder: library.Folder
    files: Mapping[str, bytes]
    models: ModelSet
    around: Surroundings
    scenario: Scenario | None = None
    path: str = ""
    version: int = 0
    #: which task's form was refused, and what was sent
    refused: tuple[str, int] | None = None
    parsed: Parsed | None = None
    errors: list[str] = field(default_factory=list)
    start_rows: list[tuple[str, str]] = field(default_factory=list)
    compare: bool = False


def _trial(key: str) -> Trial:
    session = db_session()
    files = library.working(session, key)
    models, around = service.opened(session, files, hooks)
    return Trial(key, library.folder(session, key), files, models, around)


@bp.get("/<key>/record")
@access.roles(DESIGNER)
def record(key: str) -> ResponseReturnValue:
    """Begin a recording: which process, what is given at the start."""
    try:
        trial = _trial(key)
    except Invalid as refused:
        flash(refused.message, "error")
        return redirect(url_for("designer.scenarios", key=key), 303)
    first = key if key in trial.around.processes else next(iter(trial.around.processes), "")
    process = request.args.get("process") or first
    if process not in trial.around.processes:
        raise NotFound(_("本文件夹中没有流程“%(key)s”。", key=process))
    trial.start_rows = [(name, "") for name in trial.around.processes[process].info.start_variables]
    return render_template("designer/record.html", **_begin(trial, process))


@bp.get("/<key>/scenario/<path:path>", endpoint="scenario")
@access.roles(DESIGNER)
def scenario_page(key: str, path: str) -> ResponseReturnValue:
    """A scenario that was saved, run to where it stands, with the first difference from what it expects."""
    _folder, text = opened(key, path, "scenario")
    try:
        trial = _trial(key)
        trial.scenario = scenario.read(text.content)
    except Invalid as refused:
        flash(refused.message, "error")
        return redirect(url_for("designer.scenarios", key=key), 303)
    trial.path, trial.version, trial.compare = path, text.version, True
    return _shown(trial)


@bp.post("/<key>/record")
@access.roles(DESIGNER)
def record_step(key: str) -> ResponseReturnValue:
    """One step of a recording: the scenario so far comes with it, the next page holds the next one."""
    trial = _trial(key)
    act = request.form.get("__act", "")
    trial.path = request.form.get("__path", "")
    trial.version = request.form.get("__version", 0, int)
    try:
        if act == "begin":
            return _began(trial)
        trial.scenario = scenario.read(request.form.get("__scenario", ""))
        if act == "save":
            return _saved(trial)
        _acted(trial, act)
    except Invalid as refused:
        trial.errors.append(refused.message)
    if trial.scenario is None:
        return render_template("designer/record.html", **_begin(trial, request.form.get("__process", ""))), 422
    return _shown(trial)


def _began(trial: Trial) -> ResponseReturnValue:
    process = request.form.get("__process", "")
    if process not in trial.around.processes:
        raise NotFound(_("本文件夹中没有流程“%(key)s”。", key=process))
    trial.start_rows = _typed()
    values = recording.pairs(*_columns(), scenario.BEGINNING)
    trial.scenario = Scenario(process, variables=values)
    return _shown(trial)


def _columns() -> tuple[list[str], list[str]]:
    return request.form.getlist("__name"), request.form.getlist("__value")


def _typed() -> list[tuple[str, str]]:
    return list(zip(*_columns(), strict=False))


def _acted(trial: Trial, act: str) -> None:
    """Errors: Invalid."""
    made = trial.scenario
    assert made is not None
    element = request.form.get("__element", "")
    if act == "undo":
        trial.scenario = replace(made, steps=made.steps[: max(0, request.form.get("__keep", 0, int))])
    elif act == "timer":
        trial.scenario = made.and_then(Step("timer", element))
    elif act in ("message", "signal"):
        values = recording.pairs(*_columns(), made.at)
        trial.scenario = made.and_then(Step(act, request.form.get("__message", ""), values))
    elif act == "results":
        values = {name: value for name, value in recording.pairs(*_columns(), made.at).items() if value is not None}
        key = request.form.get("__key", "")[:200]
        others = {name: value for name, value in made.results.items() if name != key}
        trial.scenario = replace(made, results=others | ({key: values} if values else {}))
    elif act == "complete":
        _completed(trial, element, request.form.get("__nth", 0, int))
    else:
        raise Invalid(_("请求有误，请返回上一页重试。"))


def _completed(trial: Trial, element: str, nth: int) -> None:
    assert trial.scenario is not None
    form = _form(trial, _played(trial, trial.scenario).box, element, nth)
    step, parsed = recording.answered(form, request.form)
    if step is None:
        trial.refused, trial.parsed = (element, nth), parsed
    else:
        trial.scenario = trial.scenario.and_then(step)


def _form(trial: Trial, box: Sandbox | None, element: str, nth: int) -> recording.TaskForm:
    waits = [] if box is None else [wait for wait in box.of("task") if wait.element.id == element]
    if box is None or nth not in range(len(waits)):
        raise Invalid(_("这项任务已不在待办中，请从页面上现有的待办继续。"))
    return recording.task_form(box, waits[nth], trial.models, _refresh_url(trial.key))


def _refresh_url(key: str) -> str:
    return url_for("designer.record_refresh", key=key)


def _played(trial: Trial, made: Scenario) -> Outcome:
    return running.run(made, trial.around) if trial.compare else running.play(made, trial.around)


@bp.post("/<key>/record/refresh")
@access.roles(DESIGNER)
def record_refresh(key: str) -> str:
    """The parts of an open form that hang on the field `changed` (conditional visibility)."""
    trial = _trial(key)
    trial.scenario = scenario.read(request.form.get("__scenario", ""))
    box = running.play(trial.scenario, trial.around).box
    form = _form(trial, box, request.form.get("__element", ""), request.form.get("__nth", 0, int))
    _step, parsed = recording.answered(form, request.form)
    return str(cells(form.schema, parsed.data, form.environment, request.args.get("changed", ""), parsed.sent_rows))


def _saved(trial: Trial) -> ResponseReturnValue:
    """Keep the recording as a draft. Errors: Invalid, StaleSave."""
    made, name = trial.scenario, request.form.get("__title", "").strip()
    assert made is not None
    if not name:
        raise Invalid(_("请给情景起个名称。"))
    session = db_session()
    try:
        kept = running.recorded(made, trial.around, name[:200], request.form.getlist("__check"))
    except QianyinError as error:
        raise Invalid(_("不能保存：%(why)s", why=str(error))) from error
    kept = replace(kept, clause=request.form.get("__clause", "").strip()[:40])
    path = trial.path or service.path_of(request.form.get("__file", ""), trial.files)
    try:
        drafts.save(session, current_actor(), trial.key, path, scenario.write(kept), trial.version)
    except drafts.StaleSave as stale:
        unit().rollback()
        trial.errors.append(stale.message)
        return _shown(trial, 409)
    flash(_("情景“%(name)s”已存入草稿。", name=name), "success")
    return redirect(url_for("designer.scenarios", key=trial.key), 303)


# ---- what the page shows


def _begin(trial: Trial, process: str) -> Shape:
    return {"trial": trial, "process": process, "processes": trial.around.processes, "rows": trial.start_rows}


def _shown(trial: Trial, status: int = 0) -> ResponseReturnValue:
    made = trial.scenario
    assert made is not None
    outcome = _played(trial, made)
    box = outcome.box
    shape: Shape = _begin(trial, made.process) | {
        "scenario": made,
        "written": scenario.write(made).decode(),
        "outcome": outcome,
        "steps": [_told(trial, step) for step in made.steps],
        "given": recording.rows_of(made.variables),
    }
    if box is not None:
        shape |= _standing(trial, made, box)
    status = status or (422 if trial.errors or trial.parsed is not None else 200)
    return render_template("designer/record.html", **shape), status


def _standing(trial: Trial, made: Scenario, box: Sandbox) -> Shape:
    """Where the case stands: what may be done now, the way that it came, its variables."""
    path = _file_of(trial.files, made.process)
    reached = box.reached.get(made.process, set())
    active = {wait.element.id: 1 for wait in box.waits.values() if wait.kind != "incident"}
    incidents = {wait.element.id: 1 for wait in box.of("incident")}
    first = trial.refused or next(((w.element.id, 0) for w in box.of("task")), None)
    return {
        "box": box,
        "state": {
            "done": sorted(reached - set(active)),
            "flows": _flows(trial.files[path], reached),
            "active": active,
            "incidents": incidents,
        },
        "xml_url": url_for("designer.file", key=trial.key, path=path),
        "tasks": [_task(trial, box, wait, first) for wait in box.of("task")],
        "timers": [(wait, running.moment(wait.due)) for wait in box.timers()],
        "messages": box.of("message") + box.of("signal"),
        "incidents": box.of("incident"),
        "way": [running.label(box, step) for step in box.path],
        "now": running.moment(box.at),
        "variables": recording.rows_of(box.variables()),
        "doubles": recording.doubles(box, made),
        "state_words": running.STATE_WORDS[box.state],
        "standing": running.standing(box),
    }


def _task(trial: Trial, box: Sandbox, wait: Wait, first: tuple[str, int] | None) -> Shape:
    form = recording.task_form(box, wait, trial.models, _refresh_url(trial.key))
    sent = trial.parsed if trial.refused == (wait.element.id, form.nth) else None
    errors = sent.errors if sent is not None else {}
    data = {**form.environment.initial, **sent.data} if sent is not None else form.data
    return {
        "element": wait.element,
        "nth": form.nth,
        "due": running.moment(wait.due),
        "html": render(form.schema, data, errors, form.environment) if form.schema.components else Markup(""),
        "errors": error_items(form.schema, errors),
        "outcomes": wait.element.outcomes,
        "open": first == (wait.element.id, form.nth),
    }


def _told(trial: Trial, step: Step) -> str:
    """A step in words."""
    process = trial.around.processes.get(trial.scenario.process if trial.scenario else "")
    element = (process.elements.get(step.name) if process else None) or Element(step.name, "")
    name = element.name or step.name
    if step.verb == "complete":
        label = next((one.label for one in element.outcomes if one.value == step.outcome), step.outcome or "")
        return _("办理“%(name)s”：%(label)s", name=name, label=label) if label else _("办理“%(name)s”", name=name)
    if step.verb == "timer":
        return _("时钟拨到“%(name)s”", name=name)
    return _("送达消息“%(name)s”", name=step.name)


# ---- real history


@bp.get("/<key>/history")
@access.roles(DESIGNER)
def replayed(key: str) -> ResponseReturnValue:
    """The last finished cases of a process on the drafts: which would have taken another path."""
    session = db_session()
    folder, files = library.folder(session, key), library.working(session, key)
    first = key if key in folder.processes else next(iter(folder.processes), "")
    process = request.args.get("process") or first
    if process not in folder.processes:
        raise NotFound(_("本文件夹中没有流程“%(key)s”。", key=process))
    last = min(max(request.args.get("last", 20, int), 1), replaying.MOST)
    try:
        found = replaying.replay(session, files, hooks, process, last=last)
    except Invalid as refused:
        flash(refused.message, "error")
        return redirect(url_for("designer.scenarios", key=key), 303)
    return render_template("designer/history.html", folder=folder, process=process, found=found, last=last)
