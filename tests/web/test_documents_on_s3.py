"""Documents on S3-compatible storage: the same uploads, downloads, digests and sweep as in a directory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import support_s3
from tests.support_documents import image
from tests.web.test_documents import send
from webapp.config import Config
from webapp.documents import service, storage, stores
from webapp.documents.models import Document


@pytest.fixture(scope="module")
def s3(run_dir: Path) -> Iterator[support_s3.S3]:
    server = support_s3.start(run_dir / "s3")
    yield server
    server.process.kill()
    server.process.wait()


@pytest.fixture
def on_s3(s3: support_s3.S3, config: Config, app: Any) -> Iterator[Config]:
    """The program keeps its documents there."""
    storage.configure(s3.config(config))
    yield storage.config()
    storage.configure(config)


def names(older_than: float = -60) -> set[str]:
    return set(storage.store().names(older_than))


def files(config: Config) -> list[Path]:
    return [path for path in config.documents_dir.rglob("*") if path.is_file()]


def test_what_is_uploaded_lies_in_the_bucket_and_comes_back(
    on_s3: Config, client: Any, sign_in: Any, session: Session
) -> None:
    before = files(on_s3)
    sign_in("lead_unit")
    content = image("PNG", (71, 72))
    tile = send(client, content, "照片.png", Accept="application/json").get_json()
    [document] = session.scalars(select(Document)).all()
    assert stores.key(document.digest) in names()
    assert files(on_s3) == before
    assert client.get(tile["download_url"], buffered=True).data == content
    part = client.get(tile["download_url"], headers={"Range": "bytes=5-9"}, buffered=True)
    assert (part.status_code, part.data) == (206, content[5:10])
    told = client.get(f"/documents/{document.id}/digest").get_json()
    assert told == {"digest": document.digest, "size": len(content), "intact": True}


def test_a_large_document_goes_in_parts_and_comes_back_whole(on_s3: Config, app: Any, session: Session) -> None:
    content = b"0123456789abcdef" * 1_200_000
    kind = {"kind": "archive", "filename": "大.bin", "media_type": "application/octet-stream"}
    made = service.store_made(session, **kind, content=content)
    session.rollback()
    with storage.open_bytes(made.digest) as file:
        assert file.read() == content


def test_files_without_a_row_are_swept_and_those_of_rows_stay(on_s3: Config, app: Any, session: Session) -> None:
    made = [
        service.store_made(session, kind="upload", filename="a.png", media_type="image/png", content=content)
        for content in (b"kept on s3", b"lost on s3")
    ]
    kept, lost = (document.digest for document in made)
    session.delete(made[1])
    session.commit()
    assert service.sweep(session) == 0  # too young
    time.sleep(1.1)  # the server tells times in whole seconds

    def known(digests: list[str]) -> set[str]:
        return set(session.scalars(select(Document.digest).where(Document.digest.in_(digests))))

    assert storage.sweep(known, older_than=0) >= 1
    assert stores.key(kept) in names()
    assert stores.key(lost) not in names()
    assert storage.intact(kept)
    assert not storage.intact(lost)


@pytest.mark.parametrize("broken", ["stopped", "secret"])
def test_a_store_that_does_not_answer_is_told_and_leaves_nothing(
    on_s3: Config, client: Any, sign_in: Any, session: Session, account: Any, broken: str
) -> None:
    wrong = {
        "stopped": {"documents_url": "s3://qianyin/?endpoint=http://127.0.0.1:9"},
        "secret": {"documents_secret_key": "wrong"},
    }[broken]
    sign_in("lead_unit")
    content = image("PNG", (73, 74))
    tile = send(client, content, "好.png", Accept="application/json").get_json()
    before = files(on_s3)
    storage.configure(replace(on_s3, **wrong))
    answer = send(client, image("PNG", (75, 76)), "照片.png")
    assert answer.status_code == 503
    assert "不能写入" in answer.get_json()["message"]
    read = client.get(tile["download_url"])
    assert read.status_code == 503
    assert "文件存储暂时无法读取" in read.get_data(as_text=True)
    assert files(on_s3) == before
    assert session.scalar(select(func.count()).select_from(Document)) == 1


def test_an_address_that_is_neither_is_refused(config: Config) -> None:
    for url in ("ftp://host/x", "s3:///x", "documents"):
        with pytest.raises(ValueError, match="DOCUMENTS_URL must be"):
            stores.of(replace(config, documents_url=url))
    assert stores.of(replace(config, documents_url="file:///srv/documents")).folder == Path("/srv/documents")
