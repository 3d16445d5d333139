"""Issue 3, "Done when" 2: kill -9 in the step that confirms an expulsion (4.4) leaves everything of it or nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest

from tests.processes.conftest import Town, _founded, town  # noqa: F401  (fixtures)
from tests.processes.test_expulsion import Review, unit
from webapp import clock, db
from webapp.config import ROOT
from webapp.demo import expulsion as play_expulsion
from webapp.demo import make
from webapp.registers import handovers

#: How many moments between the first and the last statement of the step.
MOMENTS = 12
_TABLES = (
    "select relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public'"
    " and c.relkind in ('r', 'p') and not c.relispartition order by relname"
)


def everything(database: str) -> dict[str, tuple[int, str]]:
    """Each table with its number of rows and a digest of all of them."""
    with psycopg.connect(database) as connection:
        names = [name for (name,) in connection.execute(_TABLES)]
        found = {}
        for name in names:
            digest = f"select count(*), coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from {name} t"
            row = connection.execute(digest.encode()).fetchone()
            assert row is not None
            found[name] = (row[0], row[1])
        return found


class Signing:
    """The process that signs, and what it says after each attempt."""

    def __init__(self, database: str, data_dir: Path, review: Review) -> None:
        offset = str(clock.clock.offset.total_seconds())
        arguments = [database, str(data_dir), offset, str(review.case), "working_group"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.expulsion_signing", *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.orders: IO[str] = self.process.stdin
        self.said: IO[str] = self.process.stdout

    def attempt(self, order: str) -> str:
        self.orders.write(f"{order}\n")
        self.orders.flush()
        return self.said.readline().strip()


@pytest.fixture
def review(town: Town) -> Review:  # noqa: F811
    """Ready for the signature: a filing, a draft and two projects of the unit are under way."""
    town.file([make.enterprise(71), make.enterprise(72)], "_c")
    town.start("lead_unit_c", "partner_filing")
    with db.transaction() as session:
        for number in range(2):
            play_expulsion.add_project(session, town.unit("_c"), number, clock.today() - timedelta(days=90))
    found = Review(town)
    found.to_signature()
    return found


@pytest.fixture
def signing(database: str, config: Any, review: Review) -> Iterator[Signing]:
    started = Signing(database, config.data_dir, review)
    yield started
    started.orders.close()
    started.process.wait()
    started.said.close()


def test_4_4_killed_anywhere_in_the_confirming_step_everything_of_it_is_there_or_nothing(
    database: str, review: Review, signing: Signing
) -> None:
    before = everything(database)
    statements = int(signing.attempt("count"))
    assert signing.said.readline().strip() == "killed by 9"
    moments = sorted({1 + (statements - 1) * n // (MOMENTS - 1) for n in range(MOMENTS)})
    assert len(moments) >= 10
    for order in (*map(str, moments), "commit"):
        assert signing.attempt(order) == "killed by 9", order
        assert everything(database) == before, order
    assert signing.attempt("after") == "killed by 9"
    assert unit(review.town).status == "expelled"
    row = review.row
    assert (row.status, row.decision_number) == ("expelled", "穗工信清退〔2026〕1 号")  # the killed ones took no number
    assert len(row.ended_cases) >= 3
    with db.transaction() as session:
        entries = handovers.of_review(session, review.id)
    assert [review.town.status(entry.instance_id) for entry in entries if entry.instance_id] == ["active"] * 2
    whole = everything(database)
    assert signing.attempt("again") == "came to its end"  # refused: it is signed
    assert everything(database) == whole
