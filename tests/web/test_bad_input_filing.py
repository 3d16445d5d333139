"""A filing with something wrong in it: a sentence at its field, nothing lost, a draft kept."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from tests.support import Client
from tests.support_bad_input import error_at, fields, person, rows, send, signed_in, start_filing, task_row
from webapp import clock
from webapp.demo import make
from webapp.engine.tables import process_instance, user_task
from webapp.inbox.models import Draft
from webapp.registers.checks import credit_check_character, id_check_character
from webapp.registers.models import ConsortiumEnterprise, FilingItem, LeadUnit


@pytest.fixture
def staff(demo_data: str, app: Any, session: Any) -> Client:
    """The lead unit's officer at a browser."""
    return signed_in(app, session, "lead_unit")


@pytest.fixture
def task(staff: Client) -> UUID:
    return start_filing(staff)


@pytest.fixture
def row(staff: Client, session: Any) -> dict[str, Any]:
    return rows(session, "lead_unit", [900])[0]


def unit(session: Any) -> LeadUnit:
    found = session.scalars(
        select(LeadUnit).where(LeadUnit.organisation_id == person(session, "lead_unit").organisation_id)
    )
    return found.unique().one()


CODE = make.credit_code(700_000 + 900 * 37, "440106")
ID = make.id_number(900 * 13 + 5, "440106")


def _off(code: str) -> str:
    return code[:-1] + ("0" if code[-1] != "0" else "1")


def _id(first17: str) -> str:
    return first17 + id_check_character(first17)


WRONG = {
    "check digit of the code": ("credit_code", _off(CODE), "校验位不符"),
    "letter I": ("credit_code", CODE[:10] + "I" + CODE[11:], "不使用字母 I，请核对第 11 位"),
    "letter O": ("credit_code", CODE[:12] + "O" + CODE[13:], "不使用字母 O，请核对第 13 位"),
    "letter Z": ("credit_code", CODE[:16] + "Z" + CODE[17:], "不使用字母 Z，请核对第 17 位"),
    "letter S, small and wide": ("credit_code", CODE[:11] + "ｓ" + CODE[12:], "不使用字母 S，请核对第 12 位"),
    "letter V": ("credit_code", CODE[:17] + "V", "不使用字母 V，请核对第 18 位"),
    "too short": ("credit_code", CODE[:17], "应为 18 位，您填写了 17 位"),
    "Chinese in the code": ("credit_code", CODE[:17] + "壹", "请核对第 18 位“壹”"),
    "another script's digits": ("credit_code", "٩" + CODE[1:], ""),
    "no code": ("credit_code", " \u3000", "请填写统一社会信用代码"),
    "check digit of the ID": ("id_number", _off(ID), "校验位不符"),
    "a day that is none": ("id_number", _id("44010619900231001"), "1990-02-31 不存在"),
    "born tomorrow": ("id_number", _id("44010629990101001"), "晚于今天"),
    "born long ago": ("id_number", _id("44010618000101001"), "过早"),
    "no such province": ("id_number", _id("99010619900131001"), "前 2 位“99”"),
    "old number of 15 digits": ("id_number", "440106900131001", "应为 18 位，您填写了 15 位"),
    "X in the middle": ("id_number", ID[:9] + "X" + ID[10:], "请核对第 10 位"),
    "text for capital": ("registered_capital", "五百万", "要填数字，您填的是“五百万”"),
    "capital below zero": ("registered_capital", "-1", "不能小于 0"),
    "infinite capital": ("registered_capital", "Infinity", "要填数字"),
    "capital beyond all bounds": ("registered_capital", "9" * 24, "不能大于 100000000 万元"),
    "capital in exponents": ("registered_capital", "1e3", "要填数字"),
    "fractions of a fen": ("registered_capital", "1.23456", "最多保留 2 位小数"),
    "text for a date": ("founded_on", "去年", "不是有效的日期"),
    "a date that does not exist": ("founded_on", "2023-02-29", "不是有效的日期"),
    "founded tomorrow": ("founded_on", "tomorrow", "晚于今天"),
    "report of tomorrow": ("credit_report_on", "tomorrow", "晚于今天"),
    "accounts of this year": ("fiscal_year", "this year", "应提交上一年度"),
    "accounts of long ago": ("fiscal_year", "1999", "应提交上一年度"),
    "half a year": ("fiscal_year", "2024.5", "整数"),
    "no name": ("name", "", "请填写企业名称"),
    "a name without end": ("name", "长" * 101, "最多 100 个字"),
    "a need without end": ("need", "长" * 200_000, "最多 300 个字"),
    "an option that is none": ("id_kind", "passport", "选项已变化"),
    "a file that is none": ("licence", "x", ""),
    "a file that does not exist": ("licence", str(uuid4()), ""),
    "no file": ("identity", "", "请上传法人身份证复印件"),
}


def _value(value: str) -> str:
    words = {"tomorrow": (clock.today() + timedelta(days=1)).isoformat(), "this year": str(clock.today().year)}
    return words.get(value, value)


def test_each_wrong_entry_is_told_at_its_field_and_everything_is_kept(
    staff: Client, session: Any, task: UUID, row: dict[str, Any]
) -> None:
    """One filing with one wrong field in each enterprise."""
    names = list(WRONG)
    entered = []
    for place, name in enumerate(names):
        field, value, _words = WRONG[name]
        one = {**row, "credit_code": make.credit_code(800_000 + place), "name": f"广州第{place}号有限公司"}
        entered.append({**one, field: _value(value)})
    answer = send(staff, task, fields(entered))
    assert answer.status_code == 422
    missing = []
    for place, name in enumerate(names):
        field, value, words = WRONG[name]
        told = error_at(answer.text, f"enterprises[{place}].{field}")
        if not told or words not in told:
            missing.append((name, told))
        if len(value) > 1 and field not in {"licence", "id_kind", "need"} and value.strip():
            assert f'value="{_value(value)[:20]}' in answer.text or name in {"letter S, small and wide"}, name
    assert missing == []
    assert answer.text.count('class="field-error"') == len(names)
    assert "Traceback" not in answer.text
    session.rollback()
    kept = session.get(Draft, (task, person(session, "lead_unit").id)).data["enterprises"]
    assert len(kept) == len(names)
    assert kept[names.index("text for capital")]["registered_capital"] == "五百万"
    assert task_row(session, task).status == "open"
    again = staff.get(f"/tasks/{task}").text
    assert 'value="五百万"' in again
    assert 'value="去年"' in again


def test_full_width_and_spaced_entries_are_understood(
    staff: Client, session: Any, task: UUID, row: dict[str, Any]
) -> None:
    wide = str.maketrans({c: chr(ord(c) + 0xFEE0) for c in "0123456789ABCDEFGHJKLMNPQRTUWXY"})
    entered = {
        **row,
        "credit_code": row["credit_code"].lower().translate(wide),
        "id_number": f" {row['id_number'][:6]} {row['id_number'][6:]}\u200b",
        "registered_capital": "１，０００",
        "founded_on": "2015年3月8日",
    }
    answer = send(staff, task, fields([entered]))
    assert answer.status_code == 303, [error_at(answer.text, f"enterprises[0].{f}") for f in entered]
    found = task_row(session, task)
    variables = dict(session.scalar(select(user_task.c.form_data).where(user_task.c.id == task)))
    assert found.status == "completed"
    assert row["credit_code"] in str(variables)


def test_the_sentences_are_in_the_language_of_the_page(staff: Client, task: UUID, row: dict[str, Any]) -> None:
    staff.get("/tasks?lang=en")
    wrong = {**row, "credit_code": _off(row["credit_code"]), "registered_capital": "much", "licence": ""}
    page = send(staff, task, fields([wrong], need="")).text
    told = [
        error_at(page, field)
        for field in ("need", *(f"enterprises[0].{name}" for name in ("credit_code", "registered_capital", "licence")))
    ]
    assert all(told)
    labels = ("改造需求", "注册资本", "营业执照")  # the labels are the model's own words
    for words in told:
        for label in labels:
            words = words.replace(label, "")
        assert words.isascii() or not any("\u4e00" <= c <= "\u9fff" for c in words), words


def test_an_enterprise_that_may_not_be_filed_is_told_where_it_stands(
    staff: Client, session: Any, task: UUID, row: dict[str, Any]
) -> None:
    own = unit(session)
    member = session.scalars(
        select(ConsortiumEnterprise).where(
            ConsortiumEnterprise.lead_unit_id == own.id, ConsortiumEnterprise.until.is_(None)
        )
    ).first()
    open_item = session.scalars(
        select(FilingItem).where(FilingItem.status == "review", FilingItem.filing.has(lead_unit_id=own.id))
    ).first()
    second = {**row, "name": "广州另一家有限公司", "credit_code": row["credit_code"].lower()}
    entered = [
        row,
        second,
        {**row, "credit_code": own.credit_code},
        {**row, "credit_code": member.credit_code},
        {**row, "credit_code": open_item.credit_code},
    ]
    page = send(staff, task, fields(entered))
    assert page.status_code == 422
    told = [error_at(page.text, f"enterprises[{n}].credit_code") for n in range(5)]
    assert told[0] == ""
    assert "与本次备案的第 1 家重复" in told[1]
    assert "本单位自己的统一社会信用代码" in told[2]
    assert "已在本单位联合体名单中" in told[3]
    assert "另一件备案" in told[4]


def test_a_file_of_another_unit_is_none(staff: Client, app: Any, session: Any, task: UUID, row: dict[str, Any]) -> None:
    theirs = rows(session, "lead_unit_b", [901])[0]
    page = send(staff, task, fields([{**row, "licence": theirs["licence"]}]))
    assert page.status_code == 422
    assert error_at(page.text, "enterprises[0].licence")
    assert staff.get(f"/documents/{theirs['licence'][0]}").status_code == 404


# ---- forms that are not ours


def test_a_field_that_the_form_does_not_have_is_refused_and_nothing_lost(
    staff: Client, session: Any, task: UUID, row: dict[str, Any]
) -> None:
    for extra in ("status", "enterprises[0].lead_unit_id", "enterprises[0].name.x", "__class__", "enterprises[1]x"):
        page = send(staff, task, fields([row], **{extra: "1"}))
        assert page.status_code == 422
        assert "本表没有的字段" in page.text
        assert row["name"] in page.text
    assert task_row(session, task).status == "open"


def test_rows_beyond_all_bounds_are_told(staff: Client, session: Any, task: UUID) -> None:
    many = {f"enterprises[{n}].name": f"第{n}家" for n in range(520)}
    page = send(staff, task, {**fields([]), **many})
    assert page.status_code == 422
    assert "最多 200" in page.text
    far = send(staff, task, {**fields([]), "enterprises[999999].name": "远方", "enterprises[1000000].name": "更远"})
    assert far.status_code == 422
    assert 'value="远方"' in far.text


def test_a_text_of_a_million_characters_is_told_at_its_field(staff: Client, task: UUID, row: dict[str, Any]) -> None:
    page = send(staff, task, fields([row], need="长" * 1_000_000))
    assert page.status_code == 422
    assert "最多 300 个字" in error_at(page.text, "need")


@pytest.mark.parametrize("token", ["", "foreign", "IjEyMyI.Zw.xyz"])
def test_without_a_token_of_this_session_nothing_is_done_and_the_text_is_shown(
    staff: Client, session: Any, task: UUID, row: dict[str, Any], token: str
) -> None:
    sent = fields([row], csrf_token=token)
    answer = send(staff, task, sent, csrf=False)
    assert answer.status_code == 400
    assert "没有提交" in answer.text
    assert "请返回上一页" in answer.text
    assert row["need"] in answer.text
    assert row["name"] in answer.text
    assert task_row(session, task).status == "open"
    answer = staff.post(f"/tasks/{task}/draft", data=sent, csrf=False, headers={"Accept": "application/json"})
    assert answer.status_code == 400
    assert "没有提交" in answer.get_json()["message"]


def test_a_token_of_another_person_is_foreign(staff: Client, app: Any, session: Any, task: UUID, row: Any) -> None:
    thief = signed_in(app, session, "lead_unit_b")
    answer = send(staff, task, fields([row], csrf_token=thief.csrf_token()), csrf=False)
    assert answer.status_code == 400
    assert task_row(session, task).status == "open"


def test_a_password_is_never_shown_again(client: Client, app: Any) -> None:
    answer = client.post("/login", data={"username": "office", "password": "Geheim-2026!"}, csrf=False)
    assert answer.status_code == 400
    assert "Geheim" not in answer.text


# ---- two at once


def test_two_people_at_once_one_wins_and_the_other_keeps_the_words(
    staff: Client, app: Any, session: Any, task: UUID, row: dict[str, Any]
) -> None:
    staff.post(f"/tasks/{task}/claim")
    assert send(staff, task, fields([row])).status_code == 303
    open_task = session.scalars(
        select(user_task.c.id).where(user_task.c.status == "open", user_task.c.element_id == "confirm_submission")
    ).all()[-1]
    session.rollback()
    heads = [signed_in(app, session, "lead_unit_head") for _n in range(2)]
    session.rollback()
    answers: list[Any] = [None, None]
    ready = threading.Barrier(2)

    def press(n: int) -> None:
        ready.wait()
        sent = {"confirm_opinion": f"同意提交（{n}）。", "outcome": "confirm"}
        answers[n] = send(heads[n], open_task, sent)

    threads = [threading.Thread(target=press, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(a.status_code for a in answers) == [303, 409]
    late = next(n for n in range(2) if answers[n].status_code == 409)
    assert "您已于" in answers[late].text
    assert f"同意提交（{late}）。" in answers[late].text
    filings = select(func.count()).select_from(FilingItem).where(FilingItem.credit_code == row["credit_code"])
    assert session.scalar(filings) == 1


def test_the_second_person_learns_who_and_when(app: Any, demo_data: str, session: Any) -> None:
    review = session.execute(
        select(user_task).where(user_task.c.status == "open", user_task.c.element_id == "review").limit(1)
    ).one()
    session.rollback()
    first, second = signed_in(app, session, "office"), signed_in(app, session, "office2")
    opinion = {"review_opinion": "四项材料齐全、有效，与申报一致。"}
    verdicts = {f"{m}_verdict": "pass" for m in ("licence", "identity", "accounts", "credit_report")}
    sent = {**opinion, **verdicts, "outcome": "pass"}
    done = send(first, review.id, sent)
    if done.status_code == 422:  # a warning of the registers that the reviewer must answer
        sent |= {"barred_answer": "no_effect", "barred_reason": "与原违规行为无关，不影响本次备案。"}
        done = send(first, review.id, sent)
    assert done.status_code == 303, done.text
    mine = "我认为营业执照不清晰，应当补正。"
    answer = send(second, review.id, {**sent, "review_opinion": mine, "outcome": "return"})
    assert answer.status_code == 409
    assert "陈思远" in answer.text
    assert "办结" in answer.text
    assert mine in answer.text
    session.rollback()
    kept = session.get(Draft, (review.id, person(session, "office2").id))
    assert kept.data["review_opinion"] == mine
    assert second.get(f"/tasks/{review.id}").status_code == 200
    late = second.post(f"/tasks/{review.id}/claim", headers={"Accept": "application/json"})
    assert late.status_code == 409
    assert "陈思远" in late.get_json()["message"]


def test_a_stale_page_of_a_case_that_moved_on_is_told(
    staff: Client, app: Any, session: Any, task: UUID, row: Any
) -> None:
    assert send(staff, task, fields([row])).status_code == 303
    for path, data in (
        ("", fields([row])),
        ("/draft", fields([row])),
        ("/claim", {}),
        ("/release", {}),
        ("/transfer", {"to": str(uuid4()), "reason": "出差"}),
        ("/form?changed=need", fields([row])),
    ):
        answer = send(staff, task, data, path)
        assert answer.status_code == 409, path
        assert "办结" in answer.text
    assert (
        session.scalar(
            select(func.count())
            .select_from(process_instance)
            .where(process_instance.c.id == task_row(session, task).instance_id)
        )
        == 1
    )


def test_a_form_of_an_older_version_still_fits_its_own_case(
    staff: Client, engine: Any, config: Any, session: Any, task: UUID, row: dict[str, Any]
) -> None:
    """A new version with another form is deployed while the page is open: the case keeps its own form."""
    import orjson

    from webapp.engine import deployment

    folder = config.processes_dir / "partner_filing"
    resources = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in {".bpmn", ".dmn", ".json"} and "scenarios" not in path.parts
    }
    name = "forms/prepare_filing.json"
    form = orjson.loads(resources[name])
    extra = {
        "type": "textfield",
        "id": "later_1",
        "key": "later",
        "label": "后加的必填项",
        "validate": {"required": True},
    }
    form["components"].append(extra)
    resources[name] = orjson.dumps(form)
    deployment.deploy(session, "partner_filing", resources, hooks=engine.hooks)
    session.commit()
    assert "后加的必填项" not in staff.get(f"/tasks/{task}").text
    newer = start_filing(staff)
    assert "后加的必填项" in staff.get(f"/tasks/{newer}").text
    stale = send(staff, newer, fields([row]))
    assert stale.status_code == 422
    assert error_at(stale.text, "later")
    foreign = send(staff, task, fields([row], later="x"))
    assert foreign.status_code == 422
    assert "本表没有的字段：later" in foreign.text
    assert send(staff, task, fields([row])).status_code == 303


def test_a_valid_code_is_made_valid_by_its_own_rule() -> None:
    assert credit_check_character(CODE[:17]) == CODE[17]
    assert id_check_character(ID[:17]) == ID[17]
