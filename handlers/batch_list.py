"""`publicity_batch` 分批公示与发布 (4.6.3): after the period: the checks, the list, its signature and publication."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from handlers.publicity_batch import ids, opinion_when_returned, row, rows
from webapp import clock
from webapp.engine.handler_api import (
    FormContext,
    FormData,
    HandlerContext,
    handler,
    provider,
    validator,
)
from webapp.i18n import _
from webapp.notices import objections, publishing
from webapp.notices.models import Notice
from webapp.registers import batch_outcome, batches, filings
from webapp.registers.models import FilingItem, PublicityBatch
from webapp.registers.values import as_text, key, zh_date


@provider("publicity_batch.confirm_entered")
def confirm_entered_form(ctx: FormContext) -> FormData:
    """The objections that were entered, so that an officer sees what is missing."""
    notice = publishing.of_batch(ctx.session, key(ctx.variables["batch_id"]))
    entered = [
        {
            "number": objection.receipt_number,
            "enterprise": filings.get_item(ctx.session, objection.filing_item_id).name,
            "channel": objections.CHANNELS.get(objection.channel, objection.channel),
            "received": objection.received_at.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M"),
            "status": objections.STATUS_LABELS[objection.status],
        }
        for objection in objections.of_notice(ctx.session, notice.id)
    ]
    return FormData(context={"ended_on": zh_date(publishing.period_end(notice)), "objections": entered})


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
    found = batch_outcome.final_check(ctx.session, batch, actor=ctx.actor, instance_id=ctx.instance_id)
    if found.by_unit:
        _start_correction(ctx, publishing.of_batch(ctx.session, batch.id), found.by_unit)
    stranded = batch_outcome.strike_stranded(ctx.session, actor=ctx.actor, instance_id=ctx.instance_id)
    stranded_items = [*(ctx.variables.get("stranded_items") or []), *ids(stranded)]
    told = ctx.variables.get("told_items") or []
    return {
        "ready_items": ids(found.ready),
        "held_items": ids(item for item, _reason in found.held),
        "recheck_items": [],
        "settled_items": _untold(ctx, batch, stranded_items),
        "told_items": told,
        "stranded_items": stranded_items,
    }


def _untold(ctx: HandlerContext, batch: PublicityBatch, stranded: Iterable[str]) -> list[str]:
    """The enterprises whose cases wait to be told of their outcome."""
    told = ctx.variables.get("told_items") or []
    return [*ids(batch_outcome.settled(ctx.session, batch.id, told)), *(item for item in stranded if item not in told)]


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
    found, notice = batch_outcome.assess(ctx.session, batch_id), publishing.of_batch(ctx.session, batch_id)
    return {
        "ready": rows(found.ready),
        "held": [row(seq, item, reason) for seq, (item, reason) in enumerate(found.held, 1)],
        "struck": [row(seq, item, reason) for seq, (item, reason) in enumerate(found.struck, 1)],
        "has_new_bars": bool(found.new_bars),
        "notice_title": notice.title,
        "notice_number": notice.number,
    }


def _batch_name(title: str) -> str:
    """`2026 年第 2 批` out of the usual title of its notice, else that title as it is."""
    return title.removeprefix("关于").removesuffix("新增产业生态联合体企业名单的公示").strip()


@provider("publicity_batch.prepare_list")
def prepare_list_form(ctx: FormContext) -> FormData:
    """What goes into the list, what waits, what was struck; enterprises barred since their review."""
    found = batch_outcome.assess(ctx.session, key(ctx.variables["batch_id"]))
    given = ctx.variables
    title = as_text(given.get("list_title")) or _(
        "变更后的产业生态联合体企业名单（%(title)s）", title=_batch_name(as_text(given.get("batch_title")))
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
    return batch_outcome.check_list(ctx.session, key(ctx.variables["batch_id"]), ctx.data)


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
    found = batch_outcome.check_list(ctx.session, key(given["batch_id"]), given)
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
    gone = batch_outcome.strike(ctx.session, batch, actor=ctx.actor, instance_id=ctx.instance_id)
    if gone.by_unit:
        _start_correction(ctx, publishing.of_batch(ctx.session, batch.id), gone.by_unit)
    made = batch_outcome.publish_list(
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
    held, free = batch_outcome.rest(ctx.session, batch)
    settled = _untold(ctx, batch, given.get("stranded_items") or [])
    return {
        "held_items": ids(held),
        "recheck_items": ids(free),
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
