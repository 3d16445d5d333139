"""What people keep for themselves and tell each other: comments, stock phrases 常用意见, saved views 我的视图."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts.models import Account
from webapp.accounts.roles import ROLES
from webapp.audit import service as audit
from webapp.engine.handler_api import Actor
from webapp.engine.tables import user_task
from webapp.errors import Conflict, Invalid, NotFound
from webapp.i18n import _
from webapp.inbox.models import Comment, SavedView, StockPhrase
from webapp.inbox.visibility import visible_tasks

MAX_COMMENT = 1000
MAX_PHRASE = 200
#: So many phrases and views one person keeps.
MAX_KEPT = 50
#: Parameters of the list that make a view; the page of a list is none.
VIEW_PARAMETERS = ("view", "process", "q", "order", "unit")


def is_inside(actor: Actor) -> bool:
    """Whether the actor sits on the working group's side, which alone reads internal comments and whole records."""
    return any(ROLES[role].scope in {"all", "agenda"} for role in actor.roles if role in ROLES)


def comment(session: Session, actor: Actor, task_id: UUID, words: str, *, internal: bool) -> Comment:
    """Leave a remark on the case of a task that one may see; from an organisation's side it is never internal.

    Errors: NotFound, Invalid.
    """
    row = session.execute(select(user_task).where(user_task.c.id == task_id, visible_tasks(actor))).one_or_none()
    if row is None:
        raise NotFound(_("没有找到该事项，或您无权查看。"))
    words = words.strip()
    if not words:
        raise Invalid(_("请填写留言。"), fields={"comment": _("请填写留言。")})
    if len(words) > MAX_COMMENT:
        message = _("留言最多 %(limit)s 个字，现在 %(n)s 个。", limit=MAX_COMMENT, n=len(words))
        raise Invalid(message, fields={"comment": message})
    made = Comment(
        root_instance_id=row.root_instance_id,
        instance_id=row.instance_id,
        task_id=task_id,
        author_id=actor.id,
        internal=internal and is_inside(actor),
        words=words,
        created_at=clock.now(),
    )
    session.add(made)
    session.flush()
    audit.record(session, "task.comment", actor, instance_id=row.instance_id, task_id=task_id, subject=row.business_key)
    return made


def comments(session: Session, actor: Actor, root_instance_id: UUID) -> list[Any]:
    """The case's remarks that this person may read, oldest first: rows of words, created_at, internal, name."""
    statement = (
        select(Comment.words, Comment.created_at, Comment.internal, Account.name)
        .join(Account, Account.id == Comment.author_id)
        .where(Comment.root_instance_id == root_instance_id)
        .order_by(Comment.created_at)
    )
    if not is_inside(actor):
        statement = statement.where(Comment.internal.is_(False))
    return list(session.execute(statement))


def phrases(session: Session, actor: Actor, scope: str) -> list[str]:
    """The phrases for one kind of task: one's own first, then everybody's."""
    statement = (
        select(StockPhrase.words)
        .where(or_(StockPhrase.account_id == actor.id, StockPhrase.account_id.is_(None)))
        .where(StockPhrase.scope.in_(("", scope)))
        .order_by(StockPhrase.account_id.is_(None), StockPhrase.id)
    )
    return list(dict.fromkeys(session.scalars(statement)))


def own_phrases(session: Session, actor: Actor) -> list[StockPhrase]:
    """The phrases that a person keeps."""
    statement = select(StockPhrase).where(StockPhrase.account_id == actor.id).order_by(StockPhrase.id)
    return list(session.scalars(statement))


def keep_phrase(session: Session, actor: Actor, words: str, scope: str = "") -> None:
    """Keep a phrase; the same one again changes nothing. Errors: Invalid, Conflict (too many)."""
    words = " ".join(words.split())
    if not words or len(words) > MAX_PHRASE:
        message = _("常用意见要有 1 至 %(limit)s 个字。", limit=MAX_PHRASE)
        raise Invalid(message, fields={"words": message})
    kept = own_phrases(session, actor)
    if any(phrase.words == words and phrase.scope == scope for phrase in kept):
        return
    if len(kept) >= MAX_KEPT:
        raise Conflict(_("常用意见最多 %(limit)s 条，请先删去不用的。", limit=MAX_KEPT))
    session.add(StockPhrase(account_id=actor.id, scope=scope, words=words))
    session.flush()


def drop_phrase(session: Session, actor: Actor, phrase_id: UUID) -> None:
    """Forget one's own phrase. Errors: NotFound."""
    _drop(session, StockPhrase, actor, phrase_id)


def saved_views(session: Session, actor: Actor) -> list[SavedView]:
    """The views that a person keeps, by name."""
    mine = (SavedView.account_id == actor.id, SavedView.page == "tasks")
    return list(session.scalars(select(SavedView).where(*mine).order_by(SavedView.name)))


def keep_view(session: Session, actor: Actor, name: str, query: str) -> SavedView:
    """Keep the filter of an address under a name; the same name again replaces it. Errors: Invalid, Conflict."""
    name = " ".join(name.split())
    if not name or len(name) > 20:
        message = _("视图名称要有 1 至 20 个字。")
        raise Invalid(message, fields={"name": message})
    kept = saved_views(session, actor)
    view = next((view for view in kept if view.name == name), None)
    if view is None:
        if len(kept) >= MAX_KEPT:
            raise Conflict(_("视图最多 %(limit)s 个，请先删去不用的。", limit=MAX_KEPT))
        view = SavedView(account_id=actor.id, name=name)
        session.add(view)
    view.query = clean_query(query)
    session.flush()
    return view


def clean_query(query: str) -> str:
    """The part of an address that makes a view, in a fixed order."""
    given = dict(parse_qsl(query.lstrip("?")))
    return urlencode({name: given[name] for name in VIEW_PARAMETERS if given.get(name)})


def drop_view(session: Session, actor: Actor, view_id: UUID) -> None:
    """Forget one's own view. Errors: NotFound."""
    _drop(session, SavedView, actor, view_id)


def _drop(session: Session, model: type[StockPhrase] | type[SavedView], actor: Actor, row_id: UUID) -> None:
    statement = delete(model).where(model.id == row_id, model.account_id == actor.id).returning(model.id)
    if session.execute(statement).scalar_one_or_none() is None:
        raise NotFound(_("没有找到，可能已经删去。"))
