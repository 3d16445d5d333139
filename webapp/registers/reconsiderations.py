"""复核 of a decision to expel (4.4): asked for by the unit, or opened by the office for a binding ruling 生效裁判.

It does not suspend the decision. Only a resolution of the 局务会, or a binding ruling that is recorded with its
document, reverses it; what the reversal does is in `reversing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.engine.commands import StartInstance
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, Forbidden, NotFound
from webapp.i18n import _
from webapp.registers import expulsion_meetings, filings, history
from webapp.registers.expulsion_models import Reconsideration
from webapp.registers.models import Expulsion
from webapp.registers.values import as_date, as_text

KEY = "expulsion_reconsideration"
PROPOSALS = {"uphold": "建议维持原决定", "reverse": "建议撤销原决定"}


def get(session: Session, entry_id: UUID) -> Reconsideration:
    """Errors: NotFound."""
    found = session.get(Reconsideration, entry_id)
    if found is None:
        raise NotFound(_("没有找到该复核。"))
    return found


def locked(session: Session, entry_id: UUID) -> Reconsideration:
    """As it stands now, with the unit locked until the transaction ends. Errors: NotFound."""
    found = get(session, entry_id)
    filings.lock_unit(session, found.expulsion.lead_unit)
    session.refresh(found)
    session.refresh(found.expulsion)
    return found


def of_review(session: Session, expulsion_id: UUID) -> list[Reconsideration]:
    """The reviews asked for of a decision, oldest first."""
    query = select(Reconsideration).where(Reconsideration.expulsion_id == expulsion_id)
    return list(session.scalars(query.order_by(Reconsideration.opened_at, Reconsideration.id)).unique())


def open_of(session: Session, expulsion_id: UUID) -> Reconsideration | None:
    """The one that is under way."""
    return next((entry for entry in of_review(session, expulsion_id) if entry.closed_at is None), None)


def decision_of(session: Session, organisation_id: UUID | None) -> Expulsion | None:
    """The decision in force by which this organisation was expelled."""
    unit = filings.unit_of(session, organisation_id)
    if unit is None:
        return None
    mine = Expulsion.lead_unit_id == unit.id, Expulsion.status == "expelled"
    return session.scalars(select(Expulsion).where(*mine).order_by(Expulsion.closed_at.desc())).unique().first()


def may_open(session: Session, review: Expulsion, actor: Actor | None) -> str:
    """As whom this person may open a 复核 of this decision now: `unit`, `office`, or "" when not at all."""
    if actor is None or review.status != "expelled" or open_of(session, review.id) is not None:
        return ""
    own = actor.organisation_id == review.lead_unit.organisation_id
    if "former_lead_unit" in actor.roles and own:
        return "unit"
    return "office" if "office" in actor.roles else ""


def check_opening(session: Session, review: Expulsion, actor: Actor | None) -> str:
    """As `may_open`. Errors: Conflict, Forbidden, each with what stands in the way."""
    filings.lock_unit(session, review.lead_unit)
    session.refresh(review)
    if review.status != "expelled":
        raise Conflict(_("只有已生效的清退决定可以申请复核；该审议的决定没有生效或者已撤销。"))
    if (under_way := open_of(session, review.id)) is not None:
        raise Conflict(_("对该决定的复核 %(number)s 正在办理，不能重复提出。", number=under_way.number))
    source = may_open(session, review, actor)
    if not source:
        raise Forbidden(_("复核由被清退的单位提出；收到生效裁判的，由办公室登记。"))
    return source


def start(session: Session, review: Expulsion, actor: Actor) -> UUID:
    """Open the case of a 复核. Gives its instance. Errors: those of `check_opening`."""
    from webapp.engine import runtime

    command = StartInstance(key=KEY, variables={"expulsion_id": str(review.id)})
    return runtime.engine().start(session, command, actor).instance_id


def enter(
    session: Session,
    review: Expulsion,
    source: str,
    given: Mapping[str, Any],
    *,
    number: str,
    instance_id: UUID,
    actor: Actor | None,
) -> Reconsideration:
    """Enter what was asked (`source` unit: reasons, files) or the binding ruling (office). Errors: Conflict."""
    if (under_way := open_of(session, review.id)) is not None:
        raise Conflict(_("对该决定的复核 %(number)s 正在办理，不能重复提出。", number=under_way.number))
    entry = Reconsideration(
        number=number,
        expulsion_id=review.id,
        instance_id=instance_id,
        source=source,
        opened_at=clock.now(),
        opened_by=actor.id if actor else None,
    )
    if source == "office":
        entry.basis, entry.status, entry.ruling = "ruling", "deciding", _ruling(given)
    else:
        entry.reasons = as_text(given.get("request_reasons"))
        entry.files = [str(key) for key in given.get("request_files") or ()]
    session.add(entry)
    session.flush()
    history.record(session, entry, "opened", actor=actor, instance_id=instance_id)
    return entry


def _ruling(given: Mapping[str, Any]) -> dict[str, Any]:
    on = as_date(given.get("ruling_on"))
    return {
        "authority": as_text(given.get("ruling_authority")),
        "number": as_text(given.get("ruling_number")),
        "on": on.isoformat() if on else "",
        "words": as_text(given.get("ruling_words")),
        "files": [str(key) for key in given.get("ruling_files") or ()],
    }


def check_ruling(review: Expulsion, data: Mapping[str, Any], today: date) -> dict[str, str]:
    """A binding ruling stands with its document, and was made after the decision."""
    wrong = {}
    if not data.get("ruling_files"):
        wrong["ruling_files"] = _("请上传生效裁判文书，没有文书不能据以撤销决定。")
    on = as_date(data.get("ruling_on"))
    if on is None or on > today or (review.decided_on is not None and on < review.decided_on):
        wrong["ruling_on"] = _("裁判日期须在清退决定之后、不晚于今日，请核对。")
    return wrong


def record_examination(
    session: Session, entry: Reconsideration, given: Mapping[str, Any], *, actor: Actor | None, now: datetime
) -> None:
    """What the office found and proposes, and the legality check of it by another person."""
    before = history.snapshot(entry)
    entry.findings, entry.proposal = as_text(given.get("findings")), as_text(given.get("proposal"))
    decision = as_text(given.get("legality_decision"))
    entry.legality = {
        "decision": decision,
        "opinion": as_text(given.get("legality_opinion")),
        "by": actor.name if actor else "",
        "at": now.isoformat(),
    }
    entry.status = "meeting" if decision == "pass" else "examining"
    history.record(session, entry, "proposed", before=before, actor=actor, instance_id=entry.instance_id)


def resolve(
    session: Session, entry: Reconsideration, given: Mapping[str, Any], *, actor: Actor | None, now: datetime
) -> Sequence[str]:
    """Enter a session of the 局务会; gives the documents of its minutes."""
    members = expulsion_meetings.members(given["members"])
    entitled, present = expulsion_meetings.attendance(members)
    met_on, resolution = as_date(given["met_on"]) or now.date(), as_text(given["resolution"])
    files = [str(key) for key in given.get("minutes_files") or ()]
    before = history.snapshot(entry)
    entry.sessions = [
        *entry.sessions,
        {
            "met_on": met_on.isoformat(),
            "members": members,
            "entitled": entitled,
            "present": present,
            "resolution": resolution,
            "words": as_text(given.get("resolution_words")),
            "minutes": as_text(given.get("minutes")),
            "minutes_files": files,
        },
    ]
    entry.status = "examining" if resolution == "send_back" else "deciding"
    history.record(session, entry, "resolved", before=before, actor=actor, instance_id=entry.instance_id)
    return files


def outcome(entry: Reconsideration) -> str:
    """What is to be decided: `reverse` by a binding ruling or a resolution, else `uphold`.

    Errors: Conflict when neither is on record.
    """
    if entry.basis == "ruling":
        if not entry.ruling.get("files"):
            raise Conflict(_("没有生效裁判文书，不能撤销清退决定。"))
        return "reverse"
    last = entry.sessions[-1]["resolution"] if entry.sessions else ""
    if last not in ("uphold", "reverse"):
        raise Conflict(_("局务会没有作出维持或者撤销的决议，不能签发复核决定。"))
    return str(last)


def basis_words(entry: Reconsideration) -> str:
    """What the decision rests on, in one sentence."""
    if entry.basis == "ruling":
        ruling = entry.ruling
        return f"{ruling['authority']}作出的生效裁判（{ruling['number']}）：{ruling['words']}"
    return str(entry.sessions[-1]["words"]) if entry.sessions else ""
