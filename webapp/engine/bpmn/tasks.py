"""Tasks: people, handlers, decisions, scripts, messages, calls."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from webapp.engine.bpmn import throwing
from webapp.engine.bpmn.expressions import Incident, Value, due, evaluate, people
from webapp.engine.bpmn.joins import behind_gateway
from webapp.engine.bpmn.specs import Activity, ProcessSpec
from webapp.engine.bpmn.tokens import WAITING, Token
from webapp.engine.bpmn.waits import announce, key_text, plan
from webapp.engine.errors import BpmnError, HandlerFailed
from webapp.engine.feel import Expression
from webapp.engine.types import CallWanted, Element, MessageThrown, ServiceParked, TaskOpened
from webapp.errors import QianyinError

DEFAULT_PRIORITY = 50


class PassTask(Activity):
    """`bpmn:task` and `bpmn:manualTask`: nothing to do for the engine, the token passes (as in Camunda 7; trap 26)."""


class UserTask(Activity):
    """Waits READY for a person."""

    def __init__(self, spec: ProcessSpec, element: Element) -> None:
        super().__init__(spec, element)
        self.manual = True
        self.users: Value | None = None
        self.assignee: Value | None = None
        self.due: Value | None = None
        self.priority: Value | None = None

    def arrive(self, token: Token) -> bool:
        workflow = token.workflow
        scope, now = workflow.visible(token), workflow.now
        assigned = people(self.assignee, scope, now, f"{self.label}的办理人")
        opened = TaskOpened(
            node=token.id,
            element_id=self.element.id,
            candidate_groups=self.element.candidate_groups,
            candidate_users=people(self.users, scope, now, f"{self.label}的候选人"),
            assignee=assigned[0] if assigned else None,
            due=None if self.due is None else due(self.due, scope, now, f"{self.label}的办理期限"),
            priority=self._priority(token),
            loop_item=self._item(token),
        )
        workflow.emit(opened)
        return True

    def _priority(self, token: Token) -> int:
        if self.priority is None:
            return DEFAULT_PRIORITY
        workflow = token.workflow
        found = self.priority.evaluate(workflow.visible(token), workflow.now, f"{self.label}的优先级")
        try:
            return int(Decimal(found))
        except (ValueError, TypeError, ArithmeticError) as error:
            raise Incident(f"{self.label}的优先级不是整数。") from error

    def _item(self, token: Token) -> Any:
        if self.loop is None or self.loop.element_variable is None or token.locals is None:
            return None
        return token.locals.get(self.loop.element_variable)


class ServiceTask(Activity):
    """A local handler, run at once; or an external one, parked until a job brings its result."""

    def work(self, token: Token) -> bool | None:
        workflow = token.workflow
        variables = workflow.copy(dict(workflow.visible(token)))
        if self.element.external:
            self._park(token, variables)
            return None
        try:
            found = workflow.host.call_handler(self.element, variables)
        except HandlerFailed as failure:
            self._park(token, variables, str(failure), permanent=failure.permanent)
            return None
        except BpmnError as fault:
            raise_fault(token, fault)
            return None
        workflow.results(token, found)
        return True

    def _park(
        self, token: Token, variables: Mapping[str, Any], error: str | None = None, *, permanent: bool = False
    ) -> None:
        token.info["wait"] = "service"
        element = self.element
        token.workflow.emit(
            ServiceParked(
                token.id, element.id, element.topic or "", element.external, variables, error, permanent=permanent
            )
        )


class DecisionTask(Activity):
    """A business rule task: a decision of the deployment, its result mapped as Camunda 7 maps it."""

    def work(self, token: Token) -> bool:
        workflow = token.workflow
        try:
            rows = workflow.host.decide(self.element.decision_ref or "", workflow.copy(dict(workflow.visible(token))))
        except (BpmnError, HandlerFailed):
            raise
        except QianyinError as error:
            raise Incident(f"{self.label}的决策无法计算：{error}") from error
        workflow.results(token, {self.element.result_variable or "": self._mapped(rows)})
        return True

    def _mapped(self, rows: list[dict[str, Any]]) -> Any:
        mapping = self.element.map_decision_result
        if mapping == "resultList":
            return rows
        if mapping == "collectEntries":
            if any(len(row) > 1 for row in rows):
                raise Incident(f"{self.label}：collectEntries 要求决策只有一个输出。")
            return [next(iter(row.values())) for row in rows if row]
        if len(rows) > 1:
            raise Incident(f"{self.label}：决策命中了 {len(rows)} 条规则，只应有一条。")
        if mapping == "singleResult" or not rows:
            return rows[0] if rows else None
        if len(rows[0]) > 1:
            raise Incident(f"{self.label}：singleEntry 要求决策只有一个输出。")
        return next(iter(rows[0].values()), None)


class ScriptTask(Activity):
    """A FEEL expression; its value goes into the result variable, or a context's entries become variables."""

    script: Expression

    def work(self, token: Token) -> bool:
        workflow = token.workflow
        value = evaluate(self.script, workflow.visible(token), workflow.now, f"{self.label}的脚本")
        if self.element.result_variable:
            workflow.results(token, {self.element.result_variable: value})
        elif isinstance(value, dict):
            workflow.results(token, value)
        else:
            raise Incident(f"{self.label}没有结果变量，脚本的结果必须是上下文（context）。")
        return True


class SendTask(Activity):
    """Throws a message. Its payload is what its input parameters map, nothing else."""

    def work(self, token: Token) -> bool:
        throw_message(self, token)
        return True


class ReceiveTask(Activity):
    """Waits for a message."""

    def arrive(self, token: Token) -> bool:
        wait = plan(self, token)
        token._set_state(WAITING)
        announce(token, self, wait)
        return False

    def deliver(self, token: Token, payload: dict[str, Any]) -> None:
        if token.listener:
            behind_gateway(self, token, payload)
        else:
            take(token, payload)


class CallActivity(Activity):
    """Waits for an instance of its own, which the runtime starts and answers."""

    def __init__(self, spec: ProcessSpec, element: Element) -> None:
        super().__init__(spec, element)
        self.key: Expression | None = None
        self.passed: tuple[tuple[str, Expression], ...] = ()
        self.returned: tuple[tuple[str, Expression], ...] = ()

    def work(self, token: Token) -> None:
        workflow, element = token.workflow, self.element
        scope = workflow.visible(token)
        passed: dict[str, Any] = dict(scope) if element.called_all_inputs else {}
        for name, expression in self.passed:
            passed[name] = evaluate(expression, scope, workflow.now, f"{self.label}传入的 {name}")
        key = key_text(self.key, token, f"{self.label}的业务编号")
        token.info["wait"] = "call"
        workflow.emit(
            CallWanted(
                token.id, element.id, element.called_key or "", element.called_binding, key, workflow.copy(passed)
            )
        )

    def _on_complete_hook(self, my_task: Token) -> None:
        my_task.leaving = True
        answer = my_task.info.get("answer")
        if answer is not None:  # kept until its mapping succeeded: a retry calls nobody again
            kept: dict[str, Any] = dict(answer) if self.element.called_all_outputs else {}
            for name, expression in self.returned:
                kept[name] = evaluate(expression, answer, my_task.workflow.now, f"{self.label}返回的 {name}")
            my_task.workflow.results(my_task, kept)
            del my_task.info["answer"]
        super()._on_complete_hook(my_task)


def throw_message(node: Activity, token: Token) -> None:
    """Report a thrown message. The payload is the token's own scope: its input parameters."""
    workflow = token.workflow
    key = key_text(node.event.correlation_key, token, f"{node.label}的关联键")
    payload = {name: (token.locals or {})[name] for name, _ in node.maps_in}
    workflow.emit(MessageThrown(token.id, node.element.id, node.event.name, key, workflow.copy(payload)))


def take(token: Token, payload: Mapping[str, Any]) -> None:
    """What the token waited for has come."""
    workflow = token.workflow
    workflow.stop_waiting(token)
    if isinstance(token.task_spec, CallActivity):
        token.info["answer"] = workflow.copy(dict(payload))
    else:
        workflow.results(token, payload)
    workflow.leave_later(token)


def raise_fault(token: Token, fault: BpmnError) -> None:
    """A handler's business fault: a catching event takes it, else it is an incident at this task."""
    if not throwing.throw(token, "error", fault.error_code, str(fault)):
        raise Incident(f"{token.task_spec.label}报出业务错误 {fault.error_code}，没有事件捕获它：{fault}")
