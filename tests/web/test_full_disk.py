"""A disk without room and a data directory that cannot be written: told in words, nothing half done, nothing lost."""

from __future__ import annotations

import gc
import os
import resource
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from tests.support_documents import image, pdf
from tests.web.test_documents import send, stored
from webapp import db
from webapp.cli import main
from webapp.config import ROOT, Config
from webapp.documents import service, storage
from webapp.documents.models import Document
from webapp.engine.tables import audit

MOST = 64 * 1024


@contextmanager
def no_room() -> Iterator[None]:
    """No file of this process may grow beyond 64 KB: the kernel refuses, as it does when a disk or a quota is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_an_upload_that_finds_no_room_leaves_nothing_and_works_again_afterwards(
    client: Any, sign_in: Any, session: Session, config: Config
) -> None:
    sign_in("lead_unit")
    content = image("PNG", (90, 91)) + bytes(2 * MOST)
    before = stored(config)
    with no_room():
        answer = send(client, content, "照片.png")
    assert answer.status_code == 507
    assert "存储空间已满" in answer.get_json()["message"]
    assert stored(config) == before
    assert session.scalar(select(func.count()).select_from(Document)) == 0
    assert send(client, pdf(), "执照.pdf").status_code == 200


def test_a_request_that_finds_no_room_while_it_is_received_is_told(
    client: Any, sign_in: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sign_in("lead_unit")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the framework leaves its file to the garbage collector
        with no_room():
            answer = send(client, bytes(600 * 1024), "大.pdf")  # more than is kept in memory
        assert answer.status_code == 507
        assert "服务器存储空间已满" in answer.get_data(as_text=True)
        del answer
        gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_a_backup_that_finds_no_room_leaves_no_file(
    database: str, session: Session, config: Config, app: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    storage.configure(config)
    made = {"kind": "upload", "filename": "a.bin", "media_type": "application/octet-stream"}
    service.store_made(session, **made, content=os.urandom(3 * MOST))
    session.commit()
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("DATA_DIR", str(config.data_dir))
    with no_room():
        told = CliRunner().invoke(main, ["backup", str(tmp_path / "b.tar")])
    assert told.exit_code == 1
    assert "File too large" in told.output
    assert "Traceback" not in told.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("state", "status", "words"), [("53100", 507, "服务器存储空间已满"), ("25006", 503, "数据库目前只能读取")]
)
def test_a_database_without_room_or_without_writes_is_told(
    client: Any, sign_in: Any, session: Session, database: str, state: str, status: int, words: str
) -> None:
    """The server's own error, raised where the row would be written."""
    account = sign_in("sysadmin")
    lines = session.scalar(select(func.count()).select_from(audit))
    session.execute(
        text(
            "create function no_room() returns trigger language plpgsql as"
            f" $$ begin raise exception 'no room' using errcode = '{state}'; end $$"
        )
    )
    session.execute(text("create trigger no_room before insert on organisation execute function no_room()"))
    session.commit()
    try:
        answer = client.post("/admin/organisations", data={"name": "新单位", "kind": "firm"})
        assert answer.status_code == status, answer.get_data(as_text=True)[:2000]
        assert words in answer.get_data(as_text=True)
        assert client.get("/admin/organisations").status_code == 200
    finally:
        session.execute(text("drop function no_room cascade"))
        session.commit()
    assert session.scalar(text("select count(*) from organisation where name = '新单位'")) == 0
    assert session.scalar(select(func.count()).select_from(audit)) == lines
    assert account.username


def test_a_standby_can_be_read_and_says_that_it_takes_no_writes(client: Any, sign_in: Any, database: str) -> None:
    sign_in("sysadmin")
    name = database.rsplit("/", 1)[-1].partition("?")[0]
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"alter database {name} set default_transaction_read_only = on")
    try:
        db.configure(database, pool_size=6)
        assert client.get("/admin/organisations").status_code == 200
        refused = client.post("/admin/organisations", data={"name": "新单位", "kind": "firm"})
        assert refused.status_code == 503
        assert "数据库目前只能读取" in refused.get_data(as_text=True)
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("set default_transaction_read_only = off")
            connection.execute(f"alter database {name} reset default_transaction_read_only")
        db.configure(database, pool_size=6)


@pytest.mark.parametrize("program", [["-m", "webapp.supervisor"], ["-m", "webapp.cli", "verify"]])
def test_a_data_directory_that_cannot_be_made_is_told(tmp_path: Path, program: list[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    environment = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "SECRET_KEY"}}
    environment["DATA_DIR"] = str(tmp_path / "file" / "data")
    ran = subprocess.run(
        [sys.executable, *program], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "数据目录不能写入" in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr
