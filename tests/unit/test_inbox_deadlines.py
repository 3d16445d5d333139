"""Deadlines in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from webapp.clock import BEIJING, deadline, end_of_day
from webapp.inbox.deadlines import day, duration, moment, span, tell

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=BEIJING)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BEIJING)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("due", "kind", "text", "note"),
    [
        (NOW - timedelta(days=1, hours=4), "over", "超期 1 天 4 小时", ""),
        (NOW - timedelta(hours=3, minutes=5), "over", "超期 3 小时", ""),
        (NOW - timedelta(minutes=20), "over", "超期 20 分钟", ""),
        (NOW, "over", "超期 1 分钟", ""),
        (at(2026, 11, 26, 17, 30), "today", "今日 17:30", ""),
        (end_of_day(date(2026, 11, 26)), "today", "今日 24:00", ""),
        (end_of_day(date(2026, 11, 27)), "open", "11 月 27 日", "1 个工作日"),
        (end_of_day(date(2026, 12, 1)), "open", "12 月 1 日", "3 个工作日"),
        (at(2026, 11, 28, 12, 0), "open", "11 月 28 日", "1 个工作日"),
        (end_of_day(date(2027, 1, 5)), "open", "2027 年 1 月 5 日", "27 个工作日"),
    ],
)
def test_kind_words_and_working_days(due: datetime, kind: str, text: str, note: str) -> None:
    told = tell(due, NOW)
    assert told
    assert (told["kind"], told["text"], told["note"]) == (kind, text, note)


def test_nothing_is_due() -> None:
    assert tell(None, NOW) is None


def test_the_full_date_names_the_day_that_ends_at_midnight() -> None:
    told = tell(end_of_day(date(2026, 12, 1)), NOW)
    assert told
    assert told["full"] == "2026 年 12 月 1 日 24:00"


def test_make_up_days_count_as_working_days() -> None:
    # 10 October 2026 is a Saturday on which offices work (State Council, holidays of 2026).
    told = tell(end_of_day(date(2026, 10, 10)), datetime(2026, 10, 9, 9, tzinfo=BEIJING))
    assert told
    assert told["note"] == "1 个工作日"


def test_a_day_of_a_year_that_is_not_decreed_is_provisional() -> None:
    due = deadline(datetime(2026, 12, 29, 2, tzinfo=UTC), working_days=5)
    told = tell(due, NOW, provisional=True)
    assert told
    assert told["provisional"]


def test_what_is_overdue_is_not_provisional_any_more() -> None:
    told = tell(NOW - timedelta(days=1), NOW, provisional=True)
    assert told
    assert not told["provisional"]


def test_a_weekend_deadline_without_working_days_says_so() -> None:
    told = tell(at(2026, 11, 28, 12, 0), datetime(2026, 11, 27, 18, tzinfo=BEIJING))
    assert told
    assert told["note"] == "此前没有工作日"


def test_lengths() -> None:
    assert span(timedelta(hours=1, minutes=30)) == "1 小时 30 分钟"
    assert span(timedelta(days=2)) == "2 天"
    assert duration(timedelta(days=2, hours=3)) == "2 天 3 小时"
    assert duration(timedelta(seconds=59)) == ""


def test_days() -> None:
    assert day(at(2026, 11, 24, 10, 16), NOW) == "11 月 24 日"


def test_a_moment_of_another_year_has_its_year() -> None:
    assert moment(at(2025, 11, 6, 10, 16), NOW) == "2025 年 11 月 6 日 10:16"
    assert moment(at(2026, 11, 24, 10, 16), NOW) == "11 月 24 日 10:16"
