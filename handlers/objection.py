"""`objection` 公示异议处理 (4.6.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp import clock
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
from webapp.notices import objections, publishing
from webapp.notices.models import Objection
from webapp.registers import filings
from webapp.registers.values import as_text, key


@canceller("objection")
def give_up(_ctx: CancelContext) -> None:
    """Never: an objection that was received in time is decided (4.6.3)."""
    raise Conflict(_("公示期内收到的异议不能直接终止：须由工作小组作出决定（4.6.3）。"))


def _objection(ctx: FormContext | HandlerContext) -> Objection:
    return objections.get(ctx.session, key(ctx.variables["objection_id"]))


def _head(ctx: FormContext) -> dict[str, Any]:
    """What both forms say of the objection."""
    objection = _objection(ctx)
    notice = publishing.get(ctx.session, objection.notice_id)
    return {
        "enterprise": filings.get_item(ctx.session, objection.filing_item_id).name,
        "notice_title": notice.title,
        "notice_number": notice.number,
        "received": objection.received_at.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M"),
        "channel": objections.CHANNELS.get(objection.channel, objection.channel),
        "objector": objection.objector_name or _("匿名"),
        "words": objection.words,
        "has_evidence": bool(objection.evidence),
    }


@provider("objection.investigate")
def investigate_form(ctx: FormContext) -> FormData:
    """The objection, and why the working group wants to know more."""
    returned = ctx.variables.get("objection_decision") == "return"
    words = as_text(ctx.variables.get("decision_reasons")) if returned else ""
    return FormData(data={"evidence": _objection(ctx).evidence}, context={**_head(ctx), "return_words": words})


@validator("objection.investigate")
def investigate(ctx: FormContext) -> Mapping[str, Any]:
    """Facts and a proposal."""
    missing = {"findings": _("请写明调查情况。"), "proposal": _("请提出处理建议。")}
    return {name: words for name, words in missing.items() if not as_text(ctx.data.get(name))}


@provider("objection.decide")
def decide_form(ctx: FormContext) -> FormData:
    """The objection with what the office found."""
    given = ctx.variables
    files = given.get("findings_files") or []
    labels = {"upheld": _("异议成立，撤下该企业"), "dismissed": _("异议不成立")}
    return FormData(
        data={"evidence": _objection(ctx).evidence, "findings_files": files, "decision_reasons": None},
        context={
            **_head(ctx),
            "findings": as_text(given.get("findings")),
            "proposal_label": labels.get(as_text(given.get("proposal")), ""),
            "investigator": as_text(given.get("investigator")) or _("办公室"),
            "has_findings_files": bool(files),
        },
    )


@validator("objection.decide")
def decide(ctx: FormContext) -> Mapping[str, Any]:
    """A decision gives its reasons, which the objector reads; a return says what is missing."""
    return {} if as_text(ctx.data.get("decision_reasons")) else {"decision_reasons": _("请写明理由。")}


@handler(
    "objection.apply",
    inputs={"objection_id": "异议", "objection_decision": "决定", "findings": "调查情况", "decision_reasons": "理由"},
    outputs={"tell_batch": "是否有批次在等这一决定", "tell_enterprise": "是否须直接告知企业案件"},
)
def apply(ctx: HandlerContext) -> Mapping[str, Any]:
    """登记决定并答复：成立的撤下该企业，不成立的恢复公示状态（4.6.3）。"""
    given = ctx.variables
    return objections.apply(
        ctx.session,
        _objection(ctx),
        decision=as_text(given["objection_decision"]),
        findings=as_text(given.get("findings")),
        reasons=as_text(given.get("decision_reasons")),
        actor=ctx.actor,
        instance_id=ctx.instance_id,
        now=ctx.now,
    )
