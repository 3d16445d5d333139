"""`expulsion_reconsideration` 清退决定复核 (4.4): asked, examined, resolved or ruled, decided and signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.expulsion_review import keep_inside, words_needed
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
from webapp.registers import expulsion_meetings, expulsions, numbers, reconsiderations, reversing
from webapp.registers.expulsion_models import Reconsideration
from webapp.registers.models import Expulsion
from webapp.registers.values import as_date, as_text, as_uuid, key, zh_date


@starter("expulsion_reconsideration")
def open_case(ctx: StartContext) -> StartPlan:
    """The expelled unit asks for it; or the office opens it for a binding ruling, from the decision's page."""
    chosen, actor = as_uuid(ctx.variables.get("expulsion_id")), ctx.actor
    review = expulsions.get(ctx.session, chosen) if chosen else None
    if review is None and actor is not None:
        review = reconsiderations.decision_of(ctx.session, actor.organisation_id)
    if review is None:
        raise Conflict(_("没有可以复核的清退决定；办公室登记生效裁判的，请在清退审议页面办理。"))
    source = reconsiderations.check_opening(ctx.session, review, actor)
    unit = review.lead_unit
    variables = {
        "expulsion_id": str(review.id),
        "reconsideration_id": None,
        "opened_by": source,
        "lead_unit_name": unit.name,
        "credit_code": unit.credit_code,
        "decision_number": review.decision_number,
        "resolution": "reverse" if source == "office" else "",
    }
    year = (as_date(ctx.now) or ctx.now.date()).year
    number = numbers.case_number(ctx.session, "FH", year)
    return StartPlan(variables=variables, business_key=number, org_id=unit.organisation_id)


@canceller("expulsion_reconsideration")
def give_up(ctx: CancelContext) -> None:
    """A draft may be dropped; what was handed in is decided."""
    if ctx.variables.get("reconsideration_id") is not None:
        raise Conflict(_("复核申请已提交，须由复核决定办结，不能直接终止。"))


def _review(ctx: FormContext | HandlerContext) -> Expulsion:
    return expulsions.get(ctx.session, key(ctx.variables["expulsion_id"]))


def _entry(ctx: FormContext | HandlerContext) -> Reconsideration:
    return reconsiderations.get(ctx.session, key(ctx.variables["reconsideration_id"]))


def _locked(ctx: FormContext | HandlerContext) -> Reconsideration:
    return reconsiderations.locked(ctx.session, key(ctx.variables["reconsideration_id"]))


def _head(review: Expulsion) -> dict[str, Any]:
    return {
        "unit": review.lead_unit.name,
        "code": review.lead_unit.credit_code,
        "number": review.decision_number or "",
        "decided_on": zh_date(review.decided_on),
        "clauses": "、".join(ground.clause for ground in review.grounds),
    }


def _shown(entry: Reconsideration) -> dict[str, Any]:
    return {
        **_head(entry.expulsion),
        "reasons": entry.reasons,
        "count": len(entry.files),
        "findings_words": entry.findings,
        "proposal_words": reconsiderations.PROPOSALS.get(entry.proposal, ""),
        "legality_words": as_text(entry.legality.get("opinion")) or _("审核通过"),
        "basis_words": reconsiderations.basis_words(entry),
        "return_words": "",
    }


# ---- asked for, or ruled -------------------------------------------------------------------------------------------


@provider("reconsideration.request")
def request_form(ctx: FormContext) -> FormData:
    """The decision against which the unit turns."""
    return FormData(context=_head(_review(ctx)))


@validator("reconsideration.request")
def request(ctx: FormContext) -> Mapping[str, Any]:
    """One at a time, of a decision in force."""
    reconsiderations.check_opening(ctx.session, _review(ctx), ctx.actor)
    return {}


def _register(ctx: HandlerContext, source: str) -> Mapping[str, Any]:
    entry = reconsiderations.enter(
        ctx.session,
        _review(ctx),
        source,
        ctx.variables,
        number=ctx.business_key or "",
        instance_id=ctx.instance_id,
        actor=ctx.actor,
    )
    return {"reconsideration_id": str(entry.id)}


@handler(
    "reconsideration.register",
    inputs={"request_reasons": "理由", "request_files": "证据"},
    outputs={"reconsideration_id": "复核"},
)
def register(ctx: HandlerContext) -> Mapping[str, Any]:
    """登记复核申请；不停止执行清退决定（4.4）。"""
    return _register(ctx, "unit")


@provider("reconsideration.ruling")
def ruling_form(ctx: FormContext) -> FormData:
    """The decision that was quashed."""
    return FormData(context=_head(_review(ctx)))


@validator("reconsideration.ruling")
def ruling(ctx: FormContext) -> Mapping[str, Any]:
    """The ruling stands with its document."""
    review = _review(ctx)
    reconsiderations.check_opening(ctx.session, review, ctx.actor)
    return reconsiderations.check_ruling(review, ctx.data, as_date(ctx.now) or ctx.now.date())


@handler(
    "reconsideration.register_ruling",
    inputs={"ruling_authority": "作出机关", "ruling_number": "文号", "ruling_files": "裁判文书"},
    outputs={"reconsideration_id": "复核"},
)
def register_ruling(ctx: HandlerContext) -> Mapping[str, Any]:
    """登记撤销清退决定的生效裁判（4.4）。"""
    return _register(ctx, "office")


# ---- examined and resolved -----------------------------------------------------------------------------------------


@provider("reconsideration.examine")
def examine_form(ctx: FormContext) -> FormData:
    """What was asked, and why it came back."""
    entry = _entry(ctx)
    back = ""
    if entry.status == "examining":
        if entry.sessions and ctx.variables.get("resolution") == "send_back":
            back = str(entry.sessions[-1]["words"])
        if entry.legality.get("decision") == "return":
            back = as_text(entry.legality.get("opinion"))
    data = {"findings": entry.findings or None, "proposal": entry.proposal or None}
    return FormData(data=data, context={**_shown(entry), "return_words": back})


@validator("reconsideration.examine")
def examine(ctx: FormContext) -> Mapping[str, Any]:
    """The form's own rules suffice; the entry must still be open."""
    if _locked(ctx).closed_at is not None:
        raise Conflict(_("该复核已经办结。"))
    return {}


@provider("reconsideration.legality")
def legality_form(ctx: FormContext) -> FormData:
    """What the office found and proposes (it is entered with the check)."""
    given = ctx.variables
    told = {
        "findings_words": as_text(given.get("findings")),
        "proposal_words": reconsiderations.PROPOSALS.get(as_text(given.get("proposal")), ""),
    }
    return FormData(context={**_shown(_entry(ctx)), **told})


@validator("reconsideration.legality")
def legality(ctx: FormContext) -> Mapping[str, Any]:
    """A return says why."""
    return words_needed(ctx, "return", "legality_opinion", _("请写明退回的理由。"))


@handler(
    "reconsideration.record_examination",
    inputs={"findings": "审查认定", "proposal": "处理建议", "legality_decision": "合法性审核"},
)
def record_examination(ctx: HandlerContext) -> None:
    """登记审查认定、处理建议和合法性审核意见（4.4）。"""
    reconsiderations.record_examination(ctx.session, _locked(ctx), ctx.variables, actor=ctx.actor, now=ctx.now)


@provider("reconsideration.deliberate")
def deliberate_form(ctx: FormContext) -> FormData:
    """What was asked, found, and checked."""
    return FormData(context=_shown(_entry(ctx)))


@validator("reconsideration.deliberate")
def deliberate(ctx: FormContext) -> Mapping[str, Any]:
    """Quorum, minutes, recusals with their reasons, as for the expulsion itself."""
    return expulsion_meetings.check_session(ctx.session, ctx.data, as_date(ctx.now) or ctx.now.date())


@handler(
    "reconsideration.record_meeting",
    inputs={"members": "参会人员", "resolution": "决议", "minutes": "会议纪要", "minutes_files": "纪要原件"},
)
def record_meeting(ctx: HandlerContext) -> None:
    """登记局务会对复核的决议（4.4）；纪要不向单位公开。"""
    entry = _locked(ctx)
    files = reconsiderations.resolve(ctx.session, entry, ctx.variables, actor=ctx.actor, now=ctx.now)
    keep_inside(ctx, entry.expulsion, files)


# ---- decided -------------------------------------------------------------------------------------------------------

_WORDS = {
    "uphold": "经复核，原决定认定事实清楚，依据正确，程序合法，予以维持。",
    "reverse": (
        "（一）撤销{number}清退决定，自本决定发布之日起恢复其牵引单位资格。\n"
        "（二）其不再列入不得重新申请名单。\n"
        "（三）因清退终止的事项不再恢复办理，可以重新申报；尚未移交的改造项目由其继续实施。"
    ),
}
OUTCOMES = {"uphold": "维持原决定", "reverse": "撤销原决定"}


@provider("reconsideration.draft")
def draft_form(ctx: FormContext) -> FormData:
    """A first wording, and why the signatory sent it back."""
    entry, given = _entry(ctx), ctx.variables
    outcome = reconsiderations.outcome(entry)
    title = f"关于{'撤销' if outcome == 'reverse' else '维持'}清退{entry.expulsion.lead_unit.name}决定的复核决定"
    words = _WORDS[outcome].format(number=entry.expulsion.decision_number)
    back = as_text(given.get("sign_opinion")) if given.get("sign_decision") == "return" else ""
    data = {
        "decision_title": as_text(given.get("decision_title")) or title,
        "decision_words": as_text(given.get("decision_words")) or words,
    }
    return FormData(data=data, context={**_shown(entry), "outcome_words": OUTCOMES[outcome], "return_words": back})


@validator("reconsideration.draft")
def draft(ctx: FormContext) -> Mapping[str, Any]:
    """The decision names the unit."""
    name = _entry(ctx).expulsion.lead_unit.name
    named = name in as_text(ctx.data.get("decision_title"))
    return {} if named else {"decision_title": _("标题须写明单位：%(name)s。", name=name)}


@provider("reconsideration.sign")
def sign_form(ctx: FormContext) -> FormData:
    """The decision as it will be published, and what the signature sets off."""
    entry, given = _entry(ctx), ctx.variables
    if reconsiderations.outcome(entry) == "reverse":
        effect = _(
            "撤销不得重新申请；恢复在册；恢复账号 %(n)s 个；终止尚未确认的移交；编号并公告。",
            n=len(entry.expulsion.restricted),
        )
    else:
        effect = _("原决定继续有效；编号并公告。")
    told = {
        "title": as_text(given.get("decision_title")),
        "words": as_text(given.get("decision_words")),
        "effect": effect,
    }
    return FormData(context={**_shown(entry), **told})


@validator("reconsideration.sign")
def sign(ctx: FormContext) -> Mapping[str, Any]:
    """A return says why."""
    return words_needed(ctx, "return", "sign_opinion", _("请写明退回修改的理由。"))


@handler(
    "reconsideration.take_effect",
    inputs={"reconsideration_id": "复核", "decision_title": "标题", "decision_words": "决定"},
    outputs={"reconsideration_number": "复核决定文号"},
)
def take_effect(ctx: HandlerContext) -> Mapping[str, Any]:
    """签发即生效（4.4）：维持或者撤销，在同一个事务内。"""
    entry = _locked(ctx)
    entry.decision_title = as_text(ctx.variables.get("decision_title"))
    entry.decision_words = as_text(ctx.variables.get("decision_words"))
    notice = reversing.decide(ctx.session, entry, actor=ctx.actor, now=ctx.now, end=ctx.cancel_instance)
    ctx.enqueue("documents.notice", {"notice_id": str(notice.id)})
    return {"reconsideration_number": notice.number}
