"""What a manager does to one instance: named acts with a preview and a result, for a page and for a batch alike.

An act is a kind and its parameters as text, so that a batch can keep it in a row. `preview` carries it out, looks at
what has changed, and takes it all back; `apply` carries it out. Both raise the refusal of the engine as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts.models import Account
from webapp.accounts.service import actor_of
from webapp.audit import service as audit
from webapp.engine import commands, duetime, queries
from webapp.engine.handler_api import Actor
from webapp.engine.runtime import engine
from webapp.engine.tables import activity_history, event_subscription, incident, job, process_instance, timer, user_task
from webapp.engine.tables import audit as trail
from webapp.errors import Conflict, Invalid, NotFound
from webapp.i18n import _
from webapp.inbox import deadlines
from webapp.inbox.four_eyes import prepared_by_oneself
from webapp.inbox.task_form import element_of
from webapp.inbox.visibility import may_see

Params = Mapping[str, str]
_t = user_task.c
#: Acts that take something away that people have begun: they are confirmed by typing the case's number.
DESTRUCTIVE: Final = frozenset({"cancel", "move", "restart", "migrate", "migrate_back", "fire"})


@dataclass(frozen=True, slots=True)
class Act:
    """One operation: `kind` is a key of KINDS, `params` what it needs, as text."""

    kind: str
    params: Params = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an act will do, in sentences; `warnings`: what it leaves behind that the model would not."""

    effects: tuple[str, ...]
    warnings: tuple[str, ...] = ()


class _TakenBack(Exception):
    """Ends the savepoint of a preview."""


def preview(session: Session, actor: Actor, instance_id: UUID, *acts: Act) -> Preview:
    """What the acts, one after the other, would change; nothing is changed. Errors: those of the acts."""
    before = _rows(session, instance_id)
    found: Preview | None = None
    try:
        with session.begin_nested():
            for act in acts:
                _carry_out(session, actor, instance_id, act, _("预览"))
            session.flush()
            found = Preview(_differences(before, _rows(session, instance_id)), _warnings(session, instance_id))
            raise _TakenBack
    except _TakenBack:
        assert found is not None
        return found


def apply(session: Session, actor: Actor, instance_id: UUID, act: Act, reason: str) -> None:
    """Carry the act out, with the reason that stands in the trail. Errors: Invalid without one; those of the act."""
    if not reason.strip():
        raise Invalid(_("请写明操作理由。"), fields={"reason": _("请写明操作理由。")})
    _carry_out(session, actor, instance_id, act, reason.strip())


def _carry_out(session: Session, actor: Actor, instance_id: UUID, act: Act, reason: str) -> None:
    if act.kind not in KINDS:
        raise Invalid(_("没有这种操作。"))
    KINDS[act.kind](session, actor, instance_id, act.params, reason)


# ---- the acts


def _step(session: Session, actor: Actor, instance_id: UUID, command: commands.Command) -> None:
    engine().step(session, instance_id, command, actor)


def _id(params: Params, name: str) -> UUID:
    try:
        return UUID(params.get(name, ""))
    except ValueError as error:
        raise Invalid(_("请指明操作的对象。")) from error


def _suspend(session: Session, actor: Actor, id: UUID, params: Params, reason: str) -> None:
    _step(session, actor, id, commands.Suspend(reason))


def _resume(session: Session, actor: Actor, id: UUID, params: Params, reason: str) -> None:
    _step(session, actor, id, commands.Resume(reason))


def _cancel(session: Session, actor: Actor, id: UUID, params: Params, reason: str) -> None:
    _step(session, actor, id, commands.Cancel(reason))


def _retry(session: Session, actor: Actor, id: UUID, params: Params, reason: str) -> None:
    _step(session, actor, id, commands.RetryIncident(_id(params, "incident"), reason=reason))


def _move(session: Session, actor: Actor, id: UUID, params: Params, reason: str) -> None:
    node = _id(params, "node") if params.get("node") else None
    _step(session, actor, id, commands.MoveToken(params.get("target", ""), reason, node, params.get("element")))


def _restart(session: Session, actor: Actor, id: UUID, params: Params, reason: str) -> None:
    node = _id(params, "node") if params.get("node") else None
    number = params.get("index", "")
    index = int(number) - 1 if number.isascii() and number.isdigit() and len(number) < 6 else None
    _step(session, actor, id, commands.RestartFrom(params.get("target", ""), reason, node, index))


def _fire(session: Session, actor: Actor, id: UUID, params: Params, reason: str) -> None:
    _step(session, actor, id, commands.FireTimer(_id(params, "timer"), reason))


def _send(session: Session, actor: Actor, id: UUID, params: Params, reason: str) -> None:
    _step(session, actor, id, commands.DeliverMessage(_id(params, "subscription")))
    audit.record(session, "message.send", actor, instance_id=id, reason=reason)


def _migrate(session: Session, actor: Actor, id: UUID, params: Params, reason: str) -> None:
    mapping = {}
    for line in params.get("mapping", "").splitlines():
        old, found, new = (part.strip() for part in line.partition("="))
        if line.strip() and not (old and found and new):
            raise Invalid(_("对应关系每行写一个：原环节=新环节。"))
        if old:
            mapping[old] = new
    _step(session, actor, id, commands.Migrate(_id(params, "definition"), reason, mapping))


def migrated(session: Session, id: UUID) -> commands.Migrate | None:
    """What undoes the last migration, as long as the instance has not moved since; else None."""
    p = process_instance.c
    told = (trail.c.instance_id == id, trail.c.action == "instance.migrate")
    detail = session.scalar(select(trail.c.detail).where(*told).order_by(trail.c.id.desc()).limit(1))
    if detail is None or detail["version"] != session.scalar(select(p.version).where(p.id == id)):
        return None
    back = {new: old for old, new in detail["mapping"].items()}
    return commands.Migrate(UUID(detail["from_definition"]), "", back)


def _migrate_back(session: Session, actor: Actor, id: UUID, params: Params, reason: str) -> None:
    command = migrated(session, id)
    if command is None:
        raise Conflict(_("迁移之后事项又有进展，不能撤销迁移。"))
    _step(session, actor, id, replace(command, reason=reason))


def _task(session: Session, id: UUID, params: Params) -> Any:
    where = (_t.id == _id(params, "task"), _t.instance_id == id)
    row = session.execute(select(user_task).where(*where).with_for_update()).one_or_none()
    if row is None:
        raise NotFound(_("没有找到该事项，或您无权查看。"))
    if row.status != "open":
        raise Conflict(_("这件事项已办结或撤销，不能再改。"))
    return row


def _person(session: Session, row: Any, params: Params) -> Account:
    person = session.get(Account, _id(params, "to"))
    if person is None or not person.active:
        raise Invalid(_("请选择要转给的人。"), fields={"to": _("请选择要转给的人。")})
    if prepared_by_oneself(session, actor_of(person), row, element_of(session, row)):
        words = _("%(name)s办理过要复核的环节，这一步要由另一人办理，不能转给他。", name=person.name)
        raise Invalid(words, fields={"to": words})
    return person


def _reassign(session: Session, actor: Actor, id: UUID, params: Params, reason: str) -> None:
    row = _task(session, id, params)
    person = _person(session, row, params)
    if not may_see(session, row.id, actor_of(person)):
        words = _("%(name)s没有办理这件事项的角色，不能转给他。", name=person.name)
        raise Invalid(words, fields={"to": words})
    session.execute(
        update(user_task)
        .where(_t.id == row.id)
        .values(assignee_id=person.id, on_behalf_of=None, claimed_at=clock.now())
    )
    _told(session, actor, "task.reassign", row, reason, {"to": str(person.id), "to_name": person.name})


def _candidate(session: Session, actor: Actor, id: UUID, params: Params, reason: str) -> None:
    row = _task(session, id, params)
    person = _person(session, row, params)
    people = list(dict.fromkeys([*row.candidate_users, person.id]))
    session.execute(update(user_task).where(_t.id == row.id).values(candidate_users=people))
    _told(session, actor, "task.candidate", row, reason, {"added": str(person.id), "to_name": person.name})


def _due(session: Session, actor: Actor, id: UUID, params: Params, reason: str) -> None:
    row = _task(session, id, params)
    try:
        found = duetime.compute(date.fromisoformat(params.get("due", "")), clock.now())
    except ValueError as error:
        raise Invalid(_("请填写新的办理期限。"), fields={"due": _("请填写新的办理期限。")}) from error
    assert found is not None
    values = {"due_at": found.at, "due_provisional": found.provisional}
    session.execute(update(user_task).where(_t.id == row.id).values(**values))
    before = row.due_at.isoformat() if row.due_at else None
    _told(session, actor, "task.due", row, reason, {"before": before, "after": found.at.isoformat()})


def _told(session: Session, actor: Actor, action: str, row: Any, reason: str, detail: Mapping[str, Any]) -> None:
    subject = row.business_key
    audit.record(
        session,
        action,
        actor,
        instance_id=row.instance_id,
        task_id=row.id,
        subject=subject,
        reason=reason,
        detail={"element_id": row.element_id, **detail},
    )


def _variable(session: Session, actor: Actor, id: UUID, params: Params, reason: str) -> None:
    name = params.get("name", "")
    known = queries.variables(session, id)
    if name not in known:
        raise Invalid(_("没有变量“%(name)s”。", name=name))
    value = typed(known[name], params.get("value", ""))
    _step(session, actor, id, commands.SetVariables({name: value}, reason))


def typed(before: Any, text: str) -> Any:
    """What was typed, as a value of the same kind as before. Errors: Invalid."""
    text = text.strip()
    try:
        if isinstance(before, bool):
            return {"true": True, "false": False, "是": True, "否": False}[text]
        if isinstance(before, int | Decimal):
            number = Decimal(text)
            if not number.is_finite():
                raise InvalidOperation
            return number
        if isinstance(before, datetime):
            at = datetime.fromisoformat(text)
            return at if at.tzinfo else at.replace(tzinfo=clock.BEIJING)
        if isinstance(before, date):
            return date.fromisoformat(text)
    except (KeyError, ValueError, InvalidOperation) as error:
        raise Invalid(
            _("所填的值与变量原来的类型不符。"), fields={"value": _("所填的值与变量原来的类型不符。")}
        ) from error
    if before is None or isinstance(before, str):
        return text
    raise Invalid(_("列表和对象不能在这里更正。"))


KINDS: Final[Mapping[str, Callable[[Session, Actor, UUID, Params, str], None]]] = {
    "suspend": _suspend,
    "resume": _resume,
    "cancel": _cancel,
    "retry": _retry,
    "move": _move,
    "restart": _restart,
    "fire": _fire,
    "send": _send,
    "migrate": _migrate,
    "migrate_back": _migrate_back,
    "reassign": _reassign,
    "candidate": _candidate,
    "due": _due,
    "variable": _variable,
}


# ---- what has changed


def _rows(session: Session, instance_id: UUID) -> dict[str, dict[Any, Any]]:
    """Everything that waits in the instance, and what it has passed, by kind and id."""
    found: dict[str, dict[Any, Any]] = {}
    for name, table in (("tasks", user_task), ("timers", timer), ("waits", event_subscription), ("jobs", job)):
        where = [table.c.instance_id == instance_id]
        if table is user_task:
            where.append(_t.status == "open")
        found[name] = {row.id: row for row in session.execute(select(table).where(*where))}
    p, h = process_instance.c, activity_history.c
    called = select(process_instance).where(p.super_instance_id == instance_id, p.status == "active")
    found["called"] = {row.id: row for row in session.execute(called)}
    passed = select(h.id, h.element_name, h.element_id, h.element_type, h.cancelled).where(h.instance_id == instance_id)
    found["passed"] = {row.id: row for row in session.execute(passed)}
    found["variables"] = queries.variables(session, instance_id)
    found["status"] = dict(session.execute(select(p.status, p.suspended).where(p.id == instance_id)).one()._mapping)
    broken = (incident.c.instance_id == instance_id, incident.c.resolved_at.is_(None))
    found["incidents"] = {row.id: row for row in session.execute(select(incident).where(*broken))}
    people = {row.assignee_id for row in found["tasks"].values() if row.assignee_id}
    names = select(Account.id, Account.name).where(Account.id.in_(people))
    found["people"] = {row.id: row.name for row in session.execute(names)}
    return found


def _differences(before: dict[str, dict[Any, Any]], after: dict[str, dict[Any, Any]]) -> tuple[str, ...]:
    told: list[str] = []

    def gone(kind: str) -> list[Any]:
        return [row for id, row in before[kind].items() if id not in after[kind]]

    def new(kind: str) -> list[Any]:
        return [row for id, row in after[kind].items() if id not in before[kind]]

    for row in gone("tasks"):
        who = before["people"].get(row.assignee_id) or _("待签收")
        told.append(_("撤销任务“%(name)s”（%(who)s）。", name=row.name, who=who))
    told += [_("打开任务“%(name)s”。", name=row.name) for row in new("tasks")]
    for id, row in after["tasks"].items():
        told += _changed(before["tasks"].get(id), row, after["people"])
    told += [_("撤销定时（原定 %(at)s）。", at=_moment(row.due_at)) for row in gone("timers")]
    told += [_("设定定时：%(at)s。", at=_moment(row.due_at)) for row in new("timers")]
    told += [_("不再等待消息“%(name)s”。", name=row.name) for row in gone("waits")]
    told += [_("等待消息“%(name)s”。", name=row.name) for row in new("waits")]
    told += [_("撤销后台作业“%(name)s”。", name=row.topic) for row in gone("jobs")]
    told += [_("提交后台作业“%(name)s”。", name=row.topic) for row in new("jobs")]
    told += [_("终止子案“%(name)s”。", name=row.title) for row in gone("called")]
    for row in new("passed"):
        if not row.cancelled and row.element_type in ("serviceTask", "sendTask", "scriptTask", "businessRuleTask"):
            told.append(_("立即执行“%(name)s”。", name=row.element_name or row.element_id))
    for name, value in after["variables"].items():
        if before["variables"].get(name) != value:
            told.append(_("变量“%(name)s”改变。", name=name))
    told += [_("解除异常“%(words)s”。", words=row.message) for row in gone("incidents")]
    if before["status"]["status"] != after["status"]["status"]:
        told.append(_("案件就此结束。"))
    elif before["status"]["suspended"] != after["status"]["suspended"]:
        told.append(_("案件挂起，恢复前不能办理。") if after["status"]["suspended"] else _("案件恢复办理。"))
    return tuple(told or [_("在办的任务、定时和等待都不变。")])


def _changed(before: Any, after: Any, people: Mapping[Any, str]) -> Sequence[str]:
    if before is None:
        return []
    told = []
    if before.assignee_id != after.assignee_id:
        told.append(_("任务“%(name)s”改由%(who)s办理。", name=after.name, who=people.get(after.assignee_id, "")))
    if before.candidate_users != after.candidate_users:
        told.append(_("任务“%(name)s”增加一名候选人。", name=after.name))
    if before.due_at != after.due_at:
        told.append(_("任务“%(name)s”的期限改为 %(at)s。", name=after.name, at=_moment(after.due_at)))
    if before.definition_id != after.definition_id:
        told.append(_("任务“%(name)s”保留签收、草稿和留言，转到新版本。", name=after.name))
    return told


def _moment(at: datetime) -> str:
    return deadlines.moment(at, clock.now())


def _warnings(session: Session, instance_id: UUID) -> tuple[str, ...]:
    """What the move leaves behind, as the line of the trail tells that it has just written."""
    newest = select(trail.c.detail).where(trail.c.instance_id == instance_id).order_by(trail.c.id.desc()).limit(1)
    return tuple((session.scalar(newest) or {}).get("joins", ()))
