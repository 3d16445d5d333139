"""Child processes of the supervisor: each in a process group of its own, watched, restarted, stopped as a whole."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

#: prctl(2): the signal that a process gets when its parent dies.
_PR_SET_PDEATHSIG = 1
#: A child that lived shorter than this (seconds) failed to start: the next start waits longer each time.
_SETTLED = 10.0
_LONGEST_PAUSE = 30.0


def leave_with_parent() -> None:
    """Let the kernel end this process when its parent dies, even by SIGKILL (Linux; elsewhere nothing happens)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(slots=True)
class Child:
    """One program that has to run for as long as the supervisor does."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    _started_at: float = 0.0
    _not_before: float = 0.0
    _failures: int = 0

    def keep_alive(self) -> bool:
        """Start it when it does not run and its pause is over; give True when it was started now."""
        now = time.monotonic()
        if self.process is not None:
            if self.process.poll() is None:
                return False
            self._note_death(now)
        if now < self._not_before:
            return False
        self.process = subprocess.Popen(
            self.command, env=dict(self.environment), stdin=subprocess.DEVNULL, start_new_session=True
        )
        self._started_at = now
        self.starts += 1
        return True

    def _note_death(self, now: float) -> None:
        assert self.process is not None
        self._kill_group()  # what it left behind would hold the port
        self._failures = 0 if now - self._started_at > _SETTLED else self._failures + 1
        self._not_before = now + (min(2.0 ** (self._failures - 1), _LONGEST_PAUSE) if self._failures > 1 else 0.0)
        self.process = None

    def ask_to_stop(self) -> None:
        """SIGTERM: finish what is under way, then leave."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def stop(self, patience: float) -> None:
        """Wait `patience` seconds for it to leave, then end its whole group."""
        if self.process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        self._kill_group()
        self.process.wait()
        self.process = None

    def _kill_group(self) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
