"""Two people at the same moment: the rows that both change are locked, the later one reads what the earlier one did."""

from __future__ import annotations

import threading
import time as machine
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tests.processes.conftest import Town
from tests.processes.test_batches import in_publicity, objection
from webapp import db
from webapp.demo import cases, make, play
from webapp.errors import QianyinError
from webapp.notices.models import Notice
from webapp.registers.models import ConsortiumEnterprise, Filing

BLOCKED = text("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")


def race(first: Callable[[Session], Any], second: Callable[[Session], Any]) -> list[BaseException | None]:
    """Do the first; before it commits, let the second run in a thread until it waits for a lock (or is done)."""
    raised: list[BaseException | None] = [None, None]

    def later() -> None:
        try:
            db.retrying(second)
        except QianyinError as error:
            raised[1] = error

    thread = threading.Thread(target=later)
    try:
        with db.transaction() as session:
            first(session)
            session.flush()
            thread.start()
            while thread.is_alive() and not _blocked():
                machine.sleep(0.02)
    except QianyinError as error:
        raised[0] = error
    thread.join()
    return raised


def _blocked() -> bool:
    with Session(db.engine()) as looking:
        return bool(looking.scalar(BLOCKED))


def composed(town: Town, item: UUID) -> Callable[[Session], None]:
    case = town.start("office", "publicity_batch")
    data = {"title": "公示", "item_ids": [str(item)], "period_days": 5}
    return lambda session: play.do(session, town.people["office"], case, "compose", data, "submit")


def test_4_6_3_two_officers_who_choose_one_enterprise_do_not_both_get_it(town: Town) -> None:
    (item,) = town.items(town.file([make.enterprise(70)]))
    town.review(item)
    raised = race(composed(town, item), composed(town, item))
    assert raised[0] is None
    assert list(getattr(raised[1], "fields", {})) == ["item_ids"]  # told at the field, and the task stays open
    with db.transaction() as session:
        assert (
            len(session.scalars(select(Notice).where(Notice.kind == "publicity", Notice.status == "draft")).all()) == 1
        )


def test_4_6_1_two_filings_that_are_confirmed_at_once_do_not_both_hold_an_enterprise(town: Town) -> None:
    staff, head = town.people["lead_unit"], town.people["lead_unit_head"]

    def drafted() -> Callable[[Session], None]:
        with db.transaction() as session:
            case = play.start(session, staff, "partner_filing")
            data = {
                "need": cases.NEED,
                "programme": "national",
                "enterprises": [cases._form_row(session, staff, make.enterprise(70))],
                "true_copies": True,
                "knows_publicity": True,
            }
            play.do(session, staff, case, "prepare_filing", data, "submit")
        said = {"confirm_opinion": "同意。"}
        return lambda session: play.do(session, head, case, "confirm_submission", said, "confirm")

    raised = race(drafted(), drafted())
    assert raised[0] is None
    assert raised[1] is not None
    with db.transaction() as session:
        assert len(session.scalars(select(Filing.id).where(Filing.status == "review")).all()) == 1


def test_4_6_3_a_strike_and_the_publication_at_once_leave_one_outcome(town: Town) -> None:
    _filing, (item,), batch = in_publicity(town, 1)
    town.close_period(batch)
    notice, case = town.notice(batch), town.start("office", "notice_correction")
    lines = [{"line": str(notice.rows[0].id), "field": "strike", "after": None}]
    data = {
        "notice_id": str(notice.id),
        "correction_kind": "correction",
        "correction_title": "更正公告",
        "correction_words": "该企业列入有误，现予撤下。",
        "lines": lines,
    }
    town.do("office", case, "prepare", data, "submit")
    with db.transaction() as session:
        given = play.fill_in(session, town.people["office"], batch, "prepare_list")
    town.do("office", batch, "prepare_list", {"list_title": given["list_title"]}, "submit")
    signs = town.people["working_group"]
    race(
        lambda session: play.do(session, signs, batch, "sign_list", {"sign_opinion": "同意。"}, "sign"),
        lambda session: play.do(session, signs, case, "sign", {}, "sign"),
    )
    town.work()
    with db.transaction() as session:
        members = session.scalars(select(ConsortiumEnterprise).where(ConsortiumEnterprise.filing_item_id == item))
        assert (town.item(item).status, len(members.all())) == ("published", 1)
    assert town.open(case) == ["sign"]  # refused: it is in the list now


def test_4_6_3_a_strike_and_a_dismissal_at_once_leave_the_enterprise_struck(town: Town) -> None:
    _filing, (item,), batch = in_publicity(town, 1)
    found = objection(town, batch, item)
    objected = found.instance_id
    assert objected is not None
    town.do("office", objected, "investigate", {"findings": "已电话核实。", "proposal": "dismissed"}, "submit")
    notice, case = town.notice(batch), town.start("office", "notice_correction")
    lines = [{"line": str(notice.rows[0].id), "field": "strike", "after": None}]
    data = {
        "notice_id": str(notice.id),
        "correction_kind": "correction",
        "correction_title": "更正公告",
        "correction_words": "该企业列入有误，现予撤下。",
        "lines": lines,
    }
    town.do("office", case, "prepare", data, "submit")
    signs, other = town.people["working_group"], {"decision_reasons": "依据调查情况。"}
    race(
        lambda session: play.do(session, signs, case, "sign", {}, "sign"),
        lambda session: play.do(session, signs, objected, "decide", other, "dismissed"),
    )
    assert town.item(item).status == "struck"
    town.close_period(batch)
    assert town.status(batch) == "completed"


def test_a_correction_after_its_deadline_is_refused_also_while_the_worker_is_away(town: Town) -> None:
    (item,) = town.items(town.file([make.enterprise(70)]))
    town.review(item, "return", licence_verdict="correct", licence_request="不清晰", review_opinion="请补正。")
    case, due = town.case_of(item), town.item(item).correction_due_at
    assert due is not None
    new = {"licence": town.upload("lead_unit", make.enterprise(70))["licence"]}
    town.clock_at(due)  # 24:00 of the last day; no timer has fired yet
    assert list(town.refused("lead_unit", case, "correct", new, "resubmit")) == [""]
    town.pass_time(seconds=1)
    assert town.item(item).status == "lapsed"
    assert town.status(case) == "completed"


def test_a_correction_in_the_last_second_counts(town: Town) -> None:
    (item,) = town.items(town.file([make.enterprise(70)]))
    town.review(item, "return", licence_verdict="correct", licence_request="不清晰", review_opinion="请补正。")
    due = town.item(item).correction_due_at
    assert due is not None
    new = {"licence": town.upload("lead_unit", make.enterprise(70))["licence"]}
    town.clock_at(due - timedelta(seconds=5))
    town.do("lead_unit", town.case_of(item), "correct", new, "resubmit")
    town.pass_time(days=3)
    assert town.item(item).status == "review"
