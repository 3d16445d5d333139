"""`qianyin restore`: an archive into an empty database and a place for documents, all or nothing.

One transaction: the tables are made by the migrations up to the archive's revision, filled, checked against the digests
at the archive's end, and brought to this program's revision. Documents are stored before it commits, each checked by
its digest. Whatever fails leaves the database as it was; documents that were stored by then are swept a day later.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import orjson
import psycopg
import zstandard
from psycopg import sql
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from webapp import db, migrate
from webapp.backup import archive
from webapp.backup.making import OPTIONS, Say
from webapp.documents import storage
from webapp.errors import Conflict

_TABLES = (
    "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
    " and not relispartition"
)
_OTHERS = (
    "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    " and coalesce(backend_type, 'client backend') = 'client backend'"
)
_KEYS = (
    "select conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) from pg_constraint"
    " where contype = 'f' and connamespace = 'public'::regnamespace and conparentid = 0 order by 1, 2"
)
_BOUNDS = re.compile(r"FOR VALUES FROM \('[0-9 :+-]+'\) TO \('[0-9 :+-]+'\)")
_PIECE = 1024 * 1024
_EVERY = 500


class NotEmpty(Conflict):
    """The database holds data already; told with a sentence of its own."""

    code = "not_empty"


def restore(url: str, path: Path, *, replace: bool, say: Say) -> archive.End:
    """Restore the archive `path` into the database and this process's documents' store; gives the archive's end.

    `replace`: what the database holds is thrown away, in the same transaction. Errors: BadArchive, NotEmpty, Conflict
    (others are connected, not a database of ours, a newer program's archive), OSError, StorageFull, SQLAlchemy's.
    """
    engine = create_engine(db.sqlalchemy_url(url), poolclass=NullPool, connect_args={"options": OPTIONS})
    try:
        with archive.reading(path) as reader, engine.begin() as connection:
            _fit(reader.head)
            _empty(connection, replace=replace)
            say(f"备份于 {reader.head.made_at}，程序 {reader.head.version}，结构版本 {reader.head.revision}")
            end = _fill(connection, reader, say)
            migrate.to_head(connection)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("analyze"))
    finally:
        engine.dispose()
    return end


def _fit(head: archive.Head) -> None:
    if not migrate.knows(head.revision):
        raise Conflict(
            f"备份来自另一版本的程序（{head.version}，结构版本 {head.revision}），本程序不认识；"
            "请用该版本或更新的程序恢复。"
        )


def _empty(connection: Connection, *, replace: bool) -> None:
    """Make sure that nothing is there, or, if so wanted, throw it away."""
    if connection.scalar(text(_OTHERS)):
        raise Conflict("还有程序连接着此数据库；请先停止网页服务和后台进程，再恢复。")
    tables = set(connection.scalars(text(_TABLES)))
    if not tables:
        return
    if "alembic_version" not in tables or "process_instance" not in tables:
        raise Conflict("此数据库中有其他程序的数据表，不是牵引的数据库；没有恢复任何内容。")
    if not replace and any(_has_rows(connection, table) for table in sorted(tables - {"alembic_version"})):
        raise NotEmpty("数据库中已有数据，没有恢复任何内容；确要以备份取代现有数据，请加 --replace。")
    connection.execute(text("drop schema public cascade"))
    connection.execute(text("create schema public"))


def _has_rows(connection: Connection, table: str) -> bool:
    query = sql.SQL("select exists (select 1 from {})").format(sql.Identifier(table))
    return bool(_driver(connection).execute(query).fetchall()[0][0])


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)


def _fill(connection: Connection, reader: archive.Reader, say: Say) -> archive.End:
    migrate.to(connection, reader.head.revision)
    driver = _driver(connection)
    _partitions(driver, reader.head)
    found = archive.End()
    with _unchecked(driver):
        for member in reader.members():
            if member.kind == "table":
                found.tables[member.name] = _table(driver, reader.head, member)
                if found.tables[member.name][0]:
                    say(f"{member.name}：{found.tables[member.name][0]} 行")
            elif member.kind == "document":
                _document(member, found, say)
            else:
                return _ended(driver, reader.head, member, found)
        raise archive.BadArchive("备份文件不完整：缺少 end.json，没有恢复任何内容。")


def _partitions(driver: psycopg.Connection[Any], head: archive.Head) -> None:
    """Make the partitions that the backed-up database had."""
    for table, wanted in head.partitions.items():
        there = {name for (name,) in driver.execute("select relname from pg_class where relispartition").fetchall()}
        for name in sorted(wanted.keys() - there):
            if not _BOUNDS.fullmatch(wanted[name]):
                raise archive.BadArchive(f"备份文件中 {name} 的范围有误。")
            statement = f"create table {{}} partition of {{}} {wanted[name]}"
            driver.execute(sql.SQL(statement).format(sql.Identifier(name), sql.Identifier(table)))


@contextmanager
def _unchecked(driver: psycopg.Connection[Any]) -> Iterator[None]:
    """While tables are filled one after another no foreign key holds and no trigger acts; afterwards all do again."""
    keys = driver.execute(_KEYS).fetchall()
    tables = [name for (name,) in driver.execute(_TABLES).fetchall()]
    for table, name, _ in keys:
        driver.execute(f"alter table {table} drop constraint {name}".encode())
    for table in tables:
        driver.execute(sql.SQL("alter table {} disable trigger user").format(sql.Identifier(table)))
    yield
    for table in tables:
        driver.execute(sql.SQL("alter table {} enable trigger user").format(sql.Identifier(table)))
    for table, name, definition in keys:
        try:
            driver.execute(f"alter table {table} add constraint {name} {definition}".encode())
        except psycopg.errors.ForeignKeyViolation as error:
            raise archive.BadArchive(f"备份中的数据互相矛盾：{error.diag.message_detail}") from error


def _table(driver: psycopg.Connection[Any], head: archive.Head, member: archive.Member) -> tuple[int, str]:
    """Fill one table; rows and digest."""
    if member.name not in head.columns:
        raise archive.BadArchive(f"备份文件中有不应存在的内容：{member.name}。")
    names = sql.SQL(", ").join(map(sql.Identifier, head.columns[member.name]))
    query = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(member.name), names)
    digest, rows = hashlib.sha256(), 0
    try:
        with driver.cursor() as cursor, cursor.copy(query) as copy:
            for piece in zstandard.ZstdDecompressor().read_to_iter(member.file, read_size=_PIECE):
                digest.update(piece)
                rows += piece.count(b"\n")
                copy.write(piece)
    except (zstandard.ZstdError, psycopg.DataError, psycopg.ProgrammingError, psycopg.IntegrityError) as error:
        raise archive.BadArchive(f"备份文件中的表 {member.name} 已损坏（{error}）。") from error
    return rows, digest.hexdigest()


def _document(member: archive.Member, found: archive.End, say: Say) -> None:
    """Store one document under its digest."""
    pieces = storage.chunks_of(member.file)
    with storage.receive(pieces, max_size=member.size, too_big=archive.BadArchive) as incoming:
        if incoming.digest != member.name:
            raise archive.BadArchive(f"备份文件中的文件 {member.name} 已损坏：摘要不符。")
        storage.keep(incoming)
    found.documents += 1
    found.document_bytes += member.size
    if found.documents % _EVERY == 0:
        say(f"文件：{found.documents}，{found.document_bytes / 2**20:.1f} MB")


def _ended(
    driver: psycopg.Connection[Any], head: archive.Head, member: archive.Member, found: archive.End
) -> archive.End:
    """Compare what came with what the archive says it holds, and set the sequences."""
    try:
        end = archive.End(**orjson.loads(member.file.read()))
    except (orjson.JSONDecodeError, TypeError) as error:
        raise archive.BadArchive(f"备份文件的结尾已损坏（{error}）。") from error
    for table in head.columns:
        if found.tables.get(table) != tuple(end.tables.get(table, ())):
            raise archive.BadArchive(f"备份文件中的表 {table} 不完整或已被改动。")
    if (found.documents, found.document_bytes) != (end.documents, end.document_bytes):
        raise archive.BadArchive(f"备份文件中应有文件 {end.documents} 个，实有 {found.documents} 个。")
    for name, (value, given) in end.sequences.items():
        driver.execute("select setval(quote_ident(%s), %s, %s)", (name, value, given))
    return end
