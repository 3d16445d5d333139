"""Mail of what a person has not read: one digest each, as HTML and as text. Off when no server is set."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts.models import Account
from webapp.chasing import service
from webapp.chasing.models import NoticeChoice, PersonalNotice
from webapp.config import Config
from webapp.i18n import _

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)
#: Hour in Beijing from which the daily digest goes out, on working days.
MORNING = 8
#: So many people are written to in one round.
MOST = 50
#: Seconds to wait for the server.
PATIENCE = 20


def run(session: Session, config: Config) -> int:
    """One round; how many mails went out. A mail is sent before it is noted: it may come twice, never not at all."""
    if not config.smtp_url:
        return 0
    due = _due(session)
    if not due:
        return 0
    sent = 0
    with _server(config) as server:
        for choice in due:
            sent += _one(session, config, server, choice)
    return sent


def _due(session: Session) -> Sequence[NoticeChoice]:
    now = clock.now().astimezone(clock.BEIJING)
    waits = exists().where(
        PersonalNotice.account_id == NoticeChoice.account_id,
        PersonalNotice.mailed_at.is_(None),
        PersonalNotice.read_at.is_(None),
    )
    when = [NoticeChoice.mail == "at_once"]
    if now.hour >= MORNING and clock.is_working_day(now.date()):
        fresh = or_(NoticeChoice.mailed_on.is_(None), NoticeChoice.mailed_on < now.date())
        when.append((NoticeChoice.mail == "daily") & fresh)
    query = select(NoticeChoice).join(Account, Account.id == NoticeChoice.account_id).where(Account.active)
    query = query.where(NoticeChoice.email != "", or_(*when), waits).limit(MOST)
    return session.scalars(query.with_for_update(of=NoticeChoice, skip_locked=True)).all()


def _one(session: Session, config: Config, server: smtplib.SMTP, choice: NoticeChoice) -> int:
    rows = service.unmailed(session, choice.account_id)
    if rows:
        try:
            server.send_message(message(config, choice.email, rows))
        except smtplib.SMTPRecipientsRefused as error:  # this address, not the server: the others still get theirs
            log.warning("mail to one person was refused: %s", error)
            choice.mail = "off"
            return 0
    ids = [row.PersonalNotice.id for row in rows]
    session.execute(update(PersonalNotice).where(PersonalNotice.id.in_(ids)).values(mailed_at=clock.now()))
    choice.mailed_on = clock.today()
    session.flush()
    return bool(rows)


@contextmanager
def _server(config: Config) -> Iterator[smtplib.SMTP]:
    """A connection as the setting says: `smtp://` (STARTTLS when the server offers it) or `smtps://`."""
    url = urlsplit(config.smtp_url)
    kind = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
    with kind(url.hostname or "", url.port or 0, timeout=PATIENCE) as server:
        if url.scheme != "smtps":
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls()
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        yield server


def message(config: Config, to: str, rows: Sequence[Any]) -> EmailMessage:
    """The digest of these notices, with a link to each task."""
    base = config.public_url.rstrip("/")
    made = EmailMessage()
    made["Subject"] = _("【%(product)s】您有 %(n)s 件事项需要留意", product=config.product_name, n=len(rows))
    made["From"], made["To"] = config.smtp_from, to
    made["Date"], made["Message-ID"] = formatdate(), make_msgid(domain=config.smtp_from.partition("@")[2] or None)
    made["Auto-Submitted"] = "auto-generated"
    lines, items = [], []
    for row in rows:
        title = f"{row.business_key or ''} {row.title or row.name}".strip()
        said, url = service.sentence(row), f"{base}/tasks/{row.TaskReminder.task_id}"
        lines.append(f"{title}\n  {said}\n  {url if base else ''}".rstrip())
        head = f'<a href="{escape(url)}">{escape(title)}</a>' if base else escape(title)
        items.append(f"<li><p><b>{head}</b><br>{escape(said)}</p></li>")
    foot = _("不想再收到邮件，可在姓名下的“提醒方式”中修改。")
    made.set_content("\n\n".join([*lines, foot]))
    html = f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><body><ul>{"".join(items)}</ul>'
    made.add_alternative(f"{html}<p>{escape(foot)}</p></body></html>", subtype="html")
    return made
