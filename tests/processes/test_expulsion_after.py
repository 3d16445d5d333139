"""After the decision (4.4): each unfinished project handed over, and 复核 that upholds or reverses, all at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.processes.conftest import Town
from tests.processes.test_expulsion import Review, unit
from webapp import clock, db
from webapp.accounts.models import Account
from webapp.accounts.service import actor_of
from webapp.demo import expulsion as play_expulsion
from webapp.demo import reconsideration as play
from webapp.documents import service as documents
from webapp.documents.models import Document
from webapp.engine.commands import Cancel, RunJob
from webapp.engine.handler_api import Actor
from webapp.engine.tables import job
from webapp.errors import Conflict, Forbidden, Invalid
from webapp.notices.models import Notice
from webapp.registers import admission, filing_checks, handovers, history, reconsiderations, reversing
from webapp.registers.expulsion_models import ExpulsionHandover, Reconsideration
from webapp.registers.models import BarredEntry


class After:
    """An expelled unit, and the verbs of what follows; each is a transaction of its own."""

    def __init__(self, town: Town) -> None:
        self.town = town
        with db.transaction() as session:
            for number in range(3):
                play_expulsion.add_project(session, town.registers.units[2], number, clock.today() - timedelta(days=90))
        self.review = Review(town)
        self.review.expel()
        with db.transaction() as session:
            for name in ("lead_unit_c", "lead_unit_head_c"):
                town.people[name] = actor_of(session.get_one(Account, town.people[name].id))
        self.former: Actor = town.people["lead_unit_head_c"]

    def handovers(self) -> list[ExpulsionHandover]:
        with db.transaction() as session:
            return handovers.of_review(session, self.review.id)

    def entry(self) -> Reconsideration:
        with db.transaction() as session:
            return reconsiderations.of_review(session, self.review.id)[-1]

    def ask(self) -> None:
        with db.transaction() as session:
            play.request(session, self.former, self.review.row)
        self.town.work()

    def act(self, verb: str, who: str, *args: Any, **changes: Any) -> None:
        with db.transaction() as session:
            entry = reconsiderations.get(session, self.entry().id)
            getattr(play, verb)(session, self.town.people[who], entry, *args, **changes)
        self.town.work()

    def case(self) -> UUID:
        found = self.entry().instance_id
        assert found is not None
        return found

    def to_meeting(self, proposal: str = "reverse") -> None:
        self.ask()
        self.act("examine", "office", proposal)
        self.act("check", "working_group")

    def sign(self, case: UUID | None = None) -> None:
        with db.transaction() as session:
            play.draft(session, self.town.people["office"], case or self.case())
        with db.transaction() as session:
            play.sign(session, self.town.people["working_group"], case or self.case())
        self.town.work()

    def roles(self, name: str) -> set[str]:
        with db.transaction() as session:
            return set(session.get_one(Account, self.town.people[name].id).roles)

    def bars(self) -> list[BarredEntry]:
        with db.transaction() as session:
            code = self.review.unit.credit_code
            return list(session.scalars(select(BarredEntry).where(BarredEntry.credit_code == code)))


@pytest.fixture
def after(town: Town) -> After:
    return After(town)


# ---- handover ------------------------------------------------------------------------------------------------------


def test_4_4_each_unfinished_project_is_a_task_of_its_own_and_moves_when_the_office_confirms(after: After) -> None:
    town, entries = after.town, after.handovers()
    assert len(entries) >= 2
    assert all(entry.project.status in handovers.UNFINISHED for entry in entries)
    taker = town.registers.units[4]
    for number, entry in enumerate(entries):
        assert entry.instance_id is not None
        assert town.status(after.review.case) == "active"
        with db.transaction() as session:
            play.hand_over(session, after.former, session.get_one(ExpulsionHandover, entry.id), taker)
        if number == 0:
            town.do("office", entry.instance_id, "confirm_handover", {"confirm_words": "请补移交单。"}, "return")
            form = town.form("lead_unit_head_c", entry.instance_id, "hand_over")
            assert (form.context["return_words"], form.data["taker"]) == ("请补移交单。", str(taker.id))
            with db.transaction() as session:
                play.hand_over(session, after.former, session.get_one(ExpulsionHandover, entry.id), taker)
        with db.transaction() as session:
            play.confirm_handover(session, town.people["office"], session.get_one(ExpulsionHandover, entry.id))
        town.work()
    for entry in after.handovers():
        assert (entry.status, entry.project.lead_unit_id, entry.taker_id) == ("confirmed", taker.id, taker.id)
        assert entry.project.pilot_enterprise.lead_unit_id == taker.id
    with db.transaction() as session:
        told = [change.action for change in history.of_entry(session, "retrofit_project", [entries[0].project_id])]
    assert "handed_over" in told
    assert town.status(after.review.case) == "completed"


def test_4_4_a_project_goes_to_a_listed_unit_on_a_day_since_the_decision(after: After) -> None:
    town, case = after.town, after.handovers()[0].instance_id
    assert case is not None
    given = {"handover_note": "资料已交接完毕。", "handed_over_on": clock.today(), "taker": str(after.review.unit.id)}
    assert "taker" in town.refused("lead_unit_head_c", case, "hand_over", given, "submit")
    given["taker"] = str(town.registers.units[4].id)
    for days, words in ((1, "晚于今日"), (-1, "早于清退决定")):
        wrong = {**given, "handed_over_on": clock.today() + timedelta(days=days)}
        assert words in str(town.refused("lead_unit_head_c", case, "hand_over", wrong, "submit"))
    with db.transaction() as session, pytest.raises(Conflict):
        town.engine.step(session, case, Cancel("不办了"), town.people["manager"])


def test_4_4_whoever_hands_over_for_the_unit_does_not_confirm_it(after: After) -> None:
    town, entry = after.town, after.handovers()[0]
    with db.transaction() as session:
        play.hand_over(
            session, town.people["office"], session.get_one(ExpulsionHandover, entry.id), town.registers.units[4]
        )
    with pytest.raises((Forbidden, Conflict)), db.transaction() as session:
        play.confirm_handover(session, town.people["office"], session.get_one(ExpulsionHandover, entry.id))
    with db.transaction() as session:
        play.confirm_handover(session, town.people["office2"], session.get_one(ExpulsionHandover, entry.id))


# ---- 复核 ----------------------------------------------------------------------------------------------------------


def test_3_6_a_request_suspends_nothing_and_upheld_changes_nothing(after: After) -> None:
    after.to_meeting("uphold")
    assert (unit(after.town).status, after.bars()[0].annulled_on) == ("expelled", None)
    assert len(after.handovers()) == sum(entry.status == "open" for entry in after.handovers())
    after.act("deliberate", "bureau_meeting", "uphold")
    after.sign()
    entry = after.entry()
    assert (entry.status, entry.decision_number) == ("upheld", "穗工信复核〔2026〕1 号")
    assert (unit(after.town).status, after.review.row.status) == ("expelled", "expelled")
    assert after.bars()[0].annulled_on is None
    assert after.roles("lead_unit_head_c") == {"former_lead_unit"}


def test_3_6_a_reversal_annuls_the_bar_and_restores_the_unit_all_at_once(after: After) -> None:
    town, number = after.town, after.review.row.decision_number
    with db.transaction() as session:
        assert number in str(admission.check_applicant(session, after.review.unit.credit_code))
    done, *rest = after.handovers()
    with db.transaction() as session:
        found = session.get_one(ExpulsionHandover, done.id)
        play.hand_over(session, after.former, found, town.registers.units[4])
    with db.transaction() as session:
        play.confirm_handover(session, town.people["office"], session.get_one(ExpulsionHandover, done.id))
    after.to_meeting()
    after.act("deliberate", "bureau_meeting", "reverse")
    assert unit(town).status == "expelled"  # only the signed decision restores
    after.sign()
    (bar,) = after.bars()
    assert (unit(town).status, bar.annulled_on) == ("listed", clock.today())
    assert (after.review.row.status, after.entry().status) == ("reversed", "reversed")
    assert after.roles("lead_unit_head_c") == {"lead_unit_head"}
    assert after.roles("lead_unit_c") == {"lead_unit"}
    assert [entry.status for entry in after.handovers()] == ["confirmed", *["cancelled"] * len(rest)]
    assert all(town.status(entry.instance_id) == "cancelled" for entry in rest if entry.instance_id)
    assert town.status(after.review.case) == "cancelled"
    with db.transaction() as session:
        notice = session.scalars(select(Notice).where(Notice.kind == "reconsideration")).one()
        assert (notice.status, notice.number) == ("published", "穗工信复核〔2026〕1 号")
        told = {change.action for change in history.of_entry(session, "barred_entry", [bar.id])}
        assert "annulled" in told
        assert "reinstated" in {c.action for c in history.of_entry(session, "lead_unit", [after.review.unit.id])}
        assert filing_checks.bars(session, [bar.credit_code]) == []
    town.make_documents()
    with db.transaction() as session:
        kinds = session.scalars(select(Document.filename).where(Document.kind == "reconsideration")).all()
        assert {name.rpartition(".")[2] for name in kinds} == {"pdf", "docx"}
    Review(town)  # and it may be proposed again, on new facts


def test_3_6_a_failure_at_any_part_of_a_reversal_leaves_nothing_of_it(
    after: After, monkeypatch: pytest.MonkeyPatch
) -> None:
    after.to_meeting()
    after.act("deliberate", "bureau_meeting", "reverse")
    for number, part in enumerate(
        ("_publish", "_annul_bar", "_restore_status", "_restore_accounts", "_end_handover", None)
    ):
        if part is not None:
            monkeypatch.setattr(reversing, part, failing_after(getattr(reversing, part)))
        if number == 0:
            after.sign()
        else:
            run_job(after.town, after.case())
        monkeypatch.undo()
        with db.transaction() as session:
            notices = session.scalars(select(Notice.number).where(Notice.kind == "reconsideration")).all()
        done = part is None
        assert unit(after.town).status == ("listed" if done else "expelled"), part
        assert after.review.row.status == ("reversed" if done else "expelled"), part
        assert (after.bars()[0].annulled_on is not None) is done, part
        assert after.roles("lead_unit_head_c") == {"lead_unit_head" if done else "former_lead_unit"}, part
        assert {entry.status for entry in after.handovers()} == {"cancelled" if done else "open"}, part
        assert notices == (["穗工信复核〔2026〕1 号"] if done else []), part  # the failures took no number


def failing_after(real: Any) -> Any:
    def broken(*args: Any, **named: Any) -> None:
        real(*args, **named)
        raise Conflict("断电")

    return broken


def run_job(town: Town, case: UUID) -> None:
    """Let the worker repeat the step that failed."""
    with db.transaction() as session:
        waiting = session.scalars(select(job.c.id).where(job.c.instance_id == case)).one()
        town.engine.step(session, case, RunJob(waiting), None)


def test_3_6_a_reversal_needs_the_meeting_with_quorum_and_minutes(after: After) -> None:
    after.to_meeting()
    few = play_expulsion.members("present", "present", "absent", "absent", "absent")
    for changes, field in (({"members": few}, "members"), ({"minutes_files": []}, "minutes_files")):
        with pytest.raises(Invalid) as refusal:
            after.act("deliberate", "bureau_meeting", "reverse", **changes)
        assert field in refusal.value.fields
    after.act("deliberate", "bureau_meeting", "send_back", resolution_words="请补充询问外包人员。")
    form = after.town.form("office", after.case(), "examine")
    assert form.context["return_words"] == "请补充询问外包人员。"


def test_3_6_a_binding_ruling_stands_with_its_document(after: After) -> None:
    town = after.town
    with db.transaction() as session, pytest.raises(Invalid) as refusal:
        play.enter_ruling(session, town.people["office"], after.review.row, ruling_files=[])
    assert "ruling_files" in refusal.value.fields
    with db.transaction() as session:
        case = play.enter_ruling(session, town.people["office2"], after.review.row)
    after.sign(case)
    assert (unit(town).status, after.entry().basis) == ("listed", "ruling")
    assert after.bars()[0].annulled_on == clock.today()
    assert after.entry().ruling["files"]


def test_3_6_one_at_a_time_and_only_by_the_unit_or_the_office(after: After) -> None:
    town = after.town
    for who in ("lead_unit_head", "working_group", "manager"):
        with db.transaction() as session, pytest.raises((Forbidden, Conflict)):
            reconsiderations.start(session, after.review.row, town.people[who])
    after.ask()
    for actor in (after.former, town.people["office"]):
        with db.transaction() as session, pytest.raises(Conflict, match="正在办理"):
            reconsiderations.start(session, after.review.row, actor)
    with db.transaction() as session, pytest.raises(Conflict):
        town.engine.step(session, after.case(), Cancel("不办了"), town.people["manager"])


def test_3_6_the_unit_reads_its_case_but_never_the_minutes(after: After) -> None:
    after.to_meeting()
    after.act("deliberate", "bureau_meeting", "reverse")
    minutes = UUID(after.entry().sessions[0]["minutes_files"][0])
    with db.transaction() as session:
        assert minutes not in set(session.scalars(select(Document.id).where(documents.visible(after.former))))
    panel = after.town.panel("lead_unit_head_c", after.case())
    assert "局务会" not in [block.title for block in panel.blocks]
    assert "局务会" in [block.title for block in after.town.panel("office", after.case()).blocks]


def test_4_4_a_barred_code_is_no_applicant_and_a_sound_one_becomes_a_candidate(after: After) -> None:
    code = after.review.unit.credit_code
    with db.transaction() as session, pytest.raises(Invalid) as refusal:
        admission.enter_candidate(session, {"name": "换个名字有限公司", "credit_code": code}, actor=None)
    assert "第 4.4 条不得重新申请纳入" in str(refusal.value.fields["credit_code"])
