"""What stands beside the tasks of a criticism (4.2), and the order 责令限期整改通知书 as PDF and DOCX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.case_files import INSIDE, UNIT_STATUS
from webapp import db
from webapp.documents import rendering, service
from webapp.documents.models import Document
from webapp.engine.handler_api import Block, CasePanel, CasePanelContext, ExternalContext, case_panel, handler
from webapp.i18n import _
from webapp.registers import criticism_papers, criticisms, expulsions, labels
from webapp.registers.criticism_models import Criticism, Rectification
from webapp.registers.values import as_int, key, until_words, zh_date

KINDS = ("pdf", "docx")
TEMPLATE = "rectification_order"


@handler("documents.rectification", external=True, inputs={"criticism_id": "通报批评", "seq": "第几次"})
def make(ctx: ExternalContext) -> None:
    """制作责令限期整改通知书；内容在送达时已定，再次执行不重复制作。"""
    criticism_id, seq = key(ctx.variables["criticism_id"]), as_int(ctx.variables["seq"]) or 1
    with db.transaction() as session:
        case = criticisms.get(session, criticism_id)
        data = criticism_papers.order_data(case, _period(case, seq))
        if _is_made(session, case, data):
            return
    files = {suffix: rendering.render(TEMPLATE, data, suffix) for suffix in KINDS}
    with db.transaction() as session:
        case = criticisms.locked(session, criticism_id)
        if not _is_made(session, case, data):
            _keep(session, case, _period(case, seq), data, files)


def _period(case: Criticism, seq: int) -> Rectification:
    return next(period for period in case.periods if period.seq == seq)


def _is_made(session: Session, case: Criticism, data: Mapping[str, Any]) -> bool:
    """Whether the order of this number stands in a document already (another job, or an earlier attempt)."""
    query = select(Document.made_from).where(Document.instance_id == case.instance_id, Document.kind == TEMPLATE)
    return any((made or {}).get("data", {}).get("number") == data["number"] for made in session.scalars(query))


def _keep(
    session: Session, case: Criticism, period: Rectification, data: Mapping[str, Any], files: Mapping[str, bytes]
) -> None:
    for suffix, content in files.items():
        service.store_made(
            session,
            kind=TEMPLATE,
            filename=criticism_papers.filename(case, period, suffix),
            media_type=rendering.MEDIA_TYPES[suffix],
            content=content,
            instance_id=case.instance_id,
            root_instance_id=case.instance_id,
            org_id=case.lead_unit.organisation_id,
            made_from={"template": TEMPLATE, "data": dict(data)},
        )


# ---- 案卷 ----------------------------------------------------------------------------------------------------------


@case_panel("criticism")
def criticism_file(ctx: CasePanelContext) -> CasePanel:
    """The unit, each ground with its evidence, what the unit said, every period of rectification."""
    case, inside = criticisms.get(ctx.session, key(ctx.variables["criticism_id"])), bool(ctx.actor.roles & INSIDE)
    grounds = [g for g in case.grounds if inside or g.told_at]
    blocks = [_facts(case)]
    rows = [[g.clause, expulsions.clause_words(g.clause), g.facts, _finding(g.established)] for g in grounds]
    columns = [_("条款"), _("情形"), _("事实"), _("认定")]
    blocks.append(Block("table", title=_("情形与事实"), columns=columns, rows=rows))
    if said := criticisms.said_words(case):
        blocks.append(Block("text", title=_("单位的陈述申辩"), text=said))
    if case.periods:
        blocks.append(_periods(case))
    evidence = [value for g in grounds for value in g.evidence]
    evidence += [value for period in case.periods for value in period.report_files]
    if evidence:
        blocks.append(Block("files", title=_("证据和整改材料"), items=[key(value) for value in evidence]))
    return CasePanel(blocks=blocks, documents=_documents(ctx, inside))


def _finding(established: bool | None) -> str:
    return "" if established is None else _("成立") if established else _("不成立")


def _facts(case: Criticism) -> Block:
    unit = case.lead_unit
    state = UNIT_STATUS.get(unit.status, unit.status)
    opened = f"{labels.word(labels.SOURCE, case.source)} {zh_date(case.opened_at)}"
    items = [
        (_("牵引单位"), f"{unit.name}（{state}）", f"/registers/lead-units/{unit.id}"),
        (_("通报批评"), case.number, f"/registers/criticisms/{case.id}"),
        (_("提出"), opened, None),
        (_("陈述申辩期限"), until_words(case.statement_due_at), None),
        (_("通报文号"), case.notice_number or _("尚未通报"), None),
    ]
    return Block("facts", title=_("案件概要"), items=items)


def _periods(case: Criticism) -> Block:
    rows = [
        [p.seq, p.number, until_words(p.due_at), labels.word(labels.RECTIFICATION, p.status), p.check_words]
        for p in case.periods
    ]
    columns = [_("次数"), _("文号"), _("期限"), _("状态"), _("核查情况")]
    return Block("table", title=_("限期整改"), columns=columns, rows=rows)


def _documents(ctx: CasePanelContext, inside: bool) -> list[UUID]:
    made = Document.root_instance_id == ctx.root_instance_id, Document.made_from.isnot(None)
    query = select(Document.id).where(*made)
    if not inside:
        query = query.where(service.visible(ctx.actor))
    return list(ctx.session.scalars(query.order_by(Document.created_at, Document.id)))
