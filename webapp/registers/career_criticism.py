"""What a lead unit's career 履历 says of its criticisms: opened, published, each order, how each ended (4.2, 4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import url_for

from webapp.i18n import _
from webapp.registers import labels
from webapp.registers.career import Event, day_of
from webapp.registers.criticism_models import Criticism, Rectification

_TONES = {"rectified": "good", "cancelled": "bad", "not_established": "good"}


def events(cases: Sequence[Criticism]) -> list[Event]:
    """All of it as events of the career."""
    return [event for case in cases for event in _case(case)]


def _case(case: Criticism) -> list[Event]:
    url = url_for("criticisms.entry", criticism_id=case.id)

    def event(at: datetime, title: str, note: str = "", tone: str = "warn") -> Event:
        return Event(day_of(at), "criticism", title, note, url, case.number, tone, title)

    clauses = "、".join(ground.clause for ground in case.grounds)
    found = [event(case.opened_at, _("提出通报批评"), _("第 %(n)s 条", n=clauses) if clauses else "")]
    if case.notice_number and case.periods:
        found.append(event(case.periods[0].served_at, _("通报批评"), case.notice_number, "bad"))
    found += [_order(case, period, url) for period in case.periods]
    if case.closed_at:
        note = case.cancel_number or case.closed_reason
        tone = _TONES.get(case.status, "idle")
        found.append(event(case.closed_at, labels.word(labels.CRITICISM, case.status), note, tone))
    return found


def _order(case: Criticism, period: Rectification, url: str) -> Event:
    title = _("责令限期整改") if period.seq == 1 else _("责令继续整改（第 %(n)s 次）", n=period.seq)
    note = f"{period.number} · {labels.word(labels.RECTIFICATION, period.status)}"
    tone = "good" if period.status == "passed" else "warn"
    return Event(day_of(period.served_at), "criticism", title, note, url, case.number, tone, _("责令整改"))
