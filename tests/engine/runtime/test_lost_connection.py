"""The connection breaks in the middle of a step: nothing of it stands, nothing is blamed, and it can be done again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from tests.engine.runtime.conftest import Bench
from tests.engine.runtime.models import end, model, service, start, timer, user
from webapp import db
from webapp.clock import clock
from webapp.engine import timers


@pytest.fixture(params=["session", "direct"])
def breaking(bench: Bench, request: pytest.FixtureRequest) -> list[str]:
    """A handler that breaks its own connection at its first call, by SQLAlchemy's way or by the driver's; its calls."""
    calls: list[str] = []
    words = "select pg_terminate_backend(pg_backend_pid())"
    ways: dict[str, Callable[[Any], Any]] = {
        "session": lambda session: session.execute(text(words)),
        "direct": lambda session: db.direct(session, words, {}),
    }

    def call(ctx: Any) -> None:
        calls.append(ctx.element_id)
        if len(calls) == 1:
            ways[request.param](ctx.session)

    bench.handler("break", call)
    return calls


def test_a_completion_is_refused_as_a_whole_and_can_be_done_again(bench: Bench, breaking: list[str]) -> None:
    flows = "start>work work>register register>end"
    bench.deploy(model("lost", start(), user("work"), service("register", "break"), end(), flows=flows))
    started = bench.start("lost")
    with pytest.raises(OperationalError):
        bench.complete(started.opened[0])
    assert bench.open(started.instance_id) == {"work": started.opened[0]}
    assert bench.incidents() == [] == bench.rows("select 1 from job")
    assert bench.complete(started.opened[0]).ended == "completed"
    assert breaking == ["register", "register"]


def test_a_timer_fires_at_the_next_look(bench: Bench, breaking: list[str], clock_at: Any) -> None:
    clock_at(datetime(2026, 11, 25, 2, tzinfo=UTC))
    flows = "start>wait wait>register register>end"
    wait = f'<intermediateCatchEvent id="wait">{timer("timeDuration", "P1D")}</intermediateCatchEvent>'
    bench.deploy(model("late", start(), wait, service("register", "break"), end(), flows=flows))
    started = bench.start("late")
    clock.advance(timedelta(days=2))
    with pytest.raises(OperationalError):
        timers.fire_due(bench.engine)
    assert timers.fire_due(bench.engine) == 1
    assert bench.incidents() == []
    assert bench.status(started.instance_id) == "completed"
    assert breaking == ["register", "register"]
