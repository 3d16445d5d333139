"""What nobody waits for: seals of the audit trail, old months of the history, stored bytes that no row names.

Each worker has a thread for it, so that a month that takes minutes holds up no timer. Of several workers one at a time
does each of these.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from sqlalchemy.orm import Session

from webapp import db
from webapp.audit.seals import Sealer
from webapp.chasing import automatic, mail
from webapp.config import Config
from webapp.documents import service as documents
from webapp.documents import storage
from webapp.retention import service as retention
from webapp.standing import service as standing

log = logging.getLogger(__name__)


def run(config: Config, stop: threading.Event) -> None:
    """Look after everything at its own pace, in seconds, until `stop` is set."""
    storage.configure(config)
    looks: tuple[tuple[float, Callable[[Session], int]], ...] = (
        (60.0, Sealer().round),
        (60.0, automatic.run),
        (60.0, standing.expire),
        (30.0, partial(mail.run, config=config)),
        (600.0, retention.run),
        (3600.0, documents.sweep),
    )
    last = {number: time.monotonic() for number in range(len(looks))}
    while not stop.wait(1.0):
        for number, (pace, look) in enumerate(looks):
            if time.monotonic() - last[number] >= pace and not stop.is_set():
                last[number] = time.monotonic()
                once(look)


def once(look: Callable[[Session], int]) -> int:
    """One look in a transaction of its own; what goes wrong is logged, the next round tries again."""
    try:
        return db.retrying(partial(look))
    except Exception:  # the database is away, a lock was not given in time, the disk is full
        log.exception("housekeeping failed; the next round tries again")
        return 0
