"""Compensation (BPMN 10.7, 13.5.5): what was done is undone by its handlers, last first, one after the other.

A finished activity with a compensation handler leaves a record in its scope; a finished subprocess wraps the records
of its inside, with its variables as they were. The records live in the instance's state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from webapp.engine.bpmn.specs import Activity, Scope

if TYPE_CHECKING:
    from webapp.engine.bpmn.tokens import Token

Record = dict[str, Any]


def remember(token: Token) -> None:
    """Called when a token has finished: keep what its compensation needs."""
    spec, scope, workflow = token.task_spec, token.up, token.workflow
    if scope is None or not isinstance(spec, Activity) or token.body:
        return
    inner: list[Record] = []
    if isinstance(spec, Scope):
        inner = [record for record in workflow.compensations if record["scope"] == str(token.id)]
        workflow.compensations = [record for record in workflow.compensations if record["scope"] != str(token.id)]
    if spec.compensated_by is None and not inner and not (isinstance(spec, Scope) and spec.undoing):
        return
    while scope.body and scope.up is not None:  # the instances of a loop are compensated in the scope around it
        scope = scope.up
    record = {"element": spec.name, "scope": str(scope.id), "locals": dict(token.locals or {}), "inner": inner}
    workflow.compensations.append(record)


def begin(token: Token) -> bool | None:
    """A compensation event is thrown. True: nothing is to be undone."""
    workflow, scope = token.workflow, token.up
    assert scope is not None
    ref = token.task_spec.event.activity_ref
    here = {str(scope.id)}
    if isinstance(scope.task_spec, Scope) and scope.up is not None and getattr(scope.task_spec, "start", None):
        here.add(str(scope.up.id))  # thrown by an event subprocess: the scope around it is compensated
    chosen = [
        record for record in workflow.compensations if record["scope"] in here and ref in (None, record["element"])
    ]
    workflow.compensations = [record for record in workflow.compensations if record not in chosen]
    token.info["undo"] = _flat(token, chosen, {})
    return None if _next(token) else True


def advance(token: Token) -> None:
    """One handler has ended."""
    if _next(token):
        return
    workflow = token.workflow  # what the handlers themselves did is not undone in its turn
    workflow.compensations = [record for record in workflow.compensations if record["scope"] != str(token.id)]
    workflow.leave_later(token)


def adopt(scope: Token) -> None:
    """Before a transaction's tokens are taken away: what was done in its running subprocesses is undone with it."""
    todo, workflow = list(scope.kids), scope.workflow
    while todo:
        inner = todo.pop()
        todo.extend(inner.kids)
        for record in workflow.compensations:
            if record["scope"] == str(inner.id):
                record.update(scope=str(scope.id), locals={**(inner.locals or {}), **record["locals"]})


def _flat(token: Token, records: list[Record], around: dict[str, Any]) -> list[dict[str, Any]]:
    """Handlers as they run: last done first; the inside of a subprocess unless it has a handler of its own."""
    found: list[dict[str, Any]] = []
    for record in reversed(records):
        spec = token.workflow.spec.node(record["element"])
        assert isinstance(spec, Activity)
        variables = {**around, **record["locals"]}
        if spec.compensated_by is not None:
            found.append({"handler": spec.compensated_by, "locals": variables})
        elif isinstance(spec, Scope) and spec.undoing is not None:
            found.append({"handler": spec.undoing.name, "locals": variables, "inner": record["inner"]})
        else:
            found.extend(_flat(token, record["inner"], variables))
    return found


def _next(token: Token) -> bool:
    todo = token.info.get("undo") or []
    if not todo:
        return False
    first, token.info["undo"] = todo[0], todo[1:]
    handler = token.workflow.spawn(token.workflow.spec.node(first["handler"]), token)
    if first["locals"]:
        handler.locals = dict(first["locals"])
    for record in first.get("inner", ()):  # the event subprocess may undo them by throwing in its turn
        token.workflow.compensations.append({**record, "scope": str(handler.id)})
    return True
