"""The database: one engine per process, one session per unit of work, and the only commit of the program.

`transaction()` is opened by an edge (a request, a job, a command of the command line); services and the engine take
its session and flush. Deadlocks and serialisation failures are retried from the start by `retrying()`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, TypeVar, cast
from uuid import UUID

import orjson
import psycopg
from sqlalchemy import DateTime, Engine, MetaData, Select, create_engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction

from webapp.driver import Connection, rows

T = TypeVar("T")

#: Session settings of every connection: a step never waits for ever (milliseconds).
OPTIONS = (
    "-c timezone=UTC -c jit=off"
    " -c lock_timeout=10000 -c statement_timeout=60000 -c idle_in_transaction_session_timeout=60000"
)
#: SQLSTATEs after which the whole unit of work may be run again: serialisation failure, deadlock.
RETRYABLE = {"40001", "40P01"}
#: Where a session keeps the driver's connection while its transaction lasts.
_DRIVER = "webapp.db.driver"


class Base(DeclarativeBase):
    """Base of all mapped classes; `Base.metadata` holds the engine's plain tables too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        UUID: PgUUID(as_uuid=True),
        dict[str, Any]: JSONB,
    }


_dialect = registry.load("postgresql.psycopg")()
_engine: Engine | None = None
_url: str | None = None


def _dumps(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()


def sqlalchemy_url(url: str) -> str:
    """The same address with the driver named, as SQLAlchemy wants it."""
    if url.startswith(("postgresql://", "postgres://")):
        return "postgresql+psycopg://" + url.split("://", 1)[1]
    return url


def configure(url: str, *, pool_size: int = 12) -> Engine:
    """Make the process's engine for a PostgreSQL `url` (`postgresql://…`); call once, after any fork."""
    global _engine, _url
    if _engine is not None:
        _engine.dispose()
    _url = url
    _engine = create_engine(
        sqlalchemy_url(url),
        pool_size=pool_size,
        max_overflow=4,
        pool_pre_ping=False,
        pool_recycle=1800,
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
        connect_args={"options": OPTIONS, "connect_timeout": 10, "prepare_threshold": 2},
    )
    event.listen(_engine, "do_connect", lambda _dialect, _record, given, named: Connection.connect(*given, **named))
    return _engine


def dispose() -> None:
    """Close the process's connections; `configure` may be called again."""
    global _engine
    if _engine is not None:
        _engine.dispose()
    _engine = None


def current_url() -> str | None:
    """The address that the process is configured for, None before `configure`."""
    return _url if _engine is not None else None


def engine() -> Engine:
    """The process's engine. Errors: RuntimeError before `configure`."""
    if _engine is None:
        raise RuntimeError("the database is not configured: call db.configure(url) first")
    return _engine


@contextmanager
def transaction() -> Iterator[Session]:
    """One unit of work: commits when the block ends, rolls back when it raises. The only commit of the program."""
    with Session(engine(), expire_on_commit=False) as session:
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


class UnitOfWork:
    """A unit of work that begins at its first use: for a request, which may need no database at all."""

    def __init__(self) -> None:
        self._session: Session | None = None

    def session(self) -> Session:
        """The unit's session, opened now when it is not yet."""
        if self._session is None:
            self._session = Session(engine(), expire_on_commit=False)
        return self._session

    def finish(self) -> None:
        """Make it last. Errors of the database come through; then call `rollback`."""
        if self._session is not None:
            self._session.commit()

    def rollback(self) -> None:
        """Undo everything; the next `session` is a new one. What was loaded stays readable (for the error page)."""
        if self._session is not None:
            if self._session.in_transaction():  # not after `finish`
                self._session.expunge_all()
                self._session.rollback()
            self._session.close()
            self._session = None


class Compiled(NamedTuple):
    """A statement as the driver takes it, made once: its text, and the values in it that stay the same."""

    sql: str
    values: Mapping[str, Any]

    @classmethod
    def of(cls, statement: Select[Any]) -> Compiled:
        """Errors: those of SQLAlchemy; ValueError for a list whose length is part of the text (`IN`)."""
        compiled = statement.compile(dialect=_dialect)
        if "POSTCOMPILE" in (sql := str(compiled)):
            raise ValueError(f"the text of this statement depends on its values: {sql}")
        return cls(sql, compiled.params)

    def rows(self, session: Session, **values: Any) -> list[tuple[Any, ...]]:
        """What it gives with these values."""
        return direct(session, self.sql, {**self.values, **values})


def direct(session: Session, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement that the driver runs by itself, on the session's connection; parameters are `%(name)s`.

    For the few statements of every step: SQLAlchemy's way to them costs half as much again. Errors are SQLAlchemy's
    (DBAPIError), so that an edge repeats a deadlock as ever; a broken connection leaves the pool.
    """
    driver = cast("psycopg.Connection[Any]", session.info.get(_DRIVER))
    if driver is None:
        driver = session.info[_DRIVER] = session.connection().connection.driver_connection
    try:
        return rows(driver, sql, values)
    except psycopg.Error as error:
        connection = session.connection()
        if driver.closed:
            connection.invalidate(error)
        wrapped = DBAPIError.instance(
            sql,
            dict(values),
            error,
            psycopg.Error,
            connection_invalidated=driver.closed,
            dialect=connection.dialect,
        )
        raise wrapped from error


@event.listens_for(Session, "after_transaction_create")
@event.listens_for(Session, "after_transaction_end")
def _turned(session: Session, _transaction: SessionTransaction) -> None:
    """The connection goes back to the pool with the transaction; a nested one sets its savepoint when it is asked."""
    session.info.pop(_DRIVER, None)


def is_retryable(error: BaseException) -> bool:
    """Whether the unit of work may simply be run again (deadlock, serialisation failure)."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in RETRYABLE


def is_lost(error: BaseException) -> bool:
    """Whether the connection broke: nothing more can be done in this unit of work, whoever asked has to ask again."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def retrying(work: Callable[[Session], T], *, attempts: int = 4) -> T:
    """Run `work(session)` in a transaction of its own, from the start again after a deadlock."""
    for attempt in range(1, attempts + 1):
        try:
            with transaction() as session:
                return work(session)
        except DBAPIError as error:
            if attempt == attempts or not is_retryable(error):
                raise
            time.sleep(0.02 * 2**attempt)
    raise AssertionError("unreachable")
