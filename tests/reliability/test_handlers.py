"""Issue 4, "Unharmed": external handlers that go wrong in every way harm neither the worker nor the instance."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.engine.runtime.conftest import Bench
from tests.engine.runtime.models import end, model, service, start, user
from tests.reliability import bad_handlers
from webapp import clock, db
from webapp.engine import incidents
from webapp.engine.errors import HandlerFailed
from webapp.engine.handler_api import ExternalContext
from webapp.engine.outside import Interrupted
from webapp.ids import uuid7
from webapp.worker_children import Children

#: What the incident says of each way to go wrong.
CAUSES = {
    "raise": "RuntimeError: 打印机没有纸",
    "hang": "处理程序运行超过 0.5 秒，已被终止。",
    "hang deaf": "处理程序运行超过 0.5 秒，已被终止。",
    "rubbish": "处理程序返回的不是变量表，而是 list。",
    "rubbish inside": "变量不能是 lock 类型。",
    "large": "处理程序返回的变量有 5.0 MB，超过 1 MB 的上限；大的内容请存为文件。",
    "kill": "处理程序运行中，其进程意外终止（信号 SIGKILL）。",
    "leave": "处理程序运行中，其进程意外终止（退出码 3）。",
    "exit": "处理程序要求退出进程（7）。",
    "eat": "处理程序占用的内存超过 600 MB，已被终止。",
}


@pytest.fixture(scope="module")
def children() -> Iterator[Children]:
    preload = ("tests.reliability.bad_handlers", "webapp.worker_child")
    made = Children(bad_handlers.hooks, size=2, seconds=3600, memory=bad_handlers.MEMORY, preload=preload)
    yield made
    made.close()


@pytest.fixture
def bench(database: str, children: Children) -> Bench:
    bench = Bench()
    bench.hooks = bad_handlers.hooks()
    bench.restarted().outside = children
    return bench


def beside(topic: str) -> bytes:
    """The handler beside a task of a person; then both are signed for."""
    both = '<parallelGateway id="both"/>', '<parallelGateway id="met"/>'
    return model(
        "beside",
        start(),
        *both,
        service("work", topic),
        user("look"),
        user("sign"),
        end(),
        flows="start>both both>work both>look work>met look>met met>sign sign>end",
    )


@pytest.mark.parametrize("how", CAUSES)
def test_it_is_retried_then_told_and_goes_on_when_mended(
    bench: Bench, clock_at: Callable[[datetime], None], tmp_path: Path, how: str
) -> None:
    clock_at(datetime(2026, 11, 25, 2, tzinfo=UTC))
    bench.deploy(beside("hurried" if how.startswith("hang") else "work"))
    started = bench.start("beside", {"how": how, "mended": str(tmp_path / "mended")})
    rests = []
    for left in (3, 2, 1, 0):
        bench.drain()
        [(found, due_at)] = bench.rows("select retries_left, due_at from job")
        assert found == left
        rests.append((due_at - clock.now()).total_seconds())
        clock.clock.advance(timedelta(seconds=max(rests[-1], 0) + 1))
    assert [rest > before for rest, before in zip(rests[:3], (0, 10, 60), strict=True)] == [True] * 3
    [incident] = bench.incidents(started.instance_id)
    assert incident.message == CAUSES[how]
    assert bench.drain() == 0

    # The instance is whole: what a person does beside it goes on, and it waits for the handler.
    bench.complete(bench.open(started.instance_id)["look"])
    assert bench.open(started.instance_id) == {}
    (tmp_path / "mended").touch()
    db.retrying(lambda session: incidents.retry(bench.engine, session, incident.id, None))
    bench.drain()
    assert list(bench.open(started.instance_id)) == ["sign"]
    assert bench.incidents() == []
    assert bench.rows("select 1 from job") == []


def call(children: Children, how: str, mended: Path, topic: str = "work") -> dict[str, Any]:
    context = ExternalContext(uuid7(), None, {"how": how, "mended": str(mended)}, clock.now())
    return children(bad_handlers.hooks(), topic, context)


def test_a_process_is_used_again_after_a_failure_and_replaced_after_its_death(
    children: Children, tmp_path: Path
) -> None:
    ready = tmp_path / "mended"
    ready.touch()
    first = call(children, "", ready)["process"]
    assert first != os.getpid()
    with pytest.raises(HandlerFailed):
        call(children, "raise", tmp_path / "never")
    assert call(children, "", ready)["process"] == first
    os.kill(first, signal.SIGKILL)
    while Path(f"/proc/{first}").exists():
        time.sleep(0.01)
    second = call(children, "", ready)["process"]
    assert second != first
    with pytest.raises(HandlerFailed, match=r"超过 0\.5 秒"):
        call(children, "hang", tmp_path / "never", "hurried")
    assert not Path(f"/proc/{second}").exists()


def test_a_process_that_is_gone_when_it_is_called_counts_as_ended(children: Children, tmp_path: Path) -> None:
    """A worker that stops kills whoever is about to be called: the job is not to lose an attempt by that."""
    child = children._take()
    child.kill("stop")
    child.process.join()
    context = ExternalContext(uuid7(), None, {"how": "", "mended": str(tmp_path)}, clock.now())
    with pytest.raises(EOFError):
        child.call("work", context, 1.0)
    children._lose(child)


def test_a_worker_that_stops_interrupts_what_hangs_and_leaves_no_process(tmp_path: Path) -> None:
    children = Children(bad_handlers.hooks, size=1, seconds=3600, memory=0)
    caught: list[BaseException] = []

    def hang() -> None:
        try:
            call(children, "hang", tmp_path / "never")
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=hang)
    thread.start()
    while not (pids := children.pids()):
        time.sleep(0.01)
    children.close()
    thread.join()
    assert [type(error) for error in caught] == [Interrupted]
    assert not Path(f"/proc/{pids[0]}").exists()
    with pytest.raises(Interrupted):
        call(children, "raise", tmp_path)
