"""Who may hold which roles together (三员分立, opposite sides, deciding roles)."""

from __future__ import annotations

import itertools

import pytest

from webapp.accounts.roles import ORG_SCOPED, ROLES, check_together
from webapp.errors import Invalid

BUREAU = {
    "office",
    "working_group",
    "expert",
    "bureau_meeting",
    "designer",
    "manager",
    "sysadmin",
    "secadmin",
    "auditor",
}


def refused(*roles: str) -> bool:
    try:
        check_together(roles)
    except Invalid:
        return True
    return False


def test_every_party_of_the_regulation_has_a_role_with_both_names():
    assert set(ROLES) == BUREAU | {"lead_unit", "lead_unit_head", "former_lead_unit", "pilot_enterprise"}
    assert all(role.zh and role.en for role in ROLES.values())
    assert {"lead_unit", "lead_unit_head", "former_lead_unit", "pilot_enterprise"} == ORG_SCOPED


@pytest.mark.parametrize("pair", list(itertools.combinations(["sysadmin", "secadmin", "auditor"], 2)))
def test_the_three_powers_are_never_in_one_hand(pair):
    assert refused(*pair)


@pytest.mark.parametrize("own", ["lead_unit", "lead_unit_head"])
@pytest.mark.parametrize("other", sorted(BUREAU))
def test_nobody_serves_a_lead_unit_and_the_bureau(own, other):
    assert refused(own, other)


@pytest.mark.parametrize("power", ["sysadmin", "secadmin", "auditor", "designer", "manager"])
@pytest.mark.parametrize("deciding", ["office", "working_group", "expert", "bureau_meeting"])
def test_who_administers_designs_or_watches_decides_nothing(power, deciding):
    assert refused(power, deciding)


@pytest.mark.parametrize(
    "roles", [("lead_unit", "lead_unit_head"), ("office", "working_group"), ("designer", "manager"), ("office",), ()]
)
def test_roles_of_one_side_may_be_held_together(roles):
    check_together(roles)


def test_the_refusal_names_the_roles_and_the_reason():
    with pytest.raises(Invalid, match=r"三员分立.*审计管理员 \+ 系统管理员"):
        check_together(["sysadmin", "auditor"])
    with pytest.raises(Invalid, match="没有此角色：chief"):
        check_together(["chief"])
