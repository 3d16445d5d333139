"""What stands beside the tasks of a 复核 (4.4): the decision, what was asked, the ruling, the sessions."""

from __future__ import annotations

from sqlalchemy import select

from handlers.case_files import INSIDE
from webapp.documents import service
from webapp.documents.models import Document
from webapp.engine.handler_api import Block, CasePanel, CasePanelContext, case_panel
from webapp.i18n import _
from webapp.registers import expulsions, labels, reconsiderations
from webapp.registers.expulsion_models import Reconsideration
from webapp.registers.models import Expulsion
from webapp.registers.values import as_date, as_uuid, key, zh_date


@case_panel("expulsion_reconsideration")
def panel(ctx: CasePanelContext) -> CasePanel:
    """Everything but minutes and proposals is for the unit too."""
    inside = bool(ctx.actor.roles & INSIDE)
    review = expulsions.get(ctx.session, key(ctx.variables["expulsion_id"]))
    blocks = [_decision(review)]
    found = as_uuid(ctx.variables.get("reconsideration_id"))
    if found is not None:
        entry = reconsiderations.get(ctx.session, found)
        blocks += _asked(entry)
        if inside and entry.findings:
            words = reconsiderations.PROPOSALS.get(entry.proposal, "")
            blocks.append(Block("text", title=_("审查认定"), text=f"{entry.findings}\n{words}"))
        if inside and entry.sessions:
            blocks.append(_sessions(entry))
    made = Document.root_instance_id == ctx.root_instance_id, Document.made_from.isnot(None)
    query = select(Document.id).where(*made)
    if not inside:
        query = query.where(service.visible(ctx.actor))
    return CasePanel(blocks=blocks, documents=list(ctx.session.scalars(query.order_by(Document.created_at))))


def _decision(review: Expulsion) -> Block:
    clauses = "、".join(f"{g.clause} {expulsions.clause_words(g.clause)}" for g in review.grounds)
    notice = f"/public/notices/{review.notice_id}" if review.notice_id else None
    items = [
        (_("被清退的单位"), review.lead_unit.name, f"/registers/lead-units/{review.lead_unit_id}"),
        (_("清退决定"), review.decision_number or "", notice),
        (_("决定日期"), zh_date(review.decided_on), None),
        (_("情形"), clauses, None),
        (_("清退审议"), review.number, f"/registers/expulsions/{review.id}"),
    ]
    return Block("facts", title=_("申请复核的决定"), items=items)


def _asked(entry: Reconsideration) -> list[Block]:
    if entry.basis == "ruling":
        ruling = entry.ruling
        items = [
            (_("作出机关"), ruling["authority"], None),
            (_("文号"), ruling["number"], None),
            (_("裁判日期"), zh_date(as_date(ruling["on"])), None),
            (_("裁判主文"), ruling["words"], None),
        ]
        files = [key(value) for value in ruling["files"]]
        return [Block("facts", title=_("生效裁判"), items=items), Block("files", title=_("裁判文书"), items=files)]
    blocks = [Block("text", title=_("申请复核的理由"), text=entry.reasons)]
    if entry.files:
        blocks.append(Block("files", title=_("证据"), items=[key(value) for value in entry.files]))
    return blocks


def _sessions(entry: Reconsideration) -> Block:
    rows = [
        [
            zh_date(as_date(held["met_on"])),
            _("应到 %(all)s 人，到会 %(n)s 人", all=held["entitled"], n=held["present"]),
            labels.word(labels.RESOLUTION, held["resolution"]),
            held["words"],
        ]
        for held in entry.sessions
    ]
    columns = [_("会议日期"), _("出席"), _("决议"), _("内容")]
    return Block("table", title=_("局务会"), columns=columns, rows=rows)
