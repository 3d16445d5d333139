"""变更申请的定期审核 (4.7): what has changed since the last one, brought before the working group."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts import settings_service
from webapp.notices.models import Objection
from webapp.registers import filings, membership
from webapp.registers.models import Filing, RegisterChange
from webapp.registers.values import as_date


def meeting_at(now: datetime) -> datetime:
    """When the review opens: 9:00 on this day, or on the next working day after it (house rule)."""
    day = clock.next_working_day(as_date(now) or now.date())
    return max(datetime(day.year, day.month, day.day, 9, tzinfo=clock.BEIJING), now)


def last_review(session: Session, today: date) -> date:
    """The day of the last recorded review, else a month back."""
    return _recorded(session) or today - timedelta(days=31)


def _recorded(session: Session) -> date | None:
    query = select(func.max(RegisterChange.at)).where(RegisterChange.register == "change_review")
    return as_date(session.scalar(query))


def is_due(session: Session, today: date) -> bool:
    """Whether so many months have begun since the last recorded review as the house rule says (4.7: 定期)."""
    last, months = _recorded(session), int(settings_service.get(session, "change_review_months"))
    return last is None or (today.year - last.year) * 12 + today.month - last.month >= months


def summary(session: Session, since: date) -> dict[str, Any]:
    """Open filings, members that came and left after a day, undecided objections: names as the form shows them."""
    rows = list(session.scalars(select(Filing).where(Filing.status == "review").order_by(Filing.submitted_at)).unique())
    came, left = membership.moved(session, since)
    undecided = session.scalar(select(func.count()).select_from(Objection).where(Objection.status == "open"))
    changes = [(m.since, m, "新增") for m in came] + [(m.until or since, m, "退出") for m in left]
    return {
        "since": since.isoformat(),
        "open_filings": len(rows),
        "added": len(came),
        "removed": len(left),
        "open_objections": undecided or 0,
        "filings": [_filing(filing) for filing in rows],
        "changes": [
            {"on": day.isoformat(), "lead_unit": m.lead_unit.name, "name": m.name, "change": what}
            for day, m, what in sorted(changes, key=lambda change: (change[0], change[1].name))
        ],
    }


def _filing(filing: Filing) -> dict[str, Any]:
    submitted = as_date(filing.submitted_at)
    return {
        "number": filing.number,
        "lead_unit": filing.lead_unit.name,
        "submitted": submitted.isoformat() if submitted else "",
        "items": len(filing.items),
        "open": sum(item.status not in filings.FINAL for item in filing.items),
    }
