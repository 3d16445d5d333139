"""Expulsion reviews 清退审议 (4.4): the list, one review, proposing one, and a unit's withdrawal of its own exit."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import access
from webapp.accounts import service as accounts
from webapp.documents import service as documents
from webapp.documents.models import Document
from webapp.engine.handler_api import Actor
from webapp.engine.tables import user_task
from webapp.errors import Conflict, Invalid
from webapp.http import db_session
from webapp.i18n import _
from webapp.registers import (
    career,
    checks,
    expulsion_after,
    expulsion_lists,
    expulsion_withdrawal,
    expulsions,
    labels,
    pages,
    queries,
    reconsiderations,
)
from webapp.registers.models import Expulsion, ExpulsionGround, ExpulsionMeeting, LeadUnit
from webapp.registers.queries import SEE_ALL, SEE_OWN
from webapp.registers.values import as_uuid, until_words

bp = Blueprint("expulsions", __name__, template_folder="templates", url_prefix="/registers")

pages.add_list(bp, expulsion_lists.EXPULSIONS, "/expulsions", *SEE_ALL, *SEE_OWN)


def _find(session: Session, actor: Actor, expulsion_id: UUID) -> Expulsion:
    query = select(Expulsion).join(Expulsion.lead_unit)
    found = session.scalars(query.where(Expulsion.id == expulsion_id, expulsion_lists.scope(actor))).unique()
    return found.one_or_none() or queries.missing(_("没有找到该清退审议，或您无权查看。"))


@bp.get("/expulsions/<uuid:expulsion_id>")
@access.roles(*SEE_ALL, *SEE_OWN)
def entry(expulsion_id: UUID) -> str:
    """One review: grounds, what the unit said, sessions of the 局务会 (not for the unit), decision, history."""
    session, actor = db_session(), accounts.current_actor()
    review, inside = _find(session, actor, expulsion_id), queries.sees_all(actor)
    cases = [review.instance_id, *(entry.instance_id for entry in reconsiderations.of_review(session, review.id))]
    made = Document.root_instance_id.in_(cases), Document.made_from.isnot(None), documents.visible(actor)
    files = session.scalars(select(Document).where(*made).order_by(Document.created_at)).all()
    return render_template(
        "registers/expulsion.html",
        review=review,
        inside=inside,
        state=(labels.word(labels.EXPULSION, review.status), labels.tone(labels.EXPULSION, review.status)),
        stages=_stages(review),
        grounds=[_ground(session, actor, g) for g in review.grounds if inside or g.told_at or g.source == "unit"],
        statements=_statements(review),
        meetings=[_meeting(m) for m in review.meetings] if inside else [],
        facts=_facts(review),
        files=[documents.tile(document) for document in files],
        changes=_history(session, review) if inside else [],
        handovers=expulsion_after.handover_rows(session, review, actor),
        reconsiderations=expulsion_after.reconsideration_rows(session, review, actor),
        effects=expulsion_after.effects(session, review),
        may_reconsider=reconsiderations.may_open(session, review, actor),
        may_withdraw=expulsion_withdrawal.may_withdraw(review, actor),
        tabs=pages.tabs("/registers/expulsions"),
    )


def _stages(review: Expulsion) -> list[dict[str, Any]]:
    order = [*expulsions.BEFORE_RESOLUTION, "deciding"]
    now = order.index(review.status) if review.status in order else len(order)
    found = [
        {
            "label": labels.word(labels.EXPULSION, key),
            "note": "",
            "state": "done" if place < now else "now" if place == now else "",
        }
        for place, key in enumerate(order)
    ]
    if now == len(order):
        last = labels.word(labels.EXPULSION, review.status)
        found = [stage for stage in found if review.decision_number or stage is not found[-1]]
        found.append({"label": last, "note": "", "state": "bad" if review.status == "expelled" else "done"})
    return found


def _ground(session: Session, actor: Actor, ground: ExpulsionGround) -> dict[str, Any]:
    ids = [key for value in ground.evidence if (key := as_uuid(value))]
    files = session.scalars(select(Document).where(Document.id.in_(ids), documents.visible(actor))) if ids else ()
    return {
        "files": [documents.tile(document) for document in files],
        "clause": ground.clause,
        "words": expulsions.clause_words(ground.clause),
        "facts": ground.facts,
        "evidence": len(ground.evidence),
        "source": labels.word(labels.SOURCE, ground.source),
        "told_at": ground.told_at,
    }


def _statements(review: Expulsion) -> list[dict[str, Any]]:
    words = {"statement": _("陈述申辩"), "waived": _("放弃陈述申辩"), "silent": _("逾期未陈述")}
    return [
        {
            "who": said["by"] or _("系统"),
            "role": review.lead_unit.name,
            "on_behalf_of": "",
            "decision": words.get(said["kind"], ""),
            "words": said["words"],
            "at": pages.beijing(datetime.fromisoformat(said["at"])),
        }
        for said in review.statements
    ]


def _meeting(meeting: ExpulsionMeeting) -> dict[str, Any]:
    return {
        "row": meeting,
        "word": labels.word(labels.RESOLUTION, meeting.resolution),
        "tone": labels.tone(labels.RESOLUTION, meeting.resolution),
        "members": [{**m, "word": labels.word(labels.ATTENDANCE, m.get("attendance"))} for m in meeting.members],
    }


def _facts(review: Expulsion) -> list[dict[str, Any]]:
    unit = review.lead_unit
    notice = url_for("public.notice", notice_id=review.notice_id) if review.notice_id else ""
    found: list[dict[str, Any]] = [
        {"label": _("牵引单位"), "value": unit.name, "url": url_for("registers.lead_unit", unit_id=unit.id)},
        {"label": _("统一社会信用代码"), "value": unit.credit_code},
        {"label": _("提出"), "value": labels.word(labels.SOURCE, review.source)},
        {"label": _("提出时间"), "value": pages.beijing(review.opened_at)},
        {"label": _("告知书文号"), "value": review.told_number or _("尚未告知")},
        {"label": _("陈述申辩期限"), "value": until_words(review.statement_due_at)},
        {"label": _("决定文号"), "value": review.decision_number or "", "url": notice},
        {"label": _("决定日期"), "value": review.decided_on or ""},
        {"label": _("办结理由"), "value": review.closed_reason},
    ]
    return [fact for fact in found if fact["value"]]


def _history(session: Session, review: Expulsion) -> list[dict[str, Any]]:
    changes = queries.changes(session, "expulsion", [review.id])
    changes += queries.changes(session, "expulsion_ground", [ground.id for ground in review.grounds])
    names = {ground.id: ground.clause for ground in review.grounds}
    changes.sort(key=lambda pair: pair[0].at, reverse=True)
    return [
        {
            "at": pages.beijing(change.at),
            "action": labels.word(labels.ACTION, change.action),
            "who": who or _("系统"),
            "of": names.get(change.entry_id, ""),
            "rows": [
                {"label": field, "before": before, "after": after}
                for field, before, after in (career.differences(change) if change.before else [])
            ],
        }
        for change, who in changes
    ]


# ---- proposing and withdrawing -------------------------------------------------------------------------------------


@bp.route("/expulsions/new", methods=["GET", "POST"])
@access.roles("office")
def new() -> ResponseReturnValue:
    """The office proposes a review; a unit that has one gets the ground added to it (4.4)."""
    session, actor = db_session(), accounts.current_actor()
    entered = {name: checks.normalise_text(request.form.get(name, "")) for name in ("unit", "clause", "facts")}
    if request.method == "GET":
        entered["unit"] = request.args.get("unit", "")
        return _form(session, entered, {})
    unit_id = as_uuid(entered["unit"])
    if unit_id is None or session.get(LeadUnit, unit_id) is None:
        return pages.answer(_form(session, entered, {"unit": _("请选择牵引单位。")}))
    try:
        opened = expulsions.open_review(session, unit_id, entered["clause"], entered["facts"], "office", actor=actor)
    except Invalid as error:
        return pages.answer(_form(session, entered, {key: "".join(words) for key, words in error.fields.items()}))
    except Conflict as error:
        return pages.answer(_form(session, entered, {"unit": error.message}))
    name, number = opened.review.lead_unit.name, opened.review.number
    if opened.joined:
        flash(_("%(unit)s已有清退审议 %(number)s，本情形已并入。", unit=name, number=number), "success")
    else:
        flash(_("已提出清退审议 %(number)s。", number=number), "success")
    return redirect(url_for(".entry", expulsion_id=opened.review.id), 303)


def _form(session: Session, entered: dict[str, str], wrong: dict[str, str]) -> str:
    listed = session.execute(
        select(LeadUnit.id, LeadUnit.name).where(LeadUnit.status == "listed").order_by(LeadUnit.name)
    )
    clauses = [
        {"value": clause, "label": f"{clause}　{expulsions.clause_words(clause)}"} for clause in expulsions.GROUNDS
    ]
    return render_template(
        "registers/expulsion_form.html",
        values=entered,
        field_errors=wrong,
        errors=[{"text": words, "target": f"f-{name}"} for name, words in wrong.items()],
        units=[{"value": str(key), "label": name} for key, name in listed],
        clauses=clauses,
    )


@bp.post("/expulsions/<uuid:expulsion_id>/withdraw")
@access.roles("lead_unit_head")
def withdraw(expulsion_id: UUID) -> ResponseReturnValue:
    """The unit takes its own exit back, before the resolution (4.4.1)."""
    session, actor = db_session(), accounts.current_actor()
    review = _find(session, actor, expulsion_id)
    expulsion_withdrawal.withdraw(session, review, actor)
    flash(_("已撤回退出申请，本单位仍在册。"), "success")
    return redirect(url_for(".entry", expulsion_id=review.id), 303)


@bp.post("/expulsions/<uuid:expulsion_id>/reconsideration")
@access.roles("former_lead_unit", "office")
def reconsider(expulsion_id: UUID) -> ResponseReturnValue:
    """Ask for 复核 of the decision (the unit), or enter a binding ruling (the office): leads to the first task."""
    session, actor = db_session(), accounts.current_actor()
    review = _find(session, actor, expulsion_id)
    case = reconsiderations.start(session, review, actor)
    first = select(user_task.c.id).where(user_task.c.instance_id == case, user_task.c.status == "open")
    task_id = session.scalar(first)
    return redirect(f"/tasks/{task_id}" if task_id else url_for(".entry", expulsion_id=review.id), 303)
