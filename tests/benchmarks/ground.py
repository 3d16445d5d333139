"""What a benchmark stands on: a directory, an embedded PostgreSQL with durability on, the product's web processes."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.benchmarks.model import FLOOR_TABLES, MODEL, PASSWORD, USER
from tests.support import free_port
from webapp.postgres import Server

#: Memory that a small office's server has too; everything else is PostgreSQL's own default, fsync included.
SETTINGS = {"shared_buffers": "256MB"}


@dataclass(frozen=True, slots=True)
class Ground:
    """`directory` is the bench's own and is removed afterwards; `full`: whole numbers instead of a quick round."""

    directory: Path
    full: bool

    @classmethod
    @contextmanager
    def made(cls, full: bool) -> Iterator[Ground]:
        directory = Path(tempfile.mkdtemp(prefix="qy-bench-"))
        try:
            yield cls(directory, full)
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def needs(self, gigabytes: float) -> None:
        """Refuse to begin what the disk cannot hold. Errors: RuntimeError."""
        free = shutil.disk_usage(self.directory).free / 2**30
        if free < gigabytes:
            raise RuntimeError(f"{gigabytes:g} GB are needed in {tempfile.gettempdir()}, {free:.1f} GB are free")

    @contextmanager
    def server(self, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
        """An embedded server that runs and holds an empty database."""
        server = Server(self.directory / "postgres", {**SETTINGS, **(settings or {})})
        server.start()
        try:
            yield server
        finally:
            server.stop()
            shutil.rmtree(server.directory, ignore_errors=True)

    @contextmanager
    def database(self, settings: Mapping[str, str] | None = None) -> Iterator[str]:
        """The URL of a migrated database; this process is configured to use it."""
        from webapp import db, migrate

        with self.server(settings) as server:
            url = server.url()
            migrate.upgrade(url)
            db.configure(url)
            try:
                yield url
            finally:
                db.dispose()

    @contextmanager
    def served(self, module: str, url: str, *, workers: int = 1, threads: int = 8) -> Iterator[int]:
        """A gunicorn of the product's own class (gthread, `workers` processes) serving `module`; gives its port."""
        port = free_port()
        environment = {**os.environ, "DATABASE_URL": url, "DATA_DIR": str(self.directory / "data"), "DEMO": "0"}
        environment |= {"PORT": str(port), "WORKERS": str(workers), "THREADS": str(threads)}
        configuration = Path(__file__).with_name("gunicorn_conf.py")
        command = [sys.executable, "-m", "gunicorn", "-c", str(configuration), f"tests.benchmarks.{module}:app"]
        process = subprocess.Popen([*command, "--bind", f"127.0.0.1:{port}"], env=environment)
        try:
            _wait(port)
            yield port
        finally:
            process.terminate()
            process.wait()


def _wait(port: int) -> None:
    for _ in range(300):
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the web program did not start")


def prepare(url: str) -> None:
    """Make one account, deploy the benchmark's process, make the floor's tables."""
    from tests.support import make_account
    from webapp import composition, db
    from webapp.engine import deployment
    from webapp.engine.handler_api import hooks

    composition.build_engine()
    import tests.benchmarks.served  # noqa: F401  (registers the handler that the model names)

    with db.transaction() as session:
        make_account(session, "office", password=PASSWORD, username=USER)
        deployment.deploy(session, "benchmark", {"benchmark.bpmn": MODEL}, deployed_by=None, comment="", hooks=hooks)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FLOOR_TABLES)
