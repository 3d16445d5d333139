"""Whoever leaves, or loses a role, keeps no case waiting and decides nothing any more: what they had taken is free."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from tests.processes.conftest import Town
from webapp import db
from webapp.accounts import service
from webapp.accounts.models import Account
from webapp.demo import cases, make, play
from webapp.engine.tables import audit
from webapp.errors import NotFound
from webapp.inbox import claiming
from webapp.registers.models import FilingItem


def taken(town: Town, who: str) -> UUID:
    """An enterprise whose review that person has taken."""
    (item,) = town.items(town.file([make.enterprise(70)]))
    with db.transaction() as session:
        claiming.claim(session, town.people[who], play.open_task(session, town.case_of(item), "review"))
    return item


def review(town: Town, who: str, item: UUID) -> None:
    with db.transaction() as session:
        actor = service.actor_of(session.get_one(Account, town.people[who].id))
        cases.review(session, actor, session.get_one(FilingItem, item))


def test_what_a_person_had_taken_is_free_when_the_account_is_switched_off(town: Town) -> None:
    item = taken(town, "office")
    with db.transaction() as session:
        account = session.get_one(Account, town.people["office"].id)
        service.set_active(session, town.people["sysadmin"], account, False)
    review(town, "office2", item)
    assert town.item(item).status == "confirming"
    with db.transaction() as session:
        trail = select(audit.c.subject).where(audit.c.action == "task.release")
        assert session.scalars(trail).all() == [town.task(town.case_of(item), "review").business_key]


def test_whoever_loses_the_role_does_not_decide_what_they_had_taken(town: Town) -> None:
    item = taken(town, "office")
    with db.transaction() as session:
        account = session.get_one(Account, town.people["office"].id)
        service.set_roles(session, town.people["secadmin"], account, ["manager"])
    with pytest.raises(NotFound):
        review(town, "office", item)
    review(town, "office2", item)
    assert town.item(item).status == "confirming"


def test_another_role_that_still_suffices_keeps_the_task(town: Town) -> None:
    item = taken(town, "office")
    with db.transaction() as session:
        account = session.get_one(Account, town.people["office"].id)
        service.set_roles(session, town.people["secadmin"], account, ["office", "working_group"])
    assert town.task(town.case_of(item), "review").assignee_id == town.people["office"].id
