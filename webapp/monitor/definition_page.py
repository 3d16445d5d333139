"""流程分析: the page of a process as its template takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from webapp.engine.handler_api import Actor
from webapp.i18n import _
from webapp.monitor import comparing, heat_page, list_options, mining
from webapp.monitor.list_page import address
from webapp.monitor.models import ProcessTarget
from webapp.monitor.overview_page import days
from webapp.monitor.study import PERIODS, Study, wanted

Shape = dict[str, Any]
_VARIANTS = 12


def page(session: Session, actor: Actor, key: str, args: Mapping[str, str]) -> Shape:
    """The context of `monitor/definition.html`. Errors: NotFound."""
    found = Study(session, wanted(args, key))
    scope, row = found.scope, found.row
    whole = mining.whole(session, scope)
    variants, ways = mining.variants(session, scope, _VARIANTS)
    target = session.get(ProcessTarget, key)
    return {
        "key": key,
        "name": row.name,
        "version": row.version,
        "summary": _summary(found, whole),
        "period": _periods(found),
        "first": scope.first,
        "last": scope.last,
        "versions": list_options.versions(session, key),
        "chosen_version": str(scope.version or ""),
        "hidden": {"metric": found.asked.metric, "compare": found.asked.compare},
        "metrics": heat_page.metrics(found),
        "flow": heat_page.flow(found),
        "scale": heat_page.scale(found.asked.metric),
        "bottlenecks": heat_page.bottlenecks(found),
        "trend": _trend(found),
        "variants": _variants(found, variants, whole),
        "ways": ways,
        "comparison": comparing.comparison(found, whole),
        "comparisons": comparing.comparisons(found),
        "conformance": comparing.conformance(found, actor),
        "operated": comparing.operated(found),
        "target": target.days if target else None,
        "whole": whole,
        "done_url": address(found.ended()),
        "running_url": address(replace(found.filter(), view="running")),
        "xes_url": found.at("definitions.xes_log"),
        "csv_url": found.at("definitions.bottlenecks"),
    }


def _summary(found: Study, whole: mining.Whole) -> str:
    if not whole.done and not found.heat:
        return _("期间内没有办理记录。")
    waited = sum(one.wait_sum for one in found.heat)
    every = mining.lengths(found.heat)
    steps = [one.element_id for one in found.heat if heat_page.step(one)]
    worst = [found.name(element) for element in steps if not heat_page.lawful(found, element)][:2]
    told = "" if whole.done else _("期间没有办结的案件。")
    told = told or _(
        "期间办结 %(done)s 件，中位用时 %(median)s 天，九成在 %(ninth)s 天内。",
        done=whole.done,
        median=days(whole.median),
        ninth=days(whole.ninth),
    )
    if not every or not worst:
        return told
    return told + _(
        "各环节合计时间中 %(share)s 是等待，最久的是%(names)s。",
        share=f"{waited / every:.0%}",
        names=_("与").join(f"“{name}”" for name in worst),
    )


def _periods(found: Study) -> list[Shape]:
    labels = {"30": _("近 30 天"), "quarter": _("本季度"), "84": _("近 12 周"), "365": _("近一年")}
    return [
        {
            "label": labels[key],
            "url": found.at(period=key),
            "on": key == found.asked.period,
        }
        for key in PERIODS
    ]


def _trend(found: Study) -> Shape:
    rows = mining.trend(found.session, found.scope)
    monthly = (found.scope.last - found.scope.first).days > 126
    labels = [_("%(m)s 月", m=day.month) if monthly else f"{day.month}/{day.day}" for day, *_rest in rows]
    series = [
        {"name": _("中位"), "tone": "brand", "values": [round(median, 2) for _d, _n, median, _p in rows]},
        {
            "name": _("九成内"),
            "tone": "warn",
            "dashed": True,
            "values": [round(ninth, 2) for _d, _n, _m, ninth in rows],
        },
    ]
    return {
        "chart": {"kind": "lines", "labels": labels, "unit": _("天"), "series": series},
        "columns": [_("月份") if monthly else _("周（起始日）"), _("办结"), _("中位（天）"), _("90 分位（天）")],
        "rows": [
            [{"text": label}, {"text": done}, {"text": days(median)}, {"text": days(ninth)}]
            for label, (_day, done, median, ninth) in zip(labels, rows, strict=True)
        ],
    }


def _variants(found: Study, variants: Sequence[mining.Variant], whole: mining.Whole) -> list[Shape]:
    shown = []
    for number, one in enumerate(variants):
        seen: set[str] = set()
        steps = []
        for step in one.steps:
            steps.append({"name": found.name(step), "again": step in seen})
            seen.add(step)
        returns = sum(bool(step["again"]) for step in steps)
        shown.append(
            {
                "label": _("路径 %(n)s", n=number + 1),
                "steps": steps,
                "cases": heat_page.cell(one.cases, replace(found.ended(), variant=one.key)),
                "share": f"{one.cases / whole.done:.0%}" if whole.done else "—",
                "part": one.cases,
                "median": days(one.median),
                "slower": comparing.slower(one.median - variants[0].median) if number else "—",
                "tone": "run" if not number else "fix" if returns else "new",
                "url": address(replace(found.ended(), variant=one.key)),
            }
        )
    return shown
