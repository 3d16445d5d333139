"""Query parameters of lists: never unbounded, unknown sort keys refused, filters read in one place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

from flask import request
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from webapp.errors import Invalid

#: Most rows that one answer holds.
PAGE_LIMIT = 1000

Filters = Mapping[str, Callable[[str], ColumnElement[bool] | None]]


def parameters() -> dict[str, str]:
    """The filters of this request: query string, or the JSON body of a POST query."""
    found = {key: value for key, value in request.args.items() if value != ""}
    if request.method == "POST" and request.is_json:
        body = request.get_json()
        if not isinstance(body, dict):
            raise Invalid("查询条件应为 JSON 对象。")
        found |= {str(key): _text(value) for key, value in body.items() if value is not None}
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def number(text: str, name: str) -> int:
    """A whole number that is not negative, of at most nine digits. Errors: Invalid naming the parameter."""
    if text.isascii() and text.isdigit() and len(text) > 9:
        raise Invalid(f"参数 {name} 过大，最多 9 位数字。")
    if not text.isascii() or not text.isdigit():
        raise Invalid(f"参数 {name} 应为不小于 0 的整数，而不是“{text}”。")
    return int(text)


def flag(text: str) -> bool:
    """A boolean parameter. Errors: Invalid."""
    if text.lower() not in {"true", "false"}:
        raise Invalid(f"“{text}”应为 true 或 false。")
    return text.lower() == "true"


def uuid(text: str) -> UUID:
    """An id; one that is no UUID matches nothing."""
    try:
        return UUID(str(text))
    except ValueError:
        return UUID(int=0)


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """The WHERE clauses of the filters that this request names; parameters that we do not know are refused."""
    known = {"firstResult", "maxResults", "sortBy", "sortOrder", "sorting", "deserializeValues", "deserializeValue"}
    found = []
    for name, text in parameters().items():
        if name in filters:
            clause = filters[name](text)
            if clause is not None:
                found.append(clause)
        elif name not in known:
            raise Invalid(f"不支持查询参数 {name}。")
    return found


def page(
    statement: Select[Any], sorts: Mapping[str, ColumnElement[Any]], default: ColumnElement[Any], tie: Any
) -> Select[Any]:
    """Order and cut a list. Errors: Invalid for an unknown sort key or a bad number."""
    given = parameters()
    order: ColumnElement[Any] = default
    if sort := given.get("sortBy"):
        if sort not in sorts:
            raise Invalid(f"不能按 {sort} 排序，可用：{'、'.join(sorts)}。")
        order = sorts[sort].desc() if given.get("sortOrder") == "desc" else sorts[sort].asc()
    first = number(given.get("firstResult", "0"), "firstResult")
    most = min(number(given.get("maxResults", str(PAGE_LIMIT)), "maxResults"), PAGE_LIMIT)
    return statement.order_by(order, tie).offset(first).limit(most)


def count(session: Session, statement: Select[Any]) -> dict[str, int]:
    """The `/count` twin of a list."""
    return {"count": session.execute(select(func.count()).select_from(statement.subquery())).scalar_one()}


def only(body: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse what a body asks and we do not carry out; an empty value asks nothing. Errors: Invalid."""
    if unknown := sorted(name for name, value in body.items() if value and name not in known):
        raise Invalid(f"不支持参数 {'、'.join(unknown)}。")
