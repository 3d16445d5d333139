"""What a manager's operations, 退回 and 收回 do to the tokens of a locked instance; commands come by `actions`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from webapp.engine import commands as c
from webapp.engine.bpmn import moving
from webapp.engine.bpmn.marking import Net
from webapp.engine.bpmn.specs import Scope
from webapp.engine.bpmn.tasks import CallActivity, UserTask
from webapp.engine.bpmn.tokens import READY, STARTED, Token
from webapp.engine.errors import TaskNotOpen
from webapp.engine.returning import Ground, beyond
from webapp.engine.tables import activity_history, audit, user_task
from webapp.errors import Conflict, Invalid

if TYPE_CHECKING:
    from webapp.engine.actions import Context


def _ground(at: Context) -> Ground:
    return Ground.of(at.session, at.instance.id, at.execution, at.recorder.case.definition)


def _operate(at: Context, plan: moving.Plan, action: str, reason: str, **detail: Any) -> None:
    """Carry a plan out and tell the trail what it took and what it opened."""
    taken = [token.element_id for token in plan.cancelled]
    told = {"from": taken, "to": plan.target.name, "joins": _joins(plan), **detail}
    at.execution.carry_out(plan)
    at.recorder.audit(action, reason=reason, detail=told)


def _joins(plan: moving.Plan) -> list[str]:
    """Sentences on what the move leaves behind: joins that wait for ever, steps that would be taken twice."""
    scope = plan.holder.task_spec
    assert isinstance(scope, Scope)
    spec, outlook = scope.siblings, Net.of(scope).outlook(plan.after)
    if outlook.lawful:
        return []
    if not outlook.known:
        return ["并行的环节太多，无法预先算出此后的走向。"]
    found = [f"汇聚{spec.node(name).label}将永远等不到其余分支。" for name in sorted(outlook.stuck)]
    found += [f"汇聚{spec.node(name).label}可能等不到其余分支。" for name in sorted(outlook.perhaps)]
    if outlook.doubled:
        labels = "、".join(spec.node(name).label for name in sorted(outlook.doubled))
        found.append(f"此后{labels}可能办理两次。")
    return found


# ---- by a manager


def move(at: Context, command: c.MoveToken) -> None:
    plan = moving.move(_source(at, command), at.execution.goal(command.target))
    _ground(at).law.check(plan)
    _operate(at, plan, "instance.move", command.reason)


def _source(at: Context, command: c.MoveToken) -> Token:
    if command.node is not None:
        token = at.execution.token(command.node)
        if token.listener or token.up is None:
            raise TaskNotOpen()
        return token
    found = at.execution.standing(command.element_id or "")
    if not found:
        raise TaskNotOpen("该环节现在没有令牌，可能已经办理。")
    if len(found) > 1:
        raise Invalid("该环节有多个令牌，请指明移动哪一个。")
    return found[0]


def restart(at: Context, command: c.RestartFrom) -> None:
    target = at.execution.goal(command.target)
    if command.index is not None:
        _restart_one(at, command, command.index)
        return
    scope = at.execution.root if command.node is None else at.execution.token(command.node)
    plan = moving.restart(scope, target)
    if not plan.cancelled:
        raise Conflict("没有可以撤销的环节。")
    _ground(at).law.check(plan)
    _operate(at, plan, "instance.restart", command.reason)


def _restart_one(at: Context, command: c.RestartFrom, index: int) -> None:
    bodies = [token for token in at.execution.standing(command.target) if token.body]
    if command.node is not None:
        bodies = [token for token in bodies if token.id == command.node]
    if len(bodies) != 1:
        raise Conflict("该多实例环节没有在办，或有多个，不能单独重新开始其中一个。")
    at.execution.again(bodies[0], index)
    told = {"from": [command.target], "to": command.target, "index": index}
    at.recorder.audit("instance.restart", reason=command.reason, detail=told)


# ---- by the people


def give_back(at: Context, command: c.ReturnTask) -> None:
    token = at.execution.token(command.node)
    held = token.task_spec.manual and token.state == READY and not token.body
    called = isinstance(token.task_spec, CallActivity) and token.state == STARTED
    if not (held or called):
        raise TaskNotOpen()
    plan = _ground(at).back(token, command.target)
    case = at.recorder.case
    case.returned = token.id
    case.done_task = command.task_id
    if command.assignee_id is not None and plan.target.loop is None:
        case.given[command.target] = command.assignee_id
    _operate(at, plan, "task.return", command.reason)


def recall(at: Context, command: c.RecallTask) -> None:
    row = at.row(user_task, command.task_id)
    actor = at.recorder.case.actor_id
    if row is None or row["status"] != "completed" or actor is None or row["completed_by"] != actor:
        raise Conflict("只能收回自己刚刚办结的事项。")
    _untouched(at, row)
    ground = _ground(at)
    target = at.execution.goal(row["element_id"])
    case = at.recorder.case
    case.done_task = command.task_id
    assert isinstance(target, UserTask)
    if target.loop is not None:
        _recall_one(at, target, command)
        return
    case.given[target.name] = actor
    plan = moving.back_in(_innermost(at, target), target)
    ground.law.check(plan)
    _operate(at, plan, "task.recall", command.reason)


def _recall_one(at: Context, target: UserTask, command: c.RecallTask) -> None:
    bodies = [token for token in at.execution.standing(target.name) if token.body and token.kids]
    if len(bodies) != 1:
        raise Conflict("全部办理人都已办结，这一环节已结束，不能收回。")
    at.execution.again(bodies[0], int(bodies[0].info["last"]))
    told = {"from": [target.name], "to": target.name}
    at.recorder.audit("task.recall", reason=command.reason, detail=told)


def _innermost(at: Context, target: UserTask) -> Token:
    """The live scope that holds the target, or held it."""
    holder = at.execution.root
    for scope in moving.chain(target)[1:]:
        found = at.execution.standing(scope.name)
        found += [kid for token in found if token.body for kid in token.kids if not kid.listener]
        inside = [token for token in found if not token.body and moving.within(token, holder)]
        if len(inside) > 1:
            raise Conflict(f"{scope.label}同时有多个在办，不能收回。")
        if not inside:
            break
        holder = inside[0]
    return holder


def _untouched(at: Context, row: dict[str, Any]) -> None:
    """Nothing has happened since the task was completed. Errors: Conflict, with what did."""
    a, h, t = audit.c, activity_history.c, user_task.c
    told = (a.instance_id == at.instance.id, a.task_id == row["id"], a.action == "task.complete")
    detail = at.session.scalar(select(a.detail).where(*told).order_by(a.id.desc()).limit(1)) or {}
    if detail.get("version") != at.instance.version:
        raise Conflict("办结之后事项又有进展，不能收回；可请现在的办理人退回。")
    spec = at.recorder.case.definition.compiled.spec
    mine = (h.instance_id == at.instance.id, h.ended_at == row["ended_at"])
    first = select(h.id).where(*mine, h.task_id == row["id"]).limit(1).scalar_subquery()
    passed = [spec.node(name) for name in at.session.scalars(select(h.element_id).where(*mine, h.id >= first))]
    for node in passed:
        if beyond(node) and node.element.properties.get("repeatable") != "true":
            raise Conflict(f"办结之后{node.label}已经执行，不能收回。")
    for element_id, _node, state, since in at.execution.tokens():
        if state == "parked" and since >= row["ended_at"]:
            raise Conflict(f"{spec.node(element_id).label}已经开始执行，不能收回。")
    opened = (t.instance_id == at.instance.id, t.status == "open", t.created_at >= row["ended_at"])
    seen = t.seen_at.is_not(None) | (t.claimed_at > t.created_at)
    if at.session.scalar(select(t.id).where(*opened, seen).limit(1)) is not None:
        raise Conflict("下一环节已经签收或打开，不能收回；可请对方退回。")
