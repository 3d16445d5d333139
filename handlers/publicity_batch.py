"""`publicity_batch` 分批公示与发布 (4.6.3): composing a batch, signing and publishing its notice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from webapp import clock
from webapp.accounts import settings_service
from webapp.engine.handler_api import (
    CancelContext,
    FormContext,
    FormData,
    HandlerContext,
    StartContext,
    StartPlan,
    canceller,
    handler,
    provider,
    starter,
    validator,
)
from webapp.i18n import _
from webapp.ids import uuid7
from webapp.notices import publishing
from webapp.registers import batches, numbers
from webapp.registers.models import FilingItem, PublicityBatch
from webapp.registers.values import as_date, as_int, as_text, key, zh_date


@starter("publicity_batch")
def open_batch(ctx: StartContext) -> StartPlan:
    """The office opens a batch; its number is taken at once."""
    number = numbers.case_number(ctx.session, "GS", (as_date(ctx.now) or ctx.now.date()).year)
    variables: dict[str, Any] = {
        "batch_id": str(uuid7()),
        "batch_number": number,
        "batch_title": None,
        "told_items": [],
        "stranded_items": [],
    }
    return StartPlan(variables=variables, business_key=number)


@canceller("publicity_batch")
def give_up(ctx: CancelContext) -> None:
    """A batch may be ended before its notice is published; its enterprises go back to the pool."""
    batch_id = key(ctx.variables["batch_id"])
    if ctx.session.get(PublicityBatch, batch_id) is not None:
        batches.give_up(ctx.session, batches.locked(ctx.session, batch_id))


def _batch(ctx: FormContext | HandlerContext) -> PublicityBatch:
    return batches.get(ctx.session, key(ctx.variables["batch_id"]))


def row(seq: int, item: FilingItem, reason: str = "") -> dict[str, Any]:
    """An enterprise as a line of a form's table."""
    return {
        "seq": seq,
        "lead_unit_name": item.filing.lead_unit.name,
        "name": item.name,
        "credit_code": item.credit_code,
        "need": item.need,
        "reason": reason,
    }


def rows(items: Iterable[FilingItem]) -> list[dict[str, Any]]:
    """Enterprises as the numbered lines of a table."""
    return [row(seq, item) for seq, item in enumerate(items, 1)]


def ids(items: Iterable[FilingItem]) -> list[str]:
    """Enterprises as a process variable keeps them."""
    return [str(item.id) for item in items]


def _published(ctx: FormContext, batch_id: UUID) -> list[FilingItem]:
    """The enterprises of a batch whose notice is out: they wait no longer, and the finished form still names them."""
    if not ctx.variables.get("notice_id") or ctx.variables.get("notice_decision") != "sign":
        return []
    return [item for item in batches.items_of(ctx.session, batch_id) if item.status != "pooled"]


@provider("publicity_batch.compose")
def compose_form(ctx: FormContext) -> FormData:
    """The pool of passed enterprises, a title and the house rule's period."""
    batch_id = key(ctx.variables["batch_id"])
    waiting = batches.pool(ctx.session, batch_id)
    _kind, year, number = as_text(ctx.variables["batch_number"]).split("-")
    title = _("关于 %(year)s 年第 %(n)s 批新增产业生态联合体企业名单的公示", year=year, n=int(number))
    options = [
        {
            "value": str(item.id),
            "label": f"{item.name}（{item.credit_code}）",
            "hint": f"{item.filing.lead_unit.name} · {item.filing.number}",
        }
        for item in [*waiting, *_published(ctx, batch_id)]
    ]
    given = ctx.variables
    returned = given.get("notice_decision") == "return"
    return FormData(
        data={
            "title": given.get("batch_title") or title,
            "item_ids": given.get("item_ids") or ids(waiting),
            "period_days": given.get("period_days") or settings_service.get(ctx.session, "publicity_days"),
            "notice_words": given.get("notice_words"),
        },
        options={"pool": options},
        context={"return_words": as_text(given.get("notice_opinion")) if returned else ""},
        warnings=[] if waiting else [_("现在没有审核通过、等待公示的企业。有企业通过审核后再选定。")],
    )


@validator("publicity_batch.compose")
def compose(ctx: FormContext) -> Mapping[str, Any]:
    """Each enterprise still waits, and the period is not below the house rule."""
    return batches.check_composition(ctx.session, ctx.data, key(ctx.variables["batch_id"]))


@handler(
    "batch.draft_notice",
    inputs={"batch_id": "批次", "item_ids": "本批企业", "batch_title": "标题", "period_days": "公示期（工作日）"},
    outputs={"notice_id": "公示的标识"},
)
def draft_notice(ctx: HandlerContext) -> Mapping[str, Any]:
    """占用本批企业，生成公示稿。"""
    given = ctx.variables
    batch = batches.open_batch(ctx.session, key(given["batch_id"]), ctx.business_key or "", ctx.instance_id, ctx.now)
    items = batches.bind(ctx.session, batch, batches.chosen_ids(given["item_ids"]))
    days = as_int(given.get("period_days")) or settings_service.get(ctx.session, "publicity_days")
    words = as_text(given.get("notice_words"))
    notice = publishing.draft_publicity(
        ctx.session, batch, items, title=as_text(given.get("batch_title")), days=days, words=words
    )
    ctx.enqueue("documents.notice", {"notice_id": str(notice.id)})
    return {"notice_id": str(notice.id)}


@provider("publicity_batch.sign_notice")
def sign_notice_form(ctx: FormContext) -> FormData:
    """The notice as it will be published if it is signed today."""
    notice = publishing.of_batch(ctx.session, key(ctx.variables["batch_id"]))
    days = notice.period_days or 0
    ends = clock.add_working_days(as_date(ctx.now) or ctx.now.date(), days)
    context = {
        "title": notice.title,
        "period_days": days,
        "ends_on": zh_date(ends),
        "words": notice.body,
        "rows": rows(batches.items_of(ctx.session, key(ctx.variables["batch_id"]))),
    }
    return FormData(context=context)


def opinion_when_returned(ctx: FormContext) -> dict[str, str]:
    """Sending something back says why."""
    if ctx.outcome == "return" and not as_text(ctx.data.get("sign_opinion")):
        return {"sign_opinion": _("请写明退回修改的理由。")}
    return {}


@validator("publicity_batch.sign_notice")
def sign_notice(ctx: FormContext) -> Mapping[str, Any]:
    """A signature on enterprises that may still be made public; a return says why."""
    if ctx.outcome == "return":
        return opinion_when_returned(ctx)
    given = ctx.variables
    data = {**given, "title": given.get("batch_title")}
    found = batches.check_composition(ctx.session, data, key(given["batch_id"]))
    return {"": [sentence for sentences in found.values() for sentence in sentences]} if found else {}


@handler(
    "batch.publish_notice",
    inputs={"batch_id": "批次"},
    outputs={"notice_number": "文号", "period_ends_at": "公示期届满的时刻"},
)
def publish_notice(ctx: HandlerContext) -> Mapping[str, Any]:
    """编号并发布公示；公示期自发布次日起算（4.6.3，期限为工作口径）。"""
    batch = batches.locked(ctx.session, key(ctx.variables["batch_id"]))
    notice = publishing.of_batch(ctx.session, batch.id)
    batches.publish(ctx.session, batch, notice, actor=ctx.actor, now=ctx.now)
    ctx.enqueue("documents.notice", {"notice_id": str(notice.id)})
    return {"notice_number": notice.number, "period_ends_at": notice.period_ends_at}
