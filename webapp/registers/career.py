"""A lead unit's career 履历: everything that the registers know of it, as one row of events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.clock import BEIJING
from webapp.i18n import _
from webapp.registers import labels, queries
from webapp.registers.models import ConsortiumEnterprise, Expulsion, Filing, LeadUnit, PublishedList, RegisterChange

#: kind -> the word of its badge and lane, in the order of the lanes
KINDS: dict[str, Callable[[], str]] = {
    "status": lambda: _("资格"),
    "consortium": lambda: _("联合体"),
    "filing": lambda: _("备案"),
    "notice": lambda: _("公示"),
    "expulsion": lambda: _("清退"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `mark`: what stands at its dot in the chart; `tone`: run | good | warn | bad | idle."""

    on: date
    kind: str
    title: str
    note: str = ""
    url: str = ""
    label: str = ""
    tone: str = "run"
    mark: str = ""


def of_unit(
    session: Session,
    unit: LeadUnit,
    members: list[ConsortiumEnterprise],
    filings: list[Filing],
    reviews: Sequence[Expulsion] = (),
) -> list[Event]:
    """All events of a unit, newest first; `reviews`: the expulsion reviews that the reader may see."""
    events = [
        *_status(session, unit),
        *_consortium(session, members),
        *_filings(filings),
        *_notices(session, unit),
        *_expulsions(reviews),
    ]
    return sorted(events, key=lambda event: event.on, reverse=True)


def _day(at: datetime) -> date:
    return at.astimezone(BEIJING).date()


def _status(session: Session, unit: LeadUnit) -> list[Event]:
    found = [_change(change) for change, _who in queries.changes(session, "lead_unit", [unit.id]) if change.before]
    if unit.listed_on:
        found.append(Event(unit.listed_on, "status", _("列入牵引单位名单"), tone="good"))
    for bar in queries.bars(session, unit.credit_code):
        words = _("依据第 %(clause)s 条，%(number)s", clause=bar.clause, number=bar.decision_number)
        found.append(Event(bar.decided_on, "status", _("列入不得重新申请名单"), words, tone="bad", mark=_("清退")))
    return found


def _change(change: RegisterChange) -> Event:
    parts = []
    for field, before, after in differences(change):
        parts.append(
            _("%(field)s：%(before)s → %(after)s", field=field, before=before or _("无"), after=after or _("无"))
        )
    tone = "bad" if (change.after or {}).get("status") in {"expelled", "cancelled"} else "warn"
    title = labels.action(change.action)
    return Event(_day(change.at), "status", title, "；".join(parts), tone=tone, mark=title)


def differences(change: RegisterChange) -> list[tuple[str, str, str]]:
    """(column in words, before, after) of a change, without what the history does not tell."""
    before, after = change.before or {}, change.after or {}
    return [
        (str(labels.FIELD[key]), _told(key, before.get(key)), _told(key, after.get(key)))
        for key in after
        if key in labels.FIELD and key not in queries.UNTOLD and before.get(key) != after.get(key)
    ]


def _told(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if key == "status":
        return labels.word({**labels.LEAD_UNIT, **labels.ITEM, **labels.FILING}, value)
    if key == "programme":
        return labels.word(labels.PROGRAMME, value)
    return "" if value is None else str(value)


def _consortium(session: Session, members: list[ConsortiumEnterprise]) -> list[Event]:
    lists = {key: number for key, number in session.execute(select(PublishedList.id, PublishedList.number))}  # noqa: C416
    came = Counter((member.since, member.since_list_id) for member in members)
    left = Counter(member.until for member in members if member.until)
    found = []
    for (day, key), count in came.items():
        number = lists.get(key, "") if key else ""
        title = _("联合体新增 %(n)s 家企业", n=count)
        url = url_for("public.lists", as_of=day.isoformat()) if number else ""
        found.append(Event(day, "consortium", title, _names(members, day, "since"), url, number, "good", f"+{count}"))
    for end, count in left.items():
        title = _("联合体退出 %(n)s 家企业", n=count)
        found.append(Event(end, "consortium", title, _names(members, end, "until"), tone="idle", mark=f"−{count}"))
    return found


def _names(members: list[ConsortiumEnterprise], day: date, column: str) -> str:
    names = [member.name for member in members if getattr(member, column) == day]
    return "、".join(names[:3]) + (_("等 %(n)s 家", n=len(names)) if len(names) > 3 else "")


def _filings(filings: list[Filing]) -> list[Event]:
    found = []
    for filing in filings:
        url = url_for("registers.filing", filing_id=filing.id)
        if filing.submitted_at:
            title = _("提交备案，申请新增 %(n)s 家企业", n=len(filing.items))
            found.append(
                Event(
                    _day(filing.submitted_at),
                    "filing",
                    title,
                    filing.need,
                    url,
                    filing.number,
                    mark=str(len(filing.items)),
                )
            )
        if filing.closed_at:
            counted = Counter(item.status for item in filing.items)
            words = "，".join(
                _("%(word)s %(n)s 家", word=labels.word(labels.ITEM, key), n=n) for key, n in counted.items()
            )
            found.append(Event(_day(filing.closed_at), "filing", _("备案办结"), words, url, filing.number, "good"))
    return found


def _notices(session: Session, unit: LeadUnit) -> list[Event]:
    found = []
    for notice, count in queries.notices_of(session, unit.id):
        if notice.kind == "list" or notice.published_at is None:
            continue
        title = _("%(kind)s，涉及本单位 %(n)s 家企业", kind=labels.word(labels.NOTICE_KIND, notice.kind), n=count)
        url = url_for("public.notice", notice_id=notice.id)
        tone = "run" if notice.kind == "publicity" else "warn"
        found.append(
            Event(_day(notice.published_at), "notice", title, notice.title, url, notice.number or "", tone, str(count))
        )
    return found


def _expulsions(reviews: Sequence[Expulsion]) -> list[Event]:
    """Reviews under 4.4: opened, told, each session of the 局务会, and how they ended."""
    found = []
    for review in reviews:
        url = url_for("expulsions.entry", expulsion_id=review.id)

        def event(
            on: date, title: str, note: str = "", tone: str = "warn", url: str = url, n: str = review.number
        ) -> None:
            found.append(Event(on, "expulsion", title, note, url, n, tone))

        event(_day(review.opened_at), _("提出清退审议"), labels.word(labels.SOURCE, review.source))
        if review.told_at:
            event(_day(review.told_at), _("告知，听取陈述申辩"), review.told_number or "")
        for meeting in review.meetings:
            title = _("局务会：%(word)s", word=labels.word(labels.RESOLUTION, meeting.resolution))
            event(meeting.met_on, title, "", "bad" if meeting.resolution == "confirm" else "warn")
        if review.closed_at:
            tone = "bad" if review.status == "expelled" else "good"
            event(
                _day(review.closed_at), labels.word(labels.EXPULSION, review.status), review.decision_number or "", tone
            )
    return found
