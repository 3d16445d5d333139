"""Calling an external handler: with no transaction open, and without trust in how it ends.

The engine is given one way of calling: here in this process (tests, scenarios, the demo's data) or in a child process
that can be killed (the worker, `webapp.worker_children`). Whatever the way, what a handler gives is looked at before an
instance takes it: a table of variables, not too large.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from webapp.engine.bpmn.codec import clone, encode
from webapp.engine.errors import HandlerFailed
from webapp.engine.handler_api import ExternalContext, Hooks, Registered
from webapp.errors import QianyinError

#: Bytes of the variables that one handler may give: they are read and written with every later step of the instance.
MAX_RESULT: Final = 1024 * 1024


class Interrupted(QianyinError):
    """处理程序因作业进程停止而中断，稍后重新执行。"""


#: (hooks, topic, context) -> variables. Errors: BpmnError, HandlerFailed, Interrupted, whatever the handler raises.
Caller = Callable[[Hooks, str, ExternalContext], dict[str, Any]]


def registered(hooks: Hooks, topic: str) -> Registered:
    """The external handler of a topic. Errors: HandlerFailed (permanent)."""
    found = hooks.handlers.get(topic)
    if found is None or not found.external:
        raise HandlerFailed(f"没有名为“{topic}”的外部处理程序。", permanent=True)
    return found


def call_here(hooks: Hooks, topic: str, context: ExternalContext) -> dict[str, Any]:
    """Call it in this process and thread."""
    return checked(registered(hooks, topic).call(context))


def checked(result: Any) -> dict[str, Any]:
    """What a handler gave, as variables. Errors: HandlerFailed when it is no table of variables, or too large."""
    if result is None:
        return {}
    if not isinstance(result, Mapping):
        raise HandlerFailed(f"处理程序返回的不是变量表，而是 {type(result).__name__}。")
    variables: dict[str, Any] = clone(result)
    if (size := len(orjson.dumps(encode(variables)))) > MAX_RESULT:
        megabytes = f"{size / 2**20:.1f} MB"
        raise HandlerFailed(f"处理程序返回的变量有 {megabytes}，超过 1 MB 的上限；大的内容请存为文件。")
    return variables
