"""Gapless numbers per kind and year: case numbers and the numbers of official documents 文号.

A number is taken inside the act's own transaction. The row of (kind, year) stays locked until that transaction ends:
a rollback gives the number back, two acts never share one, and none is ever skipped.
"""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.registers.models import SerialNumber

#: Kinds of case numbers: filing 备案, publicity batch 公示, objection 异议, correction 更正, change review 变更审核,
#: expulsion review 清退, quarterly evaluation 评价, reconsideration 复核.
CASE_KINDS = frozenset({"BA", "GS", "YY", "GZ", "BG", "QT", "PJ", "FH"})
#: 机关代字 of each kind of document that is numbered (GB/T 9704-2012, 7.2.5), a house rule of the office.
DOCUMENT_PREFIXES = {
    "publicity": "穗工信公示",
    "correction": "穗工信更正",
    "withdrawal": "穗工信撤回",
    "list": "穗工信名单",
    "interpretation": "穗工信解释",
    "expulsion_told": "穗工信清退告",
    "expulsion": "穗工信清退",
    "reconsideration": "穗工信复核",
}


def take(session: Session, kind: str, year: int) -> int:
    """The next number of a kind in a year, starting with 1. Locks the counter until the transaction ends."""
    row = insert(SerialNumber).values(kind=kind, year=year, last=1)
    row = row.on_conflict_do_update(
        index_elements=[SerialNumber.kind, SerialNumber.year], set_={"last": SerialNumber.last + 1}
    )
    return session.execute(row.returning(SerialNumber.last)).scalar_one()


def case_number(session: Session, kind: str, year: int) -> str:
    """The next case number, such as BA-2026-0187. Errors: ValueError for a kind that is not in `CASE_KINDS`."""
    if kind not in CASE_KINDS:
        raise ValueError(f"unknown kind of case number: {kind!r}")
    return format_case(kind, year, take(session, kind, year))


def document_number(session: Session, kind: str, year: int) -> str:
    """The next 文号 of a kind of document, such as 穗工信公示〔2026〕9 号. Errors: KeyError for an unknown kind."""
    prefix = DOCUMENT_PREFIXES[kind]
    return format_document(prefix, year, take(session, f"document:{kind}", year))


def format_case(kind: str, year: int, number: int) -> str:
    """
    >>> format_case("BA", 2026, 187)
    'BA-2026-0187'
    """
    return f"{kind}-{year}-{number:04d}"


def format_document(prefix: str, year: int, number: int) -> str:
    """文号: 机关代字, year in six-cornered brackets, number without leading zeros (GB/T 9704-2012, 7.2.5).

    >>> format_document("穗工信公示", 2026, 9)
    '穗工信公示〔2026〕9 号'
    """
    return f"{prefix}〔{year}〕{number} 号"
