"""`enterprise_review` 一家企业的审核、补正与结果 (4.6.2, 4.6.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp.accounts import settings_service
from webapp.audit import service as audit
from webapp.engine.handler_api import (
    CancelContext,
    FormContext,
    FormData,
    HandlerContext,
    canceller,
    handler,
    provider,
    validator,
)
from webapp.errors import Conflict
from webapp.i18n import _
from webapp.registers import filings, reviews
from webapp.registers.filing_checks import MATERIALS
from webapp.registers.models import FilingItem
from webapp.registers.values import as_text, key, zh_date


@canceller("enterprise_review")
def give_up(ctx: CancelContext) -> None:
    """Never before its outcome, for which the filing waits (4.6.2); with the lead unit expelled (4.4) it has one."""
    if filings.get_item(ctx.session, key(ctx.variables["item_id"])).settled_at is None:
        raise Conflict(_("企业的审核不能直接终止：须由审核人作出通过、退回补正或者不予通过的结论（4.6.2）。"))


def _item(ctx: FormContext | HandlerContext) -> FilingItem:
    return filings.get_item(ctx.session, key(ctx.variables["item_id"]))


def _enterprise(item: FilingItem) -> dict[str, Any]:
    """How the head of a review form names the enterprise; the reviewers see the whole identity number."""
    return {
        "name": item.name,
        "credit_code": item.credit_code,
        "legal_rep": item.legal_rep,
        "id_kind_label": _("身份证号") if item.id_kind == "resident" else _("证件号码"),
        "id_number": item.id_number,
        "founded_on": zh_date(item.founded_on),
        "registered_capital": item.registered_capital,
        "address": item.address,
        "need": item.need,
    }


@provider("enterprise_review.review")
def review_form(ctx: FormContext) -> FormData:
    """The materials, what the automatic checks found, the warnings to answer, and the last review."""
    item = _item(ctx)
    last, answering = item.review, reviews.must_answer(item)
    verdicts, requests = last.get("verdicts") or {}, last.get("requests") or {}
    again = not last or ctx.variables.get("second_decision") == "disagree"
    data: dict[str, Any] = {
        **item.materials,
        "correction_days": last.get("correction_days"),
        "barred_answer": last.get("barred_answer"),
        "barred_reason": last.get("barred_reason"),
    }
    for material in MATERIALS:
        kept = verdicts.get(material) if again or verdicts.get(material) == "pass" else None
        data |= {f"{material}_verdict": kept, f"{material}_request": requests.get(material) if again else None}
    if again:
        data |= {"review_opinion": last.get("opinion"), "fix_fields": last.get("fix_fields") or []}
        data["ask_fields"] = bool(last.get("fix_fields"))
    checked = reviews.check_results(item)
    context = {
        "enterprise": _enterprise(item),
        "has_barred": bool(answering),
        "barred_text": " ".join(warning["text"] for warning in answering),
        "checks": {material: "\n".join(_mark(*found) for found in results) for material, results in checked.items()},
        "default_days": settings_service.get(ctx.session, "correction_days"),
        "second_words": as_text(ctx.variables.get("second_opinion")) if last and again else "",
    }
    return FormData(data=data, context=context)


def _mark(fine: bool, sentence: str) -> str:
    return f"✓ {sentence}" if fine else f"▲ {sentence}"


@validator("enterprise_review.review")
def review(ctx: FormContext) -> Mapping[str, Any]:
    """No pass with an open warning or a material that has not passed (4.6.2)."""
    return reviews.check_review(_item(ctx), ctx.data, ctx.outcome)


@handler(
    "review.record",
    inputs={"item_id": "企业", "review_decision": "结论", "verdicts": "逐项结果", "requests": "逐项补正要求"},
    outputs={"second_needed": "是否须由另一人复核"},
)
def record(ctx: HandlerContext) -> Mapping[str, Any]:
    """登记审核意见；按设置确定是否须复核（工作口径）。"""
    given = ctx.variables
    found = {
        "decision": given.get("review_decision"),
        "verdicts": given.get("verdicts"),
        "requests": given.get("requests"),
        "fix_fields": given.get("fix_fields") or [],
        "barred_answer": given.get("barred_answer"),
        "barred_reason": given.get("barred_reason"),
        "opinion": given.get("review_opinion"),
        "correction_days": given.get("correction_days"),
        "internal_note": given.get("internal_note"),
    }
    needed = reviews.record(ctx.session, _item(ctx), found, actor=ctx.actor, instance_id=ctx.instance_id, now=ctx.now)
    return {"second_needed": needed, "second_decision": None, "second_opinion": None}


@provider("enterprise_review.second")
def second_form(ctx: FormContext) -> FormData:
    """The review as it was made, to be confirmed."""
    item = _item(ctx)
    last = item.review
    answer = {"no_effect": _("不影响本次备案"), "effect": _("影响")}.get(last.get("barred_answer") or "", "")
    context = {
        "enterprise": _enterprise(item),
        "decision_label": reviews.DECISIONS.get(last.get("decision") or "", ""),
        "reviewer": last.get("by"),
        "verdict_rows": reviews.verdict_rows(last),
        "barred_words": f"{answer}。{as_text(last.get('barred_reason'))}" if answer else "",
        "review_words": as_text(last.get("opinion")) or _("（没有填写）"),
        "note_words": as_text(last.get("internal_note")),
    }
    return FormData(data=dict(item.materials), context=context)


@validator("enterprise_review.second")
def second(ctx: FormContext) -> Mapping[str, Any]:
    """Disagreement says why."""
    if ctx.outcome == "disagree" and not as_text(ctx.data.get("second_opinion")):
        return {"second_opinion": _("不同意的，请写明意见，供审核人重新审核。")}
    return {}


@handler(
    "review.conclude",
    inputs={"item_id": "企业"},
    outputs={"correction_due_at": "补正期限届满的时刻", "correction_remind_at": "催告的时刻"},
)
def conclude(ctx: HandlerContext) -> Mapping[str, Any]:
    """审核结论生效（4.6.2），并制作备案审核意见表。"""
    item = _item(ctx)
    if ctx.variables.get("second_decision") == "agree":
        reviews.confirm(item, as_text(ctx.variables.get("second_opinion")), actor=ctx.actor, now=ctx.now)
    result = reviews.conclude(ctx.session, item, actor=ctx.actor, instance_id=ctx.instance_id, now=ctx.now)
    ctx.enqueue("documents.review_form", {"item_id": str(item.id)})
    return result


@provider("enterprise_review.correct")
def correct_form(ctx: FormContext) -> FormData:
    """Only what the review asks for, with its reasons and the deadline."""
    item = _item(ctx)
    last, asked = item.review, reviews.asked_materials(item.review)
    requests = {material: as_text((last.get("requests") or {}).get(material)) for material in MATERIALS}
    fields = reviews.asked_fields(last)
    filled = reviews.as_filled(item)
    return FormData(
        data={**{name: filled.get(name) for name in fields}, **{material: [] for material in asked}},
        context={
            "ask": {material: material in asked for material in MATERIALS},
            "requests": requests,
            "fix_fields": fields,
            "has_fields": bool(fields),
            "review_words": as_text(last.get("opinion")),
            "correction_due": reviews.due_words(item, ctx.variables.get("correction_due_at")),
        },
    )


@validator("enterprise_review.correct")
def correct(ctx: FormContext) -> Mapping[str, Any]:
    """What was asked for is there and in order (4.6.1)."""
    return reviews.check_correction(ctx.session, _item(ctx), ctx.data, ctx.now)


@handler(
    "review.accept_correction",
    inputs={"item_id": "企业", "correction": "补正的材料和事项"},
    outputs={"enterprise_name": "更正后的企业名称", "credit_code": "更正后的信用代码"},
)
def accept_correction(ctx: HandlerContext) -> Mapping[str, Any]:
    """登记补正，重新送审（4.6.1、4.6.2）。"""
    item = _item(ctx)
    correction = ctx.variables.get("correction") or {}
    reviews.accept_correction(ctx.session, item, correction, actor=ctx.actor, instance_id=ctx.instance_id, now=ctx.now)
    return {"enterprise_name": item.name, "credit_code": item.credit_code}


@handler("review.remind", inputs={"item_id": "企业"}, outputs={"reminded_at": "催告的时刻"})
def remind(ctx: HandlerContext) -> Mapping[str, Any]:
    """期限届满前催告，记入案卷：不利后果之前先催告（工作口径）。"""
    item = _item(ctx)
    detail = {"due_at": item.correction_due_at.isoformat() if item.correction_due_at else None}
    audit.record(ctx.session, "filing.remind", None, instance_id=ctx.instance_id, subject=item.name, detail=detail)
    return {"reminded_at": ctx.now}


@handler("review.lapse", inputs={"item_id": "企业"})
def lapse(ctx: HandlerContext) -> None:
    """期限届满未补正，本企业从备案中撤下，其他企业不受影响（工作口径）。"""
    item = _item(ctx)
    reason = _("补正期限于%(due)s届满，经催告没有补正。", due=reviews.due_words(item))
    filings.change_status(ctx.session, item, "lapsed", reason=reason, instance_id=ctx.instance_id)


@handler("review.record_outcome", inputs={"item_id": "企业"}, outputs={"last_enterprise": "是否备案的最后一家"})
def record_outcome(ctx: HandlerContext) -> Mapping[str, Any]:
    """登记本企业的结果，并在备案的行锁下判断是否最后一家（4.6.3）。"""
    return {"last_enterprise": filings.settle(ctx.session, _item(ctx), ctx.now)}
