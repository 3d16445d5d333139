"""Views of the list of instances that managers keep, for themselves or for everybody who may open it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, Invalid, NotFound
from webapp.i18n import _
from webapp.inbox.models import SavedView

PAGE = "instances"
#: Views of one person.
MOST = 50
_LONGEST = 20


def visible(session: Session, actor: Actor) -> Sequence[SavedView]:
    """One's own views and the shared ones, by name."""
    asked = (SavedView.page == PAGE, or_(SavedView.account_id == actor.id, SavedView.shared))
    return session.scalars(select(SavedView).where(*asked).order_by(SavedView.name, SavedView.id)).all()


def keep(session: Session, actor: Actor, name: str, query: str, *, shared: bool) -> SavedView:
    """Keep a filter under a name; the same name again replaces one's own. Errors: Invalid, Conflict."""
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST:
        message = _("视图名称要有 1 至 20 个字。")
        raise Invalid(message, fields={"name": message})
    own = [view for view in visible(session, actor) if view.account_id == actor.id]
    view = next((view for view in own if view.name == name), None)
    if view is None:
        if len(own) >= MOST:
            raise Conflict(_("视图最多 %(limit)s 个，请先删去不用的。", limit=MOST))
        view = SavedView(account_id=actor.id, name=name, page=PAGE)
        session.add(view)
    view.query, view.shared = query, shared
    session.flush()
    return view


def drop(session: Session, actor: Actor, view_id: UUID) -> None:
    """Forget one's own view. Errors: NotFound, also for somebody else's."""
    asked = (SavedView.id == view_id, SavedView.account_id == actor.id, SavedView.page == PAGE)
    if session.execute(delete(SavedView).where(*asked).returning(SavedView.id)).scalar_one_or_none() is None:
        raise NotFound(_("没有找到，可能已经删去。"))
