"""`criticism` (4.2, 4.3): notice and order are signed, the unit rectifies, the office checks, the group decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.criticism import (
    also_expulsion,
    case_of,
    clause_options,
    keep_inside,
    locked,
    pass_on,
    shown,
    words_needed,
)
from webapp.accounts import settings_service
from webapp.engine.handler_api import FormContext, FormData, HandlerContext, handler, provider, validator
from webapp.i18n import _
from webapp.registers import criticism_papers, criticisms, expelling, rectifying, reviews
from webapp.registers.criticism_models import Criticism
from webapp.registers.values import as_int, as_text, until_words

#: The assessment's words (4.3: 实际情况, 情节轻重); the keys are those of the decision table.
CIRCUMSTANCES = {"hindered": "有客观原因", "partial": "已整改一部分", "neglected": "无正当理由未整改"}
SEVERITY = {"light": "较轻", "medium": "一般", "grave": "严重"}
PROPOSALS = {"continue": "继续整改", "cancel": "取消牵引单位资格"}


@provider("criticism.draft")
def draft_form(ctx: FormContext) -> FormData:
    """First words of notice and order, and why the signatory sent them back."""
    case, given = case_of(ctx), ctx.variables
    returned = given.get("sign_decision") == "return"
    days = int(settings_service.get(ctx.session, "rectification_days"))
    data = {
        "notice_title": as_text(given.get("notice_title")) or f"关于对牵引单位{case.lead_unit.name}的通报批评",
        "notice_words": as_text(given.get("notice_words")) or criticism_papers.USUAL_WORDS,
        "requirements": as_text(given.get("requirements")) or criticism_papers.usual_requirements(case),
        "days": as_int(given.get("days")) or days,
    }
    context = {**shown(case), "return_words": as_text(given.get("sign_opinion")) if returned else ""}
    return FormData(data=data, context={**context, "usual_days": days})


@validator("criticism.draft")
def draft(ctx: FormContext) -> Mapping[str, Any]:
    """The notice names the unit; the period is a whole number of days."""
    return {**_names_unit(ctx, "notice_title"), **_days(ctx, "days")}


def _names_unit(ctx: FormContext, field: str) -> dict[str, str]:
    name = case_of(ctx).lead_unit.name
    return {} if name in as_text(ctx.data.get(field)) else {field: _("标题须写明单位：%(name)s。", name=name)}


def _days(ctx: FormContext, field: str) -> dict[str, str]:
    days = as_int(ctx.data.get(field))
    return {} if days is not None and 1 <= days <= 365 else {field: _("整改期限为 1 至 365 天。")}


@provider("criticism.sign")
def sign_form(ctx: FormContext) -> FormData:
    """Notice and order as they will go out."""
    case, given = case_of(ctx), ctx.variables
    names = ("notice_title", "notice_words", "requirements")
    findings = [
        {"clause": g.clause, "result": _("成立") if g.established else _("不成立"), "finding": g.finding}
        for g in case.grounds
    ]
    context = {**shown(case), **{name: as_text(given.get(name)) for name in names}}
    return FormData(context={**context, "days": as_int(given.get("days")), "finding_rows": findings})


@validator("criticism.sign")
def sign(ctx: FormContext) -> Mapping[str, Any]:
    """A return says why."""
    return words_needed(ctx, "return", "sign_opinion", _("请写明退回修改的理由。"))


@handler(
    "criticism.serve",
    inputs={"notice_title": "标题", "notice_words": "通报内容", "requirements": "整改要求", "days": "整改期限（天）"},
    outputs={
        "notice_number": "通报文号",
        "order_number": "责令整改文号",
        "rectify_due_at": "整改期限届满的时刻",
        "rectify_remind_at": "催告的时刻",
    },
)
def serve(ctx: HandlerContext) -> Mapping[str, Any]:
    """编号、发布通报批评并送达责令限期整改通知书，期限自送达次日起算（4.2，期限为工作口径）。"""
    case, given = locked(ctx), ctx.variables
    notice = rectifying.criticise(
        ctx.session,
        case,
        title=as_text(given["notice_title"]),
        words=as_text(given["notice_words"]),
        requirements=as_text(given["requirements"]),
        days=as_int(given["days"]) or 1,
        actor=ctx.actor,
        now=ctx.now,
    )
    ctx.enqueue("documents.notice", {"notice_id": str(notice.id)})
    return {"notice_number": notice.number, **_ordered(ctx, case)}


def _ordered(ctx: HandlerContext, case: Criticism) -> dict[str, Any]:
    """The order's document is made; when its period ends, and when the unit is reminded."""
    period = rectifying.current(case)
    ctx.enqueue("documents.rectification", {"criticism_id": str(case.id), "seq": period.seq})
    remind = reviews.remind_at(ctx.session, period.due_at, ctx.now)
    return {"order_number": period.number, "rectify_due_at": period.due_at, "rectify_remind_at": remind}


# ---- rectifying and checking ---------------------------------------------------------------------------------------


def order_shown(case: Criticism) -> dict[str, Any]:
    """What forms show of the order that holds."""
    period = rectifying.current(case)
    return {
        **shown(case),
        "order_number": period.number,
        "seq": period.seq,
        "requirements": period.requirements,
        "due": until_words(period.due_at),
        "report_words": period.report_words or _("没有报告。"),
        "check_words": period.check_words or _("逾期未报，没有核查。"),
    }


@provider("criticism.rectify")
def rectify_form(ctx: FormContext) -> FormData:
    """What the unit is told to rectify, until when, and what the office found wanting before."""
    case = case_of(ctx)
    earlier = [p.check_words or _("逾期未报。") for p in case.periods[:-1]]
    return FormData(context={**order_shown(case), "earlier": "\n".join(earlier)})


@validator("criticism.rectify")
def rectify(ctx: FormContext) -> Mapping[str, Any]:
    """A report has words and evidence."""
    return {} if ctx.data.get("report_files") else {"report_files": _("请上传整改的证明材料。")}


@handler("criticism.record_report", inputs={"report_words": "整改情况", "report_files": "证明材料"})
def record_report(ctx: HandlerContext) -> None:
    """登记整改报告，送办公室核查（4.2）。"""
    case, given = locked(ctx), ctx.variables
    words, files = as_text(given.get("report_words")), given.get("report_files") or ()
    rectifying.report(ctx.session, case, words, files, actor=ctx.actor, now=ctx.now)
    keep_inside(ctx, case, files, inside=False)


@provider("criticism.check")
def check_form(ctx: FormContext) -> FormData:
    """The order beside the unit's report."""
    case = case_of(ctx)
    return FormData(data={"report_files": rectifying.current(case).report_files}, context=order_shown(case))


@validator("criticism.check")
def check(ctx: FormContext) -> Mapping[str, Any]:
    """The check says how it was checked; a failure says what is wanting."""
    if len(as_text(ctx.data.get("check_words"))) < 5:
        return {"check_words": _("请写明核查的方式和结果；不合格的，写明哪些没有整改到位。")}
    return {}


@handler("criticism.record_check", inputs={"check_decision": "合格或不合格", "check_words": "核查情况"})
def record_check(ctx: HandlerContext) -> None:
    """登记核查结果：合格的办结（4.2），不合格的研究处理（4.3）。"""
    case, given = locked(ctx), ctx.variables
    passed = given.get("check_decision") == "pass"
    words = as_text(given.get("check_words"))
    rectifying.check(ctx.session, case, passed=passed, words=words, actor=ctx.actor, now=ctx.now)


@handler("criticism.missed", inputs={"criticism_id": "通报批评"})
def missed(ctx: HandlerContext) -> None:
    """期限届满没有报送整改情况的，如实记录（4.3）。"""
    rectifying.miss(ctx.session, locked(ctx))


# ---- what follows a period that was not kept (4.3) -----------------------------------------------------------------


@provider("criticism.assess")
def assess_form(ctx: FormContext) -> FormData:
    """The order, the report, the check."""
    case = case_of(ctx)
    said = _("期限届满，没有报送整改情况。") if rectifying.current(case).status == "missed" else _("核查不合格。")
    return FormData(context={**order_shown(case), "outcome_words": said})


@handler(
    "criticism.record_assessment",
    inputs={"circumstances": "实际情况", "severity": "情节", "assess_words": "说明"},
    outputs={"circumstances": "实际情况", "severity": "情节", "periods": "已责令整改的次数"},
)
def record_assessment(ctx: HandlerContext) -> Mapping[str, Any]:
    """登记实际情况和情节轻重，供决策表提出建议（4.3）。"""
    case, given = locked(ctx), ctx.variables
    period = rectifying.current(case)
    names = ("circumstances", "severity")
    found = {name: as_text(given.get(name)) for name in names}
    period.assessment = {**found, "words": as_text(given.get("assess_words"))}
    return {**found, "periods": period.seq}


@provider("criticism.resolve")
def resolve_form(ctx: FormContext) -> FormData:
    """The assessment, what the table proposes and why, and a wording for either outcome."""
    case, proposed = case_of(ctx), ctx.variables.get("proposed") or {}
    said = rectifying.current(case).assessment
    days = int(settings_service.get(ctx.session, "rectification_days"))
    context = {
        **order_shown(case),
        "circumstances_words": CIRCUMSTANCES.get(as_text(said.get("circumstances")), ""),
        "severity_words": SEVERITY.get(as_text(said.get("severity")), ""),
        "assess_words": as_text(said.get("words")),
        "proposal_words": PROPOSALS.get(as_text(proposed.get("proposal")), ""),
        "proposal_reason": as_text(proposed.get("reason")),
        "cancel_hindered": rectifying.cannot_cancel(ctx.session, case),
    }
    return FormData(
        data={"next_requirements": rectifying.current(case).requirements, "next_days": days},
        options={"expulsion_clauses": clause_options(criticisms.OF_EXPULSION)},
        context=context,
    )


@validator("criticism.resolve")
def resolve(ctx: FormContext) -> Mapping[str, Any]:
    """Going on has its requirements and days; a unit under expulsion is not cancelled (4.3, 4.4)."""
    found = also_expulsion(ctx.data)
    if ctx.outcome == "continue":
        if len(as_text(ctx.data.get("next_requirements"))) < 10:
            found["next_requirements"] = _("请写明继续整改的要求，不少于 10 个字。")
        return {**found, **_days(ctx, "next_days")}
    if hindered := rectifying.cannot_cancel(ctx.session, locked(ctx)):
        found[""] = hindered
    elif ctx.data.get("also_ground"):
        found["also_ground"] = _("同时属于第 4.4 条情形的，先由局务会审议清退，不在本件取消资格。")
    return found


@handler(
    "criticism.record_resolution",
    inputs={"resolve_decision": "继续整改或取消资格", "resolve_words": "理由"},
    outputs={"expulsion_number": "清退审议编号"},
)
def record_resolution(ctx: HandlerContext) -> Mapping[str, Any]:
    """登记工作小组的决定（4.3）；同时属于第 4.4 条情形的，提出清退审议。"""
    case, given = locked(ctx), ctx.variables
    proposed = given.get("proposed") or {}
    period = rectifying.current(case)
    period.assessment = {**period.assessment, **{n: as_text(proposed.get(n)) for n in ("proposal", "reason")}}
    outcome, words = as_text(given.get("resolve_decision")), as_text(given.get("resolve_words"))
    rectifying.resolve(ctx.session, case, outcome, words, actor=ctx.actor, now=ctx.now)
    return {"expulsion_number": pass_on(ctx, case)}


@handler(
    "criticism.order_again",
    inputs={"next_requirements": "整改要求", "next_days": "整改期限（天）"},
    outputs={"order_number": "文号", "rectify_due_at": "期限届满的时刻", "rectify_remind_at": "催告的时刻"},
)
def order_again(ctx: HandlerContext) -> Mapping[str, Any]:
    """责令继续整改：新的文号和期限，次数累计（4.3）。"""
    case, given = locked(ctx), ctx.variables
    days = as_int(given.get("next_days")) or 1
    rectifying.order(ctx.session, case, as_text(given.get("next_requirements")), days, ctx.now, actor=ctx.actor)
    return _ordered(ctx, case)


@provider("criticism.sign_cancel")
def sign_cancel_form(ctx: FormContext) -> FormData:
    """The decision in its usual words, and what the signature sets off."""
    case, given = case_of(ctx), ctx.variables
    data = {
        "cancel_title": as_text(given.get("cancel_title")) or f"关于取消{case.lead_unit.name}牵引单位资格的决定",
        "cancel_words": as_text(given.get("cancel_words")) or criticism_papers.CANCEL_WORDS,
    }
    context = {
        **order_shown(case),
        "resolve_words": as_text(given.get("resolve_words")),
        "running": len([c for c in expelling.running(ctx.session, case.lead_unit) if c.instance_id != ctx.instance_id]),
        "accounts": len(expelling.members(ctx.session, case.lead_unit.organisation_id)),
    }
    return FormData(data=data, context=context)


@validator("criticism.sign_cancel")
def sign_cancel(ctx: FormContext) -> Mapping[str, Any]:
    """A return says why; what is signed names the unit, which is not under expulsion (4.4)."""
    if ctx.outcome == "return":
        return words_needed(ctx, "return", "cancel_opinion", _("请写明退回的理由。"))
    found = _names_unit(ctx, "cancel_title")
    if hindered := rectifying.cannot_cancel(ctx.session, locked(ctx)):
        found[""] = hindered
    return found


@handler(
    "criticism.cancel",
    inputs={"cancel_title": "决定标题", "cancel_words": "处理决定"},
    outputs={"cancel_number": "决定文号"},
)
def cancel(ctx: HandlerContext) -> Mapping[str, Any]:
    """签发即取消资格（4.3）：状态、在办事项、账号、编号、公告在同一个事务内；不列入不得重新申请名单。"""
    expelling.lock_running(ctx.session, case_of(ctx).lead_unit)
    notice = rectifying.cancel(
        ctx.session,
        locked(ctx),
        title=as_text(ctx.variables.get("cancel_title")),
        words=as_text(ctx.variables.get("cancel_words")),
        actor=ctx.actor,
        now=ctx.now,
        end=ctx.cancel_instance,
    )
    ctx.enqueue("documents.notice", {"notice_id": str(notice.id)})
    return {"cancel_number": notice.number}
