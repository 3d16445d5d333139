"""What stands beside the tasks of a review 清退审议 (4.4), and its documents 清退告知书, 局务会议题材料 (PDF, DOCX)."""

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
from webapp.engine.handler_api import (
    Block,
    CasePanel,
    CasePanelContext,
    ExternalContext,
    HandlerFailed,
    case_panel,
    handler,
)
from webapp.i18n import _
from webapp.registers import expulsion_hearing, expulsion_papers, expulsions, labels
from webapp.registers.models import Expulsion
from webapp.registers.values import as_text, as_uuid, key, until_words, zh_date

KINDS = ("pdf", "docx")


@handler("documents.expulsion", external=True, inputs={"expulsion_id": "清退审议", "kind": "文书种类"})
def make(ctx: ExternalContext) -> None:
    """制作清退告知书或者局务会议题材料。"""
    review_id, kind = key(ctx.variables["expulsion_id"]), as_text(ctx.variables["kind"])
    with db.transaction() as session:
        data = expulsion_papers.data(session, expulsions.get(session, review_id), kind)
        if _is_made(session, review_id, kind, data):
            return
    files = {suffix: rendering.render(kind, data, suffix) for suffix in KINDS}
    with db.transaction() as session:
        review = expulsions.locked(session, review_id)
        if _is_made(session, review_id, kind, data):
            return
        if expulsion_papers.data(session, review, kind) != data:
            raise HandlerFailed(_("制作文件时案情有了变动，重新制作。"))
        _keep(session, review, kind, data, files)


def _is_made(session: Session, review_id: UUID, kind: str, data: Mapping[str, Any]) -> bool:
    """Whether just these words stand in a document already (another job, or an earlier attempt)."""
    review = expulsions.get(session, review_id)
    query = select(Document.made_from).where(Document.instance_id == review.instance_id, Document.kind == kind)
    return any((made or {}).get("data") == data for made in session.scalars(query))


def _keep(session: Session, review: Expulsion, kind: str, data: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    for suffix, content in files.items():
        service.store_made(
            session,
            kind=kind,
            filename=expulsion_papers.filename(review, kind, suffix),
            media_type=rendering.MEDIA_TYPES[suffix],
            content=content,
            instance_id=review.instance_id,
            root_instance_id=review.instance_id,
            org_id=review.lead_unit.organisation_id if kind == "expulsion_told" else None,
            made_from={"template": kind, "data": dict(data)},
        )


# ---- 案卷 ----------------------------------------------------------------------------------------------------------


@case_panel("expulsion_review")
def review_file(ctx: CasePanelContext) -> CasePanel:
    """The unit, each ground with its evidence, what the unit said, the sessions of the 局务会 (those inside alone)."""
    found = as_uuid(ctx.variables.get("expulsion_id"))
    if found is None:
        facts = [(_("牵引单位"), as_text(ctx.variables.get("lead_unit_name")), None)]
        return CasePanel(blocks=[Block("facts", title=_("退出申请"), items=facts)])
    review, inside = expulsions.get(ctx.session, found), bool(ctx.actor.roles & INSIDE)
    blocks = [_facts(review), _grounds(review, inside)]
    if said := expulsion_hearing.said_words(review):
        blocks.append(Block("text", title=_("单位的陈述申辩"), text=said))
    evidence = [v for g in review.grounds if inside or g.told_at or g.source == "unit" for v in g.evidence]
    if evidence:
        blocks.append(Block("files", title=_("证据"), items=[key(value) for value in evidence]))
    if inside and review.meetings:
        blocks.append(_meetings(review))
    return CasePanel(blocks=blocks, documents=_documents(ctx, inside))


def _facts(review: Expulsion) -> Block:
    unit = review.lead_unit
    due = review.statement_due_at
    items = [
        (
            _("牵引单位"),
            f"{unit.name}（{UNIT_STATUS.get(unit.status, unit.status)}）",
            f"/registers/lead-units/{unit.id}",
        ),
        (_("统一社会信用代码"), unit.credit_code, None),
        (_("清退审议"), review.number, f"/registers/expulsions/{review.id}"),
        (_("提出"), f"{labels.word(labels.SOURCE, review.source)} {zh_date(review.opened_at)}", None),
        (_("告知书文号"), review.told_number or _("尚未告知"), None),
        (_("陈述申辩期限"), until_words(due), None),
    ]
    return Block("facts", title=_("审议概要"), items=items)


def _grounds(review: Expulsion, inside: bool) -> Block:
    shown = [g for g in review.grounds if inside or g.told_at or g.source == "unit"]
    rows = [[g.clause, expulsions.clause_words(g.clause), g.facts, len(g.evidence)] for g in shown]
    columns = [_("条款"), _("情形"), _("事实"), _("证据（份）")]
    return Block("table", title=_("情形与事实"), columns=columns, rows=rows)


def _meetings(review: Expulsion) -> Block:
    rows = [
        [
            zh_date(m.met_on),
            _("应到 %(all)s 人，到会 %(n)s 人", all=m.entitled, n=m.present),
            labels.word(labels.RESOLUTION, m.resolution),
            m.words,
        ]
        for m in review.meetings
    ]
    columns = [_("会议日期"), _("出席"), _("决议"), _("内容")]
    return Block("table", title=_("局务会"), columns=columns, rows=rows)


def _documents(ctx: CasePanelContext, inside: bool) -> list[UUID]:
    made = Document.root_instance_id == ctx.root_instance_id, Document.made_from.isnot(None)
    query = select(Document.id).where(*made)
    if not inside:
        query = query.where(service.visible(ctx.actor))
    return list(ctx.session.scalars(query.order_by(Document.created_at, Document.id)))
