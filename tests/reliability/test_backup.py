"""Backup while people work, restore elsewhere, verify; then one damage each, named precisely."""

from __future__ import annotations

import dataclasses
import io
import os
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from webapp import config as settings
from webapp import db
from webapp.audit import seals
from webapp.audit import service as trail
from webapp.backup import archive, checks, making, restoring
from webapp.cli import main
from webapp.documents import service as documents
from webapp.documents import storage
from webapp.documents.models import Document
from webapp.engine.commands import SetVariables
from webapp.engine.tables import process_instance
from webapp.errors import Conflict
from webapp.postgres import Server

Command = Callable[..., Result]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, config: settings.Config) -> Iterator[Command]:
    """Run a command of the command line on a database, with a data directory of its own unless told otherwise."""

    def run(url: str, *words: Any, data_dir: Path | None = None, typed: str = "") -> Result:
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setenv("DATA_DIR", str(data_dir or tmp_path / "data"))
        return CliRunner().invoke(main, [str(word) for word in words], input=typed)

    yield run
    storage.configure(config)


@pytest.fixture
def fresh(server: Server) -> Iterator[str]:
    """The URL of a database without a table."""
    name = f"fresh_{os.getpid()}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name}")
    yield server.url(name)
    db.dispose()
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def _archived(server: Server, _demo_template: str, config: settings.Config, run_dir: Path) -> Path:
    storage.configure(config)
    making.make(server.url(_demo_template), storage.store(), run_dir / "demo.tar", lambda _sentence: None)
    return run_dir / "demo.tar"


@pytest.fixture
def demo_url(server: Server, _demo_template: str) -> str:
    """The demo's own database, not to be changed."""
    return server.url(_demo_template)


@pytest.fixture
def archived(_archived: Path, tmp_path: Path) -> Path:
    """A backup of the demo."""
    return Path(shutil.copy(_archived, tmp_path))


def rows(url: str, query: str, *values: Any) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(query, values).fetchall()


def spoil(url: str, *statements: str) -> None:
    """Change what the program itself refuses to change."""
    with psycopg.connect(url) as connection:
        connection.execute("set session_replication_role = replica")
        for statement in statements:
            assert connection.execute(statement).rowcount != 0, statement


class Writer(threading.Thread):
    """Somebody who keeps working: steps, documents, lines of the trail, one transaction after another."""

    def __init__(self, engine: Any) -> None:
        super().__init__()
        self.engine, self.stop, self.rounds, self.fault = engine, threading.Event(), 0, None

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                self.rounds += 1
                db.retrying(self.work)
        except BaseException as error:
            self.fault = error

    def work(self, session: Session) -> None:
        p = process_instance.c
        instance_id = session.scalar(select(p.id).where(p.status == "active").order_by(p.id).limit(1))
        self.engine.step(session, instance_id, SetVariables({"round": self.rounds}, "负载"), None)
        made = {"kind": "load", "filename": "a.txt", "media_type": "text/plain", "instance_id": instance_id}
        documents.store_made(session, **made, content=f"{self.rounds}".encode())
        trail.record(session, "load", None, subject=str(self.rounds))


def test_a_backup_under_load_restores_to_one_moment_and_verifies_clean(
    demo_data: str, engine: Any, config: settings.Config, fresh: str, command: Command, tmp_path: Path
) -> None:
    storage.configure(config)
    db.configure(demo_data, pool_size=6)
    writer = Writer(engine)
    writer.start()
    while writer.rounds < 5:
        assert writer.fault is None, writer.fault
    end = making.make(demo_data, storage.store(), tmp_path / "load.tar", lambda _sentence: None)
    at_the_end = writer.rounds
    while writer.rounds < at_the_end + 5:
        assert writer.fault is None, writer.fault
    writer.stop.set()
    writer.join()
    assert end.damaged == []
    assert (tmp_path / "load.tar").stat().st_mode & 0o077 == 0

    done = command(fresh, "restore", tmp_path / "load.tar")
    assert done.exit_code == 0, done.output
    assert "没有发现问题" in done.output
    for table, (count, _) in end.tables.items():
        if table != "audit_seal":
            assert rows(fresh, f"select count(*) from {table}") == [(count,)], table
    [(written,)] = rows(fresh, "select count(*) from document where kind = 'load'")
    assert rows(fresh, "select count(*) from audit where action = 'load'") == [(written,)]
    assert 4 <= written <= at_the_end + 1
    [(last,)] = rows(fresh, "select max(id) from audit")
    with psycopg.connect(fresh) as connection:  # numbers go on where they stood, triggers and keys hold again
        insert = "insert into audit (at, action) values (now(), 'x') returning id"
        [(given,)] = connection.execute(insert).fetchall()
        assert given > last
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute("delete from audit")
    with psycopg.connect(fresh) as connection, pytest.raises(psycopg.errors.ForeignKeyViolation):
        connection.execute("delete from process_instance")
    db.configure(fresh, pool_size=4)
    db.retrying(writer.work)  # the restored cases go on
    assert command(fresh, "verify").exit_code == 0


def test_a_backup_replaces_data_only_when_its_name_is_typed(archived: Path, fresh: str, command: Command) -> None:
    assert command(fresh, "restore", archived).exit_code == 0
    spoil(fresh, "update organisation set name = '恢复之后'")
    refused = command(fresh, "restore", archived)
    assert refused.exit_code == 1
    assert "数据库中已有数据" in refused.output
    name = fresh.rsplit("/", 1)[-1].partition("?")[0]
    assert "没有确认" in command(fresh, "restore", "--replace", archived, typed="something\n").output
    with psycopg.connect(fresh):
        busy = command(fresh, "restore", "--replace", archived, typed=f"{name}\n")
        assert "还有程序连接着此数据库" in busy.output
    assert rows(fresh, "select count(*) from organisation where name = '恢复之后'")[0][0] > 0
    assert command(fresh, "restore", "--replace", archived, typed=f"{name}\n").exit_code == 0
    assert rows(fresh, "select count(*) from organisation where name = '恢复之后'") == [(0,)]


def test_a_backup_is_never_written_over(archived: Path, demo_url: str, command: Command) -> None:
    before = archived.read_bytes()
    again = command(demo_url, "backup", archived)
    assert again.exit_code == 1
    assert "已经存在，没有覆盖" in again.output
    assert archived.read_bytes() == before
    nowhere = command(demo_url, "backup", archived.parent / "no" / "folder.tar")
    assert nowhere.exit_code == 1
    assert "Traceback" not in nowhere.output
    assert sorted(path.name for path in archived.parent.glob("*.tar*")) == ["demo.tar"]


def test_two_backups_of_one_name_do_not_write_into_one_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "b.tar"
    partial = tmp_path / "b.tar.partial"
    partial.write_bytes(b"left by a backup that was killed")
    partial.chmod(0o644)

    def no_second_names(*_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_second_names)  # FAT, a network share
    with archive.writing(target) as writer:
        writer.json(archive.END, archive.End())
        with pytest.raises(Conflict, match="另一个备份"), archive.writing(target):
            raise AssertionError("the second backup began")
        assert partial.stat().st_mode & 0o777 == 0o600
    with tarfile.open(target) as tar:
        assert tar.getnames() == [archive.END]
    assert [path.name for path in tmp_path.iterdir()] == ["b.tar"]


def rewritten(source: Path, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> Path:
    """The archive with its members changed (None: left out)."""
    target = source.with_name("changed.tar")
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for member in old.getmembers():
            file = old.extractfile(member)
            assert file is not None
            if (changed := change(member.name, file.read())) is not None:
                info = tarfile.TarInfo(changed[0])
                info.size = len(changed[1])
                new.addfile(info, io.BytesIO(changed[1]))
    return target


BROKEN: dict[str, tuple[Callable[[str, bytes], tuple[str, bytes] | None], str]] = {
    "document": (lambda n, c: (n, c[:-1] + b"?") if n.startswith("documents/") else (n, c), "摘要不符"),
    "document gone": (lambda n, c: None if n.startswith("documents/") else (n, c), "应有文件"),
    "table": (lambda n, c: (n, c[:-9] + bytes(9)) if n == "tables/audit.copy.zst" else (n, c), "audit"),
    "table gone": (lambda n, c: None if n == "tables/audit.copy.zst" else (n, c), "audit 不完整"),
    "end": (lambda n, c: None if n == "end.json" else (n, c), "缺少 end.json"),
    "stranger": (lambda n, c: ("../evil", c) if n == "end.json" else (n, c), "不应存在的内容"),
    "newer": (lambda n, c: (n, c.replace(b'"revision": "', b'"revision": "9')), "本程序不认识"),
}


@pytest.mark.parametrize("what", [*BROKEN, "cut", "other"])
def test_a_damaged_archive_is_told_and_restores_nothing(
    archived: Path, server: Server, tmp_path: Path, config: settings.Config, fresh: str, what: str
) -> None:
    if what == "cut":
        broken, words = tmp_path / "cut.tar", "不完整"
        broken.write_bytes(archived.read_bytes()[: archived.stat().st_size // 2])
    elif what == "other":
        broken, words = tmp_path / "other.tar", "不是牵引的备份文件"
        broken.write_bytes(b"PK\x03\x04" + bytes(2000))
    else:
        change, words = BROKEN[what]
        broken = rewritten(archived, change)
    storage.configure(dataclasses.replace(config, data_dir=tmp_path / "elsewhere"))
    try:
        with pytest.raises((archive.BadArchive, Conflict), match=words):
            restoring.restore(fresh, broken, replace=False, say=lambda _sentence: None)
    finally:
        storage.configure(config)
    assert rows(fresh, "select count(*) from pg_class where relnamespace = 'public'::regnamespace") == [(0,)]


def test_another_programs_database_is_left_alone(archived: Path, fresh: str) -> None:
    with psycopg.connect(fresh) as connection:
        connection.execute("create table theirs (x int)")
    with pytest.raises(Conflict, match="其他程序的数据表"):
        restoring.restore(fresh, archived, replace=True, say=lambda _sentence: None)
    assert rows(fresh, "select count(*) from theirs") == [(0,)]


def test_documents_that_are_missing_are_told_and_the_rest_is_kept(
    demo_data: str, command: Command, config: settings.Config, fresh: str, tmp_path: Path
) -> None:
    storage.configure(config)
    db.configure(demo_data, pool_size=4)
    with db.transaction() as session:
        made = {"kind": "upload", "filename": "丢失.txt", "media_type": "text/plain"}
        lost = documents.store_made(session, **made, content=b"lost before the backup").digest
    storage.path_of(lost).unlink()
    made_backup = command(demo_data, "backup", tmp_path / "b.tar", data_dir=config.data_dir)
    assert made_backup.exit_code == 3
    assert lost in made_backup.output
    restored = command(fresh, "restore", tmp_path / "b.tar")
    assert restored.exit_code == 3
    assert "丢失.txt" in restored.output
    assert restored.output.count("document\t") == 1


ANY = "(select id from process_instance where status = 'active' order by id limit 1)"
TASK = "(select id from user_task where status = 'open' order by id limit 1)"
DAMAGE = {
    "state": (f"update process_instance set state = '\\x00' where id = {ANY}", ANY, "状态无法载入"),
    "status": (
        f"update process_instance set status = 'completed' where id = {ANY}",
        "(select id from process_instance where status = 'completed' and ended_at is null)",
        "记录的状态是 completed",
    ),
    "tokens": (f"update process_instance set tokens = '[]' where id = {ANY}", ANY, "tokens"),
    "task closed": (
        f"update user_task set status = 'cancelled' where id = {TASK}",
        "(select instance_id from user_task where status = 'cancelled' order by ended_at nulls first limit 1)",
        "没有相应的任务记录",
    ),
    "task twice": (
        "update user_task set status = 'open' where id = (select t.id from user_task t join process_instance p on"
        " p.id = t.instance_id where t.status = 'completed' and p.status = 'active' order by t.id limit 1)",
        "(select instance_id from user_task where status = 'open' and ended_at is not null)",
        "没有环节与之对应",
    ),
    "timer": (
        "delete from timer where id = (select id from timer where instance_id is not null order by id limit 1)",
        None,
        "没有相应的定时记录",
    ),
    "subscription": (
        "delete from event_subscription where id ="
        " (select id from event_subscription where instance_id is not null order by id limit 1)",
        None,
        "没有相应的消息订阅记录",
    ),
    "history": (
        "delete from activity_history where task_id ="
        " (select id from user_task where status = 'completed' order by id limit 1)",
        "(select instance_id from user_task where status = 'completed' order by id limit 1)",
        "办理历史中没有记录",
    ),
    "number": ("update serial_number set last = last + 1 where kind = 'BA'", None, "没有任何记录使用它"),
    "number back": ("update serial_number set last = last - 1 where kind = 'BA'", None, "计数只到"),
    "document": ("update document set size = size + 1 where id = (select min(id::text)::uuid from document)",
                 "(select min(id::text)::uuid from document)", "记录的大小"),
}  # fmt: skip


def test_each_damage_is_named(demo_data: str, engine: Any, config: settings.Config) -> None:
    storage.configure(config)
    db.configure(demo_data, pool_size=4)
    for what, (statement, where, words) in DAMAGE.items():
        with Session(db.engine()) as session:
            session.execute(text("set local session_replication_role = replica"))
            assert session.execute(text(statement.replace(":", "\\:"))).rowcount == 1, what
            found = [*checks.history(session), *checks.given_numbers(session)]
            for pages in (checks.instances(session, engine), checks.documents(session)):
                found += [finding for _, page in pages for finding in page]
            assert any(words in finding.words for finding in found), (what, found)
            if where is not None:
                named = str(session.scalar(text(f"select {where}".replace(":", "\\:"))))
                assert any(named in finding.where for finding in found), (what, named, found)
            most = 2 if what in {"history", "task closed", "task twice"} else 1
            assert len(found) <= most, (what, found)
            session.rollback()


def test_a_changed_document_is_named(demo_data: str, command: Command, config: settings.Config) -> None:
    storage.configure(config)
    db.configure(demo_data, pool_size=4)
    with db.transaction() as session:
        made = {"kind": "upload", "filename": "改动.txt", "media_type": "text/plain"}
        document = documents.store_made(session, **made, content=b"as it was")
    path = storage.path_of(document.digest)
    path.chmod(0o640)
    path.write_bytes(b"as it is.")
    told = command(demo_data, "verify", data_dir=config.data_dir)
    path.unlink()
    assert told.exit_code == 3
    assert f"{document.id}（改动.txt）\t内容已被改动" in told.output
    assert command(demo_data, "verify", "--no-documents", data_dir=config.data_dir).exit_code == 0


@pytest.fixture
def sealed(database: str, session: Session) -> list[int]:
    """A trail of 40 lines in two seals; the ids."""
    for number in range(40):
        trail.record(session, "login", None, subject=str(number))
        if number == 19:
            session.flush()
            [last] = rows_of(session, "select max(id) from audit")
            assert seals.seal(session, last) == 20
    [last] = rows_of(session, "select max(id) from audit")
    assert seals.seal(session, last) == 20
    session.commit()
    return rows_of(session, "select id from audit order by id")


def rows_of(session: Session, query: str) -> list[Any]:
    return list(session.scalars(text(query)))


def test_a_whole_trail_has_a_head_that_changes_with_it(sealed: list[int], session: Session) -> None:
    before = seals.check(session)
    assert (before.sealed, before.unsealed, before.damage) == (40, 0, [])
    trail.record(session, "login", None)
    session.flush()
    assert seals.check(session).unsealed == 1
    seals.seal(session, sealed[-1] + 1)
    after = seals.check(session)
    assert after.head != before.head
    assert after.damage == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("update audit set subject = 'x' where id = {0}", "审计记录 {0} 在封存之后被改动"),
        ("update audit set at = at + interval '1 microsecond' where id = {0}", "审计记录 {0} 在封存之后被改动"),
        ("delete from audit where id = {0}", "审计记录 {0} 已被删除"),
        ("delete from audit where id = {0} returning id", "审计记录 {0} 已被删除"),
        ("update audit_seal set digest = sha256(digest) where last_id = {1}", "审计封存"),
        ("delete from audit_seal where last_id = {1}", "审计封存"),
        ("update audit_seal set marks = substring(marks from 25) where last_id = {1}", "审计封存"),
    ],
)
def test_a_trail_that_was_rewritten_is_found_out(
    sealed: list[int], session: Session, database: str, statement: str, words: str
) -> None:
    spoil(database, statement.format(sealed[5], sealed[19]))
    assert words.format(sealed[5]) in "；".join(seals.check(session).damage)


def test_a_seal_waits_for_whoever_is_still_on_the_way(database: str, session: Session) -> None:
    sealer = seals.Sealer()
    with psycopg.connect(database) as late, psycopg.connect(database, autocommit=True) as early:
        late.execute("insert into audit (at, action) values (now(), 'late')")
        early.execute("insert into audit (at, action) values (now(), 'early')")
        for _ in range(3):
            assert sealer.round(session) == 0
            session.commit()
        late.commit()
    found = [sealer.round(session), session.commit(), sealer.round(session), session.commit(), sealer.round(session)]
    assert sum(count or 0 for count in found) == 2
    assert seals.check(session).damage == []


def test_a_digest_of_a_document_is_never_stored_twice_in_a_backup(archived: Path, demo_url: str) -> None:
    with tarfile.open(archived) as tar:
        names = [member.name for member in tar.getmembers()]
    assert (names[0], names[-1], len(names)) == ("head.json", "end.json", len(set(names)))
    distinct = rows(demo_url, "select count(distinct digest) from document")
    assert [(sum(name.startswith("documents/") for name in names),)] == distinct
    assert Document.__tablename__ in {name[7:-9] for name in names if name.startswith("tables/")}
