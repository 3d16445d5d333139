"""Where the bytes of documents lie: a directory (the default), or a bucket of an S3-compatible service.

`DOCUMENTS_URL` says which: empty (`DATA_DIR/documents`), `file:///path`, or
`s3://bucket/prefix?endpoint=https://s3.example&region=…`. Both name a file by its SHA-256 digest, below two folders of
its first letters, and never change one; both give FileNotFoundError for what is not there and OSError for the rest.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol
from urllib.parse import parse_qs, urlsplit

from webapp.config import Config

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Store

#: Folder of what is being received, beside the files themselves.
INCOMING = "incoming"
#: Up to this many bytes of a fetched file stay in memory.
_IN_MEMORY = 4 * 1024 * 1024
_PIECE = 1024 * 1024


class Store(Protocol):
    """What a place for bytes can do. `name`: a path in it, of a file or of what was being received."""

    def put(self, path: Path, digest: str) -> None:
        """Keep a complete local file for good under its digest; the local file may be moved away. Errors: OSError."""

    def open(self, digest: str) -> IO[bytes]:
        """The bytes, seekable. Errors: FileNotFoundError, OSError."""

    def names(self, older_than: float) -> Iterator[str]:
        """The paths of everything that has not been touched for so many seconds."""

    def remove(self, name: str) -> bool:
        """Remove one; False when it was not there."""


def key(digest: str) -> str:
    """The path of a digest in a store."""
    return f"{digest[:2]}/{digest[2:4]}/{digest}"


class Files:
    """A directory. A file is written to a name of its own, fsynced, renamed, its folders fsynced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, path: Path, digest: str) -> None:
        target = self.folder / key(digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.chmod(0o440)
        os.replace(path, target)
        for folder in (target.parent, target.parent.parent, target.parent.parent.parent):
            fsync_folder(folder)

    def open(self, digest: str) -> IO[bytes]:
        return (self.folder / key(digest)).open("rb")

    def names(self, older_than: float) -> Iterator[str]:
        limit = time.time() - older_than
        for path in self.folder.rglob("*"):
            with suppress(FileNotFoundError):
                if path.is_file() and path.stat().st_mtime < limit:
                    yield str(path.relative_to(self.folder))

    def remove(self, name: str) -> bool:
        try:
            (self.folder / name).unlink()
        except FileNotFoundError:
            return False
        return True


class Bucket:
    """A bucket of an S3-compatible service. A PUT is whole or not at all; nobody sees a part of a file."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._client: S3Store | None = None

    @property
    def client(self) -> S3Store:
        """Made at its first use: after a fork, and only where documents are touched at all."""
        if self._client is None:
            self._client = _client(self._config)
        return self._client

    def put(self, path: Path, digest: str) -> None:
        from obstore.exceptions import BaseError

        try:
            self.client.put(key(digest), path)
        except BaseError as error:
            raise OSError(str(error)) from error
        path.unlink()

    def open(self, digest: str) -> IO[bytes]:
        from obstore.exceptions import BaseError

        file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
        try:
            for piece in self.client.get(key(digest)).stream(min_chunk_size=_PIECE):
                file.write(piece)
        except BaseError as error:
            file.close()
            raise OSError(str(error)) from error
        except OSError:  # not there, or no room for the copy
            file.close()
            raise
        file.seek(0)
        return file

    def names(self, older_than: float) -> Iterator[str]:
        limit = time.time() - older_than
        for page in self.client.list():
            for found in page:
                if found["last_modified"].timestamp() < limit:
                    yield found["path"]

    def remove(self, name: str) -> bool:
        try:
            self.client.delete(name)
        except FileNotFoundError:
            return False
        return True


def of(config: Config) -> Files | Bucket:
    """The store that the settings name. Errors: ValueError for an address that is neither."""
    url = urlsplit(config.documents_url)
    if url.scheme == "s3" and url.netloc:
        return Bucket(config)
    if url.scheme in {"", "file"} and not url.netloc and (url.path.startswith("/") or not url.path):
        return Files(Path(url.path) if url.path else config.documents_dir)
    raise ValueError(f"DOCUMENTS_URL must be file:///path or s3://bucket/prefix, not {config.documents_url!r}")


def _client(config: Config) -> S3Store:
    from obstore.store import S3Store

    url = urlsplit(config.documents_url)
    given = {name: values[-1] for name, values in parse_qs(url.query).items()}
    endpoint = given.get("endpoint", "")
    settings: S3Config = {
        "region": given.get("region", "us-east-1"),
        "virtual_hosted_style_request": given.get("style") == "virtual",
    }
    if endpoint:
        settings["endpoint"] = endpoint
    if config.documents_access_key:
        settings["access_key_id"] = config.documents_access_key
        settings["secret_access_key"] = config.documents_secret_key
    return S3Store(
        url.netloc,
        prefix=url.path.strip("/") or None,
        config=settings,
        client_options={"allow_http": endpoint.startswith("http://"), "timeout": "60s", "connect_timeout": "5s"},
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
    )


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
