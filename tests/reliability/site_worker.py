"""The job worker of `site`, as `qianyin worker` runs it."""

from __future__ import annotations

import signal
import threading
from functools import partial

from tests.reliability import site
from webapp import children, cli, composition, worker
from webapp.worker_children import Children


def main() -> None:
    children.leave_with_parent()
    config = cli._configure()
    composition.build_engine(config)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    processes = Children(
        partial(site.prepare, config),
        size=config.worker_threads,
        seconds=config.handler_seconds,
        memory=config.handler_memory,
        preload=("tests.reliability.site",),
    )
    worker.run(config, stop, processes)


if __name__ == "__main__":
    main()
