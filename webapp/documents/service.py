"""Documents: keeping what people upload and what processes make, and who may read which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import IO, Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true, update
from sqlalchemy.orm import Session

from webapp import clock
from webapp.documents import content, storage
from webapp.documents.models import Document
from webapp.engine import tables
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, NotFound
from webapp.i18n import _

#: Roles that read every document of every case (domain.md, "Who takes part").
READ_ALL = frozenset({"office", "working_group", "bureau_meeting", "manager"})
#: Roles that read the documents of their own organisation's cases.
READ_OWN = frozenset({"lead_unit", "lead_unit_head", "former_lead_unit", "pilot_enterprise"})
MAX_NAME = 120
LONGEST_SUFFIX = 10
_UNBOUNDED = 2**50
#: Names our lock among the database's advisory locks: held shared between keeping bytes and the commit of their row.
_BETWEEN = 0x5149414E0001


def store_upload(
    session: Session,
    stream: IO[bytes],
    filename: str,
    *,
    actor: Actor | None,
    kind: str = "upload",
    instance_id: UUID | None = None,
    root_instance_id: UUID | None = None,
    org_id: UUID | None = None,
) -> Document:
    """Check a file by content and keep it: first the bytes, then the row.

    `actor` None: somebody without an account (evidence of an objection). `org_id` defaults to the actor's organisation.
    Errors: Invalid with a sentence about the file; StorageFull.
    """
    name, limit = clean_name(filename), storage.config().max_upload
    pieces = storage.chunks_of(stream)
    with storage.receive(pieces, max_size=limit, too_big=lambda: content.too_big(name, limit)) as incoming:
        checked = content.check(incoming.path, name, max_size=limit)
        _keep(session, incoming)
    document = Document(
        digest=incoming.digest,
        size=incoming.size,
        media_type=checked.media_type,
        filename=name,
        kind=kind,
        pages=checked.pages,
        flags=list(checked.flags),
        instance_id=instance_id,
        root_instance_id=root_instance_id,
        org_id=org_id or (actor.organisation_id if actor else None),
        uploaded_by=actor.id if actor else None,
        created_at=clock.now(),
    )
    session.add(document)
    session.flush()
    return document


def store_made(
    session: Session,
    *,
    kind: str,
    filename: str,
    media_type: str,
    content: bytes | Iterator[bytes],
    instance_id: UUID | None = None,
    root_instance_id: UUID | None = None,
    public: bool = False,
    made_from: Mapping[str, Any] | None = None,
    org_id: UUID | None = None,
) -> Document:
    """Keep a document that a process made (`rendering.render`), whole or in pieces. `made_from`: template and data.

    `org_id`: the organisation that may read it; None with `public` false: the working group's side alone.
    """
    name = clean_name(filename)
    pieces = [content] if isinstance(content, bytes) else content
    with storage.receive(pieces, max_size=_UNBOUNDED, too_big=Conflict) as incoming:
        _keep(session, incoming)
    document = Document(
        digest=incoming.digest,
        size=incoming.size,
        media_type=media_type,
        filename=name,
        kind=kind,
        pages=None,
        flags=[],
        instance_id=instance_id,
        root_instance_id=root_instance_id or instance_id,
        org_id=org_id,
        public=public,
        made_from=dict(made_from) if made_from is not None else None,
        created_at=clock.now(),
    )
    session.add(document)
    session.flush()
    return document


def attach(
    session: Session,
    document_ids: Iterable[UUID],
    *,
    actor: Actor | None,
    instance_id: UUID,
    root_instance_id: UUID,
    org_id: UUID | None,
) -> list[Document]:
    """Make uploads part of a case. A document that already belongs to another case, or was uploaded by somebody else,
    is refused with NotFound: nobody gains sight of a file by naming its id."""
    documents = by_ids(session, document_ids)
    for document in documents:
        mine = document.uploaded_by == (actor.id if actor else None)
        if document.root_instance_id not in {None, root_instance_id} or not (mine or document.root_instance_id):
            raise NotFound(_("没有找到该文件，或您无权使用。"))
    first = func.coalesce(Document.instance_id, instance_id)
    values = {"instance_id": first, "root_instance_id": root_instance_id, "org_id": org_id}
    session.execute(update(Document).where(Document.id.in_([document.id for document in documents])).values(values))
    return documents


def by_ids(session: Session, document_ids: Iterable[UUID]) -> list[Document]:
    """The documents in the order of the ids. Errors: NotFound when one is missing."""
    wanted = list(document_ids)
    found = {d.id: d for d in session.scalars(select(Document).where(Document.id.in_(wanted)))}
    if len(found) != len(set(wanted)):
        raise NotFound(_("没有找到该文件，或您无权查看。"))
    return [found[key] for key in wanted]


def find(session: Session, document_id: UUID, actor: Actor | None) -> Document:
    """The document, if this person may read it (None: somebody without an account). Errors: NotFound."""
    query = select(Document).where(Document.id == document_id, visible(actor))
    document = session.scalars(query).one_or_none()
    if document is None:
        raise NotFound(_("没有找到该文件，或您无权查看。"))
    return document


def visible(actor: Actor | None) -> ColumnElement[bool]:
    """Who may read which document, as a condition on `Document`: the one home of this rule.

    Published: everyone. Uploaded by oneself: that person. The working group's side: all. A lead unit: its own
    organisation's. An expert: the documents of cases in which a task is or was theirs.
    """
    if actor is None:
        return Document.public.is_(true())
    if actor.roles & READ_ALL:
        return true()
    allowed: list[ColumnElement[bool]] = [Document.public.is_(true()), Document.uploaded_by == actor.id]
    if actor.roles & READ_OWN and actor.organisation_id is not None:
        allowed.append(Document.org_id == actor.organisation_id)
    if "expert" in actor.roles:
        allowed.append(Document.root_instance_id.in_(_cases_of(actor)))
    return or_(false(), *allowed)


def _cases_of(actor: Actor) -> Select[tuple[UUID]]:
    task = tables.user_task.c
    mine = task.candidate_users.contains([actor.id])
    return select(task.root_instance_id).where(
        or_(task.assignee_id == actor.id, task.completed_by == actor.id, and_(task.status == "open", mine))
    )


def clean_name(filename: str) -> str:
    """The file's name alone, printable, at most 120 characters; the extension stays."""
    name = PurePosixPath(filename.replace("\\", "/")).name
    name = "".join(c for c in name if c.isprintable() and c not in '"<>|:*?').strip()
    if not name.strip("."):
        return str(_("未命名"))
    if len(name) <= MAX_NAME:
        return name
    suffix = PurePosixPath(name).suffix
    if len(suffix) > LONGEST_SUFFIX:
        return name[:MAX_NAME]
    return name[: MAX_NAME - len(suffix)] + suffix


def _keep(session: Session, incoming: storage.Incoming) -> None:
    """Keep the bytes; until this transaction ends no sweep looks for files without a row."""
    session.execute(select(func.pg_advisory_xact_lock_shared(_BETWEEN)))
    storage.keep(incoming)


def sweep(session: Session) -> int:
    """Remove stored bytes that no row speaks of, a day after they came; gives how many. For a periodic job."""

    def known(digests: list[str]) -> set[str]:
        return set(session.scalars(select(Document.digest).where(Document.digest.in_(digests))))

    def alone() -> None:
        session.execute(select(func.set_config("lock_timeout", "2s", True)))  # uploads would queue behind us
        session.execute(select(func.pg_advisory_xact_lock(_BETWEEN)))

    return storage.sweep(known, alone=alone)


def tile(document: Document) -> dict[str, Any]:
    """What the file tile shows (macros/pieces.html: file_tile)."""
    size = document.size
    words = _("%(n)s KB", n=max(1, size // 1024)) if size < 1024 * 1024 else _("%(n)s MB", n=f"{size / 1048576:.1f}")
    if document.pages and document.media_type == content.PDF:
        words += " · " + _("%(n)s 页", n=document.pages)
    suffix = PurePosixPath(document.filename).suffix.lstrip(".").upper() or "—"
    return {
        "id": str(document.id),
        "type": suffix,
        "name": document.filename,
        "meta": words,
        "digest": document.digest,
        "preview_url": f"/documents/{document.id}/preview" if document.media_type in content.EXTENSIONS else "",
        "download_url": f"/documents/{document.id}",
        "verdict": "",
        "error": content.flag_sentence(document.flags),
    }
