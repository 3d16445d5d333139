"""Uploads judged by content, bytes kept by digest, headers, and who may read what."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support import make_organisation
from tests.support_documents import image, pdf, png_bomb
from webapp import db
from webapp.accounts import service as accounts
from webapp.config import Config
from webapp.documents import service, storage
from webapp.documents.models import Document
from webapp.errors import NotFound
from webapp.ids import uuid7


def send(client: Any, content: bytes, name: str, **headers: str) -> Any:
    """Send one file. The body is written here: the test client would leave its own temporary file open."""
    head = '--cut\r\nContent-Disposition: form-data; name="name"\r\n\r\nmaterials\r\n'
    head += '--cut\r\nContent-Disposition: form-data; name="file"; '
    head += f'filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
    body = head.encode() + content + b"\r\n--cut--\r\n"
    return client.post("/documents", data=body, content_type="multipart/form-data; boundary=cut", headers=headers)


def stored(config: Config) -> list[Path]:
    return [p for p in config.documents_dir.rglob("*") if p.is_file()]


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (pdf(3), "营业执照.pdf", "3 页"),
        (image("PNG"), "照片.PNG", "KB"),
        (image("JPEG"), "照片.jpeg", "KB"),
    ],
)
def test_an_accepted_file_becomes_a_tile(client: Any, sign_in: Any, content: bytes, name: str, words: str) -> None:
    sign_in("lead_unit")
    answer = send(client, content, name)
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert name in page
    assert words in page
    assert 'name="materials"' in page


CUT = pdf(2)[:200]
REFUSED = [
    (b"", "空.pdf", "是空的（0 字节）"),
    (b"MZ\x90\x00" + bytes(600), "执照.pdf", "不是 PDF、JPEG 或 PNG"),
    (b"<html>hello</html>", "a.html", "不是 PDF、JPEG 或 PNG"),
    (b"PK\x03\x04" + bytes(64), "a.docx", "不是 PDF、JPEG 或 PNG"),
    (image("JPEG"), "执照.pdf", "扩展名是 .pdf，内容却是 JPEG"),
    (pdf(), "执照.png", "扩展名是 .png，内容却是 PDF"),
    (pdf(), "执照", "没有扩展名，内容是 PDF"),
    (pdf(password="secret"), "执照.pdf", "设有密码"),
    (pdf(0), "执照.pdf", "没有任何页面"),
    (CUT, "执照.pdf", "已损坏，无法读取"),
    (image("PNG")[:60], "照片.png", "已损坏，无法读取"),
    (image("JPEG", (400, 400))[:900], "照片.jpg", "已损坏，无法读取"),
    (png_bomb(), "照片.png", "像素过多"),
]


@pytest.mark.parametrize(("content", "name", "words"), REFUSED, ids=[f"{n}-{w[:4]}" for _c, n, w in REFUSED])
def test_a_refused_file_is_told_why_and_leaves_nothing(
    client: Any, sign_in: Any, session: Session, config: Config, content: bytes, name: str, words: str
) -> None:
    sign_in("lead_unit")
    before = stored(config)
    answer = send(client, content, name)
    assert answer.status_code == 422
    assert words in answer.get_json()["message"]
    assert stored(config) == before
    assert session.scalar(select(func.count()).select_from(Document)) == 0


def test_a_file_over_the_limit_is_refused_before_it_is_kept(client: Any, sign_in: Any, config: Config) -> None:
    sign_in("lead_unit")
    before = stored(config)
    answer = send(client, b"%PDF-1.7\n" + bytes(config.max_upload), "大.pdf")
    assert answer.status_code == 422
    assert "超过 20 MB" in answer.get_json()["message"]
    answer = send(client, b"%PDF-1.7\n" + bytes(50 * 1024 * 1024), "很大.pdf", Accept="application/json")
    assert answer.status_code == 413
    assert "MB" in answer.get_json()["message"]
    assert stored(config) == before


def test_a_pdf_with_a_script_is_kept_and_flagged(client: Any, sign_in: Any, session: Session) -> None:
    sign_in("lead_unit")
    answer = send(client, pdf(script="app.alert(1);"), "执照.pdf")
    assert "含脚本（JavaScript）" in answer.get_data(as_text=True)
    assert session.scalars(select(Document)).one().flags == ["javascript"]


def test_a_plain_pdf_has_no_flags(client: Any, sign_in: Any, session: Session) -> None:
    sign_in("lead_unit")
    send(client, pdf(), "执照.pdf")
    assert session.scalars(select(Document)).one().flags == []


def test_the_bytes_come_back_with_headers_that_leave_them_no_power(client: Any, sign_in: Any) -> None:
    sign_in("lead_unit")
    content = image("PNG", (31, 17))
    tile = send(client, content, "法人 <身份证>.png", Accept="application/json").get_json()
    answer = client.get(tile["download_url"], buffered=True)
    assert answer.data == content
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "filename*=UTF-8''" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-store"
    shown = client.get(tile["preview_url"], buffered=True)
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert shown.headers["Content-Type"] == "image/png"
    assert shown.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert client.get(f"/documents/{tile['id']}/digest").get_json() == {
        "digest": tile["digest"],
        "size": len(content),
        "intact": True,
    }


def test_a_word_document_is_never_shown_inline(client: Any, sign_in: Any, session: Session, app: Any) -> None:
    made = service.store_made(
        session, kind="publicity", filename="公示.docx", media_type="application/msword", content=b"PK..", public=True
    )
    session.commit()
    answer = client.get(f"/documents/{made.id}/preview", buffered=True)
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_the_same_bytes_are_one_file_and_two_documents(client: Any, sign_in: Any, session: Session) -> None:
    sign_in("lead_unit")
    content = image("PNG", (33, 44))
    send(client, content, "甲.png")
    send(client, content, "乙.png")
    both = session.scalars(select(Document)).all()
    assert len({d.digest for d in both}) == 1
    assert len(both) == 2
    assert storage.path_of(both[0].digest).read_bytes() == content


def test_a_changed_file_is_found_out(client: Any, sign_in: Any, session: Session) -> None:
    sign_in("lead_unit")
    send(client, image("PNG", (35, 35)), "甲.png")
    document = session.scalars(select(Document)).one()
    path = storage.path_of(document.digest)
    path.chmod(0o640)
    path.write_bytes(b"other")
    assert client.get(f"/documents/{document.id}/digest").get_json()["intact"] is False
    path.unlink()
    assert client.get(f"/documents/{document.id}").status_code == 404


def test_a_full_disk_is_told_and_leaves_nothing(
    client: Any, sign_in: Any, session: Session, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in("lead_unit")
    before = stored(config)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    answer = send(client, pdf(), "执照.pdf")
    assert answer.status_code == 507
    assert "存储空间已满" in answer.get_json()["message"]
    assert stored(config) == before
    assert session.scalar(select(func.count()).select_from(Document)) == 0


def test_who_reads_which_document(app: Any, session: Session, account: Any) -> None:
    ours, theirs = make_organisation(session), make_organisation(session)
    staff, stranger = account("lead_unit", organisation=ours), account("lead_unit", organisation=theirs)
    people = {role: accounts.actor_of(account(role)) for role in ("office", "manager", "expert", "designer", "auditor")}
    people |= {"staff": accounts.actor_of(staff), "stranger": accounts.actor_of(stranger)}
    case = uuid7()

    def made(**details: Any) -> Document:
        return service.store_made(
            session, kind="upload", filename="a.pdf", media_type="application/pdf", content=pdf(), **details
        )

    documents = {
        "theirs of the case": made(instance_id=case, org_id=ours.id),
        "internal": made(instance_id=case),
        "published": made(public=True),
    }
    sees: dict[str, set[str]] = {}
    for name, actor in [*people.items(), ("public", None)]:
        sees[name] = set()
        for what, document in documents.items():
            try:
                service.find(session, document.id, actor)
            except NotFound:
                continue
            sees[name].add(what)
    everything = set(documents)
    assert sees == {
        "office": everything,
        "manager": everything,
        "staff": {"theirs of the case", "published"},
        **{name: {"published"} for name in ("stranger", "expert", "designer", "auditor", "public")},
    }


def test_nobody_takes_over_a_file_by_its_id(app: Any, session: Session, account: Any) -> None:
    mine, theirs = accounts.actor_of(account("lead_unit")), accounts.actor_of(account("lead_unit"))
    document = service.store_upload(session, io.BytesIO(pdf()), "a.pdf", actor=theirs)
    case = uuid7()
    with pytest.raises(NotFound):
        service.attach(session, [document.id], actor=mine, instance_id=case, root_instance_id=case, org_id=None)
    service.attach(session, [document.id], actor=theirs, instance_id=case, root_instance_id=case, org_id=None)
    with pytest.raises(NotFound):
        service.attach(session, [document.id], actor=theirs, instance_id=case, root_instance_id=uuid7(), org_id=None)


def test_uploading_takes_an_account(client: Any) -> None:
    assert send(client, pdf(), "a.pdf").status_code == 401


def test_names_are_cleaned(app: Any) -> None:
    assert service.clean_name("..\\..\\C:\\执照.pdf") == "执照.pdf"
    assert service.clean_name("/etc/passwd") == "passwd"
    assert service.clean_name("a\r\nSet-Cookie: x.pdf") == "aSet-Cookie x.pdf"
    long = service.clean_name("长" * 300 + ".pdf")
    assert len(long) == 120
    assert long.endswith(".pdf")


def test_files_without_a_row_are_swept_after_a_day(app: Any, session: Session, config: Config) -> None:
    kept = service.store_made(session, kind="upload", filename="a.png", media_type="image/png", content=b"kept")
    lost = service.store_made(session, kind="upload", filename="b.png", media_type="image/png", content=b"lost")
    session.delete(lost)
    session.flush()
    assert service.sweep(session) == 0
    for digest in (kept.digest, lost.digest):
        os.utime(storage.path_of(digest), (0, 0))
    assert service.sweep(session) == 1
    assert storage.path_of(kept.digest).exists()
    assert not storage.path_of(lost.digest).exists()


def test_a_sweep_that_finds_nothing_holds_no_upload_up(app: Any, session: Session) -> None:
    kept = service.store_made(session, kind="upload", filename="a.png", media_type="image/png", content=b"kept")
    session.commit()
    os.utime(storage.path_of(kept.digest), (0, 0))
    assert service.sweep(session) == 0
    with db.transaction() as other:
        free = select(func.pg_try_advisory_xact_lock_shared(service._BETWEEN))
        assert other.scalar(free) is True


def test_pictures_stay_as_they_are(client: Any, sign_in: Any) -> None:
    sign_in("lead_unit")
    content = image("JPEG", (120, 90))
    tile = send(client, content, "a.jpg", Accept="application/json").get_json()
    with Image.open(io.BytesIO(client.get(tile["download_url"], buffered=True).data)) as picture:
        assert picture.size == (120, 90)
