"""Where an act came from: set by the edge for the time of a request, told by every line of the audit trail."""

from __future__ import annotations

from contextvars import ContextVar

#: The caller's network address; None in the worker and on the command line.
address: ContextVar[str | None] = ContextVar("address", default=None)
