"""The hydrated instances of this process: taken out before use, put back only after the commit.

A failed step, a rolled-back savepoint or transaction never leaves a dirty execution behind: what a session has run lies
in the session until its outermost commit, and any rollback throws it away.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

if TYPE_CHECKING:
    from webapp.engine.bpmn import Execution
    from webapp.engine.host import StepHost

_KEY: Final = "webapp.engine.ran"


@dataclass(frozen=True, slots=True)
class Entry:
    """One execution as of a version of its row."""

    version: int
    execution: Execution
    host: StepHost
    incidents: frozenset[UUID] = field(default_factory=frozenset)  # nodes that stand in an incident


class Cache:
    """Least recently used first out. Thread-safe."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[UUID, Entry] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, session: Session, instance_id: UUID) -> Entry | None:
        """Take an entry out: what this session itself has run goes first."""
        ran = _ran(session).pop(instance_id, None)
        with self._lock:
            kept = self._entries.pop(instance_id, None)
        return kept if ran is None else ran[1]

    def keep(self, session: Session, instance_id: UUID, entry: Entry) -> None:
        """Put an entry (back) in when the session's transaction commits."""
        _ran(session)[instance_id] = (self, entry)

    def put(self, instance_id: UUID, entry: Entry) -> None:
        with self._lock:
            self._entries[instance_id] = entry
            self._entries.move_to_end(instance_id)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)


def _ran(session: Session) -> dict[UUID, tuple[Cache, Entry]]:
    return cast(dict[UUID, tuple[Cache, Entry]], session.info.setdefault(_KEY, {}))


@event.listens_for(Session, "after_commit")
def _committed(session: Session) -> None:
    if session.in_nested_transaction() or _KEY not in session.info:
        return
    for instance_id, (cache, entry) in session.info.pop(_KEY).items():
        cache.put(instance_id, entry)


@event.listens_for(Session, "after_soft_rollback")
def _rolled_back(session: Session, _transaction: Any) -> None:
    session.info.pop(_KEY, None)


@event.listens_for(Session, "after_transaction_end")
def _ended(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:  # closed without commit, too
        session.info.pop(_KEY, None)
