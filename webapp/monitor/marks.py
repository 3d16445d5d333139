"""Keyset pages: a mark tells the row beside which a page begins, so that the thousandth costs what the first does."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, and_, func, or_

from webapp.errors import Invalid
from webapp.i18n import _


@dataclass(frozen=True, slots=True)
class Mark:
    """The row after which (`back`: before which) a page begins: sorted value and id; `number` rows lie before it."""

    value: Any
    id: UUID
    number: int
    back: bool = False

    def write(self) -> str:
        """As it stands in an address."""
        parts = [self.value, str(self.id), self.number, self.back]
        return base64.urlsafe_b64encode(orjson.dumps(parts, default=str)).decode().rstrip("=")

    @classmethod
    def read(cls, text: str, *, moment: bool) -> Mark | None:
        """The mark of an address, None for none. `moment`: its value is an instant. Errors: Invalid."""
        if not text:
            return None
        try:
            value, id, number, back = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            if value is not None:
                value = _instant(value) if moment else str(value)
            return cls(value, UUID(id), min(max(int(number), 0), 10**9), bool(back))
        except (ValueError, TypeError, AttributeError) as error:
            raise Invalid(_("没有这一页。请从第一页开始。")) from error

    def beyond(
        self, column: ColumnElement[Any], id: ColumnElement[Any], *, falling: bool, nullable: bool
    ) -> ColumnElement[bool]:
        """What lies beyond the row in the order of `order`; rows without a value come last."""
        falling = falling ^ self.back
        if self.value is None:
            same = and_(column.is_(None), id < self.id if falling else id > self.id)
            return or_(same, column.is_not(None)) if self.back else same
        pair, mark = func.row(column, id), func.row(self.value, self.id)
        after = pair < mark if falling else pair > mark
        return or_(after, column.is_(None)) if nullable and not self.back else after


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("an instant has a zone")
    return found


def order(
    column: ColumnElement[Any], id: ColumnElement[Any], *, falling: bool, nullable: bool, back: bool = False
) -> tuple[ColumnElement[Any], ...]:
    """The order of the rows: by the value and the id in the same direction; `back`: from the end."""
    down = falling ^ back
    by = column.desc() if down else column.asc()
    if nullable:  # elsewhere it would keep the planner from walking an index
        by = by.nulls_first() if back else by.nulls_last()
    return by, id.desc() if down else id.asc()
