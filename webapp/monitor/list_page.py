"""The list of instances: what its template takes, made from the address; and its export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import url_for
from sqlalchemy.orm import Session

from webapp import clock, nav
from webapp.engine.handler_api import Actor
from webapp.i18n import _
from webapp.monitor import counting, filters, list_columns, list_options, queries, saved_views, sorting
from webapp.monitor.filters import Filter

Shape = dict[str, Any]
#: Parameters of the list's address beside the filter.
COLUMNS = "columns"
#: What of a filter has no field on the page; the form carries it along.
_UNSEEN = ("view", "sort", COLUMNS, "at", "broken", "longer", "again", "off", "variant")


def wanted(args: Mapping[str, str]) -> Filter:
    """The filter that an address says; what it does not know falls back to what is usual."""
    found = filters.read(args, tuple(sorting.SORTS))
    return replace(found, sort=sorting.settled(found.view, found.sort))


def address(filter: Filter, columns: str = "", endpoint: str = "monitor.instances", **more: Any) -> str:
    """The address of the list (or of its export, its counts) with this filter."""
    query = {**filters.write(filter), **({COLUMNS: columns} if columns else {}), **more}
    return url_for(endpoint, **{key: value for key, value in query.items() if value})


def clean(query: str) -> str:
    """The part of an address that makes a view, in a fixed order."""
    given = dict(parse_qsl(query.lstrip("?")))
    kept = filters.write(wanted(given))
    columns = ",".join(key for key in given.get(COLUMNS, "").split(",") if key)[:300]
    return urlencode({**kept, **({COLUMNS: columns} if columns else {})})


def _labels() -> list[tuple[str, str, str]]:
    return [
        ("running", _("在办"), ""),
        ("overdue", _("有超期"), "over"),
        ("today", _("今日到期"), "today"),
        ("incidents", _("有异常"), "over"),
        ("suspended", _("已挂起"), ""),
        ("done", _("已办结"), ""),
        ("ended", _("已终止"), ""),
        ("all", _("全部"), ""),
    ]


def page(session: Session, actor: Actor, args: Mapping[str, str]) -> Shape:
    """The context of `monitor/instances.html`. Errors: Invalid (a page mark that is none)."""
    found, now = wanted(args), clock.now()
    newest = list_options.latest(session)
    variables = list_options.variables(newest, found.process)
    columns = list_columns.shown(args.get(COLUMNS, ""), variables)
    chosen = ",".join(column.key for column in columns) if args.get(COLUMNS) else ""
    counts = queries.counts(session, actor, found, now)
    common = bool(found.words) and isinstance(counts[found.view], counting.Least)
    shown = queries.page(session, actor, found, now, args.get("page", ""), common=common)
    if common:  # what is shown is there, whatever was counted
        counts[found.view] = counting.Least(max(counts[found.view], shown.first + len(shown.rows) - 1))
    hidden = {**filters.write(found), **({COLUMNS: chosen} if chosen else {})}
    return {
        "summary": _(
            "共 %(all)s 件：在办 %(running)s 件，有超期 %(overdue)s 件，有异常 %(incidents)s 件。",
            all=counting.told(counts["all"]),
            running=counting.told(counts["running"]),
            overdue=counting.told(counts["overdue"]),
            incidents=counting.told(counts["incidents"]),
        ),
        "groups": _groups(session, actor, found, chosen, counts, clean(urlencode(dict(args)))),
        "live_url": address(found, endpoint="monitor.counts"),
        "query": found.words,
        "filter_fields": {key: hidden[key] for key in _UNSEEN if key in hidden},
        "filters": [
            {
                "name": "process",
                "label": _("全部流程"),
                "value": found.process,
                "options": [{"value": row.key, "label": row.name} for row in newest],
            }
        ],
        "more": _more(session, found, variables),
        "chips": _chips(session, found, chosen, newest),
        "choice": _choice(columns, variables),
        "choice_fields": {key: value for key, value in hidden.items() if key != COLUMNS},
        "columns": [_column(found, chosen, column) for column in columns],
        "rows": [_row(row, columns, now) for row in shown.rows],
        "page": _pager(found, chosen, shown, counts[found.view]),
        "total": counting.told(counts[found.view]),
        "export_urls": {kind: address(found, chosen, "monitor.export", kind=kind) for kind in ("csv", "xlsx")},
        "empty": _empty(actor, found, counts["all"]),
    }


def _groups(
    session: Session, actor: Actor, found: Filter, columns: str, counts: Mapping[str, int], here: str
) -> list[Shape]:
    kept = saved_views.visible(session, actor)
    views = [
        {
            "label": label,
            "url": address(replace(found, view=key, sort=sorting.settled(key, found.sort)), columns),
            "count": counting.told(counts[key]),
            "key": key,
            "current": key == found.view and not any(view.query == here for view in kept),
            "tone": tone if counts[key] else "",
        }
        for key, label, tone in _labels()
    ]
    own = [
        {
            "label": view.name if view.account_id == actor.id else _("%(name)s（共享）", name=view.name),
            "url": f"{url_for('monitor.instances')}?{view.query}",
            "count": "",
            "key": "",
            "current": bool(here) and view.query == here,
            "tone": "",
        }
        for view in kept
    ]
    keep = url_for("monitor.view_page", query=here or None)
    return [
        {"title": _("案件"), "views": views},
        {"title": _("我的视图"), "views": own, "add_url": keep, "add_label": _("存为视图")},
    ]


def _more(session: Session, found: Filter, variables: Sequence[str]) -> Shape:
    """The filters behind 更多筛选: fields by name, with what they offer; open when one of them is set."""

    def choice(name: str, label: str, options: Sequence[Mapping[str, str]]) -> Shape:
        value = getattr(found, name)
        return {"kind": "select", "name": name, "label": label, "options": options, "value": str(value or "")}

    def day(name: str, label: str) -> Shape:
        return {"kind": "date", "name": name, "label": label, "value": getattr(found, name) or ""}

    process = found.process
    fields = [
        choice("version", _("版本"), list_options.versions(session, process)),
        choice("element", _("现在停在"), list_options.elements(session, process, found.version)),
        {"kind": "number", "name": "waited", "label": _("停留超过（工作日）"), "value": found.waited or ""},
        choice("role", _("待办角色"), list_options.roles()),
        choice("person", _("经办人"), list_options.people(session, found)),
        choice("claimed", _("签收"), [{"value": "yes", "label": _("已签收")}, {"value": "no", "label": _("未签收")}]),
        choice("unit", _("单位"), list_options.units(session)),
        day("started_from", _("发起自")),
        day("started_to", _("发起至")),
        day("ended_from", _("办结自")),
        day("ended_to", _("办结至")),
        choice("passed", _("曾经过"), list_options.elements(session, process, found.version)),
        day("passed_from", _("经过自")),
        day("passed_to", _("经过至")),
        choice("variable", _("业务变量"), [{"value": name, "label": name} for name in variables]),
        {"kind": "text", "name": "value", "label": _("变量含有"), "value": found.value},
    ]
    needs_process = {"version", "element", "passed"}
    for field in fields:
        field["disabled"] = field["name"] in needs_process and not process
    return {"fields": fields, "open": any(str(field["value"] or "") for field in fields)}


def _chips(session: Session, found: Filter, columns: str, newest: Sequence[Any]) -> list[Shape]:
    """What the filter says besides view, words and process, each with the way to take it away."""

    def span(first: Any, last: Any) -> str:
        return _("%(a)s 至 %(b)s", a=first or "…", b=last or "…")

    told: list[tuple[str, str]] = []
    names = {
        option["value"]: option["label"]
        for option in list_options.elements(session, found.process, found.version)
        if found.element or found.passed or found.broken or found.again
    }
    if found.version is not None:
        told.append(("version", _("第 %(n)s 版", n=found.version)))
    if found.element:
        told.append(("element", _("停在“%(name)s”", name=names.get(found.element, found.element))))
        if found.waited is not None:
            told.append(("waited", _("超过 %(n)s 个工作日", n=found.waited)))
    if found.role:
        told.append(("role", _("待办角色：%(name)s", name=list_options.role_label(found.role))))
    if found.person:
        told.append(("person", _("经办人：%(name)s", name=list_options.person(session, found.person))))
    if found.claimed in {"yes", "no"}:
        told.append(("claimed", _("已签收") if found.claimed == "yes" else _("未签收")))
    if found.unit:
        names_of = {option["value"]: option["label"] for option in list_options.units(session)}
        told.append(("unit", names_of.get(str(found.unit), _("单位"))))
    if found.started_from or found.started_to:
        told.append(("started_from,started_to", _("发起 %(span)s", span=span(found.started_from, found.started_to))))
    if found.ended_from or found.ended_to:
        told.append(("ended_from,ended_to", _("办结 %(span)s", span=span(found.ended_from, found.ended_to))))
    if found.at:
        told.append(("at", _("%(day)s 当日终了时在办", day=found.at)))
    if found.passed:
        words = _("经过“%(name)s”", name=names.get(found.passed, found.passed))
        if found.passed_from or found.passed_to:
            words += " " + span(found.passed_from, found.passed_to)
        told.append(("passed,passed_from,passed_to", words))
    if found.variable and found.value:
        told.append(("variable,value", _("%(name)s 含有“%(value)s”", name=found.variable, value=found.value)))
    if found.broken:
        told.append(("broken", _("异常在“%(name)s”", name=names.get(found.broken, found.broken))))
    if found.longer is not None:
        told.append(("longer", _("用时超过 %(n)s 天", n=found.longer)))
    if found.again:
        told.append(("again", _("重复办理“%(name)s”", name=names.get(found.again, found.again))))
    if _off_words(found.off):
        told.append(("off", _off_words(found.off)))
    if found.variant:
        told.append(("variant", _("走同一路径")))
    empty = Filter()
    return [
        {
            "label": words,
            "url": address(replace(found, **{name: getattr(empty, name) for name in names.split(",")}), columns),
        }
        for names, words in told
    ]


def _off_words(off: str) -> str:
    told = {
        "moved": _("曾被移动环节"),
        "restarted": _("曾重新开始环节"),
        "migrated": _("曾换流程版本"),
        "returned": _("曾被退回或收回"),
        "foreign": _("办过本版流程没有的环节"),
    }
    return told.get(off, "")


def _choice(columns: Sequence[list_columns.Column], variables: Sequence[str]) -> list[Shape]:
    held = {column.key for column in columns}
    known = [*list_columns.COLUMNS.values(), *map(list_columns.variable, variables)]
    return [{"key": one.key, "label": str(one.label), "on": one.key in held} for one in known if one.key != "title"]


def _column(found: Filter, columns: str, column: list_columns.Column) -> Shape:
    shape = {"label": str(column.label), "kind": column.kind, "width": column.width, "url": "", "sorted": ""}
    if column.sort in sorting.offered(found.view):
        mine, falling = found.sort.lstrip("-") == column.sort, found.sort.startswith("-")
        following = column.sort if mine and falling else f"-{column.sort}"
        shape["url"] = address(replace(found, sort=following), columns)
        shape["sorted"] = ("descending" if falling else "ascending") if mine else ""
    return shape


def _row(row: Any, columns: Sequence[list_columns.Column], now: datetime) -> Shape:
    return {
        "id": str(row.id),
        "number": row.business_key or row.definition_name,
        "url": url_for("monitor.instance", instance_id=row.id),
        "cells": [{"kind": column.kind, "value": column.cell(row, now)} for column in columns],
    }


def _pager(found: Filter, columns: str, shown: queries.Page, total: int) -> Shape:
    def at(mark: str) -> str | None:
        return address(found, columns, page=mark) if mark else None

    return {
        "first": shown.first if shown.rows else 0,
        "last": shown.first + len(shown.rows) - 1 if shown.rows else 0,
        "total": counting.told(total),
        "pages": [],
        "previous_url": at(shown.previous),
        "next_url": at(shown.following),
    }


def _empty(actor: Actor, found: Filter, everywhere: int) -> Shape:
    told: Shape = {"title": _("没有案件"), "words": _("此视图下没有符合条件的案件。请换一个视图或清除筛选。")}
    if everywhere:
        label = _("查看全部 %(n)s 件", n=counting.told(everywhere))
        return told | {"action_label": label, "action_url": address(replace(found, view="all"))}
    return told | nav.register_search(actor.roles, found.words)


def heads(session: Session, args: Mapping[str, str]) -> tuple[list[str], list[list_columns.Column]]:
    """The head line of an export and its columns."""
    variables = list_options.variables(list_options.latest(session), wanted(args).process)
    columns = list_columns.exported(args.get(COLUMNS, ""), variables)
    return [str(head) for column in columns for head in column.heads], columns


def lines(
    session: Session, actor: Actor, args: Mapping[str, str], columns: Sequence[list_columns.Column], now: datetime
) -> Iterator[list[Any]]:
    """The lines of an export, exactly what the list holds in its order; read as they are written."""
    for row in queries.streamed(session, actor, wanted(args), now):
        yield [value for column in columns for value in column.plain(row)]
