"""A deadline in words: how long overdue, what hour today, which day and how many working days until then.

Told by shape, colour and words together; the macro `deadline` takes what `tell` gives.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from webapp import clock
from webapp.i18n import _, language

#: Months in English dates, whatever the locale of the machine.
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def tell(due_at: datetime | None, now: datetime, provisional: bool = False) -> dict[str, Any] | None:
    """{kind: over|today|open, text, full, note, provisional, at} of an instant, None when nothing is due.

    A deadline "of a day" ends at 24:00 Beijing time, which is 0:00 of the next: it is told as that day. In a year whose
    working days are not decreed yet it is always provisional.

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 26, 2, tzinfo=UTC)
    >>> tell(datetime(2026, 12, 1, 16, tzinfo=UTC), now)["text"]
    '12 月 1 日'
    """
    if due_at is None:
        return None
    day, whole = last_day(due_at)
    local = due_at.astimezone(clock.BEIJING)
    today = now.astimezone(clock.BEIJING).date()
    full = full_date(day) + (" 24:00" if whole else f" {local:%H:%M}")
    provisional = provisional or (whole and clock.is_provisional(day))
    told: dict[str, Any] = {"full": full, "note": "", "provisional": provisional, "at": due_at.isoformat()}
    if due_at <= now:
        return told | {"kind": "over", "text": _("超期 %(time)s", time=span(now - due_at)), "provisional": False}
    if day == today:
        return told | {"kind": "today", "text": _("今日 24:00") if whole else _("今日 %(time)s", time=f"{local:%H:%M}")}
    return told | {"kind": "open", "text": short_date(day, today), "note": _note(today, day)}


def last_day(due_at: datetime) -> tuple[date, bool]:
    """The Beijing day that the deadline belongs to, and whether it takes the whole day."""
    local = due_at.astimezone(clock.BEIJING)
    whole = local.hour == local.minute == local.second == 0
    return (local - timedelta(days=1)).date() if whole else local.date(), whole


def _note(today: date, day: date) -> str:
    left = clock.working_days_between(today, day)
    return _("%(n)s 个工作日", n=left) if left else _("此前没有工作日")


def span(length: timedelta) -> str:
    """A length of time in the two greatest units: `1 天 4 小时`, `3 小时`, `20 分钟`."""
    minutes = max(int(length.total_seconds() // 60), 1)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return _("%(d)s 天 %(h)s 小时", d=days, h=hours) if hours else _("%(d)s 天", d=days)
    if hours:
        return _("%(h)s 小时 %(m)s 分钟", h=hours, m=minutes) if minutes and hours < 3 else _("%(h)s 小时", h=hours)
    return _("%(m)s 分钟", m=minutes)


def full_date(day: date) -> str:
    """`2026 年 12 月 1 日`; in English `1 Dec 2026`, which cannot be read as January."""
    if language() == "en":
        return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
    return _("%(y)s 年 %(m)s 月 %(d)s 日", y=day.year, m=day.month, d=day.day)


def short_date(day: date, today: date) -> str:
    """`12 月 1 日`, with the year when it is another one."""
    if day.year == today.year and language() == "en":
        return f"{day.day} {MONTHS[day.month - 1]}"
    return full_date(day) if day.year != today.year else _("%(m)s 月 %(d)s 日", m=day.month, d=day.day)


def duration(length: timedelta) -> str:
    """How long something took, `2 天 3 小时`; nothing for less than a minute."""
    return span(length) if length >= timedelta(minutes=1) else ""


def day(at: datetime, now: datetime | None = None) -> str:
    """The day of an instant: `11 月 24 日`, with the year when it is another one."""
    today = (now or clock.now()).astimezone(clock.BEIJING).date()
    return short_date(at.astimezone(clock.BEIJING).date(), today)


def moment(at: datetime, now: datetime | None = None) -> str:
    """An instant for records: `11 月 24 日 10:16`, with the year when it is another one."""
    return f"{day(at, now)} {at.astimezone(clock.BEIJING):%H:%M}"
