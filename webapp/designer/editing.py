"""What the editor of diagrams offers: roles, forms, clauses, handlers, decisions, processes, what the engine does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from webapp.accounts.roles import ROLES
from webapp.designer import library
from webapp.engine.bpmn import variables, vocabulary
from webapp.engine.decisions import parse_dmn
from webapp.engine.errors import DeploymentRefused, FeelError
from webapp.engine.feel import compile_expression
from webapp.engine.handler_api import Registered, hooks
from webapp.engine.modelset import ModelSet, is_form, read_form, sources
from webapp.engine.tables import decision_definition, process_definition
from webapp.i18n import language
from webapp.registers import regulation

Shape = dict[str, Any]
#: An expression that somebody types; a longer one is no condition.
LONGEST = 4000


def catalogue(session: Session, files: Mapping[str, bytes]) -> Shape:
    """Everything that the panel lets one pick from, as JSON."""
    english = language() == "en"
    return {
        "roles": [{"id": role.id, "name": role.en if english else role.zh} for role in ROLES.values()],
        "clauses": [{"number": n, "words": regulation.clause(n)} for n in regulation.source()["clauses"]],
        "topics": [_topic(name, one) for name, one in sorted(hooks.handlers.items())],
        "validators": sorted(hooks.validators),
        "providers": sorted(hooks.providers),
        "forms": _forms(files),
        "decisions": _decisions(session, files),
        "processes": _processes(session),
        "engine": {
            "unsupported": sorted(vocabulary.UNSUPPORTED),
            "events": {place: sorted(kinds) for place, kinds in vocabulary.DEFINITIONS.items()},
        },
    }


def _topic(name: str, one: Registered) -> Shape:
    return {
        "name": name,
        "words": one.doc.partition("\n\n")[0].replace("\n", " "),
        "external": one.external,
        "inputs": dict(one.inputs),
        "outputs": dict(one.outputs),
    }


def _forms(files: Mapping[str, bytes]) -> list[Shape]:
    """One entry for each form of the folder, by the name that a task refers to it."""
    found = []
    for path, content in files.items():
        if not is_form(path) or library.kind(path) != "form":
            continue
        try:
            schema = orjson.loads(content)
        except orjson.JSONDecodeError:
            schema = {}
        reference = PurePosixPath(path).stem
        title = schema.get("title") if isinstance(schema, dict) else None
        found.append({"id": reference, "name": title or reference, "path": path})
    return found


def _decisions(session: Session, files: Mapping[str, bytes]) -> list[Shape]:
    d = decision_definition.c
    rows = session.execute(select(d.key, d.name).ext(distinct_on(d.key)).order_by(d.key, d.version.desc()))
    found = {row.key: row.name for row in rows}
    for path, content in files.items():
        if library.kind(path) == "dmn":
            try:
                found |= {one.key: one.name for one in parse_dmn(content)}
            except DeploymentRefused:
                continue  # told by the check
    return [{"id": key, "name": name or key} for key, name in sorted(found.items())]


def _processes(session: Session) -> list[Shape]:
    p = process_definition.c
    rows = session.execute(select(p.key, p.name, p.version).ext(distinct_on(p.key)).order_by(p.key, p.version.desc()))
    return [{"id": row.key, "name": row.name, "version": row.version} for row in rows]


def names(files: Mapping[str, bytes], path: str) -> dict[str, list[str]]:
    """Element id -> the variables that it sets; under a process's key: those known from the start."""
    held = ModelSet(files)
    for name, content in files.items():
        if is_form(name):
            read_form(held, name, content)
    found = variables(files[path], sources(held, hooks))
    return {element_id: sorted(known) for element_id, known in found.items() if known}


def judged(source: str) -> Shape:
    """Whether a text is FEEL; `position` (from 0) and a sentence where it is not; the names that it reads."""
    if not source.strip():
        return {"ok": True, "names": []}
    if len(source) > LONGEST:
        source = source[:LONGEST]
    try:
        return {"ok": True, "names": sorted(compile_expression(source).names)}
    except FeelError as error:
        return {"ok": False, "message": error.message, "position": error.detail.get("position")}
