"""How many cases each view holds, at a price that does not grow with the years: counts stop, and say that they did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, func, literal_column, select, text, union_all
from sqlalchemy.orm import Session

from webapp.engine.tables import process_instance

#: Counts stop here: more is told as "1000+".
MOST = 1000
#: Cases with the words looked for that are counted one by one; words of more cases are counted among the newest.
HITS = 1000
#: How many of the newest cases of a view are looked at for words that very many cases hold.
NEWEST = 1000
_i = process_instance.c
#: Gives the clauses of a view, with or without the words looked for.
Where = Callable[[str, bool], Sequence[ColumnElement[bool]]]


class Least(int):
    """A count that stopped: there are at least so many."""


def told(count: int) -> str:
    """`23`, or `1000+` where counting stopped."""
    return f"{int(count)}+" if isinstance(count, Least) else str(count)


def by_view(
    session: Session, views: Iterable[str], where: Where, *, words: bool, ordered: bool = True
) -> dict[str, int]:
    """How many cases each view holds, `Least` where counting stopped. The view `all` must hold those of all others.

    `ordered`: read along the index of when cases began; without words only.
    """
    session.execute(text("set local plan_cache_mode = force_custom_plan"))  # how common words are decides the plan
    if not words:
        return _along_indexes(session, views, where, ordered=ordered)
    return _of_hits(session, views, where) or {**_among_newest(session, views, where), "all": Least(MOST)}


def _limited(most: int) -> ColumnElement[Any]:
    """Written out, not bound: the planner must know how little is wanted."""
    return literal_column(str(most), Integer)


def _newest(view: str, where: Where) -> Any:
    return select(_i.id).where(*where(view, False)).order_by(_i.started_at.desc(), _i.id.desc())


def _along_indexes(session: Session, views: Iterable[str], where: Where, *, ordered: bool) -> dict[str, int]:
    """Each view up to `MOST`, along an index of its own, past what other views hold."""

    def ids(view: str) -> Any:
        found = _newest(view, where) if ordered else select(_i.id).where(*where(view, False))
        return found.limit(_limited(MOST)).subquery()

    columns = [select(func.count()).select_from(ids(view)).scalar_subquery().label(view) for view in views]
    found = session.execute(select(*columns)).one()._mapping
    return {view: _stopped(number, MOST) for view, number in found.items()}


def _of_hits(session: Session, views: Iterable[str], where: Where) -> dict[str, int] | None:
    """All views in one pass over the cases that hold the words; None when these are more than `HITS`."""
    hits = select(_i.id).where(*where("all", True)).limit(_limited(HITS + 1))
    columns = [func.count().filter(and_(*where(view, False))).label(view) for view in views]
    statement = select(func.count().label("hits"), *columns).where(
        _i.id == func.any(func.array(hits.scalar_subquery()))
    )
    found = dict(session.execute(statement).one()._mapping)
    return None if found.pop("hits") > HITS else {view: _stopped(number, MOST) for view, number in found.items()}


def _among_newest(session: Session, views: Iterable[str], where: Where) -> dict[str, int]:
    """What the newest cases of each view hold: at least so many where there are older ones."""
    held = func.count().filter(and_(*where("all", True))).label("held")
    parts = []
    for view in views:
        newest = _newest(view, where).limit(_limited(NEWEST)).correlate(None)
        name: ColumnElement[str] = literal_column(f"'{view}'")
        parts.append(select(name.label("view"), func.count().label("seen"), held).where(_i.id.in_(newest)))
    found = session.execute(union_all(*parts))
    return {row.view: Least(row.held) if row.seen == NEWEST else row.held for row in found}


def _stopped(number: int, most: int) -> int:
    return Least(most) if number >= most else number
