"""Sign a decision to expel in a process of its own that is killed at a chosen moment (`test_expulsion_crash`).

Started with the database's URL, the data directory, the clock's offset in seconds, the case and the signatory's
username. Each line of the input is one attempt, made by a forked child: `count` tells how many statements the step
sends and takes them back; a number kills the child with SIGKILL before that statement; `commit` before its COMMIT;
`after` when it is durable and nobody has been told.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta
from uuid import UUID

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from webapp import composition, db
from webapp import config as settings
from webapp.accounts.models import Account
from webapp.accounts.service import actor_of
from webapp.clock import clock
from webapp.demo import play


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _attempt(order: str, case: UUID, username: str) -> None:
    sent = 0

    def before(*_args: object) -> None:
        nonlocal sent
        sent += 1
        if order == str(sent):
            _die()

    event.listen(db.engine(), "before_cursor_execute", before)
    if order == "commit":
        event.listen(Session, "before_commit", lambda _session: _die())
    with db.transaction() as session:
        signatory = actor_of(session.scalars(select(Account).where(Account.username == username)).unique().one())
        play.do(session, signatory, case, "sign", {"sign_opinion": "同意签发。"}, "sign")
        session.flush()
        if order == "count":
            print(sent, flush=True)
            _die()
    _die()


def main() -> None:
    url, data_dir, offset, case, username = sys.argv[1:]
    clock.offset = timedelta(seconds=float(offset))
    composition.build_engine(settings.load({"DATA_DIR": data_dir, "DATABASE_URL": url, "DEMO": "1"}))
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            db.configure(url, pool_size=1)
            _attempt(line.strip(), UUID(case), username)
        _pid, status = os.waitpid(child, 0)
        print(f"killed by {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else "came to its end", flush=True)


if __name__ == "__main__":
    main()
