"""`notice_correction` 公示更正与撤回 (4.6.3): a published notice is never edited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
from webapp.errors import Conflict
from webapp.i18n import _
from webapp.notices import corrections, publishing
from webapp.registers import numbers
from webapp.registers.values import as_date, as_text, as_uuid, key


@starter("notice_correction")
def open_correction(ctx: StartContext) -> StartPlan:
    """The office (or a final check) opens a correction; its number is taken at once."""
    number = numbers.case_number(ctx.session, "GZ", (as_date(ctx.now) or ctx.now.date()).year)
    defaults: dict[str, Any] = {"correction_title": None, "correction_notice_id": None, "settled_items": []}
    return StartPlan(variables={k: v for k, v in defaults.items() if k not in ctx.variables}, business_key=number)


@canceller("notice_correction")
def give_up(ctx: CancelContext) -> None:
    """A correction that somebody thought of may be dropped; one that a final check demanded may not."""
    if ctx.variables.get("cause"):
        raise Conflict(_("牵引单位不再在册，其企业须以更正公告撤下，不能直接终止。"))


@provider("notice_correction.prepare")
def prepare_form(ctx: FormContext) -> FormData:
    """The notices that can be corrected and their lines."""
    notices = corrections.correctable(ctx.session)
    lines = [
        {"value": str(row.id), "label": f"{notice.number} 第 {row.seq} 家　{row.name}（{row.credit_code}）"}
        for notice in notices
        for row in notice.rows
    ]
    names = ("notice_id", "correction_kind", "correction_title", "correction_words", "lines")
    given = ctx.variables
    return FormData(
        data={name: given[name] for name in names if given.get(name)},
        options={
            "notices": [
                {"value": str(n.id), "label": f"{n.number} {n.title}", "hint": publishing.LABELS[n.kind]}
                for n in notices
            ],
            "lines": lines,
        },
        context={
            "cause": as_text(given.get("cause")),
            "return_words": as_text(given.get("sign_opinion")) if given.get("correction_decision") == "return" else "",
        },
    )


@validator("notice_correction.prepare")
def prepare(ctx: FormContext) -> Mapping[str, Any]:
    """What is corrected stands in that notice, and may be corrected."""
    return corrections.check(ctx.session, ctx.data, ctx.now)


@handler(
    "correction.draft",
    inputs={
        "notice_id": "原公告",
        "correction_kind": "更正或撤回",
        "correction_title": "标题",
        "correction_words": "正文",
    },
    outputs={"correction_notice_id": "更正或撤回公告"},
)
def draft(ctx: HandlerContext) -> Mapping[str, Any]:
    """生成更正（撤回）公告稿。"""
    given = ctx.variables
    notice = corrections.draft(
        ctx.session,
        publishing.get(ctx.session, key(given["notice_id"])),
        kind=as_text(given.get("correction_kind")),
        title=as_text(given.get("correction_title")),
        words=as_text(given.get("correction_words")),
        lines=given.get("lines") or [],
        known=as_uuid(given.get("correction_notice_id")),
    )
    ctx.enqueue("documents.notice", {"notice_id": str(notice.id)})
    return {"correction_notice_id": str(notice.id)}


@provider("notice_correction.sign")
def sign_form(ctx: FormContext) -> FormData:
    """The act as it will be published."""
    notice = publishing.get(ctx.session, key(ctx.variables["correction_notice_id"]))
    original = publishing.get(ctx.session, key(ctx.variables["notice_id"]))
    rows = [
        {
            "name": row.name,
            "field": corrections.FIELDS.get(row.extra["field"], ""),
            "before": row.extra["before"],
            "after": row.extra["after"],
        }
        for row in notice.rows
    ]
    return FormData(
        context={
            "title": notice.title,
            "notice_title": original.title,
            "notice_number": original.number,
            "words": notice.body,
            "rows": rows,
        }
    )


@validator("notice_correction.sign")
def sign(ctx: FormContext) -> Mapping[str, Any]:
    """A return says why; a signature passes the checks again (a period may have ended meanwhile)."""
    if ctx.outcome == "return":
        if not as_text(ctx.data.get("sign_opinion")):
            return {"sign_opinion": _("请写明退回修改的理由。")}
        return {}
    found = corrections.check(ctx.session, ctx.variables, ctx.now)
    return {"": [sentence for sentences in found.values() for sentence in sentences]} if found else {}


@handler(
    "correction.publish",
    inputs={"correction_notice_id": "更正或撤回公告"},
    outputs={"correction_number": "文号", "settled_items": "因此有了结果的企业"},
)
def publish(ctx: HandlerContext) -> Mapping[str, Any]:
    """编号并发布；原公告保持原样并与之相连。撤回的公示，其批次终止，企业回到待公示。"""
    notice = publishing.get(ctx.session, key(ctx.variables["correction_notice_id"]))
    settled, ended_case = corrections.publish(
        ctx.session, notice, actor=ctx.actor, instance_id=ctx.instance_id, now=ctx.now
    )
    if ended_case:
        ctx.cancel_instance(ended_case, _("公示由 %(number)s 撤回。", number=notice.number))
    ctx.enqueue("documents.notice", {"notice_id": str(notice.id)})
    return {"correction_number": notice.number, "settled_items": [str(item_id) for item_id in settled]}
