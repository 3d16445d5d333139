"""Gapless numbers per kind and year: case numbers and the numbers of official documents 文号.

A number is taken inside the act's own transaction. The row of (kind, year) stays locked until that transaction ends:
a rollback gives the number back, two acts never share one, and none is ever skipped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.registers.models import SerialNumber

#: Kinds of case numbers: filing 备案, publicity batch 公示, objection 异议, correction 更正, change review 变更审核,
#: expulsion review 清退, quarterly evaluation 评价, reconsideration 复核, criticism 批评.
CASE_KINDS = frozenset({"BA", "GS", "YY", "GZ", "BG", "QT", "PJ", "FH", "PP"})
#: 机关代字 of each kind of document that is numbered (GB/T 9704-2012, 7.2.5), a house rule of the office.
DOCUMENT_PREFIXES = {
    "publicity": "穗工信公示",
    "correction": "穗工信更正",
    "withdrawal": "穗工信撤回",
    "list": "穗工信名单",
    "interpretation": "穗工信解释",
    "expulsion_told": "穗工信清退告",
    "expulsion": "穗工信清退",
    "evaluation_report": "穗工信评价",
    "reconsideration": "穗工信复核",
    "criticism": "穗工信通报",
    "rectification_order": "穗工信整改",
    "cancellation": "穗工信取消",
    "criticism_withdrawal": "穗工信撤通",
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


#: Where given numbers stand: queries of one column. A round that was given up leaves its number in the changes.
_HOMES = (
    "select business_key from process_instance where business_key is not null",
    "select number from filing", "select number from publicity_batch", "select number from expulsion",
    "select receipt_number from objection", "select number from evaluation_round",
    "select coalesce(after, before) ->> 'number' from register_change where register = 'evaluation_round'",
    "select number from notice where number is not null", "select number from published_list",
    "select number from interpretation", "select decision_number from expulsion where decision_number is not null",
    "select report_number from evaluation_round where report_number is not null",
    "select number from criticism", "select number from rectification",
)  # fmt: skip
#: Kinds whose rows keep the last number only: a second 清退告知书 takes the place of the first.
_REPLACED = frozenset({"document:expulsion_told"})


def inconsistencies(session: Session) -> Iterator[tuple[str, int, int, str]]:
    """Each number that was given out and stands nowhere, or stands somewhere and was never given out.

    (kind, year, number, a sentence); a number that stands twice is refused by the tables themselves.
    """
    found = Counter(n for home in _HOMES for n in set(session.scalars(text(home))))
    rows = session.execute(text("select kind, year, last from serial_number order by kind, year")).all()
    for kind, year, last in rows:
        prefix = DOCUMENT_PREFIXES.get(kind.removeprefix("document:"))
        for number in range(1, last + 2):
            words = format_case(kind, year, number) if prefix is None else format_document(prefix, year, number)
            if number <= last and words not in found and kind not in _REPLACED:
                yield kind, year, number, f"编号 {words} 已取用，但没有任何记录使用它"
            elif number > last and words in found:
                yield kind, year, number, f"编号 {words} 有记录使用，但计数只到 {last}"
