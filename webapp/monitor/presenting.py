"""What managers read about instances: rows turned into the words, tones and shapes of the templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from webapp import clock
from webapp.clock import BEIJING
from webapp.engine import queries as engine_queries
from webapp.i18n import _
from webapp.inbox import deadlines
from webapp.inbox import record as case_record

Shape = dict[str, Any]

#: BPMN types that people recognise as a step; the rest of the path is drawn, not told.
TOLD = {"userTask", "serviceTask", "receiveTask", "sendTask", "callActivity", "scriptTask", "businessRuleTask"}
TOLD_EVENTS = {"boundaryEvent", "intermediateCatchEvent", "startEvent", "endEvent"}


def state(row: Any) -> tuple[str, str]:
    """(word, tone) of an instance's state."""
    if row.status == "active":
        return (_("已挂起"), "fix") if row.suspended else (_("办理中"), "run")
    return {
        "completed": (_("已办结"), "done"),
        "cancelled": (_("已终止"), "end"),
        "terminated": (_("已终止"), "end"),
        "failed": (_("异常"), "bad"),
    }[str(row.status)]


def moment(at: datetime | None) -> str:
    """`11 月 24 日 10:16`, with the year when it is not this one."""
    return deadlines.moment(at, clock.now()) if at else ""


def day(at: datetime) -> str:
    """The Beijing day of an instant: `11 月 24 日`."""
    return deadlines.short_date(at.astimezone(BEIJING).date(), clock.today())


def value(content: Any) -> str:
    """A variable's value in words, short enough for a table cell."""
    if content is None or content == "":
        return _("空")
    if isinstance(content, bool):
        return _("是") if content else _("否")
    if isinstance(content, datetime):
        return content.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
    if isinstance(content, date):
        return content.isoformat()
    if isinstance(content, Decimal):
        return f"{content:f}"
    if isinstance(content, list):
        return _("%(n)s 项", n=len(content)) if len(content) > 3 else "、".join(value(item) for item in content)
    if isinstance(content, Mapping):
        return "；".join(f"{key}：{value(item)}" for key, item in list(content.items())[:4])
    text = str(content)
    return text if len(text) <= 120 else text[:119] + "…"


def stages(row: Any) -> list[Shape]:
    """The stages of the process with where the instance stands."""
    known = row.info.get("stages") or []
    at = next((n for n, (key, _label) in enumerate(known) if key == row.stage), -1)
    over = row.status == "completed"
    shown = []
    for n, (_key, label) in enumerate(known):
        done, now = over or n < at, n == at and not over
        shown.append(
            {
                "label": label,
                "note": "",
                "kind": "ok" if done else "now" if now else "",
                "state": "done" if done else "now" if now else "",
            }
        )
    return shown


def where(row: Any) -> str:
    """The elements at which tokens wait, in the model's words."""
    names = Counter(_name(row.elements, token["element_id"]) for token in row.tokens or ())
    return "、".join(name if n == 1 else f"{name} × {n}" for name, n in names.items())


def stage_label(row: Any) -> str:
    """The words of the stage at which an instance stands."""
    return str(dict(row.info.get("stages") or []).get(row.stage, ""))


def _name(elements: Mapping[str, Any], element_id: str) -> str:
    return (elements.get(element_id) or {}).get("name") or element_id


def diagram_state(row: Any, done: Sequence[Any], open_incidents: Sequence[Any], flows: Iterable[str]) -> Shape:
    """What the viewer draws: finished elements, the path, tokens, incidents, the clauses of the guarded elements."""
    active = Counter(token["element_id"] for token in row.tokens or ())
    return {
        "done": sorted({activity.element_id for activity in done if not activity.cancelled}),
        "flows": sorted(flows),
        "active": dict(active),
        "incidents": dict(Counter(found.element_id for found in open_incidents if found.element_id)),
        "clauses": {
            key: " ".join(element["clauses"])
            for key, element in row.elements.items()
            if element.get("law") and element.get("clauses")
        },
    }


def operations(session: Session, found: Sequence[Any]) -> list[tuple[datetime, Shape]]:
    """Moves, returns, recalls and migrations as entries of the timeline, with when."""
    told = []
    for one in found:
        note = _("%(who)s：%(reason)s", who=one.name or _("系统"), reason=one.reason or "")
        title = case_record.operation_words(session, one)
        told.append((one.at, {"kind": "fix", "title": title, "note": note, "at": moment(one.at)}))
    return told


def record(
    row: Any, done: Sequence[Any], tasks: Sequence[Any], operations: Sequence[tuple[datetime, Shape]] = ()
) -> list[Shape]:
    """The timeline: what was done by whom and how long it took, what was moved, then what waits."""
    told = list(operations)
    for activity in done:
        if activity.element_type not in TOLD and not (activity.element_type in TOLD_EVENTS and activity.element_name):
            continue
        entry = {
            "kind": "bad" if activity.cancelled else "done",
            "title": activity.element_name or activity.element_id,
            "note": _note(row, activity),
            "at": moment(activity.ended_at),
        }
        told.append((activity.ended_at, entry))
    entries = [entry for _when, entry in sorted(told, key=lambda pair: pair[0])]
    for task in tasks:
        who = task.assignee or _("待签收")
        entries.append(
            {"kind": "now", "title": task.name, "note": who, "at": _("%(at)s 起", at=moment(task.created_at))}
        )
    return entries


def _note(row: Any, activity: Any) -> str:
    parts = []
    if activity.actor:
        behalf = activity.behalf
        parts.append(_("%(who)s（代%(whom)s）", who=activity.actor, whom=behalf) if behalf else activity.actor)
    if activity.outcome:
        outcomes = (row.elements.get(activity.element_id) or {}).get("outcomes") or []
        labels = {outcome["value"]: outcome["label"] for outcome in outcomes}
        parts.append(labels.get(activity.outcome, activity.outcome))
    if activity.cancelled:
        parts.append(_("已撤销"))
    if (took := deadlines.span(activity.ended_at - activity.started_at)) and activity.element_type in TOLD:
        parts.append(_("用时 %(took)s", took=took))
    changed = engine_queries.decoded(activity.variables) if activity.variables else {}
    if changed:
        parts.append(_("变更：%(names)s", names="、".join(list(changed)[:4])))
    return " · ".join(parts)


def variables(found: Mapping[str, Any]) -> list[Shape]:
    """The variables as they are now, by name."""
    return [{"label": name, "key": name, "value": value(found[name]), "before": None} for name in sorted(found)]


def replay(row: Any, done: Sequence[Any], flows_of: Any) -> list[Shape]:
    """The steps of the replay: what each told activity did, where the path went, the variables of that moment."""
    steps: list[Shape] = []
    known: dict[str, str] = {}
    finished: set[str] = set()
    for activity in done:
        finished.add(activity.element_id)
        for name, content in (engine_queries.decoded(activity.variables) if activity.variables else {}).items():
            known[name] = value(content)
        if activity.element_type in TOLD or activity.element_type in TOLD_EVENTS:
            steps.append(
                {
                    "at": moment(activity.ended_at),
                    "who": activity.actor or _("系统"),
                    "text": activity.element_name or activity.element_id,
                    "state": {
                        "done": sorted(finished),
                        "flows": sorted(flows_of(finished)),
                        "active": {},
                        "incidents": {},
                    },
                    "variables": dict(known),
                }
            )
    return steps
