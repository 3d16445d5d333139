"""A unit takes its own exit (4.4.1) back, before the 局务会 has resolved."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from webapp.engine.commands import Cancel
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, Forbidden
from webapp.i18n import _
from webapp.registers import expulsions
from webapp.registers.models import Expulsion


def may_withdraw(review: Expulsion, actor: Actor | None) -> bool:
    """Whether this person may take the unit's own exit back now (4.4.1)."""
    return (
        actor is not None
        and "lead_unit_head" in actor.roles
        and actor.organisation_id == review.lead_unit.organisation_id
        and expulsions.exit_only(review)
        and review.status in expulsions.BEFORE_RESOLUTION
    )


def withdraw(session: Session, review: Expulsion, actor: Actor) -> None:
    """The unit takes its exit back before the resolution; its case ends with it. Errors: Forbidden, Conflict."""
    from webapp.engine import runtime

    review = expulsions.locked(session, review.id)
    _check_withdrawal(review, actor)
    reason = _("牵引单位在局务会决议前撤回退出申请。")
    assert review.instance_id is not None
    runtime.engine().step(session, review.instance_id, Cancel(reason), actor)


def _check_withdrawal(review: Expulsion, actor: Actor | None) -> None:
    if actor is None or actor.organisation_id != review.lead_unit.organisation_id:
        raise Forbidden(_("清退审议须有结论，不能直接终止；只有自行退出的单位可以在决议前撤回（第 4.4.1 条）。"))
    if not may_withdraw(review, actor):
        raise Conflict(_("只有仅因自行要求退出、局务会尚未作出决议的，可以由单位负责人撤回（第 4.4.1 条）。"))


def give_up(session: Session, review: Expulsion, actor: Actor | None, reason: str, now: datetime) -> None:
    """What ending the case does in the register: a withdrawal ends it.

    The fall of all its grounds has done so already; after a reversal the case only waited for the handover.
    Errors: Forbidden, Conflict.
    """
    if review.status in ("lapsed", "reversed"):
        return
    _check_withdrawal(review, actor)
    expulsions.close(session, review, "withdrawn", reason, actor=actor, now=now)
