"""External handlers that do everything wrong, until a file exists: then they are mended."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from webapp.engine.handler_api import ExternalContext, Hooks, Registered

#: Seconds after which `hang` is killed; it would take an hour.
LIMIT = 0.5
MEMORY = 600 * 2**20


def _raise(_context: ExternalContext) -> None:
    raise RuntimeError("打印机没有纸")


def _hang(_context: ExternalContext) -> None:
    time.sleep(3600)


def _hang_deaf(_context: ExternalContext) -> None:
    """Hangs, and hears no signal but SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(3600)


def _rubbish(_context: ExternalContext) -> Any:
    return ["not", "variables"]


def _rubbish_inside(_context: ExternalContext) -> Any:
    return {"lock": threading.Lock()}


def _large(_context: ExternalContext) -> dict[str, str]:
    return {"text": "x" * (5 * 2**20)}


def _kill(_context: ExternalContext) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _leave(_context: ExternalContext) -> None:
    os._exit(3)


def _exit(_context: ExternalContext) -> None:
    raise SystemExit(7)


def _eat(_context: ExternalContext) -> dict[str, int]:
    return {"size": len(bytearray(2 * MEMORY))}


BAD: dict[str, Callable[[ExternalContext], Any]] = {
    "raise": _raise,
    "hang": _hang,
    "hang deaf": _hang_deaf,
    "rubbish": _rubbish,
    "rubbish inside": _rubbish_inside,
    "large": _large,
    "kill": _kill,
    "leave": _leave,
    "exit": _exit,
    "eat": _eat,
}


def work(context: ExternalContext) -> Any:
    """Does what the variable `how` says; once the file `mended` exists, its work."""
    if Path(context.variables["mended"]).exists():
        return {"process": os.getpid(), "key": str(context.job_id)}
    return BAD[context.variables["how"]](context)


def hooks() -> Hooks:
    """What a child process knows."""
    made = Hooks()
    made.handlers["work"] = Registered(work, True, {}, {}, "")
    made.handlers["hurried"] = Registered(work, True, {}, {}, "", LIMIT)
    return made
