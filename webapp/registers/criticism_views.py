"""Criticisms 通报批评 (4.2, 4.3): the list, one case with its periods of rectification, proposing one, 签收."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import access, clock
from webapp.accounts import service as accounts
from webapp.documents import service as documents
from webapp.documents.models import Document
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, Invalid
from webapp.http import db_session
from webapp.i18n import _
from webapp.registers import (
    career,
    checks,
    criticism_lists,
    criticisms,
    expulsions,
    labels,
    pages,
    queries,
    rectifying,
)
from webapp.registers.criticism_models import Criticism, CriticismGround, Rectification
from webapp.registers.models import LeadUnit
from webapp.registers.queries import SEE_ALL, SEE_OWN
from webapp.registers.values import as_uuid, until_words

bp = Blueprint("criticisms", __name__, template_folder="templates", url_prefix="/registers")

pages.add_list(bp, criticism_lists.CRITICISMS, "/criticisms", *SEE_ALL, *SEE_OWN)

#: Who of a unit may take what was served on it.
RECEIVERS = ("lead_unit", "lead_unit_head")
#: The steps of a case in order, until it is rectified.
STEPS = ("gathering", "hearing", "deciding", "drafting", "rectifying", "checking")


def _find(session: Session, actor: Actor, criticism_id: UUID) -> Criticism:
    query = select(Criticism).join(Criticism.lead_unit)
    found = session.scalars(query.where(Criticism.id == criticism_id, criticism_lists.scope(actor))).unique()
    return found.one_or_none() or queries.missing(_("没有找到该通报批评，或您无权查看。"))


@bp.get("/criticisms/<uuid:criticism_id>")
@access.roles(*SEE_ALL, *SEE_OWN)
def entry(criticism_id: UUID) -> str:
    """One case: grounds with what was found, the unit's statement, every period of rectification, history."""
    session, actor = db_session(), accounts.current_actor()
    case, inside = _find(session, actor, criticism_id), queries.sees_all(actor)
    made = Document.root_instance_id == case.instance_id, Document.made_from.isnot(None), documents.visible(actor)
    files = session.scalars(select(Document).where(*made).order_by(Document.created_at)).all()
    return render_template(
        "registers/criticism.html",
        case=case,
        inside=inside,
        state=(labels.word(labels.CRITICISM, case.status), labels.tone(labels.CRITICISM, case.status)),
        stages=_stages(case),
        grounds=[_ground(session, actor, g) for g in case.grounds if inside or g.told_at],
        statements=_statements(case),
        periods=[_period(session, actor, p, inside) for p in reversed(case.periods)],
        facts=_facts(case),
        files=[documents.tile(document) for document in files],
        changes=_history(session, case) if inside else [],
        may_receive=_may_receive(case, actor),
        tabs=pages.tabs("/registers/criticisms"),
    )


def _may_receive(case: Criticism, actor: Actor) -> bool:
    own = actor.organisation_id == case.lead_unit.organisation_id and not actor.roles.isdisjoint(RECEIVERS)
    return own and bool(case.periods) and case.periods[-1].received_at is None and case.closed_at is None


def _stages(case: Criticism) -> list[dict[str, Any]]:
    status = "checking" if case.status == "weighing" else case.status
    now = STEPS.index(status) if status in STEPS else len(STEPS)
    last = len(STEPS) if case.notice_id or now < len(STEPS) else STEPS.index("drafting")
    found = [
        {
            "label": labels.word(labels.CRITICISM, "weighing" if key == status != case.status else key),
            "note": _("第 %(n)s 次", n=len(case.periods)) if key == "rectifying" and len(case.periods) > 1 else "",
            "state": "done" if place < now else "now" if place == now else "",
        }
        for place, key in enumerate(STEPS[:last])
    ]
    if case.closed_at:
        bad = case.status == "cancelled"
        found.append(
            {
                "label": labels.word(labels.CRITICISM, case.status),
                "note": "",
                "state": "bad" if bad else "done",
            }
        )
    return found


def _tiles(session: Session, actor: Actor, values: list[Any]) -> list[dict[str, Any]]:
    ids = [key for value in values if (key := as_uuid(value))]
    found = session.scalars(select(Document).where(Document.id.in_(ids), documents.visible(actor))) if ids else ()
    return [documents.tile(document) for document in found]


def _ground(session: Session, actor: Actor, ground: CriticismGround) -> dict[str, Any]:
    known = {None: "", True: _("成立"), False: _("不成立")}
    return {
        "clause": ground.clause,
        "words": expulsions.clause_words(ground.clause),
        "facts": ground.facts,
        "files": _tiles(session, actor, ground.evidence),
        "evidence": len(ground.evidence),
        "source": labels.word(labels.SOURCE, ground.source),
        "told_at": ground.told_at,
        "established": ground.established,
        "found": known[ground.established] if ground.fell_at is None else _("随评价作废"),
        "finding": ground.finding,
    }


def _statements(case: Criticism) -> list[dict[str, Any]]:
    words = {"statement": _("陈述申辩"), "waived": _("放弃陈述申辩"), "silent": _("逾期未陈述")}
    return [
        {
            "who": said["by"] or _("系统"),
            "role": case.lead_unit.name,
            "on_behalf_of": "",
            "decision": words.get(said["kind"], ""),
            "words": said["words"],
            "at": pages.beijing(datetime.fromisoformat(said["at"])),
        }
        for said in case.statements
    ]


def _period(session: Session, actor: Actor, period: Rectification, inside: bool) -> dict[str, Any]:
    said, outcome = period.assessment, period.resolved.get("outcome")
    return {
        "row": period,
        "word": labels.word(labels.RECTIFICATION, period.status),
        "tone": labels.tone(labels.RECTIFICATION, period.status),
        "due": until_words(period.due_at),
        "files": _tiles(session, actor, period.report_files),
        "requirements": period.requirements.splitlines(),
        "assessment": said.get("words", "") if inside else "",
        "reason": said.get("reason", "") if inside else "",
        "resolved": {"continue": _("决定继续整改"), "cancel": _("决定取消资格")}.get(str(outcome), ""),
    }


def _facts(case: Criticism) -> list[dict[str, Any]]:
    unit = case.lead_unit

    def notice(key: UUID | None) -> str:
        return url_for("public.notice", notice_id=key) if key else ""

    found: list[dict[str, Any]] = [
        {"label": _("牵引单位"), "value": unit.name, "url": url_for("registers.lead_unit", unit_id=unit.id)},
        {"label": _("统一社会信用代码"), "value": unit.credit_code},
        {"label": _("提出"), "value": labels.word(labels.SOURCE, case.source)},
        {"label": _("提出时间"), "value": pages.beijing(case.opened_at)},
        {"label": _("陈述申辩期限"), "value": until_words(case.statement_due_at)},
        {"label": _("通报文号"), "value": case.notice_number or _("尚未通报"), "url": notice(case.notice_id)},
        {"label": _("通报日期"), "value": case.decided_on or ""},
        {"label": _("取消资格文号"), "value": case.cancel_number or "", "url": notice(case.cancel_notice_id)},
        {"label": _("办结时间"), "value": pages.beijing(case.closed_at)},
        {"label": _("办结理由"), "value": case.closed_reason},
    ]
    return [fact for fact in found if fact["value"]]


def _history(session: Session, case: Criticism) -> list[dict[str, Any]]:
    changes = queries.changes(session, "criticism", [case.id])
    changes += queries.changes(session, "criticism_ground", [ground.id for ground in case.grounds])
    changes += queries.changes(session, "rectification", [period.id for period in case.periods])
    names = {ground.id: ground.clause for ground in case.grounds}
    names |= {period.id: period.number for period in case.periods}
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


# ---- proposing and receiving ---------------------------------------------------------------------------------------


@bp.route("/criticisms/new", methods=["GET", "POST"])
@access.roles("office")
def new() -> ResponseReturnValue:
    """The office proposes a criticism; a unit that has an undecided one gets the ground added to it (4.2)."""
    session, actor = db_session(), accounts.current_actor()
    entered = {name: checks.normalise_text(request.form.get(name, "")) for name in ("unit", "clause", "facts")}
    if request.method == "GET":
        entered["unit"] = request.args.get("unit", "")
        return _form(session, entered, {})
    unit_id = as_uuid(entered["unit"])
    if unit_id is None or session.get(LeadUnit, unit_id) is None:
        return pages.answer(_form(session, entered, {"unit": _("请选择牵引单位。")}))
    try:
        opened = criticisms.open_case(session, unit_id, entered["clause"], entered["facts"], "office", actor=actor)
    except Invalid as error:
        return pages.answer(_form(session, entered, {key: "".join(words) for key, words in error.fields.items()}))
    except Conflict as error:
        return pages.answer(_form(session, entered, {"unit": error.message}))
    name, number = opened.case.lead_unit.name, opened.case.number
    if opened.joined:
        flash(_("%(unit)s已有尚未认定的通报批评 %(number)s，本情形已并入。", unit=name, number=number), "success")
    else:
        flash(_("已提出通报批评 %(number)s。", number=number), "success")
    return redirect(url_for(".entry", criticism_id=opened.case.id), 303)


def _form(session: Session, entered: dict[str, str], wrong: dict[str, str]) -> str:
    listed = session.execute(
        select(LeadUnit.id, LeadUnit.name).where(LeadUnit.status == "listed").order_by(LeadUnit.name)
    )
    clauses = [
        {"value": clause, "label": f"{clause}　{expulsions.clause_words(clause)}"} for clause in criticisms.GROUNDS
    ]
    return render_template(
        "registers/criticism_form.html",
        values=entered,
        field_errors=wrong,
        errors=[{"text": words, "target": f"f-{name}"} for name, words in wrong.items()],
        units=[{"value": str(key), "label": name} for key, name in listed],
        clauses=clauses,
    )


@bp.post("/criticisms/<uuid:criticism_id>/receive")
@access.roles(*RECEIVERS)
def receive(criticism_id: UUID) -> ResponseReturnValue:
    """签收 of notice and order by a person of the unit; once."""
    session, actor = db_session(), accounts.current_actor()
    rectifying.receive(session, _find(session, actor, criticism_id), actor, clock.now())
    flash(_("已签收。"), "success")
    return redirect(url_for(".entry", criticism_id=criticism_id), 303)
