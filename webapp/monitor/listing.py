"""The list of instances and the head of one: what the templates take, made from the rows and the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import url_for
from sqlalchemy.orm import Session

from webapp import clock, nav
from webapp.engine.handler_api import Actor
from webapp.errors import Invalid
from webapp.i18n import _
from webapp.inbox import deadlines
from webapp.monitor import counting, presenting, queries, sorting

Shape = dict[str, Any]
#: Most rows of an export; more is told, not cut silently.
EXPORT_LIMIT = 20_000


def _views() -> list[tuple[str, str, str]]:
    return [
        ("running", _("在办"), ""),
        ("overdue", _("有超期"), "over"),
        ("incidents", _("有异常"), "over"),
        ("suspended", _("已挂起"), ""),
        ("done", _("已办结"), ""),
        ("ended", _("已终止"), ""),
        ("all", _("全部"), ""),
    ]


def wanted(args: Mapping[str, str]) -> queries.Filter:
    """The filter that an address says; what it does not know falls back to what is usual."""
    view = args.get("view", "running")
    view = view if view in queries.VIEWS else "running"
    return queries.Filter(
        view=view,
        process=args.get("process", ""),
        words=args.get("q", "").strip()[:100],
        sort=sorting.settled(view, args.get("sort", sorting.USUAL)),
    )


def _url(filter: queries.Filter, endpoint: str = "monitor.instances", **more: Any) -> str:
    query = {"view": filter.view, "process": filter.process, "q": filter.words, "sort": filter.sort, **more}
    return url_for(endpoint, **{key: value for key, value in query.items() if value})


def _page_number(args: Mapping[str, str]) -> int:
    text = args.get("page", "1")
    return min(max(int(text), 1), 50_000) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def page(session: Session, actor: Actor, args: Mapping[str, str]) -> Shape:
    """The context of `monitor/instances.html`."""
    found, now, number = wanted(args), clock.now(), _page_number(args)
    counts = queries.counts(session, actor, found, now)
    common = isinstance(counts[found.view], counting.Least) and bool(found.words)
    rows = queries.instances(session, actor, found, now, page=number, more=1, common=common)
    if common:  # what is shown is there, whatever was counted
        shown = (number - 1) * queries.PAGE + len(rows)
        counts[found.view] = counting.Least(max(counts[found.view], shown if rows else 0))
    labels = _views()
    views = [
        {
            "label": label,
            "url": _url(replace(found, view=key, sort=sorting.settled(key, found.sort))),
            "count": counting.told(counts[key]),
            "key": key,
            "current": key == found.view,
            "tone": tone,
        }
        for key, label, tone in labels
    ]
    processes = [{"value": key, "label": name} for key, name in queries.processes(session)]
    return {
        "summary": _(
            "共 %(all)s 件：在办 %(running)s 件，有超期 %(overdue)s 件，有异常 %(incidents)s 件。",
            all=counting.told(counts["all"]),
            running=counting.told(counts["running"]),
            overdue=counting.told(counts["overdue"]),
            incidents=counting.told(counts["incidents"]),
        ),
        "groups": [{"title": _("案件"), "views": views}],
        "live_url": url_for("monitor.counts") + "?" + urlencode({"process": found.process, "q": found.words}),
        "query": found.words,
        "filter_fields": {"view": found.view, "sort": found.sort},
        "filters": [{"name": "process", "label": _("全部流程"), "value": found.process, "options": processes}],
        "columns": {key: _column(found, key) for key in sorting.SORTS},
        "rows": [presenting.list_row(row, now) for row in rows[: queries.PAGE]],
        "page": _pager(found, number, rows, counts[found.view]),
        "total": counting.told(counts[found.view]),
        "export_urls": {kind: _url(found, "monitor.export", kind=kind) for kind in ("csv", "xlsx")},
        "empty": _empty(actor, found, counts["all"]),
    }


def _empty(actor: Actor, found: queries.Filter, everywhere: int) -> Shape:
    told: Shape = {"title": _("没有案件"), "words": _("此视图下没有符合条件的案件。请换一个视图或清除筛选。")}
    if everywhere:
        label = _("查看全部 %(n)s 件", n=counting.told(everywhere))
        return told | {"action_label": label, "action_url": _url(replace(found, view="all"))}
    return told | nav.register_search(actor.roles, found.words)


def _column(found: queries.Filter, key: str) -> Shape:
    if key not in sorting.offered(found.view):
        return {"url": "", "sorted": ""}
    mine = found.sort.lstrip("-") == key
    descending = found.sort.startswith("-")
    following = key if mine and descending else f"-{key}"
    return {
        "url": _url(replace(found, sort=following)),
        "sorted": ("descending" if descending else "ascending") if mine else "",
    }


def _pager(found: queries.Filter, number: int, rows: Sequence[Any], total: int) -> Shape:
    first, shown = (number - 1) * queries.PAGE + 1, min(len(rows), queries.PAGE)
    return {
        "first": first if shown else 0,
        "last": first + shown - 1 if shown else 0,
        "total": counting.told(total),
        "pages": [],
        "previous_url": _url(found, page=number - 1) if number > 1 else None,
        "next_url": _url(found, page=number + 1) if len(rows) > queries.PAGE else None,
    }


def table(session: Session, actor: Actor, args: Mapping[str, str]) -> tuple[list[str], list[list[Any]]]:
    """The export of the list as it is filtered: column heads and rows. Errors: Invalid when there are too many."""
    found, now = wanted(args), clock.now()
    rows = queries.instances(session, actor, found, now, size=EXPORT_LIMIT + 1)
    if len(rows) > EXPORT_LIMIT:
        raise Invalid(_("符合条件的案件超过 %(n)s 件，请缩小筛选范围后再导出。", n=EXPORT_LIMIT))
    heads = [
        _("编号"),
        _("事项"),
        _("流程"),
        _("所处阶段"),
        _("所在环节"),
        _("牵引单位"),
        _("发起"),
        _("办结"),
        _("状态"),
        _("异常"),
    ]
    return heads, [
        [
            row.business_key,
            row.title,
            row.definition_name,
            presenting.stage_label(row),
            presenting.where(row),
            row.organisation,
            row.started_at,
            row.ended_at,
            presenting.state(row)[0],
            row.incidents,
        ]
        for row in rows
    ]


def head(row: Any, tasks: Sequence[Any], now: datetime) -> Shape:
    """The head of an instance's page."""
    word, tone = presenting.state(row)
    holders = sorted({task.assignee for task in tasks if task.assignee})
    due = next((task.due_at for task in tasks if task.due_at), None)
    facts: list[Shape] = [
        {"label": _("流程"), "value": _("%(name)s 第 %(n)s 版", name=row.definition_name, n=row.definition_version)},
        {"label": _("牵引单位"), "value": row.organisation or _("无")},
        {"label": _("发起"), "value": row.starter or _("系统"), "note": presenting.moment(row.started_at)},
        {"label": _("在办"), "value": "、".join(holders) or (_("待签收") if tasks else _("无"))},
    ]
    if due:
        facts.append({"label": _("最近时限"), "due": deadlines.tell(due, now)})
    if row.ended_at:
        facts.append({"label": _("结束"), "value": presenting.moment(row.ended_at), "note": row.end_reason or ""})
    return {
        "number": row.business_key or "",
        "title": row.title or row.definition_name,
        "badges": [{"word": word, "tone": tone}],
        "trail": [
            {"label": _("案件"), "url": url_for("monitor.instances")},
            {"label": row.business_key or row.definition_name},
        ],
        "facts": facts,
        "stages": presenting.stages(row),
    }


def incident(found: Any) -> Shape:
    """One open incident."""
    return {
        "title": found.element_id or found.kind,
        "words": found.message,
        "retry_confirm": f"retry-{found.id}",
        "similar": 0,
        "id": found.id,
    }


def related(other: Any) -> Shape:
    """One other instance of the same case."""
    return {
        "label": other.title or other.name,
        "url": url_for("monitor.instance", instance_id=other.id),
        "state": presenting.state(other)[0],
        "note": other.business_key or other.name,
    }


def operations(row: Any, broken: Sequence[Any], *, allowed: bool) -> Shape:
    """The menu of operations and their dialogs, for those who may; nothing once the instance has ended."""
    if not allowed or row.status != "active":
        return {"operations": [], "dialogs": []}
    reason = {"name": "reason", "label": _("理由"), "note": _("必填，记入审计"), "value": "", "error": ""}

    def dialog(id: str, title: str, effects: list[str], action: str, url: str, danger: bool = False) -> Shape:
        shape = {"id": id, "title": title, "effects": effects, "action": action, "url": url, "reason": reason}
        return shape | {"danger": danger, "name": "", "value": "", "typed": _("终止") if danger else ""}

    def address(operation: str) -> str:
        return url_for("monitor.operate", instance_id=row.id, operation=operation)

    pause = "resume" if row.suspended else "suspend"
    labels = {"resume": _("恢复办理"), "suspend": _("挂起")}
    effects = {
        "resume": _("时限、作业和任务继续。"),
        "suspend": _("在恢复之前，任务不能办理，时限和作业不会触发。"),
    }
    dialogs = [
        dialog(pause, _("%(action)s本案", action=labels[pause]), [effects[pause]], labels[pause], address(pause)),
        dialog(
            "cancel",
            _("终止本案"),
            [_("本案及其调用的子案立即结束，%(n)s 处在办环节撤销。", n=len(row.tokens or ())), _("终止后不能恢复。")],
            _("终止"),
            address("cancel"),
            danger=True,
        ),
    ]
    for found in broken:
        url = url_for("monitor.retry", instance_id=row.id, incident_id=found.id)
        dialogs.append(dialog(f"retry-{found.id}", _("重试"), [_("从停下的环节继续。")], _("重试"), url))
    items = [
        {"label": _("移动、改派、更正…"), "url": url_for("monitor.operation", instance_id=row.id)},
        {"label": labels[pause] + "…", "confirm": pause},
        {"label": _("终止…"), "confirm": "cancel", "danger": True},
    ]
    return {"operations": [{"group": _("本案"), "items": items}], "dialogs": dialogs}
