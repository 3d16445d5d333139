"""The library of definitions: folders of files, what is deployed of them and when, what runs on each version.

A folder is a deployment's name (`partner_filing`); its working set is the newest deployment with the drafts over it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts.models import Account
from webapp.audit import service as audit
from webapp.designer.models import DesignDraft, DesignFolder
from webapp.engine.handler_api import Actor
from webapp.engine.tables import deployment, deployment_resource, process_definition, process_instance
from webapp.errors import Conflict, Invalid, NotFound
from webapp.i18n import _

_KEY = re.compile(r"[a-z][a-z0-9_]{1,59}", re.ASCII)
_d, _r, _p, _i = deployment.c, deployment_resource.c, process_definition.c, process_instance.c


@dataclass(frozen=True, slots=True)
class Held:
    """One file of a folder. `state`: deployed | changed | new | removed; `version`: of its draft, 0 without one."""

    path: str
    state: str
    version: int
    updated_at: datetime | None = None
    updated_by: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """One deployment of a folder. `definitions`: rows (id, key, name, version) that it made, with running cases."""

    id: UUID
    at: datetime
    author: str
    comment: str
    definitions: tuple[tuple[UUID, str, str, int, int], ...]

    @property
    def label(self) -> str:
        return "、".join(_("第 %(n)s 版", n=version) for version in sorted({one[3] for one in self.definitions}))


@dataclass(frozen=True, slots=True)
class Folder:
    """`deployment_id`: the newest deployment, None before the first; `processes`: key -> name of its newest version."""

    key: str
    title: str
    deployment_id: UUID | None
    deployed_at: datetime | None
    retired_at: datetime | None
    drafts: int
    processes: Mapping[str, str] = field(default_factory=dict)
    running: int = 0


def folder(session: Session, key: str) -> Folder:
    """One folder. Errors: NotFound."""
    found = next((one for one in folders(session) if one.key == key), None)
    if found is None:
        raise NotFound(_("流程库中没有“%(key)s”。", key=key))
    return found


def folders(session: Session) -> list[Folder]:
    """All folders by title: those deployed, those that only have drafts or a name."""
    newest = {row.name: row for row in session.execute(_newest())}
    named = {one.key: one for one in session.scalars(select(DesignFolder))}
    drafts = Counter(session.scalars(select(DesignDraft.folder)))
    names, running = _processes(session), _running(session)
    found = []
    for key in sorted({*newest, *named, *drafts}):
        row, own, processes = newest.get(key), named.get(key), names.get(key, {})
        title = own.title if own and own.title else processes.get(key) or next(iter(processes.values()), key)
        count = sum(running.get(process, 0) for process in processes)
        at, id = (row.deployed_at, row.id) if row is not None else (None, None)
        found.append(Folder(key, title, id, at, own.retired_at if own else None, drafts[key], processes, count))
    return sorted(found, key=lambda one: (one.retired_at is not None, one.title))


def _newest() -> Any:
    """The newest deployment of each name; names with a slash come from clients, and are no folders."""
    rows = select(deployment).ext(distinct_on(_d.name)).where(_d.name.not_like("%/%"), _d.name != "")
    return rows.order_by(_d.name, _d.deployed_at.desc(), _d.id.desc())


def _processes(session: Session) -> dict[str, dict[str, str]]:
    """Folder -> {key of a process: name}, by the newest version of each process."""
    newest = select(_p.key, _p.name, _p.deployment_id).ext(distinct_on(_p.key)).order_by(_p.key, _p.version.desc())
    part = newest.subquery()
    rows = session.execute(
        select(part.c.key, part.c.name, _d.name.label("folder")).join(deployment, _d.id == part.c[2])
    )
    found: dict[str, dict[str, str]] = {}
    for key, name, where in rows:
        found.setdefault(where, {})[key] = name
    return found


def _running(session: Session) -> dict[str, int]:
    rows = select(_i.definition_key, func.count()).where(_i.status == "active").group_by(_i.definition_key)
    return dict(session.execute(rows).all())


def versions(session: Session, key: str) -> list[Version]:
    """The deployments of a folder that made a version of something, newest first, with who, why and what runs."""
    count = select(_i.definition_id, func.count()).where(_i.status == "active").group_by(_i.definition_id)
    running: dict[UUID, int] = dict(session.execute(count).all())
    made: dict[UUID, list[tuple[UUID, str, str, int, int]]] = {}
    rows = select(_p.id, _p.key, _p.name, _p.version, _p.deployment_id).join(deployment, _d.id == _p.deployment_id)
    for row in session.execute(rows.where(_d.name == key).order_by(_p.key)):
        one = (row.id, row.key, row.name, row.version, running.get(row.id, 0))
        made.setdefault(row.deployment_id, []).append(one)
    authors = select(deployment, Account.name.label("author")).outerjoin(Account, Account.id == _d.deployed_by)
    found = session.execute(authors.where(_d.name == key).order_by(_d.deployed_at.desc(), _d.id.desc()))
    return [
        Version(row.id, row.deployed_at, row.author or _("随程序部署"), row.comment or "", tuple(made.get(row.id, ())))
        for row in found
    ]


# ---- files


def deployed(session: Session, deployment_id: UUID | None) -> dict[str, bytes]:
    """The files of a deployment; none for None."""
    rows = session.execute(select(_r.name, _r.content).where(_r.deployment_id == deployment_id).order_by(_r.name))
    return {row.name: bytes(row.content) for row in rows}


def working(session: Session, key: str) -> dict[str, bytes]:
    """The folder as it would be deployed now: the newest deployment with the drafts over it. Errors: NotFound."""
    files = deployed(session, folder(session, key).deployment_id)
    for draft in session.scalars(select(DesignDraft).where(DesignDraft.folder == key)):
        if draft.content is None:
            files.pop(draft.path, None)
        else:
            files[draft.path] = bytes(draft.content)
    return dict(sorted(files.items()))


def listing(session: Session, key: str) -> list[Held]:
    """Every file of the folder and of its drafts, by path. Errors: NotFound."""
    before = deployed(session, folder(session, key).deployment_id)
    statement = select(DesignDraft, Account.name).outerjoin(Account, Account.id == DesignDraft.updated_by)
    drafts = {d.path: (d, name or "") for d, name in session.execute(statement.where(DesignDraft.folder == key)).all()}
    found = []
    for path in sorted({*before, *drafts}):
        if path not in drafts:
            found.append(Held(path, "deployed", 0))
            continue
        draft, name = drafts[path]
        state = "removed" if draft.content is None else "changed" if path in before else "new"
        if draft.content is not None and before.get(path) == bytes(draft.content):
            state = "deployed"
        found.append(Held(path, state, draft.version, draft.updated_at, name))
    return found


# ---- folders


def make(session: Session, actor: Actor, key: str, title: str) -> None:
    """A new, empty folder. Errors: Invalid, Conflict (the key is taken)."""
    if not _KEY.fullmatch(key):
        words = _("标识须以小写字母开头，只含小写字母、数字和下划线，2 至 60 个字符。")
        raise Invalid(words, fields={"key": words})
    if not title.strip():
        raise Invalid(_("请填写名称。"), fields={"title": _("请填写名称。")})
    if any(one.key == key for one in folders(session)):
        words = _("标识“%(key)s”已有流程使用，请换一个。", key=key)
        raise Conflict(words)
    session.add(DesignFolder(key=key, title=title.strip()[:200], created_at=clock.now(), created_by=actor.id))
    session.flush()
    audit.record(session, "design.make", actor, subject=key)


def rename(session: Session, actor: Actor, key: str, title: str) -> None:
    """Give the folder another title in the library; the processes keep their names. Errors: NotFound, Invalid."""
    before = folder(session, key)
    if not title.strip():
        raise Invalid(_("请填写名称。"), fields={"title": _("请填写名称。")})
    statement = insert(DesignFolder).values(key=key, title=title.strip()[:200], created_by=actor.id)
    session.execute(
        statement.on_conflict_do_update(index_elements=[DesignFolder.key], set_={"title": statement.excluded.title})
    )
    audit.record(session, "design.rename", actor, subject=key, detail={"from": before.title, "to": title.strip()})


def retire(session: Session, actor: Actor, key: str, retired: bool, reason: str) -> None:
    """No new cases of the folder's processes, or again; running ones go on. Errors: NotFound, Invalid (no reason)."""
    found = folder(session, key)
    if not reason.strip():
        raise Invalid(_("请写明理由。"), fields={"reason": _("请写明理由。")})
    at, by = (clock.now(), actor.id) if retired else (None, None)
    statement = insert(DesignFolder).values(key=key, title="", created_by=actor.id, retired_at=at, retired_by=by)
    session.execute(
        statement.on_conflict_do_update(index_elements=[DesignFolder.key], set_={"retired_at": at, "retired_by": by})
    )
    session.execute(update(process_definition).where(_p.key.in_(list(found.processes))).values(suspended=retired))
    action = "design.retire" if retired else "design.reinstate"
    audit.record(session, action, actor, subject=key, reason=reason.strip()[:2000])


def kind(path: str) -> str:
    """bpmn | dmn | form | document | scenario | other, by the file's name."""
    lower = path.lower()
    if lower.startswith("scenarios/"):
        return "scenario"
    if lower.startswith("documents/"):
        return "document"
    endings: Sequence[tuple[str, str]] = ((".bpmn", "bpmn"), (".bpmn20.xml", "bpmn"), (".dmn", "dmn"))
    for ending, found in (*endings, (".json", "form"), (".form", "form")):
        if lower.endswith(ending):
            return found
    return "other"
