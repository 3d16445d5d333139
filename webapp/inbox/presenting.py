"""The list of tasks as its template wants it: views with counts, rows, pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from flask import url_for
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from webapp import clock, nav
from webapp.engine.handler_api import Actor
from webapp.engine.tables import process_definition
from webapp.errors import Invalid
from webapp.i18n import _, language
from webapp.inbox import deadlines, personal, queries
from webapp.inbox.four_eyes import kept_for_others
from webapp.inbox.queries import Counts, Filter
from webapp.inbox.starting import startable
from webapp.inbox.task_form import element_of
from webapp.inbox.visibility import people
from webapp.standing import service as standing


def wanted(args: Mapping[str, str]) -> Filter:
    """The filter of an address. Errors: Invalid."""
    unit = args.get("unit", "")
    try:
        unit_id = UUID(unit) if unit else None
    except ValueError as error:
        raise Invalid(_("没有这家单位。")) from error
    return Filter(
        view=args.get("view") or "all",
        process=args.get("process", "")[:100],
        words=args.get("q", "")[:100],
        unit=unit_id,
        descending=args.get("order") == "descending",
        cursor=args.get("page", ""),
    )


def address(args: Mapping[str, str], **changes: str | None) -> str:
    """The list's address with some parameters changed; the page mark never survives a change of filter."""
    kept = {name: args.get(name) for name in personal.VIEW_PARAMETERS}
    query = urlencode({name: value for name, value in {**kept, **changes}.items() if value})
    return url_for("inbox.index") + (f"?{query}" if query else "")


def page(session: Session, actor: Actor, args: Mapping[str, str]) -> dict[str, Any]:
    """The context of `inbox/list.html`."""
    filter = wanted(args)
    found = queries.tasks(session, actor, filter)
    views = personal.saved_views(session, actor)
    counts = queries.counts(session, actor, _saved(views))
    names = process_names(session)
    total = _total(counts, filter, found)
    return {
        "summary": summary(session, actor, counts),
        "start_options": [
            {"label": one.name, "url": url_for("inbox.start_page", key=one.key), "note": ""}
            for one in startable(session, actor)
        ],
        "groups": groups(args, filter, counts, names, views) + _stood_in(session, actor),
        "live_url": url_for("inbox.counts"),
        "query": filter.words,
        "filters": [],
        "filter_fields": {name: args[name] for name in ("view", "process", "unit", "order") if args.get(name)},
        "columns": _columns(args, filter),
        "rows": rows(session, actor, found.rows),
        "page": _pager(args, found, total),
        "total": total,
        "all_url": "",
        "bulk_url": url_for("inbox.bulk"),
        "transfer_people": transfer_people(session, actor),
        "empty": _empty(actor, filter),
    }


def _saved(views: Sequence[Any]) -> dict[str, Filter]:
    found = {}
    for view in views:
        try:
            found[f"saved-{view.id}"] = wanted(dict(parse_qsl(view.query)))
        except Invalid:
            continue
    return found


def _total(counts: Counts, filter: Filter, found: queries.Page) -> str | int:
    """How many the list holds in all, where it is known without counting again."""
    if not (filter.process or filter.words or filter.unit):
        return counts.words(counts.views[filter.view])
    if filter.process and filter.view == "all" and not (filter.words or filter.unit):
        return counts.process(filter.process)
    last = found.first + len(found.rows) - 1
    return f"{last}+" if found.following else last if found.rows else 0


def summary(session: Session, actor: Actor, counts: Counts) -> str:
    """One sentence of state under the title."""
    n = {view: counts.words(count) for view, count in counts.views.items()}
    parts = [_("超期 %(n)s 件", n=n["overdue"])] if counts.views["overdue"] else []
    if counts.views["today"]:
        parts.append(_("今日到期 %(n)s 件", n=n["today"]))
    if counts.views["unclaimed"]:
        parts.append(_("待签收 %(n)s 件", n=n["unclaimed"]))
    told = (
        _("共 %(n)s 件：%(parts)s。", n=n["all"], parts=_("、").join(parts))
        if parts
        else _("共 %(n)s 件。", n=n["all"])
    )
    done = queries.done_this_week(session, actor)
    return told + (" " if language() == "en" else "") + (_("本周已办结 %(n)s 件。", n=done) if done else "")


def _stood_in(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """The way to the tasks of those for whom this person stands in today."""
    found = [
        {
            "label": _("代%(name)s", name=one.name),
            "url": url_for("standing.index", _anchor=f"for-{one.id}"),
            "count": "",
            "key": "",
            "current": False,
            "tone": "",
        }
        for one in standing.principals(session, actor.id)
    ]
    return [{"title": _("代理"), "views": found}] if found else []


def groups(
    args: Mapping[str, str], filter: Filter, counts: Counts, names: Mapping[str, str], views: Sequence[Any]
) -> list[dict[str, Any]]:
    """The views at the left: by state, by process, one's own."""
    labels = {"all": _("全部待办"), "unclaimed": _("待我签收"), "mine": _("我在办"), "overdue": _("已超期")}
    labels["today"] = _("今日到期")
    plain = not (filter.process or filter.words or filter.unit)
    here = personal.clean_query(urlencode(dict(args)))
    state = [
        {
            "label": label,
            "url": url_for("inbox.index", view=view if view != "all" else None),
            "count": counts.words(counts.views[view]),
            "key": "open" if view == "all" else view,
            "current": plain and filter.view == view and not any(view_.query == here for view_ in views if here),
            "tone": {"overdue": "over", "today": "today"}.get(view, "") if counts.views[view] else "",
        }
        for view, label in labels.items()
    ]
    by_process = [
        {
            "label": names.get(key, key),
            "url": url_for("inbox.index", process=key),
            "count": counts.process(key),
            "key": f"process-{key}",
            "current": filter.process == key,
            "tone": "",
        }
        for key in sorted(counts.processes, key=lambda key: -counts.processes[key])
    ]
    own = [
        {
            "label": view.name,
            "url": f"{url_for('inbox.index')}?{view.query}",
            "count": counts.words(counts.views.get(f"saved-{view.id}", 0)),
            "key": f"saved-{view.id}",
            "current": bool(here) and view.query == here,
            "tone": "",
        }
        for view in views
    ]
    found = [{"title": _("待办"), "views": state}]
    if by_process:
        found.append({"title": _("按流程"), "views": by_process})
    keep = url_for("inbox.view_page", query=here) if here else url_for("inbox.view_page")
    found.append({"title": _("我的视图"), "views": own, "add_url": keep, "add_label": _("存为视图")})
    mine = [(_("我办过的"), "inbox.done"), (_("我发起的"), "inbox.started"), (_("常用意见"), "inbox.phrase_page")]
    links = [{"label": label, "url": url_for(at), "count": "", "key": "", "current": False} for label, at in mine]
    found.append({"title": _("我的记录"), "views": links})
    return found


def live(session: Session, actor: Actor) -> dict[str, str]:
    """The counts by their keys on the page."""
    counts = queries.counts(session, actor, _saved(personal.saved_views(session, actor)))
    found = {("open" if key == "all" else key): counts.words(n) for key, n in counts.views.items()}
    return found | {f"process-{key}": counts.process(key) for key in counts.processes}


def process_names(session: Session) -> dict[str, str]:
    """Names of processes by key, of their newest versions."""
    d = process_definition.c
    statement = select(d.key, d.name).ext(distinct_on(d.key)).order_by(d.key, d.version.desc())
    return {row.key: row.name for row in session.execute(statement)}


def rows(session: Session, actor: Actor, found: Sequence[Any]) -> list[dict[str, Any]]:
    """The rows of the table."""
    now = clock.now()
    units = queries.organisations(session, [row.case_org_id for row in found])
    elements = {row.id: element_of(session, row) for row in found}
    others = kept_for_others(session, actor, found, elements)
    shown = []
    for row in found:
        state, tone = ("办理中", "run") if row.assignee_id else ("未签收", "new")
        if row.assignee_id is None and elements[row.id].not_same_as:
            state, tone = ("待他人复核" if row.id in others else "待复核"), "new"
        shown.append(
            {
                "id": str(row.id),
                "url": url_for("inbox.task", task_id=row.id),
                "title": row.title or row.name,
                "number": row.business_key or "",
                "step": row.name,
                "clause": "、".join(_("第 %(n)s 条", n=n) for n in row.clauses),
                "unit": units.get(row.case_org_id, ""),
                "due": deadlines.tell(row.due_at, now, provisional=row.due_provisional),
                "state": state,
                "state_tone": tone,
                "claim_url": url_for("inbox.claim", task_id=row.id)
                if row.assignee_id is None and row.id not in others
                else None,
                "for_others": row.id in others,
            }
        )
    return shown


def _columns(args: Mapping[str, str], filter: Filter) -> dict[str, dict[str, str]]:
    sorted_by = "descending" if filter.descending else "ascending"
    other = None if filter.descending else "descending"
    return {"due": {"url": address(args, order=other), "sorted": sorted_by}}


def _pager(args: Mapping[str, str], found: queries.Page, total: str | int) -> dict[str, Any]:
    def at(mark: str | None) -> str | None:
        return address(args, page=mark) if mark else None

    last = found.first + len(found.rows) - 1
    return {
        "first": found.first,
        "last": last,
        "total": total or (last if found.rows else 0),
        "pages": [],
        "previous_url": at(found.previous),
        "next_url": at(found.following),
    }


def transfer_people(session: Session, actor: Actor, roles: Sequence[str] | None = None) -> list[dict[str, str]]:
    """Whom a task may be given to: holders of its roles, of one's own organisation where the role is bound to it."""
    found = people(session, list(roles if roles is not None else sorted(actor.roles)))
    inside = personal.is_inside(actor)
    return [
        {"value": str(person.id), "label": f"{person.name}（{person.organisation_name or person.username}）"}
        for person in found
        if person.id != actor.id and (inside or person.organisation_id == actor.organisation_id)
    ]


def _empty(actor: Actor, filter: Filter) -> dict[str, str]:
    if filter.words or filter.process or filter.unit:
        back = {"action_label": _("查看全部待办"), "action_url": url_for("inbox.index")}
        told = {"title": _("没有符合条件的待办"), "words": _("换一个词查找，或查看全部待办。"), **back}
        return told | nav.register_search(actor.roles, filter.words)
    titles = {
        "overdue": _("没有超期的事项"),
        "today": _("今日没有到期的事项"),
        "unclaimed": _("没有待签收的事项"),
        "mine": _("您还没有签收事项"),
    }
    words = _("需要您办理的事项会出现在这里，最急的排在最前。")
    return {"title": titles.get(filter.view, _("没有待办")), "words": words}
