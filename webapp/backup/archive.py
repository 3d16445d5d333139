"""The archive of a backup: one tar file that is written and read in one pass.

    head.json                    format, version, revision of the schema, time, tables with their columns, partitions
    tables/<name>.copy.zst       rows as PostgreSQL's COPY text, compressed by zstd
    documents/<ab>/<cd>/<sha256> every document that a row names, once
    end.json                     rows and SHA-256 of each table, sequences, documents, what was missing

An archive without `end.json` is incomplete. It is written beside its name and gets it when everything is on the disk.
"""

from __future__ import annotations

import fcntl
import io
import os
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import orjson

from webapp.documents import stores
from webapp.errors import Conflict, QianyinError

FORMAT = 1
HEAD, END = "head.json", "end.json"
_TABLE = re.compile(r"tables/([a-z_0-9]+)\.copy\.zst")
_DOCUMENT = re.compile(r"documents/[0-9a-f]{2}/[0-9a-f]{2}/([0-9a-f]{64})")


class BadArchive(QianyinError):
    """The archive is incomplete, damaged, or none; told with a sentence of its own."""

    code = "bad_archive"


@dataclass(frozen=True, slots=True)
class Head:
    """What stands first: all that is needed to make the tables. `columns`: of each table, in the order of its rows."""

    format: int
    version: str
    revision: str
    made_at: str
    server: str
    columns: dict[str, list[str]]
    partitions: dict[str, dict[str, str]]  # table -> partition -> its bounds, as SQL


@dataclass(slots=True)
class End:
    """What stands last: what must have come before it. `tables`: name -> [rows, SHA-256 of the uncompressed rows]."""

    tables: dict[str, tuple[int, str]] = field(default_factory=dict)
    sequences: dict[str, tuple[int, bool]] = field(default_factory=dict)  # name -> last value, whether it was given
    documents: int = 0
    document_bytes: int = 0
    damaged: list[str] = field(default_factory=list)  # digests whose bytes were missing or not theirs


class Writer:
    """Adds members in order."""

    def __init__(self, tar: tarfile.TarFile, folder: Path) -> None:
        self._tar = tar
        self.folder = folder  # for what must be written before its size is known

    def json(self, name: str, value: Any) -> None:
        content = orjson.dumps(asdict(value), option=orjson.OPT_INDENT_2)
        self.add(name, io.BytesIO(content), len(content))

    def add(self, name: str, file: IO[bytes], size: int) -> None:
        """Add `size` bytes of `file`. Errors: OSError, as the disk says."""
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        self._tar.addfile(info, file)
        _forget(self._tar)


@contextmanager
def writing(target: Path) -> Iterator[Writer]:
    """A new archive; it gets its name when the block ends well, else nothing is left.

    Errors: FileExistsError; Conflict when another backup writes to the same name.
    """
    if target.exists():
        raise FileExistsError(target)
    partial = target.with_name(target.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        _for_us_alone(file, partial)
        try:
            with tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar:
                yield Writer(tar, target.parent)
            file.flush()
            os.fsync(file.fileno())
            _name(partial, target)
            stores.fsync_folder(target.parent)
        finally:
            partial.unlink(missing_ok=True)


def _for_us_alone(file: IO[bytes], partial: Path) -> None:
    """What a killed backup left is written anew; a backup that runs is left alone. Errors: Conflict."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Conflict(f"另一个备份正在写入 {partial}。") from error
    os.fchmod(file.fileno(), 0o600)
    file.truncate(0)


def _name(partial: Path, target: Path) -> None:
    """Give the finished file its name, never that of another file. Errors: FileExistsError."""
    try:
        os.link(partial, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without second names: FAT, some network shares
        if target.exists():
            raise FileExistsError(target) from None
        partial.rename(target)


@dataclass(frozen=True, slots=True)
class Member:
    """One part of an archive: `kind` table | document | end, its name (a table's, a digest), its bytes."""

    kind: str
    name: str
    file: IO[bytes]
    size: int


class Reader:
    """`head` is read at once; `members()` gives the rest, once, in order."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.head = self._head()

    def _head(self) -> Head:
        try:
            first = self._tar.next()
            content = self._tar.extractfile(first) if first is not None and first.name == HEAD else None
            if content is None:
                raise BadArchive("这不是牵引的备份文件：缺少 head.json。")
            head = Head(**orjson.loads(content.read()))
        except (orjson.JSONDecodeError, TypeError, tarfile.TarError, EOFError) as error:
            raise BadArchive(f"这不是牵引的备份文件，或文件已损坏（{error}）。") from error
        if head.format != FORMAT:
            raise BadArchive(f"备份文件的格式 {head.format} 不是本程序所认识的格式 {FORMAT}。")
        return head

    def members(self) -> Iterator[Member]:
        """Errors: BadArchive for a file that was cut off or holds what no backup holds."""
        try:
            while (info := self._tar.next()) is not None:
                _forget(self._tar)
                content = self._tar.extractfile(info)
                if content is None:
                    raise BadArchive(f"备份文件中有不应存在的内容：{info.name}。")
                yield Member(*_kind(info.name), content, info.size)
        except (tarfile.TarError, EOFError) as error:
            raise BadArchive(f"备份文件已损坏或不完整（{error}）。") from error


def _forget(tar: tarfile.TarFile) -> None:
    """tarfile keeps an object per member, also where it can never go back to one: a million documents are too many."""
    cast(Any, tar).members.clear()


def _kind(name: str) -> tuple[str, str]:
    if name == END:
        return "end", name
    if found := _TABLE.fullmatch(name):
        return "table", found[1]
    if found := _DOCUMENT.fullmatch(name):
        return "document", found[1]
    raise BadArchive(f"备份文件中有不应存在的内容：{name}。")


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """Errors: BadArchive; OSError when the file cannot be read."""
    with path.open("rb") as file:
        try:
            tar = tarfile.open(fileobj=file, mode="r|")  # noqa: SIM115
        except tarfile.TarError as error:
            raise BadArchive(f"这不是牵引的备份文件（{error}）。") from error
        with tar:
            try:
                yield Reader(tar)
            except (tarfile.TarError, EOFError) as error:  # in the middle of a table or a document
                raise BadArchive(f"备份文件已损坏或不完整（{error}）。") from error
