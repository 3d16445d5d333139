"""The list of batches and the page of one, as the templates take them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.accounts.models import Account
from webapp.batches import options
from webapp.batches.models import Batch, BatchItem
from webapp.engine.tables import process_instance
from webapp.i18n import _
from webapp.monitor import presenting
from webapp.monitor.operating import DESTRUCTIVE
from webapp.monitor.operation_page import titles

Shape = dict[str, Any]
#: Rows of a page, in both lists.
PAGE = 50


def state(status: str) -> tuple[str, str]:
    """(word, tone) of a batch's state."""
    return {
        "draft": (_("待选操作"), "todo"),
        "previewing": (_("正在预览"), "run"),
        "ready": (_("待确认"), "todo"),
        "running": (_("执行中"), "run"),
        "paused": (_("已暂停"), "fix"),
        "done": (_("已完成"), "done"),
        "cancelled": (_("已撤销"), "end"),
    }[status]


def _item_state(item: BatchItem) -> tuple[str, str]:
    return {
        "waiting": (_("待执行"), "todo"),
        "done": (_("已执行"), "done"),
        "refused": (_("不能执行"), "fix"),
        "failed": (_("故障"), "bad"),
        "cancelled": (_("未执行"), "end"),
    }[item.status]


def everything(session: Session, number: int) -> Shape:
    """The context of `batches/list.html`, newest first."""
    rows = session.execute(
        select(Batch, Account.name)
        .join(Account, Account.id == Batch.actor_id)
        .order_by(Batch.number.desc())
        .limit(PAGE + 1)
        .offset((number - 1) * PAGE)
    ).all()
    counts = _counts(session, [batch for batch, _name in rows[:PAGE]])
    lines = []
    for batch, who in rows[:PAGE]:
        word, _tone = state(batch.status)
        label = titles().get(batch.kind) or _("未选操作")
        what = _("%(n)s 号：%(what)s", n=batch.number, what=label)
        url = url_for("batches.batch", batch_id=batch.id)
        lines.append(
            {
                "what": {"label": what, "url": url, "meta": batch.reason or batch.described},
                "total": batch.total,
                "result": _result(counts.get(batch.id, Counter())),
                "who": who,
                "at": presenting.moment(batch.started_at or batch.created_at),
                "state": word,
            }
        )
    columns = [
        {"key": "what", "label": _("操作"), "kind": "link"},
        {"key": "total", "label": _("件数"), "kind": "num"},
        {"key": "result", "label": _("结果"), "kind": "text"},
        {"key": "who", "label": _("发起人"), "kind": "text", "narrow_hide": True},
        {"key": "at", "label": _("时间"), "kind": "text", "narrow_hide": True},
        {"key": "state", "label": _("状态"), "kind": "badge"},
    ]
    more = url_for("batches.index", page=number + 1) if len(rows) > PAGE else ""
    return {"rows": lines, "columns": columns, "following_url": more}


def _counts(session: Session, batches: list[Batch]) -> dict[Any, Counter[str]]:
    found: dict[Any, Counter[str]] = {}
    query = select(BatchItem.batch_id, BatchItem.status, func.count()).where(
        BatchItem.batch_id.in_([one.id for one in batches])
    )
    for batch_id, status, n in session.execute(query.group_by(BatchItem.batch_id, BatchItem.status)):
        found.setdefault(batch_id, Counter())[status] = n
    return found


def _result(counts: Counter[str]) -> str:
    words = {"done": _("已执行"), "refused": _("不能执行"), "failed": _("故障"), "waiting": _("待执行")}
    return "，".join(f"{label} {counts[key]}" for key, label in words.items() if counts[key])


def page(
    session: Session,
    batch: Batch,
    number: int,
    *,
    only: str = "",
    errors: dict[str, list[str]] | None = None,
    reason: str = "",
) -> Shape:
    """The context of `batches/batch.html`. `only`: a state of items to show."""
    counts = _counts(session, [batch]).get(batch.id, Counter())
    word, tone = state(batch.status)
    able = counts["waiting"]
    title = titles().get(batch.kind, "")
    return {
        "batch": batch,
        "title": _("批量操作 %(n)s 号", n=batch.number) + (f"：{title}" if title else ""),
        "act": title,
        "state": word,
        "tone": tone,
        "who": session.scalar(select(Account.name).where(Account.id == batch.actor_id)),
        "times": [
            (label, presenting.moment(at))
            for label, at in ((_("开始"), batch.started_at), (_("结束"), batch.ended_at))
            if at
        ],
        "chosen": options.told(session, batch) if batch.kind else [],
        "forms": options.forms(session, batch) if batch.status == "draft" else [],
        "progress": _progress(session, batch, counts),
        "effects": _effects(session, batch) if batch.status == "ready" else [],
        "able": able,
        "typed": str(able) if batch.kind in DESTRUCTIVE else "",
        "kept": counts["refused"] + counts["failed"],
        "refused": counts["refused"],
        "busy": batch.status in {"previewing", "running"},
        "errors": errors or {},
        "reason": reason,
        **_items(session, batch, number, only, counts),
    }


def _progress(session: Session, batch: Batch, counts: Counter[str]) -> Shape:
    if batch.status == "previewing":
        seen = (BatchItem.batch_id == batch.id, BatchItem.effects.is_not(None))
        done = session.scalar(select(func.count()).select_from(BatchItem).where(*seen)) or 0
    else:
        done = batch.total - counts["waiting"] - counts["cancelled"]
    labels = {"done": _("已执行"), "refused": _("不能执行"), "failed": _("故障"), "waiting": _("待执行")}
    kinds = {"done": "ok", "refused": "today", "failed": "over", "waiting": "none"}
    parts = [{"kind": kinds[key], "label": label, "count": counts[key]} for key, label in labels.items()]
    for part in parts:
        part["percent"] = round(100 * int(part["count"]) / max(batch.total, 1), 2)  # type: ignore[call-overload]
    return {"done": done, "percent": round(100 * done / max(batch.total, 1)), "parts": parts}


def _effects(session: Session, batch: Batch) -> list[tuple[str, int, bool]]:
    """What will change over all instances: (sentence, in how many, whether it is a warning), most frequent first."""
    counted: Counter[tuple[str, bool]] = Counter()
    query = select(BatchItem.effects, BatchItem.warnings).where(
        BatchItem.batch_id == batch.id, BatchItem.status == "waiting"
    )
    for effects, warnings in session.execute(query):
        counted.update((words, False) for words in set(effects or ()))
        counted.update((words, True) for words in set(warnings or ()))
    return [(words, n, warn) for (words, warn), n in counted.most_common(30)]


def _items(session: Session, batch: Batch, number: int, only: str, counts: Counter[str]) -> Shape:
    c = process_instance.c
    where = [BatchItem.batch_id == batch.id]
    if only in counts:
        where.append(BatchItem.status == only)
    query = (
        select(BatchItem, c.title, c.business_key)
        .outerjoin(process_instance, c.id == BatchItem.instance_id)
        .where(*where)
        .order_by(BatchItem.position)
        .limit(PAGE + 1)
        .offset((number - 1) * PAGE)
    )
    rows = session.execute(query).all()
    items = []
    for item, title, key in rows[:PAGE]:
        word, tone = _item_state(item)
        items.append(
            {
                "url": url_for("monitor.instance", instance_id=item.instance_id),
                "title": title or key or str(item.instance_id),
                "number": key or "",
                "state": word if batch.kind else "",
                "tone": tone,
                "words": [item.message] if item.message else (item.effects or []),
                "warnings": item.warnings or [],
                "at": presenting.moment(item.done_at),
            }
        )

    def address(n: int, state: str = only) -> str:
        return url_for("batches.batch", batch_id=batch.id, page=n if n > 1 else None, only=state or None)

    filters = [{"label": _("全部 %(n)s", n=batch.total), "url": address(1, ""), "current": only not in counts}]
    for key in ("done", "waiting", "refused", "failed", "cancelled"):
        if counts[key] and batch.kind:
            label = f"{_item_state(BatchItem(status=key))[0]} {counts[key]}"
            filters.append({"label": label, "url": address(1, key), "current": only == key})
    return {
        "items": items,
        "filters": filters,
        "here": address(number),
        "previous_url": address(number - 1) if number > 1 else "",
        "following_url": address(number + 1) if len(rows) > PAGE else "",
    }
