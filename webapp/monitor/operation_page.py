"""The page of operations on one instance: what stands where, what may be done to it, and the preview of one act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.engine import queries as engine_queries
from webapp.engine.runtime import engine
from webapp.engine.tables import event_subscription, process_definition, timer
from webapp.i18n import _
from webapp.inbox import deadlines
from webapp.inbox.visibility import people
from webapp.monitor import presenting, queries
from webapp.monitor.operating import DESTRUCTIVE, Act, Preview, migrated

Shape = dict[str, Any]
#: Where a token may be put; joins and events that others start are refused by the engine with the reason.
_TARGETS = ("Task", "task", "subProcess", "transaction", "callActivity", "startEvent", "endEvent", "CatchEvent")


def titles() -> dict[str, str]:
    """Act -> what it is called."""
    return {
        "suspend": _("挂起"),
        "resume": _("恢复办理"),
        "cancel": _("终止"),
        "retry": _("重试异常"),
        "move": _("移动令牌"),
        "restart": _("从环节重新开始"),
        "reassign": _("改派"),
        "candidate": _("增加候选人"),
        "due": _("调整期限"),
        "fire": _("立即触发定时"),
        "send": _("送达消息"),
        "variable": _("更正变量"),
        "migrate": _("转到其他版本"),
        "migrate_back": _("撤销版本迁移"),
    }


def context(session: Session, row: Any, element: str, act: Act | None = None) -> Shape:
    """The context of `monitor/operate.html`. `element`: what was clicked in the diagram, or ''."""
    params = act.params if act else {}
    shown = {
        "number": row.business_key or row.title or row.definition_name,
        "title": row.title or row.definition_name,
        "instance_url": url_for("monitor.instance", instance_id=row.id),
        "trail": [
            {"label": _("案件"), "url": url_for("monitor.instances")},
            {"label": row.business_key or row.definition_name, "url": url_for("monitor.instance", instance_id=row.id)},
            {"label": _("操作")},
        ],
        "element": (row.elements.get(element) or {}).get("name") or element,
        "flow": {
            "xml_url": url_for("monitor.diagram", instance_id=row.id),
            "summary": presenting.where(row) or presenting.state(row)[0],
            "state": _picture(row, element),
        },
        "forms": _forms(session, row, element, act),
        "preview_url": url_for("monitor.operation_preview", instance_id=row.id),
        "apply_url": url_for("monitor.operation_apply", instance_id=row.id),
        "chosen": element,
        "kind": act.kind if act else "",
        "params": dict(params),
        "refused": "",
        "preview": None,
        "errors": {},
        "reason": "",
    }
    return shown


def with_preview(shown: Shape, act: Act, found: Preview) -> Shape:
    """The context with what the act will do, to be confirmed."""
    typed = shown["number"] if act.kind in DESTRUCTIVE else ""
    told = {"title": titles()[act.kind], "effects": found.effects, "warnings": found.warnings, "typed": typed}
    return {**shown, "preview": told}


def _picture(row: Any, element: str) -> Shape:
    active: dict[str, int] = {}
    for token in row.tokens or ():
        active[token["element_id"]] = active.get(token["element_id"], 0) + 1
    return {"done": [], "flows": [], "active": active, "incidents": {}, "links": links(row), "moved": [element]}


def links(row: Any) -> dict[str, str]:
    """Each element of the diagram leads to what may be done with it."""
    return {
        key: url_for("monitor.operation", instance_id=row.id, element=key)
        for key, one in row.elements.items()
        if str(one.get("type", "")).endswith(_TARGETS) or one.get("type") == "boundaryEvent"
    }


def _label(row: Any, element_id: str) -> str:
    return (row.elements.get(element_id) or {}).get("name") or element_id


def _forms(session: Session, row: Any, element: str, act: Act | None) -> list[Shape]:
    params: Mapping[str, str] = act.params if act else {}
    tasks = queries.open_tasks(session, row.id)
    makers = (
        _moving(session, row, element),
        _tasks(session, tasks, element),
        _waiting(session, row, element),
        [] if element else _variables(session, row),
        [] if element else _versions(session, row),
    )
    found = [form for forms in makers for form in forms]
    for form in found:
        mine = params if act and act.kind == form["kind"] else {}
        for field in form["fields"]:
            field["value"] = mine.get(field["name"], field.get("value", ""))
    return found


def _moving(session: Session, row: Any, element: str) -> list[Shape]:
    tokens = [
        {"value": token["node"], "label": _label(row, token["element_id"])}
        for token in row.tokens or ()
        if token["state"] != "active"
    ]
    here = next((t["node"] for t in row.tokens or () if t["element_id"] == element), "")
    elements = engine().definitions.get(session, row.definition_id).compiled.elements  # in the model's order
    targets = [{"value": key, "label": one.name or key} for key, one in elements.items() if one.type.endswith(_TARGETS)]
    goal = "" if here else element
    token = _select("node", _("哪个令牌"), tokens, here or (tokens[0]["value"] if len(tokens) == 1 else ""))
    target = _select("target", _("移到"), targets, goal)
    start = _select("target", _("从哪个环节开始"), targets, element, id="restart-target")
    number = {"kind": "text", "name": "index", "label": _("多实例中的第几个"), "required": False, "value": ""}
    return [
        _form("move", _("令牌离开现在的环节，到所选环节；变量保留。"), [token, target]),
        _form(
            "restart",
            _("同一层中在办的全部撤销，只从所选环节开始。填写序号时只重办多实例中的那一个。"),
            [start, number],
        ),
    ]


def _tasks(session: Session, tasks: Sequence[Any], element: str) -> list[Shape]:
    here = [task for task in tasks if not element or task.element_id == element]
    if not here:
        return []
    options = [{"value": str(task.id), "label": f"{task.name}（{task.assignee or _('待签收')}）"} for task in here]
    roles = sorted({role for task in here for role in task.candidate_groups})
    accounts = [{"value": str(one.id), "label": f"{one.name}（{one.username}）"} for one in people(session, roles)]

    def which(kind: str) -> Shape:
        only = options[0]["value"] if len(options) == 1 else ""
        return _select("task", _("哪件任务"), options, only, id=f"{kind}-task")

    day = {"kind": "date", "name": "due", "label": _("新的期限"), "required": True, "value": ""}
    return [
        _form("reassign", _("任务改由另一人办理。"), [which("reassign"), _select("to", _("转给"), accounts, id="to")]),
        _form("candidate", _("此人也可以签收。"), [which("candidate"), _select("to", _("候选人"), accounts, id="add")]),
        _form("due", _("到所填日期的二十四时为止。"), [which("due"), day]),
    ]


def _waiting(session: Session, row: Any, element: str) -> list[Shape]:
    found = []
    for kind, name, table, label in (
        ("fire", "timer", timer, _("哪个定时")),
        ("send", "subscription", event_subscription, _("哪条消息")),
    ):
        where = [table.c.instance_id == row.id]
        if element:
            where.append(table.c.element_id == element)
        options = [
            {"value": str(one.id), "label": _label(row, one.element_id) + _note(kind, one)}
            for one in session.execute(select(table).where(*where))
        ]
        if options:
            words = _("视同时间已到。") if kind == "fire" else _("视同消息已到，不带内容。")
            only = options[0]["value"] if len(options) == 1 else ""
            found.append(_form(kind, words, [_select(name, label, options, only)]))
    return found


def _note(kind: str, one: Any) -> str:
    return f"（{deadlines.moment(one.due_at, clock.now()) if kind == 'fire' else one.name}）"


def _variables(session: Session, row: Any) -> list[Shape]:
    known = engine_queries.variables(session, row.id)
    options = [
        {"value": name, "label": f"{name}（{presenting.value(value)[:40]}）"}
        for name, value in sorted(known.items())
        if not isinstance(value, list | dict)
    ]
    if not options:
        return []
    value = {"kind": "text", "name": "value", "label": _("更正为"), "required": True, "value": ""}
    words = _("类型不变。有规程规定环节的流程中，决定去向的变量不能更正。")
    return [_form("variable", words, [_select("name", _("哪个变量"), options), value])]


def _versions(session: Session, row: Any) -> list[Shape]:
    d = process_definition.c
    found = []
    if migrated(session, row.id) is not None:
        found.append(_form("migrate_back", _("迁移之后尚无进展，可以回到原来的版本。"), []))
    where = (d.key == row.definition_key, d.id != row.definition_id)
    options = [
        {"value": str(one.id), "label": _("第 %(n)s 版", n=one.version)}
        for one in session.execute(select(d.id, d.version).where(*where).order_by(d.version.desc()))
    ]
    if not options:
        return found
    mapping = {"kind": "textarea", "name": "mapping", "label": _("环节对应"), "required": False, "value": ""}
    mapping["hint"] = _("编号不同的环节，每行一个：原环节=新环节。")
    words = _("任务保留签收、草稿和留言；定义不变的定时照旧，其余自迁移时起算。")
    return [*found, _form("migrate", words, [_select("definition", _("转到"), options), mapping])]


def _select(name: str, label: str, options: Sequence[Shape], value: Any = "", id: str = "") -> Shape:
    return {"kind": "select", "name": name, "label": label, "options": options, "value": value, "id": id}


def _form(kind: str, words: str, fields: list[Shape]) -> Shape:
    return {"kind": kind, "title": titles()[kind], "words": words, "fields": fields}


def act_of(form: Mapping[str, str]) -> Act:
    """The act that a form asks for: `kind`, and what else it sends."""
    own = {"csrf_token", "kind", "reason", "confirm", "chosen"}
    return Act(form.get("kind", ""), {name: value for name, value in form.items() if name not in own and value})
