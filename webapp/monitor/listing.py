"""One instance: its head, incidents, relations and the menu of its operations, as the template takes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import url_for

from webapp.i18n import _
from webapp.inbox import deadlines
from webapp.monitor import presenting

Shape = dict[str, Any]


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
