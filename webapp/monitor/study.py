"""What the page of a process asks for, read from its address, and what its parts share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.engine.tables import process_definition
from webapp.errors import NotFound
from webapp.i18n import _
from webapp.monitor import mining
from webapp.monitor.filters import Filter
from webapp.monitor.mining import Scope

_d = process_definition.c
METRICS = ("wait", "work", "count", "again", "now")
PERIODS = ("30", "quarter", "84", "365")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address of the page asks for."""

    scope: Scope
    period: str  # a key of PERIODS or "" for days of one's own
    metric: str
    compare: str  # "", "before" or a version


def wanted(args: Mapping[str, str], key: str) -> Asked:
    """What cannot be understood falls back to what is usual: the last twelve weeks, all versions, waiting."""
    today = clock.today()
    period = args.get("period", "") if args.get("period") in PERIODS else ""
    first, last = _day(args.get("from")), _day(args.get("to"))
    if period or first is None:
        period = period or "84"
        first, last = _began(period, today), today
    last = last or today
    first, last = min(first, last), max(first, last)
    version = args.get("version", "")
    metric = args.get("metric", "")
    compare = args.get("compare", "")
    return Asked(
        Scope(key, int(version) if version.isascii() and version.isdigit() and len(version) < 6 else None, first, last),
        period,
        metric if metric in METRICS else "wait",
        compare if compare == "before" or (compare.isascii() and compare.isdigit() and len(compare) < 6) else "",
    )


def _day(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None


def _began(period: str, today: date) -> date:
    if period == "quarter":
        return date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    return today - timedelta(days=int(period) - 1)


def definition(session: Session, key: str, version: int | None) -> Any:
    """The row of a version, or of the newest. Errors: NotFound."""
    asked = [_d.key == key, *([_d.version == version] if version is not None else [])]
    row = session.execute(select(process_definition).where(*asked).order_by(_d.version.desc()).limit(1)).first()
    if row is None:
        raise NotFound(_("没有这个流程，或没有这一版。"))
    return row


class Study:
    """What the parts of the page share."""

    def __init__(self, session: Session, asked: Asked) -> None:
        self.session, self.asked, self.scope = session, asked, asked.scope
        self.row = definition(session, asked.scope.process, asked.scope.version)
        self.now = clock.now()
        self.heat = mining.heat(session, self.scope)
        self.standing = mining.standing(session, self.scope, self.now)

    def filter(self, **more: Any) -> Filter:
        return Filter(view="all", process=self.scope.process, version=self.scope.version, **more)

    def through(self, element: str) -> Filter:
        return self.filter(passed=element, passed_from=self.scope.first, passed_to=self.scope.last)

    def repeated(self, element: str) -> Filter:
        return self.filter(again=element, passed_from=self.scope.first, passed_to=self.scope.last)

    def ended(self) -> Filter:
        return replace(self.filter(ended_from=self.scope.first, ended_to=self.scope.last), view="done")

    def name(self, element: str) -> str:
        return str((self.row.elements.get(element) or {}).get("name") or element)

    def at(self, endpoint: str = "definitions.page", **changes: Any) -> str:
        """The address of the page (or of an export) with something else asked."""
        asked = self.asked
        query: dict[str, Any] = {"version": self.scope.version, "metric": asked.metric, "compare": asked.compare}
        query |= {"period": asked.period} if asked.period else {"from": self.scope.first, "to": self.scope.last}
        if changes.get("period"):
            query = {key: value for key, value in query.items() if key not in {"from", "to"}}
        query |= changes
        return url_for(endpoint, key=self.scope.process, **{k: v for k, v in query.items() if v})
