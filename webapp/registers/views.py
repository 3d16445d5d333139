"""The registers' pages: lists, one entry, its history, and the interpretations that the office enters."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import access, clock
from webapp.accounts import service as accounts
from webapp.documents import service as documents
from webapp.documents.models import Document
from webapp.engine.handler_api import Actor
from webapp.http import db_session
from webapp.i18n import _
from webapp.registers import career, filings, labels, lead_unit_page, lists, pages, queries, reviews
from webapp.registers.models import ConsortiumEnterprise, Filing, FilingItem, LeadUnit, PublishedList, RegisterChange
from webapp.registers.queries import SEE_ALL, SEE_OWN

bp = Blueprint("registers", __name__, template_folder="templates", url_prefix="/registers")
pages.init_templates(bp)

pages.add_list(bp, lists.LEAD_UNITS, "/lead-units", *SEE_ALL, *SEE_OWN)
pages.add_list(bp, lists.CONSORTIUM, "/consortium", *SEE_ALL, *SEE_OWN)
pages.add_list(bp, lists.FILINGS, "/filings", *SEE_ALL, *SEE_OWN)
pages.add_list(bp, lists.BARRED, "/barred", *SEE_ALL)
pages.add_list(bp, lists.DOCUMENTS, "/documents", *SEE_ALL, *SEE_OWN)


@bp.get("/")
@access.roles(*SEE_ALL, *SEE_OWN)
def index() -> ResponseReturnValue:
    """The first register; a lead unit has only its own entry there and is led to it."""
    actor = accounts.current_actor()
    if not queries.sees_all(actor):
        own = db_session().scalars(select(LeadUnit.id).where(queries.scope(actor))).first()
        if own:
            return redirect(url_for(".lead_unit", unit_id=own))
    return redirect(url_for(".lead_units"))


@bp.get("/lead-units/<uuid:unit_id>")
@access.roles(*SEE_ALL, *SEE_OWN)
def lead_unit(unit_id: UUID) -> str:
    """One lead unit: facts, figures, career, consortium, filings."""
    session, actor = db_session(), accounts.current_actor()
    unit = queries.lead_unit(session, actor, unit_id)
    shown = lead_unit_page.context(session, actor, unit, request.args.get("kind", ""))
    members, filed = shown.pop("members"), shown.pop("filings")
    return render_template(
        "registers/lead_unit.html",
        **shown,
        unit=unit,
        state=(labels.word(labels.LEAD_UNIT, unit.status), labels.tone(labels.LEAD_UNIT, unit.status)),
        flags=_flags(unit),
        members=[_member(m) for m in members],
        filings=[_filing(f) for f in filed],
        facts=_facts(unit),
        sees_all=queries.sees_all(actor),
        propose_url=url_for("expulsions.new", unit=unit.id) if _may_propose(actor, unit) else "",
        criticise_url=url_for("criticisms.new", unit=unit.id) if _may_propose(actor, unit) else "",
        tabs=pages.tabs("/registers/lead-units"),
    )


def _may_propose(actor: Actor, unit: LeadUnit) -> bool:
    return "office" in actor.roles and unit.status == "listed"


def _flags(unit: LeadUnit) -> list[tuple[str, str]]:
    found = []
    if unit.rectifying:
        found.append((_("整改中"), _("正在限期整改（第 4.2 条）。整改期间仍在册，照常参加评价和备案。")))
    if unit.under_expulsion:
        found.append((_("清退审议中"), _("正在审议清退（第 4.4 条）。局务会确认以前仍在册。")))
    return found


def _facts(unit: LeadUnit) -> list[dict[str, Any]]:
    capital = unit.registered_capital
    return [
        {"label": _("统一社会信用代码"), "value": unit.credit_code},
        {"label": _("法定代表人"), "value": unit.legal_rep},
        {"label": _("住所"), "value": unit.address},
        {"label": _("注册资本"), "value": _("%(n)s 万元", n=f"{capital.normalize():f}") if capital is not None else ""},
        {"label": _("成立日期"), "value": unit.founded_on},
        {"label": _("行业"), "value": unit.industry},
        {"label": _("联系人"), "value": " ".join(filter(None, [unit.contact, unit.phone]))},
        {"label": _("列入日期"), "value": unit.listed_on},
    ]


def _member(member: ConsortiumEnterprise) -> dict[str, Any]:
    word, tone = lists.membership_state(member)
    return {"entry": member, "state": word, "tone": tone, "url": url_for(".enterprise", entry_id=member.id)}


def _filing(filing: Filing) -> dict[str, Any]:
    done = sum(item.settled_at is not None for item in filing.items)
    return {
        "filing": filing,
        "state": labels.word(labels.FILING, filing.status),
        "tone": labels.tone(labels.FILING, filing.status),
        "words": _("%(n)s 家企业，%(done)s 家已有结果", n=len(filing.items), done=done),
        "url": url_for(".filing", filing_id=filing.id),
    }


@bp.get("/consortium/<uuid:entry_id>")
@access.roles(*SEE_ALL, *SEE_OWN)
def enterprise(entry_id: UUID) -> str:
    """One consortium enterprise: facts, its other memberships (for those who see all), history."""
    session, actor = db_session(), accounts.current_actor()
    member = queries.enterprise(session, actor, entry_id)
    item = session.get(FilingItem, member.filing_item_id) if member.filing_item_id else None
    others = queries.memberships(session, member.credit_code) if queries.sees_all(actor) else []
    return render_template(
        "registers/enterprise.html",
        member=member,
        state=lists.membership_state(member),
        facts=_enterprise_facts(member, _basis(session, member)),
        others=[_member(other) for other in others if other.id != member.id],
        bars=queries.bars(session, member.credit_code) if queries.sees_all(actor) else [],
        item=item,
        changes=_history(queries.changes(session, "consortium_enterprise", [member.id])),
        tabs=pages.tabs("/registers/consortium"),
    )


def _basis(session: Session, member: ConsortiumEnterprise) -> PublishedList | None:
    """The published list that the entry rests on."""
    return session.get(PublishedList, member.since_list_id) if member.since_list_id else None


def _enterprise_facts(member: ConsortiumEnterprise, basis: PublishedList | None) -> list[dict[str, Any]]:
    capital = member.registered_capital
    return [
        {
            "label": _("牵引单位"),
            "value": member.lead_unit.name,
            "url": url_for(".lead_unit", unit_id=member.lead_unit_id),
        },
        {"label": _("统一社会信用代码"), "value": member.credit_code},
        {"label": _("法定代表人"), "value": member.legal_rep},
        {"label": _("住所"), "value": member.address},
        {"label": _("注册资本"), "value": _("%(n)s 万元", n=f"{capital.normalize():f}") if capital is not None else ""},
        {"label": _("成立日期"), "value": member.founded_on},
        {"label": _("服务方向"), "value": member.need},
        {"label": _("试点类别"), "value": labels.word(labels.PROGRAMME, member.programme)},
        {"label": _("纳入日期"), "value": member.since},
        {
            "label": _("纳入所依据的名单"),
            "value": basis.number if basis else "",
            "url": url_for("public.lists", as_of=basis.published_on.isoformat()) if basis else "",
        },
        {"label": _("退出日期"), "value": member.until or _("在册")},
    ]


def _history(changes: list[tuple[RegisterChange, str]]) -> list[dict[str, Any]]:
    return [
        {
            "at": change.at.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M"),
            "action": labels.action(change.action),
            "who": who or _("系统"),
            "rows": [
                {"label": field, "before": before, "after": after}
                for field, before, after in (career.differences(change) if change.before else [])
            ],
        }
        for change, who in changes
    ]


@bp.get("/filings/<uuid:filing_id>")
@access.roles(*SEE_ALL, *SEE_OWN)
def filing(filing_id: UUID) -> str:
    """One filing: where each of its enterprises stands, and its documents."""
    session, actor = db_session(), accounts.current_actor()
    found = queries.filing(session, actor, filing_id)
    case = Document.root_instance_id == found.instance_id
    query = select(Document).where(case, documents.visible(actor)).order_by(Document.created_at)
    files = session.scalars(query).all() if found.instance_id else []
    changes = queries.changes(session, "filing", [found.id])
    changes += queries.changes(session, "filing_item", [item.id for item in found.items])
    names = {item.id: item.name for item in found.items}
    told = [{**row, "of": names.get(c.entry_id, "")} for row, (c, _who) in zip(_history(changes), changes, strict=True)]
    return render_template(
        "registers/filing.html",
        filing=found,
        state=(labels.word(labels.FILING, found.status), labels.tone(labels.FILING, found.status)),
        items=[(i, labels.word(labels.ITEM, i.status), labels.tone(labels.ITEM, i.status)) for i in found.items],
        programme=labels.word(labels.PROGRAMME, found.programme),
        due_words=reviews.due_words,
        reason_now=filings.reason_now,
        files=[documents.tile(document) for document in files],
        changes=sorted(told, key=lambda row: str(row["at"]), reverse=True),
        tabs=pages.tabs("/registers/filings"),
    )
