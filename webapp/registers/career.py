"""A lead unit's career 履历: everything that the registers know of it, as one row of events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.clock import BEIJING
from webapp.i18n import _
from webapp.registers import evaluation_labels, labels, queries, reconsiderations
from webapp.registers.models import ConsortiumEnterprise, Expulsion, Filing, LeadUnit, PublishedList, RegisterChange

#: kind -> the word of its badge and lane, in the order of the lanes; documents have no lane, being beside their act
KINDS: dict[str, Callable[[], str]] = {
    "status": lambda: _("资格"),
    "commitment": lambda: _("任务书"),
    "evaluation": lambda: _("季度评价"),
    "consequence": lambda: _("评价后果"),
    "change": lambda: _("变更"),
    "consortium": lambda: _("联合体"),
    "filing": lambda: _("备案"),
    "notice": lambda: _("公示"),
    "criticism": lambda: _("通报批评"),
    "expulsion": lambda: _("清退"),
    "document": lambda: _("文书"),
}
LANES = tuple(kind for kind in KINDS if kind != "document")
#: Lanes that are there even when nothing is in them.
ALWAYS = frozenset({"status", "commitment", "evaluation", "consortium", "filing"})
#: register -> the words of its statuses
_STATUS: dict[str, labels.Words] = {
    "lead_unit": labels.LEAD_UNIT,
    "filing": labels.FILING,
    "filing_item": labels.ITEM,
    "expulsion": labels.EXPULSION,
    "expulsion_handover": labels.HANDOVER,
    "expulsion_reconsideration": labels.RECONSIDERATION,
    "evaluation_round": evaluation_labels.ROUND,
    "evaluation_result": evaluation_labels.RESULT,
    "retrofit_project": evaluation_labels.PROJECT,
    "criticism": labels.CRITICISM,
    "rectification": labels.RECTIFICATION,
}


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `mark`: what stands at its dot or bar in the chart; `tone`: run | good | warn | bad | idle.

    `span`: first and last day of a bar (a quarter, a commitment's year); an event without one is a dot.
    """

    on: date
    kind: str
    title: str
    note: str = ""
    url: str = ""
    label: str = ""
    tone: str = "run"
    mark: str = ""
    span: tuple[date, date] | None = None


def of_unit(
    session: Session,
    unit: LeadUnit,
    members: list[ConsortiumEnterprise],
    filings: list[Filing],
    reviews: Sequence[Expulsion] = (),
    more: Sequence[Event] = (),
) -> list[Event]:
    """All events of a unit, newest first.

    `reviews`: the expulsion reviews that the reader may see; `more`: events that other modules found.
    """
    events = [
        *_status(session, unit),
        *_consortium(session, members),
        *_filings(filings),
        *_notices(session, unit),
        *_expulsions(session, reviews),
        *more,
    ]
    return sorted(events, key=lambda event: event.on, reverse=True)


def day_of(at: datetime) -> date:
    """The Beijing day of an instant."""
    return at.astimezone(BEIJING).date()


def _status(session: Session, unit: LeadUnit) -> list[Event]:
    found = [_change(change) for change, _who in queries.changes(session, "lead_unit", [unit.id]) if change.before]
    if unit.listed_on:
        found.append(Event(unit.listed_on, "status", _("列入牵引单位名单"), tone="good"))
    for bar in queries.bars(session, unit.credit_code):
        words = _("依据第 %(clause)s 条，%(number)s", clause=bar.clause, number=bar.decision_number)
        found.append(Event(bar.decided_on, "status", _("列入不得重新申请名单"), words, tone="bad", mark=_("清退")))
        if bar.annulled_on:
            found.append(Event(bar.annulled_on, "status", _("撤销不得重新申请"), words, tone="good", mark=_("恢复")))
    return found


def _change(change: RegisterChange) -> Event:
    parts = []
    for field, before, after in differences(change):
        parts.append(
            _("%(field)s：%(before)s → %(after)s", field=field, before=before or _("无"), after=after or _("无"))
        )
    now = change.after or {}
    of_status = not now.keys().isdisjoint(("status", "under_expulsion", "rectifying", "listed_on"))
    tone = "bad" if now.get("status") in {"expelled", "cancelled"} else "warn"
    tone = "good" if now.get("status") == "listed" else tone
    title = labels.action(change.action)
    kind = "status" if of_status else "change"
    return Event(day_of(change.at), kind, title, "；".join(parts), tone=tone, mark=title)


def differences(change: RegisterChange) -> list[tuple[str, str, str]]:
    """(column in words, before, after) of a change, without what the history does not tell."""
    before, after = change.before or {}, change.after or {}
    return [
        (str(labels.FIELD[key]), _told(change, key, before.get(key)), _told(change, key, after.get(key)))
        for key in after
        if key in labels.FIELD and key not in queries.UNTOLD and before.get(key) != after.get(key)
    ]


def _told(change: RegisterChange, key: str, value: Any) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if key == "status":
        known = {**labels.LEAD_UNIT, **labels.ITEM, **labels.FILING}
        return labels.word(_STATUS.get(change.register, known), value)
    if key.endswith("_at") and isinstance(value, str):
        at = datetime.fromisoformat(value).astimezone(BEIJING)
        if at.time() == time() and key.endswith(("due_at", "ends_at")):  # a last day is told as its 24:00 (4.8)
            return f"{at - timedelta(days=1):%Y-%m-%d} 24:00"
        return at.strftime("%Y-%m-%d %H:%M")
    if key == "grade":
        return labels.word(evaluation_labels.GRADE, value)
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
                    day_of(filing.submitted_at),
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
            found.append(Event(day_of(filing.closed_at), "filing", _("备案办结"), words, url, filing.number, "good"))
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
            Event(
                day_of(notice.published_at), "notice", title, notice.title, url, notice.number or "", tone, str(count)
            )
        )
    return found


def _expulsions(session: Session, reviews: Sequence[Expulsion]) -> list[Event]:
    """Reviews under 4.4: opened, told, each session of the 局务会, how they ended; then 复核 of the decision."""
    found = []
    for review in reviews:
        url = url_for("expulsions.entry", expulsion_id=review.id)

        def event(
            on: date, title: str, note: str = "", tone: str = "warn", url: str = url, n: str = review.number
        ) -> None:
            found.append(Event(on, "expulsion", title, note, url, n, tone, title))

        event(day_of(review.opened_at), _("提出清退审议"), labels.word(labels.SOURCE, review.source))
        if review.told_at:
            event(day_of(review.told_at), _("告知，听取陈述申辩"), review.told_number or "")
        for meeting in review.meetings:
            title = _("局务会：%(word)s", word=labels.word(labels.RESOLUTION, meeting.resolution))
            event(meeting.met_on, title, "", "bad" if meeting.resolution == "confirm" else "warn")
        if review.closed_at:
            expelled = review.decision_number is not None
            word = labels.word(labels.EXPULSION, "expelled" if expelled else review.status)
            event(day_of(review.closed_at), word, review.decision_number or "", "bad" if expelled else "good")
        for asked in reconsiderations.of_review(session, review.id):
            event(day_of(asked.opened_at), _("提出复核"), asked.number)
            if asked.closed_at:
                word = labels.word(labels.RECONSIDERATION, asked.status)
                tone = "good" if asked.status == "reversed" else "bad"
                event(day_of(asked.closed_at), _("复核：%(word)s", word=word), asked.decision_number or "", tone)
    return found
