"""Failed sign-ins: counted in the database (all processes see the same), paused when there are too many."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from webapp import clock, db
from webapp.accounts import service, settings_service
from webapp.accounts.models import Account, FailedLogin
from webapp.audit import service as audit
from webapp.errors import QianyinError
from webapp.i18n import _

PAUSE = timedelta(minutes=15)
#: Failures from one address, whatever the names: somebody tries many accounts.
FROM_ONE_ADDRESS = 50


class TooManyAttempts(QianyinError):
    """登录失败次数过多，请十五分钟后再试。"""

    status = 429
    code = "too_many_attempts"


def verify(session: Session, username: str, password: str) -> Account | None:
    """Like `service.verify`, counting failures. Errors: TooManyAttempts (a right password is refused too)."""
    username = username.strip().casefold()[:200]
    address = audit.address.get() or ""
    _refuse_after_too_many(session, username, address)
    account = service.verify(session, username, password)
    if account is None:
        _count(username, address)
    else:
        session.execute(delete(FailedLogin).where(FailedLogin.username == username, FailedLogin.address == address))
    return account


def _refuse_after_too_many(session: Session, username: str, address: str) -> None:
    recent = FailedLogin.at > clock.now() - PAUSE
    here = FailedLogin.address == address
    of_name = select(func.count()).select_from(FailedLogin).where(recent, here, FailedLogin.username == username)
    of_address = select(func.count()).select_from(FailedLogin).where(recent, here)
    most = settings_service.get(session, "max_failed_logins")
    if (session.scalar(of_name) or 0) >= most or (session.scalar(of_address) or 0) >= FROM_ONE_ADDRESS:
        raise TooManyAttempts(_("登录失败次数过多，请十五分钟后再试。"))


def _count(username: str, address: str) -> None:
    """In a transaction of its own: the request that failed is rolled back, its failure is not."""
    with db.transaction() as session:
        now = clock.now()
        session.execute(delete(FailedLogin).where(FailedLogin.at < now - timedelta(days=1)))
        session.add(FailedLogin(username=username, address=address, at=now))
        audit.record(session, "login.failed", None, subject=username)
