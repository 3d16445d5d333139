"""退回 and 收回: back to an earlier task, by whoever holds the task or has just completed the earlier one.

The model may say where a task may be returned to: `qianyin:returnTo="draft check"` names tasks, `returnTo="none"`
forbids it. Without it: every task on the way of the case, as long as nothing lies between that reaches beyond the
case (a handler, a message, a call, a signal): that cannot be taken back and would happen a second time. An element
with `qianyin:repeatable="true"` may. What the law has had done by a handler (a decision signed and in force) is
never gone back over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.engine.bpmn import Execution, moving
from webapp.engine.bpmn.extension import words
from webapp.engine.bpmn.specs import Node
from webapp.engine.bpmn.tasks import UserTask
from webapp.engine.bpmn.tokens import Token
from webapp.engine.definitions import Definition
from webapp.engine.guard import Law, behind, way_of
from webapp.engine.tables import activity_history, process_definition
from webapp.engine.types import Element
from webapp.errors import Conflict, Invalid, QianyinError

_BEYOND: Final = frozenset({"serviceTask", "sendTask", "callActivity", "receiveTask"})


@dataclass(frozen=True, slots=True)
class Ground:
    """What an operation stands on: the tokens of a case, its version, and the way that it has come."""

    execution: Execution
    definition: Definition
    law: Law

    @classmethod
    def of(cls, session: Session, instance_id: UUID, execution: Execution, definition: Definition) -> Ground:
        h = activity_history.c
        statement = select(h.element_id).where(h.instance_id == instance_id).order_by(h.ended_at, h.id)
        spec = definition.compiled.spec
        way = way_of(spec, session.scalars(statement), [token[0] for token in execution.tokens()])
        return cls(execution, definition, Law(spec, tuple(way), lambda element: called_guarded(session, element)))

    # ---- 退回

    def back(self, token: Token, target: str) -> moving.Plan:
        """The plan of a return to a task. Errors: Invalid, Conflict, LawForbids: each says why not."""
        node = self._goal(target)
        allowed = words(token.task_spec.element.properties.get("returnTo"))
        if allowed == ("none",) or (allowed and target not in allowed):
            raise Conflict(f"{token.task_spec.label}不能退回到{node.label}。")
        plan = moving.back(token, node)
        self.law.check(plan)
        self.repeatable(self.since(node), node, named=target in allowed)
        return plan

    def targets(self, token: Token) -> list[Element]:
        """The tasks that the holder of `token` may return the case to, the latest first."""
        found: list[Element] = []
        for name in dict.fromkeys(reversed(self.law.way)):
            try:
                self.back(token, name)
            except QianyinError:
                continue
            found.append(self.definition.compiled.elements[name])
        return found

    def _goal(self, target: str) -> Node:
        node = self.execution.goal(target)
        if not isinstance(node, UserTask):
            raise Invalid(f"只能退回到由人办理的环节，{node.label}不是。")
        if target not in self.law.way:
            raise Conflict(f"{node.label}还没有办过，不能退到那里。")
        return node

    def since(self, node: Node) -> list[Node]:
        """What the case has passed since it left `node`."""
        spec, way = self.definition.compiled.spec, self.law.way
        later = way[len(way) - way[::-1].index(node.name) :]
        return [spec.node(name) for name in later if behind(node, spec.node(name))]

    def repeatable(self, undone: Iterable[Node], target: Node, *, named: bool = False) -> None:
        """Errors: Conflict, when something of that cannot be done a second time."""
        for node in undone:
            if not beyond(node) or node.element.properties.get("repeatable") == "true":
                continue
            if node.element.law:
                raise Conflict(f"{node.label}是规程规定的环节，已经生效，不能退到它之前的{target.label}。")
            if not named:
                raise Conflict(f"{target.label}之后的{node.label}已经执行，不能退到它之前。")


def beyond(node: Node) -> bool:
    """Whether an element acts outside its case, or has taken what comes only once."""
    return node.element.type in _BEYOND or node.event.kind in ("message", "signal")


def called_guarded(session: Session, element: Element) -> bool:
    """Whether the process that a call activity starts has elements that the law demands."""
    d = process_definition.c
    newest = select(d.elements).where(d.key == element.called_key).order_by(d.version.desc()).limit(1)
    elements: dict[str, Any] | None = session.scalar(newest)
    return any(one.get("law") for one in (elements or {}).values())
