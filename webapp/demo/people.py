"""The people of the demo: one account for each role, some with a second person; all with the same password."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.accounts import passwords, roles, service
from webapp.accounts.models import Account, AccountRole, Organisation
from webapp.engine.handler_api import Actor
from webapp.registers.models import LeadUnit

PASSWORD = "qianyin-demo"
BUREAU = "广州市工业和信息化局（演示）"
#: username, name, roles, where: bureau | expert | pilot | expelled | number of a lead unit
_PEOPLE: Sequence[tuple[str, str, tuple[str, ...], str]] = (
    ("office", "陈思远", ("office",), "bureau"),
    ("office2", "梁嘉怡", ("office",), "bureau"),
    ("working_group", "何国华", ("working_group",), "bureau"),
    ("working_group2", "冯雅文", ("working_group",), "bureau"),
    ("bureau_meeting", "邓立言", ("bureau_meeting",), "bureau"),
    ("manager", "许清和", ("manager",), "bureau"),
    ("designer", "谢望舒", ("designer",), "bureau"),
    ("sysadmin", "曾景行", ("sysadmin",), "bureau"),
    ("secadmin", "彭若溪", ("secadmin",), "bureau"),
    ("auditor", "吕承泽", ("auditor",), "bureau"),
    ("expert", "沈书瑶", ("expert",), "expert"),
    ("expert2", "傅云帆", ("expert",), "expert"),
    ("expert3", "叶知秋", ("expert",), "expert"),
    ("pilot_enterprise", "宋子昂", ("pilot_enterprise",), "pilot"),
    ("lead_unit", "林晓桐", ("lead_unit",), "0"),
    ("lead_unit_head", "周启明", ("lead_unit_head",), "0"),
    ("lead_unit_b", "罗知远", ("lead_unit",), "1"),
    ("lead_unit_head_b", "郑南星", ("lead_unit_head",), "1"),
    ("lead_unit_c", "唐思齐", ("lead_unit",), "2"),
    ("lead_unit_head_c", "韩婉清", ("lead_unit_head",), "2"),
    ("former_lead_unit", "许书瑶", ("former_lead_unit",), "expelled"),
)


def fill(session: Session, units: Sequence[LeadUnit], expelled: LeadUnit | None = None) -> dict[str, Actor]:
    """Make the accounts (that of an expelled unit when there is one); gives the actors by username."""
    places = {
        "bureau": Organisation(name=BUREAU, kind="bureau"),
        "expert": Organisation(name="广州智造研究院（演示）", kind="other"),
        "pilot": Organisation(name="广州澜川精密模具厂（演示）", kind="firm"),
    }
    session.add_all(places.values())
    session.flush()
    one_hash = passwords.hash(PASSWORD)
    wheres = {str(n): unit.organisation_id for n, unit in enumerate(units)}
    wheres |= {place: organisation.id for place, organisation in places.items()}
    if expelled is not None:
        wheres["expelled"] = expelled.organisation_id
    for username, name, held, where in _PEOPLE:
        if where not in wheres:
            continue
        roles.check_together(held)
        organisation_id = wheres[where]
        session.add(
            Account(
                username=username,
                name=name,
                password_hash=one_hash,
                organisation_id=organisation_id,
                role_rows=[AccountRole(role=role) for role in held],
            )
        )
    session.flush()
    return actors(session)


def actors(session: Session) -> dict[str, Actor]:
    """Everybody who can act, by username."""
    return {account.username: service.actor_of(account) for account in session.scalars(select(Account)).unique()}
