"""Logging: a line per event on standard error; libraries that tell every step of theirs are heard from warnings on."""

from __future__ import annotations

import logging

_TALKATIVE = ("alembic", "weasyprint", "fontTools", "procrastinate", "PIL", "asyncio")


def configure(level: str) -> None:
    """Set up the process's logging. Errors: ValueError for a level that does not exist."""
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
