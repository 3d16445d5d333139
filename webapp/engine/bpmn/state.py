"""The state of an instance as bytes: live tokens, their scopes, compensation records. Specifications stay outside.

Layout (JSON, zstd): {"v": 1, "e": end state or null, "c": compensation records, "t": tokens}, a token being
[id, element, state, index of the parent in the list, started at (ISO 8601), info, local variables]; parents come first.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from webapp.engine.bpmn.codec import decode, encode, pack, unpack
from webapp.engine.bpmn.model import CompiledProcess
from webapp.engine.bpmn.tokens import Token
from webapp.engine.bpmn.workflow import ProcessWorkflow
from webapp.engine.types import EndState, Host
from webapp.errors import Invalid

VERSION = 1


def dump(workflow: ProcessWorkflow) -> bytes:
    """The state of a workflow in which everything waits."""
    assert not workflow.queue, "a step is still running"
    index: dict[UUID, int] = {}
    rows: list[list[Any]] = []
    todo = [workflow.root]
    while todo:
        token = todo.pop()
        index[token.id] = len(rows)
        rows.append(_row(token, index))
        todo.extend(reversed(token.kids))
    state = {"v": VERSION, "e": workflow.ended, "c": encode(workflow.compensations), "t": rows}
    return pack(state)


def _row(token: Token, index: dict[UUID, int]) -> list[Any]:
    up = token.up
    return [
        token.id.hex,
        token.task_spec.name,
        token.state,
        None if up is None else index[up.id],
        token.started_at.isoformat(),
        encode(token.info) if token.info else None,
        None if token.locals is None else encode(token.locals),
    ]


def load(compiled: CompiledProcess, blob: bytes, host: Host) -> ProcessWorkflow:
    """The reverse of dump. Errors: Invalid."""
    state = unpack(blob)
    if state["v"] != VERSION:
        raise Invalid(f"实例状态的格式版本 {state['v']} 无法读取。")
    workflow = ProcessWorkflow(compiled, host)
    workflow.ended = None if state["e"] is None else EndState(state["e"])
    workflow.compensations = decode(state["c"])
    tokens: list[Token] = []
    for node, name, token_state, parent, started_at, info, variables in state["t"]:
        spec = compiled.spec.task_specs.get(name)
        if spec is None:
            raise Invalid(f"流程的这个版本没有元素“{name}”，实例停在那里，无法载入。")
        up = None if parent is None else tokens[parent]
        token = Token(workflow, spec, up, token_state, datetime.fromisoformat(started_at), UUID(node))
        if info is not None:
            token.internal_data = decode(info)
        if variables is not None:
            token.locals = decode(variables)
        tokens.append(token)
    workflow.task_tree = tokens[0]
    return workflow


def decode_variables(blob: bytes) -> dict[str, Any]:
    """The instance's variables alone, without the specifications."""
    found = unpack(blob)["t"][0][6]
    return {} if found is None else decode(found)
