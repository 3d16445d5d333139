"""Criticisms of the demo, played by their own process; the verbs serve tests too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from webapp.demo import play
from webapp.demo.cases import ago
from webapp.demo.expulsion import paper
from webapp.engine.handler_api import Actor
from webapp.registers import criticisms
from webapp.registers.criticism_models import Criticism
from webapp.registers.models import LeadUnit
from webapp.registers.values import key

FACTS = "两家试点企业书面投诉：派驻的三名顾问均无制造业经验，诊断报告照搬模板，改造方案不能满足排产需求。"
LATE = "连续两月的工作进展均逾期十日以上报送，附件缺少改造合同和项目进度表。"
REST = "1. 补齐后一月的报送材料。\n2. 印发报送制度，明确责任人。"


def open_case(session: Session, office: Actor, unit: LeadUnit, ground: str = "4.2.1", facts: str = FACTS) -> Criticism:
    """The office proposes a criticism on one ground."""
    return criticisms.open_case(session, unit.id, ground, facts, "office", actor=office).case


def gather(session: Session, office: Actor, case: Criticism, *more: Mapping[str, Any]) -> None:
    """Each ground of the case with a sheet of evidence; `more`: further grounds {clause, facts}."""
    session.refresh(case)
    rows = [{"clause": g.clause, "facts": g.facts, "evidence": list(g.evidence)} for g in case.grounds]
    rows += [{**row, "evidence": []} for row in more]
    for row in rows:
        row["evidence"] = row["evidence"] or [paper(session, office, f"第 {row['clause']} 条情形的证据")]
    play.do(session, office, key(case.instance_id), "gather", {"grounds": rows}, "submit")


def state_case(session: Session, head: Actor, case: Criticism, words: str) -> None:
    """The unit's statement; without words it waives."""
    play.do(session, head, key(case.instance_id), "state_case", {"statement": words}, "submit" if words else "waive")


def decide(session: Session, group: Actor, case: Criticism, *dropped: str, **more: Any) -> None:
    """Every ground is established but for those named."""
    session.refresh(case)
    rows = [
        {
            "clause": g.clause,
            "established": "no" if g.clause in dropped else "yes",
            "finding": "事实不清，情形不成立。" if g.clause in dropped else "事实清楚，情形成立。",
        }
        for g in case.grounds
    ]
    play.do(session, group, key(case.instance_id), "decide", {"findings": rows, **more}, "decide")


def draft(session: Session, office: Actor, case: Criticism, **changes: Any) -> None:
    """Notice and order in their usual words."""
    given = play.fill_in(session, office, key(case.instance_id), "draft")
    data = {name: given[name] for name in ("notice_title", "notice_words", "requirements", "days")}
    play.do(session, office, key(case.instance_id), "draft", {**data, **changes}, "submit")


def sign(session: Session, signatory: Actor, case: Criticism) -> None:
    """签发: the unit is criticised, the order served."""
    play.do(session, signatory, key(case.instance_id), "sign", {"sign_opinion": "同意签发。"}, "sign")


def report(session: Session, head: Actor, case: Criticism, words: str = "") -> None:
    """What the unit has rectified, with a sheet of evidence."""
    words = words or "已更换顾问三名，逐家回访投诉企业并重新出具诊断报告，企业书面确认满意。"
    data = {"report_words": words, "report_files": [paper(session, head, "整改报告")]}
    play.do(session, head, key(case.instance_id), "rectify", data, "submit")


def check(session: Session, office: Actor, case: Criticism, outcome: str = "pass") -> None:
    """The office's check."""
    words = {"pass": "经现场核查，整改要求已逐项落实。", "fail": "经核查，整改要求只落实了一部分，余下的没有落实。"}
    play.do(session, office, key(case.instance_id), "check", {"check_words": words[outcome]}, outcome)


def assess(
    session: Session, office: Actor, case: Criticism, circumstances: str = "partial", severity: str = "medium"
) -> None:
    """实际情况 and 情节轻重 (4.3)."""
    data = {
        "circumstances": circumstances,
        "severity": severity,
        "assess_words": "单位已做部分整改，余下的正在办理，态度配合。",
    }
    play.do(session, office, key(case.instance_id), "assess", data, "submit")


def resolve(session: Session, group: Actor, case: Criticism, outcome: str, **changes: Any) -> None:
    """Go on or cancel (4.3)."""
    data = {
        "resolve_words": "经研究，按实际情况和情节作出决定。",
        "next_requirements": "完成余下一家企业的诊断并取得书面确认。",
        "next_days": 15,
        **changes,
    }
    play.do(session, group, key(case.instance_id), "resolve", data, outcome)


def sign_cancel(session: Session, signatory: Actor, case: Criticism) -> None:
    """签发: from here on the unit's qualification is cancelled."""
    given = play.fill_in(session, signatory, key(case.instance_id), "sign_cancel")
    data = {name: given[name] for name in ("cancel_title", "cancel_words")}
    play.do(session, signatory, key(case.instance_id), "sign_cancel", {**data, "cancel_opinion": "同意。"}, "sign")


def served(
    session: Session, people: Mapping[str, Actor], case: Criticism, head: str, words: str, *, day: int = 0
) -> None:
    """From the gathered facts to the order, which is served so many working days ago."""
    with ago(day + 9, 10, 0):
        gather(session, people["office"], case)
    with ago(day + 6, 15, 10):
        state_case(session, people[head], case, words)
    with ago(day + 3, 11, 20):
        decide(session, people["working_group"], case)
    with ago(day + 1, 16, 40):
        draft(session, people["office"], case)
    with ago(day, 9, 30):
        sign(session, people["working_group2"], case)


def fill(session: Session, people: Mapping[str, Actor], units: Mapping[str, LeadUnit]) -> tuple[UUID, UUID]:
    """One that was rectified at the second order and is closed, one under rectification (ids). `units`: _a, _b."""
    with ago(103, 9, 40):
        closed = open_case(session, people["office"], units["_b"], "4.2.2", LATE)
    served(session, people, closed, "lead_unit_head_b", "报送人员离职，交接不到位。", day=90)
    with ago(74, 15, 20):
        report(session, people["lead_unit_head_b"], closed, "已明确报送责任人，补报了前一月的材料。")
    with ago(71, 11, 0):
        check(session, people["office"], closed, "fail")
        assess(session, people["office"], closed)
    with ago(68, 9, 30):
        resolve(session, people["working_group"], closed, "continue", next_requirements=REST)
    with ago(62, 16, 0):
        report(session, people["lead_unit_head_b"], closed, "后一月的材料已补齐，报送制度已印发。")
    with ago(59, 10, 30):
        check(session, people["office"], closed)
    with ago(21, 9, 10):
        running = open_case(session, people["office"], units["_a"])
    served(session, people, running, "lead_unit_head", "项目集中上马，人手一时不足，已在招聘。", day=9)
    return key(closed.id), key(running.id)
