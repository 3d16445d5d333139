"""Whether the parts of the program are ready: the web answers, the database is there and current, a worker lives."""

from __future__ import annotations

import logging

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from webapp import db, migrate

#: A worker beats every two seconds (Procrastinate's own heartbeat); seconds after which it counts as gone.
SILENT = 15


def look() -> dict[str, str]:
    """{part: "ok" or what is wrong}."""
    found = {"web": "ok", "database": "unreachable", "worker": "unknown"}
    try:
        with db.engine().connect() as connection:
            found["database"] = "ok" if migrate.is_current(connection) else "not migrated"
            found["worker"] = "ok" if _worker_lives(connection) else "missing"
    except SQLAlchemyError:
        logging.getLogger(__name__).warning("the database is not reachable", exc_info=True)
    return found


def _worker_lives(connection: Connection) -> bool:
    alive = text(
        "select exists (select 1 from procrastinate_workers where last_heartbeat > now() - :silent * interval '1 s')"
    )
    return bool(connection.scalar(alive, {"silent": SILENT}))
