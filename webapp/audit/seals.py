"""The audit trail's chain of digests: made in batches behind the work, so that no step pays for it.

A seal covers the rows since the last one, row by row, and chains to it: a row that is changed, removed or slipped in
later is found and named. Rows come to light in another order than their numbers are given out, so a seal reaches only
as far as a number behind which no transaction can still be on its way. Whoever may rewrite the whole chain can only be
found out by a digest kept elsewhere: every backup holds one, `qianyin verify` tells it.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from webapp import clock
from webapp.audit.tables import audit_seal

#: The seal before the first one.
GENESIS = bytes(32)
#: Rows that one seal covers at most.
BATCH = 1000
_LOCK = 0x5149414E0002
_MARKS = text(
    "select id, substring(sha256(convert_to(jsonb_build_array(id, (extract(epoch from at) * 1000000)::bigint, actor_id,"
    " action, instance_id, task_id, subject, reason, detail, address)::text, 'UTF8')) from 1 for 16)"
    " from audit where id > :after and id <= :upto order by id limit :most"
)
_SETTLED = text(
    "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint,"
    " pg_snapshot_xmax(pg_current_snapshot())::text::bigint,"
    " coalesce((select max(id) from audit), 0)"
)
_ENTRY = struct.Struct(">q16s")


@dataclass(slots=True)
class Sealer:
    """One process's memory between its rounds: the number to seal up to, once nobody before it is on the way."""

    _upto: int = 0
    _after: int | None = None

    def round(self, session: Session) -> int:
        """Seal what has settled since the last round; how many rows. Rounds are a minute or so apart."""
        oldest, newest, last = session.execute(_SETTLED).one()
        if self._after is not None and oldest < self._after:
            return 0
        sealed = seal(session, self._upto) if self._after is not None else 0
        self._upto, self._after = last, newest
        return sealed


def seal(session: Session, upto: int) -> int:
    """Seal the rows up to a number that no transaction is on its way to any more; how many. One process at a time."""
    if not session.scalar(text("select pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}):
        return 0
    sealed = 0
    after, digest = _last(session)
    while rows := session.execute(_MARKS, {"after": after, "upto": upto, "most": BATCH}).all():
        marks = b"".join(_ENTRY.pack(id, mark) for id, mark in rows)
        digest = hashlib.sha256(digest + marks).digest()
        row = {"first_id": rows[0].id, "last_id": rows[-1].id, "rows": len(rows), "marks": marks, "digest": digest}
        session.execute(audit_seal.insert().values(**row, sealed_at=clock.now()))
        after, sealed = rows[-1].id, sealed + len(rows)
    return sealed


def _last(session: Session) -> tuple[int, bytes]:
    s = audit_seal.c
    found = session.execute(select(s.last_id, s.digest).order_by(s.id.desc()).limit(1)).one_or_none()
    return (0, GENESIS) if found is None else (found.last_id, bytes(found.digest))


@dataclass(slots=True)
class Chain:
    """What was found: rows sealed, rows not yet, the head's digest (hex), and each damage as a sentence."""

    sealed: int = 0
    unsealed: int = 0
    head: str = GENESIS.hex()
    damage: list[str] = field(default_factory=list)


def check(session: Session) -> Chain:
    """Compute the chain again from the rows."""
    chain, after, digest, s = Chain(), 0, GENESIS, audit_seal.c
    for found in session.execute(select(audit_seal).order_by(s.id).execution_options(yield_per=50)):
        marks = bytes(found.marks)
        digest = hashlib.sha256(digest + marks).digest()
        if digest != bytes(found.digest):
            chain.damage.append(
                f"审计封存 {found.id}（记录 {found.first_id}–{found.last_id}）与前一封存不相接或已被改动"
            )
            digest = bytes(found.digest)
        sealed = dict(_ENTRY.iter_unpack(marks[: len(marks) // _ENTRY.size * _ENTRY.size]))
        chain.damage += _compare(session, after, found.last_id, sealed)
        chain.sealed += len(sealed)
        after = found.last_id
    chain.head = digest.hex()
    chain.unsealed = session.scalar(text("select count(*) from audit where id > :after"), {"after": after}) or 0
    return chain


def _compare(session: Session, after: int, upto: int, sealed: dict[int, bytes]) -> Iterator[str]:
    rows = session.execute(_MARKS, {"after": after, "upto": upto, "most": 10 * BATCH}).all()
    present = {id: bytes(mark) for id, mark in rows}
    for id in sorted(sealed.keys() | present.keys()):
        if id not in present:
            yield f"审计记录 {id} 已被删除"
        elif id not in sealed:
            yield f"审计记录 {id} 是封存之后插入的"
        elif present[id] != sealed[id]:
            yield f"审计记录 {id} 在封存之后被改动"
