"""Settings, read once from the environment.

Every setting is documented in `docs/operations.md`; a test compares the two.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one process. Paths are absolute; sizes in bytes; times in seconds."""

    database_url: str
    data_dir: Path
    processes_dir: Path
    host: str
    port: int
    demo: bool
    secret_key: str
    web_workers: int
    web_threads: int
    worker_threads: int
    max_upload: int
    issuing_body: str
    product_name: str
    log_level: str
    trusted_proxies: int = 0
    handler_seconds: int = 120
    handler_memory: int = 1024 * 1024 * 1024
    documents_url: str = ""
    documents_access_key: str = ""
    documents_secret_key: str = ""
    smtp_url: str = ""
    smtp_from: str = ""
    public_url: str = ""

    @property
    def documents_dir(self) -> Path:
        return self.data_dir / "documents"


def _secret(data_dir: Path, environ: Mapping[str, str]) -> str:
    """The signing key: from the environment, else made once and kept in the data directory, readable by us alone."""
    if key := environ.get("SECRET_KEY"):
        return key
    path = data_dir / "secret_key"
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(fd, "w", encoding="ascii") as file:
        file.write(key := secrets.token_hex(32))
    return key


def load(environ: Mapping[str, str] | None = None) -> Config:
    """Read the settings. Errors: ValueError with the setting's name when a number is no number."""
    env = os.environ if environ is None else environ
    data_dir = Path(env.get("DATA_DIR") or ROOT / ".data").resolve()

    def number(name: str, default: int) -> int:
        try:
            return int(env.get(name) or default)
        except ValueError as error:
            raise ValueError(f"{name} must be a whole number, not {env[name]!r}") from error

    return Config(
        database_url=env.get("DATABASE_URL", ""),
        data_dir=data_dir,
        processes_dir=Path(env.get("PROCESSES_DIR") or ROOT / "processes").resolve(),
        host=env.get("HOST", "127.0.0.1"),
        port=number("PORT", 8000),
        demo=env.get("DEMO", "1") not in {"0", "false", "no", ""},
        secret_key=_secret(data_dir, env),
        web_workers=number("WEB_WORKERS", 2),
        web_threads=number("WEB_THREADS", 8),
        worker_threads=number("WORKER_THREADS", 4),
        max_upload=number("MAX_UPLOAD_MB", 20) * 1024 * 1024,
        issuing_body=env.get("ISSUING_BODY", "广州市工业和信息化局"),
        product_name=env.get("PRODUCT_NAME", "数字化牵引单位管理"),
        log_level=env.get("LOG_LEVEL", "INFO"),
        trusted_proxies=number("TRUSTED_PROXIES", 0),
        handler_seconds=number("HANDLER_SECONDS", 120),
        handler_memory=number("HANDLER_MEMORY_MB", 1024) * 1024 * 1024,
        documents_url=env.get("DOCUMENTS_URL", ""),
        documents_access_key=env.get("DOCUMENTS_ACCESS_KEY", ""),
        documents_secret_key=env.get("DOCUMENTS_SECRET_KEY", ""),
        smtp_url=env.get("SMTP_URL", ""),
        smtp_from=env.get("SMTP_FROM", ""),
        public_url=env.get("PUBLIC_URL", ""),
    )
