"""A filing as a browser sends it, for tests of what goes wrong: people of the demo, valid rows, one field changed."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from datetime import date
from html import unescape
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse

from tests.support import Client
from tests.support_documents import pdf
from webapp import clock
from webapp.accounts.models import Account
from webapp.accounts.service import actor_of
from webapp.demo import make
from webapp.documents import service as documents
from webapp.documents.models import Document
from webapp.engine.tables import user_task
from webapp.forms.nodes import slug
from webapp.registers.filing_checks import MATERIALS

NEED = "为金属加工行业试点企业提供机床联网、生产排程和质量追溯。"
BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gWa"
HEAD = {"need": NEED, "programme": "national", "true_copies": "true", "knows_publicity": "true", "outcome": "submit"}


def person(session: Session, username: str) -> Account:
    """Somebody of the demo."""
    return session.scalars(select(Account).where(Account.username == username)).unique().one()


def signed_in(app: Flask, session: Session, username: str) -> Client:
    """A browser in which somebody of the demo is signed in."""
    client = Client(app)
    client.sign_in(person(session, username))
    return client


def start_filing(client: Client) -> UUID:
    """Start a filing; the id of its first task."""
    answer = client.post("/tasks/start/partner_filing")
    assert answer.status_code == 303, answer.text
    return UUID(answer.location.rsplit("/", 1)[1])


def rows(session: Session, username: str, numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Valid enterprises with four materials each; committed. Four small files are uploaded, every document is a row."""
    actor, found, first = actor_of(person(session, username)), [], {}
    for number in numbers:
        one = {name: value for name, value in make.enterprise(number).items() if name != "interpretation_id"}
        one["name"] = f"广州批量{number:03d}科技有限公司"
        for place, material in enumerate(MATERIALS):
            if material not in first:
                content = io.BytesIO(pdf(width=300 + 4 * (number % 1000) + place))
                document = first[material] = documents.store_upload(session, content, f"{material}.pdf", actor=actor)
            else:
                names = ("digest", "size", "media_type", "filename", "kind", "pages", "flags", "org_id", "uploaded_by")
                document = Document(**{name: getattr(first[material], name) for name in names}, created_at=clock.now())
                session.add(document)
                session.flush()
            one[material] = [str(document.id)]
        found.append(one)
    session.commit()
    return found


def fields(enterprises: Iterable[Mapping[str, Any]], **changes: Any) -> dict[str, Any]:
    """What the page sends for these enterprises."""
    sent: dict[str, Any] = {**HEAD, **changes}
    for place, enterprise in enumerate(enterprises):
        for name, value in enterprise.items():
            if isinstance(value, bool):
                value = "true" if value else ""
            sent[f"enterprises[{place}].{name}"] = (
                value if isinstance(value, list | str) else value.isoformat() if isinstance(value, date) else str(value)
            )
    return sent


def send(client: Client, task: UUID, data: Mapping[str, Any], to: str = "", **kwargs: Any) -> TestResponse:
    """Hand in the form as the page does (multipart); `to`: `/draft`, `/form?changed=need`."""
    body = b"".join(_part(name, value) for name, values in data.items() for value in _several(values))
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return client.post(f"/tasks/{task}{to}", data=body + f"--{BOUNDARY}--\r\n".encode(), content_type=kind, **kwargs)


def _several(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


def _part(name: str, value: Any) -> bytes:
    """One field as browsers write it. The test client writes empty ones otherwise, and opens a file for long ones."""
    file = f'; filename="{value.filename}"' if isinstance(value, FileStorage) else ""
    content = value.read() if isinstance(value, FileStorage) else str(value).encode()
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n"


def task_row(session: Session, task: UUID) -> Any:
    """The present row of a task, as others see it."""
    session.rollback()
    return session.execute(select(user_task).where(user_task.c.id == task)).one()


def error_at(page: str, field: str) -> str:
    """The sentence that stands at a field: `enterprises[0].credit_code`, '' when there is none."""
    place = page.find(f'id="f-{slug(field)}-error">')
    return "" if place < 0 else unescape(page[page.index(">", place) + 1 : page.index("</", place)])
