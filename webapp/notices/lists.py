"""Notices and objections as lists, for the working group's side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from sqlalchemy import Select, func, select

from webapp import clock
from webapp.engine.handler_api import Actor
from webapp.i18n import _, lazy
from webapp.notices.models import Notice, NoticeItem, Objection
from webapp.registers import labels
from webapp.registers.listing import Column, Register, View
from webapp.registers.models import FilingItem

Args = Mapping[str, str]


def _notices(_actor: Actor, _args: Args) -> Select[Any]:
    count = select(func.count()).where(NoticeItem.notice_id == Notice.id).scalar_subquery().label("count")
    against = select(func.count()).where(Objection.notice_id == Notice.id).scalar_subquery().label("objections")
    return select(Notice, count, against)


NOTICES = Register(
    "notices",
    lazy("公示公告"),
    lazy("公示、更正、撤回和名单。发布后不作改动，更正和撤回另行公告（第 4.6.3 条）。"),
    lazy("公示批次签发后，公示显示在这里。"),
    _notices,
    (
        Column(
            "title",
            lazy("标题"),
            lambda r: r.Notice.title,
            url=lambda r: url_for("notices.notice", notice_id=r.Notice.id),
            meta=lambda r: r.Notice.number or _("未编号"),
            sort=Notice.title,
        ),
        Column("kind", lazy("种类"), lambda r: labels.word(labels.NOTICE_KIND, r.Notice.kind), narrow_hide=True),
        Column("number", lazy("文号"), lambda r: r.Notice.number, narrow_hide=True, sort=Notice.number),
        Column(
            "published_at",
            lazy("发布时间"),
            lambda r: r.Notice.published_at,
            "date",
            sort=Notice.published_at,
            narrow_hide=True,
        ),
        Column("count", lazy("企业"), lambda r: r.count, "num", narrow_hide=True),
        Column("objections", lazy("异议"), lambda r: r.objections, "num", narrow_hide=True),
        Column(
            "status",
            lazy("状态"),
            lambda r: notice_state(r.Notice)[0],
            "badge",
            tone=lambda r: notice_state(r.Notice)[1],
        ),
    ),
    (
        View("all", lazy("全部")),
        View("public", lazy("公示中"), (Notice.kind == "publicity") & (Notice.status == "published")),
        View("draft", lazy("未发布"), Notice.status == "draft"),
        View("withdrawn", lazy("已撤回"), Notice.status == "withdrawn"),
    ),
    (Notice.title, Notice.number),
    (Notice.published_at.desc().nulls_first(), Notice.id.desc()),
)


def notice_state(notice: Notice) -> tuple[str, str]:
    """How a notice stands, in a word, with the tone of its badge; a period is over at its end, not when a job runs."""
    if notice.status == "published" and notice.kind != "publicity":
        return _("已发布"), "done"
    if notice.status == "published" and notice.period_ends_at and notice.period_ends_at <= clock.now():
        return _("公示期满"), "done"
    return labels.word(labels.NOTICE, notice.status), labels.tone(labels.NOTICE, notice.status)


def _objections(_actor: Actor, _args: Args) -> Any:
    return (
        select(Objection, Notice.number.label("notice_number"), FilingItem.name.label("enterprise"))
        .join(Notice, Notice.id == Objection.notice_id)
        .join(FilingItem, FilingItem.id == Objection.filing_item_id)
    )


OBJECTIONS = Register(
    "objections",
    lazy("异议"),
    lazy("对公示名单的异议，以收到时间为准；公示期满后收到的作为线索（第 4.6.3 条）。"),
    lazy("公众在公示页面提出，或由办公室登记来信后，显示在这里。"),
    _objections,
    (
        Column(
            "number",
            lazy("编号"),
            lambda r: r.Objection.receipt_number,
            url=lambda r: url_for("notices.objection", objection_id=r.Objection.id),
            sort=Objection.receipt_number,
        ),
        Column("enterprise", lazy("企业"), lambda r: r.enterprise, sort=FilingItem.name),
        Column("notice", lazy("公示文号"), lambda r: r.notice_number, narrow_hide=True),
        Column("channel", lazy("来源"), lambda r: labels.word(labels.CHANNEL, r.Objection.channel), narrow_hide=True),
        Column(
            "received_at",
            lazy("收到时间"),
            lambda r: r.Objection.received_at,
            "date",
            sort=Objection.received_at,
            narrow_hide=True,
        ),
        Column(
            "status",
            lazy("状态"),
            lambda r: labels.word(labels.OBJECTION, r.Objection.status),
            "badge",
            tone=lambda r: labels.tone(labels.OBJECTION, r.Objection.status),
        ),
    ),
    (
        View("open", lazy("调查中"), Objection.status == "open"),
        View("upheld", lazy("异议成立"), Objection.status == "upheld"),
        View("dismissed", lazy("异议不成立"), Objection.status == "dismissed"),
        View("late", lazy("线索"), Objection.status == "late"),
        View("all", lazy("全部")),
    ),
    (Objection.receipt_number, FilingItem.name, Notice.number),
    (Objection.received_at.desc(), Objection.id.desc()),
    actions=lambda actor: (
        [{"label": _("登记来信异议"), "url": url_for("notices.letter")}] if "office" in actor.roles else []
    ),
)
