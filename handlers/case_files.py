"""案卷: what stands beside a task: facts, comparison with registers, hints, files, opinions, tabs of enterprises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from webapp import clock
from webapp.accounts.models import Account
from webapp.documents.models import Document
from webapp.engine.handler_api import Actor, Block, CasePanel, CasePanelContext, Tab, case_panel
from webapp.i18n import _
from webapp.notices import objections, publishing
from webapp.registers import batches, comparison, filings, reviews
from webapp.registers.models import Filing, FilingItem
from webapp.registers.values import as_text, as_uuid, key, zh_date

#: Roles that see how the working group's side works: hints, comparisons, opinions in progress.
INSIDE = frozenset({"office", "working_group", "bureau_meeting", "manager", "expert"})
UNIT_STATUS = {
    "candidate": "候选",
    "listed": "在册",
    "cancelled": "取消资格",
    "expelled": "清退",
    "withdrawn": "退出",
}
PROGRAMMES = {"national": "国家级试点", "provincial": "省级试点"}
STYLES = {
    "review": "idle",
    "confirming": "good",
    "correcting": "warn",
    "pooled": "good",
    "public": "good",
    "objected": "warn",
    "published": "good",
    "rejected": "bad",
    "lapsed": "bad",
    "struck": "bad",
    "withdrawn": "bad",
}


def _inside(actor: Actor) -> bool:
    return bool(actor.roles & INSIDE)


@case_panel("partner_filing")
def filing_file(ctx: CasePanelContext) -> CasePanel:
    """The filing before it is submitted says who files; after it, where each enterprise stands."""
    filing = ctx.session.get(Filing, key(ctx.variables["filing_id"]))
    if filing is None:
        facts = [(_("牵引单位"), as_text(ctx.variables.get("lead_unit_name")), None)]
        return CasePanel(blocks=[Block("facts", title=_("备案概要"), items=facts)])
    rows = [[item.seq, item.name, _state(ctx, item), filings.reason_now(item)] for item in filing.items]
    columns = [_("序号"), _("企业"), _("状态"), _("说明")]
    blocks = [_filing_facts(ctx, filing), Block("table", title=_("本次备案的企业"), columns=columns, rows=rows)]
    return CasePanel(blocks=blocks, tabs=_tabs(ctx, filing, None), documents=_documents(ctx))


def _filing_facts(ctx: CasePanelContext, filing: Filing) -> Block:
    unit = filing.lead_unit
    status = UNIT_STATUS.get(unit.status, unit.status)
    flags = [words for words, on in ((_("整改中"), unit.rectifying), (_("清退审议中"), unit.under_expulsion)) if on]
    submitted = ctx.session.get(Account, filing.submitted_by) if filing.submitted_by else None
    moment = filing.submitted_at.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M") if filing.submitted_at else ""
    items = [
        (_("牵引单位"), f"{unit.name}（{'，'.join([status, *flags])}）", f"/registers/lead-units/{unit.id}"),
        (_("确认提交"), f"{submitted.name if submitted else ''} {moment}".strip(), None),
        (_("服务的需求"), filing.need, None),
        (_("适用项目"), PROGRAMMES.get(filing.programme, filing.programme), None),
    ]
    return Block("facts", title=_("备案概要"), items=items)


def _tabs(ctx: CasePanelContext, filing: Filing, current: UUID | None) -> list[Tab]:
    """The enterprises of the filing as tabs, each with its own state."""
    return [
        Tab(
            label=item.name,
            state=_state(ctx, item, here=item.id == current),
            style=_style(ctx, item, here=item.id == current),
            instance_id=item.instance_id,
            current=item.id == current,
        )
        for item in filing.items
    ]


def _style(ctx: CasePanelContext, item: FilingItem, *, here: bool) -> str:
    if here and item.status == "review":
        return "now"
    return STYLES.get(item.status, "idle") if _inside(ctx.actor) or item.status != "confirming" else "idle"


def _state(ctx: CasePanelContext, item: FilingItem, *, here: bool = False) -> str:
    """Where an enterprise stands; a review that nobody has confirmed yet is not told to the lead unit."""
    if item.status in ("review", "confirming") and not _inside(ctx.actor):
        return _("审核中")
    if item.status == "correcting" and item.correction_due_at:
        return _("补正中，至 %(due)s", due=reviews.due_words(item))
    if item.status == "review":
        return _("正在审核") if here else _("未审核")
    if item.status == "confirming":
        decision = reviews.DECISIONS.get(as_text(item.review.get("decision")), "")
        return _("%(decision)s，待复核", decision=decision)
    return filings.STATUS_LABELS.get(item.status, item.status)


@case_panel("enterprise_review")
def review_file(ctx: CasePanelContext) -> CasePanel:
    """One enterprise: the filing, what the registers say of it, hints, made files, opinions so far."""
    item = filings.get_item(ctx.session, key(ctx.variables["item_id"]))
    blocks = [_filing_facts(ctx, item.filing)]
    if _inside(ctx.actor):
        blocks += [*_comparison(ctx, item), *_hints(item)]
    if ctx.variables.get("reminded_at") and item.status == "correcting":
        blocks.append(Block("hint", text=_("已催告，补正期限至 %(due)s。", due=reviews.due_words(item)), style="warn"))
    blocks += _opinions(ctx, item.filing.items if _inside(ctx.actor) else [item])
    return CasePanel(blocks=blocks, tabs=_tabs(ctx, item.filing, item.id), documents=_documents(ctx))


def _comparison(ctx: CasePanelContext, item: FilingItem) -> list[Block]:
    found = comparison.with_registers(ctx.session, item)
    if found is None:
        return []
    note = _("%(source)s → 本次申报", source=found.source)
    if not found.differences:
        same = _("%(n)s 项均与台账相同。", n=found.same)
        return [Block("text", title=_("与台账比对"), note=note, text=same)]
    if found.same:
        note += _("，另有 %(n)s 项相同", n=found.same)
    return [Block("diff", title=_("与台账比对"), note=note, items=found.differences)]


def _hints(item: FilingItem) -> list[Block]:
    return [
        Block("hint", title=_("提示"), text=warning["text"])
        for warning in item.warnings
        if not warning.get("must_answer")  # that one stands in the form, to be answered
    ]


def _documents(ctx: CasePanelContext) -> list[UUID]:
    """What the case's processes made, newest last; a lead unit does not see the working group's own papers."""
    query = select(Document.id).where(
        Document.root_instance_id == ctx.root_instance_id, Document.uploaded_by.is_(None), Document.kind != "upload"
    )
    if not _inside(ctx.actor):
        query = query.where(Document.public.is_(True))
    if ctx.definition_key == "enterprise_review":
        query = query.where(Document.instance_id == ctx.instance_id)
    return list(ctx.session.scalars(query.order_by(Document.created_at, Document.id)))


def _opinions(ctx: CasePanelContext, items: Sequence[FilingItem]) -> list[Block]:
    """The opinions on enterprises of a filing; a lead unit reads those that have taken effect, not how they came."""
    inside = _inside(ctx.actor)
    found: list[dict[str, Any]] = []
    for other in items:
        if not other.review or (not inside and other.status in ("review", "confirming")):
            continue
        found.append(_opinion(other, other.review, reviews.DECISIONS.get(as_text(other.review.get("decision")), "")))
        if inside and (second := other.review.get("second")):
            found.append(_opinion(other, second, _("复核同意")))
    found.sort(key=lambda opinion: str(opinion["at"]))
    return [Block("opinions", title=_("本件已有意见"), items=found)] if found else []


def _opinion(item: FilingItem, said: Mapping[str, Any], decision: str) -> dict[str, Any]:
    words = as_text(said.get("opinion"))
    return {
        "who": as_text(said.get("by")),
        "role": _("工作小组办公室"),
        "at": as_text(said.get("at")),
        "decision": decision,
        "words": f"{item.name}：{words}" if words else item.name,
    }


@case_panel("publicity_batch")
def batch_file(ctx: CasePanelContext) -> CasePanel:
    """A batch: its notice, where its enterprises stand, the objections."""
    batch_id = key(ctx.variables["batch_id"])
    items = batches.items_of(ctx.session, batch_id)
    blocks: list[Block] = []
    if items:
        notice = publishing.of_batch(ctx.session, batch_id)
        facts = [
            (_("公示"), notice.title, None),
            (_("文号"), notice.number or _("未编号"), None),
            (_("公示期"), publishing.period_words(notice), None),
        ]
        blocks.append(Block("facts", title=_("公示概要"), items=facts))
        rows = [
            [i.filing.lead_unit.name, i.name, i.filing.number, filings.STATUS_LABELS[i.status], filings.reason_now(i)]
            for i in items
        ]
        columns = [_("牵引单位"), _("企业"), _("备案"), _("状态"), _("说明")]
        blocks.append(Block("table", title=_("本批企业"), columns=columns, rows=rows))
        received = objections.of_notice(ctx.session, notice.id)
        if received:
            lines = [[o.receipt_number, objections.STATUS_LABELS[o.status], o.words, o.reasons] for o in received]
            columns = [_("编号"), _("状态"), _("异议内容"), _("决定理由")]
            blocks.append(Block("table", title=_("异议"), columns=columns, rows=lines))
    return CasePanel(blocks=blocks, documents=_documents(ctx))


@case_panel("objection")
def objection_file(ctx: CasePanelContext) -> CasePanel:
    """An objection: the notice, the enterprise, how its case went."""
    objection = objections.get(ctx.session, key(ctx.variables["objection_id"]))
    notice = publishing.get(ctx.session, objection.notice_id)
    item = filings.get_item(ctx.session, objection.filing_item_id)
    facts = [
        (_("公示"), f"{notice.title}（{notice.number}）", f"/notices/{notice.id}"),
        (_("公示期"), publishing.period_words(notice), None),
        (_("企业"), f"{item.name}（{item.credit_code}）", None),
        (_("牵引单位"), item.filing.lead_unit.name, f"/registers/lead-units/{item.filing.lead_unit_id}"),
        (_("备案"), item.filing.number, None),
        (_("状态"), filings.STATUS_LABELS[item.status], None),
    ]
    blocks = [Block("facts", title=_("所涉公示与企业"), items=facts)]
    evidence = [found for value in objection.evidence if (found := as_uuid(value))]
    if evidence:
        blocks.append(Block("files", title=_("异议人提供的材料"), items=evidence))
    return CasePanel(blocks=[*blocks, *_opinions(ctx, [item])], documents=evidence)


@case_panel("notice_correction")
def correction_file(ctx: CasePanelContext) -> CasePanel:
    """A correction: the notice that it is about, as it was published."""
    found = as_uuid(ctx.variables.get("notice_id"))
    if found is None:
        return CasePanel()
    notice = publishing.get(ctx.session, found)
    facts = [
        (_("原公告"), notice.title, f"/notices/{notice.id}"),
        (_("文号"), notice.number or "", None),
        (_("发布"), zh_date(notice.published_at), None),
    ]
    rows = [[row.seq, row.lead_unit_name, row.name, row.credit_code] for row in notice.rows]
    columns = [_("序号"), _("牵引单位"), _("企业"), _("统一社会信用代码")]
    blocks = [
        Block("facts", title=_("原公告"), items=facts),
        Block("table", title=_("原公告名单"), columns=columns, rows=rows),
    ]
    return CasePanel(blocks=blocks, documents=_documents(ctx))
