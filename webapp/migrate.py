"""Bring a database to the program's schema. Two processes may start at once: an advisory lock lets one go first."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from webapp.db import sqlalchemy_url
from webapp.migrations import partitions

#: Any fixed number: it names our lock among the database's advisory locks.
_LOCK = 0x5149414E59494E
_MONTHS_AHEAD = 24


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's settings; `connection` is what its commands run on."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def upgrade(url: str) -> None:
    """Bring the database at `url` to the newest version and make the coming months' partitions."""
    engine = create_engine(sqlalchemy_url(url), poolclass=NullPool)
    with engine.connect() as guard:
        guard.execution_options(isolation_level="AUTOCOMMIT")
        guard.execute(text("select pg_advisory_lock(:key)"), {"key": _LOCK})
        with engine.begin() as connection:
            to_head(connection)
    engine.dispose()


def to_head(connection: Connection) -> None:
    """Bring the database to the newest version inside the connection's transaction, coming months included."""
    to(connection, "head")
    first = datetime.now(UTC).date().replace(day=1)
    partitions.ensure(connection, first, _MONTHS_AHEAD)


def to(connection: Connection, revision: str) -> None:
    """Bring an older or empty database to a version inside the connection's transaction."""
    command.upgrade(configuration(connection), revision)


def knows(revision: str) -> bool:
    """Whether a version of the schema is one of this program's."""
    scripts = ScriptDirectory.from_config(configuration())
    return revision in {script.revision for script in scripts.walk_revisions()}


def is_current(connection: Connection) -> bool:
    """Whether the database has the newest version."""
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == head
