"""The page of one lead unit: its figures, its whole career on one timeline, its evaluation and commitment beside."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.config import ROOT
from webapp.documents import service as documents
from webapp.documents.models import Document
from webapp.engine.decisions import parse_dmn
from webapp.engine.handler_api import Actor
from webapp.i18n import _
from webapp.registers import (
    career,
    career_criticism,
    career_evaluation,
    charts,
    criticism_lists,
    evaluation_labels,
    expulsion_lists,
    labels,
    queries,
    reconsiderations,
)
from webapp.registers.evaluation_models import Commitment, EvaluationResult, PilotEnterprise, RetrofitProject
from webapp.registers.models import ConsortiumEnterprise, Expulsion, Filing, LeadUnit
from webapp.registers.values import as_date, as_decimal

#: Quarters that the small chart shows.
QUARTERS = 6


def context(session: Session, actor: Actor, unit: LeadUnit, kind: str) -> dict[str, Any]:
    """What the template takes besides facts and lists. `kind`: the kind of event that the record is limited to."""
    members, filings = queries.consortium(session, unit.id), queries.filings(session, unit.id)
    reviews = expulsion_lists.of_unit(session, actor, unit.id)
    judged, signed = career_evaluation.results(session, actor, unit), career_evaluation.commitments(session, unit)
    brought = career_evaluation.consequences(session, unit) if queries.sees_all(actor) else []
    criticised = criticism_lists.of_unit(session, actor, unit.id)
    more = [
        *career_evaluation.events(signed, judged, brought),
        *career_criticism.events(criticised),
        *_documents(session, actor, reviews, [case.instance_id for case in criticised if case.instance_id]),
    ]
    events = career.of_unit(session, unit, members, filings, reviews, more)
    return {
        "members": members,
        "filings": filings,
        "figures": _figures(session, unit, members, filings, judged),
        "chart": charts.career(events, unit.listed_on, _ended(unit, events), clock.today()),
        "events": _years([event for event in events if not kind or event.kind == kind]),
        "kinds": _kinds(unit, events, kind),
        "since": _since(unit),
        "grades": _grades(judged),
        "judged": [_result(result) for result in reversed(judged[-QUARTERS:])],
        "fails": _fails(judged),
        "commitment": _progress(signed, judged),
    }


def _ended(unit: LeadUnit, events: Sequence[career.Event]) -> date | None:
    """The day on which the qualification ended, when it has ended."""
    if unit.status in ("listed", "candidate"):
        return None
    return next((event.on for event in events if event.kind == "status" and event.tone == "bad"), None)


def _since(unit: LeadUnit) -> str:
    if unit.listed_on is None or unit.status != "listed":
        return ""
    today = clock.today()
    months = (today.year - unit.listed_on.year) * 12 + today.month - unit.listed_on.month
    day = unit.listed_on
    return _("%(y)s 年 %(m)s 月列入名单至今，%(n)s 个月", y=day.year, m=day.month, n=months)


def _fails(judged: Sequence[EvaluationResult]) -> int:
    return sum(result.status == "settled" and result.grade == "fail" for result in judged)


def _figures(
    session: Session,
    unit: LeadUnit,
    members: list[ConsortiumEnterprise],
    filings: list[Filing],
    judged: Sequence[EvaluationResult],
) -> list[dict[str, Any]]:
    """Six figures: fails in total, projects, pilot enterprises, consortium, filings under way, public."""
    items = [item for filing in filings for item in filing.items]
    current = sum(member.until is None for member in members)
    running = [item for item in items if item.settled_at is None and item.status != "draft"]
    public = sum(item.status in {"public", "objected"} for item in items)
    project, pilot = RetrofitProject, PilotEnterprise
    own = select(func.count()).where(project.lead_unit_id == unit.id)
    projects = session.scalar(own) or 0
    done = session.scalar(own.where(project.status.in_(("done", "accepted")))) or 0
    level = session.scalar(own.where(project.status.in_(("done", "accepted")), project.level_after >= 2)) or 0
    pilots = session.scalar(select(func.count()).where(pilot.lead_unit_id == unit.id, pilot.until.is_(None))) or 0
    last = next((result for result in reversed(judged) if _is_known(result)), None)

    def figure(label: str, value: Any, measure: str, note: str) -> dict[str, Any]:
        return {"label": label, "value": value, "unit": measure, "note": note}

    against = queries.open_objections(session, unit.id)
    return [
        figure(_("累计不达标"), _fails(judged), _("次"), _("满 2 次进入清退审议")),
        figure(
            _("最近一季得分"),
            f"{last.total:g}" if last and last.total is not None else "—",
            "",
            evaluation_labels.quarter(last.round.year, last.round.quarter) if last else _("还没有评价"),
        ),
        figure(_("完成改造"), done, f"/ {projects} {_('个')}", _("其中 %(n)s 个达到二级及以上", n=level)),
        figure(_("试点企业"), pilots, _("家"), _("改造合同 %(n)s 份", n=projects)),
        figure(_("联合体企业"), current, _("家"), _("曾有 %(n)s 家退出", n=len(members) - current)),
        figure(
            _("在办备案企业"),
            len(running),
            _("家"),
            _("公示中 %(n)s 家，未决异议 %(m)s 件", n=public, m=against),
        ),
    ]


def _kinds(unit: LeadUnit, events: Sequence[career.Event], now: str) -> list[dict[str, Any]]:
    """The kinds that there are, each with its count."""

    def entry(kind: str, word: str, count: int) -> dict[str, Any]:
        url = url_for("registers.lead_unit", unit_id=unit.id, kind=kind or None) + "#record"
        return {"label": word, "count": count, "url": url, "current": kind == now}

    found = [entry("", _("全部"), len(events))]
    for kind, word in career.KINDS.items():
        count = sum(event.kind == kind for event in events)
        if count or kind == now:
            found.append(entry(kind, word(), count))
    return found


def _years(events: Sequence[career.Event]) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = []
    for event in events:
        if not groups or groups[-1]["year"] != event.on.year:
            groups.append({"year": event.on.year, "events": []})
        groups[-1]["events"].append({"event": event, "word": career.KINDS[event.kind]()})
    return groups


def _documents(
    session: Session, actor: Actor, reviews: Sequence[Expulsion], criticised: Sequence[UUID]
) -> list[career.Event]:
    """The documents that were made in the unit's criticisms and expulsion cases, as far as this person reads them."""
    cases: list[UUID] = list(criticised)
    for review in reviews:
        cases += [review.instance_id] if review.instance_id else []
        cases += [r.instance_id for r in reconsiderations.of_review(session, review.id) if r.instance_id]
    made = Document.root_instance_id.in_(cases), Document.made_from.isnot(None)
    query = select(Document).where(*made, Document.media_type == "application/pdf", documents.visible(actor))
    return [_document(found) for found in (session.scalars(query) if cases else ())]


def _document(found: Document) -> career.Event:
    data = (found.made_from or {}).get("data", {})
    on = as_date(data.get("published_on")) or career.day_of(found.created_at)
    url, word = url_for("documents.download", document_id=found.id), labels.word(labels.DOCUMENT, found.kind)
    return career.Event(on, "document", word, str(data.get("title", "")), url, "PDF", "idle")


# ---- evaluation and commitment -------------------------------------------------------------------------------------


@functools.cache
def pass_line() -> float:
    """The least whole total that does not fail, by the decision table of the grades (house rule)."""
    (table,) = parse_dmn((ROOT / "processes/lead_unit_evaluation/evaluation_grade.dmn").read_bytes())
    for total in range(101):
        found = table.evaluate({"newly_admitted": False, "total": Decimal(total)}, now=clock.now())
        if found and found[0]["grade"] != "fail":
            return float(total)
    return 100.0


def _is_known(result: EvaluationResult) -> bool:
    """Whether it came to a conclusion; one whose unit left the list did not."""
    return result.settled_at is not None and result.status != "left"


def _grades(judged: Sequence[EvaluationResult]) -> Any:
    bars = []
    for result in judged[-QUARTERS:]:
        name = _("%(y)s·%(q)s 季", y=result.round.year % 100, q=result.round.quarter)
        total = float(result.total) if result.total is not None else None
        known, running = _is_known(result), result.settled_at is None
        state = _("办理中") if running else labels.word(evaluation_labels.RESULT, result.status)
        word = labels.word(evaluation_labels.GRADE, result.grade) if known else state
        tone = career_evaluation.TONES.get(result.grade or "", "idle") if known else "idle"
        shown = total if known or result.status in career_evaluation.PRELIMINARY else None
        bars.append((name, shown, word, tone, not known))
    return charts.grades(bars, pass_line())


def _result(result: EvaluationResult) -> dict[str, Any]:
    known = _is_known(result)
    words = evaluation_labels.GRADE if known else evaluation_labels.RESULT
    key = result.grade if known else result.status
    return {
        "quarter": evaluation_labels.quarter(result.round.year, result.round.quarter),
        "url": url_for("evaluation.result", entry_id=result.id),
        "word": labels.word(words, key),
        "tone": labels.tone(words, key),
    }


def _progress(signed: Sequence[Commitment], judged: Sequence[EvaluationResult]) -> dict[str, Any] | None:
    """The newest commitment: each target with what was reported last, and how much of the year has gone by."""
    if not signed:
        return None
    entry = signed[-1]
    reports = [r for r in judged if r.round.year == entry.year and r.report]
    told = {row["key"]: row for row in reports[-1].report} if reports else {}
    today, start = clock.today(), date(entry.year, 1, 1)
    gone = max(0, min(100, round((today - start).days / 3.65)))
    rows = []
    for indicator in entry.indicators:
        target = as_decimal(indicator["target"]) or Decimal(0)
        actual = as_decimal((told.get(indicator["key"]) or {}).get("actual"))
        share = min(100, int(actual * 100 / target)) if actual is not None and target > 0 else 0
        rows.append({**indicator, "target": f"{target:g}", "actual": "—" if actual is None else f"{actual:g}"})
        rows[-1] |= {"share": share, "late": bool(indicator.get("cumulative")) and share < gone}
    last = reports[-1].round if reports else None
    note = (
        _("竖线：按时间应达 %(n)s%%。实际数至%(q)s。", n=gone, q=evaluation_labels.quarter(last.year, last.quarter))
        if last
        else _("竖线：按时间应达 %(n)s%%。还没有报送。", n=gone)
    )
    url = url_for("evaluation.commitment", entry_id=entry.id)
    return {"year": entry.year, "rows": rows, "gone": gone, "note": note, "url": url}
