"""Drafts of files: versioned saves. A later save that has not seen an earlier one is told, and both texts are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts.models import Account
from webapp.audit import service as audit
from webapp.designer import library
from webapp.designer.models import DesignDraft, DesignKept
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, Invalid, NotFound
from webapp.i18n import _

#: A file that people draw by hand is far smaller; what is larger is refused before it is read.
MOST_BYTES = 4 * 1024 * 1024
_PATH = re.compile(r"(?:(?:forms|documents|scenarios)/)?[\w][\w.-]{0,99}")
_KEPT_FOR = timedelta(days=90)


class StaleSave(Conflict):
    """另有人先保存了这份草稿。"""

    code = "stale"


@dataclass(frozen=True, slots=True)
class Text:
    """A file as the editors open it. `version` is given back at the next save; 0: there is no draft yet."""

    content: bytes
    version: int
    updated_at: datetime | None = None
    updated_by: str = ""


def read(session: Session, key: str, path: str) -> Text:
    """The draft of a file, else what is deployed. Errors: NotFound."""
    statement = select(DesignDraft, Account.name).outerjoin(Account, Account.id == DesignDraft.updated_by)
    found = session.execute(statement.where(DesignDraft.folder == key, DesignDraft.path == path)).one_or_none()
    if found is not None and found[0].content is not None:
        return Text(bytes(found[0].content), found[0].version, found[0].updated_at, found[1] or "")
    content = library.deployed(session, library.folder(session, key).deployment_id).get(path)
    if content is None:
        raise NotFound(_("没有文件“%(path)s”。", path=path))
    return Text(content, found[0].version if found is not None else 0)


def save(session: Session, actor: Actor, key: str, path: str, content: bytes, version: int) -> int:
    """Keep a draft; `version`: the one that the writer has seen. Gives the new one.

    Errors: StaleSave with who, when and the id of the kept text in `detail`; Invalid (path, size); NotFound.
    """
    check_path(path)
    if len(content) > MOST_BYTES:
        raise Invalid(_("文件超过 %(most)s MB，没有保存。", most=MOST_BYTES // 2**20))
    base = library.folder(session, key).deployment_id
    fresh = insert(DesignDraft).values(folder=key, path=path, content=content, version=1, base=base)
    now = clock.now()
    if version == 0:
        made = fresh.values(updated_at=now, updated_by=actor.id).on_conflict_do_nothing().returning(DesignDraft.version)
        if session.scalar(made) is not None:
            return 1
    where = (DesignDraft.folder == key, DesignDraft.path == path)
    row = session.scalars(select(DesignDraft).where(*where).with_for_update()).one_or_none()
    if row is None:
        raise Conflict(_("这份草稿已部署或被撤销，请重新打开。"))
    if row.version != version and row.content != content:
        raise _stale(session, row)
    if row.content != content:
        row.content, row.version, row.updated_at, row.updated_by = content, row.version + 1, now, actor.id
        session.flush()
    return row.version


def _stale(session: Session, row: DesignDraft) -> StaleSave:
    name = session.scalar(select(Account.name).where(Account.id == row.updated_by)) or ""
    at = row.updated_at.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M")
    told = _("%(name)s于 %(at)s 先保存了这份草稿，您的内容已另存，没有覆盖。", name=name, at=at)
    return StaleSave(told, detail={"who": name, "at": at, "version": row.version})


def keep(session: Session, actor: Actor, key: str, path: str, content: bytes, version: int) -> UUID:
    """Put aside a text that came too late, for the writer to compare; old ones are dropped. Gives its id."""
    now = clock.now()
    session.execute(delete(DesignKept).where(DesignKept.at < now - _KEPT_FOR))
    mine = (DesignKept.folder == key, DesignKept.path == path, DesignKept.account_id == actor.id)
    session.execute(delete(DesignKept).where(*mine, DesignKept.expected == version))
    kept = DesignKept(folder=key, path=path, content=content, expected=version, account_id=actor.id, at=now)
    session.add(kept)
    session.flush()
    return kept.id


def kept(session: Session, key: str, kept_id: UUID) -> DesignKept:
    """A text that was put aside. Errors: NotFound."""
    found = session.get(DesignKept, kept_id)
    if found is None or found.folder != key:
        raise NotFound(_("没有这份另存的内容。"))
    return found


def put(session: Session, actor: Actor, key: str, files: Mapping[str, bytes]) -> None:
    """Lay whole files over the drafts, whatever they were (duplicate, import). Errors: Invalid."""
    for path, content in files.items():
        row = session.get(DesignDraft, (key, path))
        save(session, actor, key, path, content, row.version if row is not None else 0)


def restore(session: Session, actor: Actor, key: str, deployment_id: UUID) -> int:
    """Lay an earlier version over the table as drafts, to be deployed again. Gives how many files differ from now."""
    wanted, now = library.deployed(session, deployment_id), library.working(session, key)
    changed = {path: content for path, content in wanted.items() if now.get(path) != content}
    put(session, actor, key, changed)
    for path in now.keys() - wanted.keys():
        remove(session, actor, key, path)
    audit.record(session, "design.restore", actor, subject=key, detail={"deployment": str(deployment_id)})
    return len(changed) + len(now.keys() - wanted.keys())


def remove(session: Session, actor: Actor, key: str, path: str) -> None:
    """Leave a file out of the next deployment; a file that was never deployed goes at once. Errors: NotFound."""
    text = read(session, key, path)
    deployment_id = library.folder(session, key).deployment_id
    where = (DesignDraft.folder == key, DesignDraft.path == path)
    session.execute(delete(DesignDraft).where(*where))
    if path in library.deployed(session, deployment_id):
        gone = DesignDraft(folder=key, path=path, content=None, version=text.version + 1, base=deployment_id)
        gone.updated_at, gone.updated_by = clock.now(), actor.id
        session.add(gone)
        session.flush()
    audit.record(session, "design.remove", actor, subject=f"{key}/{path}")


def discard(session: Session, actor: Actor, key: str, path: str = "") -> int:
    """Give up one draft, or all of the folder: what is deployed stands again. Gives how many."""
    where = [DesignDraft.folder == key]
    if path:
        where.append(DesignDraft.path == path)
    gone = session.scalars(delete(DesignDraft).where(*where).returning(DesignDraft.path)).all()
    if gone:
        audit.record(session, "design.discard", actor, subject=key, detail={"files": sorted(gone)})
    return len(gone)


def check_path(path: str) -> None:
    """Errors: Invalid for a name that is no file of a folder."""
    if not _PATH.fullmatch(path) or ".." in path:
        raise Invalid(_("文件名“%(path)s”不能使用。", path=path[:100]))
