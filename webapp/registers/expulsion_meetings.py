"""Sessions of the 局务会 (4.4): attendance, quorum, recusals, minutes, and the resolution that is entered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from webapp.accounts import settings_service
from webapp.engine.handler_api import Actor
from webapp.i18n import _
from webapp.registers import expulsions, history
from webapp.registers.models import Expulsion, ExpulsionMeeting
from webapp.registers.values import as_date, as_text


def attendance(members: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """(entitled, present): whoever is recused counts in neither."""
    entitled = [row for row in members if row.get("attendance") in ("present", "absent")]
    return len(entitled), sum(row.get("attendance") == "present" for row in entitled)


def members(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Those who belong to the meeting as they are kept: name, post, attendance, reason."""
    return [{name: as_text(row.get(name)) for name in ("name", "post", "attendance", "reason")} for row in rows]


def check_meeting(
    session: Session, review: Expulsion, data: Mapping[str, Any], outcome: str | None, today: date
) -> dict[str, list[str]]:
    """What keeps a resolution from being entered (4.4): that of any session, and a ground the unit was not told of."""
    wrong = check_session(session, data, today)
    if outcome == "confirm" and (clauses := expulsions.untold(review)):
        words = _("第 %(n)s 条的情形尚未告知单位，不能确认清退；请发回补充事实。", n="、".join(clauses))
        wrong[""] = [words]
    return wrong


def check_session(session: Session, data: Mapping[str, Any], today: date) -> dict[str, list[str]]:
    """What is wrong with a session of the 局务会 as entered: quorum, minutes, recusals with their reasons, the day."""
    wrong: dict[str, list[str]] = {}
    there: Sequence[Mapping[str, Any]] = data.get("members") or ()
    names = [as_text(row.get("name")) for row in there]
    for index, row in enumerate(there):
        if names.index(names[index]) != index:
            wrong[f"members[{index}].name"] = [_("%(name)s重复，请核对。", name=names[index])]
        if row.get("attendance") in ("recused", "absent") and not as_text(row.get("reason")):
            wrong[f"members[{index}].reason"] = [_("请写明回避或者缺席的理由。")]
    entitled, present = attendance(there)
    percent = int(settings_service.get(session, "quorum_percent"))
    if present * 100 <= entitled * percent:
        wrong["members"] = [
            _("到会 %(n)s 人，应到 %(all)s 人，没有超过 %(p)s%%，不能作出决议。", n=present, all=entitled, p=percent)
        ]
    if not as_text(data.get("minutes")) or not data.get("minutes_files"):
        wrong["minutes_files"] = [_("请填写会议纪要并上传签字的原件，没有纪要不能登记决议。")]
    met_on = as_date(data.get("met_on"))
    if met_on is None or met_on > today:
        wrong["met_on"] = [_("会议日期晚于今日或者没有填写，请核对。")]
    return wrong


def resolve(
    session: Session, review: Expulsion, given: Mapping[str, Any], *, actor: Actor | None, now: datetime
) -> ExpulsionMeeting:
    """Enter a session of the 局务会 and where the review goes from it (4.4)."""
    there = members(given["members"])
    entitled, present = attendance(there)
    meeting = ExpulsionMeeting(
        expulsion_id=review.id,
        seq=len(review.meetings) + 1,
        met_on=as_date(given["met_on"]) or now.date(),
        place=as_text(given.get("meeting_place")),
        members=there,
        entitled=entitled,
        present=present,
        resolution=as_text(given["resolution"]),
        words=as_text(given.get("resolution_words")),
        minutes=as_text(given.get("minutes")),
        minutes_files=[str(key) for key in given.get("minutes_files") or ()],
        recorded_at=now,
        recorded_by=actor.id if actor else None,
    )
    session.add(meeting)
    before = history.snapshot(review)
    review.status = {"confirm": "deciding", "send_back": "gathering"}.get(meeting.resolution, review.status)
    session.flush()
    session.expire(review, ["meetings"])
    history.record(session, review, "resolved", before=before, actor=actor, instance_id=review.instance_id)
    return meeting
