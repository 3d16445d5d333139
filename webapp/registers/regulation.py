"""The regulation's own words (processes/regulation.json), and which deployed element fulfils which clause.

Source: 广州市中小企业数字化转型城市试点数字化牵引单位管理工作规程, December 2024. Clause 4.5 does not exist in it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.config import ROOT
from webapp.engine.tables import process_definition
from webapp.errors import NotFound
from webapp.i18n import _


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """One element of a deployed process that carries a clause. `law`: it cannot be removed or passed by."""

    process_key: str
    process_name: str
    element_id: str
    name: str
    type: str
    roles: tuple[str, ...]
    law: bool


@functools.cache
def source() -> dict[str, Any]:
    """The file: title, chapters [{number, title, clauses}], clauses {number: {text, closing?}}, missing, no_system …"""
    data: dict[str, Any] = orjson.loads((ROOT / "processes" / "regulation.json").read_bytes())
    return data


def clause(number: str) -> str:
    """The clause's own words; where the source closes a list with a sentence, that too. Errors: NotFound.

    >>> clause("4.1")[:8]
    '按照“持续优化、'
    """
    found = source()["clauses"].get(number)
    if found is None:
        missing = source()["missing"].get(number)
        raise NotFound(missing["note"] if missing else _("规程没有第 %(number)s 条。", number=number))
    return "\n".join(filter(None, [found["text"], found.get("closing")]))


def exists(number: str) -> bool:
    """Whether the source has this clause."""
    return number in source()["clauses"]


def fulfilments(session: Session) -> dict[str, list[Fulfilment]]:
    """Clause number -> the elements of the newest version of every deployed process that carry it, in model order."""
    d = process_definition.c
    newest = select(d.key, func.max(d.version).label("version")).group_by(d.key).subquery()
    rows = session.execute(
        select(d.key, d.name, d.elements)
        .join(newest, (newest.c.key == d.key) & (newest.c.version == d.version))
        .order_by(d.key)
    )
    found: dict[str, list[Fulfilment]] = {}
    for key, name, elements in rows:
        for element_id, element in elements.items():
            for number in element.get("clauses") or ():
                found.setdefault(number, []).append(_fulfilment(key, name, element_id, element))
    return found


def _fulfilment(key: str, name: str, element_id: str, element: Mapping[str, Any]) -> Fulfilment:
    roles = element.get("candidate_groups") or ([element["role"]] if element.get("role") else [])
    return Fulfilment(
        key,
        name,
        element_id,
        element.get("name") or element_id,
        element.get("type") or "",
        tuple(roles),
        bool(element.get("law")),
    )
