"""What the page of a review shows of the time after the decision (4.4): handover by project, 复核, what it set off."""

from __future__ import annotations

from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.engine.handler_api import Actor
from webapp.engine.tables import user_task
from webapp.i18n import _
from webapp.registers import handovers, labels, pages, queries, reconsiderations
from webapp.registers.expulsion_models import ExpulsionHandover, Reconsideration
from webapp.registers.models import BarredEntry, Expulsion
from webapp.registers.values import as_date, zh_date


def handover_rows(session: Session, review: Expulsion, actor: Actor) -> list[dict[str, Any]]:
    """One row per unfinished project: who takes it over, when, how far; with the open task's address."""
    entries = handovers.of_review(session, review.id)
    tasks, inside = _open_tasks(session, entries), queries.sees_all(actor)

    def seen(entry: ExpulsionHandover) -> bool:
        return inside or entry.project.lead_unit.organisation_id == actor.organisation_id

    return [
        {
            "entry": entry,
            "project": entry.project,
            "project_url": url_for("evaluation.project", entry_id=entry.project_id) if seen(entry) else "",
            "taker": entry.taker.name if entry.taker else "",
            "word": labels.word(labels.HANDOVER, entry.status),
            "tone": labels.tone(labels.HANDOVER, entry.status),
            "confirmed_at": pages.beijing(entry.confirmed_at),
            "task_url": tasks.get(entry.instance_id, ""),
        }
        for entry in entries
    ]


def _open_tasks(session: Session, entries: list[ExpulsionHandover]) -> dict[Any, str]:
    t = user_task.c
    cases = [entry.instance_id for entry in entries if entry.instance_id]
    query = select(t.instance_id, t.id).where(t.instance_id.in_(cases), t.status == "open")
    return {case: f"/tasks/{task}" for case, task in session.execute(query)} if cases else {}


def reconsideration_rows(session: Session, review: Expulsion, actor: Actor) -> list[dict[str, Any]]:
    """Each review that was asked for; the sessions of the 局务会 only for those inside."""
    inside = queries.sees_all(actor)
    return [_reconsideration(entry, inside) for entry in reconsiderations.of_review(session, review.id)]


def _reconsideration(entry: Reconsideration, inside: bool) -> dict[str, Any]:
    sessions = [
        {
            **held,
            "word": labels.word(labels.RESOLUTION, held["resolution"]),
            "tone": labels.tone(labels.RESOLUTION, held["resolution"]),
            "on": zh_date(as_date(held["met_on"])),
        }
        for held in (entry.sessions if inside else [])
    ]
    return {
        "entry": entry,
        "word": labels.word(labels.RECONSIDERATION, entry.status),
        "tone": labels.tone(labels.RECONSIDERATION, entry.status),
        "asked": _("单位申请") if entry.source == "unit" else _("办公室登记生效裁判"),
        "findings": entry.findings if inside else "",
        "proposal": reconsiderations.PROPOSALS.get(entry.proposal, "") if inside else "",
        "sessions": sessions,
        "notice_url": url_for("public.notice", notice_id=entry.notice_id) if entry.notice_id else "",
        "case_url": pages.case_url(entry.instance_id) if entry.instance_id else "",
    }


def effects(session: Session, review: Expulsion) -> list[tuple[str, str, bool]]:
    """What the decision did, as it stands now: (what, how it stands, whether it is still so)."""
    if review.decision_number is None:
        return []
    query = select(BarredEntry).where(BarredEntry.decision_number == review.decision_number)
    bars = session.scalars(query).all()
    in_force = any(bar.annulled_on is None for bar in bars)
    annulled = next((bar.annulled_on for bar in bars if bar.annulled_on), None)
    is_reversed = review.status == "reversed"
    ended = "、".join(review.ended_cases)
    accounts = len(review.restricted)
    held = [
        (_("资格"), labels.word(labels.LEAD_UNIT, review.lead_unit.status), not is_reversed),
        (
            _("不得重新申请"),
            _("有效") if in_force else _("%(day)s 撤销", day=zh_date(annulled)) if annulled else _("没有"),
            in_force,
        ),
        (_("终止的事项"), ended or _("没有在办事项"), True),
        (
            _("账号"),
            _("%(n)s 个已恢复", n=accounts) if is_reversed else _("%(n)s 个只保留移交、查阅决定和复核", n=accounts),
            not is_reversed,
        ),
    ]
    entries = handovers.of_review(session, review.id)
    done = sum(entry.status == "confirmed" for entry in entries)
    words = _("%(n)s 个项目，已移交 %(done)s 个", n=len(entries), done=done) if entries else _("没有未完成的项目")
    return [*held, (_("移交"), words, True)]
