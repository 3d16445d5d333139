"""What the filters of the list of instances offer: versions, elements, roles, people, organisations, variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from webapp.accounts.models import Account, AccountRole, Organisation
from webapp.accounts.roles import ROLES
from webapp.engine.tables import process_definition
from webapp.i18n import _, language
from webapp.monitor.filters import Filter

_d = process_definition.c
Option = dict[str, str]
#: Element types at which a token can stand for a while.
_STANDING = {
    "userTask",
    "serviceTask",
    "receiveTask",
    "sendTask",
    "callActivity",
    "intermediateCatchEvent",
    "subProcess",
    "scriptTask",
    "businessRuleTask",
    "exclusiveGateway",
    "inclusiveGateway",
    "parallelGateway",
    "eventBasedGateway",
}
_MOST = 500


def latest(session: Session) -> Sequence[Any]:
    """(key, name, version, info) of every process, of its newest version, by name."""
    statement = (
        select(_d.key, _d.name, _d.version, _d.info).ext(distinct_on(_d.key)).order_by(_d.key, _d.version.desc())
    )
    return sorted(session.execute(statement), key=lambda row: row.name)


def variables(newest: Sequence[Any], process: str) -> list[str]:
    """The names of the searchable variables of a process, or of all."""
    found = [name for row in newest if process in ("", row.key) for name in row.info.get("searchable") or ()]
    return list(dict.fromkeys(found))


def versions(session: Session, process: str) -> list[Option]:
    """The versions of a process, newest first."""
    if not process:
        return []
    found = session.scalars(select(_d.version).where(_d.key == process).order_by(_d.version.desc()))
    return [{"value": str(n), "label": _("第 %(n)s 版", n=n)} for n in found]


def elements(session: Session, process: str, version: int | None) -> list[Option]:
    """The elements of a process (of its newest version) at which a token can stand, in the order of their names."""
    if not process:
        return []
    wanted = [_d.key == process, *([_d.version == version] if version is not None else [])]
    found = session.scalar(select(_d.elements).where(*wanted).order_by(_d.version.desc()).limit(1)) or {}
    named = [(key, one.get("name") or key) for key, one in found.items() if one.get("type") in _STANDING]
    return [{"value": key, "label": str(name)} for key, name in sorted(named, key=lambda pair: str(pair[1]))]


def roles() -> list[Option]:
    """Every role that work can be offered to."""
    found = [role for role in ROLES.values() if role.scope != "none"]
    return [{"value": role.id, "label": role.label(language())} for role in found]


def role_label(id: str) -> str:
    """A role's name in the page's language; an unknown one is its id."""
    return ROLES[id].label(language()) if id in ROLES else id


def people(session: Session, wanted: Filter) -> list[Option]:
    """Who may have taken a task, of a role when one is chosen."""
    statement = select(Account.id, Account.name).where(Account.active).order_by(Account.name).limit(_MOST)
    if wanted.role:
        statement = statement.where(
            Account.id.in_(select(AccountRole.account_id).where(AccountRole.role == wanted.role))
        )
    found = [{"value": str(id), "label": name} for id, name in session.execute(statement)]
    if wanted.person and str(wanted.person) not in {option["value"] for option in found}:
        found.append({"value": str(wanted.person), "label": person(session, wanted.person)})
    return found


def person(session: Session, id: Any) -> str:
    """The name of a person."""
    return session.scalar(select(Account.name).where(Account.id == id)) or _("不明")


def units(session: Session) -> list[Option]:
    """The organisations whose cases these can be."""
    statement = select(Organisation.id, Organisation.name).where(Organisation.kind != "bureau")
    return [
        {"value": str(id), "label": name}
        for id, name in session.execute(statement.order_by(Organisation.name).limit(_MOST))
    ]
