"""UUIDv7 (RFC 9562): keys that sort by the time they were made."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """A new UUIDv7; strictly increasing within the process (12 bits of sub-millisecond counter)."""
    global _last
    with _lock:
        stamp = max(time.time_ns() * 4096 // 1_000_000, _last + 1)
        _last = stamp
    millis, fraction = stamp >> 12, stamp & 0xFFF
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return UUID(int=(millis & ((1 << 48) - 1)) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random)
