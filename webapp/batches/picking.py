"""Which instances a manager means: those ticked in the list, or all that its filter shows at this moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.batches.service import MOST
from webapp.engine.handler_api import Actor
from webapp.engine.tables import process_instance
from webapp.errors import Invalid
from webapp.i18n import _
from webapp.monitor import list_page, queries
from webapp.monitor.visibility import visible_instances


def ticked(session: Session, actor: Actor, ids: Sequence[str]) -> list[UUID]:
    """The instances with these ids that the actor sees. Errors: Invalid (no id)."""
    try:
        wanted = [UUID(one) for one in ids[: MOST + 1]]
    except ValueError as error:
        raise Invalid(_("案件编号无效。")) from error
    c = process_instance.c
    found = set(session.scalars(select(c.id).where(c.id.in_(wanted), visible_instances(actor))))
    return [one for one in dict.fromkeys(wanted) if one in found]


def filtered(session: Session, actor: Actor, query: str) -> list[UUID]:
    """All instances that a list with this query string shows, at most one more than a batch holds."""
    args: Mapping[str, str] = dict(parse_qsl(query.lstrip("?")[:2000]))
    return queries.ids(session, actor, list_page.wanted(args), clock.now(), MOST + 1)
