"""Multi-instance and standard loops (BPMN 10.2.8), as Camunda 7 runs them.

One token is the body (it carries boundary events and `nrOfInstances`, `nrOfCompletedInstances`, `nrOfActiveInstances`);
its children are the instances, each with a scope of its own holding `loopCounter` and the element variable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from webapp.engine.bpmn.expressions import Incident, evaluate, truth
from webapp.engine.bpmn.model import Loop
from webapp.errors import Invalid

if TYPE_CHECKING:
    from webapp.engine.bpmn.tokens import Token

MAX_INSTANCES = 5000
MAX_ROUNDS = 5000


def begin(body: Token) -> bool | None:
    """Start the first instance (sequential) or all (parallel). True when there is none. Errors: Incident."""
    loop = _loop(body)
    if loop.standard:
        if loop.test_before and not _again(body, 0):
            return True
        body.locals = {}
        _spawn(body, 0, None)
        return None
    items = _items(body, loop)
    total = len(items)
    if loop.output_collection is not None:
        body.info["results"] = {}
    if total == 0:
        if loop.output_collection is not None:
            _store(body, loop, [])
        return True
    body.locals = {"nrOfInstances": total, "nrOfCompletedInstances": 0, "nrOfActiveInstances": 0}
    if loop.sequential:
        body.locals["nrOfActiveInstances"] = 1
        body.info["items"] = items  # the collection as it was when the loop began
        _spawn(body, 0, items[0])
        return None
    body.locals["nrOfActiveInstances"] = total
    for index, item in enumerate(items):
        _spawn(body, index, item)
    return None


def leaving(child: Token, results: dict[str, Any]) -> None:
    """Before an instance ends: everything that may fail is evaluated, with the instance's own variables in sight."""
    body, loop = _body(child), _loop(child)
    workflow = child.workflow
    scope = {**workflow.visible(child), **results}
    index = int(child.info["loop"]) - 1
    if loop.standard:
        child.loop_stop = not _again(body, index + 1, scope)
        return
    counts = _counts_after(body)
    scope.update(counts)
    collected: Any = None
    if loop.output_collection is not None and loop.output_element is not None:
        collected = evaluate(loop.output_element, scope, workflow.now, f"{child.task_spec.label}的循环结果")
    if loop.completion is not None:
        child.loop_stop = truth(loop.completion, scope, workflow.now, f"{child.task_spec.label}的完成条件")
    assert body.locals is not None
    body.locals.update(counts)
    body.info["last"] = index
    if loop.output_collection is not None:
        body.info["results"][str(index)] = collected


def advance(body: Token) -> None:
    """An instance has ended: the next one, or the end of the loop. The instance's verdict is `body.loop_stop`."""
    loop = _loop(body)
    done = body.loop_stop
    locals_ = body.locals if body.locals is not None else {}
    if loop.standard:
        if not done:
            _spawn(body, int(body.info["next"]), None)
            return
    elif not done and loop.sequential:
        items = body.info["items"]
        index = int(body.info["next"])
        if index < len(items):
            locals_["nrOfActiveInstances"] = 1
            _spawn(body, index, items[index])
            return
    elif not done and body.working:
        return
    for child in body.kids:
        body.workflow.cancel(child)
    if loop.output_collection is not None:
        found = body.info["results"]
        _store(body, loop, [found[key] for key in sorted(found, key=int)])
    body.workflow.leave_later(body)


def again(body: Token, index: int) -> None:
    """An operation: the instance of that number (from 0) begins anew, whether it is at work or done.

    In a sequential loop those behind it have still to come. Errors: Invalid (no such instance), Incident.
    """
    loop, workflow = _loop(body), body.workflow
    if loop.standard:
        raise Invalid(f"{body.task_spec.label}是循环，只能整体重新开始。")
    held = body.locals
    assert held is not None
    items = body.info["items"] if loop.sequential else _items(body, loop)
    if not 0 <= index < min(len(items), held["nrOfInstances"]) or (loop.sequential and index >= body.info["next"]):
        raise Invalid(f"{body.task_spec.label}没有第 {index + 1} 个实例，或它尚未开始。")
    active = [child for child in body.kids if not child.listener]
    gone = active if loop.sequential else [child for child in active if child.info["loop"] == index + 1]
    for child in gone:
        workflow.cancel(child)
    results = body.info.get("results", {})
    for key in [key for key in results if int(key) == index or (loop.sequential and int(key) > index)]:
        del results[key]
    done = index if loop.sequential else held["nrOfCompletedInstances"] - (0 if gone else 1)
    left = 1 if loop.sequential else held["nrOfActiveInstances"] + (0 if gone else 1)
    held.update(nrOfCompletedInstances=done, nrOfActiveInstances=left)
    following = body.info["next"]
    _spawn(body, index, items[index])
    if not loop.sequential:
        body.info["next"] = following


def _spawn(body: Token, index: int, item: Any) -> None:
    loop = _loop(body)
    body.info["next"] = index + 1
    child = body.workflow.spawn(body.task_spec, body)
    child.info["loop"] = index + 1
    child.locals = {"loopCounter": index}
    if loop.element_variable is not None and not loop.standard:
        child.locals[loop.element_variable] = body.workflow.copy(item)


def _items(body: Token, loop: Loop) -> list[Any]:
    workflow, label = body.workflow, body.task_spec.label
    scope = workflow.visible(body)
    if loop.collection is not None:
        found = evaluate(loop.collection, scope, workflow.now, f"{label}的循环集合")
        if not isinstance(found, list):
            raise Incident(f"{label}的循环集合不是列表。")
    else:
        assert loop.cardinality is not None
        number = evaluate(loop.cardinality, scope, workflow.now, f"{label}的循环次数")
        if isinstance(number, bool) or number is None or not _whole(number):
            raise Incident(f"{label}的循环次数不是非负整数。")
        if number > MAX_INSTANCES:
            raise Incident(f"{label}要展开 {number} 次，超过上限 {MAX_INSTANCES}。")
        found = list(range(int(number)))
    if len(found) > MAX_INSTANCES:
        raise Incident(f"{label}要展开 {len(found)} 次，超过上限 {MAX_INSTANCES}。")
    return found


def _whole(number: Any) -> bool:
    try:
        return bool(number == int(number) and number >= 0)
    except (TypeError, ValueError, OverflowError):
        return False


def _again(body: Token, rounds: int, scope: Any = None) -> bool:
    """Standard loop: whether another round follows after `rounds`."""
    loop = _loop(body)
    if loop.maximum is not None and rounds >= loop.maximum:
        return False
    if rounds >= MAX_ROUNDS:
        raise Incident(f"{body.task_spec.label}循环超过 {MAX_ROUNDS} 次。")
    if loop.condition is None:
        return True
    found = body.workflow.visible(body) if scope is None else scope
    return truth(loop.condition, found, body.workflow.now, f"{body.task_spec.label}的循环条件")


def _counts_after(body: Token) -> dict[str, int]:
    held = body.locals or {}
    return {
        "nrOfInstances": held["nrOfInstances"],
        "nrOfCompletedInstances": held["nrOfCompletedInstances"] + 1,
        "nrOfActiveInstances": max(held["nrOfActiveInstances"] - 1, 0),
    }


def _store(body: Token, loop: Loop, values: list[Any]) -> None:
    assert loop.output_collection is not None
    body.locals = None  # the result belongs outside the loop
    body.workflow.assign(body, {loop.output_collection: values})


def _loop(token: Token) -> Loop:
    loop = token.task_spec.loop
    assert loop is not None
    return loop


def _body(child: Token) -> Token:
    body = child.up
    assert body is not None
    return body
