"""The register of criticisms 通报批评 (4.2) as a list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import Session, contains_eager

from webapp.engine.handler_api import Actor
from webapp.i18n import _, lazy
from webapp.registers import labels, queries
from webapp.registers.criticism_models import Criticism, CriticismGround, Rectification
from webapp.registers.listing import Column, Register, View
from webapp.registers.lists import UNIT
from webapp.registers.models import LeadUnit
from webapp.registers.values import as_date


def scope(actor: Actor) -> ColumnElement[bool]:
    """Which cases this person sees: a unit its own, once it has been told of it."""
    if queries.sees_all(actor):
        return true()
    return and_(queries.scope(actor), Criticism.told_at.isnot(None))


def _last_day(due: datetime | None) -> date | None:
    """The day at whose end a deadline is over."""
    return as_date(due - timedelta(seconds=1)) if due else None


def of_unit(session: Session, actor: Actor, unit_id: UUID) -> list[Criticism]:
    """A unit's cases that this person sees, oldest first."""
    query = select(Criticism).join(Criticism.lead_unit).where(Criticism.lead_unit_id == unit_id, scope(actor))
    return list(session.scalars(query.order_by(Criticism.opened_at)).unique())


def _criticisms(actor: Actor, _args: Mapping[str, str]) -> Select[Any]:
    told = true() if queries.sees_all(actor) else CriticismGround.told_at.isnot(None)
    clauses = select(func.string_agg(CriticismGround.clause, "、")).where(
        CriticismGround.criticism_id == Criticism.id, told
    )
    mine = Rectification.criticism_id == Criticism.id
    due = select(func.max(Rectification.due_at)).where(mine, Rectification.status == "open")
    count = select(func.count()).select_from(Rectification).where(mine)
    columns = (
        clauses.scalar_subquery().label("clauses"),
        due.scalar_subquery().label("due_at"),
        count.scalar_subquery().label("periods"),
    )
    return (
        select(Criticism, *columns)
        .join(Criticism.lead_unit)
        .options(contains_eager(Criticism.lead_unit))
        .where(scope(actor))
    )


CRITICISMS = Register(
    "criticisms",
    lazy("通报批评"),
    lazy(
        "有第 4.2.1 至 4.2.6 条情形之一的，通报批评并责令限期整改；未完成的，继续整改或者取消资格（第 4.2、4.3 条）。"
    ),
    lazy("提出通报批评后显示在这里。"),
    _criticisms,
    (
        Column(
            "number",
            lazy("编号"),
            lambda r: r.Criticism.number,
            url=lambda r: url_for("criticisms.entry", criticism_id=r.Criticism.id),
            sort=Criticism.number,
        ),
        Column(
            "lead_unit",
            lazy("牵引单位"),
            lambda r: r.Criticism.lead_unit.name,
            url=lambda r: url_for("registers.lead_unit", unit_id=r.Criticism.lead_unit_id),
            sort=LeadUnit.name,
        ),
        Column("clauses", lazy("情形"), lambda r: "、".join(sorted((r.clauses or "").split("、")))),
        Column("source", lazy("提出"), lambda r: labels.word(labels.SOURCE, r.Criticism.source), narrow_hide=True),
        Column(
            "opened_at",
            lazy("提出时间"),
            lambda r: r.Criticism.opened_at,
            "date",
            sort=Criticism.opened_at,
            narrow_hide=True,
        ),
        Column(
            "status",
            lazy("状态"),
            lambda r: labels.word(labels.CRITICISM, r.Criticism.status),
            "badge",
            tone=lambda r: labels.tone(labels.CRITICISM, r.Criticism.status),
        ),
        Column("notice", lazy("通报文号"), lambda r: r.Criticism.notice_number, narrow_hide=True),
        Column("periods", lazy("责令整改"), lambda r: r.periods, "num", narrow_hide=True),
        Column(
            "due_at",
            lazy("整改期限"),
            lambda r: r.due_at and as_date(r.due_at - timedelta(seconds=1)),
            "date",
            narrow_hide=True,
        ),
    ),
    (
        View("open", lazy("办理中"), Criticism.closed_at.is_(None)),
        View("rectifying", lazy("整改中"), Criticism.status == "rectifying", "today"),
        View("weighing", lazy("研究处理"), Criticism.status == "weighing", "over"),
        View("rectified", lazy("整改合格"), Criticism.status == "rectified"),
        View("cancelled", lazy("取消资格"), Criticism.status == "cancelled"),
        View("other", lazy("未予通报"), or_(*(Criticism.status == s for s in ("not_established", "lapsed", "ended")))),
        View("all", lazy("全部")),
    ),
    (Criticism.number, LeadUnit.name, LeadUnit.credit_code, Criticism.notice_number),
    (Criticism.opened_at.desc(), Criticism.id.desc()),
    choices=(UNIT,),
    actions=lambda actor: (
        [{"label": _("提出通报批评"), "url": url_for("criticisms.new")}] if "office" in actor.roles else []
    ),
)
