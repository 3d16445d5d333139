"""Objections from the public with something wrong in them: told at the field, the words kept, no flood."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support_documents import pdf
from tests.support_registers import World, code, make_unit, set_time
from tests.web.test_public import WORDS, object_to, world
from webapp.documents.models import Document
from webapp.engine.tables import process_instance
from webapp.notices.models import Objection
from webapp.registers.models import Filing, FilingItem

__all__ = ["world"]
LATE = datetime(2026, 11, 30, 2, tzinfo=UTC)  # then an objection needs no process


def count(session: Session) -> int:
    session.rollback()
    return int(session.scalar(select(func.count()).select_from(Objection)) or 0)


def elsewhere(session: Session) -> FilingItem:
    """An enterprise under publicity in no notice that is shown here."""
    unit = make_unit(session, "广州联匠软件技术有限公司", 3)
    filing = Filing(number="BA-2026-0099", lead_unit_id=unit.id, status="review", submitted_at=datetime.now(UTC))
    session.add(filing)
    session.flush()
    item = FilingItem(filing_id=filing.id, seq=1, name="广州乙有限公司", credit_code=code(77), status="public")
    session.add(item)
    session.commit()
    return item


def test_an_enterprise_that_is_not_in_the_notice_is_told_at_its_field(
    world: World, session: Session, client: Any, engine: Any
) -> None:
    for key in (str(uuid4()), str(elsewhere(session).id)):
        answer = object_to(client, world, filing_item_id=key)
        assert answer.status_code == 422
        assert "该企业不在这份公示中" in answer.text
        assert 'href="#f-filing_item_id"' in answer.text
        assert WORDS in answer.text
        assert 'value="020-81234567"' in answer.text
    for key in ("", "x", "' or 1=1", "\x00"):
        assert object_to(client, world, filing_item_id=key).status_code == 422
    assert count(session) == 0


def test_who_objects_too_often_keeps_the_words(world: World, session: Session, client: Any, engine: Any) -> None:
    set_time(session, LATE)
    for _n in range(6):
        object_to(client, world)
    answer = object_to(client, world)
    assert answer.status_code == 429
    assert "操作过于频繁" in answer.text
    assert WORDS in answer.text
    assert count(session) == 6


def test_a_program_that_fills_in_the_trap_writes_nothing(world: World, session: Session, client: Any) -> None:
    for words in ("x", "http://spam.example"):
        assert object_to(client, world, website=words).status_code == 303
    assert count(session) == 0
    assert session.scalar(select(func.count()).select_from(process_instance)) == 0


def test_an_objection_after_the_period_is_a_lead_and_holds_nobody_up(
    world: World, session: Session, client: Any, engine: Any
) -> None:
    set_time(session, datetime(2026, 11, 27, 16, 0, 1, tzinfo=UTC))  # 00:00:01 of the 28th in Beijing
    answer = object_to(client, world)
    assert answer.status_code == 303
    receipt = client.get(answer.location).text
    assert "线索" in receipt
    session.rollback()
    made = session.scalars(select(Objection)).one()
    assert (made.status, made.instance_id) == ("late", None)
    session.refresh(world.items[1])
    assert world.items[1].status == "public"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"words": "不实"}, "至少 20 字，现有 2 字"),
        ({"words": " \u3000" * 500}, "至少 20 字，现有 0 字"),
        ({"words": "长" * 2001}, "最多 2000 字"),
        ({"kind": "other2"}, "请选择异议类型"),
        ({"channel": ""}, "请选择实名或匿名"),
        ({"objector_name": ""}, "请填写您的姓名"),
        ({"objector_name": "长" * 101}, "请填写您的姓名"),
        ({"objector_contact": "没有"}, "请填写可以联系到您的电话号码"),
        ({"objector_contact": "１２３４５６"}, "请填写可以联系到您的电话号码"),
        ({"objector_contact": "1" * 41}, "请填写可以联系到您的电话号码"),
    ],
)
def test_what_is_wrong_is_told(world: World, session: Session, client: Any, changes: Any, words: str) -> None:
    answer = object_to(client, world, **changes)
    assert answer.status_code == 422
    assert words in answer.text
    assert count(session) == 0


def test_forged_evidence_is_passed_over_and_a_bad_file_is_told(
    world: World, session: Session, client: Any, sign_in: Any, engine: Any
) -> None:
    from tests.web.test_documents import send

    set_time(session, LATE)
    sign_in("lead_unit")
    send(client, pdf(), "他人的文件.pdf")
    theirs = session.scalars(select(Document)).one()
    client.post("/logout")
    assert object_to(client, world, evidence=str(theirs.id)).status_code == 303
    session.rollback()
    assert session.scalars(select(Objection)).one().evidence == []
    session.refresh(theirs)
    assert theirs.root_instance_id is None
    answer = client.post("/public/evidence", data={"file": ""}, content_type="multipart/form-data")
    assert answer.status_code == 422


def test_a_full_disk_keeps_the_words(
    world: World, session: Session, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    head = "".join(
        f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {"words": WORDS, "kind": "material", "channel": "anonymous"}.items()
    )
    head += '--cut\r\nContent-Disposition: form-data; name="evidence__file"; filename="a.pdf"\r\n\r\n'
    answer = client.post(
        f"/public/notices/{world.notice.id}/objection",
        data=head.encode() + pdf() + b"\r\n--cut--\r\n",
        content_type="multipart/form-data; boundary=cut",
    )
    assert answer.status_code == 507
    assert "存储空间已满" in answer.text
    assert WORDS in answer.text
    assert count(session) == 0


def test_markup_in_an_objection_is_shown_as_text(
    world: World, session: Session, client: Any, sign_in: Any, engine: Any
) -> None:
    set_time(session, LATE)
    evil = "<script>alert('该公司所报财务数据与年报不符，请核实')</script>{{7*7}}"
    assert object_to(client, world, words=evil, objector_name="<b>某甲</b>").status_code == 303
    session.rollback()
    made = session.scalars(select(Objection)).one()
    sign_in("office")
    page = client.get(f"/notices/objections/{made.id}").text
    assert evil in unescape(page)
    assert "<script>alert" not in page
    assert "<b>某甲" not in page
    assert "49" not in page.split("财务数据", 1)[1][:60]


def test_a_notice_that_does_not_exist_takes_nothing(world: World, client: Any) -> None:
    assert client.post(f"/public/notices/{uuid4()}/objection", data={"words": WORDS}).status_code == 404
    assert client.get("/public/notices/1/objection").status_code == 404
