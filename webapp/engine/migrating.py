"""`Migrate`: an instance goes on in another version of its process; open tasks keep id, claim, draft, comments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlalchemy import Table, select, update

from webapp.engine import commands as c
from webapp.engine.bpmn.joins import exits
from webapp.engine.bpmn.migrating import target_name
from webapp.engine.bpmn.model import CompiledProcess
from webapp.engine.bpmn.moving import chain
from webapp.engine.bpmn.specs import Node
from webapp.engine.errors import CannotMigrate
from webapp.engine.guard import Law, reach, refuse
from webapp.engine.returning import Ground
from webapp.engine.tables import event_subscription, incident, job, timer, user_task
from webapp.errors import Conflict, Invalid

if TYPE_CHECKING:
    from webapp.engine.actions import Context


def migrate(at: Context, command: c.Migrate) -> None:
    case = at.recorder.case
    old = case.definition
    new = at.step.engine.definitions.get(at.session, command.definition_id)
    if new.key != old.key:
        raise Invalid(f"“{new.name}”是另一个流程，只能迁移到“{old.name}”的其他版本。")
    if new.id == old.id:
        raise Conflict(f"该事项已在“{new.name}”第 {new.version} 版上。")
    unknown = [name for name in command.mapping if name not in old.compiled.elements]
    unknown += [name for name in command.mapping.values() if name not in new.compiled.elements]
    if unknown:
        raise Invalid(f"对应关系中有不存在的环节：{'、'.join(sorted(set(unknown)))}。")
    found = at.execution.hindrances(new.compiled, command.mapping)
    if found:
        raise CannotMigrate({one.element_id: one.message for one in found})
    ground = Ground.of(at.session, at.instance.id, at.execution, old)
    _lawful(ground, new.compiled, command.mapping)
    at.execution.become(new.compiled, command.mapping)
    case.definition = new
    at.step.deployment_id = new.deployment_id
    at.recorder.changes.row["definition_id"] = new.id
    _rows(at, new.compiled)
    told = {
        "from": [str(old.version)],
        "to": str(new.version),
        "from_definition": str(old.id),
        "to_definition": str(new.id),
        "mapping": dict(command.mapping),
        "version": at.instance.version + 1,
    }
    at.recorder.audit("instance.migrate", reason=command.reason, detail=told)


def _lawful(ground: Ground, new: CompiledProcess, mapping: Mapping[str, str]) -> None:
    """No token comes to stand behind an element that the law demands and the case has not done. Errors: LawForbids.

    The case came by what it has done, and by what the old version did not have: on such a way there must be none.
    """
    old = ground.definition.compiled.spec
    law = Law(new.spec, (), ground.law.called)
    done = {
        target_name(mapping, name)
        for name in ground.law.way
        if name not in mapping or _same_act(ground.law, old.node(name), law, new.spec.node(mapping[name]))
    }
    known = {target_name(mapping, name) for name, node in old.task_specs.items() if node.element.type.endswith("Task")}
    for element_id, _node, _state, _since in ground.execution.tokens():
        target = new.spec.node(target_name(mapping, element_id))
        for scope, node in zip(chain(target), [*chain(target)[1:], target], strict=True):
            closed = {
                one
                for one in new.spec.task_specs.values()
                if one is not node and one.name not in done and (one.name in known or any(law.inside(one)))
            }
            _reachable(law, scope.starts, node, closed)


def _same_act(old: Law, done: Node, new: Law, meant: Node) -> bool:
    """Whether what was done counts for the element that it is mapped to: the law demanded as much of it, and the same.

    Were any mapping believed, a trifle that is done, mapped to the meeting, would stand for the meeting.
    """
    was, will = ([(one.type, one.clauses) for one in law.inside(node)] for law, node in ((old, done), (new, meant)))
    return all(will.count(demand) <= was.count(demand) for demand in will)


def _reachable(law: Law, starts: tuple[Node, ...], target: Node, closed: set[Node]) -> None:
    if not starts:
        return
    seen, todo = set(starts) - closed, [one for one in starts if one not in closed]
    while todo:
        for node in _next(todo.pop()):
            if node not in closed and node not in seen:
                seen.add(node)
                todo.append(node)
    if target in seen:
        return
    for node in closed:
        if target in reach(node):
            for element in law.inside(node):
                where = target.element.name or target.name
                raise refuse(element, f"新版本要求先办，该事项尚未办理，不能迁移到其后的“{where}”")


def _next(node: Node) -> set[Node]:
    return {node.siblings.node(flow.target) for flow in exits(node)}


def _rows(at: Context, new: CompiledProcess) -> None:
    """The rows of what waits name the elements of the new version; an open task keeps all that people did to it."""
    scoped = at.recorder.case.org_scoped
    for element_id, node, _state, _since in at.execution.tokens():
        element = new.elements[element_id]
        groups = list(element.candidate_groups)
        mine = groups and all(group in scoped for group in groups)
        values = {
            "definition_id": at.recorder.case.definition.id,
            "element_id": element_id,
            "name": element.name or element_id,
            "clauses": list(element.clauses),
            "form_ref": element.form_ref,
            "candidate_groups": groups,
            "org_id": at.instance.org_id if mine else None,
        }
        t = user_task.c
        open_one = (t.instance_id == at.instance.id, t.node == node, t.status == "open")
        at.session.execute(update(user_task).where(*open_one).values(**values))
    for table in (timer, event_subscription, job, incident):
        _renamed(at, table)


def _renamed(at: Context, table: Table) -> None:
    columns = (table.c.id, table.c.node, table.c.element_id)
    for row in at.session.execute(select(*columns).where(table.c.instance_id == at.instance.id)):
        found = at.execution.element_at(row.node)
        if found is not None and found != row.element_id:
            at.session.execute(update(table).where(table.c.id == row.id).values(element_id=found))
