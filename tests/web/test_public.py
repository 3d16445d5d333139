"""Pages without an account: notices, objections within and after the period, the list as of a day, checking a file."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support_documents import image, pdf
from tests.support_registers import NOW, World, make_world, set_time
from webapp.documents import service as documents
from webapp.documents.models import Document
from webapp.notices.models import Notice, Objection

WORDS = "该公司上年度财务报表所列主营业务收入与其公开的年报数相差较大，请予核实。"


@pytest.fixture
def world(session: Session) -> World:
    set_time(session, NOW)
    made = make_world(session)
    session.commit()
    return made


def text(client: Any, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return str(answer.get_data(as_text=True))


def entered(world: World, **changes: str) -> dict[str, str]:
    return {
        "filing_item_id": str(world.items[1].id),
        "kind": "material",
        "words": WORDS,
        "channel": "named",
        "objector_name": "某甲",
        "objector_contact": "020-81234567",
        "hide_identity": "true",
        **changes,
    }


def object_to(client: Any, world: World, **changes: str) -> Any:
    return client.post(f"/public/notices/{world.notice.id}/objection", data=entered(world, **changes))


def test_a_notice_is_read_without_an_account(world: World, client: Any) -> None:
    page = text(client, "/public/")
    assert world.notice.title in page
    page = text(client, f"/public/notices/{world.notice.id}")
    for words in (
        world.notice.number or "",
        "还剩 3 个工作日（含今日）",
        "广州禾量传感技术有限公司",
        "申请新增 2 家",
        "工作小组分批次将通过审核的",
        "提出异议",
    ):
        assert words in page
    assert "11010519" not in page


def test_a_draft_is_not_public(world: World, session: Session, client: Any) -> None:
    draft = Notice(kind="publicity", title="还没有签发的公示")
    session.add(draft)
    session.commit()
    assert draft.title not in text(client, "/public/")
    text(client, f"/public/notices/{draft.id}", 404)
    text(client, f"/public/notices/{draft.id}/objection", 404)


def test_notices_are_found_by_enterprise_number_and_kind(world: World, client: Any) -> None:
    assert world.notice.title in text(client, "/public/?q=禾量")
    assert world.notice.title in text(client, "/public/?q=公示〔2026〕7")
    assert world.notice.title not in text(client, "/public/?q=没有这家企业")
    assert world.notice.title not in text(client, "/public/?kind=withdrawal")


def test_a_withdrawn_notice_stays_readable_and_takes_no_objection(world: World, session: Session, client: Any) -> None:
    notice = session.merge(world.notice)
    notice.status = "withdrawn"
    session.add(
        Notice(
            kind="withdrawal",
            number="穗工信撤回〔2026〕1 号",
            title="关于撤回公示的公告",
            body="名单汇总有误。",
            status="published",
            corrects_id=notice.id,
            published_at=NOW,
        )
    )
    session.commit()
    page = text(client, f"/public/notices/{notice.id}")
    assert "已撤回，公示期终止" in page
    assert "关于撤回公示的公告" in page
    assert "提出异议</a>" not in page
    assert object_to(client, world).status_code == 302


def test_an_incomplete_objection_is_told_what_is_missing_and_kept(world: World, client: Any) -> None:
    answer = object_to(client, world, words="太短", kind="", objector_contact="甲", objector_name="")
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    for words in (
        "请选择异议类型",
        "至少 20 字，现有 2 字",
        "请填写可以联系到您的电话号码",
        "请填写您的姓名或单位名称",
    ):
        assert words in page
    assert "太短</textarea>" in page


def test_a_program_that_fills_in_the_trap_is_not_heard(world: World, session: Session, client: Any) -> None:
    assert object_to(client, world, website="http://x").status_code == 303
    assert session.scalars(select(Objection)).all() == []


def test_after_the_period_it_is_told_to_be_a_lead(world: World, session: Session, client: Any, engine: Any) -> None:
    set_time(session, datetime(2026, 11, 30, 2, tzinfo=UTC))
    page = text(client, f"/public/notices/{world.notice.id}")
    assert "公示期已满" in page
    assert "反映线索" in page
    assert "作为线索" in text(client, f"/public/notices/{world.notice.id}/objection")
    answer = object_to(client, world)
    assert answer.status_code == 303
    page = client.get(answer.headers["Location"]).get_data(as_text=True)
    assert "线索已收到" in page
    assert session.scalars(select(Objection)).one().status == "late"


def test_the_very_end_of_the_period_divides(world: World, session: Session, client: Any) -> None:
    ends = world.notice.period_ends_at
    assert ends is not None
    assert ends == datetime(2026, 11, 27, 16, tzinfo=UTC)
    set_time(session, ends - timedelta(minutes=1))
    assert "不影响名单的发布" not in text(client, f"/public/notices/{world.notice.id}/objection")
    set_time(session, ends)
    assert "不影响名单的发布" in text(client, f"/public/notices/{world.notice.id}/objection")


def test_a_late_objection_has_a_receipt_and_an_answer_by_number_and_code(
    world: World, session: Session, client: Any, engine: Any
) -> None:
    set_time(session, datetime(2026, 11, 30, 2, tzinfo=UTC))
    page = client.get(object_to(client, world, channel="anonymous").headers["Location"]).get_data(as_text=True)
    made = session.scalars(select(Objection)).one()
    assert made.objector_name == ""
    assert made.receipt_number in page
    assert made.lookup_code in page
    wrong = client.post("/public/objections/answer", data={"number": made.receipt_number, "code": "WRONG234"})
    assert wrong.status_code == 422
    assert "编号或查询码不符" in wrong.get_data(as_text=True)
    typed = {"number": made.receipt_number.lower(), "code": f" {made.lookup_code.lower()} "}
    page = client.post("/public/objections/answer", data=typed).get_data(as_text=True)
    assert "作为线索" in page
    assert WORDS not in page


def test_codes_cannot_be_tried_for_ever(world: World, client: Any) -> None:
    typed = {"number": "YY-2026-0001", "code": "A"}
    found = [client.post("/public/objections/answer", data=typed).status_code for _n in range(11)]
    assert found == [422] * 10 + [429]


def test_objections_from_one_address_are_limited(world: World, session: Session, client: Any, engine: Any) -> None:
    set_time(session, datetime(2026, 11, 30, 2, tzinfo=UTC))
    found = [object_to(client, world).status_code for _n in range(7)]
    assert found == [303] * 6 + [429]


def test_evidence_is_sent_with_a_token_and_never_read_back(
    world: World, session: Session, client: Any, engine: Any
) -> None:
    set_time(session, datetime(2026, 11, 30, 2, tzinfo=UTC))
    sent = client.post("/public/evidence", data={"file": (io.BytesIO(image()), "截图.png"), "name": "evidence"})
    assert sent.status_code == 200
    page = sent.get_data(as_text=True)
    document = session.scalars(select(Document)).one()
    assert str(document.id) not in page
    text(client, f"/documents/{document.id}", 404)
    found = re.search(r'name="evidence" value="([^"]+)"', page)
    assert found
    data = {**entered(world), "evidence": [found[1], "forged", str(document.id)]}
    assert client.post(f"/public/notices/{world.notice.id}/objection", data=data).status_code == 303
    assert session.scalars(select(Objection)).one().evidence == [str(document.id)]
    refused = client.post("/public/evidence", data={"file": (io.BytesIO(b"MZ"), "a.pdf")})
    assert refused.status_code == 422
    assert "不是 PDF、JPEG 或 PNG" in refused.get_json()["message"]


def test_evidence_comes_with_the_form_where_there_are_no_scripts(
    world: World, session: Session, client: Any, engine: Any
) -> None:
    set_time(session, datetime(2026, 11, 30, 2, tzinfo=UTC))
    address = f"/public/notices/{world.notice.id}/objection"
    bad = client.post(address, data={**entered(world), "evidence__file": (io.BytesIO(b"MZ"), "a.exe")})
    assert bad.status_code == 422
    assert "不是 PDF、JPEG 或 PNG" in bad.get_data(as_text=True)
    good = client.post(address, data={**entered(world), "evidence__file": (io.BytesIO(pdf()), "材料.pdf")})
    assert good.status_code == 303
    assert len(session.scalars(select(Objection)).one().evidence) == 1


def test_the_public_list_as_of_a_day(world: World, client: Any) -> None:
    page = text(client, "/public/lists")
    assert "2 家牵引单位，2 家企业" in page
    assert "历次发布" in page
    then = text(client, "/public/lists?as_of=2026-06-30")
    assert "这不是现行名单。与今日相比，之后新增 0 家、退出 1 家。" in then
    assert "衡越" in then
    assert "衡越" in text(client, "/public/lists/changes?since=2026-06-30")
    assert "今日" in text(client, "/public/lists?as_of=2999-01-01")
    assert "没有符合条件" in text(client, "/public/lists?q=没有这家")
    assert '<mark class="found">睿桥</mark>' in text(client, "/public/lists?q=睿桥")
    text(client, "/public/lists?as_of=x&unit=y&page=z")


def test_the_public_list_is_downloaded_with_the_same_figures(world: World, client: Any) -> None:
    address = "?as_of=2026-06-30"
    table = list(csv.reader(io.StringIO(client.get(f"/public/lists.csv{address}").data.decode("utf-8-sig"))))
    book = load_workbook(io.BytesIO(client.get(f"/public/lists.xlsx{address}").data))
    assert table == [["" if c is None else str(c) for c in row] for row in book.active.values]  # type: ignore[union-attr]
    assert len(table) == 1 + 3
    text(client, "/public/lists.csv?unit=nonsense", 404)


def test_a_published_file_is_recognised_and_a_changed_one_is_not(world: World, session: Session, client: Any) -> None:
    original = pdf(2)
    made = documents.store_made(
        session, kind="publicity", filename="公示.pdf", media_type="application/pdf", content=original, public=True
    )
    notice = session.merge(world.notice)
    notice.pdf_id = made.id
    session.commit()
    assert made.digest in text(client, f"/public/notices/{notice.id}")

    def verify(**data: Any) -> str:
        return str(client.post("/public/verify", data=data).get_data(as_text=True))

    assert "是本站发布的原件" in verify(file=(io.BytesIO(original), "x.pdf"))
    assert notice.title in verify(digest=made.digest.upper())
    assert "本站没有发布过这个文件" in verify(file=(io.BytesIO(original + b" "), "x.pdf"))
    assert "请选择文件" in verify(digest="123")


def test_the_office_enters_a_letter(world: World, session: Session, client: Any, sign_in: Any, engine: Any) -> None:
    sign_in("office")
    page = text(client, "/notices/objections/letter")
    option = f"{world.notice.id}:{world.items[0].id}"
    assert option in page
    assert client.post("/notices/objections/letter", data={}).status_code == 422
    letter = {
        "item": option,
        "kind": "other",
        "words": WORDS,
        "objector_name": "某单位",
        "received_on": "2026-11-26T10:00",
    }
    answer = client.post("/notices/objections/letter", data=letter)
    assert answer.status_code == 422
    assert "收到时间晚于现在" in answer.get_data(as_text=True)


def test_only_the_office_enters_letters_and_lead_units_see_no_objections(
    world: World, client: Any, sign_in: Any
) -> None:
    sign_in("working_group")
    text(client, "/notices/objections/letter", 403)
    text(client, "/notices/")
    assert world.items[0].name in text(client, f"/notices/{world.notice.id}")
    sign_in("lead_unit", organisation=world.organisation)
    for path in ("/notices/", "/notices/objections", f"/notices/{world.notice.id}"):
        text(client, path, 403)
