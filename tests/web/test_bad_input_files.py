"""Files that cannot be kept: no room, no right to write; names that lie; what a download may carry."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage

from tests.support import Client
from tests.support_documents import image, pdf
from tests.web.test_documents import send, stored
from webapp.config import Config
from webapp.documents import service
from webapp.documents.models import Document


def rows(session: Any) -> int:
    session.rollback()
    return int(session.scalar(select(func.count()).select_from(Document)) or 0)


NAMES = {
    "../../../etc/passwd.pdf": "passwd.pdf",
    "..\\..\\windows\\执照.pdf": "执照.pdf",
    "/etc/cron.d/x.pdf": "x.pdf",
    "执照\u202efdp.exe.pdf": "执照fdp.exe.pdf",  # shown as "执照pdf.exe" by programs that obey the mark
    "执\u200b照\ufeff.pdf": "执照.pdf",
    "a\tb\x7f\x1b[31m.pdf": "ab[31m.pdf",
    "执照\U000e0001.pdf": "执照.pdf",
    "<script>alert(1)<\u2215script>.pdf": "scriptalert(1)∕script.pdf",
    "CON.pdf": "CON.pdf",
    " .pdf": ".pdf",
    "长" * 500 + ".pdf": "长" * 116 + ".pdf",
    "a." + "b" * 500: "",
    "..": "",
}


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_keeps_nothing_that_deceives_or_leads_elsewhere(app: Any, name: str) -> None:
    clean = service.clean_name(name)
    assert 0 < len(clean) <= service.MAX_NAME
    assert clean.isprintable()
    assert not set(clean) & set('/\\"<>')
    assert clean not in {".", ".."}
    if NAMES[name]:
        assert clean == NAMES[name]


@pytest.mark.parametrize("name", ["../../x.pdf", "执照\u202efdp.exe.pdf", "长" * 500 + ".pdf"])
def test_a_download_carries_the_clean_name_in_one_header(client: Any, sign_in: Any, session: Any, name: str) -> None:
    sign_in("lead_unit")
    assert send(client, pdf(), name).status_code == 200
    document = session.scalars(select(Document)).one()
    for path in (f"/documents/{document.id}", f"/documents/{document.id}/preview"):
        answer = client.get(path, buffered=True)
        head = answer.headers["Content-Disposition"]
        assert "\r" not in head
        assert "\n" not in head
        assert unquote(head.rsplit("UTF-8''", 1)[-1]).endswith(service.clean_name(name)[-20:])
        assert len(answer.headers.getlist("Content-Disposition")) == 1


def test_a_header_in_a_file_name_stays_in_the_name(client: Any, sign_in: Any, session: Any) -> None:
    made = service.store_made(
        session,
        kind="publicity",
        filename='公示"\r\nSet-Cookie: a=b\r\n\r\n<script>.pdf',
        media_type="application/pdf",
        content=pdf(),
        public=True,
    )
    session.commit()
    answer = client.get(f"/documents/{made.id}", buffered=True)
    assert "a=b" not in str(answer.headers.getlist("Set-Cookie"))
    assert answer.headers["Content-Disposition"].count('"') in {0, 2}


def test_a_name_is_shown_escaped(client: Any, sign_in: Any) -> None:
    sign_in("lead_unit")
    page = send(client, pdf(), "&lt;img src=x onerror=alert(1)&gt;'.pdf").get_data(as_text=True)
    assert "&amp;lt;img" in page
    assert "<img src=x" not in page


# ---- what the content hides


def _bomb_pdf() -> bytes:
    """A small PDF whose page tree names itself."""
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Count 9/Kids[2 0 R 2 0 R 2 0 R]>>endobj\n"
        b"xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000054 00000 n \n"
        b"trailer<</Size 3/Root 1 0 R>>\nstartxref\n110\n%%EOF"
    )


def _stream_bomb() -> bytes:
    """A PDF whose cross-reference stream unpacks to 128 MB."""
    import zlib

    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(2**20)) for _n in range(128)) + packer.flush()
    head = f"<</Type/XRef/Size 9999999/W[1 2 1]/Filter/FlateDecode/Length {len(packed)}/Root 1 0 R>>".encode()
    return b"%PDF-1.5\n1 0 obj\n" + head + b"stream\n" + packed + b"\nendstream\nendobj\nstartxref\n9\n%%EOF"


@pytest.mark.parametrize("make", [_bomb_pdf, _stream_bomb])
def test_a_pdf_that_never_ends_is_refused(client: Any, sign_in: Any, session: Any, make: Any) -> None:
    sign_in("lead_unit")
    answer = send(client, make(), "执照.pdf")
    assert answer.status_code == 422
    assert "已损坏，无法读取" in answer.get_json()["message"]
    assert rows(session) == 0


def test_a_request_without_a_file_is_told(client: Any, sign_in: Any) -> None:
    sign_in("lead_unit")
    for data in ({}, {"file": "text"}, {"file": (io.BytesIO(b""), "")}):
        answer = client.post("/documents", data=data, content_type="multipart/form-data")
        assert answer.status_code == 422
        assert "没有收到文件" in answer.get_json()["message"]
    assert client.post("/documents", data=b"{", content_type="application/json").status_code == 422


def test_a_file_is_refused_in_the_language_of_the_page(client: Any, sign_in: Any) -> None:
    sign_in("lead_unit", locale="en")
    with client.session_transaction() as stored:
        stored["lang"] = "en"
    message = send(client, b"MZ\x90\x00" + bytes(60), "a.pdf").get_json()["message"]
    assert message.isascii() or "PDF" in message
    assert "不是" not in message


# ---- no room, no right


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch, config: Config) -> Iterator[None]:
    """The disk holds no more: the kernel's own refusal, by a device that is always full."""
    real = os.fdopen

    def fdopen(descriptor: int, *args: Any, **kwargs: Any) -> Any:
        os.close(descriptor)
        return open("/dev/full", *args, **kwargs)

    monkeypatch.setattr(os, "fdopen", fdopen)
    yield
    monkeypatch.setattr(os, "fdopen", real)


def test_a_full_disk_is_told_and_leaves_neither_file_nor_row(
    client: Any, sign_in: Any, session: Any, config: Config, full: None
) -> None:
    sign_in("lead_unit")
    before = stored(config)
    answer = send(client, pdf(), "执照.pdf")
    assert answer.status_code == 507
    assert "存储空间已满" in answer.get_json()["message"]
    assert stored(config) == before
    assert rows(session) == 0


READ_ONLY = """
import os, sys
from pathlib import Path
from webapp import config
from webapp.documents import storage
from webapp.errors import QianyinError

storage.configure(config.load({"DATA_DIR": sys.argv[1]}))
os.setgid(65534)
os.setuid(65534)
try:
    with storage.receive([b"x" * 1000], max_size=2000, too_big=QianyinError) as incoming:
        storage.keep(incoming)
except QianyinError as error:
    print(error.status, error)
"""


@pytest.mark.parametrize("made", ["all", "incoming"])
def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path, made: str) -> None:
    data = tmp_path / "data"
    (data / "documents" / ("incoming" if made == "incoming" else "")).mkdir(parents=True)
    (data / "secret_key").write_text("x")
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    if made == "incoming":
        (data / "documents" / "incoming").chmod(0o777)
    ran = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(data)], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("503 "), ran.stdout
    assert "不能写入" in ran.stdout
    assert [p for p in data.rglob("*") if p.is_file() and p.name != "secret_key"] == []


def test_a_read_only_disk_is_told_on_the_page(
    client: Any, sign_in: Any, session: Any, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in("lead_unit")
    before = stored(config)

    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "replace", refuse)
    answer = send(client, image(), "照片.png")
    assert answer.status_code == 503
    assert "不能写入" in answer.get_json()["message"]
    assert stored(config) == before
    assert rows(session) == 0


def test_a_file_that_comes_without_scripts_is_told_with_the_form_kept(
    app: Any, demo_data: str, session: Any, full: None
) -> None:
    from tests.support_bad_input import error_at, fields, signed_in, start_filing
    from tests.support_bad_input import send as hand_in

    client: Client = signed_in(app, session, "lead_unit")
    task = start_filing(client)
    data = fields([{"name": "广州甲有限公司"}]) | {
        "enterprises[0].licence__file": FileStorage(io.BytesIO(pdf()), "执照.pdf"),
    }
    answer = hand_in(client, task, data)
    assert answer.status_code == 422
    assert "存储空间已满" in error_at(answer.text, "enterprises[0].licence")
    assert 'value="广州甲有限公司"' in answer.text
