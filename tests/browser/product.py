"""The whole product as `make run` starts it: supervisor, PostgreSQL with its own durability, web, worker, demo."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.support import free_port
from webapp.config import ROOT
from webapp.postgres import Server

#: Options of Chromium that keep it to itself.
CHROMIUM = "/usr/bin/chromium"
OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def waited(look: Callable[[], Any], what: str) -> Any:
    """The first true answer of `look`, for as long as it may take on a busy machine."""
    for _ in range(1500):
        if answer := look():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"never: {what}")


@dataclass
class Product:
    """A running product. `address` has no trailing slash."""

    data_dir: Path
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_healthy(self) -> bool:
        """Web, database and worker answer. Errors: AssertionError with the log when the supervisor has left."""
        assert self.process.poll() is None, self.said()
        try:
            with urllib.request.urlopen(f"{self.address}/healthz") as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def said(self) -> str:
        """What it printed, logs included."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def pids(self, word: str) -> list[int]:
        """Live processes of this run whose command line holds `word`, the oldest first."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_bytes()
                if word.encode() in command and str(self.data_dir).encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
        return sorted(found)

    def database(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of one's own, to look without the program."""
        return psycopg.connect(Server(self.data_dir / "postgres").url(), autocommit=True)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self.database() as connection:
            return connection.execute(query, values).fetchall()


@contextmanager
def running(**settings: str) -> Iterator[Product]:
    """Start the product in a directory of its own and wait until it is healthy; stop all of it at the end."""
    directory = Path(tempfile.mkdtemp(prefix="qy-"))
    port = free_port()
    environment = {
        **{k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "SECRET_KEY", "DEMO"}},
        "DATA_DIR": str(directory / "data"),
        "PORT": str(port),
        **settings,
    }
    log = directory / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "webapp.supervisor"], env=environment, cwd=ROOT, stdout=file, stderr=file
        )
    product = Product(directory / "data", port, process, log)
    try:
        waited(product.is_healthy, f"healthy\n{product.said()}")
        yield product
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait()
        shutil.rmtree(directory, ignore_errors=True)


def call(url: str, **sent: Any) -> dict[str, Any]:
    """POST JSON with Basic credentials `auth=(name, password)`; the JSON answer, {} where there is none."""
    import base64

    name, password = sent.pop("auth")
    token = base64.b64encode(f"{name}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json", "Accept": "application/json"}
    request = urllib.request.Request(url, json.dumps(sent["json"]).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        body = answer.read()
    return dict(json.loads(body)) if body else {}
