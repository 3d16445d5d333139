"""The registers as lists: columns, views and filters of each, by the key in the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy import ColumnElement, Select, func, or_, select, true
from sqlalchemy.orm import Session, contains_eager

from webapp.documents import service as documents
from webapp.documents.models import Document
from webapp.engine.handler_api import Actor
from webapp.engine.tables import process_instance
from webapp.i18n import _, lazy
from webapp.registers import labels, queries
from webapp.registers.listing import Choice, Column, Register, View
from webapp.registers.models import (
    BarredEntry,
    ConsortiumEnterprise,
    Filing,
    FilingItem,
    Interpretation,
    LeadUnit,
    PublishedList,
)

Args = Mapping[str, str]


def as_day(text: str | None) -> date | None:
    """A day of the address, or None when there is none or it is no date."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _units(session: Session, actor: Actor) -> Sequence[tuple[str, str]]:
    rows = session.execute(select(LeadUnit.id, LeadUnit.name).where(queries.scope(actor)).order_by(LeadUnit.name))
    return [(str(key), name) for key, name in rows]


def _of_unit(text: str) -> ColumnElement[bool] | None:
    key = _as_uuid(text)
    return LeadUnit.id == key if key else None


UNIT = Choice("unit", lazy("牵引单位"), _units, _of_unit)


# ---- lead units --------------------------------------------------------------------------------------------------


def _lead_units(actor: Actor, _args: Args) -> Select[Any]:
    member, filing = ConsortiumEnterprise, Filing
    partners = select(func.count()).where(member.lead_unit_id == LeadUnit.id, member.until.is_(None))
    running = select(func.count()).where(filing.lead_unit_id == LeadUnit.id, filing.status == "review")
    counted = partners.scalar_subquery().label("partners"), running.scalar_subquery().label("running")
    return select(LeadUnit, *counted).where(queries.scope(actor))


def flags(unit: LeadUnit) -> str:
    """The flags of a unit in words; they do not change its status."""
    words = [(unit.rectifying, _("整改中")), (unit.under_expulsion, _("清退审议中"))]
    return "、".join(word for on, word in words if on)


LEAD_UNITS = Register(
    "lead-units",
    lazy("牵引单位"),
    lazy("市工业和信息化局征集遴选、专家评审、公示的数字化牵引单位名单（第 1.2 条）。"),
    lazy("牵引单位列入名单后显示在这里。"),
    _lead_units,
    (
        Column(
            "name",
            lazy("名称"),
            lambda r: r.LeadUnit.name,
            url=lambda r: url_for("registers.lead_unit", unit_id=r.LeadUnit.id),
            meta=lambda r: flags(r.LeadUnit),
            sort=LeadUnit.name,
        ),
        Column("credit_code", lazy("统一社会信用代码"), lambda r: r.LeadUnit.credit_code, "code", narrow_hide=True),
        Column(
            "status",
            lazy("状态"),
            lambda r: labels.word(labels.LEAD_UNIT, r.LeadUnit.status),
            "badge",
            tone=lambda r: labels.tone(labels.LEAD_UNIT, r.LeadUnit.status),
        ),
        Column("legal_rep", lazy("法定代表人"), lambda r: r.LeadUnit.legal_rep, narrow_hide=True),
        Column(
            "listed_on",
            lazy("列入日期"),
            lambda r: r.LeadUnit.listed_on,
            "date",
            sort=LeadUnit.listed_on,
            narrow_hide=True,
        ),
        Column("partners", lazy("联合体企业"), lambda r: r.partners, "num"),
        Column("running", lazy("在办备案"), lambda r: r.running, "num", narrow_hide=True),
    ),
    (
        View("listed", lazy("在册"), LeadUnit.status == "listed"),
        View("rectifying", lazy("整改中"), LeadUnit.rectifying.is_(true()), "today"),
        View("under_expulsion", lazy("清退审议中"), LeadUnit.under_expulsion.is_(true()), "over"),
        View("candidate", lazy("候选"), LeadUnit.status == "candidate"),
        View("cancelled", lazy("取消资格"), LeadUnit.status == "cancelled"),
        View("expelled", lazy("清退"), LeadUnit.status == "expelled"),
        View("withdrawn", lazy("退出"), LeadUnit.status == "withdrawn"),
        View("all", lazy("全部")),
    ),
    (LeadUnit.name, LeadUnit.credit_code, LeadUnit.legal_rep, LeadUnit.address),
    (LeadUnit.name, LeadUnit.id),
    actions=lambda actor: (
        [{"label": _("登记候选单位"), "url": url_for("admission.new")}] if "office" in actor.roles else []
    ),
)


# ---- consortium enterprises --------------------------------------------------------------------------------------


def _consortium(actor: Actor, args: Args) -> Select[Any]:
    query = queries.members().outerjoin(PublishedList, PublishedList.id == ConsortiumEnterprise.since_list_id)
    query = query.add_columns(PublishedList.number.label("basis")).where(queries.scope(actor))
    day = as_day(args.get("as_of"))
    return query.where(queries.in_force(day)) if day else query


def membership_state(member: ConsortiumEnterprise) -> tuple[str, str]:
    """How a membership stands today, in a word, with the tone of its badge."""
    if member.until is None:
        return _("在册"), "done"
    return _("退出 %(day)s", day=member.until.isoformat()), "end"


CONSORTIUM = Register(
    "consortium",
    lazy("产业生态联合体企业"),
    lazy("各牵引单位产业生态联合体的企业，自发布的名单起生效（第 4.6.3 条）。"),
    lazy("企业经备案、公示并发布后显示在这里。"),
    _consortium,
    (
        Column(
            "name",
            lazy("企业名称"),
            lambda r: r.ConsortiumEnterprise.name,
            url=lambda r: url_for("registers.enterprise", entry_id=r.ConsortiumEnterprise.id),
            meta=lambda r: r.ConsortiumEnterprise.need,
            sort=ConsortiumEnterprise.name,
        ),
        Column(
            "credit_code",
            lazy("统一社会信用代码"),
            lambda r: r.ConsortiumEnterprise.credit_code,
            "code",
            narrow_hide=True,
        ),
        Column(
            "lead_unit",
            lazy("牵引单位"),
            lambda r: r.ConsortiumEnterprise.lead_unit.name,
            url=lambda r: url_for("registers.lead_unit", unit_id=r.ConsortiumEnterprise.lead_unit_id),
            sort=LeadUnit.name,
            narrow_hide=True,
        ),
        Column(
            "since", lazy("纳入日期"), lambda r: r.ConsortiumEnterprise.since, "date", sort=ConsortiumEnterprise.since
        ),
        Column("basis", lazy("依据"), lambda r: r.basis, narrow_hide=True),
        Column(
            "state",
            lazy("今日状态"),
            lambda r: membership_state(r.ConsortiumEnterprise)[0],
            "badge",
            tone=lambda r: membership_state(r.ConsortiumEnterprise)[1],
        ),
    ),
    (
        View("current", lazy("今日在册"), ConsortiumEnterprise.until.is_(None)),
        View("left", lazy("已退出"), ConsortiumEnterprise.until.isnot(None)),
        View("all", lazy("全部")),
    ),
    (ConsortiumEnterprise.name, ConsortiumEnterprise.credit_code, ConsortiumEnterprise.need),
    (LeadUnit.name, ConsortiumEnterprise.since.desc(), ConsortiumEnterprise.id),
    choices=(UNIT,),
    has_day=True,
)


# ---- the barred list ---------------------------------------------------------------------------------------------

BARRED = Register(
    "barred",
    lazy("不得重新申请名单"),
    lazy("被清退的牵引单位不得重新申请纳入（第 4.4 条），按统一社会信用代码登记。"),
    lazy("经局务会确认清退的牵引单位显示在这里。"),
    lambda _actor, _args: select(BarredEntry),
    (
        Column(
            "name",
            lazy("名称"),
            lambda r: r.BarredEntry.name,
            meta=lambda r: r.BarredEntry.reason,
            sort=BarredEntry.name,
        ),
        Column("credit_code", lazy("统一社会信用代码"), lambda r: r.BarredEntry.credit_code, "code"),
        Column(
            "clause",
            lazy("情形"),
            lambda r: _("第 %(n)s 条", n=r.BarredEntry.clause),
            url=lambda r: _clause_url(r.BarredEntry.clause),
        ),
        Column("decision", lazy("决定文号"), lambda r: r.BarredEntry.decision_number, narrow_hide=True),
        Column("decided_on", lazy("决定日期"), lambda r: r.BarredEntry.decided_on, "date", sort=BarredEntry.decided_on),
        Column(
            "state",
            lazy("状态"),
            lambda r: _("已撤销 %(day)s", day=r.BarredEntry.annulled_on) if r.BarredEntry.annulled_on else _("有效"),
            "badge",
            tone=lambda r: "end" if r.BarredEntry.annulled_on else "bad",
        ),
    ),
    (
        View("in_force", lazy("有效"), BarredEntry.annulled_on.is_(None)),
        View("annulled", lazy("已撤销"), BarredEntry.annulled_on.isnot(None)),
        View("all", lazy("全部")),
    ),
    (BarredEntry.name, BarredEntry.credit_code, BarredEntry.decision_number),
    (BarredEntry.decided_on.desc(), BarredEntry.id),
)


def _clause_url(number: str) -> str:
    return url_for("regulation.page") + f"#c{number.split('、')[0]}"


# ---- filings -----------------------------------------------------------------------------------------------------


def _filings(actor: Actor, _args: Args) -> Select[Any]:
    count = select(func.count()).where(FilingItem.filing_id == Filing.id)
    final = count.where(FilingItem.settled_at.isnot(None))
    return (
        select(Filing, count.scalar_subquery().label("count"), final.scalar_subquery().label("settled"))
        .join(Filing.lead_unit)
        .options(contains_eager(Filing.lead_unit))
        .where(queries.scope(actor))
    )


FILINGS = Register(
    "filings",
    lazy("备案"),
    lazy("牵引单位新增产业生态联合体企业的备案（第 4.6.1 条）。"),
    lazy("牵引单位提交备案后显示在这里。"),
    _filings,
    (
        Column(
            "number",
            lazy("编号"),
            lambda r: r.Filing.number,
            url=lambda r: url_for("registers.filing", filing_id=r.Filing.id),
            sort=Filing.number,
        ),
        Column("lead_unit", lazy("牵引单位"), lambda r: r.Filing.lead_unit.name, sort=LeadUnit.name),
        Column("count", lazy("企业"), lambda r: r.count, "num"),
        Column("settled", lazy("已有结果"), lambda r: r.settled, "num", narrow_hide=True),
        Column("submitted_at", lazy("提交时间"), lambda r: r.Filing.submitted_at, "date", sort=Filing.submitted_at),
        Column(
            "status",
            lazy("状态"),
            lambda r: labels.word(labels.FILING, r.Filing.status),
            "badge",
            tone=lambda r: labels.tone(labels.FILING, r.Filing.status),
        ),
    ),
    (
        View("review", lazy("办理中"), Filing.status == "review"),
        View("closed", lazy("已办结"), Filing.status == "closed"),
        View("all", lazy("全部")),
    ),
    (Filing.number, LeadUnit.name, Filing.need),
    (Filing.submitted_at.desc().nulls_first(), Filing.id.desc()),
    choices=(UNIT,),
)


# ---- documents and interpretations -------------------------------------------------------------------------------


def _documents(actor: Actor, _args: Args) -> Select[Any]:
    case = process_instance.c
    query = select(Document, case.business_key.label("number")).outerjoin(
        process_instance, case.id == Document.root_instance_id
    )
    return query.where(
        documents.visible(actor), or_(Document.root_instance_id.isnot(None), Document.public.is_(true()))
    )


DOCUMENTS = Register(
    "documents",
    lazy("文件"),
    lazy("案件的材料和制发的文书，按内容的校验值保存，不作改动。"),
    lazy("案件的材料和文书显示在这里。"),
    _documents,
    (
        Column(
            "filename",
            lazy("文件"),
            lambda r: r.Document.filename,
            url=lambda r: url_for("documents.download", document_id=r.Document.id),
            meta=lambda r: documents.tile(r.Document)["meta"],
            sort=Document.filename,
        ),
        Column("kind", lazy("种类"), lambda r: labels.word(labels.DOCUMENT, r.Document.kind), narrow_hide=True),
        Column("number", lazy("案件"), lambda r: r.number, sort=process_instance.c.business_key),
        Column("size", lazy("大小（字节）"), lambda r: r.Document.size, "num", sort=Document.size, narrow_hide=True),
        Column("created_at", lazy("时间"), lambda r: r.Document.created_at, "date", sort=Document.created_at),
        Column("digest", "SHA-256", lambda r: r.Document.digest, "digest", narrow_hide=True),
    ),
    (
        View("all", lazy("全部")),
        View("upload", lazy("上传材料"), Document.kind == "upload"),
        View("made", lazy("制发的文书"), Document.made_from.isnot(None)),
        View("public", lazy("已公开"), Document.public.is_(true())),
    ),
    (Document.filename, process_instance.c.business_key, Document.digest),
    (Document.created_at.desc(), Document.id.desc()),
)

INTERPRETATIONS = Register(
    "interpretations",
    lazy("解释"),
    lazy("市工业和信息化局对规程的解释（第 5.1 条），由引用它的案件列明。"),
    lazy("办公室登记的解释显示在这里。"),
    lambda _actor, _args: select(Interpretation),
    (
        Column(
            "number",
            lazy("编号"),
            lambda r: r.Interpretation.number,
            url=lambda r: url_for("interpretations.entry", interpretation_id=r.Interpretation.id),
            sort=Interpretation.number,
        ),
        Column(
            "clause",
            lazy("条款"),
            lambda r: _("第 %(n)s 条", n=r.Interpretation.clause),
            url=lambda r: _clause_url(r.Interpretation.clause),
        ),
        Column("topic", lazy("事项"), lambda r: labels.word(labels.TOPIC, r.Interpretation.topic)),
        Column("text", lazy("内容"), lambda r: r.Interpretation.text, narrow_hide=True),
        Column("signed_by", lazy("签发"), lambda r: r.Interpretation.signed_by, narrow_hide=True),
        Column("signed_on", lazy("日期"), lambda r: r.Interpretation.signed_on, "date", sort=Interpretation.signed_on),
    ),
    (View("all", lazy("全部")),),
    (Interpretation.number, Interpretation.text, Interpretation.clause),
    (Interpretation.signed_on.desc(), Interpretation.id.desc()),
    actions=lambda actor: (
        [{"label": _("登记解释"), "url": url_for("interpretations.new")}] if "office" in actor.roles else []
    ),
)
