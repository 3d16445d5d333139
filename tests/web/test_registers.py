"""The registers' pages: what each role sees, lists with filters and pages, and exports with the same figures."""

from __future__ import annotations

import csv
import io
from typing import Any
from uuid import uuid4

import pytest
from openpyxl import load_workbook
from sqlalchemy.orm import Session

from tests.support_registers import NOW, World, make_member, make_unit, make_world, set_time
from webapp.registers import history

LISTS = ("lead-units", "consortium", "filings", "barred", "documents", "interpretations/")
SEE_ALL = ("office", "working_group", "bureau_meeting", "manager")


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


@pytest.mark.parametrize("role", SEE_ALL)
def test_the_working_groups_side_sees_every_lead_unit(world: World, client: Any, sign_in: Any, role: str) -> None:
    sign_in(role)
    page = text(client, "/registers/lead-units")
    assert world.unit.name in page
    assert world.other.name in page
    for path in LISTS:
        text(client, f"/registers/{path}")
    assert world.other.name in text(client, f"/registers/lead-units/{world.other.id}")


@pytest.mark.parametrize("role", ["lead_unit", "lead_unit_head"])
def test_a_lead_unit_sees_its_own_entries_alone(world: World, client: Any, sign_in: Any, role: str) -> None:
    sign_in(role, organisation=world.organisation)
    assert client.get("/registers/").headers["Location"].endswith(str(world.unit.id))
    for path in ("lead-units", "consortium?view=all", "filings?view=all"):
        page = text(client, f"/registers/{path}")
        assert world.other.name not in page
        assert "朗程" not in page
    assert "睿桥" in text(client, "/registers/consortium")
    assert world.filing.number in text(client, f"/registers/filings/{world.filing.id}")
    text(client, f"/registers/lead-units/{world.other.id}", 404)
    text(client, "/registers/barred", 403)
    text(client, "/notices/objections", 403)
    export = client.get("/registers/consortium.csv?view=all").get_data(as_text=True)
    assert "睿桥" in export
    assert "朗程" not in export


def test_another_lead_units_filing_and_enterprise_do_not_exist_for_it(
    world: World, session: Session, client: Any, sign_in: Any
) -> None:
    stranger = make_unit(session, "广州联匠软件技术有限公司", 3)
    session.commit()
    sign_in("lead_unit", organisation=stranger.organisation)
    text(client, f"/registers/filings/{world.filing.id}", 404)
    text(client, f"/registers/consortium/{world.member.id}", 404)


@pytest.mark.parametrize("role", ["expert", "designer", "sysadmin", "secadmin", "auditor", "pilot_enterprise"])
def test_other_roles_have_no_registers(world: World, client: Any, sign_in: Any, role: str) -> None:
    sign_in(role)
    for path in LISTS:
        text(client, f"/registers/{path}", 403)
    text(client, f"/registers/lead-units/{world.unit.id}", 403)


def test_nobody_signed_in_is_led_to_the_sign_in(world: World, client: Any) -> None:
    assert client.get("/registers/lead-units").status_code == 303


def test_what_does_not_exist_is_not_found(world: World, client: Any, sign_in: Any) -> None:
    sign_in("office")
    for path in ("lead-units", "consortium", "filings", "interpretations"):
        text(client, f"/registers/{path}/{uuid4()}", 404)


def test_the_list_as_of_a_day_has_who_was_a_member_on_it(world: World, client: Any, sign_in: Any) -> None:
    sign_in("office")
    assert "衡越" not in text(client, "/registers/consortium")
    then = text(client, "/registers/consortium?view=all&as_of=2026-06-30")
    assert "衡越" in then
    assert "睿桥" in then
    assert "衡越" not in text(client, "/registers/consortium?view=all&as_of=2026-09-11")
    assert "睿桥" not in text(client, "/registers/consortium?view=all&as_of=2026-03-01")
    text(client, "/registers/consortium?as_of=nonsense")


def test_search_takes_signs_literally_and_in_full_width(world: World, client: Any, sign_in: Any) -> None:
    sign_in("office")
    assert "睿桥" in text(client, "/registers/consortium?q=睿桥")
    assert "没有符合条件" in text(client, "/registers/consortium?q=%25")
    assert "没有符合条件" in text(client, "/registers/consortium?q=_")
    wide = "".join(chr(ord(c) + 0xFEE0) for c in world.member.credit_code)
    assert "睿桥" in text(client, f"/registers/consortium?q={wide}")


def test_long_lists_have_pages_and_every_entry_once(world: World, session: Session, client: Any, sign_in: Any) -> None:
    for n in range(120):
        make_member(session, world.other, f"企业{n:03d}", 1000 + n, world.member.since)
    session.commit()
    sign_in("office")
    seen: list[str] = []
    for number in (1, 2, 3):
        page = text(client, f"/registers/consortium?view=all&page={number}")
        seen += [f"企业{n:03d}" for n in range(120) if f"企业{n:03d}" in page]
    assert sorted(seen) == [f"企业{n:03d}" for n in range(120)]
    assert "共 123 件" in page
    assert "企业119" in text(client, "/registers/consortium?view=all&sort=-name&q=企业1")
    text(client, "/registers/consortium?page=9999")
    text(client, "/registers/consortium?page=x&sort=nothing&view=none&unit=none")


def test_exports_have_the_same_figures_as_the_page_and_run_nothing(
    world: World, session: Session, client: Any, sign_in: Any
) -> None:
    make_member(session, world.unit, '=HYPERLINK("http://x")', 41, world.member.since)
    make_member(session, world.unit, "@SUM(1)", 42, world.member.since)
    session.commit()
    sign_in("office")
    address = "?view=all&q=&sort=name"
    answer = client.get(f"/registers/consortium.csv{address}")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    table = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    book = load_workbook(io.BytesIO(client.get(f"/registers/consortium.xlsx{address}").data))
    cells = [["" if c is None else str(c) for c in row] for row in book.active.values]  # type: ignore[union-attr]
    assert table == cells
    assert len(table) == 1 + 5
    assert not [c for row in table for c in row if c.startswith(("=", "+", "-", "@"))]
    assert "'=HYPERLINK" in answer.data.decode("utf-8-sig")
    kinds = {c.data_type for row in book.active.iter_rows(min_row=2) for c in row}  # type: ignore[union-attr]
    assert "f" not in kinds


def test_a_lead_units_page_tells_its_career(world: World, session: Session, client: Any, sign_in: Any) -> None:
    before = history.snapshot(world.unit)
    world.unit = session.merge(world.unit)
    world.unit.legal_rep = "新任"
    history.record(session, world.unit, "changed", before=before)
    session.commit()
    sign_in("office")
    page = text(client, f"/registers/lead-units/{world.unit.id}")
    for words in (
        "列入牵引单位名单",
        "联合体新增",
        "联合体退出 1 家企业",
        "提交备案，申请新增 2 家企业",
        "法定代表人：某某 → 新任",
    ):
        assert words in page
    only = text(client, f"/registers/lead-units/{world.unit.id}?kind=filing")
    assert "提交备案" in only
    assert "联合体退出 1 家企业" not in only.split('id="record"')[1]


def test_id_numbers_stand_on_no_page_of_the_registers(
    world: World, session: Session, client: Any, sign_in: Any
) -> None:
    item = session.merge(world.items[0])
    before = history.snapshot(item)
    item.id_number, item.status = "110105194912310038", "objected"
    history.record(session, item, "status", before=before)
    session.commit()
    sign_in("office")
    for path in (f"filings/{world.filing.id}", "filings", f"lead-units/{world.unit.id}"):
        page = text(client, f"/registers/{path}")
        assert "1101051949" not in page


def test_the_office_enters_an_interpretation(world: World, client: Any, sign_in: Any) -> None:
    sign_in("office")
    entered = {"clause": "4.5", "topic": "free", "text": "短", "signed_by": "", "signed_on": "2027-01-01"}
    answer = client.post("/registers/interpretations/new", data=entered)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    for words in ("请选择被解释的条款", "至少 10 字", "请填写签发人", "晚于今天"):
        assert words in page
    entered = {
        "clause": "4.6.1",
        "topic": "no_accounts",
        "text": "新成立的企业没有上年度财务资料的，可以提交验资报告。",
        "signed_by": "某某",
        "signed_on": "2026-11-20",
    }
    answer = client.post("/registers/interpretations/new", data=entered, follow_redirects=True)
    page = answer.get_data(as_text=True)
    assert "穗工信解释〔2026〕2 号" in page
    assert entered["text"] in page
    assert entered["text"] in text(client, "/regulation/")


def test_only_the_office_enters_interpretations(world: World, client: Any, sign_in: Any) -> None:
    sign_in("working_group")
    text(client, "/registers/interpretations/new", 403)


def test_the_regulation_page_has_every_clause_and_no_4_5(client: Any, sign_in: Any) -> None:
    sign_in("lead_unit")
    page = text(client, "/regulation/")
    for words in (
        "共 50 条",
        "存在以上情形的牵引单位，经市工业和信息化局局务会审议确认后进行清退。",
        "原文没有第 4.5 条",
    ):
        assert words in page
    assert page.count('class="article"') == 50
