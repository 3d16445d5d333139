"""What may be done to the instances of a batch: the forms, with what these instances hold to choose from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, func, select
from sqlalchemy.orm import Session

from webapp.batches.models import Batch, BatchItem
from webapp.engine.runtime import engine
from webapp.engine.tables import event_subscription, process_definition, process_instance, timer, user_task
from webapp.i18n import _
from webapp.inbox.visibility import people
from webapp.monitor.operation_page import titles

Shape = dict[str, Any]
#: Where a token may be put.
_TARGETS = ("Task", "task", "subProcess", "transaction", "callActivity", "startEvent", "endEvent", "CatchEvent")


def forms(session: Session, batch: Batch) -> list[Shape]:
    """One form per operation that some of the instances could undergo."""
    ids = select(BatchItem.instance_id).where(BatchItem.batch_id == batch.id)
    keys = session.scalars(
        select(process_instance.c.definition_key).where(process_instance.c.id.in_(ids)).distinct()
    ).all()
    only = keys[0] if len(keys) == 1 else ""
    makers: tuple[Callable[[], list[Shape]], ...] = (
        lambda: _tasks(session, ids),
        lambda: [_form("suspend", _("在恢复之前，任务不能办理，时限和作业不会触发。"))],
        lambda: [_form("resume", _("时限、作业和任务继续。"))],
        lambda: [_form("retry", _("从停下的环节继续，每件案件的全部异常。"))],
        lambda: _waits(session, ids),
        lambda: _models(session, ids, only) if only else [],
        lambda: [_form("cancel", _("案件及其调用的子案立即结束，不能恢复。"))],
    )
    found = [form for make in makers for form in make()]
    for form in found:
        for field in form["fields"]:
            field["id"] = f"op-{form['kind']}-{field['name']}"
            field["value"] = batch.params.get(field["name"], "") if batch.kind == form["kind"] else ""
    return found


def told(session: Session, batch: Batch) -> list[tuple[str, str]]:
    """What was chosen for the operation, in words: (label, value) of each field."""
    shown = []
    for form in forms(session, batch):
        if form["kind"] == batch.kind:
            for field in form["fields"]:
                value = batch.params.get(field["name"], "")
                labels = {option["value"]: option["label"] for option in field.get("options", ())}
                if value:
                    shown.append((field["label"], labels.get(value, value)))
    return shown


def _tasks(session: Session, ids: Select[Any]) -> list[Shape]:
    c = user_task.c
    where = (c.instance_id.in_(ids), c.status == "open")
    steps = session.execute(
        select(c.element_id, func.min(c.name).label("name"), func.count().label("n"))
        .where(*where)
        .group_by(c.element_id)
        .order_by(func.count().desc())
    ).all()
    if not steps:
        return []
    roles = sorted(set(session.scalars(select(func.unnest(c.candidate_groups)).where(*where).distinct())))
    persons = [{"value": str(one.id), "label": f"{one.name}（{one.username}）"} for one in people(session, roles)]
    where_told = [
        {"value": one.element_id, "label": _("%(name)s（%(n)s 件）", name=one.name, n=one.n)} for one in steps
    ]

    def element() -> Shape:
        return _select("element", _("哪个环节的任务"), where_told, required=False)

    day = {"kind": "date", "name": "due", "label": _("新的期限"), "required": True}
    return [
        _form("reassign", _("任务改由另一人办理。"), [element(), _select("to", _("转给"), persons)]),
        _form("candidate", _("此人也可以签收。"), [element(), _select("to", _("候选人"), persons)]),
        _form("due", _("到所填日期的二十四时为止。"), [element(), day]),
    ]


def _waits(session: Session, ids: Select[Any]) -> list[Shape]:
    found = []
    s, t = event_subscription.c, timer.c
    names = session.execute(
        select(s.name, func.count().label("n")).where(s.instance_id.in_(ids)).group_by(s.name).order_by(s.name)
    ).all()
    if names:
        shown = [{"value": one.name, "label": _("%(name)s（%(n)s 件）", name=one.name, n=one.n)} for one in names]
        words = _("视同消息已到，不带内容。")
        found.append(_form("send", words, [_select("name", _("哪条消息"), shown)]))
    rows = session.execute(
        select(t.element_id, func.min(process_instance.c.definition_id.cast(Text)).label("d"), func.count().label("n"))
        .join(process_instance, process_instance.c.id == t.instance_id)
        .where(t.instance_id.in_(ids))
        .group_by(t.element_id)
        .order_by(t.element_id)
    ).all()
    if rows:
        shown = [
            {"value": one.element_id, "label": _("%(name)s（%(n)s 件）", name=_name(session, one), n=one.n)}
            for one in rows
        ]
        found.append(_form("fire", _("视同时间已到。"), [_select("element", _("哪个定时"), shown)]))
    return found


def _name(session: Session, row: Any) -> str:
    c = process_definition.c
    elements = session.scalar(select(c.elements).where(c.id == UUID(row.d))) or {}
    return str((elements.get(row.element_id) or {}).get("name") or row.element_id)


def _models(session: Session, ids: Select[Any], key: str) -> list[Shape]:
    """Moving and migrating: for instances of one process only."""
    d = process_definition.c
    versions = session.execute(select(d.id, d.version).where(d.key == key).order_by(d.version.desc())).all()
    elements = engine().definitions.get(session, versions[0].id).compiled.elements
    i = process_instance.c
    tokens = select(func.jsonb_array_elements(i.tokens).op("->>")("element_id").label("at"))
    standing = tokens.where(i.id.in_(ids), i.status == "active").subquery()
    counted = session.execute(
        select(standing.c.at, func.count().label("n")).group_by(standing.c.at).order_by(func.count().desc())
    ).all()
    here = [
        {"value": one.at, "label": _("%(name)s（%(n)s 件）", name=_label(elements, one.at), n=one.n)} for one in counted
    ]
    goals = [
        {"value": name, "label": _label(elements, name)}
        for name, one in elements.items()
        if one.type.endswith(_TARGETS)
    ]
    found = []
    if here:
        words = _("令牌离开现在的环节，到所选环节；变量保留。")
        found.append(_form("move", words, [_select("element", _("从"), here), _select("target", _("移到"), goals)]))
    if len(versions) > 1:
        shown = [{"value": str(one.id), "label": _("第 %(n)s 版", n=one.version)} for one in versions]
        mapping = {"kind": "textarea", "name": "mapping", "label": _("环节对应"), "required": False}
        mapping["hint"] = _("编号不同的环节，每行一个：原环节=新环节。")
        words = _("任务保留签收、草稿和留言；定义不变的定时照旧，其余自迁移时起算。")
        found.append(_form("migrate", words, [_select("definition", _("转到"), shown), mapping]))
    return found


def _label(elements: Any, name: str) -> str:
    one = elements.get(name)
    return (one.name if one is not None else "") or name


def _select(name: str, label: str, options: list[dict[str, str]], *, required: bool = True) -> Shape:
    return {"kind": "select", "name": name, "label": label, "options": options, "required": required}


def _form(kind: str, words: str, fields: list[Shape] | None = None) -> Shape:
    return {"kind": kind, "title": titles()[kind], "words": words, "fields": fields or []}
