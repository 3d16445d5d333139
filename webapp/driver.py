"""The short way to the database, for the few statements of every step: prepared once per connection, sent by libpq.

A step spends more time on the way to the database than in it: psycopg's cursor costs some sixty calls of functions per
statement. Here a statement is prepared at its first use on a connection, its parameters are written as the protocol
wants them, and psycopg's own loaders read the answer. What this way does not know (a type, a character that the
protocol cannot carry) goes psycopg's way, with its errors.
"""

from __future__ import annotations

import functools
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

import psycopg
from psycopg import pq
from psycopg.abc import PQGen
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result

Row = tuple[Any, ...]
#: Statements that a connection keeps prepared: each costs memory of its server process.
_MOST = 150
_IDLE, _OPEN = pq.TransactionStatus.IDLE, pq.TransactionStatus.INTRANS
_OK = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
_NO_SUCH_STATEMENT = b"26000"
#: The statement is gone, or the schema has changed under it: the next use prepares it anew.
_SPOILT = (_NO_SUCH_STATEMENT, b"0A000")
_TEXT, _BINARY = 0, 1
_HOLE = re.compile(r"%\((\w+)\)s|%%")


class _Unknown(Exception):
    """This value goes psycopg's way."""


class Connection(psycopg.Connection[Row]):
    """psycopg's connection, with the short way for COMMIT and for a ROLLBACK where there is nothing to undo."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.kept: OrderedDict[str, bytes] = OrderedDict()  # what is prepared, the longest unused first
        self.prepared = 0
        self.by_name = True  # whether SQL may name what was prepared

    def commit(self) -> None:
        """Errors: psycopg's."""
        if self._plain():
            _checked(self, self.pgconn.exec_(b"COMMIT"))
        else:
            super().commit()

    def rollback(self) -> None:
        """Errors: psycopg's."""
        if self.pgconn.transaction_status != _IDLE:
            super().rollback()

    def _deallocate(self, name: bytes | None) -> PQGen[None]:
        """psycopg forgets all of its prepared statements after a rollback to a savepoint, and ours with them."""
        if name is None:
            self.kept.clear()
        return super()._deallocate(name)

    def _plain(self) -> bool:
        """Whether an ordinary transaction is open: no `transaction()` block, no pipeline, no two phases."""
        return self.pgconn.transaction_status == _OPEN and not (self._num_transactions or self._pipeline or self._tpc)


@functools.lru_cache(maxsize=2048)
def _parsed(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """The text with `$1`, and the names of the parameters in order."""
    names: dict[str, int] = {}

    def hole(found: re.Match[str]) -> str:
        return "%" if found[1] is None else f"${names.setdefault(found[1], len(names) + 1)}"

    return _HOLE.sub(hole, sql).encode(), tuple(names)


# ---- parameters


def _plain(text: str) -> bytes:
    """Errors: _Unknown for what the protocol cannot carry (it would cut the text at a zero byte)."""
    try:
        written = text.encode()
    except UnicodeEncodeError as error:
        raise _Unknown from error
    if b"\0" in written:
        raise _Unknown
    return written


def _array(items: list[Any]) -> bytes:
    return b"{" + b",".join(map(_element, items)) + b"}"


def _element(item: Any) -> bytes:
    if type(item) is UUID:
        return item.hex.encode()
    if type(item) is str:
        return b'"' + _plain(item.replace("\\", "\\\\").replace('"', '\\"')) + b'"'
    raise _Unknown


_WRITERS: dict[type, tuple[Callable[[Any], bytes], int]] = {
    str: (_plain, _TEXT),
    int: (lambda value: b"%d" % value, _TEXT),
    bool: (lambda value: b"t" if value else b"f", _TEXT),
    UUID: (lambda value: value.bytes, _BINARY),
    bytes: (bytes, _BINARY),
    datetime: (lambda value: value.isoformat().encode(), _TEXT),
    date: (lambda value: value.isoformat().encode(), _TEXT),
    list: (_array, _TEXT),
}


def _written(names: tuple[str, ...], values: Mapping[str, Any]) -> tuple[list[Any], list[int]]:
    written: list[Any] = []  # bytes or None
    formats: list[int] = []
    for name in names:
        value = values[name]
        if value is None:
            written.append(None)
            formats.append(_TEXT)
            continue
        writer = _WRITERS.get(type(value))
        if writer is None:
            raise _Unknown
        written.append(writer[0](value))
        formats.append(writer[1])
    return written, formats


# ---- statements


def rows(connection: psycopg.Connection[Any], sql: str, values: Mapping[str, Any]) -> list[Row]:
    """The rows of one statement with parameters `%(name)s`, inside the connection's transaction (begun if need be).

    Errors: psycopg's.
    """
    text, names = _parsed(sql)
    try:
        parameters, formats = _written(names, values)
    except _Unknown:
        return connection.execute(sql, values).fetchall()
    connection, server = cast(Connection, connection), connection.pgconn
    name = _prepared(connection, sql, text)
    if server.transaction_status == _IDLE:
        if connection.by_name and names and all(type(values[n]) is UUID for n in names):
            found = _begun_with(connection, name, [values[n] for n in names])
            if found is not None:
                return _read(connection, found)
            connection.kept.pop(sql, None)  # psycopg's rollback may have had all of them forgotten
            name = _prepared(connection, sql, text)
        _checked(connection, server.exec_(b"BEGIN"))
    result = server.exec_prepared(name, parameters, formats, _TEXT)
    if result.error_field(pq.DiagnosticField.SQLSTATE) in _SPOILT:
        connection.kept.pop(sql, None)
    return _read(connection, _checked(connection, result))


def _begun_with(connection: Connection, name: bytes, values: list[UUID]) -> Any:
    """BEGIN and the first statement in one journey; None when a pooler between us has given it another name."""
    written = b", ".join(b"'%s'" % value.hex.encode() for value in values)
    result = connection.pgconn.exec_(b"BEGIN; EXECUTE %s (%s)" % (name, written))
    if result.error_field(pq.DiagnosticField.SQLSTATE) != _NO_SUCH_STATEMENT:
        return _checked(connection, result)
    connection.by_name = False
    connection.rollback()
    return None


def _read(connection: Connection, result: Any) -> list[Row]:
    reader = Transformer(connection)
    reader.set_pgresult(result)
    return reader.load_rows(0, result.ntuples, tuple)


def _prepared(connection: Connection, sql: str, text: bytes) -> bytes:
    kept = connection.kept
    name = kept.get(sql)
    if name is not None:
        kept.move_to_end(sql)
        return name
    if len(kept) >= _MOST:
        _, oldest = kept.popitem(last=False)
        _checked(connection, connection.pgconn.close_prepared(oldest))
    connection.prepared += 1
    name = b"qy_%d" % connection.prepared
    _checked(connection, connection.pgconn.prepare(name, text))
    kept[sql] = name
    return name


def _checked(connection: psycopg.Connection[Any], result: Any) -> Any:
    if result.status in _OK:
        return result
    if connection.pgconn.status == pq.ConnStatus.BAD and not result.error_field(pq.DiagnosticField.SQLSTATE):
        raise psycopg.OperationalError(result.get_error_message())
    raise error_from_result(result, encoding=connection.info.encoding)
