"""`make run` as a person meets it: it comes up, heals, stops as a whole, and says why when it cannot start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from webapp.config import ROOT
from webapp.postgres import Server


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def waited(look: Callable[[], Any], what: str) -> Any:
    """The first true answer of `look`; looks for as long as it may take on a busy machine."""
    for _ in range(1200):
        if answer := look():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"never: {what}")


def processes_naming(word: str) -> dict[int, str]:
    """{pid: command} of live processes whose command or environment names `word`."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
            if command and word.encode() in command + (entry / "environ").read_bytes():
                found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
    return found


@dataclass
class Run:
    data_dir: Path
    port: int
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    log: Path

    def ended(self) -> str:
        """Wait for its end; what it said."""
        self.process.wait()
        return self.log.read_text(encoding="utf-8")

    def health(self) -> tuple[int, dict[str, str]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz") as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except OSError:
            return 0, {}

    def is_healthy(self) -> bool:
        assert self.process.poll() is None, "the supervisor has left"
        return self.health()[0] == 200

    def children(self, word: str) -> list[int]:
        return [pid for pid, command in processes_naming(str(self.data_dir)).items() if word in command]


@pytest.fixture
def start(run_dir: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Run]]:
    """Start `make run`'s program in a data directory of its own."""
    started: list[Run] = []

    def begin(data_dir: Path | None = None, port: int | None = None) -> Run:
        data_dir = data_dir or run_dir / f"run-{request.node.name[:12]}-{len(started)}"
        port = port or free_port()
        environment = {
            **{k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "SECRET_KEY"}},
            "DATA_DIR": str(data_dir),
            "PORT": str(port),
            "DEMO": "0",
            "PROCESSES_DIR": str(run_dir / "no-processes"),
            "WEB_WORKERS": "2",
        }
        command = [sys.executable, "-m", "webapp.supervisor"]
        log = run_dir / f"{data_dir.name}-{len(started)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT)
        started.append(Run(data_dir, port, environment, process, log))
        return started[-1]

    yield begin
    for run in started:
        if run.process.poll() is None:
            run.process.terminate()
        run.process.wait()


def test_it_starts_heals_and_leaves_nothing_behind(start):
    run = start()
    waited(run.is_healthy, "healthy after the start")
    assert run.health() == (200, {"web": "ok", "database": "ok", "worker": "ok"})
    assert run.data_dir.joinpath("postgres", "socket").stat().st_mode & 0o777 == 0o700

    for victim in ("gunicorn", "webapp.cli worker"):
        killed = run.children(victim)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        waited(lambda v=victim, k=killed: set(run.children(v)) - set(k), f"{victim} is started again")
        waited(run.is_healthy, f"healthy after {victim} was killed")

    assert "Traceback" not in run.log.read_text(encoding="utf-8")
    database = Server(run.data_dir / "postgres")
    killed = database.pid()
    os.kill(killed, signal.SIGKILL)
    waited(lambda: database.pid() not in {None, killed}, "the database is started again")
    waited(run.is_healthy, "healthy after the database was killed")

    run.process.send_signal(signal.SIGINT)
    said = run.ended()
    assert run.process.returncode == 0, said
    assert f"已启动：http://127.0.0.1:{run.port}" in said
    assert processes_naming(str(run.data_dir)) == {}
    assert not run.data_dir.joinpath("postgres", "data", "postmaster.pid").exists()


def test_a_run_that_was_killed_leaves_a_database_that_the_next_run_takes_over(start):
    run = start()
    waited(run.is_healthy, "healthy")
    database = Server(run.data_dir / "postgres").pid()
    run.process.kill()
    run.ended()
    waited(lambda: not run.children("gunicorn") and not run.children("webapp.cli"), "the children leave")
    assert Server(run.data_dir / "postgres").pid() == database
    second = start(run.data_dir, run.port)
    waited(second.is_healthy, "healthy again")
    second.process.terminate()
    second.ended()
    assert second.process.returncode == 0
    assert processes_naming(str(run.data_dir)) == {}


def test_it_stops_at_once_while_it_is_still_starting(start):
    run = start()
    waited(lambda: run.children("postgres"), "the database starts")
    run.process.terminate()
    said = run.ended()
    assert run.process.returncode == 0, said
    assert processes_naming(str(run.data_dir)) == {}


def test_a_port_in_use_is_told_and_starts_nothing(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run = start(port=taken.getsockname()[1])
        said = run.ended()
    assert run.process.returncode == 1
    assert f"端口 {run.port} 不能使用" in said
    assert "Traceback" not in said
    assert not run.data_dir.joinpath("postgres").exists()


def test_a_second_run_on_the_same_data_is_refused(start):
    first = start()
    waited(first.is_healthy, "healthy")
    second = start(first.data_dir)
    said = second.ended()
    assert second.process.returncode == 1
    assert "正被另一个运行中的实例使用" in said
    assert first.is_healthy()


@pytest.mark.parametrize("content", ["1\n", "garbage\n", ""])
def test_a_stale_pid_file_does_not_stop_the_database(run_dir, content):
    server = Server(run_dir / f"stale-{len(content)}", {"fsync": "off"})
    server.start()
    os.kill(server.pid(), signal.SIGKILL)
    waited(lambda: server.pid() is None, "the server is gone")
    (server.data / "postmaster.pid").write_text(content)
    server.start()
    try:
        assert server.is_running()
    finally:
        server.stop()
    assert server.pid() is None


def test_a_path_too_long_for_a_socket_is_no_obstacle(run_dir):
    deep = run_dir / ("a-long-name-" * 8) / "postgres"
    deep.parent.mkdir(parents=True)
    server = Server(deep, {"fsync": "off"})
    server.start()
    try:
        assert server.is_running()
        assert server.socket_dir.stat().st_mode & 0o777 == 0o700
    finally:
        server.stop()
    assert not server.socket_dir.exists()
