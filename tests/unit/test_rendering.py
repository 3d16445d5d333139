"""Documents that processes make: every template in both kinds, official layout, nothing fetched from the net."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from docx import Document
from pypdf import PdfReader

from tests.support_documents import DOCUMENTS, FIRMS
from webapp import config as settings
from webapp.documents import rendering, storage
from webapp.errors import NotFound


@pytest.fixture
def office(tmp_path: Path) -> Iterator[settings.Config]:
    """Settings of an office: no demo."""
    before = storage._config
    made = settings.load({"DATA_DIR": str(tmp_path), "DEMO": "0"})
    storage.configure(made)
    yield made
    storage._config = before


def pdf_text(data: bytes) -> str:
    return "".join("".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages).split())


def docx_text(data: bytes) -> str:
    document = Document(io.BytesIO(data))
    words = [p.text for p in document.paragraphs]
    words += [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    words += [p.text for s in document.sections for h in (s.header, s.even_page_header) for p in h.paragraphs]
    return "".join("".join(words).split())


@pytest.mark.parametrize("template", sorted(DOCUMENTS))
@pytest.mark.parametrize("kind", ["pdf", "docx"])
def test_every_template_renders_in_both_kinds(office: settings.Config, template: str, kind: str) -> None:
    data = DOCUMENTS[template]
    made = rendering.render(template, data, kind)
    text = pdf_text(made) if kind == "pdf" else docx_text(made)
    number = str(data.get("number", data.get("case_number"))).replace(" ", "")
    assert number in text
    for row in data.get("rows", data.get("items", ())):
        assert row["name"] in text
        assert row["credit_code"] in text
    assert "演示" not in text
    assert "{{" not in text
    assert "{%" not in text


@pytest.mark.parametrize("kind", ["pdf", "docx"])
def test_in_demo_mode_every_document_says_so(office: settings.Config, kind: str) -> None:
    storage.configure(dataclasses.replace(office, demo=True))
    made = rendering.render("partner_filing/publicity", DOCUMENTS["publicity"], kind)
    if kind == "docx":
        assert "演示" in docx_text(made)
    else:
        for page in PdfReader(io.BytesIO(made)).pages:
            assert "演" in page.extract_text()


def test_the_layout_is_that_of_official_documents(office: settings.Config) -> None:
    page = PdfReader(io.BytesIO(rendering.render("publicity", DOCUMENTS["publicity"], "pdf"))).pages[0]
    width, height = (float(n) * 25.4 / 72 for n in (page.mediabox.width, page.mediabox.height))
    assert (round(width), round(height)) == (210, 297)
    section = Document(io.BytesIO(rendering.render("publicity", DOCUMENTS["publicity"], "docx"))).sections[0]
    margins = (section.top_margin, section.left_margin, section.page_width)
    assert [round((m or 0) / 36000) for m in margins] == [37, 28, 210]


def test_what_people_entered_stays_text(office: settings.Config) -> None:
    data = {**DOCUMENTS["withdrawal"], "reason": "<script>x</script> {{ 7 * 7 }} & 甲 < 乙"}
    for kind in ("pdf", "docx"):
        made = rendering.render("withdrawal", data, kind)
        text = pdf_text(made) if kind == "pdf" else docx_text(made)
        assert "<script>x</script>{{7*7}}&甲<乙" in text


def test_a_template_reads_nothing_outside_of_its_folder(office: settings.Config, tmp_path: Path) -> None:
    folder = tmp_path / "processes" / "own" / "documents"
    folder.mkdir(parents=True)
    (tmp_path / "secret.css").write_text("body::after { content: '泄露' }", encoding="utf-8")
    (folder / "own.html").write_text(
        '<link rel="stylesheet" href="../../../secret.css"><link rel="stylesheet" href="http://127.0.0.1:9/x.css">正文',
        encoding="utf-8",
    )
    storage.configure(dataclasses.replace(office, processes_dir=tmp_path / "processes"))
    assert pdf_text(rendering.render("own/own", {}, "pdf")) == "正文"


@pytest.mark.parametrize("name", ["nothing", "../publicity", "partner_filing/../../x", "a/b/c"])
def test_unknown_templates_are_told(office: settings.Config, name: str) -> None:
    with pytest.raises(NotFound):
        rendering.render(name, {}, "pdf")


def test_a_long_list_repeats_its_head_and_keeps_every_line(office: settings.Config) -> None:
    rows = [{**DOCUMENTS["list"]["rows"][0], "name": f"企业{n:03d}有限公司"} for n in range(150)]
    made = rendering.render("list", {**DOCUMENTS["list"], "rows": rows}, "pdf")
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(made)).pages]
    text = "".join("".join(pages).split())
    assert all(f"企业{n:03d}有限公司" in text for n in range(150))
    assert sum("统一社会信用代码" in page for page in pages) >= len(pages) - 2
    assert len(pages) > 6


def test_titles_break_between_words() -> None:
    lines = rendering.title_lines("关于2026年第7批新增产业生态联合体企业名单的公示")
    assert lines == ["关于2026年第7批新增", "产业生态联合体企业名单的公示"]
    assert rendering.title_lines("短标题") == ["短标题"]
    assert "".join(rendering.title_lines(FIRMS[0][1] * 5)) == FIRMS[0][1] * 5


def test_a_deadline_at_midnight_is_told_as_24_00_of_its_last_day() -> None:
    assert rendering.cn_time("2026-11-17T16:00:00+00:00") == "2026年11月17日 24:00"
    assert rendering.cn_time("2026-11-17T16:05:00+00:00") == "2026年11月18日 00:05"
