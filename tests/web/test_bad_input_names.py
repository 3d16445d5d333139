"""Names that are markup, formulas or templates: shown as they were written, everywhere, and never carried out."""

from __future__ import annotations

import csv
import io
import zipfile
from html import unescape
from typing import Any

import pytest
from lxml import etree
from openpyxl import load_workbook
from pypdf import PdfReader
from sqlalchemy import select

from tests.support_bad_input import fields, person, rows, send, signed_in, start_filing
from tests.support_documents import DOCUMENTS
from webapp.documents import rendering
from webapp.engine.tables import user_task
from webapp.registers.models import FilingItem, LeadUnit

EVIL = "<script>alert(1)</script>{{7*7}}{% raw %}&amp;\"'>]]>"
FORMULA = '=HYPERLINK("http://evil.example","点我")'


@pytest.fixture
def filed(demo_data: str, app: Any, session: Any) -> Any:
    """A submitted filing of two enterprises with evil names; gives the first one's review task."""
    staff = signed_in(app, session, "lead_unit")
    task = start_filing(staff)
    first, second = rows(session, "lead_unit", [950, 951])
    first |= {"name": EVIL, "legal_rep": EVIL[:50], "address": EVIL, "need": EVIL + "\ufffe\x0b\u202e"}
    second |= {"name": FORMULA, "legal_rep": "@SUM(1+1)", "address": "+1", "need": "-2+3"}
    answer = send(staff, task, fields([first, second], need=EVIL + "服务"))
    assert answer.status_code == 303, answer.text
    head = signed_in(app, session, "lead_unit_head")
    confirm = session.scalars(
        select(user_task.c.id).where(user_task.c.status == "open", user_task.c.element_id == "confirm_submission")
    ).all()[-1]
    session.rollback()
    page = head.get(f"/tasks/{confirm}").text
    assert_shown(page)
    done = send(head, confirm, {"confirm_opinion": EVIL, "outcome": "confirm"})
    assert done.status_code == 303, done.text
    return session.scalars(
        select(user_task.c.id)
        .where(user_task.c.status == "open", user_task.c.element_id == "review")
        .order_by(user_task.c.id.desc())
    ).all()[1]


def assert_shown(page: str) -> None:
    """The name stands there as text."""
    assert "<script>alert(1)" not in page
    assert "7*7" in page
    assert ">49<" not in page
    assert EVIL in unescape(unescape(page)) or EVIL[:40] in unescape(page)


def test_markup_is_text_on_every_page_and_formulas_run_in_no_sheet(filed: Any, app: Any, session: Any) -> None:
    item = session.scalars(select(FilingItem).where(FilingItem.name == EVIL)).one()
    unit = session.scalars(
        select(LeadUnit).where(LeadUnit.organisation_id == person(session, "lead_unit").organisation_id)
    )
    unit_id, filing_id, number = unit.unique().one().id, item.filing_id, item.filing.number
    session.rollback()
    office = signed_in(app, session, "office")
    for path in (
        f"/tasks/{filed}",
        f"/tasks/{filed}/print",
        f"/registers/filings/{filing_id}",
        f"/instances/{item.instance_id}",
    ):
        assert_shown(office.get(path).text)
    for path in ("/tasks?q=script", f"/registers/lead-units/{unit_id}", f"/instances?q={number}", "/registers/filings"):
        page = office.get(path)
        assert page.status_code == 200
        assert "<script>alert(1)" not in page.text
    office.post(f"/tasks/{filed}/comments", data={"comment": EVIL})
    assert "<script>alert(1)" not in office.get(f"/tasks/{filed}").text
    listed = office.get("/registers/filings.csv").get_data().decode("utf-8-sig")
    for row in csv.reader(io.StringIO(listed)):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)
    sent = {
        "action": "export",
        "ids": [str(t) for t in session.scalars(select(user_task.c.id).where(user_task.c.status == "open"))],
    }
    sheet = load_workbook(io.BytesIO(office.post("/tasks/bulk", data=sent).data)).active
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert any("HYPERLINK" in str(cell.value) for cell in cells)
    assert all(cell.data_type != "f" and not str(cell.value).startswith("=") for cell in cells)


@pytest.mark.parametrize("kind", sorted(DOCUMENTS))
def test_markup_is_text_in_documents(app: Any, kind: str) -> None:
    def evil(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {k: evil(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [evil(v, key) for v in value]
        return EVIL if isinstance(value, str) and key in {"name", "need", "reason", "words", "title"} else value

    data = evil(DOCUMENTS[kind])
    with zipfile.ZipFile(io.BytesIO(rendering.render(kind, data, "docx"))) as archive:
        xml = archive.read("word/document.xml")
    root = etree.fromstring(xml)
    text = "".join(str(part) for part in root.itertext())
    assert "<script>alert(1)</script>{{7*7}}" in text
    assert b"<script" not in xml
    pages = PdfReader(io.BytesIO(rendering.render(kind, data, "pdf")))
    shown = "".join(page.extract_text() for page in pages.pages).replace("\n", "").replace(" ", "")
    assert "alert(1)" in shown
    assert "{{7*7}}" in shown
    catalogue = pages.root_object
    assert "/OpenAction" not in catalogue
    assert "/JavaScript" not in str(catalogue.get("/Names", ""))


def test_a_document_reaches_for_no_file_and_no_address(app: Any, tmp_path: Any) -> None:
    """Markup that a template marks as safe by mistake would load it: the renderer may load nothing at all."""
    secret = tmp_path / "secret.txt"
    secret.write_text("geheim")
    evil = f'<img src="file://{secret}"><link rel="attachment" href="file:///etc/passwd"><object data="http://127.0.0.1:1/">'
    data = {**DOCUMENTS["withdrawal"], "reason": evil}
    made = rendering.render("withdrawal", data, "pdf")
    reader = PdfReader(io.BytesIO(made))
    assert not reader.attachments
    assert b"geheim" not in made
    assert "root:" not in "".join(page.extract_text() for page in reader.pages)
