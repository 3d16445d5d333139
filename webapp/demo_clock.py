"""The demo's clock: an offset in the database that every process reads at the start of each unit of work.

Only in demo mode: a presentation cannot wait five working days. In production nothing reads or writes this table.
"""

from __future__ import annotations

from datetime import timedelta

import isodate
from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, Table, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp import db
from webapp.clock import clock
from webapp.db import Base
from webapp.errors import Invalid

demo_clock = Table(
    "demo_clock",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("offset_seconds", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

#: Farther than this no presentation goes; it also keeps the calendar inside the years it knows anything about.
LONGEST = timedelta(days=366 * 3)


def refresh(session: Session) -> timedelta:
    """Set this process's clock to the demo's; give the offset."""
    seconds = session.scalar(select(demo_clock.c.offset_seconds)) or 0
    clock.offset = timedelta(seconds=seconds)
    return clock.offset


def tick(demo: bool) -> None:
    """At the start of a unit of work outside of a request, in demo mode: set this process's clock to the demo's."""
    if demo:
        with db.transaction() as session:
            refresh(session)


def advance(session: Session, duration: timedelta) -> timedelta:
    """Move the demo's clock forward for everyone; give the whole offset. Errors: Invalid for a step back.

    This process sees it at once, the others at their next unit of work; a rollback undoes it at the next `refresh`.
    """
    if duration <= timedelta():
        raise Invalid("演示时间只能向后推进。")
    statement = (
        insert(demo_clock)
        .values(id=1, offset_seconds=int(duration.total_seconds()))
        .on_conflict_do_update(
            index_elements=["id"],
            set_={"offset_seconds": demo_clock.c.offset_seconds + int(duration.total_seconds())},
        )
        .returning(demo_clock.c.offset_seconds)
    )
    offset = timedelta(seconds=session.scalars(statement).one())
    if offset > LONGEST:
        raise Invalid("演示时间最多推进三年。")
    clock.offset = offset
    return offset


def parse(words: str) -> timedelta:
    """An ISO 8601 duration (`P6D`, `PT4H`) of days and smaller. Errors: Invalid."""
    try:
        duration = isodate.parse_duration(words.strip())
    except (isodate.ISO8601Error, ValueError, OverflowError):
        duration = None
    if not isinstance(duration, timedelta):  # months and years have no fixed length
        raise Invalid("请用 ISO 8601 时长，例如 P6D（六天）或 PT4H（四小时）。")
    return duration
