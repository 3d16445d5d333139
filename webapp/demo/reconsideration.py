"""The demo's past expulsion, with its handover and a 复核 that upheld it; its verbs serve tests too."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts import service as accounts
from webapp.accounts.models import Account
from webapp.demo import expulsion, play
from webapp.demo.cases import ago
from webapp.engine.handler_api import Actor
from webapp.registers import handovers, reconsiderations
from webapp.registers.expulsion_models import ExpulsionHandover, Reconsideration
from webapp.registers.models import Expulsion, LeadUnit
from webapp.registers.values import key

REASONS = "验收材料系外包人员擅自伪造，本单位并不知情，且已主动补办验收，请求撤销清退决定。"
FACTS = "申报材料中的审计报告系伪造，出具报告的会计师事务所书面否认。"


def hand_over(session: Session, actor: Actor, entry: ExpulsionHandover, taker: LeadUnit) -> None:
    """Who takes a project over, from today on."""
    data = {
        "taker": str(taker.id),
        "handed_over_on": clock.today(),
        "handover_note": "资料、账号和未付款项已三方核对，试点企业同意由接手单位继续实施。",
        "handover_files": [expulsion.paper(session, actor, "三方移交单")],
    }
    play.do(session, actor, key(entry.instance_id), "hand_over", data, "submit")


def confirm_handover(session: Session, office: Actor, entry: ExpulsionHandover) -> None:
    """The office agrees; the project moves."""
    play.do(session, office, key(entry.instance_id), "confirm_handover", {"confirm_words": "已核实。"}, "confirm")


def request(session: Session, former: Actor, review: Expulsion) -> Reconsideration:
    """The expelled unit asks for 复核."""
    case = reconsiderations.start(session, review, former)
    files = [expulsion.paper(session, former, "补充证据")]
    play.do(session, former, case, "request", {"request_reasons": REASONS, "request_files": files}, "submit")
    found = reconsiderations.open_of(session, review.id)
    assert found is not None
    return found


def enter_ruling(session: Session, office: Actor, review: Expulsion, **changes: Any) -> UUID:
    """The office enters a binding ruling that quashes the decision. Gives the case."""
    case = reconsiderations.start(session, review, office)
    data = {
        "ruling_authority": "广州铁路运输法院",
        "ruling_number": "（2026）粤7101行初123号",
        "ruling_on": clock.today(),
        "ruling_words": "撤销被告作出的清退决定，责令重新作出处理。",
        "ruling_files": [expulsion.paper(session, office, "行政判决书")],
        **changes,
    }
    play.do(session, office, case, "enter_ruling", data, "submit")
    return case


def examine(session: Session, office: Actor, entry: Reconsideration, proposal: str = "uphold") -> None:
    """What the office found and proposes."""
    data = {"findings": "所述理由没有新的证据支持，原认定的事实清楚。", "proposal": proposal}
    play.do(session, office, key(entry.instance_id), "examine", data, "submit")


def check(session: Session, checker: Actor, entry: Reconsideration) -> None:
    """Legality is in order."""
    data = {"legality_opinion": "程序合法，依据正确。"}
    play.do(session, checker, key(entry.instance_id), "legality", data, "pass")


def deliberate(
    session: Session, secretary: Actor, entry: Reconsideration, outcome: str = "uphold", **changes: Any
) -> None:
    """A session of the 局务会 on it."""
    words = {"uphold": "维持原决定", "reverse": "撤销原决定"}.get(outcome, "发回补充审查")
    said = {"resolution_words": f"经审议，会议决定{words}。"}
    data = {**expulsion.resolution(session, secretary), **said, **changes}
    play.do(session, secretary, key(entry.instance_id), "deliberate", data, outcome)


def draft(session: Session, office: Actor, case: UUID) -> None:
    """The decision in its usual words."""
    given = play.fill_in(session, office, case, "draft_decision")
    data = {name: given[name] for name in ("decision_title", "decision_words")}
    play.do(session, office, case, "draft_decision", data, "submit")


def sign(session: Session, signatory: Actor, case: UUID) -> None:
    """签发: it takes effect."""
    play.do(session, signatory, case, "sign", {"sign_opinion": "同意签发。"}, "sign")


# ---- the demo ------------------------------------------------------------------------------------------------------


def fill(session: Session, people: Mapping[str, Actor], unit: LeadUnit, takers: list[LeadUnit]) -> None:
    """A unit expelled a year ago: its projects handed over, its request for 复核 decided; the bar stands."""
    account = session.get_one(Account, people["former_lead_unit"].id)
    accounts.set_roles(session, None, account, {"lead_unit_head"})
    head = accounts.actor_of(account)
    for n in range(3):
        expulsion.add_project(session, unit, n, clock.today() - timedelta(days=560 - n * 20))
    review = _expel(session, people, unit, head)
    head = accounts.actor_of(account)  # as one that was expelled
    _hand_over(session, people, head, review, takers)
    with ago(240, 10, 5):
        entry = request(session, head, review)
    with ago(235, 15, 30):
        examine(session, people["office2"], entry)
    with ago(233, 9, 40):
        check(session, people["working_group2"], entry)
    with ago(229, 16, 0):
        deliberate(session, people["bureau_meeting"], entry)
    with ago(228, 10, 0):
        draft(session, people["office"], key(entry.instance_id))
    with ago(227, 11, 20):
        sign(session, people["working_group"], key(entry.instance_id))


def _expel(session: Session, people: Mapping[str, Actor], unit: LeadUnit, head: Actor) -> Expulsion:
    with ago(290, 9, 30):
        review = expulsion.open_review(session, people["office"], unit, "4.4.5", FACTS)
    with ago(286, 14, 0):
        expulsion.gather(session, people["office"], review)
    with ago(283, 16, 10):
        expulsion.state_case(session, head, review, "报告由代理机构提供，本单位未能识别，请求从轻处理。")
    with ago(280, 10, 0):
        expulsion.propose(session, people["working_group"], review)
    with ago(278, 15, 0):
        expulsion.check_legality(session, people["working_group2"], review)
    with ago(275, 9, 10):
        expulsion.set_agenda(session, people["office"], review)
    with ago(272, 17, 0):
        expulsion.deliberate(session, people["bureau_meeting"], review)
    with ago(270, 10, 30):
        expulsion.draft_decision(session, people["office"], review)
    with ago(268, 11, 0):
        expulsion.sign(session, people["working_group"], review)
    session.refresh(review)
    return review


def _hand_over(
    session: Session, people: Mapping[str, Actor], former: Actor, review: Expulsion, takers: list[LeadUnit]
) -> None:
    for n, entry in enumerate(handovers.of_review(session, review.id)):
        with ago(262 - n, 10, 20):
            hand_over(session, former, entry, takers[n % len(takers)])
        with ago(259 - n, 15, 0):
            confirm_handover(session, people["office"], entry)
