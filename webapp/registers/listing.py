"""Lists of registers: one description each, from which page, CSV and XLSX are made, so that all show the same.

The address holds everything: `view`, `q` (words), `sort` (`name`, `-name`), `page`, and the list's own filters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from webapp.engine.handler_api import Actor
from webapp.i18n import _
from webapp.registers.checks import normalise_text

PAGE_SIZE = 50
Args = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `value`: the figure that page and exports share; `kind`: text | num | badge | date | code."""

    key: str
    label: Any
    value: Callable[[Row[Any]], Any]
    kind: str = "text"
    url: Callable[[Row[Any]], str | None] | None = None
    meta: Callable[[Row[Any]], str] | None = None
    tone: Callable[[Row[Any]], str] | None = None
    sort: Any = None
    narrow_hide: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """One of the views at the left: a condition; None: everything."""

    key: str
    label: Any
    where: ColumnElement[bool] | None = None
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter of the list's own: a parameter of the address with its options [(value, label)]."""

    name: str
    label: Any
    options: Callable[[Session, Actor], Sequence[tuple[str, str]]]
    where: Callable[[str], ColumnElement[bool] | None]


@dataclass(frozen=True, slots=True)
class Register:
    """A register as a list. `query` gives the rows that this person may see, before views, words and page."""

    key: str
    title: Any
    sentence: Any
    empty: Any
    query: Callable[[Actor, Args], Select[Any]]
    columns: tuple[Column, ...]
    views: tuple[View, ...]
    searched: tuple[Any, ...]
    order: tuple[Any, ...]
    choices: tuple[Choice, ...] = ()
    has_day: bool = False  # the list may be seen as of a day (`as_of`)
    actions: Callable[[Actor], Sequence[Mapping[str, str]]] | None = None
    keep: tuple[str, ...] = field(default=())  # further parameters that links keep


def contains(columns: Iterable[Any], words: str) -> ColumnElement[bool]:
    """Every word stands in one of the columns, in any case; `%` and `_` are themselves."""
    parts = []
    for part in normalise_text(words)[:100].split():
        pattern = "%" + part.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        parts.append(or_(*(column.ilike(pattern, escape="\\") for column in columns)))
    return and_(*parts)


def _kept(register: Register, args: Args) -> dict[str, str]:
    names = {"view", "q", "sort", *(c.name for c in register.choices), *register.keep}
    if register.has_day:
        names.add("as_of")
    return {name: args[name] for name in sorted(names) if args.get(name)}


def address(path: str, kept: Args, **changes: Any) -> str:
    """A path with what it keeps and what changes; empty values are left out."""
    query = {**kept, **changes}
    text = urlencode({key: value for key, value in query.items() if value not in (None, "")})
    return path + ("?" + text if text else "")


def _filtered(register: Register, actor: Actor, args: Args) -> Select[Any]:
    query = register.query(actor, args)
    if words := args.get("q", "").strip():
        query = query.where(contains(register.searched, words))
    for choice in register.choices:
        if args.get(choice.name) and (condition := choice.where(args[choice.name])) is not None:
            query = query.where(condition)
    return query


def _view(register: Register, args: Args) -> View:
    return next((v for v in register.views if v.key == args.get("view")), register.views[0])


def _ordered(register: Register, query: Select[Any], args: Args) -> Select[Any]:
    wanted = args.get("sort", "")
    column = next((c for c in register.columns if c.key == wanted.lstrip("-") and c.sort is not None), None)
    if column is not None:
        query = query.order_by(column.sort.desc() if wanted.startswith("-") else column.sort)
    return query.order_by(*register.order)


def export(register: Register, session: Session, actor: Actor, args: Args) -> tuple[list[str], Iterable[list[Any]]]:
    """Columns and rows of everything that the address shows, on all pages."""
    query = _filtered(register, actor, args)
    if (condition := _view(register, args).where) is not None:
        query = query.where(condition)
    rows = session.execute(_ordered(register, query, args)).unique()
    return [str(c.label) for c in register.columns], ([c.value(row) for c in register.columns] for row in rows)


def page(register: Register, session: Session, actor: Actor, args: Args, path: str) -> dict[str, Any]:
    """What the template `registers/list.html` shows. `path`: the list's address without parameters."""
    kept, view = _kept(register, args), _view(register, args)
    query = _filtered(register, actor, args)
    counts = _counts(register, session, query)
    shown = query if view.where is None else query.where(view.where)
    total = counts[view.key]
    number = min(page_number(args.get("page")), max(1, -(-total // PAGE_SIZE)))
    limited = _ordered(register, shown, args).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)
    rows = session.execute(limited).unique().all()
    return {
        "register": register,
        "groups": [{"title": _("视图"), "views": _views(register, counts, view, path, kept)}],
        "choices": _choices(register, session, actor, args),
        "columns": [_head(c, path, kept, args.get("sort", "")) for c in register.columns],
        "rows": [[_cell(c, row) for c in register.columns] for row in rows],
        "page": pager(number, total, len(rows), path, kept),
        "query": args.get("q", ""),
        "kept": {k: v for k, v in kept.items() if k not in {"q", "as_of", *(c.name for c in register.choices)}},
        "clear_url": address(path, {"view": view.key}) if len(kept) > ("view" in kept) else "",
        "csv_url": address(path + ".csv", kept),
        "xlsx_url": address(path + ".xlsx", kept),
        "total": total,
        "actions": list(register.actions(actor)) if register.actions else [],
        "as_of": args.get("as_of", ""),
    }


def page_number(text: str | None) -> int:
    """The page that an address asks for; 1 for anything else."""
    return min(max(1, int(text)), 100_000) if text and text.isascii() and text.isdigit() and len(text) < 7 else 1


def _counts(register: Register, session: Session, query: Select[Any]) -> dict[str, int]:
    counted = [
        (func.count() if view.where is None else func.count().filter(view.where)).label(f"n{place}")
        for place, view in enumerate(register.views)
    ]
    row = session.execute(query.with_only_columns(*counted, maintain_column_froms=True).order_by(None)).one()
    return {view.key: row[place] for place, view in enumerate(register.views)}


def _views(register: Register, counts: Mapping[str, int], now: View, path: str, kept: Args) -> list[dict[str, Any]]:
    return [
        {
            "label": view.label,
            "url": address(path, kept, view=view.key),
            "count": counts[view.key],
            "current": view.key == now.key,
            "tone": view.tone,
        }
        for view in register.views
    ]


def _choices(register: Register, session: Session, actor: Actor, args: Args) -> list[dict[str, Any]]:
    return [
        {
            "name": choice.name,
            "label": choice.label,
            "value": args.get(choice.name, ""),
            "options": [{"value": value, "label": label} for value, label in choice.options(session, actor)],
        }
        for choice in register.choices
    ]


def _head(column: Column, path: str, kept: Args, wanted: str) -> dict[str, Any]:
    mine = wanted.lstrip("-") == column.key
    turn = column.key if not mine or wanted.startswith("-") else "-" + column.key
    return {
        "label": column.label,
        "num": column.kind == "num",
        "narrow_hide": column.narrow_hide,
        "sort_url": address(path, kept, sort=turn) if column.sort is not None else "",
        "sorted": ("descending" if wanted.startswith("-") else "ascending") if mine else "",
    }


def _cell(column: Column, row: Row[Any]) -> dict[str, Any]:
    return {
        "kind": column.kind,
        "value": column.value(row),
        "url": column.url(row) if column.url else None,
        "meta": column.meta(row) if column.meta else "",
        "tone": column.tone(row) if column.tone else "",
        "narrow_hide": column.narrow_hide,
    }


def pager(number: int, total: int, shown: int, path: str, kept: Args) -> dict[str, Any]:
    """What the macro `pager` shows of page `number` of `total` rows; `kept`: the address's other parameters."""
    last = max(1, -(-total // PAGE_SIZE))
    first = (number - 1) * PAGE_SIZE + 1
    near = sorted({1, last, *range(max(1, number - 2), min(last, number + 2) + 1)})
    pages: list[dict[str, Any]] = []
    for place, target in enumerate(near):
        if place and target - near[place - 1] > 1:
            pages.append({"label": "…", "url": None, "current": False})
        pages.append({"label": target, "url": address(path, kept, page=target), "current": target == number})
    return {
        "first": first if total else 0,
        "last": first + shown - 1,
        "total": total,
        "pages": pages if last > 1 else [],
        "previous_url": address(path, kept, page=number - 1) if number > 1 else None,
        "next_url": address(path, kept, page=number + 1) if number < last else None,
    }


def exists(session: Session, query: Select[Any]) -> bool:
    """Whether the query gives any row."""
    return bool(session.scalar(select(query.exists())))
