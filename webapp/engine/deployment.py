"""Deployments: sets of files that belong together, checked as a whole, then immutable.

A definition gets a new version when its model, a form that it names or a decision of the set has changed. Running
instances keep their version. Elements that the law requires (`qianyin:law`) cannot vanish by a deployment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.engine.bpmn import CompiledProcess
from webapp.engine.errors import DeploymentRefused
from webapp.engine.handler_api import Hooks
from webapp.engine.modelset import ModelSet, check, first_start, is_form, read_form
from webapp.engine.tables import (
    decision_definition,
    deployment,
    deployment_resource,
    event_subscription,
    process_definition,
    timer,
)
from webapp.engine.types import Element, Finding
from webapp.errors import NotFound
from webapp.ids import uuid7

#: Names the advisory lock that lets one deployment go after the other (versions count up without gaps).
_LOCK = 0x51594445504C
#: `source` of what was deployed in the designer.
DESIGNER = "designer"
#: Files of a process folder that are no part of its deployment.
_IGNORED = (".py", ".pyc", ".md", ".toml")


__all__ = [
    "DESIGNER",
    "DeployedDefinition",
    "DeploymentResult",
    "bpmn_xml",
    "check",
    "deploy",
    "deploy_directory",
    "described",
    "designed",
    "form",
    "resource",
    "review",
]


@dataclass(frozen=True, slots=True)
class DeployedDefinition:
    id: UUID
    key: str
    version: int
    changed: bool


@dataclass(frozen=True, slots=True)
class DeploymentResult:
    """`id` is that of an earlier deployment when nothing has changed. `findings` are warnings."""

    id: UUID
    definitions: tuple[DeployedDefinition, ...]
    findings: tuple[Finding, ...] = ()


# ---- deploying


def deploy(
    session: Session,
    name: str,
    resources: Mapping[str, bytes],
    *,
    hooks: Hooks,
    source: str | None = None,
    deployed_by: UUID | None = None,
    comment: str | None = "",
    only_changed: bool = True,
    roles: frozenset[str] = frozenset(),
) -> DeploymentResult:
    """Check and store a set of files, {path inside the set: content}, and make new versions of what has changed.

    `roles`: the known role ids (empty: not checked). Errors: DeploymentRefused with all findings of all files.
    """
    if not resources:
        raise DeploymentRefused([Finding(None, "empty", "没有要部署的文件。")])
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    files = review(session, resources, hooks, roles=roles)
    latest = _latest(session, files.processes)
    if files.errors:
        raise DeploymentRefused(files.errors)
    digests = {key: _digest(files, key) for key in files.processes}
    same = {key for key, row in latest.items() if only_changed and row.digest == digests[key]}
    if only_changed and same == set(files.processes):
        earlier = _earlier(session, resources, latest)
        if earlier is not None:
            kept = tuple(DeployedDefinition(r.id, r.key, r.version, False) for r in latest.values())
            return DeploymentResult(earlier, kept, tuple(files.warnings))
    deployment_id = _store(session, name, resources, source, deployed_by, comment)
    _store_decisions(session, deployment_id, files)
    made = []
    for key, (compiled, resource_name) in files.processes.items():
        row = latest.get(key)
        if key in same and row is not None:
            made.append(DeployedDefinition(row.id, key, row.version, False))
            continue
        version = 1 if row is None else row.version + 1
        made.append(_define(session, deployment_id, compiled, resource_name, version, digests[key]))
    return DeploymentResult(deployment_id, tuple(made), tuple(files.warnings))


def review(
    session: Session, resources: Mapping[str, bytes], hooks: Hooks, *, roles: frozenset[str] = frozenset()
) -> ModelSet:
    """`check`, and what the law forbids to change against the versions deployed now: all that `deploy` would say."""
    files = check(session, resources, hooks, roles=roles)
    latest = _latest(session, files.processes)
    files.errors += [f for key, (new, _) in files.processes.items() for f in _unguarded(new, latest.get(key))]
    return files


def designed(session: Session, name: str) -> bool:
    """Whether the newest deployment of this name was made in the designer: a start of the program leaves it alone."""
    d = deployment.c
    newest = select(d.source).where(d.name == name).order_by(d.deployed_at.desc(), d.id.desc()).limit(1)
    return session.scalar(newest) == DESIGNER


def deploy_directory(
    session: Session,
    path: Path,
    *,
    hooks: Hooks,
    deployed_by: UUID | None = None,
    comment: str | None = "",
    roles: frozenset[str] = frozenset(),
) -> DeploymentResult:
    """Deploy a process folder as one deployment named after it. Errors: DeploymentRefused."""
    resources = {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file() and file.suffix not in _IGNORED and not file.relative_to(path).as_posix().startswith(".")
    }
    return deploy(
        session,
        path.name,
        resources,
        hooks=hooks,
        source="directory",
        deployed_by=deployed_by,
        comment=comment,
        roles=roles,
    )


# ---- versions


def _latest(session: Session, keys: Mapping[str, Any]) -> dict[str, Any]:
    d = process_definition.c
    newest = select(d.key, func.max(d.version).label("version")).where(d.key.in_(list(keys))).group_by(d.key).subquery()
    same = (newest.c.key == d.key) & (newest.c.version == d.version)
    return {row.key: row for row in session.execute(select(process_definition).join(newest, same))}


def _unguarded(new: CompiledProcess, old: Any) -> list[Finding]:
    """Elements that the law requires and that the new version no longer has, or no longer guards."""
    if old is None:
        return []
    findings = []
    for element_id, element in old.elements.items():
        if not element.get("law"):
            continue
        there = new.elements.get(element_id)
        if there is None or not there.law or not set(element.get("clauses", ())) <= set(there.clauses):
            clauses = "、".join(element.get("clauses", ())) or "法定"
            label = element.get("name") or element_id
            findings.append(
                Finding(element_id, "guarded", f"“{label}”是第 {clauses} 条要求的环节，不得删除、换号或去掉标注。")
            )
    return findings


def _digest(files: ModelSet, key: str) -> str:
    """Of everything that decides how this process runs: its file, the forms that it names, the set's decisions."""
    process, name = files.processes[key]
    names = {name, *(resource for _, resource in files.decisions.values())}
    references = (element.form_ref for element in process.elements.values() if element.form_ref)
    names |= {files.forms[reference] for reference in references if reference in files.forms}
    whole = hashlib.sha256()
    for part in sorted(names):
        whole.update(f"{part}\0{hashlib.sha256(files.resources[part]).hexdigest()}\0".encode())
    return whole.hexdigest()


def _earlier(session: Session, resources: Mapping[str, bytes], latest: Mapping[str, Any]) -> UUID | None:
    """The newest deployment that holds exactly these files; None when there is none."""
    wanted = {name: hashlib.sha256(content).hexdigest() for name, content in resources.items()}
    r = deployment_resource.c
    candidates = select(r.deployment_id).where(r.name == min(wanted), r.digest == wanted[min(wanted)])
    for deployment_id in session.scalars(candidates.order_by(r.deployment_id.desc()).limit(5)).all():
        held = session.execute(select(r.name, r.digest).where(r.deployment_id == deployment_id)).all()
        if {row.name: row.digest for row in held} == wanted:
            return cast(UUID, deployment_id)
    return None


# ---- storing


def _store(
    session: Session,
    name: str,
    resources: Mapping[str, bytes],
    source: str | None,
    deployed_by: UUID | None,
    comment: str | None,
) -> UUID:
    deployment_id = uuid7()
    values = {"id": deployment_id, "name": name, "source": source, "comment": comment, "deployed_by": deployed_by}
    session.execute(insert(deployment).values(**values, deployed_at=clock.now()))
    rows = [
        {
            "id": uuid7(),
            "deployment_id": deployment_id,
            "name": path,
            "digest": hashlib.sha256(content).hexdigest(),
            "content": content,
        }
        for path, content in resources.items()
    ]
    if rows:
        session.execute(insert(deployment_resource), rows)
    return deployment_id


def _store_decisions(session: Session, deployment_id: UUID, files: ModelSet) -> None:
    d = decision_definition.c
    for key, (decision, resource_name) in files.decisions.items():
        version = session.scalar(select(func.coalesce(func.max(d.version), 0) + 1).where(d.key == key))
        session.execute(
            insert(decision_definition).values(
                id=uuid7(),
                deployment_id=deployment_id,
                key=key,
                version=version,
                name=decision.name,
                resource_name=resource_name,
            )
        )


def _define(
    session: Session, deployment_id: UUID, compiled: CompiledProcess, resource_name: str, version: int, digest: str
) -> DeployedDefinition:
    definition_id = uuid7()
    info = compiled.info
    session.execute(
        insert(process_definition).values(
            id=definition_id,
            deployment_id=deployment_id,
            key=info.key,
            version=version,
            name=info.name or info.key,
            resource_name=resource_name,
            digest=digest,
            info=asdict(info),
            elements={element.id: described(element) for element in compiled.elements.values()},
            created_at=clock.now(),
        )
    )
    _arm(session, definition_id, compiled)
    return DeployedDefinition(definition_id, info.key, version, True)


def described(element: Element) -> dict[str, Any]:
    """An element as JSON for readers: every field that the model sets, and `role`, its first candidate group."""
    found = {
        f.name: value
        for f in fields(element)
        if f.name not in ("id", "properties") and (value := getattr(element, f.name)) not in (None, "", (), False)
    }
    found = orjson.loads(orjson.dumps(found))
    found["role"] = element.candidate_groups[0] if element.candidate_groups else None
    if element.properties:
        found["properties"] = dict(element.properties)
    return dict(found)


def _arm(session: Session, definition_id: UUID, compiled: CompiledProcess) -> None:
    """The start events of the newest version listen; those of the older ones no longer do."""
    d = process_definition.c
    versions = select(d.id).where(d.key == compiled.info.key)
    for table in (timer, event_subscription):
        session.execute(delete(table).where(table.c.instance_id.is_(None), table.c.definition_id.in_(versions)))
    for element_id, kind in compiled.start_elements.items():
        row = {"id": uuid7(), "definition_id": definition_id, "element_id": element_id}
        name = compiled.start_names.get(element_id)
        if kind == "timer" and name:
            due = first_start(name)
            session.execute(insert(timer).values(**row, due_at=due.at, cycle=due.cycle))
        elif kind in ("message", "signal") and name:
            session.execute(insert(event_subscription).values(**row, kind=kind, name=name, created_at=clock.now()))


# ---- reading


def resource(session: Session, deployment_id: UUID, name: str) -> bytes:
    """A file of a deployment. Errors: NotFound."""
    r = deployment_resource.c
    content = session.scalar(select(r.content).where(r.deployment_id == deployment_id, r.name == name))
    if content is None:
        raise NotFound(f"部署中没有文件 {name}。")
    return bytes(content)


def bpmn_xml(session: Session, definition_id: UUID) -> bytes:
    """The model of a definition version. Errors: NotFound."""
    d = process_definition.c
    row = session.execute(select(d.deployment_id, d.resource_name).where(d.id == definition_id)).one_or_none()
    if row is None:
        raise NotFound(f"没有流程定义 {definition_id}。")
    return resource(session, row.deployment_id, row.resource_name)


_forms: dict[tuple[UUID, str], bytes] = {}
_MOST_FORMS = 1024


def form(session: Session, definition_id: UUID, form_ref: str) -> dict[str, Any]:
    """The schema of a form of that definition version's deployment, a fresh copy. Errors: NotFound."""
    found = _forms.get((definition_id, form_ref))
    if found is None:
        found = _find_form(session, definition_id, form_ref)
        if len(_forms) >= _MOST_FORMS:
            _forms.clear()
        _forms[definition_id, form_ref] = found
    schema: dict[str, Any] = orjson.loads(found)
    return schema


def _find_form(session: Session, definition_id: UUID, form_ref: str) -> bytes:
    d, r = process_definition.c, deployment_resource.c
    rows = session.execute(
        select(r.name, r.content)
        .join(process_definition, d.deployment_id == r.deployment_id)
        .where(d.id == definition_id)
        .order_by(r.name)
    ).all()
    contents = {row.name: bytes(row.content) for row in rows if is_form(row.name)}
    files = ModelSet(contents)
    for name, content in contents.items():
        read_form(files, name, content)
    if form_ref not in files.forms:
        raise NotFound(f"部署中没有表单“{form_ref}”。")
    return contents[files.forms[form_ref]]
