"""The bytes of documents, named by their SHA-256 digest, never changed; `stores` says where they lie.

A file is complete before anything speaks of it: received into a name of its own and fsynced, then kept for good; only
then does a row refer to it. Whatever fails before that leaves nothing behind. A row that is rolled back leaves a file
without a row, which `sweep` removes later.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TypeVar

from webapp import config as configuration
from webapp.config import Config
from webapp.documents import stores
from webapp.errors import QianyinError, Unavailable
from webapp.i18n import _

T = TypeVar("T")
log = logging.getLogger(__name__)

CHUNK = 256 * 1024
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_config: Config | None = None
_store: stores.Store | None = None


class StorageFull(Unavailable):
    """文件存储空间已满，本次没有保存任何内容；请联系系统管理员后重试。"""

    code = "storage_full"
    status = 507


class StorageUnavailable(Unavailable):
    """文件存储目录不能写入，本次没有保存任何内容；请联系系统管理员后重试。"""

    code = "storage_unavailable"


def configure(config: Config) -> None:
    """Give this process its settings; the composition roots call it. Without it the environment is read."""
    global _config, _store
    _config = config
    _store = stores.of(config)


def store() -> stores.Store:
    """Where this process's documents lie."""
    global _store
    if _store is None:
        _store = stores.of(config())
    return _store


def config() -> Config:
    """The settings in force."""
    global _config
    if _config is None:
        _config = configuration.load()
    return _config


@dataclass(frozen=True, slots=True)
class Incoming:
    """A complete file that is not yet kept: its temporary path, SHA-256 (hex) and size (bytes)."""

    path: Path
    digest: str
    size: int


def path_of(digest: str) -> Path:
    """Where the bytes of a digest lie when documents are files of the data directory."""
    return config().documents_dir / stores.key(digest)


def open_bytes(digest: str) -> IO[bytes]:
    """The bytes, seekable. Errors: FileNotFoundError; StorageUnavailable when the place itself does not answer."""
    try:
        return store().open(digest)
    except FileNotFoundError:
        raise
    except OSError as error:
        log.error("the documents' store cannot be read: %s", error)
        raise StorageUnavailable(_("文件存储暂时无法读取，请稍后再试。")) from error


def chunks_of(stream: IO[bytes]) -> Iterator[bytes]:
    """The stream in pieces."""
    return iter(lambda: stream.read(CHUNK), b"")


@contextmanager
def receive(pieces: Iterable[bytes], *, max_size: int, too_big: Callable[[], QianyinError]) -> Iterator[Incoming]:
    """Write the pieces to a temporary file, which is gone when the block ends unless it was kept.

    Errors: what `too_big` makes as soon as there are more than `max_size` bytes; StorageFull, StorageUnavailable.
    """
    with _told():
        folder = config().documents_dir / stores.INCOMING
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder)
    path = Path(name)
    try:
        digest, size = hashlib.sha256(), 0
        with _told(), os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                size += len(piece)
                if size > max_size:
                    raise too_big()
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        yield Incoming(path, digest.hexdigest(), size)
    finally:
        path.unlink(missing_ok=True)


def keep(incoming: Incoming) -> None:
    """Give a received file its lasting name. Keeping the same bytes twice is one file."""
    with _told():
        store().put(incoming.path, incoming.digest)


def intact(digest: str) -> bool:
    """Whether the stored bytes are there and still have the digest. Errors: StorageUnavailable."""
    try:
        with open_bytes(digest) as file:
            return digest_of(file) == digest
    except FileNotFoundError:
        return False


def digest_of(file: IO[bytes]) -> str:
    """SHA-256 of what is left of a file, hex."""
    found = hashlib.sha256()
    for piece in chunks_of(file):
        found.update(piece)
    return found.hexdigest()


def sweep(
    is_known: Callable[[list[str]], set[str]],
    *,
    alone: Callable[[], object] = lambda: None,
    older_than: float = 86_400.0,
    most: int = 200,
) -> int:
    """Remove files without a row, and temporary files, untouched for `older_than` seconds; gives how many.

    No more than `most` at a time. After `alone` nobody can be between keeping bytes and writing their row: only then
    is it asked again, and removed. Looking through a million files goes before that, and holds nobody up.
    """
    found: list[str] = []
    names = store().names(older_than)
    while len(found) < most and (some := list(islice(names, 1000))):
        found += _unknown(is_known, some)
    if not found:
        return 0
    alone()
    return sum(store().remove(name) for name in _unknown(is_known, found[:most]))


def _unknown(is_known: Callable[[list[str]], set[str]], names: list[str]) -> list[str]:
    known = is_known([_digest(name) for name in names])
    return [name for name in names if _digest(name) not in known]


def _digest(name: str) -> str:
    return name.rsplit("/", 1)[-1]


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the disk refuses into a sentence for people: it is full, read-only, of another owner, broken."""
    try:
        yield
    except OSError as error:
        log.error("the documents' folder cannot be written: %s", error)
        if error.errno in _FULL:
            raise StorageFull(_(StorageFull.__doc__ or "")) from error
        raise StorageUnavailable(_(StorageUnavailable.__doc__ or "")) from error
