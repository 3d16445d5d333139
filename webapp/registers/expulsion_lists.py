"""The register of expulsion reviews 清退审议 (4.4) as a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import Session, contains_eager

from webapp.engine.handler_api import Actor
from webapp.i18n import _, lazy
from webapp.registers import labels, queries
from webapp.registers.listing import Column, Register, View
from webapp.registers.lists import UNIT
from webapp.registers.models import Expulsion, ExpulsionGround, LeadUnit


def scope(actor: Actor) -> ColumnElement[bool]:
    """Which reviews this person sees: a unit its own, once it has been told of it or has asked to leave itself."""
    if queries.sees_all(actor):
        return true()
    return and_(queries.scope(actor), or_(Expulsion.told_at.isnot(None), Expulsion.source == "unit"))


def of_unit(session: Session, actor: Actor, unit_id: UUID) -> list[Expulsion]:
    """A unit's reviews that this person sees, oldest first."""
    query = select(Expulsion).join(Expulsion.lead_unit).where(Expulsion.lead_unit_id == unit_id, scope(actor))
    return list(session.scalars(query.order_by(Expulsion.opened_at)).unique())


def _expulsions(actor: Actor, _args: Mapping[str, str]) -> Select[Any]:
    clauses = select(func.string_agg(ExpulsionGround.clause, "、")).where(
        ExpulsionGround.expulsion_id == Expulsion.id,
        true()
        if queries.sees_all(actor)
        else or_(ExpulsionGround.told_at.isnot(None), ExpulsionGround.source == "unit"),
    )
    return (
        select(Expulsion, clauses.scalar_subquery().label("clauses"))
        .join(Expulsion.lead_unit)
        .options(contains_eager(Expulsion.lead_unit))
        .where(scope(actor))
    )


EXPULSIONS = Register(
    "expulsions",
    lazy("清退审议"),
    lazy("有第 4.4.1 至 4.4.8 条情形之一的，经局务会审议确认后清退，且不得重新申请纳入（第 4.4 条）。"),
    lazy("提出清退审议后显示在这里。"),
    _expulsions,
    (
        Column(
            "number",
            lazy("编号"),
            lambda r: r.Expulsion.number,
            url=lambda r: url_for("expulsions.entry", expulsion_id=r.Expulsion.id),
            sort=Expulsion.number,
        ),
        Column(
            "lead_unit",
            lazy("牵引单位"),
            lambda r: r.Expulsion.lead_unit.name,
            url=lambda r: url_for("registers.lead_unit", unit_id=r.Expulsion.lead_unit_id),
            sort=LeadUnit.name,
        ),
        Column("clauses", lazy("情形"), lambda r: "、".join(sorted((r.clauses or "").split("、")))),
        Column("source", lazy("提出"), lambda r: labels.word(labels.SOURCE, r.Expulsion.source), narrow_hide=True),
        Column("opened_at", lazy("提出时间"), lambda r: r.Expulsion.opened_at, "date", sort=Expulsion.opened_at),
        Column(
            "status",
            lazy("状态"),
            lambda r: labels.word(labels.EXPULSION, r.Expulsion.status),
            "badge",
            tone=lambda r: labels.tone(labels.EXPULSION, r.Expulsion.status),
        ),
        Column("decision", lazy("决定文号"), lambda r: r.Expulsion.decision_number, narrow_hide=True),
        Column(
            "decided_on",
            lazy("决定日期"),
            lambda r: r.Expulsion.decided_on,
            "date",
            sort=Expulsion.decided_on,
            narrow_hide=True,
        ),
    ),
    (
        View("open", lazy("办理中"), Expulsion.closed_at.is_(None)),
        View("meeting", lazy("局务会审议"), Expulsion.status == "meeting", "today"),
        View("expelled", lazy("已清退"), Expulsion.status == "expelled", "over"),
        View("not_confirmed", lazy("不予清退"), Expulsion.status == "not_confirmed"),
        View("withdrawn", lazy("已撤回"), Expulsion.status == "withdrawn"),
        View("all", lazy("全部")),
    ),
    (Expulsion.number, LeadUnit.name, LeadUnit.credit_code, Expulsion.decision_number),
    (Expulsion.opened_at.desc(), Expulsion.id.desc()),
    choices=(UNIT,),
    actions=lambda actor: (
        [{"label": _("提出清退审议"), "url": url_for("expulsions.new")}] if "office" in actor.roles else []
    ),
)
