"""`make run`: everything on one machine with one command, and nothing left behind when it ends.

Front end and translations are brought up to date, the embedded PostgreSQL started (unless DATABASE_URL names a server),
the schema migrated, the processes deployed and, in demo mode, an empty database filled. Then the web server and the job
worker run as children; one that dies is started again. SIGINT, SIGTERM and SIGHUP stop all of them, the database last.
"""

from __future__ import annotations

import fcntl
import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from webapp import config as settings
from webapp.children import Child
from webapp.config import ROOT, Config
from webapp.postgres import Server, ServerError

#: Seconds that children get to finish what they are doing.
PATIENCE = 25.0
_TURN = 0.3


class CannotStart(Exception):
    """Why the program did not start, as a sentence for the person at the terminal."""


class Stopped(Exception):
    """Somebody asked to stop while the program was still starting."""


def say(sentence: str) -> None:
    """Tell the person at the terminal."""
    print(sentence, flush=True)


class Supervisor:
    """One run. `run()` gives the exit status."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.stop = threading.Event()
        self.server: Server | None = None
        self.children: list[Child] = []

    def run(self) -> int:
        """Start everything, watch, stop everything."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self.stop.set())
        try:
            with only_one(self.config.data_dir):
                self._start()
                self._watch()
        except Stopped:
            pass
        except (CannotStart, ServerError) as error:
            say(f"没有启动：{error}")
            return 1
        finally:
            self._stop_all()
        return 0

    def _start(self) -> None:
        check_port(self.config.host, self.config.port)
        self._step("正在准备前端文件", _build_frontend)
        url = self.config.database_url
        if not url:
            self.server = Server(self.config.data_dir / "postgres")
            self._step("正在启动数据库", self.server.start)
            url = self.server.url()
        self.config = replace(self.config, database_url=url)
        environment = self._environment(url)
        self._run_to_end("正在准备数据", [sys.executable, "-m", "webapp.cli", "prepare"], environment)
        programs = {
            "web": [sys.executable, "-m", "gunicorn", "-c", "python:webapp.gunicorn_conf"],
            "worker": [sys.executable, "-m", "webapp.cli", "worker"],
        }
        self.children = [Child(name, command, environment) for name, command in programs.items()]

    def _environment(self, url: str) -> Mapping[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": url,
            "DATA_DIR": str(self.config.data_dir),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
            "PYTHONUNBUFFERED": "1",
        }

    def _step(self, sentence: str, work: Callable[[], Any]) -> None:
        if self.stop.is_set():
            raise Stopped
        say(f"{sentence}…")
        work()

    def _run_to_end(self, sentence: str, command: list[str], environment: Mapping[str, str]) -> None:
        """Run a child to its end, and end it when somebody asks to stop. Errors: CannotStart, Stopped."""
        say(f"{sentence}…")
        with subprocess.Popen(
            command, env=dict(environment), stdin=subprocess.DEVNULL, start_new_session=True
        ) as process:
            while process.poll() is None:
                if self.stop.wait(_TURN):
                    process.terminate()
                    process.wait()
                    raise Stopped
        if process.returncode != 0:
            raise CannotStart(f"{sentence}时出错（见上文）。")

    def _watch(self) -> None:
        ready = False
        while not self.stop.is_set():
            for child in self.children:
                if child.keep_alive() and child.starts > 1:
                    say(f"{child.name} 已退出，正在重新启动（第 {child.starts} 次）。")
            if self.server is not None and self.server.pid() is None:
                say("数据库已退出，正在重新启动。")
                self.server.start()
            if not ready and self._is_healthy():
                ready = True
                say(f"已启动：{self.address}　按 Ctrl+C 停止。")
            self.stop.wait(_TURN)

    @property
    def address(self) -> str:
        """Where a browser finds the program."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.config.host, self.config.host)
        return f"http://{host}:{self.config.port}"

    def _is_healthy(self) -> bool:
        connection = http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _stop_all(self) -> None:
        if self.children:
            say("正在停止…")
        for child in self.children:
            child.ask_to_stop()
        for child in self.children:
            child.stop(PATIENCE)
        if self.server is not None:
            self.server.stop()


@contextmanager
def only_one(data_dir: Path) -> Iterator[IO[str]]:
    """Hold the data directory's lock. Errors: CannotStart when another run holds it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "run.lock").open("a", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"数据目录 {data_dir} 正被另一个运行中的实例使用；请先停止它，或用 DATA_DIR 指定其他目录。"
            ) from None
        yield file


def check_port(host: str, port: int) -> None:
    """Errors: CannotStart when somebody listens there, or the address is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"端口 {port} 不能使用（{error.strerror}）；请停止占用它的程序，或用 PORT=8001 make run 换一个端口。"
            ) from None


def _build_frontend() -> None:
    from webapp import i18n
    from webapp.frontend.build import FrontendBuildFailed, build

    i18n.compile_catalogues()
    try:
        build()
    except FrontendBuildFailed as error:
        raise CannotStart(f"前端构建失败：{error.message}") from None


def prepare(config: Config) -> None:
    """Migrate, deploy the processes, and fill an empty database in demo mode. The database is configured afterwards."""
    from webapp import db, migrate

    migrate.upgrade(config.database_url)
    db.configure(config.database_url, pool_size=4)
    deploy_processes(config)
    if config.demo and _is_empty():
        load_demo(config)


def deploy_processes(config: Config) -> list[str]:
    """Deploy every folder of `processes_dir` that holds a model and changed; give the names of the folders.

    What the designers have deployed since is theirs: a start of the program does not put it back.
    """
    from webapp import composition, db
    from webapp.accounts.roles import ROLES
    from webapp.engine import deployment
    from webapp.engine.handler_api import hooks

    composition.build_engine(config)
    folders = sorted({path.parent for path in config.processes_dir.glob("*/*.bpmn")})
    for folder in folders:
        with db.transaction() as session:
            if deployment.designed(session, folder.name):
                continue
            deployment.deploy_directory(session, folder, hooks=hooks, roles=frozenset(ROLES))
    return [folder.name for folder in folders]


def _is_empty() -> bool:
    from sqlalchemy import select

    from webapp import db
    from webapp.accounts.models import Account

    with db.transaction() as session:
        return session.scalar(select(Account.id).limit(1)) is None


def load_demo(config: Config) -> None:
    """Deploy the processes and fill the database with the demo's accounts, registers and cases."""
    from webapp import db, demo

    deploy_processes(config)
    with db.transaction() as session:
        demo.load(session, config)


def main() -> int:
    """The entry of `make run`."""
    logging.basicConfig(level=logging.WARNING)
    try:
        config = settings.load()
    except ValueError as error:
        say(f"没有启动：{error}")
        return 1
    except OSError as error:
        say(f"没有启动：数据目录不能写入：{error.filename}（{error.strerror}）。")
        return 1
    return Supervisor(config).run()


if __name__ == "__main__":
    sys.exit(main())
