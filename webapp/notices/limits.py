"""How often somebody without an account may act: counted in the database, so that all processes see the same.

An address is kept as a keyed digest for a day, never as itself.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from webapp import clock, db
from webapp.documents.storage import config
from webapp.errors import QianyinError
from webapp.i18n import _
from webapp.notices.models import PublicAct

#: kind -> (how many, in which time)
LIMITS = {
    "objection": (6, timedelta(hours=1)),
    "evidence": (40, timedelta(hours=1)),
    "lookup": (10, timedelta(minutes=15)),
    "questionnaire": (20, timedelta(minutes=15)),  # links that open nothing
}


class TooOften(QianyinError):
    """操作过于频繁，请稍后再试。"""

    status = 429
    code = "too_often"


def check(session: Session, kind: str, address: str) -> None:
    """Refuse when this address did it too often. Errors: TooOften, with the time to wait."""
    most, time = LIMITS[kind]
    who, since = _digest(address), clock.now() - time
    mine = PublicAct.kind == kind, PublicAct.address == who, PublicAct.at > since
    if (session.scalar(select(func.count()).select_from(PublicAct).where(*mine)) or 0) >= most:
        minutes = int(time.total_seconds() // 60)
        raise TooOften(_("操作过于频繁，请 %(n)s 分钟后再试，或来信、来访办理。", n=minutes))


def count(kind: str, address: str) -> None:
    """Remember one act, in a transaction of its own: a request that fails afterwards counts too."""
    with db.transaction() as session:
        session.execute(delete(PublicAct).where(PublicAct.at < clock.now() - timedelta(days=1)))
        session.add(PublicAct(kind=kind, address=_digest(address), at=clock.now()))


def _digest(address: str) -> str:
    return hmac.new(config().secret_key.encode(), address.encode(), hashlib.sha256).hexdigest()[:32]
