"""What a signed decision ends (4.4): running filings and enterprise reviews, all at once or not at all."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from tests.processes.conftest import Town
from tests.processes.test_expulsion import Review, unit
from webapp import db
from webapp.demo import make
from webapp.engine.commands import RunJob
from webapp.engine.tables import job, process_instance
from webapp.errors import Conflict, Forbidden
from webapp.notices.models import Notice
from webapp.registers import expelling
from webapp.registers.models import BarredEntry, Expulsion, SerialNumber


def reason(town: Town, case: UUID) -> str:
    with db.transaction() as session:
        return str(session.scalar(select(process_instance.c.end_reason).where(process_instance.c.id == case)))


def filing_case(town: Town, filing: UUID) -> UUID:
    found = town.filing(filing).instance_id
    assert found is not None
    return found


def test_4_4_drafts_and_filings_of_the_unit_end_with_the_reason_and_others_go_on(town: Town) -> None:
    other = town.file([make.enterprise(70)])
    filing = town.file([make.enterprise(71), make.enterprise(72), make.enterprise(73)], "_c")
    draft = town.start("lead_unit_c", "partner_filing")
    first, second, third = town.items(filing)
    town.review(first)  # passed, waits in the pool
    town.review(second, "return", accounts_verdict="correct", accounts_request="请补交签章页。")
    review = Review(town)
    review.expel()
    number = review.row.decision_number
    for item in (first, second, third):
        found = town.item(item)
        assert (found.status, town.status(town.case_of(item))) == ("struck", "cancelled")
        assert str(number) in found.outcome_reason
        assert str(number) in reason(town, town.case_of(item))
    case = filing_case(town, filing)
    assert (town.filing(filing).status, town.status(case), town.status(draft)) == ("closed", "cancelled", "cancelled")
    assert str(number) in reason(town, draft)
    assert {town.number(case), town.number(draft)} <= set(review.row.ended_cases)
    assert town.status(filing_case(town, other)) == "active"
    assert town.item(town.items(other)[0]).status == "review"


def test_4_4_what_stands_in_a_batch_is_struck_by_correction_and_the_batch_goes_on(town: Town) -> None:
    other = town.file([make.enterprise(70)])
    filing = town.file([make.enterprise(71), make.enterprise(72)], "_c")
    mine, waiting = town.items(filing)
    (theirs,) = town.items(other)
    for item in (mine, theirs):
        town.review(item)
    batch = town.publish([theirs, mine])
    review = Review(town)
    review.expel()
    assert town.item(waiting).status == "struck"
    assert (town.item(mine).status, town.filing(filing).status) == ("public", "review")
    town.close_period(batch)
    assert (town.item(mine).status, town.item(theirs).status) == ("struck", "public")
    town.publish_list(batch)
    assert town.item(theirs).status == "published"
    assert town.filing(filing).status == "closed"


def counted(town: Town) -> dict[str, Any]:
    with db.transaction() as session:
        number = session.scalar(select(SerialNumber.last).where(SerialNumber.kind == "document:expulsion"))
        return {
            "bars": session.scalar(select(func.count()).select_from(BarredEntry)),
            "notices": session.scalar(select(func.count()).select_from(Notice).where(Notice.kind == "expulsion")),
            "number": number,
            "unit": unit(town).status,
            "reviews": session.scalars(select(Expulsion.status)).all(),
        }


@pytest.mark.parametrize("part", ["_publish", "_take_off_the_list", "_bar", "_end_filings", "_end_others", "restrict"])
def test_4_4_a_failure_at_any_part_of_the_decision_leaves_nothing_of_it(
    town: Town, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    filing = town.file([make.enterprise(71)], "_c")
    review = Review(town)
    review.to_signature()
    before = counted(town)
    real = getattr(expelling, part)

    def broken(*args: Any, **named: Any) -> None:
        real(*args, **named)
        raise Conflict("断电")

    monkeypatch.setattr(expelling, part, broken)
    review.act("sign", "working_group")
    assert counted(town) == before
    (item,) = town.items(filing)
    assert (town.item(item).status, town.status(town.case_of(item))) == ("review", "active")
    monkeypatch.undo()
    with db.transaction() as session:
        waiting = session.scalars(select(job.c.id).where(job.c.instance_id == review.case)).one()
        town.engine.step(session, review.case, RunJob(waiting), None)
    assert counted(town)["unit"] == "expelled"
    assert (town.item(item).status, town.status(town.case_of(item))) == ("struck", "cancelled")
    with db.transaction() as session:
        signed = session.scalars(select(Notice.signed_by).where(Notice.kind == "expulsion")).one()
    assert signed == town.people["working_group"].name  # also when a worker repeats the step
    assert review.row.decision_number == "穗工信清退〔2026〕1 号"  # gapless: the failure took no number


def test_4_4_a_filing_that_is_confirmed_in_another_window_comes_too_late(town: Town) -> None:
    draft = town.start("lead_unit_c", "partner_filing")
    head = town.people["lead_unit_head_c"]
    Review(town).expel()
    assert town.status(draft) == "cancelled"
    with pytest.raises(Forbidden):
        town.start("lead_unit_head_c", "partner_filing")
    assert head.roles == {"lead_unit_head"}  # the person of an old page: the unit itself is refused
