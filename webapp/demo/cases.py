"""The cases of the demo, each brought where it stands by its own process: nothing is put in half way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.demo import evaluation, make, play, supervision
from webapp.demo.registers import Registers
from webapp.engine.handler_api import Actor
from webapp.notices import objections, publishing
from webapp.registers import evaluation_rounds as rounds
from webapp.registers.evaluation_models import EvaluationResult, EvaluationRound
from webapp.registers.filing_checks import MATERIALS
from webapp.registers.models import Filing, FilingItem
from webapp.registers.values import key

PASS = {f"{material}_verdict": "pass" for material in MATERIALS}
NEED = "为金属加工和注塑行业 12 家试点企业提供设备联网、能耗采集与质量追溯，补足本联合体在边缘采集上的能力。"


def fill(session: Session, people: Mapping[str, Actor], registers: Registers) -> None:
    """Two filings under way, and a notice in its period with one objection; begun over the last two weeks."""
    _notice_in_its_period(session, people)
    _filing_under_review(session, people, registers)
    _filing_just_submitted(session, people)
    _filing_being_prepared(session, people)
    _round_under_way(session, people, registers)


@contextmanager
def ago(working_days: int, hour: int = 10, minute: int = 0) -> Iterator[None]:
    """What is done inside was done so many working days ago, at that time in Beijing (never later than now)."""
    before = clock.clock.offset
    day = clock.add_working_days(clock.today(), -working_days)
    then = datetime.combine(day, time(hour, minute), clock.BEIJING)
    clock.clock.offset = before + min(then - clock.now(), then - then)
    try:
        yield
    finally:
        clock.clock.offset = before


def file(
    session: Session,
    staff: Actor,
    head: Actor,
    enterprises: Sequence[Mapping[str, Any]],
    *,
    need: str = NEED,
    programme: str = "national",
) -> Filing:
    """A filing from the first draft to its submission."""
    instance_id = play.start(session, staff, "partner_filing")
    data = {
        "need": need,
        "programme": programme,
        "enterprises": [_form_row(session, staff, enterprise) for enterprise in enterprises],
        "true_copies": True,
        "knows_publicity": True,
    }
    play.do(session, staff, instance_id, "prepare_filing", data, "submit")
    opinion = {"confirm_opinion": "材料齐全，同意提交。"}
    play.do(session, head, instance_id, "confirm_submission", opinion, "confirm")
    return session.scalars(select(Filing).where(Filing.instance_id == instance_id)).unique().one()


def _form_row(session: Session, staff: Actor, enterprise: Mapping[str, Any]) -> dict[str, Any]:
    filled = make.with_materials(session, staff, enterprise)
    hidden = {} if filled["interpretation_id"] else {"interpretation_id"}
    return {name: value for name, value in filled.items() if name not in hidden}


def review(
    session: Session,
    reviewer: Actor,
    item: FilingItem,
    outcome: str = "pass",
    **changes: Any,
) -> None:
    """One review of an enterprise; `changes` go over a review in which every material passes."""
    data = {**PASS, "review_opinion": "四项材料齐全、有效，与申报一致。", "correction_days": 5, **changes}
    play.do(session, reviewer, key(item.instance_id), "review", data, outcome)


def agree(session: Session, second: Actor, item: FilingItem) -> None:
    """The second person's agreement."""
    play.do(session, second, key(item.instance_id), "second_review", {"second_opinion": "同意审核意见。"}, "agree")


def publish(session: Session, office: Actor, signatory: Actor, items: Sequence[FilingItem]) -> UUID:
    """A batch from the pool to its published notice; gives its case."""
    instance_id = play.start(session, office, "publicity_batch")
    given = play.fill_in(session, office, instance_id, "compose")
    data = {"title": given["title"], "item_ids": [str(i.id) for i in items], "period_days": given["period_days"]}
    play.do(session, office, instance_id, "compose", data, "submit")
    play.do(session, signatory, instance_id, "sign_notice", {"sign_opinion": "同意公示。"}, "sign")
    return instance_id


def _notice_in_its_period(session: Session, people: Mapping[str, Actor]) -> None:
    passed: list[FilingItem] = []
    for letter, first, count in (("", 70, 3), ("_c", 73, 2)):
        staff, head = people[f"lead_unit{letter}"], people[f"lead_unit_head{letter}"]
        with ago(9, 15, 20):
            filing = file(session, staff, head, [make.enterprise(first + n) for n in range(count)])
        for n, item in enumerate(filing.items):
            with ago(6, 9, 40 + 5 * n):
                review(session, people["office"], item)
            with ago(5, 11, 10 + 4 * n):
                agree(session, people["office2"], item)
        passed += filing.items
    with ago(2, 16, 5):
        publish(session, people["office"], people["working_group"], passed)
    item = passed[-1]
    with ago(1, 10, 30):
        objections.receive(
            session,
            notice_id=publishing.of_batch(session, key(item.batch_id)).id,
            filing_item_id=item.id,
            channel="web",
            objector_name="黄朗",
            objector_contact="13800000000",
            words="据了解，该企业上年度没有开展其所填报的设备联网业务，请核实其服务能力。",
        )


def _filing_under_review(session: Session, people: Mapping[str, Actor], registers: Registers) -> None:
    """One passed and to be confirmed, one with a warning to answer, one not looked at yet, one to be corrected."""
    with ago(6, 14, 10):  # its enterprises too: what year's accounts they show depends on the day
        barred = make.enterprise(77, name=registers.expelled.name, credit_code=registers.expelled.credit_code)
        elsewhere = make.enterprise(5)  # a member of another unit's consortium
        filing = file(
            session,
            people["lead_unit"],
            people["lead_unit_head"],
            [make.enterprise(75), barred, elsewhere, make.enterprise(76)],
        )
    with ago(2, 9, 35):
        review(session, people["office"], filing.items[0])
    with ago(3, 9, 50):
        review(
            session,
            people["office"],
            filing.items[3],
            "return",
            accounts_verdict="correct",
            accounts_request="审计报告第 2 页缺少会计师事务所公章，请补交签章完整的报告。",
            review_opinion="审计报告签章不全，请补正。",
        )
    with ago(2, 15, 15):
        agree(session, people["office2"], filing.items[3])


def _filing_just_submitted(session: Session, people: Mapping[str, Actor]) -> None:
    need = "为注塑与模具行业 8 家试点企业提供生产排程与设备联网。"
    with ago(5, 11, 30):
        enterprises = [make.enterprise(78), make.enterprise(79)]
        file(session, people["lead_unit_b"], people["lead_unit_head_b"], enterprises, need=need, programme="provincial")


def _filing_being_prepared(session: Session, people: Mapping[str, Actor]) -> None:
    """A draft that its staff has just opened."""
    play.start(session, people["lead_unit"], "partner_filing")


def _round_under_way(session: Session, people: Mapping[str, Actor], registers: Registers) -> None:
    """The quarter that has ended is being evaluated: indicators served, reporting open; one unit is being checked."""
    with ago(evaluation.BEGUN, 9, 10):
        instance_id = play.start(session, people["office"], "quarterly_evaluation")
        given = play.fill_in(session, people["office"], instance_id, "fix_indicators")
        rows = [{name: value for name, value in row.items() if value != ""} for row in given["indicators"]]
        data = {"indicators": rows, "experts": ["expert", "expert2"]}
        play.do(session, people["office"], instance_id, "fix_indicators", data, "submit")
    with ago(9, 15, 20):
        opinion = {"approve_opinion": "同意。"}
        play.do(session, people["working_group"], instance_id, "approve_indicators", opinion, "approve")
    with ago(8, 9, 0):
        play.do(session, people["office"], instance_id, "open_reporting", {"checks": supervision.ALL}, "open")
        round_ = session.scalars(select(EvaluationRound).where(EvaluationRound.instance_id == instance_id)).one()
        while rounds.open_some(session, round_.id):
            pass
    with ago(2, 11, 30):
        unit = EvaluationResult.lead_unit_id == registers.units[1].id
        mine = select(EvaluationResult).where(EvaluationResult.round_id == round_.id, unit)
        supervision.under_way(session, people, session.scalars(mine).unique().one())
