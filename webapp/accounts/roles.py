"""The roles of `processes/roles.toml`: names, what a holder sees, and which roles nobody holds together."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from webapp.config import ROOT
from webapp.errors import Invalid

SCOPES = ("organisation", "assigned", "agenda", "all", "none")


@dataclass(frozen=True, slots=True)
class Role:
    """One role. `exclusive`: roles that its holder may not have beside it, each with the reason {role: (zh, en)}."""

    id: str
    zh: str
    en: str
    scope: str
    side: str
    decides: bool
    exclusive: Mapping[str, tuple[str, str]]
    head: str = ""  # the role that is told when its holders leave a task undone

    def label(self, language: str = "zh") -> str:
        """The role's name in a language."""
        return self.en if language.startswith("en") else self.zh


def load(path: Path) -> dict[str, Role]:
    """Read the roles. Errors: ValueError for an unknown scope or role id (the file is part of the program)."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    roles = {
        key: Role(
            key, row["zh"], row["en"], row["scope"], row["side"], row.get("decides", False), {}, row.get("head", "")
        )
        for key, row in found["roles"].items()
    }
    if unknown := {role.head for role in roles.values()} - set(roles) - {""}:
        raise ValueError(f"{path}: unknown head {sorted(unknown)}")
    if unknown := {role.scope for role in roles.values()} - set(SCOPES):
        raise ValueError(f"{path}: unknown scope {sorted(unknown)}")
    excluded: dict[str, dict[str, tuple[str, str]]] = {key: {} for key in roles}
    for rule in found["exclusive"]:
        ones, others = _members(rule, "one", roles), _members(rule, "other", roles)
        for one in ones:
            for other in others - {one}:
                excluded[one].setdefault(other, (rule["zh"], rule["en"]))
                excluded[other].setdefault(one, (rule["zh"], rule["en"]))
    return {key: replace(role, exclusive=excluded[key]) for key, role in roles.items()}


def _members(rule: Mapping[str, Any], which: str, roles: Mapping[str, Role]) -> set[str]:
    members = set(rule.get(which, ()))
    if unknown := members - set(roles):
        raise ValueError(f"unknown roles in an exclusive rule: {sorted(unknown)}")
    members |= {r.id for r in roles.values() if r.side == rule.get(f"{which}_side")}
    members |= {r.id for r in roles.values() if rule.get(f"{which}_decides") and r.decides}
    return members


ROLES: dict[str, Role] = load(ROOT / "processes" / "roles.toml")
#: Roles whose holders see only what belongs to their organisation.
ORG_SCOPED: frozenset[str] = frozenset(role.id for role in ROLES.values() if role.scope == "organisation")


def check_together(roles: Iterable[str], language: str = "zh") -> None:
    """Refuse a set of roles that one person may not hold. Errors: Invalid, naming the two roles and the reason."""
    held = sorted(set(roles))
    if unknown := [role for role in held if role not in ROLES]:
        raise Invalid(f"没有此角色：{'、'.join(unknown)}")
    for one in held:
        for other in held:
            if other > one and (reason := ROLES[one].exclusive.get(other)):
                words = reason[1] if language.startswith("en") else reason[0]
                names = f"{ROLES[one].label(language)} + {ROLES[other].label(language)}"
                raise Invalid(f"{words} ({names})" if language.startswith("en") else f"{words}（{names}）。")
