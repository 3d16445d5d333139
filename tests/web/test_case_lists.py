"""Short cuts of the list of cases show what the long way shows: sorted pages, and counts that stop."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import Session

from tests.benchmarks import load
from webapp import clock
from webapp.accounts.service import actor_of
from webapp.engine.handler_api import Actor
from webapp.monitor import counting, narrowing, queries
from webapp.monitor.sorting import SORTS, offered, settled


@pytest.fixture
def manager(database: str, session: Session, engine: Any, account: Any) -> Actor:
    """Sixty running and a hundred and twenty finished cases stand in the database."""
    load.deploy(session)
    session.commit()
    made = account("manager")
    with psycopg.connect(database, autocommit=True) as connection:
        load.cases(connection, 1, 120, running=False, days=40)
        load.cases(connection, 121, 180, running=True, days=20)
        load.tasks(connection, made.id)
    return actor_of(made)


def test_pages_found_by_a_short_cut_are_those_of_the_long_way(
    session: Session, manager: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    wanted = [queries.Filter("running", sort=sort) for sort in ("due", "-due")]
    wanted += [
        queries.Filter(view, words="佛山", sort=sort) for view in ("all", "done") for sort in ("started", "-started")
    ]

    def shown() -> list[list[Any]]:
        return [
            [row.id for row in queries.page(session, manager, one, now, size=4, common=True).rows] for one in wanted
        ]

    for cases, tasks in ((40, 10), (8, 3), (2000, 500)):
        monkeypatch.setattr(narrowing, "CASES", cases)
        monkeypatch.setattr(narrowing, "TASKS", tasks)
        near = shown()
        with monkeypatch.context() as without:
            without.setattr(narrowing, "by_begin", lambda *_, **__: None)
            without.setattr(narrowing, "by_deadline", lambda **_: None)
            assert near == shown()
        assert all(near)


def test_counts_are_right_or_say_that_they_stopped(
    session: Session, manager: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    for words in ("", "佛山", "备案"):
        whole = queries.counts(session, manager, queries.Filter(words=words), now)
        assert not any(isinstance(count, counting.Least) for count in whole.values())
        assert whole["all"] == whole["running"] + whole["done"] + whole["ended"] > 0
        with monkeypatch.context() as small:
            small.setattr(counting, "MOST", 5)
            small.setattr(counting, "HITS", 10)
            small.setattr(counting, "NEWEST", 30)
            stopped = queries.counts(session, manager, queries.Filter(words=words), now)
        assert counting.told(stopped["all"]).endswith("+")
        for view, count in stopped.items():
            assert count <= whole[view]
            assert isinstance(count, counting.Least) or count == whole[view]


def test_views_of_all_years_are_sorted_only_by_what_an_index_holds(manager: Actor, client: Any, sign_in: Any) -> None:
    assert offered("running") == set(SORTS)
    assert settled("all", "-due") == "-started"
    assert settled("overdue", "due") == "due"
    sign_in("office")
    assert "sort=-due" in client.get("/instances").get_data(as_text=True)
    page = client.get("/instances?view=all&sort=due")
    assert page.status_code == 200
    assert "sort=-due" not in page.get_data(as_text=True)
    assert "sort=-title" in page.get_data(as_text=True)
