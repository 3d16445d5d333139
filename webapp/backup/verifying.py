"""`qianyin verify`: is everything there and does it fit together? One snapshot, read only, while work goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp.audit import seals
from webapp.backup import checks
from webapp.engine.runtime import Engine


@dataclass(slots=True)
class Verified:
    """How much was looked at, the head of the audit trail's chain, and what is damaged."""

    instances: int = 0
    documents: int = 0
    chain: seals.Chain = field(default_factory=seals.Chain)
    findings: list[checks.Finding] = field(default_factory=list)


def verify(session: Session, engine: Engine, say: Callable[[str], None], *, with_documents: bool = True) -> Verified:
    """Look at everything; `say` gets progress. The session's transaction becomes a read-only snapshot."""
    session.execute(text("set transaction isolation level repeatable read, read only"))
    session.execute(text("set local statement_timeout = 0"))
    session.execute(text("set local idle_in_transaction_session_timeout = 0"))
    done = Verified()
    for count, found in checks.instances(session, engine):
        done.instances += count
        done.findings += found
        say(f"实例状态：{done.instances}")
    done.findings += checks.history(session)
    done.findings += checks.given_numbers(session)
    done.chain = seals.check(session)
    done.findings += checks.audit(done.chain)
    say(f"审计记录：已封存 {done.chain.sealed}，尚未封存 {done.chain.unsealed}")
    if with_documents:
        for count, found in checks.documents(session):
            done.documents += count
            done.findings += found
            say(f"文件：{done.documents}")
    return done
