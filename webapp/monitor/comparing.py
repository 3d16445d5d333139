"""Two periods or versions of a process beside each other, and what happened that its model did not foresee."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from webapp.engine.handler_api import Actor
from webapp.i18n import _
from webapp.inbox.record import OPERATIONS
from webapp.monitor import heat_page, list_options, mining, queries
from webapp.monitor.filters import FOREIGN, OFF_MODEL
from webapp.monitor.overview_page import days
from webapp.monitor.study import Study

Shape = dict[str, Any]


def slower(by: float) -> str:
    if abs(by) < 0.05:
        return _("相同")
    return _("慢 %(n)s 天", n=days(by)) if by > 0 else _("快 %(n)s 天", n=days(-by))


def comparisons(found: Study) -> list[Shape]:
    known = [("", _("不比较")), ("before", _("前一个同样长的期间"))]
    known += [
        (one["value"], _("与%(version)s", version=one["label"]))
        for one in list_options.versions(found.session, found.scope.process)
    ]
    return [{"value": value, "label": label} for value, label in known]


def comparison(found: Study, whole: mining.Whole) -> Shape | None:
    """This scope beside another one, by element."""
    compare, scope = found.asked.compare, found.scope
    if not compare:
        return None
    other = mining.before(scope) if compare == "before" else replace(scope, version=int(compare))
    heat = {one.element_id: one for one in mining.heat(found.session, other)}
    mine = {one.element_id: one for one in found.heat if heat_page.step(one)}
    then = mining.whole(found.session, other)
    rows = []
    for element in [*mine, *(key for key, one in heat.items() if key not in mine and heat_page.step(one))]:
        here, there = mine.get(element), heat.get(element)
        rows.append(
            [
                found.name(element),
                there.cases if there else 0,
                here.cases if here else 0,
                days(there.wait) if there else "—",
                days(here.wait) if here else "—",
                _change(there.wait if there else None, here.wait if here else None),
                days(there.work) if there else "—",
                days(here.work) if here else "—",
                _change(there.work if there else None, here.work if here else None),
            ]
        )
    return {
        "other": _("%(a)s 至 %(b)s", a=other.first, b=other.last)
        if compare == "before"
        else _("第 %(n)s 版", n=compare),
        "rows": rows,
        "whole": [
            (_("办结（件）"), then.done, whole.done, ""),
            (_("平均（天）"), days(then.mean), days(whole.mean), _change(then.mean, whole.mean)),
            (_("中位（天）"), days(then.median), days(whole.median), _change(then.median, whole.median)),
            (_("90 分位（天）"), days(then.ninth), days(whole.ninth), _change(then.ninth, whole.ninth)),
        ],
    }


def _change(before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return ""
    return slower(after - before)


def conformance(found: Study, actor: Actor) -> list[Shape]:
    """What the model did not foresee, as cases, each with its list: of all cases of the process, old and new."""
    words = {
        "moved": _("环节被移动"),
        "restarted": _("环节被重新开始"),
        "migrated": _("换到另一版流程"),
        "returned": _("退回或收回"),
        FOREIGN: _("办过本版流程没有的环节"),
    }
    rows = []
    for key in [*OFF_MODEL, FOREIGN]:
        filter = found.filter(off=key)
        rows.append(
            {
                "label": words[key],
                "cases": heat_page.cell(queries.count(found.session, actor, filter, found.now), filter),
            }
        )
    ended = replace(found.filter(), view="ended")
    rows.append(
        {"label": _("提前终止"), "cases": heat_page.cell(queries.count(found.session, actor, ended, found.now), ended)}
    )
    return rows


def operated(found: Study) -> list[Shape]:
    return [
        {
            "what": str(OPERATIONS[one.action]) % {"name": found.name(one.target) if one.target else ""},
            "from": found.name(one.source) if one.source else "",
            "cases": one.cases,
        }
        for one in mining.operated(found.session, found.scope)
    ]
