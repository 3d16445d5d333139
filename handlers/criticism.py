"""`criticism` 通报批评 (4.2): from the facts to what the working group establishes; forms, checks, what each enters."""

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
from webapp.registers import criticisms, expulsions, reviews
from webapp.registers.criticism_models import Criticism
from webapp.registers.values import as_text, as_uuid, key, until_words


@starter("criticism")
def open_case(ctx: StartContext) -> StartPlan:
    """A case is opened on the unit's page or by a consequence, which bring its entry along."""
    entered = as_uuid(ctx.variables.get("criticism_id"))
    if entered is None:
        raise Forbidden(_("通报批评由办公室在牵引单位页面提出，或者由其他事项引起。"))
    if criticisms.get(ctx.session, entered).instance_id is not None:
        raise Conflict(_("该通报批评已在办理。"))
    return StartPlan()


@canceller("criticism")
def give_up(ctx: CancelContext) -> None:
    """A case has a conclusion; it ends without one only when its unit has left the list or its basis has fallen."""
    case = criticisms.locked(ctx.session, key(ctx.variables["criticism_id"]))
    if case.closed_at is not None:
        return
    if case.lead_unit.status == "listed":
        raise Forbidden(_("通报批评须有结论，不能直接终止（第 4.2 条）。"))
    criticisms.close(ctx.session, case, "ended", ctx.reason, actor=ctx.actor, now=ctx.now)


def case_of(ctx: FormContext | HandlerContext) -> Criticism:
    return criticisms.get(ctx.session, key(ctx.variables["criticism_id"]))


def locked(ctx: FormContext | HandlerContext) -> Criticism:
    return criticisms.locked(ctx.session, key(ctx.variables["criticism_id"]))


def keep_inside(ctx: HandlerContext, case: Criticism, values: Iterable[Any], *, inside: bool) -> None:
    """Whether the unit reads these files: evidence once it has been told of it."""
    found = [document for value in values if (document := as_uuid(value))]
    org_id = None if inside else case.lead_unit.organisation_id
    ctx.session.execute(update(Document).where(Document.id.in_(found)).values(org_id=org_id))


def shown(case: Criticism) -> dict[str, Any]:
    """What most forms show of a case."""
    return {
        "unit": case.lead_unit.name,
        "code": case.lead_unit.credit_code,
        "grounds_table": [
            {
                "clause": ground.clause,
                "words": expulsions.clause_words(ground.clause),
                "facts": ground.facts,
                "evidence": _("%(n)s 份", n=len(ground.evidence)),
            }
            for ground in case.grounds
        ],
        "said": criticisms.said_words(case),
    }


def clause_options(clauses: Iterable[str]) -> list[dict[str, str]]:
    """Clauses to choose from, with the regulation's words."""
    return [{"value": clause, "label": f"{clause} {expulsions.clause_words(clause)}"} for clause in clauses]


def also_expulsion(data: Mapping[str, Any]) -> dict[str, str]:
    """Facts that are also a ground of 4.4 are written down with it."""
    if data.get("also_ground") and len(as_text(data.get("also_facts"))) < 10:
        return {"also_facts": _("请写明属于第 %(n)s 条情形的事实，不少于 10 个字。", n=data["also_ground"])}
    return {}


def words_needed(ctx: FormContext, outcome: str, name: str, words: str) -> dict[str, str]:
    return {name: words} if ctx.outcome == outcome and not as_text(ctx.data.get(name)) else {}


# ---- facts ---------------------------------------------------------------------------------------------------------


@provider("criticism.gather")
def gather_form(ctx: FormContext) -> FormData:
    """The grounds as they stand, and what the working group wants to know when it sent the case back."""
    case = case_of(ctx)
    rows = [{"clause": g.clause, "facts": g.facts, "evidence": list(g.evidence)} for g in case.grounds]
    returned = as_text(ctx.variables.get("decide_words")) if ctx.variables.get("decide_decision") == "return" else ""
    return FormData(
        data={"grounds": rows},
        options={"clauses": clause_options(criticisms.GROUNDS)},
        context={**shown(case), "return_words": returned},
    )


@validator("criticism.gather")
def gather(ctx: FormContext) -> Mapping[str, Any]:
    """Each ground once; none that was raised is dropped."""
    return criticisms.check_facts(locked(ctx), ctx.data.get("grounds") or ())


@handler(
    "criticism.tell",
    inputs={"criticism_id": "通报批评", "grounds": "各项情形、事实和证据"},
    outputs={"hearing_due_at": "陈述申辩期限届满的时刻", "hearing_remind_at": "催告的时刻"},
)
def tell(ctx: HandlerContext) -> Mapping[str, Any]:
    """登记事实和证据，告知单位，期限自告知次日起算（4.2，期限为工作口径）；证据自此向单位公开。"""
    case = locked(ctx)
    criticisms.keep_facts(ctx.session, case, ctx.variables.get("grounds") or (), ctx.actor)
    criticisms.tell(ctx.session, case, ctx.now, actor=ctx.actor)
    keep_inside(ctx, case, [value for g in case.grounds for value in g.evidence], inside=False)
    assert case.statement_due_at is not None
    remind = reviews.remind_at(ctx.session, case.statement_due_at, ctx.now)
    return {"hearing_due_at": case.statement_due_at, "hearing_remind_at": remind}


# ---- the unit's statement ------------------------------------------------------------------------------------------


@provider("criticism.state_case")
def state_case_form(ctx: FormContext) -> FormData:
    """What the unit is told, and until when it may answer."""
    case = case_of(ctx)
    return FormData(context={**shown(case), "due": until_words(case.statement_due_at)})


@validator("criticism.state_case")
def state_case(ctx: FormContext) -> Mapping[str, Any]:
    """A statement has words; whoever has none waives."""
    return words_needed(ctx, "submit", "statement", _("请写明陈述申辩；没有意见的，请选择放弃。"))


@handler("criticism.record_statement", inputs={"statement": "陈述申辩", "statement_files": "证明材料"})
def record_statement(ctx: HandlerContext) -> None:
    """记录单位的陈述申辩或者放弃（4.2）。"""
    case, given = locked(ctx), ctx.variables
    kind = "waived" if given.get("state_case_decision") == "waive" else "statement"
    words = as_text(given.get("statement")) if kind == "statement" else ""
    files = given.get("statement_files") or ()
    criticisms.state(ctx.session, case, kind, words, files, actor=ctx.actor, now=ctx.now)


@handler("criticism.remind", inputs={"criticism_id": "通报批评"}, outputs={"reminded_at": "催告的时刻"})
def remind(ctx: HandlerContext) -> Mapping[str, Any]:
    """催告：陈述申辩或者整改的期限届满前提醒单位（4.2）。"""
    case = case_of(ctx)
    due = case.periods[-1].due_at if case.periods else case.statement_due_at
    detail = {"due": due.isoformat() if due else ""}
    audit.record(
        ctx.session,
        "criticism.remind",
        None,
        instance_id=ctx.instance_id,
        subject=case.lead_unit.name,
        detail=detail,
    )
    return {"reminded_at": ctx.now}


@handler("criticism.silence", inputs={"criticism_id": "通报批评"})
def silence(ctx: HandlerContext) -> None:
    """期限届满未陈述申辩的，如实记录（4.2）。"""
    criticisms.state(ctx.session, locked(ctx), "silent", "", (), actor=None, now=ctx.now)


# ---- what is established -------------------------------------------------------------------------------------------


@provider("criticism.decide")
def decide_form(ctx: FormContext) -> FormData:
    """Each ground with its facts, what the unit said, and what was not told to it yet."""
    case = case_of(ctx)
    rows = [
        {"clause": g.clause, "words": expulsions.clause_words(g.clause), "facts": g.facts, "finding": g.finding}
        for g in case.grounds
    ]
    files = [value for said in case.statements for value in said.get("files") or ()]
    return FormData(
        data={"findings": rows, "statement_files": files},
        options={"expulsion_clauses": clause_options(criticisms.OF_EXPULSION)},
        context={
            **shown(case),
            "finding_rows": rows,
            "has_statement_files": bool(files),
            "untold": "、".join(criticisms.untold(case)),
        },
    )


@validator("criticism.decide")
def decide(ctx: FormContext) -> Mapping[str, Any]:
    """Every ground of which the unit was told has its finding; a return says what is missing."""
    if ctx.outcome == "return":
        return words_needed(ctx, "return", "decide_words", _("请写明需要补充查明的事实。"))
    found = criticisms.check_findings(locked(ctx), ctx.data.get("findings") or ())
    return {**found, **also_expulsion(ctx.data)}


@handler(
    "criticism.record_decision",
    inputs={"decide_decision": "认定或退回", "findings": "逐项认定"},
    outputs={"established": "成立的情形数", "expulsion_number": "清退审议编号"},
)
def record_decision(ctx: HandlerContext) -> Mapping[str, Any]:
    """登记认定：成立的应当通报批评（4.2）；同时属于第 4.4 条情形的，提出清退审议。"""
    case, given = locked(ctx), ctx.variables
    if given.get("decide_decision") == "return":
        case.status = "gathering"
        return {"established": 0}
    count = criticisms.find(ctx.session, case, given.get("findings") or (), ctx.actor, ctx.now)
    return {"established": count, "expulsion_number": pass_on(ctx, case)}


def pass_on(ctx: HandlerContext, case: Criticism) -> str | None:
    """Open the expulsion review that the form asks for; gives its number."""
    clause = as_text(ctx.variables.get("also_ground"))
    if not clause:
        return None
    return criticisms.pass_on(ctx.session, case, clause, as_text(ctx.variables.get("also_facts")), ctx.actor)


@handler("criticism.not_established", inputs={"criticism_id": "通报批评"})
def not_established(ctx: HandlerContext) -> None:
    """没有成立的情形，不予通报批评，办结（4.2）。"""
    reason = _("工作小组认定各项情形均不成立。")
    criticisms.close(ctx.session, locked(ctx), "not_established", reason, actor=ctx.actor, now=ctx.now)
