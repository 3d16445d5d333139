"""The heat map and the table of bottlenecks of a process."""

from __future__ import annotations

from typing import Any

from flask import url_for

from webapp.i18n import _
from webapp.monitor import list_options, mining
from webapp.monitor.filters import Filter
from webapp.monitor.list_page import address
from webapp.monitor.overview_page import days
from webapp.monitor.study import Study

Shape = dict[str, Any]
#: Upper ends of the steps of the heat of days.
_DAYS = (0.5, 1.0, 2.0, 4.0)


def lawful(found: Study, element: str) -> bool:
    """A period that the law sets: nobody can shorten it."""
    one = found.row.elements.get(element) or {}
    return bool(one.get("law")) and one.get("type") in {"intermediateCatchEvent", "boundaryEvent"}


def metric_words() -> dict[str, str]:
    """What the heat map can show."""
    return {
        "wait": _("等待"),
        "work": _("办理"),
        "count": _("件数"),
        "again": _("返工"),
        "now": _("现停"),
    }


def metrics(found: Study) -> list[Shape]:
    return [
        {"label": label, "url": found.at(metric=key) + "#heat", "on": key == found.asked.metric}
        for key, label in metric_words().items()
    ]


def flow(found: Study) -> Shape:
    """The diagram's state: heat, figures and where each element leads."""
    metric = found.asked.metric
    values: dict[str, float] = {}
    links: dict[str, str] = {}
    if metric == "now":
        for element, one in found.standing.items():
            values[element] = one.cases
            links[element] = address(found.filter(element=element))
    for heat in found.heat:
        if metric in {"wait", "work"}:
            if heat.element_type.endswith("Gateway") or heat.element_type in {"startEvent", "endEvent"}:
                continue
            values[heat.element_id] = heat.wait if metric == "wait" else heat.work
        elif metric == "count":
            values[heat.element_id] = heat.cases
        elif metric == "again" and heat.again:
            values[heat.element_id] = heat.again
            links[heat.element_id] = address(found.repeated(heat.element_id))
        if metric not in {"again", "now"}:
            links[heat.element_id] = address(found.through(heat.element_id))
    timed = metric in {"wait", "work"}
    shown = {key: value for key, value in values.items() if value >= (0.05 if timed else 1)}
    tasks = {key: value for key, value in shown.items() if _coloured(found, key)}
    most = max(tasks.values(), default=0)
    heat_of = {key: _level(value) if timed else _share(value, most) for key, value in tasks.items()}
    words = {
        key: _("%(n)s 天", n=days(value)) if timed else _("%(n)s 件", n=int(value)) for key, value in shown.items()
    }
    law = {key: "" for key in shown if lawful(found, key)}
    return {
        "xml_url": url_for("definitions.diagram", key=found.scope.process, version=found.row.version),
        "state": {"heat": heat_of, "counts": words, "links": links, "clauses": {key: _("法定") for key in law}},
        "summary": metric_words()[metric],
    }


def _coloured(found: Study, element: str) -> bool:
    kind = str((found.row.elements.get(element) or {}).get("type", ""))
    return not kind.endswith(("Gateway", "Event")) or (kind == "intermediateCatchEvent" and not lawful(found, element))


def _level(value: float) -> int:
    return 1 + sum(value >= end for end in _DAYS)


def _share(value: float, most: float) -> int:
    return 1 + min(4, int(5 * value / most)) if most else 1


def scale(metric: str) -> list[str]:
    if metric in {"wait", "work"}:
        return ["< 0.5", "0.5–1", "1–2", "2–4", "≥ 4"]
    return ["≤ 20%", "≤ 40%", "≤ 60%", "≤ 80%", _("最多")]


def _role(found: Study, element: str) -> str:
    role = (found.row.elements.get(element) or {}).get("role")
    return list_options.role_label(role) if role else _("系统")


def bottlenecks(found: Study) -> list[Shape]:
    every = mining.lengths(found.heat) or 1
    known = {one.element_id: one for one in found.heat}
    rows = []
    for element in [*known, *(key for key in found.standing if key not in known)]:
        one, now = known.get(element), found.standing.get(element)
        if one is not None and not now and not step(one):
            continue
        rows.append(
            {
                "name": found.name(element),
                "role": _role(found, element),
                "level": _level(one.wait) if one else 0,
                "lawful": lawful(found, element),
                "cases": cell(one.cases if one else 0, found.through(element)),
                "count": one.count if one else 0,
                "wait": days(one.wait) if one else "—",
                "ninth": days(one.wait_ninth) if one else "—",
                "work": days(one.work) if one else "—",
                "again": cell(one.again if one else 0, found.repeated(element)),
                "now": cell(now.cases if now else 0, found.filter(element=element)),
                "stuck": cell(now.stuck if now else 0, found.filter(element=element, waited=mining.STUCK)),
                "share": f"{(one.wait_sum + one.work_sum) / every:.0%}" if one else "—",
                "width": 100 * (one.wait_sum + one.work_sum) / every if one else 0,
            }
        )
    return rows


def step(one: mining.Heat) -> bool:
    """Whether the table tells it: what people or systems do or wait for, not the gates between."""
    return not one.element_type.endswith("Gateway") and one.element_type not in {
        "startEvent", "endEvent", "subProcess", "intermediateThrowEvent",
    }  # fmt: skip


def cell(count: int, filter: Filter) -> Shape:
    return {"text": count, "url": address(filter)}
