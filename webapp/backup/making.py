"""`qianyin backup`: all rows as of one moment and the documents that they name, in one archive, while work goes on.

One read-only transaction at REPEATABLE READ copies every table: nobody waits for it, and it sees nothing that came
later. Documents are copied afterwards; each was stored before the row that names it, and none is removed while a row
does. No program of PostgreSQL is needed on the machine: rows travel as COPY text, and a restore makes the tables by the
migrations of the revision that the archive names, so that it fits every PostgreSQL that the program runs on.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
import zstandard
from psycopg import IsolationLevel, sql

from webapp import clock
from webapp.backup import archive
from webapp.documents import storage, stores
from webapp.errors import Conflict

#: Told to the person at the terminal.
Say = Callable[[str], None]
#: Waits for nobody's lock longer than this, and for nothing else.
OPTIONS = "-c timezone=UTC -c lock_timeout=30s -c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
_TABLES = (
    "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
    " and not relispartition and relname <> 'alembic_version' order by relname"
)
_COLUMNS = (
    "select c.relname, array_agg(a.attname::text order by a.attnum)"
    " from pg_class c join pg_attribute a on a.attrelid = c.oid"
    " where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition"
    " and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and c.relname <> 'alembic_version'"
    " group by c.relname order by c.relname"
)
_PARTITIONS = (
    "select p.relname, c.relname, pg_get_expr(c.relpartbound, c.oid) from pg_inherits i"
    " join pg_class p on p.oid = i.inhparent join pg_class c on c.oid = i.inhrelid"
    " where p.relnamespace = 'public'::regnamespace and p.relkind = 'p' order by 1, 2"
)
_SEQUENCES = "select sequencename from pg_sequences where schemaname = 'public' order by 1"
_PIECE = 1024 * 1024
_EVERY = 500


def make(url: str, store: stores.Store, target: Path, say: Say) -> archive.End:
    """Write the archive `target`; gives what it holds (`damaged`: documents that could not be copied).

    Errors: FileExistsError, OSError (the disk), psycopg.Error (the database), Conflict (the schema changed meanwhile).
    """
    with archive.writing(target) as writer:
        end = archive.End()
        with psycopg.connect(url, options=OPTIONS) as connection:
            digests = _rows(connection, writer, end, say)
        _documents(store, digests, writer, end, say)
        writer.json(archive.END, end)
    return end


def _rows(connection: psycopg.Connection[Any], writer: archive.Writer, end: archive.End, say: Say) -> list[bytes]:
    """Copy all tables in one snapshot; the digests of the documents that its rows name, 32 bytes each."""
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    head = _begin(connection)
    writer.json(archive.HEAD, head)
    for number, (table, columns) in enumerate(head.columns.items(), 1):
        end.tables[table] = _table(connection, writer, table, columns)
        if end.tables[table][0]:
            say(f"[{number}/{len(head.columns)}] {table}：{end.tables[table][0]} 行")
    for (name,) in connection.execute(_SEQUENCES).fetchall():
        found = connection.execute(sql.SQL("select last_value, is_called from {}").format(sql.Identifier(name)))
        [end.sequences[name]] = found.fetchall()
    with connection.cursor(name="digests") as cursor:
        cursor.execute("select distinct digest from document order by digest")
        return [bytes.fromhex(digest) for (digest,) in cursor]


def _begin(connection: psycopg.Connection[Any]) -> archive.Head:
    """Lock the tables against a change of the schema, then take the snapshot."""
    names = [name for (name,) in connection.execute(_TABLES).fetchall()]
    connection.rollback()
    if names:
        tables = sql.SQL(", ").join(map(sql.Identifier, names))
        connection.execute(sql.SQL("lock table {} in access share mode").format(tables))
    columns = dict(connection.execute(_COLUMNS).fetchall())
    if "document" not in columns or list(columns) != names:
        raise Conflict("数据库中没有牵引的数据表，或其结构正在升级；没有备份。")
    partitions: dict[str, dict[str, str]] = {}
    for table, name, bounds in connection.execute(_PARTITIONS).fetchall():
        partitions.setdefault(table, {})[name] = bounds
    revision, server, at = _one(
        connection, "select version_num, current_setting('server_version'), %s from alembic_version", clock.now()
    )
    return archive.Head(archive.FORMAT, version("qianyin"), revision, at.isoformat(), server, columns, partitions)


def _one(connection: psycopg.Connection[Any], query: LiteralString, *values: Any) -> tuple[Any, ...]:
    return cast(tuple[Any, ...], connection.execute(query, values).fetchone())


def _table(
    connection: psycopg.Connection[Any], writer: archive.Writer, table: str, columns: list[str]
) -> tuple[int, str]:
    """Copy one table; rows and digest. In COPY text a line is a row: line ends inside of values are escaped."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    query = sql.SQL("copy (select {} from {}) to stdout").format(names, sql.Identifier(table))
    digest, rows = hashlib.sha256(), 0
    with tempfile.TemporaryFile(dir=writer.folder) as spool:
        with (
            zstandard.ZstdCompressor(level=6).stream_writer(spool, closefd=False) as compressed,
            connection.cursor() as cursor,
            cursor.copy(query) as copy,
        ):
            pending = bytearray()
            for line in copy:
                rows += bytes(line).count(b"\n")
                pending += line
                if len(pending) >= _PIECE:
                    digest.update(pending)
                    compressed.write(bytes(pending))
                    pending.clear()
            digest.update(pending)
            compressed.write(bytes(pending))
        size = spool.tell()
        spool.seek(0)
        writer.add(f"tables/{table}.copy.zst", spool, size)
    return rows, digest.hexdigest()


def _documents(store: stores.Store, digests: list[bytes], writer: archive.Writer, end: archive.End, say: Say) -> None:
    """Copy the documents; what is missing or no longer has its digest is noted, and left out."""
    for number, raw in enumerate(digests, 1):
        digest = raw.hex()
        try:
            with store.open(digest) as file:
                if storage.digest_of(file) != digest:
                    raise FileNotFoundError(digest)
                size = file.tell()
                file.seek(0)
                writer.add(f"documents/{stores.key(digest)}", file, size)
        except FileNotFoundError:
            end.damaged.append(digest)
            continue
        end.documents += 1
        end.document_bytes += size
        if number % _EVERY == 0 or number == len(digests):
            say(f"文件：{number}/{len(digests)}，{end.document_bytes / 2**20:.1f} MB")
