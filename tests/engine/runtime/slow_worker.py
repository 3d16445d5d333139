"""A worker process with one external handler: it writes down each call and takes as long as its variable says."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

from webapp import config, db, worker
from webapp.engine import runtime
from webapp.engine.handler_api import ExternalContext, Hooks, Registered
from webapp.worker_children import Children


def slow(context: ExternalContext) -> dict[str, Any]:
    with open(os.environ["CALLS"], "a", encoding="ascii") as file:
        file.write(f"{context.job_id} {os.getpid()}\n")
    time.sleep(context.variables["seconds"])
    return {"slow": "done"}


def hooks() -> Hooks:
    made = Hooks()
    made.handlers["slow"] = Registered(slow, True, {}, {}, "")
    return made


def main() -> None:
    settings = config.load()
    db.configure(settings.database_url)
    runtime.install(runtime.Engine(hooks(), frozenset(), lambda session, name: None))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    preload = ("tests.engine.runtime.slow_worker",)
    worker.run(settings, stop, Children(hooks, size=2, seconds=3600, memory=0, preload=preload))


if __name__ == "__main__":
    main()
