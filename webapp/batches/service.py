"""Operations on many instances: the list is frozen, looked at, confirmed with a reason, carried out, paused, cancelled.

The work itself is done by the worker (`running`), one transaction per instance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from webapp import clock
from webapp.audit import service as audit
from webapp.batches import acts
from webapp.batches.models import Batch, BatchItem
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, Invalid, NotFound
from webapp.i18n import _
from webapp.monitor.operating import DESTRUCTIVE

#: Most instances of one batch; more is told, not cut silently.
MOST = 10_000
#: States in which nothing has been done yet.
OPEN = ("draft", "previewing", "ready")


def create(session: Session, actor: Actor, instance_ids: Iterable[UUID], described: str) -> Batch:
    """Freeze a list of instances, each once, in this order. Errors: Invalid (none, too many)."""
    wanted = list(dict.fromkeys(instance_ids))
    if not wanted:
        raise Invalid(_("请先选中要操作的案件。"))
    if len(wanted) > MOST:
        raise Invalid(_("一次最多操作 %(n)s 件，请缩小筛选范围。", n=MOST))
    old = clock.now() - timedelta(days=1)
    session.execute(delete(Batch).where(Batch.status.in_(OPEN), Batch.created_at < old))  # begun and left
    made = Batch(
        status="draft", described=described, total=len(wanted), actor_id=actor.id, created_at=clock.now(), params={}
    )
    session.add(made)
    session.flush()
    items = [{"batch_id": made.id, "position": n, "instance_id": one} for n, one in enumerate(wanted, 1)]
    session.execute(insert(BatchItem), items)
    return made


def find(session: Session, batch_id: UUID, *, lock: bool = False) -> Batch:
    """One batch. Errors: NotFound."""
    query = select(Batch).where(Batch.id == batch_id)
    batch = session.scalar(query.with_for_update() if lock else query)
    if batch is None:
        raise NotFound(_("没有找到这次批量操作。"))
    return batch


def _own(session: Session, actor: Actor, batch_id: UUID, states: tuple[str, ...]) -> Batch:
    """The batch, locked, in one of these states; what is not begun belongs to who prepares it."""
    batch = find(session, batch_id, lock=True)
    if batch.status in OPEN and batch.actor_id != actor.id:
        raise Conflict(_("这次批量操作正由另一人准备。"))
    if batch.status not in states:
        raise Conflict(_("这次批量操作的状态已经改变，请刷新后查看。"))
    return batch


def look(session: Session, actor: Actor, batch_id: UUID, kind: str, params: Mapping[str, str]) -> Batch:
    """Say what is to be done; the worker looks at what it would change in each. Errors: Invalid, Conflict, NotFound."""
    batch = _own(session, actor, batch_id, OPEN)
    if kind not in acts.KINDS:
        raise Invalid(_("请选择要做的操作。"))
    if missing := [name for name in acts.NEEDS.get(kind, ()) if not params.get(name, "").strip()]:
        words = _("请把操作填写完整。")
        raise Invalid(words, fields={f"{kind}-{name}": words for name in missing})
    batch.kind, batch.params, batch.status = kind, dict(params), "previewing"
    fresh = {"effects": None, "warnings": None, "message": "", "status": "waiting"}
    session.execute(update(BatchItem).where(BatchItem.batch_id == batch.id).values(**fresh))
    return batch


def back(session: Session, actor: Actor, batch_id: UUID) -> Batch:
    """Choose another operation for the same list. Errors: Conflict, NotFound."""
    batch = _own(session, actor, batch_id, OPEN)
    batch.status, batch.kind, batch.params = "draft", "", {}
    return batch


def start(session: Session, actor: Actor, batch_id: UUID, reason: str, confirm: str) -> Batch:
    """Begin: what the preview refused stays out. Errors: Invalid with fields, Conflict, NotFound."""
    batch = _own(session, actor, batch_id, ("ready",))
    able = _count(session, batch.id, BatchItem.status == "waiting")
    problems = {}
    if not reason.strip():
        problems["reason"] = _("请写明操作理由。")
    if batch.kind in DESTRUCTIVE and confirm.strip() != str(able):
        problems["confirm"] = _("请输入“%(word)s”以确认", word=able)
    if problems:
        raise Invalid(_("请写明操作理由。"), fields=problems)
    if not able:
        raise Conflict(_("没有一件可以这样操作。"))
    batch.reason, batch.status, batch.started_at = reason.strip()[:1000], "running", clock.now()
    _tell(session, actor, batch, "batch.start", reason=batch.reason, n=able)
    return batch


def pause(session: Session, actor: Actor, batch_id: UUID) -> Batch:
    """Stop before the next instance. Errors: Conflict, NotFound."""
    batch = _own(session, actor, batch_id, ("running",))
    batch.status = "paused"
    _tell(session, actor, batch, "batch.pause")
    return batch


def resume(session: Session, actor: Actor, batch_id: UUID) -> Batch:
    """Go on, now in the name of who says so. Errors: Conflict, NotFound."""
    batch = _own(session, actor, batch_id, ("paused",))
    batch.status, batch.note, batch.actor_id = "running", "", actor.id
    _tell(session, actor, batch, "batch.resume")
    return batch


def cancel(session: Session, actor: Actor, batch_id: UUID) -> Batch:
    """Leave the rest as it is; what was done stays done. Errors: Conflict, NotFound."""
    batch = _own(session, actor, batch_id, (*OPEN, "running", "paused"))
    begun = batch.status in {"running", "paused"}
    batch.status, batch.ended_at = "cancelled", clock.now()
    # waits for the instance that is in hand: its row is locked until it is done
    waiting = (BatchItem.batch_id == batch.id, BatchItem.status == "waiting")
    session.execute(update(BatchItem).where(*waiting).values(status="cancelled"))
    if begun:
        _tell(session, actor, batch, "batch.cancel")
    return batch


def again(session: Session, actor: Actor, batch_id: UUID) -> Batch:
    """Try once more what a fault of the machine or a rule kept back. Errors: Conflict, NotFound."""
    batch = _own(session, actor, batch_id, ("done",))
    kept = (BatchItem.batch_id == batch.id, BatchItem.status.in_(("failed", "refused")))
    session.execute(update(BatchItem).where(*kept).values(status="waiting", message="", done_at=None))
    batch.status, batch.ended_at, batch.actor_id = "running", None, actor.id
    _tell(session, actor, batch, "batch.again")
    return batch


def _tell(session: Session, actor: Actor, batch: Batch, action: str, *, reason: str = "", n: int = 0) -> None:
    detail = {"batch": str(batch.id), "kind": batch.kind, "params": batch.params, "total": n or batch.total}
    subject = _("批量操作 %(n)s", n=batch.number)
    audit.record(session, action, actor, subject=subject, reason=reason or None, detail=detail)


def _count(session: Session, batch_id: UUID, *where: object) -> int:
    from sqlalchemy import func

    query = select(func.count()).select_from(BatchItem).where(BatchItem.batch_id == batch_id, *where)  # type: ignore[arg-type]
    return session.scalar(query) or 0
