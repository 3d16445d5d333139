"""A handler that failed in a person's step and succeeds in a worker's attempt still acts for that person."""

from __future__ import annotations

from sqlalchemy import delete, select

from tests.processes.conftest import Town
from webapp import db
from webapp.demo import make
from webapp.engine.commands import RunJob
from webapp.engine.tables import job
from webapp.notices.models import Notice
from webapp.registers import numbers
from webapp.registers.models import RegisterChange


def test_4_6_3_a_notice_that_a_worker_publishes_bears_the_signatory_and_the_next_number(town: Town) -> None:
    (item,) = town.items(town.file([make.enterprise(70)]))
    town.review(item)
    case = town.start("office", "publicity_batch")
    data = {"title": "公示", "item_ids": [str(item)], "period_days": 5}
    town.do("office", case, "compose", data, "submit")
    with db.transaction() as session:  # somebody else's row is in the way: the handler fails and rolls back
        next_one = numbers.document_number(session, "publicity", 2026)
        session.rollback()
    with db.transaction() as session:
        session.add(Notice(kind="publicity", number=next_one, title="占号", status="draft"))
    town.do("working_group", case, "sign_notice", {"sign_opinion": "同意公示。"}, "sign")
    assert town.notice(case).status == "draft"
    with db.transaction() as session:
        session.execute(delete(Notice).where(Notice.number == next_one))
        parked = session.execute(select(job).where(job.c.instance_id == case)).one()
    with db.transaction() as session:
        town.engine.step(session, case, RunJob(parked.id), None)
    notice, person = town.notice(case), town.people["working_group"]
    assert (notice.status, notice.number, notice.signed_by) == ("published", next_one, person.name)
    with db.transaction() as session:
        change = select(RegisterChange).where(RegisterChange.entry_id == item, RegisterChange.action == "public")
        assert session.scalars(change).one().actor_id == person.id
