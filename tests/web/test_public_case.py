"""An objection within the period, on the demo's own notice: it opens a case and is answered by number and code."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support_documents import image
from tests.support_registers import set_time
from webapp import clock
from webapp.documents import rendering
from webapp.engine.tables import process_instance, user_task
from webapp.notices import publishing
from webapp.notices.models import Notice, Objection
from webapp.registers.models import FilingItem

WORDS = "该公司上年度财务报表所列主营业务收入与其公开的年报数相差较大，请予核实。"


@pytest.fixture
def notice(demo_data: str, session: Session) -> Notice:
    query = select(Notice).where(Notice.kind == "publicity", Notice.status == "published")
    return session.scalars(query).first() or pytest.fail("the demo has no notice under publicity")


def test_an_objection_in_time_opens_a_case_and_is_answered(notice: Notice, session: Session, client: Any) -> None:
    session.rollback()
    row = notice.rows[0]
    form = {"filing_item_id": str(row.filing_item_id), "kind": "need", "words": WORDS, "channel": "anonymous"}
    answer = client.post(f"/public/notices/{notice.id}/objection", data=form)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    page = client.get(answer.headers["Location"]).get_data(as_text=True)
    assert "异议已收到" in page
    assert "在公示期内" in page
    made = session.scalars(select(Objection).where(Objection.words == WORDS)).one()
    assert made.status == "open"
    assert made.receipt_number in page
    instance = session.execute(select(process_instance).where(process_instance.c.id == made.instance_id)).one()
    assert instance.business_key == made.receipt_number
    task = session.execute(select(user_task).where(user_task.c.instance_id == made.instance_id)).one()
    assert task.candidate_groups == ["office"]
    item = session.get(FilingItem, row.filing_item_id, populate_existing=True)
    assert item is not None
    assert item.status == "objected"
    typed = {"number": made.receipt_number, "code": made.lookup_code}
    page = client.post("/public/objections/answer", data=typed).get_data(as_text=True)
    assert "正在调查核实" in page
    assert row.name in page


def test_the_office_enters_a_letter_in_time(notice: Notice, session: Session, client: Any, sign_in: Any) -> None:
    sign_in("office", username="letters")
    session.rollback()
    assert notice.published_at is not None
    set_time(session, notice.published_at + timedelta(days=1))
    scan = client.post("/documents", data={"file": image_file()}, headers={"Accept": "application/json"}).get_json()
    form = {
        "item": f"{notice.id}:{notice.rows[0].filing_item_id}",
        "kind": "other",
        "words": WORDS,
        "objector_name": "某单位",
        "objector_contact": "",
        "received_on": clock.now().astimezone(clock.BEIJING).strftime("%Y-%m-%dT%H:%M"),
        "evidence": [scan["id"]],
    }
    answer = client.post("/notices/objections/letter", data=form)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    page = client.get(answer.headers["Location"]).get_data(as_text=True)
    made = session.scalars(select(Objection).where(Objection.words == WORDS)).one()
    assert made.channel == "letter"
    assert made.entered_by is not None
    assert made.receipt_number in page
    assert "来信.png" in page


def image_file() -> Any:
    """A scan as a form sends it."""
    return io.BytesIO(image()), "来信.png"


def test_the_demos_notices_become_documents(notice: Notice, session: Session) -> None:
    for found in session.scalars(select(Notice).where(Notice.status == "published")):
        data = publishing.document_data(session, found)
        for kind in ("pdf", "docx"):
            assert len(rendering.render(publishing.TEMPLATES[found.kind], data, kind)) > 10_000


def test_every_page_of_the_registers_opens_on_the_demo(demo_data: str, client: Any, sign_in: Any) -> None:
    sign_in("office", username="reader")
    paths = ["lead-units?view=all", "consortium?view=all", "filings?view=all", "barred?view=all", "documents"]
    for path in [f"/registers/{p}" for p in paths] + ["/notices/", "/notices/objections?view=all", "/regulation/"]:
        answer = client.get(path)
        assert answer.status_code == 200, path
        for link in set(links(answer.get_data(as_text=True))):
            assert client.get(link).status_code == 200, link


def links(page: str) -> list[str]:
    """The addresses of entries on a list's page."""
    return re.findall(r'class="title" href="(/(?:registers|notices)/[^"]+)"', page)[:12]
