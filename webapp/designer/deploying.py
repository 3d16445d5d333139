"""From the table to what runs: deploying a folder's working set, and what that does to the cases under way."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from webapp.accounts.roles import ROLES
from webapp.audit import service as audit
from webapp.designer import library
from webapp.designer.models import DesignDraft
from webapp.engine import deployment
from webapp.engine.bpmn import CompiledProcess, Execution
from webapp.engine.handler_api import Actor, hooks
from webapp.engine.host import StepHost
from webapp.engine.runtime import engine
from webapp.engine.tables import process_definition, process_instance
from webapp.errors import Conflict, Invalid
from webapp.i18n import _

_i, _p = process_instance.c, process_definition.c
#: How many running cases are looked into one by one before deployment; more are counted only.
MOST = 300


@dataclass(slots=True)
class Standing:
    """The running cases of one version. `tokens`: (element id, name) -> how many stand there."""

    key: str
    name: str
    version: int
    running: int
    tokens: Counter[tuple[str, str]] = field(default_factory=Counter)
    movable: int = 0
    held: Counter[str] = field(default_factory=Counter)  # sentence -> how many cases cannot move for it
    unseen: int = 0


def mark(files: Mapping[str, bytes]) -> str:
    """A digest of a working set: what one has looked at is what gets deployed."""
    whole = hashlib.sha256()
    for path in sorted(files):
        whole.update(f"{path}\0{hashlib.sha256(files[path]).hexdigest()}\0".encode())
    return whole.hexdigest()


def deploy(session: Session, actor: Actor, key: str, comment: str, seen: str) -> deployment.DeploymentResult:
    """Deploy the working set that `seen` marks; its drafts are no longer drafts.

    Errors: Invalid (no comment), Conflict (it has changed since), DeploymentRefused with all findings, NotFound.
    """
    if not comment.strip():
        raise Invalid(_("请写明这次改了什么。"), fields={"comment": _("请写明这次改了什么。")})
    session.execute(select(DesignDraft.path).where(DesignDraft.folder == key).with_for_update())
    files = library.working(session, key)
    if mark(files) != seen:
        raise Conflict(_("草稿在您查看之后又有改动，没有部署。请看过新的内容再部署。"))
    result = deployment.deploy(
        session,
        key,
        files,
        hooks=hooks,
        source=deployment.DESIGNER,
        deployed_by=actor.id,
        comment=comment.strip()[:2000],
        roles=frozenset(ROLES),
    )
    session.execute(delete(DesignDraft).where(DesignDraft.folder == key))
    made = {one.key: one.version for one in result.definitions if one.changed}
    audit.record(session, "deployment.create", actor, subject=key, reason=comment.strip()[:2000], detail=made)
    return result


def impact(session: Session, key: str, compiled: Mapping[str, CompiledProcess]) -> list[Standing]:
    """Where the running cases of the folder's processes stand, and which could go on in the versions given."""
    keys = list({*library.folder(session, key).processes, *compiled})
    rows = session.execute(
        select(_i.definition_id, _p.key, _p.name, _p.version, _p.elements, func.count().label("running"))
        .join(process_definition, _p.id == _i.definition_id)
        .where(_i.status == "active", _p.key.in_(keys))
        .group_by(_i.definition_id, _p.id)
        .order_by(_p.key, _p.version.desc())
    )
    return [_standing(session, row, compiled.get(row.key)) for row in rows]


def _standing(session: Session, row: Any, new: CompiledProcess | None) -> Standing:
    found = Standing(row.key, row.name, row.version, row.running)
    definition = engine().definitions.get(session, row.definition_id)
    where = (_i.definition_id == row.definition_id, _i.status == "active")
    for state, tokens in session.execute(select(_i.state, _i.tokens).where(*where).order_by(_i.id).limit(MOST)):
        for token in tokens:
            element = row.elements.get(token["element_id"]) or {}
            found.tokens[token["element_id"], element.get("name") or token["element_id"]] += 1
        if new is None:
            found.held[_("新的部署里没有这个流程。")] += 1
            continue
        execution = Execution.load(definition.compiled, bytes(state), StepHost())
        reasons = execution.hindrances(new, {})
        found.movable += not reasons
        for sentence in {one.message for one in reasons}:
            found.held[sentence] += 1
    found.unseen = max(0, row.running - MOST)
    return found


@dataclass(frozen=True, slots=True)
class Candidate:
    """A running case on an older version. `missing`: elements where it stands and that the new version lacks."""

    id: UUID
    number: str
    process: str
    version: int
    target: UUID
    target_version: int
    stands: str
    reasons: tuple[str, ...]


def candidates(session: Session, key: str) -> tuple[list[Candidate], dict[str, tuple[Any, Any]]]:
    """The cases on older versions, at most 300; and by process, what its old elements and its newest version hold."""
    found: list[Candidate] = []
    elements: dict[str, tuple[Any, Any]] = {}
    for process in sorted(library.folder(session, key).processes):
        newest = session.execute(
            select(process_definition).where(_p.key == process).order_by(_p.version.desc()).limit(1)
        ).one()
        new = engine().definitions.get(session, newest.id).compiled
        rows = session.execute(
            select(_i.id, _i.business_key, _i.tokens, _i.state, _i.definition_id, _p.version, _p.elements, _p.name)
            .join(process_definition, _p.id == _i.definition_id)
            .where(_i.status == "active", _p.key == process, _p.version < newest.version)
            .order_by(_p.version, _i.id)
            .limit(MOST)
        )
        for row in rows:
            old = engine().definitions.get(session, row.definition_id).compiled
            reasons = Execution.load(old, bytes(row.state), StepHost()).hindrances(new, {})
            for reason in reasons:
                elements.setdefault(process, ({}, newest.elements))[0][reason.element_id] = row.elements.get(
                    reason.element_id, {}
                )
            names = (row.elements.get(t["element_id"], {}).get("name") or t["element_id"] for t in row.tokens)
            found.append(
                Candidate(
                    row.id,
                    row.business_key or str(row.id)[-12:],
                    row.name,
                    row.version,
                    newest.id,
                    newest.version,
                    "、".join(dict.fromkeys(names)),
                    tuple(one.message for one in reasons),
                )
            )
    return found, elements


def belongs(session: Session, key: str, instance_id: UUID) -> bool:
    """Whether a case is one of the folder's processes."""
    process = session.scalar(select(_i.definition_key).where(_i.id == instance_id))
    return process in library.folder(session, key).processes
