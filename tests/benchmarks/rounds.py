"""A round of quarterly evaluation (3.2) over 10, 100 and 1,000 lead units: what it costs to open each unit's case.

The cases are opened batch by batch, as the job of a worker does it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from datetime import date
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.benchmarks.ground import Ground
from tests.benchmarks.registry import Bench, Figure
from tests.support import make_account

SIZES = (10, 100, 1000)
#: The goals: 1,000 cases open in the background within 20 s, at a cost per case that does not grow with their number.
SECONDS, GROWTH = 20.0, 1.25
#: The page of a round of 1,000 units shows the first fifty; reading and sorting them all takes no longer (ms).
MATRIX = 250.0
#: Answers of units that are timed in each round, to see that no step grows with the number of units.
ANSWERS = 9
OFFICE = "benchmark"
#: The smallest round is opened so many times: one alone is over too soon to be measured.
REPEATED = 8


def _units(session: Session, count: int) -> None:
    """Listed lead units with their organisations."""
    from webapp.accounts.models import Organisation
    from webapp.demo import make
    from webapp.registers.models import LeadUnit

    for n in range(count):
        name, code = f"牵引单位{n:04d}", make.credit_code(700_000 + n * 3)
        organisation = Organisation(name=name, credit_code=code, kind="lead_unit")
        session.add(organisation)
        session.flush()
        unit = LeadUnit(organisation_id=organisation.id, credit_code=code, name=name, listed_on=date(2025, 1, 16))
        session.add(unit)


def prepare(ground: Ground, count: int) -> None:
    """Deploy the domain's processes, make the account that opens rounds, enter `count` units."""
    from webapp import config, db
    from webapp.supervisor import deploy_processes

    environment = {"DATABASE_URL": db.current_url() or "", "DATA_DIR": str(ground.directory / "data"), "DEMO": "0"}
    deploy_processes(config.load(environment))
    with db.transaction() as session:
        make_account(session, "office", password="qianyin-benchmark", username=OFFICE)
        _units(session, count)


def begin(count: int, year: int) -> UUID:
    """A round over `count` units whose cases wait to be opened."""
    from webapp import clock, db
    from webapp.accounts import service
    from webapp.accounts.models import Account
    from webapp.demo import play
    from webapp.registers import evaluation_rounds as rounds
    from webapp.registers import evaluation_scoring as scoring
    from webapp.registers.evaluation_models import EvaluationRound
    from webapp.registers.models import LeadUnit

    with db.transaction() as session:
        chosen = select(LeadUnit.id).order_by(LeadUnit.name).limit(count).scalar_subquery()
        session.execute(update(LeadUnit).values(status="withdrawn"))
        session.execute(update(LeadUnit).where(LeadUnit.id.in_(chosen)).values(status="listed"))
    with db.transaction() as session:
        office = service.actor_of(session.scalars(select(Account).where(Account.username == OFFICE)).unique().one())
        case = play.start(session, office, "quarterly_evaluation", {"year": year, "quarter": 1})
        round_ = session.scalars(select(EvaluationRound).where(EvaluationRound.instance_id == case)).one()
        rounds.freeze(session, round_, {"indicators": scoring.standard_set(), "experts": []}, clock.now())
        rounds.begin(session, round_, clock.now())
        return round_.id


def opened(round_id: UUID) -> tuple[float, list[float]]:
    """Seconds until every unit's case is open, as the worker's job opens them; and those of a unit, by batch."""
    from webapp import db
    from webapp.registers import evaluation_rounds as rounds

    costs, began, count = [], time.perf_counter(), 1
    while count:
        batch = time.perf_counter()
        count = db.retrying(lambda session: rounds.open_some(session, round_id))
        if count:
            costs.append((time.perf_counter() - batch) / count)
    return time.perf_counter() - began, costs


def answer(round_id: UUID) -> list[float]:
    """Seconds in which units that have left the list answer their round, each in a transaction of its own."""
    from webapp import db
    from webapp.engine import runtime
    from webapp.engine.commands import Cancel
    from webapp.registers.evaluation_models import EvaluationResult
    from webapp.registers.models import LeadUnit

    with db.transaction() as session:
        mine = select(EvaluationResult).where(EvaluationResult.round_id == round_id).limit(ANSWERS)
        found = list(session.scalars(mine).unique())
        gone = [result.lead_unit_id for result in found]
        session.execute(update(LeadUnit).where(LeadUnit.id.in_(gone)).values(status="withdrawn"))
    times = []
    for result in found:
        assert result.instance_id is not None
        began = time.perf_counter()
        with db.transaction() as session:
            runtime.engine().step(session, result.instance_id, Cancel("离开名单"), None)
        times.append(time.perf_counter() - began)
    return times


def looked_at(round_id: UUID) -> float:
    """Milliseconds in which the matrix of a round is read, counted and put in order for its page."""
    from webapp import clock, db
    from webapp.registers import evaluation_rounds as rounds
    from webapp.registers import round_matrix as matrix

    times = []
    for _ in range(5):
        with db.transaction() as session:
            round_ = rounds.get(session, round_id)
            began = time.perf_counter()
            found = matrix.units(session, round_, clock.now())
            matrix.counts(found)
            matrix.heads(round_, found)
            matrix.progress(round_, found)
            matrix.chosen(found, "", "", "due")
            times.append(time.perf_counter() - began)
    return min(times) * 1000


def quiet(times: list[float]) -> float:
    """The lower quartile: what others do on the machine at the time is not the cost."""
    return statistics.quantiles(times, n=4)[0]


def run(ground: Ground) -> Iterator[Figure]:
    sizes = SIZES if ground.full else SIZES[:2]
    seconds: dict[int, float] = {}
    costs: dict[int, list[float]] = {count: [] for count in sizes}
    steps: dict[int, list[float]] = {count: [] for count in sizes}
    page, year = 0.0, 2021
    with ground.database():
        prepare(ground, max(sizes))
        opened(begin(5, 2020))  # warms up
        for count in sizes:
            for _ in range(REPEATED if count == min(sizes) else 1):
                round_id = begin(count, year)
                year += 1
                seconds[count], batches = opened(round_id)
                costs[count] += batches
                steps[count] += answer(round_id)
                page = looked_at(round_id)
            each, step = quiet(costs[count]) * 1000, quiet(steps[count]) * 1000
            print(f"{count:>5} units: {seconds[count]:.2f} s, {each:.2f} ms each; an answer {step:.2f} ms")
    most, least = max(sizes), min(sizes)
    growth = quiet(costs[most]) / quiet(costs[least])
    yield Figure(f"a round over {most:,} lead units opens", seconds[most], SECONDS * most / max(SIZES), "s")
    yield Figure(f"cost of opening one unit, of {most:,} / of {least}", growth, GROWTH, "×")
    yield Figure(f"the matrix of {most:,} units is read and sorted", page, MATRIX, "ms")
    growth = quiet(steps[most]) / quiet(steps[least])
    yield Figure(f"an answer of a unit, of {most:,} / of {least}", growth, GROWTH, "×")


BENCH = Bench("rounds", "A round of quarterly evaluation over 1,000 lead units", run)
