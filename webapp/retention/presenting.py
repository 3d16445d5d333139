"""What people are told of history that has left the database: on a case's pages, and beside the setting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import url_for
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from webapp.i18n import _
from webapp.retention import service


def entry(session: Session, instance_ids: Sequence[UUID], *, inside: bool) -> dict[str, Any] | None:
    """A first entry of the timeline (macro `timeline`): which months are missing here, and where they are.

    None when none is. `inside`: whether the reader may open the files.
    """
    away = service.months_away(session, instance_ids)
    if not away:
        return None
    words = _("此期间的办理历史已归档为文件，以下记录不含这些月份。")
    links = Markup("　").join(_file(row) for row in away) if inside else Markup("、").join(_month(r) for r in away)
    return {"kind": "done", "title": _("部分办理历史已归档"), "note": escape(words) + Markup(" ") + links, "at": ""}


def _file(row: Any) -> Markup:
    link = Markup('<a href="{}">{}</a>')
    return link.format(url_for("documents.download", document_id=row.document_id), _month(row))


def _month(row: Any) -> str:
    return _("%(year)s 年 %(month)s 月", year=row.month.year, month=row.month.month)


def words(plan: service.Plan) -> list[str]:
    """What the setting does today, as sentences for the settings page."""
    if not plan.kept:
        said = [_("当前全部保留，不会移出任何月份。")]
    elif not plan.due and not plan.waiting:
        said = [_("当前没有需要移出的月份。")]
    else:
        said = [_("将依次移出（每次一个月，约每十分钟一次）：%(months)s。", months=_some(plan.due))] if plan.due else []
        said += [
            _("%(month)s 有 %(n)s 件在办事项，办结后再移出。", month=_first(month), n=month.running)
            for month in plan.waiting
        ]
    if plan.archived:
        rows = sum(row.rows for row in plan.archived)
        said.append(_("已移出 %(n)s 个月，共 %(rows)s 条记录，存于文件。", n=len(plan.archived), rows=rows))
    return said


def _some(months: Sequence[service.Month]) -> str:
    named = [_first(month) for month in months[:6]]
    return "、".join(named) + (_(" 等 %(n)s 个月", n=len(months)) if len(months) > len(named) else "")


def _first(month: service.Month) -> str:
    return _("%(year)s 年 %(month)s 月", year=month.first.year, month=month.first.month)
