"""The dashboard as its template takes it: figures with the list behind each, charts with their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy.orm import Session

from webapp import clock
from webapp.engine.handler_api import Actor, hooks
from webapp.i18n import _
from webapp.inbox import deadlines
from webapp.monitor import figures, list_options, presenting
from webapp.monitor.days import monday
from webapp.monitor.filters import Filter
from webapp.monitor.list_page import address

Shape = dict[str, Any]
#: Weeks that the page can look back on.
PERIODS = (4, 12, 52)
#: Lines of the lists of what needs a hand; people in the chart of loads.
_PRESSING, _PEOPLE = 4, 12


def wanted(args: Mapping[str, str]) -> tuple[int, str]:
    """(weeks, process key or "") of an address."""
    text = args.get("weeks", "")
    weeks = int(text) if text in {str(n) for n in PERIODS} else 12
    return weeks, args.get("process", "")[:200]


def page(session: Session, actor: Actor, args: Mapping[str, str]) -> Shape:
    """The context of `monitor/dashboard_body.html`."""
    weeks, process = wanted(args)
    now, today = clock.now(), clock.today()
    first = monday(today) - timedelta(days=7 * (weeks - 1))
    named = {row.key: row.name for row in list_options.latest(session)}
    process = process if process in named else ""
    standing = figures.standing(session, process, now)
    took = figures.durations(session, process, first, today)
    trend = figures.weeks(session, process, first, today)
    roles, people = figures.loads(session, process, now)
    ended = Filter(view="done", process=process, ended_from=first, ended_to=today)
    whole = _sum(standing)
    return {
        "summary": _summary(whole),
        "as_of": _("数据截至 %(at)s", at=deadlines.moment(now, now)),
        "tiles": _tiles(process, whole, took.get("", figures.Duration()), trend, ended),
        "trend": _trend(process, trend),
        "pressing": _pressing(session, process, named, whole),
        "processes": _processes(named, standing, took, figures.targets(session), ended),
        "load": _load(process, roles, people),
        "panels": [panel for make in hooks.overviews.values() if (panel := make(session, actor, now))],
        "period": [
            {"label": _period(n), "url": url_for("dashboard.page", weeks=n, process=process or None), "on": n == weeks}
            for n in PERIODS
        ],
        "weeks": weeks,
        "process": process,
        "options": [{"value": key, "label": name} for key, name in named.items()],
    }


def _period(weeks: int) -> str:
    return _("近一年") if weeks == 52 else _("近 %(n)s 周", n=weeks)


def _sum(standing: Mapping[str, figures.Standing]) -> figures.Standing:
    whole = figures.Standing()
    for one in standing.values():
        for name in figures.Standing.__slots__:
            setattr(whole, name, getattr(whole, name) + getattr(one, name))
    return whole


def _summary(whole: figures.Standing) -> str:
    return _(
        "在办 %(running)s 件，其中超期 %(overdue)s 件、今日到期 %(today)s 件、异常 %(incidents)s 件。",
        running=whole.running,
        overdue=whole.overdue,
        today=whole.today,
        incidents=whole.incidents,
    )


def days(value: float | None) -> str:
    """A length in days: `9.6`, below a tenth of a day `< 0.1`."""
    if value is None:
        return "—"
    return "< 0.1" if 0 < value < 0.05 else f"{value:.1f}"


def _tiles(
    process: str, whole: figures.Standing, took: figures.Duration, trend: Sequence[figures.Week], ended: Filter
) -> list[Shape]:
    base = Filter(process=process)
    week, before = trend[-1], trend[-2] if len(trend) > 1 else None
    change = week.running - before.running if before else 0
    told = _("比上周末多 %(n)s 件", n=change) if change > 0 else _("比上周末少 %(n)s 件", n=-change)
    share = f"{whole.overdue / whole.running:.0%}" if whole.running else "—"

    def tile(label: str, value: Any, filter: Filter, note: str, tone: str = "", unit: str = "") -> Shape:
        return {
            "label": label,
            "value": value,
            "unit": unit or _("件"),
            "url": address(filter),
            "note": note,
            "tone": tone if value else "",
        }

    done = replace(ended, ended_from=week.begins, ended_to=week.begins + timedelta(days=6))
    return [
        tile(_("在办"), whole.running, base, told if change else _("与上周末持平"))
        | {"spark": spark([one.running for one in trend])},
        tile(_("已超期"), whole.overdue, replace(base, view="overdue"), _("占在办 %(share)s", share=share), "bad"),
        tile(_("今日到期"), whole.today, replace(base, view="today"), _("今日 24:00 前"), "warn"),
        tile(
            _("异常"),
            whole.incidents,
            replace(base, view="incidents"),
            _("另有挂起 %(n)s 件", n=whole.suspended) if whole.suspended else _("没有挂起的案件"),
            "bad",
        ),
        tile(_("本周办结"), week.done, done, _("上周 %(n)s 件", n=before.done if before else 0))
        | {"spark": spark([one.done for one in trend])},
        tile(
            _("平均用时"),
            days(took.mean),
            ended,
            _("中位 %(median)s 天，九成在 %(ninth)s 天内", median=days(took.median), ninth=days(took.ninth)),
            unit=_("天"),
        ),
    ]


def spark(values: Sequence[float]) -> str:
    """The points of a small line, 92 by 28, oldest first."""
    low, high = min(values), max(values)
    room = (high - low) or 1
    step = 84 / max(1, len(values) - 1)
    return " ".join(f"{4 + n * step:.1f},{24 - (value - low) / room * 20:.1f}" for n, value in enumerate(values))


def _day(on: date) -> str:
    return f"{on.month}/{on.day}"


def _series(name: str, tone: str, values: Sequence[float], urls: Sequence[str]) -> Shape:
    return {"name": name, "tone": tone, "values": list(values), "urls": list(urls)}


def _trend(process: str, trend: Sequence[figures.Week]) -> Shape:
    rows, urls = [], []
    for week in trend:
        last = week.begins + timedelta(days=6)
        base = Filter(view="all", process=process)
        begun = address(replace(base, started_from=week.begins, started_to=last))
        done = address(replace(base, view="done", ended_from=week.begins, ended_to=last))
        running = address(replace(base, at=last))
        urls.append((begun, done, running))
        rows.append(
            [
                {"text": _("%(day)s 起", day=_day(week.begins))},
                {"text": week.started, "url": begun},
                {"text": week.done, "url": done},
                {"text": f"{week.started - week.done:+d}"},
                {"text": week.running, "url": running},
            ]
        )
    return {
        "chart": {
            "kind": "weeks",
            "labels": [_day(week.begins) for week in trend],
            "unit": _("件"),
            "series": [
                _series(_("发起"), "soft", [week.started for week in trend], [one[0] for one in urls]),
                _series(_("办结"), "brand", [week.done for week in trend], [one[1] for one in urls]),
                _series(_("周末在办"), "warn", [week.running for week in trend], [one[2] for one in urls]),
            ],
        },
        "columns": [_("周（起始日）"), _("发起"), _("办结"), _("净增"), _("周末在办")],
        "rows": rows,
        "note": _("末周截至今日。"),
    }


def _told(one: Any, named: Mapping[str, str]) -> str:
    name, since = named.get(one.definition_key, ""), presenting.moment(one.since)
    return _("%(n)s 件 · %(process)s · %(at)s 起", n=one.cases, process=name, at=since)


def _pressing(session: Session, process: str, named: Mapping[str, str], whole: figures.Standing) -> Shape:
    now = clock.now()
    broken = [
        {
            "title": one.message,
            "meta": _(
                "%(n)s 件 · %(process)s · %(at)s 起",
                n=one.cases,
                process=named.get(one.definition_key, ""),
                at=presenting.moment(one.since),
            ),
            "url": address(Filter(view="incidents", process=one.definition_key, broken=one.element_id or "")),
        }
        for one in figures.incidents(session, process, _PRESSING)
    ]
    late = [
        {
            "title": one.title or one.name,
            "meta": "・".join(part for part in (one.name, one.holder or _("未签收")) if part),
            "url": url_for("monitor.instance", instance_id=one.instance_id),
            "due": deadlines.tell(one.due_at, now),
        }
        for one in figures.latest(session, process, now, 2 * _PRESSING - len(broken))
    ]
    return {
        "broken": broken,
        "late": late,
        "links": [
            {
                "label": _("全部异常 %(n)s 件", n=whole.incidents),
                "url": address(Filter(view="incidents", process=process)),
            },
            {"label": _("全部超期 %(n)s 件", n=whole.overdue), "url": address(Filter(view="overdue", process=process))},
        ],
    }


def _processes(
    named: Mapping[str, str],
    standing: Mapping[str, figures.Standing],
    took: Mapping[str, figures.Duration],
    targets: Mapping[str, int],
    ended: Filter,
) -> list[Shape]:
    none, untimed = figures.Standing(), figures.Duration()
    most = max((one.running for one in standing.values()), default=0) or 1
    rows = []
    for key, name in named.items():
        now, length = standing.get(key, none), took.get(key, untimed)
        if not (now.running or now.suspended or now.overdue or now.incidents or length.done):
            continue
        base = Filter(process=key)
        done = replace(ended, process=key)
        target = targets.get(key)
        rows.append(
            {
                "name": name,
                "url": url_for("definitions.page", key=key),
                "running": {"text": now.running, "url": address(base)},
                "bar": [
                    ("over", 100 * now.overdue / most),
                    ("today", 100 * now.today / most),
                    ("rest", 100 * max(0, now.running - now.overdue - now.today) / most),
                ],
                "overdue": {"text": now.overdue, "url": address(replace(base, view="overdue"))},
                "today": {"text": now.today, "url": address(replace(base, view="today"))},
                "incidents": {"text": now.incidents, "url": address(replace(base, view="incidents"))},
                "done": {"text": length.done, "url": address(done)},
                "mean": days(length.mean),
                "median": days(length.median),
                "ninth": days(length.ninth),
                "target": _("%(n)s 天", n=target) if target is not None else "",
                "slow": {"text": length.slow or 0, "url": address(replace(done, longer=target))} if target else None,
            }
        )
    return sorted(rows, key=lambda row: -row["running"]["text"])


def _load(process: str, roles: Sequence[figures.Load], people: Sequence[figures.Load]) -> Shape:
    def filter_of(kind: str, load: figures.Load) -> Filter:
        base = Filter(view="all", process=process)
        return replace(base, role=load.key) if kind == "role" else replace(base, person=UUID(load.key))

    def rows(kind: str, loads: Sequence[figures.Load]) -> list[list[Shape]]:
        found: list[list[Shape]] = []
        for load in loads:
            filter = filter_of(kind, load)
            name = list_options.role_label(load.key) if kind == "role" else load.name
            found.append(
                [
                    {"text": name},
                    {"text": load.overdue, "url": address(replace(filter, view="overdue"))},
                    {"text": load.unclaimed, "url": address(replace(filter, claimed="no"))}
                    if kind == "role"
                    else {"text": ""},
                    {"text": load.cases, "url": address(filter)},
                ]
            )
        return found

    def chart(kind: str, loads: Sequence[figures.Load]) -> Shape:
        names = [list_options.role_label(load.key) if kind == "role" else load.name for load in loads]
        over = [address(replace(filter_of(kind, load), view="overdue")) for load in loads]
        every = [address(filter_of(kind, load)) for load in loads]
        return {
            "kind": "bars",
            "labels": names,
            "unit": _("件"),
            "series": [
                _series(_("超期"), "bad", [load.overdue for load in loads], over),
                _series(_("时限内"), "soft", [load.cases - load.overdue for load in loads], every),
            ],
            "totals": [load.cases for load in loads],
        }

    return {
        "roles": {"chart": chart("role", roles), "rows": rows("role", roles)},
        "people": {"chart": chart("person", people[:_PEOPLE]), "rows": rows("person", people)},
        "columns": [_("角色或人员"), _("超期"), _("未签收"), _("合计")],
    }
