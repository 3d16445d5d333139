"""The supervision of the demo's quarters (3.2): answers, interviews, visits, spot checks; links that are open now."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from PIL import Image, ImageDraw
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.config import ROOT
from webapp.demo import make, play
from webapp.documents import service as documents
from webapp.engine.handler_api import Actor
from webapp.ids import uuid7
from webapp.registers import evaluation_scoring as scoring
from webapp.registers import questionnaires, spot_checks, supervision
from webapp.registers.evaluation_models import EvaluationResult, PilotEnterprise, RetrofitProject
from webapp.registers.evaluation_scoring import Quarter
from webapp.registers.supervision_models import (
    Questionnaire,
    QuestionnaireInvitation,
    SpotCheck,
    SupervisionRecord,
)

FORM = ROOT / "processes/lead_unit_evaluation/forms/questionnaire.json"
_REMARKS = ("", "", "响应及时，现场调试很耐心。", "", "希望增加操作培训。", "", "设备联网后报表省了不少人工。", "")
_SAID = ("诊断和改造按合同推进，联系顺畅。", "改造后生产数据能及时看到，仍希望加强售后培训。")
_SEEN = "现场设备已联网，看板数据与台账一致；询问了两名操作人员，均接受过培训。"
ALL = list(supervision.CHECKS)


def marks(random: Random, low: int, high: int) -> dict[str, str]:
    """One enterprise's answers, as the page would keep them."""
    given = {name: str(random.randint(low, high)) for name in ("staff", "diagnosis", "solution", "speed", "effect")}
    remark = random.choice(_REMARKS)
    return {**given, "fees": "no", **({"comments": remark} if remark else {})}


def past(session: Session, results: Sequence[EvaluationResult], quarter: Quarter, weak: UUID | None) -> None:
    """What the checks of a quarter long closed left, for all its units, in a few statements."""
    form = json.loads(FORM.read_text(encoding="utf-8"))
    scale, pilots = questionnaires.scales(form), _by_unit(session, PilotEnterprise, quarter, "listed_on")
    projects = _by_unit(session, RetrofitProject, quarter, "signed_on")
    surveys, asked, records, spots = [], [], [], []
    for result in results:
        random, mine = Random(f"{result.lead_unit.credit_code}{quarter}"), pilots.get(result.lead_unit_id, [])
        assert result.reported_at is not None
        sent = result.reported_at
        if mine:
            low, high = (1, 3) if result.lead_unit_id == weak else (3, 5)
            survey = uuid7()
            done = {"opened_at": sent, "ends_at": sent + timedelta(days=8), "closed_at": sent + timedelta(days=8)}
            surveys.append({"id": survey, "result_id": result.id, "form": form, **done})
            asked += [_answer(random, survey, pilot.id, sent, scale, low, high) for pilot in mine]
            records += [
                _record(random, result, "interview", pilot, sent) for pilot in random.sample(mine, min(2, len(mine)))
            ]
            records.append(_record(random, result, "visit", random.choice(mine), sent))
        if numbers := projects.get(result.lead_unit_id, []):
            spots.append(_spot(random, result, numbers, sent))
    for table, rows in (
        (Questionnaire, surveys),
        (QuestionnaireInvitation, asked),
        (SupervisionRecord, records),
        (SpotCheck, spots),
    ):
        session.execute(insert(table), rows)


def _by_unit(session: Session, kind: Any, quarter: Quarter, since: str) -> dict[UUID, list[Any]]:
    query = select(kind).where(getattr(kind, since) <= quarter.end).order_by(kind.id)
    found: dict[UUID, list[Any]] = {}
    for entry in session.scalars(query).unique():
        found.setdefault(entry.lead_unit_id, []).append(entry)
    return found


def _answer(
    random: Random, survey: UUID, pilot: UUID, sent: datetime, scale: Mapping[str, str], low: int, high: int
) -> dict[str, Any]:
    row = {"id": uuid7(), "questionnaire_id": survey, "pilot_enterprise_id": pilot}
    if random.random() > 0.75:
        return {**row, "answered_at": None, "answers": None, "score": None}
    given = marks(random, low, high)
    score = scoring.rounded(Decimal(sum(int(given[name]) for name in scale) * questionnaires.POINTS) / len(scale))
    return {**row, "answered_at": sent + timedelta(hours=random.randint(5, 150)), "answers": given, "score": score}


def _record(
    random: Random, result: EvaluationResult, kind: str, pilot: PilotEnterprise, sent: datetime
) -> dict[str, Any]:
    held = sent + timedelta(days=random.randint(1, 6))
    call = kind == "interview"
    return {
        "id": uuid7(),
        "result_id": result.id,
        "kind": kind,
        "held_on": clock.next_working_day(held.date()),
        "pilot_enterprise_id": pilot.id,
        "person": f"{pilot.contact}（生产负责人）" if call else "陈思远、梁嘉怡；企业生产负责人",
        "mark": random.randint(3, 5) if call else None,
        "words": random.choice(_SAID) if call else _SEEN,
        "documents": [],
        "entered_at": held,
        "entered_by": "陈思远",
    }


def _spot(random: Random, result: EvaluationResult, found: Sequence[RetrofitProject], sent: datetime) -> dict[str, Any]:
    by_number = {project.number: project for project in found}
    seed = f"{random.getrandbits(64):016x}"
    drawn = spot_checks.sample(seed, by_number, 3)
    findings: list[dict[str, Any]] = [
        {
            "number": number,
            "title": by_number[number].title,
            "enterprise": by_number[number].pilot_enterprise.name,
            "verdict": "minor" if random.random() < 0.15 else "conform",
            "words": "",
            "documents": [],
        }
        for number in drawn
    ]
    for finding in findings:
        if finding["verdict"] == "minor":
            finding["words"] = "验收资料缺一份操作培训签到表，已当场要求补齐。"
    return {
        "id": uuid7(),
        "result_id": result.id,
        "seed": seed,
        "population": sorted(by_number),
        "drawn": drawn,
        "drawn_at": sent,
        "findings": findings,
        "entered_at": sent + timedelta(days=6),
        "entered_by": "梁嘉怡",
    }


# ---- the round under way -----------------------------------------------------------------------------------------


def under_way(session: Session, people: Mapping[str, Actor], result: EvaluationResult) -> None:
    """A unit that has reported: links open and partly answered, visited and spot-checked; interviews still to come."""
    case = result.instance_id
    assert case is not None
    rows = play.fill_in(session, people["lead_unit_b"], case, "report")["rows"]
    told = [{"actual": 8 + 3 * at, "note": "按台账汇总。"} for at, _row in enumerate(rows)]
    data = {"rows": told, "report_words": "各项目按计划推进。", "true_report": True}
    data["carried_out"] = "上一阶段安排的事项均已办结。"
    play.do(session, people["lead_unit_b"], case, "report", data, "report")
    play.do(session, people["lead_unit_head_b"], case, "confirm_submission", {"submit_words": "同意提交。"}, "confirm")
    random, held = Random(7), questionnaires.of_result(session, result.id)
    assert held is not None
    tokens = list(questionnaires.live_tokens(session, held.id).values())
    for token in tokens[: len(tokens) * 3 // 5]:
        questionnaires.answer(session, token, marks(random, 3, 5), clock.now())
    office, pilots = people["office"], questionnaires.pilots(session, result)
    photos = [str(_photo(session, office, n)) for n in (1, 2)]
    seen = {"pilot_enterprise_id": str(pilots[0].id), "person": "陈思远、梁嘉怡；企业生产负责人"}
    row = {**seen, "held_on": clock.today().isoformat(), "words": _SEEN, "photos": photos}
    play.do(session, office, case, "visit", {"rows": [row]}, "record")
    check = spot_checks.of_result(session, result.id)
    assert check is not None
    found: list[dict[str, Any]] = [{"verdict": "conform"} for _number in check.drawn]
    found[-1] = {"verdict": "minor", "words": "验收资料缺一份操作培训签到表，已当场要求补齐。"}
    play.do(session, people["office2"], case, "spot_check", {"rows": found}, "record")


def _photo(session: Session, actor: Actor, number: int) -> UUID:
    """A drawn picture of a workshop, for what a photo would show."""
    picture = Image.new("RGB", (960, 640), (226, 232, 236))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 430, 960, 640), fill=(178, 184, 188))
    for place in range(4):
        left = 60 + place * 225
        pen.rectangle((left, 250, left + 165, 470), fill=(92, 118 + 12 * number, 140), outline=(60, 70, 80), width=4)
        pen.rectangle((left + 25, 280, left + 140, 350), fill=(30, 60 + 20 * (place % 2), 70))
        pen.ellipse((left + 60, 385, left + 105, 430), fill=(70, 170, 110) if place != number else (215, 160, 60))
    name = f"现场照片{number}.jpg"
    return documents.store_upload(session, io.BytesIO(make.jpeg(picture)), name, actor=actor).id
