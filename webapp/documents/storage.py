"""The bytes of documents: files in the data directory, named by their SHA-256 digest, never changed.

A file is complete before anything speaks of it: written to a name of its own, fsynced, renamed, its folder fsynced;
only then does a row refer to it. Whatever fails before that leaves nothing behind. A row that is rolled back leaves a
file without a row, which `sweep` removes later.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

from webapp import config as configuration
from webapp.config import Config
from webapp.errors import QianyinError, Unavailable
from webapp.i18n import _

T = TypeVar("T")
log = logging.getLogger(__name__)

CHUNK = 256 * 1024
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_config: Config | None = None


class StorageFull(Unavailable):
    """文件存储空间已满，本次没有保存任何内容；请联系系统管理员后重试。"""

    code = "storage_full"
    status = 507


class StorageUnavailable(Unavailable):
    """文件存储目录不能写入，本次没有保存任何内容；请联系系统管理员后重试。"""

    code = "storage_unavailable"


def configure(config: Config) -> None:
    """Give this process its settings; the composition roots call it. Without it the environment is read."""
    global _config
    _config = config


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
    """Where the bytes of a digest lie."""
    return config().documents_dir / digest[:2] / digest[2:4] / digest


def chunks_of(stream: IO[bytes]) -> Iterator[bytes]:
    """The stream in pieces."""
    return iter(lambda: stream.read(CHUNK), b"")


@contextmanager
def receive(pieces: Iterable[bytes], *, max_size: int, too_big: Callable[[], QianyinError]) -> Iterator[Incoming]:
    """Write the pieces to a temporary file, which is gone when the block ends unless it was kept.

    Errors: what `too_big` makes as soon as there are more than `max_size` bytes; StorageFull, StorageUnavailable.
    """
    with _told():
        folder = config().documents_dir / "incoming"
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
    target = path_of(incoming.digest)
    with _told():
        target.parent.mkdir(parents=True, exist_ok=True)
        incoming.path.chmod(0o440)
        os.replace(incoming.path, target)
        for folder in (target.parent, target.parent.parent, target.parent.parent.parent):
            _fsync_folder(folder)


def intact(digest: str) -> bool:
    """Whether the stored bytes are there and still have the digest."""
    try:
        with path_of(digest).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest
    except FileNotFoundError:
        return False


def sweep(is_known: Callable[[list[str]], set[str]], *, older_than: float = 86_400.0) -> int:
    """Remove files without a row, and temporary files, untouched for `older_than` seconds; gives how many."""
    limit, removed = time.time() - older_than, 0
    old = [p for p in config().documents_dir.rglob("*") if p.is_file() and p.stat().st_mtime < limit]
    known = is_known([p.name for p in old])
    for path in old:
        if path.name not in known:
            with suppress(FileNotFoundError):
                path.unlink()
                removed += 1
    return removed


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
