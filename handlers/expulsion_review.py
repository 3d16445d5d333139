"""`expulsion_review` 清退审议 (4.4): from the facts to the signed decision; forms, checks and what each step enters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import update

from webapp.audit import service as audit
from webapp.documents.models import Document
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
from webapp.errors import Conflict, Forbidden
from webapp.i18n import _
from webapp.registers import expelling, expulsions, filings, history, numbers, reviews
from webapp.registers.models import Expulsion
from webapp.registers.values import as_date, as_text, as_uuid, key, until_words, zh_date

PROPOSALS = {"expel": "建议清退", "keep": "建议不予清退"}


@starter("expulsion_review")
def open_case(ctx: StartContext) -> StartPlan:
    """A unit's head asks to leave (4.4.1); a review that the office or a consequence opens brings its entry along."""
    entered = as_uuid(ctx.variables.get("expulsion_id"))
    if entered is not None:
        review = expulsions.get(ctx.session, entered)
        if review.instance_id is not None:
            raise Conflict(_("该清退审议已在办理。"))
        return StartPlan()
    unit = filings.unit_of(ctx.session, ctx.actor.organisation_id if ctx.actor else None)
    if ctx.actor is None or unit is None or "lead_unit_head" not in ctx.actor.roles:
        raise Forbidden(_("自行退出由牵引单位负责人提出；办公室请在牵引单位页面提出清退审议。"))
    expulsions.unit_to_expel(ctx.session, unit.id)
    return StartPlan(
        variables={**expulsions.first_variables(unit), "opened_by": "unit", "expulsion_id": None},
        business_key=numbers.case_number(ctx.session, "QT", (as_date(ctx.now) or ctx.now.date()).year),
        org_id=unit.organisation_id,
    )


@canceller("expulsion_review")
def give_up(ctx: CancelContext) -> None:
    """Before its entry, an exit may be dropped; then only the unit itself may withdraw, before the resolution."""
    found = as_uuid(ctx.variables.get("expulsion_id"))
    if found is not None:
        review = expulsions.locked(ctx.session, found)
        expulsions.give_up(ctx.session, review, ctx.actor, ctx.reason, ctx.now)


def _review(ctx: FormContext | HandlerContext) -> Expulsion:
    return expulsions.get(ctx.session, key(ctx.variables["expulsion_id"]))


def _locked(ctx: FormContext | HandlerContext) -> Expulsion:
    return expulsions.locked(ctx.session, key(ctx.variables["expulsion_id"]))


def _keep_inside(ctx: HandlerContext, review: Expulsion, values: Iterable[Any], *, inside: bool = True) -> None:
    """Whether the unit reads these files: evidence once it has been told of it, minutes never."""
    found = [document for value in values if (document := as_uuid(value))]
    org_id = None if inside else review.lead_unit.organisation_id
    ctx.session.execute(update(Document).where(Document.id.in_(found)).values(org_id=org_id))


def _shown(review: Expulsion) -> dict[str, Any]:
    """What most forms show of a review."""
    return {
        "unit": review.lead_unit.name,
        "code": review.lead_unit.credit_code,
        "grounds_table": [
            {
                "clause": ground.clause,
                "words": expulsions.clause_words(ground.clause),
                "facts": ground.facts,
                "evidence": _("%(n)s 份", n=len(ground.evidence)),
            }
            for ground in review.grounds
        ],
        "said": expulsions.said_words(review),
        "findings_words": as_text(review.proposal.get("findings")),
        "proposal_words": PROPOSALS.get(as_text(review.proposal.get("proposal")), ""),
        "legality_words": as_text(review.legality.get("opinion")) or _("审核通过"),
        "return_words": "",
    }


def _words_needed(ctx: FormContext, outcome: str, name: str, words: str) -> dict[str, str]:
    return {name: words} if ctx.outcome == outcome and not as_text(ctx.data.get(name)) else {}


# ---- a unit's own exit (4.4.1) -------------------------------------------------------------------------------------


@provider("expulsion.request_exit")
def request_exit_form(ctx: FormContext) -> FormData:
    """The unit that asks to leave."""
    return FormData(context={"unit": as_text(ctx.variables.get("lead_unit_name"))})


@validator("expulsion.request_exit")
def request_exit(ctx: FormContext) -> Mapping[str, Any]:
    """It knows that it may not apply again, and hands in a stamped request."""
    wrong = {} if ctx.data.get("bar_known") is True else {"bar_known": _("请确认已知悉退出后不得重新申请纳入。")}
    if not ctx.data.get("exit_files"):
        wrong["exit_files"] = _("请上传加盖公章的退出申请。")
    return wrong


@handler(
    "expulsion.register_exit",
    inputs={"lead_unit_id": "单位", "exit_reasons": "理由", "exit_files": "退出申请"},
    outputs={"expulsion_id": "清退审议", "joined": "是否并入已有的审议"},
)
def register_exit(ctx: HandlerContext) -> Mapping[str, Any]:
    """登记退出申请；本单位已有清退审议的，并入该审议，不因此终结（4.4.1）。"""
    unit = expulsions.unit_to_expel(ctx.session, key(ctx.variables["lead_unit_id"]))
    files = [key(value) for value in ctx.variables.get("exit_files") or ()]
    opened = expulsions.enter(
        ctx.session,
        unit,
        expulsions.EXIT,
        as_text(ctx.variables.get("exit_reasons")),
        "unit",
        number=ctx.business_key or "",
        instance_id=ctx.instance_id,
        evidence=files,
        actor=ctx.actor,
    )
    opened.review.bar_known = True
    return {"expulsion_id": None if opened.joined else str(opened.review.id), "joined": opened.joined}


# ---- facts and hearing ---------------------------------------------------------------------------------------------


@provider("expulsion.gather")
def gather_form(ctx: FormContext) -> FormData:
    """The grounds as they stand, and what the 局务会 wants to know when it sent the review back."""
    review = _review(ctx)
    rows = [{"clause": g.clause, "facts": g.facts, "evidence": list(g.evidence)} for g in review.grounds]
    options = [
        {"value": clause, "label": f"{clause} {expulsions.clause_words(clause)}"} for clause in expulsions.GROUNDS
    ]
    sent_back = review.meetings[-1].words if review.meetings and review.status == "gathering" else ""
    return FormData(
        data={"grounds": rows},
        options={"clauses": options},
        context={**_shown(review), "return_words": sent_back},
    )


@validator("expulsion.gather")
def gather(ctx: FormContext) -> Mapping[str, Any]:
    """Each ground once, with evidence; none that was raised is dropped."""
    return expulsions.check_facts(_locked(ctx), ctx.data.get("grounds") or ())


@handler(
    "expulsion.record_facts",
    inputs={"grounds": "各项情形、事实和证据"},
    outputs={"voluntary": "是否仅自行退出", "bar_known": "是否已知悉不得重新申请", "hearing_due_at": "期限"},
)
def record_facts(ctx: HandlerContext) -> Mapping[str, Any]:
    """登记查明的事实和证据（4.4）；告知以前，证据不向单位公开。"""
    review = _locked(ctx)
    expulsions.keep_facts(ctx.session, review, ctx.variables.get("grounds") or (), ctx.actor)
    _keep_inside(ctx, review, [v for g in review.grounds if g.source != "unit" for v in g.evidence])
    voluntary = expulsions.exit_only(review)
    if voluntary and review.bar_known:
        review.status = "proposing"
    due = expulsions.due_at(ctx.session, ctx.now)
    return {"voluntary": voluntary, "bar_known": review.bar_known, "hearing_due_at": due}


@provider("expulsion.acknowledge")
def acknowledge_form(ctx: FormContext) -> FormData:
    """The unit whose exit it is."""
    return FormData(context=_shown(_review(ctx)))


@validator("expulsion.acknowledge")
def acknowledge(ctx: FormContext) -> Mapping[str, Any]:
    """It says so expressly."""
    return {} if ctx.data.get("bar_known") is True else {"bar_known": _("请确认已知悉退出后不得重新申请纳入。")}


@handler(
    "expulsion.tell",
    inputs={"expulsion_id": "清退审议"},
    outputs={"hearing_due_at": "陈述申辩期限届满的时刻", "hearing_remind_at": "催告的时刻"},
)
def tell(ctx: HandlerContext) -> Mapping[str, Any]:
    """编号告知书，期限自告知次日起算（4.4，期限为工作口径）；证据自此向单位公开。"""
    review = _locked(ctx)
    expulsions.tell(ctx.session, review, ctx.now, actor=ctx.actor)
    _keep_inside(ctx, review, [value for g in review.grounds for value in g.evidence], inside=False)
    ctx.enqueue("documents.expulsion", {"expulsion_id": str(review.id), "kind": "expulsion_told"})
    assert review.statement_due_at is not None
    remind = reviews.remind_at(ctx.session, review.statement_due_at, ctx.now)
    return {"hearing_due_at": review.statement_due_at, "hearing_remind_at": remind}


@provider("expulsion.state_case")
def state_case_form(ctx: FormContext) -> FormData:
    """What the unit is told, and until when it may answer."""
    review = _review(ctx)
    return FormData(context={**_shown(review), "due": until_words(review.statement_due_at)})


@validator("expulsion.state_case")
def state_case(ctx: FormContext) -> Mapping[str, Any]:
    """A statement has words; whoever has none waives."""
    return _words_needed(ctx, "submit", "statement", _("请写明陈述申辩；没有意见的，请选择放弃。"))


@handler(
    "expulsion.record_statement",
    inputs={"voluntary": "是否仅自行退出", "statement": "陈述申辩", "statement_files": "证明材料"},
    outputs={"bar_known": "是否已知悉不得重新申请"},
)
def record_statement(ctx: HandlerContext) -> Mapping[str, Any]:
    """记录单位的陈述申辩、放弃，或者（4.4.1）知悉不得重新申请。"""
    review, given = _locked(ctx), ctx.variables
    if given.get("voluntary") is True and given.get("bar_known") is True:
        review.bar_known, review.status = True, "proposing"
        return {"bar_known": True}
    kind = "waived" if given.get("state_case_decision") == "waive" else "statement"
    words = as_text(given.get("statement")) if kind == "statement" else ""
    files = given.get("statement_files") or ()
    expulsions.state(ctx.session, review, kind, words, files, actor=ctx.actor, now=ctx.now)
    return {"bar_known": review.bar_known}


@handler("expulsion.remind", inputs={"expulsion_id": "清退审议"}, outputs={"reminded_at": "催告的时刻"})
def remind(ctx: HandlerContext) -> Mapping[str, Any]:
    """催告：期限届满前提醒单位（4.4）。"""
    review = _review(ctx)
    due = review.statement_due_at.isoformat() if review.statement_due_at else ""
    subject = review.lead_unit.name
    audit.record(
        ctx.session, "expulsion.remind", None, instance_id=ctx.instance_id, subject=subject, detail={"due": due}
    )
    return {"reminded_at": ctx.now}


@handler("expulsion.silence", inputs={"expulsion_id": "清退审议"})
def silence(ctx: HandlerContext) -> None:
    """期限届满未陈述申辩的，如实记录（4.4）。"""
    expulsions.state(ctx.session, _locked(ctx), "silent", "", (), actor=None, now=ctx.now)


# ---- proposal, legality, agenda ------------------------------------------------------------------------------------


@provider("expulsion.propose")
def propose_form(ctx: FormContext) -> FormData:
    """The facts, what the unit said, and why the legality check sent it back."""
    review = _review(ctx)
    returned = ctx.variables.get("legality_decision") == "return" and review.legality.get("decision") == "return"
    files = [value for said in review.statements for value in said["files"]]
    context = {**_shown(review), "has_statement_files": bool(files)}
    context["return_words"] = as_text(review.legality.get("opinion")) if returned else ""
    data = {"findings": review.proposal.get("findings"), "proposal": review.proposal.get("proposal")}
    return FormData(data={**data, "statement_files": files}, context=context)


@validator("expulsion.propose")
def propose(ctx: FormContext) -> Mapping[str, Any]:
    """What the unit said is answered."""
    spoke = any(said["kind"] == "statement" for said in _review(ctx).statements)
    if spoke and not as_text(ctx.data.get("answer_to_statement")):
        return {"answer_to_statement": _("单位提出了陈述申辩，请逐条写明采纳与否及理由。")}
    return {}


@provider("expulsion.legality")
def legality_form(ctx: FormContext) -> FormData:
    """The proposal and what it rests on."""
    return FormData(context=_shown(_review(ctx)))


@validator("expulsion.legality")
def legality(ctx: FormContext) -> Mapping[str, Any]:
    """Passed only when facts, procedure and basis each are confirmed; a return says why."""
    if ctx.outcome == "return":
        return _words_needed(ctx, "return", "legality_opinion", _("请写明退回的理由。"))
    names = ("facts_clear", "procedure_kept", "basis_right")
    return {name: _("请确认此项，或者退回。") for name in names if ctx.data.get(name) is not True}


@handler(
    "expulsion.record_proposal",
    inputs={"findings": "认定的事实和理由", "proposal": "处理建议", "legality_decision": "合法性审核"},
)
def record_proposal(ctx: HandlerContext) -> None:
    """登记处理建议和合法性审核意见（4.4）。"""
    review, given = _locked(ctx), ctx.variables
    before = history.snapshot(review)
    names = ("findings", "proposal", "answer_to_statement")
    review.proposal = {name: as_text(given.get(name)) for name in names}
    review.legality = {
        "decision": as_text(given.get("legality_decision")),
        "opinion": as_text(given.get("legality_opinion")),
        "by": ctx.actor.name if ctx.actor else "",
        "at": ctx.now.isoformat(),
    }
    history.record(ctx.session, review, "proposed", before=before, actor=ctx.actor, instance_id=ctx.instance_id)


@provider("expulsion.set_agenda")
def agenda_form(ctx: FormContext) -> FormData:
    """The proposal that goes before the 局务会."""
    return FormData(context=_shown(_review(ctx)))


@validator("expulsion.set_agenda")
def set_agenda(ctx: FormContext) -> Mapping[str, Any]:
    """A meeting that lies ahead."""
    day, today = as_date(ctx.data.get("meeting_on")), as_date(ctx.now)
    return {"meeting_on": _("会议日期早于今日，请核对。")} if day and today and day < today else {}


@handler("expulsion.papers", inputs={"expulsion_id": "清退审议", "meeting_on": "会议日期"})
def papers(ctx: HandlerContext) -> None:
    """列入局务会议题并制作议题材料（4.4）。"""
    review, given = _locked(ctx), ctx.variables
    before = history.snapshot(review)
    day = as_date(given.get("meeting_on"))
    review.agenda = {
        "meeting_on": day.isoformat() if day else "",
        "place": as_text(given.get("meeting_place")),
        "note": as_text(given.get("agenda_note")),
    }
    review.status = "meeting"
    history.record(ctx.session, review, "status", before=before, actor=ctx.actor, instance_id=ctx.instance_id)
    ctx.enqueue("documents.expulsion", {"expulsion_id": str(review.id), "kind": "expulsion_agenda"})


# ---- the 局务会 ----------------------------------------------------------------------------------------------------


@provider("expulsion.deliberate")
def deliberate_form(ctx: FormContext) -> FormData:
    """The item on the agenda; grounds that the unit has not been told of yet are named."""
    review = _review(ctx)
    untold = "、".join(expulsions.untold(review))
    return FormData(
        data={"met_on": as_date(review.agenda.get("meeting_on"))}, context={**_shown(review), "untold": untold}
    )


@validator("expulsion.deliberate")
def deliberate(ctx: FormContext) -> Mapping[str, Any]:
    """Quorum, minutes, recusals with their reasons; nothing that the unit was not told of is confirmed."""
    today = as_date(ctx.now) or ctx.now.date()
    return expulsions.check_meeting(ctx.session, _locked(ctx), ctx.data, ctx.outcome, today)


@handler(
    "expulsion.record_meeting",
    inputs={"members": "参会人员", "resolution": "决议", "minutes": "会议纪要", "minutes_files": "纪要原件"},
)
def record_meeting(ctx: HandlerContext) -> None:
    """登记局务会决议（4.4）：到会、回避、纪要；纪要不向单位公开。"""
    review = _locked(ctx)
    meeting = expulsions.resolve(ctx.session, review, ctx.variables, actor=ctx.actor, now=ctx.now)
    _keep_inside(ctx, review, meeting.minutes_files)


@handler("expulsion.not_confirmed", inputs={"expulsion_id": "清退审议"})
def not_confirmed(ctx: HandlerContext) -> None:
    """局务会不予确认的，审议结束，单位仍在册（4.4）。"""
    review = _locked(ctx)
    reason = _("局务会不予确认清退：%(words)s", words=review.meetings[-1].words)
    expulsions.close(ctx.session, review, "not_confirmed", reason, actor=ctx.actor, now=ctx.now)


# ---- decision ------------------------------------------------------------------------------------------------------


@provider("expulsion.draft_decision")
def draft_form(ctx: FormContext) -> FormData:
    """A first wording of the decision, and why the signatory sent it back."""
    review = _review(ctx)
    meeting, returned = review.meetings[-1], ctx.variables.get("sign_decision") == "return"
    title = f"关于清退牵引单位{review.lead_unit.name}的决定"
    words = (
        "一、自本决定发布之日起，取消其牵引单位资格并予以清退，不得重新申请纳入。\n"
        "二、其在办的备案、评价等事项自本决定发布之日起终止。\n"
        "三、尚未完成的改造项目，应当在 10 个工作日内提交移交清单，不得影响试点企业的改造。\n"
        "对本决定不服的，可以向我局申请复核，复核期间不停止执行。"
    )
    return FormData(
        data={"decision_title": review.decision_title or title, "decision_words": review.decision_words or words},
        context={
            **_shown(review),
            "met_on": zh_date(meeting.met_on),
            "resolution_words": meeting.words,
            "return_words": as_text(ctx.variables.get("sign_opinion")) if returned else "",
        },
    )


@validator("expulsion.draft_decision")
def draft_decision(ctx: FormContext) -> Mapping[str, Any]:
    """The decision names the unit."""
    name = _review(ctx).lead_unit.name
    title = as_text(ctx.data.get("decision_title"))
    return {} if name in title else {"decision_title": _("标题须写明被清退的单位：%(name)s。", name=name)}


@provider("expulsion.sign")
def sign_form(ctx: FormContext) -> FormData:
    """The decision as it will be published, and what the signature sets off."""
    review, given = _review(ctx), ctx.variables
    meeting = review.meetings[-1]
    return FormData(
        context={
            **_shown(review),
            "title": as_text(given.get("decision_title")),
            "words": as_text(given.get("decision_words")),
            "met_on": zh_date(meeting.met_on),
            "resolution_words": meeting.words,
            "running": len(expelling.running(ctx.session, review.lead_unit)),
            "accounts": len(expelling.members(ctx.session, review.lead_unit.organisation_id)),
        }
    )


@validator("expulsion.sign")
def sign(ctx: FormContext) -> Mapping[str, Any]:
    """A return says why."""
    return _words_needed(ctx, "return", "sign_opinion", _("请写明退回修改的理由。"))


@handler(
    "expulsion.expel",
    inputs={"expulsion_id": "清退审议", "decision_title": "决定标题", "decision_words": "处理决定"},
    outputs={"decision_number": "决定文号"},
)
def expel(ctx: HandlerContext) -> Mapping[str, Any]:
    """签发即生效（4.4）：状态、不得重新申请名单、在办事项、账号、编号、公告，在同一个事务内。"""
    review = _locked(ctx)
    review.decision_title = as_text(ctx.variables.get("decision_title"))
    review.decision_words = as_text(ctx.variables.get("decision_words"))
    notice = expelling.expel(ctx.session, review, actor=ctx.actor, now=ctx.now, end=ctx.cancel_instance)
    ctx.enqueue("documents.notice", {"notice_id": str(notice.id)})
    return {"decision_number": notice.number}


@provider("expulsion.handover")
def handover_form(ctx: FormContext) -> FormData:
    """The decision that it follows from."""
    review = _review(ctx)
    return FormData(context={**_shown(review), "number": review.decision_number})


@validator("expulsion.handover")
def handover(ctx: FormContext) -> Mapping[str, Any]:
    """Each project that is left names who takes it over."""
    rows = ctx.data.get("handover_items") or ()
    words = _("请写明接手单位。")
    return {f"handover_items[{n}].taker": words for n, row in enumerate(rows) if not as_text(row.get("taker"))}


@handler("expulsion.record_handover", inputs={"handover_items": "未完成项目", "handover_note": "说明"})
def record_handover(ctx: HandlerContext) -> None:
    """登记移交清单（4.4）。"""
    review, given = _locked(ctx), ctx.variables
    before = history.snapshot(review)
    rows = [
        {
            **{name: as_text(row.get(name)) for name in ("project", "enterprise", "taker")},
            "due_on": str(as_date(row.get("due_on")) or ""),
        }
        for row in given.get("handover_items") or ()
    ]
    review.handover = {"items": rows, "note": as_text(given.get("handover_note")), "at": ctx.now.isoformat()}
    history.record(ctx.session, review, "handed_over", before=before, actor=ctx.actor, instance_id=ctx.instance_id)
