"""An expulsion review of the demo, played by its own process; its verbs serve tests too."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from webapp import clock
from webapp.demo import make, play
from webapp.demo.cases import ago
from webapp.documents import service as documents
from webapp.engine.handler_api import Actor
from webapp.registers import expulsions, history
from webapp.registers.evaluation_models import PilotEnterprise, RetrofitProject
from webapp.registers.models import Expulsion, LeadUnit
from webapp.registers.values import key

FACTS = "抽查发现其报送的三家试点企业改造验收材料系伪造，签收人均否认签字。"
MEETING = (
    ("局长", "主持", "present"),
    ("分管副局长", "分管领导", "present"),
    ("二级巡视员", "班子成员", "present"),
    ("驻局纪检组长", "列席监督", "present"),
    ("总工程师", "班子成员", "absent"),
)


def paper(session: Session, actor: Actor, name: str, lines: Sequence[tuple[str, str]] = ()) -> str:
    """A scanned sheet, uploaded by that person; gives its document id."""
    content = make.scan(name, lines or [("演示", name)])
    return str(documents.store_upload(session, io.BytesIO(content), f"{name}.pdf", actor=actor).id)


def open_review(
    session: Session, office: Actor, unit: LeadUnit, ground: str = "4.4.5", facts: str = FACTS
) -> Expulsion:
    """The office proposes a review on one ground."""
    return expulsions.open_review(session, unit.id, ground, facts, "office", actor=office).review


def gather(session: Session, office: Actor, review: Expulsion, *more: Mapping[str, Any]) -> None:
    """Each ground of the review with a sheet of evidence; `more`: further grounds {clause, facts}."""
    session.refresh(review)
    rows = [{"clause": g.clause, "facts": g.facts, "evidence": list(g.evidence)} for g in review.grounds]
    rows += [{**row, "evidence": []} for row in more]
    for row in rows:
        row["evidence"] = row["evidence"] or [paper(session, office, f"第 {row['clause']} 条情形的证据")]
    play.do(session, office, key(review.instance_id), "gather", {"grounds": rows}, "submit")


def state_case(session: Session, head: Actor, review: Expulsion, words: str) -> None:
    """The unit's statement."""
    play.do(session, head, key(review.instance_id), "state_case", {"statement": words}, "submit")


def propose(session: Session, actor: Actor, review: Expulsion, **changes: Any) -> None:
    """The working group's proposal to expel."""
    data = {"findings": "事实清楚，情形成立，建议提请局务会审议清退。", "proposal": "expel", **changes}
    session.refresh(review)
    if any(said["kind"] == "statement" for said in review.statements):
        data.setdefault("answer_to_statement", "所述理由没有证据支持，不予采纳。")
    play.do(session, actor, key(review.instance_id), "propose", data, "submit")


def check_legality(session: Session, actor: Actor, review: Expulsion) -> None:
    """Facts, procedure and basis are in order."""
    data = {
        "facts_clear": True,
        "procedure_kept": True,
        "basis_right": True,
        "legality_opinion": "程序合法，依据正确。",
    }
    play.do(session, actor, key(review.instance_id), "legality", data, "pass")


def set_agenda(session: Session, office: Actor, review: Expulsion) -> None:
    """On the agenda of today's meeting."""
    data = {"meeting_on": clock.today(), "meeting_place": "局机关三楼会议室"}
    play.do(session, office, key(review.instance_id), "set_agenda", data, "submit")


def members(*attendance: str) -> list[dict[str, str]]:
    """Those who belong to the meeting; `attendance` goes over their usual one."""
    told = [*attendance, *(row[2] for row in MEETING[len(attendance) :])]
    rows = []
    for (name, post, _usual), word in zip(MEETING, told, strict=True):
        reason = {"absent": "因公外出。", "recused": "与该单位有亲属任职关系。"}.get(word, "")
        rows.append({"name": name, "post": post, "attendance": word, "reason": reason})
    return rows


def resolution(session: Session, secretary: Actor, *attendance: str) -> dict[str, Any]:
    """What the secretary enters of a session."""
    return {
        "met_on": clock.today(),
        "members": members(*attendance),
        "resolution_words": "经审议，会议确认对该单位予以清退。",
        "minutes": "会议听取了工作小组办公室的汇报和合法性审核意见，经讨论形成决议，与会人员无异议。",
        "minutes_files": [paper(session, secretary, "局务会会议纪要")],
    }


def deliberate(session: Session, secretary: Actor, review: Expulsion, outcome: str = "confirm", **changes: Any) -> None:
    """A session of the 局务会 with its minutes."""
    data = {**resolution(session, secretary), **changes}
    play.do(session, secretary, key(review.instance_id), "deliberate", data, outcome)


def draft_decision(session: Session, office: Actor, review: Expulsion) -> None:
    """The decision in its usual words."""
    case = key(review.instance_id)
    given = play.fill_in(session, office, case, "draft_decision")
    data = {name: given[name] for name in ("decision_title", "decision_words")}
    play.do(session, office, case, "draft_decision", data, "submit")


def sign(session: Session, signatory: Actor, review: Expulsion) -> None:
    """签发: from here on the unit is expelled."""
    play.do(session, signatory, key(review.instance_id), "sign", {"sign_opinion": "同意签发。"}, "sign")


def fill(session: Session, people: Mapping[str, Actor], unit: LeadUnit) -> UUID:
    """A review that waits for the 局务会; the unit has two projects under way, which a decision hands over."""
    for n in (4, 5):
        add_project(session, unit, n, clock.today() - timedelta(days=170 - n * 10))
    with ago(12, 9, 20):
        review = open_review(session, people["office"], unit)
    with ago(11, 15, 40):
        gather(session, people["office"], review)
    with ago(8, 10, 15):
        words = "三份验收材料由项目经理收集，本单位审核不严，已更换项目经理并补办验收，请求从轻处理。"
        state_case(session, people["lead_unit_head_c"], review, words)
    with ago(6, 14, 30):
        propose(session, people["working_group"], review)
    with ago(5, 11, 5):
        check_legality(session, people["working_group2"], review)
    with ago(3, 16, 20):
        set_agenda(session, people["office"], review)
    return key(review.id)


def add_project(session: Session, unit: LeadUnit, n: int, signed: date) -> None:
    """A pilot enterprise of the unit and its project under way."""
    base = make.enterprise(n + 3000, signed)
    pilot = PilotEnterprise(
        credit_code=base["credit_code"],
        name=f"广州{make.stem(n + 7)}精工部件有限公司",
        lead_unit_id=unit.id,
        industry=unit.industry,
        district=base["address"][3:6],
        contact=base["legal_rep"],
        phone=f"020-86000{n:03d}",
        listed_on=signed - timedelta(days=40),
    )
    session.add(pilot)
    session.flush()
    project = RetrofitProject(
        number=f"GZ-{signed.year}-{900 + n:04d}",
        title=f"{pilot.name.removeprefix('广州').removesuffix('有限公司')}机床联网与数据采集",
        pilot_enterprise_id=pilot.id,
        lead_unit_id=unit.id,
        contract_number=f"HT{signed:%Y%m}{900 + n:04d}",
        contract_amount=Decimal(36 + n * 7),
        signed_on=signed,
        due_on=signed + timedelta(days=400),
        status="running",
        level_before=1,
    )
    session.add(project)
    session.flush()
    history.record(session, pilot, "registered")
    history.record(session, project, "signed")
