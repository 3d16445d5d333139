"""`publicity_batch` 分批公示与发布 (4.6.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

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
from webapp.notices import objections, publishing
from webapp.notices.models import Notice
from webapp.registers import batches, filings, numbers
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


def _row(seq: int, item: FilingItem, reason: str = "") -> dict[str, Any]:
    return {
        "seq": seq,
        "lead_unit_name": item.filing.lead_unit.name,
        "name": item.name,
        "credit_code": item.credit_code,
        "need": item.need,
        "reason": reason,
    }


def _rows(items: Iterable[FilingItem]) -> list[dict[str, Any]]:
    return [_row(seq, item) for seq, item in enumerate(items, 1)]


def _ids(items: Iterable[FilingItem]) -> list[str]:
    return [str(item.id) for item in items]


# ---- composing and signing -----------------------------------------------------------------------------------------


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
        for item in waiting
    ]
    given = ctx.variables
    returned = given.get("notice_decision") == "return"
    return FormData(
        data={
            "title": given.get("batch_title") or title,
            "item_ids": given.get("item_ids") or _ids(waiting),
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
        "rows": _rows(batches.items_of(ctx.session, key(ctx.variables["batch_id"]))),
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


# ---- after the period ----------------------------------------------------------------------------------------------


@provider("publicity_batch.confirm_entered")
def confirm_entered_form(ctx: FormContext) -> FormData:
    """The objections that were entered, so that an officer sees what is missing."""
    notice = publishing.of_batch(ctx.session, key(ctx.variables["batch_id"]))
    rows = [
        {
            "number": objection.receipt_number,
            "enterprise": filings.get_item(ctx.session, objection.filing_item_id).name,
            "channel": objections.CHANNELS.get(objection.channel, objection.channel),
            "received": objection.received_at.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M"),
            "status": objections.STATUS_LABELS[objection.status],
        }
        for objection in objections.of_notice(ctx.session, notice.id)
    ]
    return FormData(context={"ended_on": zh_date(publishing.period_end(notice)), "objections": rows})


@validator("publicity_batch.confirm_entered")
def confirm_entered(ctx: FormContext) -> Mapping[str, Any]:
    """The officer says so expressly (4.6.3: 公示无异议的)."""
    return {} if ctx.data.get("all_entered") is True else {"all_entered": _("请核对来信，确认没有遗漏后再勾选。")}


@handler(
    "batch.final_check",
    inputs={"batch_id": "批次", "told_items": "已告知结果的企业"},
    outputs={
        "ready_items": "可以发布的企业",
        "held_items": "异议未决、留待以后发布的企业",
        "recheck_items": "异议已有决定、须再次复查的企业",
        "settled_items": "已有结果、尚未告知的企业",
        "told_items": "已告知结果的企业",
        "stranded_items": "不在本批、因牵引单位不再在册而撤下的企业",
    },
)
def final_check(ctx: HandlerContext) -> Mapping[str, Any]:
    """发布前复查：牵引单位状态、重复、不得重新申请名单、异议（4.6.3、4.4）；应撤下的撤下。"""
    batch = batches.locked(ctx.session, key(ctx.variables["batch_id"]))
    found = batches.final_check(ctx.session, batch, actor=ctx.actor, instance_id=ctx.instance_id)
    if found.by_unit:
        _start_correction(ctx, publishing.of_batch(ctx.session, batch.id), found.by_unit)
    stranded = batches.strike_stranded(ctx.session, actor=ctx.actor, instance_id=ctx.instance_id)
    stranded_items = [*(ctx.variables.get("stranded_items") or []), *_ids(stranded)]
    told = ctx.variables.get("told_items") or []
    return {
        "ready_items": _ids(found.ready),
        "held_items": _ids(item for item, _reason in found.held),
        "recheck_items": [],
        "settled_items": _untold(ctx, batch, stranded_items),
        "told_items": told,
        "stranded_items": stranded_items,
    }


def _untold(ctx: HandlerContext, batch: PublicityBatch, stranded: Iterable[str]) -> list[str]:
    """The enterprises whose cases wait to be told of their outcome."""
    told = ctx.variables.get("told_items") or []
    return [*_ids(batches.settled(ctx.session, batch.id, told)), *(item for item in stranded if item not in told)]


def _start_correction(ctx: HandlerContext, notice: Notice, items: list[FilingItem]) -> None:
    """Enterprises of a unit that is off the list are struck by 更正公告: a case is opened with the words filled in."""
    lines = {row.filing_item_id: str(row.id) for row in notice.rows}
    units = "、".join(dict.fromkeys(item.filing.lead_unit.name for item in items))
    names = "、".join(item.name for item in items)
    words = _(
        "%(units)s已不在牵引单位名单中，现将其申请新增的%(names)s从《%(title)s》中撤下。",
        units=units,
        names=names,
        title=notice.title,
    )
    ctx.start_instance(
        "notice_correction",
        {
            "notice_id": str(notice.id),
            "correction_kind": "correction",
            "correction_title": _("关于《%(title)s》的更正公告", title=notice.title),
            "correction_words": words,
            "lines": [{"line": lines[item.id], "field": "strike", "after": None} for item in items],
            "cause": _("发布前复查：牵引单位不再在册。"),
        },
    )


def _list_context(ctx: FormContext) -> dict[str, Any]:
    batch_id = key(ctx.variables["batch_id"])
    found, notice = batches.assess(ctx.session, batch_id), publishing.of_batch(ctx.session, batch_id)
    return {
        "ready": _rows(found.ready),
        "held": [_row(seq, item, reason) for seq, (item, reason) in enumerate(found.held, 1)],
        "struck": [_row(seq, item, reason) for seq, (item, reason) in enumerate(found.struck, 1)],
        "has_new_bars": bool(found.new_bars),
        "notice_title": notice.title,
        "notice_number": notice.number,
    }


@provider("publicity_batch.prepare_list")
def prepare_list_form(ctx: FormContext) -> FormData:
    """What goes into the list, what waits, what was struck; enterprises barred since their review."""
    found = batches.assess(ctx.session, key(ctx.variables["batch_id"]))
    given = ctx.variables
    title = as_text(given.get("list_title")) or _(
        "变更后的产业生态联合体企业名单（%(title)s）", title=as_text(given.get("batch_title")).removeprefix("关于 ")
    )
    return FormData(
        data={"list_title": title, "excluded": given.get("excluded"), "excluded_reason": given.get("excluded_reason")},
        options={"new_bars": [{"value": str(i.id), "label": f"{i.name}（{i.credit_code}）"} for i in found.new_bars]},
        context={
            **_list_context(ctx),
            "return_words": as_text(given.get("list_opinion")) if given.get("list_decision") == "return" else "",
        },
    )


@validator("publicity_batch.prepare_list")
def prepare_list(ctx: FormContext) -> Mapping[str, Any]:
    """Enterprises barred since their review need a judgement with its reason (4.4)."""
    return batches.check_list(ctx.session, key(ctx.variables["batch_id"]), ctx.data)


@provider("publicity_batch.sign_list")
def sign_list_form(ctx: FormContext) -> FormData:
    """The list as it will be published."""
    context = {**_list_context(ctx), "title": as_text(ctx.variables.get("list_title"))}
    return FormData(context=context)


@validator("publicity_batch.sign_list")
def sign_list(ctx: FormContext) -> Mapping[str, Any]:
    """A return says why; nothing is signed over a bar (4.4) that came after the list was prepared."""
    if ctx.outcome == "return":
        return opinion_when_returned(ctx)
    given = ctx.variables
    found = batches.check_list(ctx.session, key(given["batch_id"]), given)
    return {"": [*chain.from_iterable(found.values()), _("请退回修改，由办公室重新复查。")]} if found else {}


@handler(
    "batch.publish_list",
    inputs={"batch_id": "批次", "ready_items": "签发人所见的企业", "excluded": "不予发布的企业", "list_title": "标题"},
    outputs={
        "held_items": "异议未决、留待以后发布的企业",
        "recheck_items": "异议已有决定、须再次复查的企业",
        "settled_items": "已有结果、现在告知的企业",
        "told_items": "已告知结果的企业",
        "list_number": "文号",
    },
)
def publish_list(ctx: HandlerContext) -> Mapping[str, Any]:
    """发布变更后的产业生态联合体企业名单，登记联合体企业（4.6.3）。"""
    given = ctx.variables
    batch = batches.locked(ctx.session, key(given["batch_id"]))
    gone = batches.strike(ctx.session, batch, actor=ctx.actor, instance_id=ctx.instance_id)
    if gone.by_unit:
        _start_correction(ctx, publishing.of_batch(ctx.session, batch.id), gone.by_unit)
    made = batches.publish_list(
        ctx.session,
        batch,
        batches.chosen_ids(given.get("ready_items")),
        excluded=batches.chosen_ids(given.get("excluded")),
        reason=as_text(given.get("excluded_reason")),
        title=as_text(given.get("list_title")),
        actor=ctx.actor,
        now=ctx.now,
    )
    if made:
        ctx.enqueue("documents.notice", {"notice_id": str(made[1].id)})
    held, free = batches.rest(ctx.session, batch)
    settled = _untold(ctx, batch, given.get("stranded_items") or [])
    return {
        "held_items": _ids(held),
        "recheck_items": _ids(free),
        "settled_items": settled,
        "told_items": [*(given.get("told_items") or []), *settled],
        "list_number": made[0].number if made else given.get("list_number"),
        "list_title": None,
        "excluded": None,
        "excluded_reason": None,
    }


@handler("batch.close", inputs={"batch_id": "批次"})
def close(ctx: HandlerContext) -> None:
    """每家企业都有结果后，本批办结。"""
    batches.locked(ctx.session, key(ctx.variables["batch_id"])).status = "published"
