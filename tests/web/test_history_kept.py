"""Old months of the history leave the database by a setting: as a document first; pages say so."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from webapp import db, housekeeping
from webapp.accounts.models import Account
from webapp.documents import storage
from webapp.documents.models import Document
from webapp.retention import service
from webapp.retention.tables import history_archive


@pytest.fixture
def partition(demo_data: str, session: Session) -> Callable[[str, UUID, int], None]:
    """Give an instance history in a month that has passed (`2025-03`)."""

    def make(month: str, instance_id: UUID, rows: int) -> None:
        table, first = f"activity_history_{month.replace('-', '_')}", f"{month}-01"
        session.execute(
            text(
                f"create table if not exists {table} partition of activity_history"
                f" for values from ('{first} 00:00:00+00') to ('{_next(month)} 00:00:00+00')"
            )
        )
        for _ in range(rows):
            session.execute(
                text(
                    "insert into activity_history (id, ended_at, instance_id, node, element_id, element_name,"
                    " element_type, started_at) values (gen_random_uuid(), :at, :i, gen_random_uuid(), 'review',"
                    " '很久以前的审核', 'userTask', :at)"
                ),
                {"at": datetime.fromisoformat(f"{month}-05T08:00:00+00:00"), "i": instance_id},
            )
        started = {"at": datetime.fromisoformat(f"{month}-02T08:00:00+00:00"), "i": instance_id}
        session.execute(
            text("update process_instance set started_at = :at where id = :i and started_at > :at"), started
        )
        session.commit()

    return make


def _next(month: str) -> str:
    year, number = map(int, month.split("-"))
    return f"{year + number // 12}-{number % 12 + 1:02}-01"


def instance(session: Session, status: str) -> UUID:
    """A case of the demo that runs (`active`), or one that has ended."""
    order = "id" if status == "active" else "id desc"
    query = f"select id from process_instance where status = 'active' order by {order} limit 1"
    found: UUID = session.scalars(text(query)).one()
    if status != "active":
        ended = "update process_instance set status = 'cancelled', ended_at = now() where id = :i"
        session.execute(text(ended), {"i": found})
        session.commit()
    return found


def keep(session: Session, months: int) -> None:
    session.execute(
        text(
            "insert into setting (key, value, updated_at) values ('history_months_kept',"
            " jsonb_build_object('value', cast(:n as int)), now())"
            " on conflict (key) do update set value = excluded.value"
        ),
        {"n": months},
    )
    session.commit()


def months(session: Session) -> list[str]:
    return [f"{month:%Y-%m}" for month in session.scalars(select(history_archive.c.month).order_by(text("1")))]


def test_old_months_become_documents_and_a_month_with_running_cases_waits(
    partition: Any, session: Session, app: Any, client: Any, demo_data: str
) -> None:
    storage.configure(app.config["QIANYIN"])
    ended, running = instance(session, "ended"), instance(session, "active")
    partition("2025-03", ended, 3)
    partition("2025-04", running, 2)
    partition("2025-05", ended, 1)
    assert housekeeping.once(service.run) == 0  # everything is kept unless somebody says otherwise
    keep(session, 6)
    assert [housekeeping.once(service.run) for _ in range(3)] == [3, 1, 0]
    assert months(session) == ["2025-03", "2025-05"]

    plan = service.plan(session)
    assert [(month.first.month, month.running) for month in plan.waiting] == [(4, 1)]
    assert plan.due == []
    left = session.scalars(text("select element_name from activity_history where instance_id = :i"), {"i": ended})
    assert "很久以前的审核" not in left.all()
    document = session.scalars(select(Document).where(Document.filename == "办理历史-2025-03.csv.gz")).one()
    with storage.open_bytes(document.digest) as file:
        lines = gzip.decompress(file.read()).decode().splitlines()
    assert lines[0].startswith("id,ended_at,instance_id")
    assert len(lines) == 4
    assert lines[1].count("很久以前的审核") == 1
    assert session.scalars(text("select subject from audit where action = 'history.archive' order by id")).all() == [
        "2025-03",
        "2025-05",
    ]


def test_pages_say_that_history_is_archived_and_go_on(partition: Any, session: Session, app: Any, client: Any) -> None:
    storage.configure(app.config["QIANYIN"])
    ended = instance(session, "ended")
    partition("2025-03", ended, 3)
    keep(session, 6)
    housekeeping.once(service.run)
    manager = session.scalars(select(Account).where(Account.username == "manager")).one()
    client.sign_in(manager)
    page = client.get(f"/instances/{ended}").get_data(as_text=True)
    assert "部分办理历史已归档" in page
    [document_id] = session.scalars(select(history_archive.c.document_id))
    assert f"/documents/{document_id}" in page
    assert "2025 年 3 月" in page
    file = client.get(f"/documents/{document_id}", buffered=True)
    assert gzip.decompress(file.data).count(b"\n") == 4
    assert client.get(f"/instances/{ended}/replay.json").status_code == 200
    other = instance(session, "active")
    assert "部分办理历史已归档" not in client.get(f"/instances/{other}").get_data(as_text=True)


def test_the_settings_page_tells_what_the_setting_does(partition: Any, session: Session, app: Any, client: Any) -> None:
    partition("2025-03", instance(session, "ended"), 3)
    partition("2025-04", instance(session, "active"), 2)
    client.sign_in(session.scalars(select(Account).where(Account.username == "sysadmin")).one())
    assert "当前全部保留" in client.get("/admin/settings").get_data(as_text=True)
    keep(session, 6)
    page = client.get("/admin/settings").get_data(as_text=True)
    assert "将依次移出（每次一个月，约每十分钟一次）：2025 年 3 月。" in page
    assert "2025 年 4 月 有 1 件在办事项" in page
    keep(session, 1200)
    assert "当前没有需要移出的月份。" in client.get("/admin/settings").get_data(as_text=True)


def test_a_month_is_not_dropped_while_somebody_reads_and_nothing_of_it_is_lost(
    partition: Any, session: Session, app: Any, demo_data: str
) -> None:
    storage.configure(app.config["QIANYIN"])
    ended = instance(session, "ended")
    partition("2025-03", ended, 3)
    keep(session, 6)
    with psycopg.connect(demo_data) as reader:
        reader.execute("select count(*) from activity_history")
        assert housekeeping.once(service.run) == 0
    session.rollback()
    assert months(session) == []
    assert session.scalar(text("select count(*) from activity_history_2025_03")) == 3
    session.rollback()
    assert housekeeping.once(service.run) == 3
    assert db.retrying(lambda s: s.scalar(text("select to_regclass('activity_history_2025_03')"))) is None


def test_months_end_where_they_end() -> None:
    month = service.Month(datetime(2025, 12, 1, tzinfo=UTC).date(), "activity_history_2025_12", 0, 0)
    assert month.after == datetime(2026, 1, 1, tzinfo=UTC)
