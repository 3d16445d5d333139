"""The scenarios of a set of files: read, run, and told; for the page, for the tests and before a deployment."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import Final

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.designer.scenarios import scenario as files
from webapp.designer.scenarios.running import Coverage, Outcome, run
from webapp.designer.scenarios.sandbox import Surroundings
from webapp.engine import modelset
from webapp.engine.decisions import Decision
from webapp.engine.definitions import Definitions
from webapp.engine.handler_api import Hooks
from webapp.engine.tables import decision_definition
from webapp.engine.types import Finding
from webapp.errors import Invalid, NotFound, QianyinError
from webapp.i18n import _
from webapp.ids import uuid7

FOLDER: Final = "scenarios/"
MAX_SECONDS: Final = 30.0  # for all scenarios of a folder
_decisions = Definitions()


@dataclass(slots=True)
class Result:
    """One scenario file. `difference`: what differs from what it expects, or why it cannot be run; None: passed."""

    path: str
    name: str
    process: str
    clause: str
    difference: str | None
    outcome: Outcome | None = None
    #: it speaks of the registers, not of one process: run by the tests of the whole product, not here
    elsewhere: bool = False

    @property
    def passed(self) -> bool:
        return self.difference is None and not self.elsewhere


@dataclass(slots=True)
class Report:
    """All scenarios of a set of files. `refused`: why the files cannot be run at all."""

    results: list[Result] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)
    refused: list[Finding] = field(default_factory=list)

    @property
    def passed(self) -> int:
        return sum(result.passed for result in self.results)

    @property
    def failed(self) -> list[Result]:
        return [result for result in self.results if not result.passed and not result.elsewhere]


def surroundings(session: Session, models: modelset.ModelSet, hooks: Hooks) -> Surroundings:
    """What scenarios run in: these files; decisions of other folders as they are deployed."""
    return Surroundings(
        hooks,
        decision=partial(_deployed, session),
        processes={key: process for key, (process, _name) in models.processes.items()},
        decisions={key: decision for key, (decision, _name) in models.decisions.items()},
    )


def _deployed(session: Session, key: str) -> Decision:
    """The latest deployed decision of that key. Errors: NotFound."""
    d = decision_definition.c
    if session.scalar(select(d.id).where(d.key == key).limit(1)) is None:
        raise NotFound(_("没有决策“%(key)s”。", key=key))
    return _decisions.decision(session, uuid7(), key)


def run_all(session: Session, resources: Mapping[str, bytes], hooks: Hooks) -> Report:
    """Run every scenario of a set of files (path inside the folder -> content), drafts or deployed.

    Nothing is written and nothing is raised: files that cannot be compiled are told in `refused`.
    """
    models = modelset.check(session, resources, hooks)
    if models.errors:
        return Report([_unread(path, content) for path, content in _scenarios(resources)], refused=models.errors)
    around = surroundings(session, models, hooks)
    report = Report(coverage=Coverage.of(around))
    stop_at = time.monotonic() + MAX_SECONDS
    for path, content in _scenarios(resources):
        late = time.monotonic() > stop_at
        result = _one(path, content, around) if not late else _unread(path, content, _("情景太多，没有运行到这里。"))
        report.results.append(result)
        if result.outcome is not None:
            report.coverage.merge(result.outcome.coverage)
    return report


def _scenarios(resources: Mapping[str, bytes]) -> list[tuple[str, bytes]]:
    found = ((path, content) for path, content in resources.items() if path.startswith(FOLDER))
    return sorted((path, content) for path, content in found if path.endswith(".json"))


def _unread(path: str, content: bytes, why: str | None = None) -> Result:
    result = _opened(path, content)
    if not result.elsewhere and result.difference is None:
        result.difference = why or _("模型有错误，无法运行。")
    return result


def _opened(path: str, content: bytes) -> Result:
    """The file's head, as far as it can be read."""
    try:
        document = orjson.loads(content) if len(content) <= files.MAX_BYTES else None
    except orjson.JSONDecodeError:
        document = None
    named = document if isinstance(document, dict) else {}
    name = str(named.get("name") or PurePosixPath(path).stem)
    elsewhere = isinstance(document, dict) and not files.is_scenario(document) and "given" in document
    return Result(path, name, str(named.get("process") or ""), str(named.get("clause") or ""), None, None, elsewhere)


def _one(path: str, content: bytes, around: Surroundings) -> Result:
    result = _opened(path, content)
    if result.elsewhere:
        return result
    try:
        result.outcome = run(files.read(content), around)
        result.difference = result.outcome.difference
    except QianyinError as error:
        result.difference = str(error)
    return result


def opened(session: Session, resources: Mapping[str, bytes], hooks: Hooks) -> tuple[modelset.ModelSet, Surroundings]:
    """The compiled files and what scenarios run in. Errors: Invalid, when the files have errors."""
    models = modelset.check(session, resources, hooks)
    if models.errors:
        words = "；".join(finding.message.rstrip("。") for finding in models.errors[:3])
        raise Invalid(_("模型有 %(n)s 处错误，先改正再试运行：%(words)s。", n=len(models.errors), words=words))
    return models, surroundings(session, models, hooks)


def prepared(session: Session, resources: Mapping[str, bytes], hooks: Hooks) -> Surroundings:
    """What scenarios run in. Errors: Invalid, when the files have errors."""
    return opened(session, resources, hooks)[1]


def path_of(name: str, taken: Collection[str]) -> str:
    """A free path for a new scenario: `scenarios/<name or number>.json`."""
    stem = re.sub(r"[^a-z0-9_-]+", "_", name.lower(), flags=re.ASCII).strip("_-")[:60] or "scenario"
    found, number = f"{FOLDER}{stem}.json", 1
    while found in taken:
        number += 1
        found = f"{FOLDER}{stem}_{number}.json"
    return found
