"""UUIDv7 (RFC 9562): keys that sort by the time they were made."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0
#: Random bytes fetched ahead, eight for each key: a call of the system for each costs more than the rest of it.
_AHEAD = 512
_random = b""


def _forget() -> None:
    """A forked process must not use its parent's bytes again."""
    global _random
    _random = b""


os.register_at_fork(after_in_child=_forget)


def uuid7() -> UUID:
    """A new UUIDv7; strictly increasing within the process (12 bits of sub-millisecond counter)."""
    global _last, _random
    with _lock:
        stamp = max(time.time_ns() * 4096 // 1_000_000, _last + 1)
        _last = stamp
        if not _random:
            _random = os.urandom(_AHEAD)
        chance, _random = int.from_bytes(_random[:8], "big") & ((1 << 62) - 1), _random[8:]
    millis, fraction = stamp >> 12, stamp & 0xFFF
    return UUID(int=(millis & ((1 << 48) - 1)) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | chance)
