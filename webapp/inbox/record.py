"""The tab 办理记录: what happened in the case, who did it, how long it took, what was decided and entered, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from markupsafe import Markup, escape
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from webapp import clock
from webapp.accounts.models import Account
from webapp.accounts.roles import ROLES
from webapp.engine import queries as engine_queries
from webapp.engine import runtime
from webapp.engine.handler_api import Actor
from webapp.engine.tables import activity_history, audit, process_instance, user_task
from webapp.forms.schema import CHOICES, Component
from webapp.forms.scope import get_path
from webapp.forms.text import shown
from webapp.forms.values import revive
from webapp.i18n import _, language, lazy
from webapp.inbox import deadlines
from webapp.inbox.personal import comments, is_inside
from webapp.inbox.task_form import element_of, schema_of
from webapp.retention import presenting as archived

#: For whom a stand-in acted.
_behalf = aliased(Account)
#: The newest so many events of a case are told on its pages; the case file has all.
MOST = 200
_TOLD = (
    "startEvent",
    "userTask",
    "serviceTask",
    "sendTask",
    "receiveTask",
    "businessRuleTask",
    "callActivity",
    "intermediateCatchEvent",
    "boundaryEvent",
    "endEvent",
)


@dataclass(frozen=True, slots=True)
class _Reader:
    session: Session
    actor: Actor
    inside: bool
    now: datetime
    unfolded: bool = False


def entries(session: Session, actor: Actor, row: Any, *, unfolded: bool = False) -> list[dict[str, Any]]:
    """Timeline entries (macro `timeline`), oldest first: history of the case and its root, comments, open tasks.

    `unfolded`: with everything that was entered in sight, for paper.
    """
    reader = _Reader(session, actor, is_inside(actor), clock.now(), unfolded)
    told = [(done.ended_at, _event(reader, done)) for done in reversed(_history(session, row))]
    told += [(one.at, _operation(reader, one)) for one in operations(session, _instances(row))]
    told += [(note.created_at, _comment(reader, note)) for note in comments(session, actor, row.root_instance_id)]
    told.sort(key=lambda pair: pair[0])
    away = archived.entry(session, _instances(row), inside=reader.inside)
    return [*([away] if away else []), *(entry for _at, entry in told[-MOST:])] + [
        _open(reader, task) for task in _open_tasks(session, row)
    ]


def _instances(row: Any) -> list[Any]:
    return list({row.instance_id, row.root_instance_id})


def _history(session: Session, row: Any) -> Sequence[Any]:
    h, t = activity_history.c, user_task.c
    statement = (
        select(
            h.element_name,
            h.element_type,
            h.element_id,
            h.started_at,
            h.ended_at,
            h.cancelled,
            h.actor_id,
            h.task_id,
            Account.name.label("actor_name"),
            Account.organisation_id.label("actor_org"),
            _behalf.name.label("behalf_name"),
            t.outcome,
            t.form_data,
            t.form_ref,
            t.org_id,
            t.candidate_groups,
            process_instance.c.definition_id,
        )
        .join(process_instance, process_instance.c.id == h.instance_id)
        .outerjoin(Account, Account.id == h.actor_id)
        .outerjoin(user_task, t.id == h.task_id)
        .outerjoin(_behalf, _behalf.id == t.on_behalf_of)
        .where(h.instance_id.in_(_instances(row)), h.element_type.in_(_TOLD), h.element_name != "")
        .order_by(h.ended_at.desc(), h.id.desc())
        .limit(MOST)
    )
    return session.execute(statement).all()


def _event(reader: _Reader, done: Any) -> dict[str, Any]:
    told = _may_read(reader, done)
    outcome = _outcome(reader, done) if told else None
    title = f"{done.element_name}：{outcome.label}" if outcome else done.element_name
    kind = "bad" if done.cancelled else "done"
    if outcome and outcome.style != "primary":
        kind = "bad" if outcome.style == "danger" else "fix"
    if done.cancelled:
        title = _("%(name)s（已撤销）", name=done.element_name)
    note = Markup("，").join(escape(part) for part in (_who(reader, done), _took(done)) if part)
    details = _details(reader, done) if told and done.form_data else []
    return {
        "kind": kind,
        "title": title,
        "note": note + _folded(details, reader.unfolded),
        "at": _at(reader, done.ended_at),
    }


#: What was done to a case besides its steps: action of the trail -> words.
OPERATIONS = {
    "task.return": lazy("退回到“%(name)s”"),
    "task.recall": lazy("收回“%(name)s”"),
    "instance.move": lazy("移到“%(name)s”"),
    "instance.restart": lazy("从“%(name)s”重新开始"),
    "instance.migrate": lazy("转到第 %(name)s 版流程"),
    "task.chase": lazy("催办“%(name)s”"),
}


def operations(session: Session, instance_ids: Sequence[UUID]) -> Sequence[Any]:
    """Moves, returns, recalls and migrations of cases, oldest first, with who did them and why."""
    a = audit.c
    statement = (
        select(a.at, a.action, a.reason, a.detail, a.actor_id, Account.name, Account.organisation_id.label("actor_org"))
        .add_columns(process_instance.c.definition_id)
        .join(process_instance, process_instance.c.id == a.instance_id)
        .outerjoin(Account, Account.id == a.actor_id)
        .where(a.instance_id.in_(instance_ids), a.action.in_(list(OPERATIONS)))
        .order_by(a.id)
    )
    return session.execute(statement).all()


def operation_words(session: Session, one: Any) -> str:
    """What an operation did, in words."""
    elements = runtime.engine().definitions.get(session, one.definition_id).compiled.elements
    detail = one.detail or {}
    to = str(detail.get("to") or detail.get("element_id", ""))
    return str(OPERATIONS[one.action]) % {"name": elements[to].name or to if to in elements else to}


def _operation(reader: _Reader, one: Any) -> dict[str, Any]:
    known = reader.inside or one.actor_org == reader.actor.organisation_id
    who = (one.name if known else _("经办部门")) or _("系统")
    note = _("%(who)s：%(reason)s", who=who, reason=one.reason or "")
    return {"kind": "fix", "title": operation_words(reader.session, one), "note": note, "at": _at(reader, one.at)}


def _may_read(reader: _Reader, done: Any) -> bool:
    """The working group's side reads everything; an organisation's side what its own people did."""
    return reader.inside or done.actor_org == reader.actor.organisation_id


def _who(reader: _Reader, done: Any) -> str:
    """The person; to the other side, the office that the person acts for."""
    if done.actor_id is None:
        return "" if done.element_type != "userTask" else _("系统")
    if _may_read(reader, done):
        if done.behalf_name:
            return _("%(who)s（代%(whom)s）", who=done.actor_name, whom=done.behalf_name)
        return str(done.actor_name)
    roles = [ROLES[role].label(language()) for role in done.candidate_groups or () if role in ROLES]
    return roles[0] if roles else _("经办部门")


def _took(done: Any) -> str:
    length = deadlines.duration(done.ended_at - done.started_at)
    return _("用时 %(time)s", time=length) if length and done.element_type == "userTask" else ""


def _outcome(reader: _Reader, done: Any) -> Any:
    if not done.outcome:
        return None
    element = element_of(reader.session, done)
    return next((outcome for outcome in element.outcomes if outcome.value == done.outcome), None)


def _details(reader: _Reader, done: Any) -> list[tuple[str, str]]:
    """What was entered, by the form's own labels."""
    data = engine_queries.decoded(done.form_data)
    schema = schema_of(reader.session, done)
    found = list(_words_of(schema.components, data))
    if data.get("reason"):
        found.append((_("理由"), str(data["reason"])))
    return found


def _words_of(components: Sequence[Component], data: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for component in components:
        value = get_path(data, component.key) if component.key else None
        if component.type == "group":
            found += _words_of(component.components, value if isinstance(value, Mapping) else data)
        elif component.type == "dynamiclist" and isinstance(value, list):
            found.append((component.label, _("%(n)s 条", n=len(value))))
        elif component.type == "filepicker" and value:
            found.append((component.label, _("%(n)s 个文件", n=len(value))))
        elif component.type == "checkbox" and value is not None:
            found.append((component.label, _("是") if value else _("否")))
        elif component.key and component.properties.get("mask") != "true" and value not in (None, "", []):
            found.append((component.label, _one(component, value)))
    return found


def _one(component: Component, value: Any) -> str:
    if component.type in CHOICES:
        labels = {str(option.get("value")): str(option.get("label")) for option in component.values}
        chosen = value if isinstance(value, list) else [value]
        return "、".join(labels.get(str(item), str(item)) for item in chosen)
    return shown(revive(component, value))


def _folded(details: Sequence[tuple[str, str]], unfolded: bool) -> Markup:
    if not details:
        return Markup("")
    lines = Markup("").join(Markup("<dt>{}</dt><dd>{}</dd>").format(*pair) for pair in details)
    summary = _("填写内容（%(n)s 项）", n=len(details))
    return Markup('<details class="entered"><summary>{}</summary><dl class="kv">{}</dl></details>').format(
        summary, lines
    )


def _comment(reader: _Reader, note: Any) -> dict[str, Any]:
    where = _("（内部）") if note.internal else ""
    title = _("%(name)s 留言%(where)s", name=note.name, where=where)
    return {"kind": "done", "title": title, "note": note.words, "at": _at(reader, note.created_at)}


def _open_tasks(session: Session, row: Any) -> Sequence[Any]:
    t = user_task.c
    statement = (
        select(t.name, t.due_at, t.org_id, t.candidate_groups, t.assignee_id, Account.name.label("assignee"))
        .add_columns(Account.organisation_id.label("assignee_org"))
        .outerjoin(Account, Account.id == t.assignee_id)
        .where(t.instance_id == row.instance_id, t.status == "open")
        .order_by(t.created_at)
        .limit(50)
    )
    return session.execute(statement).all()


def _open(reader: _Reader, task: Any) -> dict[str, Any]:
    known = reader.inside or task.assignee_org == reader.actor.organisation_id
    roles = "、".join(ROLES[role].label(language()) for role in task.candidate_groups or () if role in ROLES)
    who = (task.assignee if known else None) or roles or _("待签收")
    due = deadlines.tell(task.due_at, reader.now)
    note = _("%(who)s；时限 %(due)s", who=who, due=due["text"]) if due else who
    return {"kind": "now", "title": _("正在办理：%(name)s", name=task.name), "note": note, "at": ""}


def _at(reader: _Reader, at: datetime) -> str:
    return deadlines.moment(at, reader.now)
