"""Forms: what a browser sends becomes typed data, or a sentence beside the field."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from werkzeug.datastructures import MultiDict

from webapp.forms.parse import Parsed, parse
from webapp.forms.schema import Schema, load
from webapp.forms.scope import Environment

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)


def form(*components: dict[str, Any]) -> Schema:
    return load({"type": "default", "schemaVersion": 19, "components": list(components)})


def read(schema: Schema, sent: Any, **environment: Any) -> Parsed:
    return parse(schema, MultiDict(sent), Environment(now=NOW, **environment))


def one(component: dict[str, Any], sent: Any = None, **environment: Any) -> tuple[Any, list[str]]:
    """Value and errors of a single field `x` labelled 字段."""
    schema = form({"key": "x", "label": "字段", **component})
    values = [("x", value) for value in ([sent] if isinstance(sent, str) else sent or [])]
    parsed = read(schema, values, **environment)
    return parsed.data.get("x"), parsed.errors.get("x", [])


OPTIONS = [{"value": "pass", "label": "通过"}, {"value": "fail", "label": "不通过"}]


@pytest.mark.parametrize(
    ("component", "sent", "value"),
    [
        ({"type": "textfield"}, "  广州  云锦 ", "广州 云锦"),
        ({"type": "textfield"}, "（广州）１号", "（广州）１号"),
        ({"type": "textfield", "properties": {"code": "true"}}, " ９１44０1０１ma59h3qt6t", "91440101MA59H3QT6T"),
        ({"type": "textfield", "validate": {"validationType": "phone"}}, "０２０－８３１２３４５６", "020-83123456"),
        ({"type": "textarea"}, "第一行\r\n第二行", "第一行\n第二行"),
        ({"type": "number"}, "1,000.50", Decimal("1000.50")),
        ({"type": "number"}, "１２３", Decimal(123)),
        ({"type": "number"}, "-3", Decimal(-3)),
        ({"type": "datetime", "subtype": "date"}, "2026-11-26", date(2026, 11, 26)),
        ({"type": "datetime", "subtype": "date"}, "２０２６年11月6日", date(2026, 11, 6)),
        (
            {"type": "datetime", "subtype": "datetime"},
            "2026-11-26T09:30",
            datetime(2026, 11, 26, 1, 30, tzinfo=UTC),
        ),
        ({"type": "checkbox"}, "true", True),
        ({"type": "checkbox"}, None, False),
        ({"type": "radio", "values": OPTIONS}, "pass", "pass"),
        ({"type": "select", "values": OPTIONS}, "fail", "fail"),
        ({"type": "checklist", "values": OPTIONS}, ["pass", "fail", "pass"], ["pass", "fail"]),
        ({"type": "taglist", "values": OPTIONS}, None, []),
        ({"type": "textfield"}, "", None),
    ],
)
def test_each_component_gives_a_typed_value(component: dict[str, Any], sent: Any, value: Any) -> None:
    assert one(component, sent) == (value, [])


@pytest.mark.parametrize(
    ("component", "sent", "sentence"),
    [
        ({"type": "textfield", "validate": {"required": True}}, " ", "请填写字段。"),
        ({"type": "checkbox", "validate": {"required": True}}, None, "请勾选“字段”。"),
        ({"type": "radio", "values": OPTIONS, "validate": {"required": True}}, None, "请选择字段。"),
        ({"type": "filepicker", "validate": {"required": True}}, None, "请上传字段。"),
        ({"type": "number"}, "很多", "字段要填数字，您填的是“很多”。"),
        ({"type": "number"}, "1e400", "字段要填数字，您填的是“1e400”。"),
        ({"type": "number"}, "NaN", "字段要填数字，您填的是“NaN”。"),
        ({"type": "number", "decimalDigits": 0}, "1.5", "字段要填整数。"),
        ({"type": "number", "decimalDigits": 2}, "1.555", "字段最多保留 2 位小数。"),
        ({"type": "number", "validate": {"min": 1}}, "0.5", "字段不能小于 1。"),
        (
            {"type": "number", "validate": {"max": 100}, "appearance": {"suffixAdder": "万元"}},
            "100.01",
            "字段不能大于 100 万元。",
        ),
        ({"type": "textfield", "validate": {"minLength": 2}}, "一", "字段至少 2 个字，现在 1 个。"),
        ({"type": "textfield", "validate": {"maxLength": 2}}, "一二三", "字段最多 2 个字，现在 3 个。"),
        ({"type": "textarea"}, "字" * 20_001, "字段最多 20000 个字，现在 20001 个。"),
        ({"type": "textfield", "validate": {"pattern": "^[0-9A-Z]{18}$"}}, "abc", "字段的格式不对，请核对。"),
        (
            {"type": "textfield", "validate": {"pattern": "^A", "patternErrorMessage": "要以 A 开头。"}},
            "B",
            "要以 A 开头。",
        ),
        ({"type": "textfield", "validate": {"validationType": "email"}}, "a@b", "字段不是有效的电子邮箱地址。"),
        ({"type": "textfield", "validate": {"validationType": "phone"}}, "12", "字段不是有效的电话号码。"),
        (
            {"type": "datetime", "subtype": "date"},
            "2026-02-30",
            "字段“2026-02-30”不是有效的日期，请按 2026-11-26 这样填写。",
        ),
        (
            {"type": "datetime", "subtype": "date", "validate": {"max": "today"}},
            "2026-11-27",
            "字段不能晚于今天（2026-11-26），您填的日期还没有到。",
        ),
        (
            {"type": "datetime", "subtype": "date", "disallowPassedDates": True},
            "2026-11-25",
            "字段不能早于今天（2026-11-26）。",
        ),
        ({"type": "select", "values": OPTIONS}, "maybe", "字段的选项已变化，请重新选择。"),
        ({"type": "checklist", "values": OPTIONS}, ["pass", "maybe"], "字段的选项已变化，请重新选择。"),
        ({"type": "filepicker"}, "../etc/passwd", "字段的文件编号无效，请重新上传。"),
        ({"type": "filepicker"}, str(UUID(int=7)), "字段有文件已不存在或不是您上传的，请重新上传。"),
    ],
)
def test_each_rule_tells_what_is_wrong(component: dict[str, Any], sent: Any, sentence: str) -> None:
    assert one(component, sent)[1] == [sentence]


def test_what_cannot_be_read_stays_as_it_was_written() -> None:
    assert one({"type": "number"}, "三百")[0] == "三百"


def test_today_is_the_day_in_beijing() -> None:
    late = datetime(2026, 11, 26, 17, tzinfo=UTC)  # 01:00 on the 27th in Beijing
    schema = form({"type": "datetime", "subtype": "date", "key": "x", "label": "日期", "validate": {"max": "today"}})
    assert parse(schema, MultiDict({"x": "2026-11-27"}), Environment(now=late)).ok
    assert not parse(schema, MultiDict({"x": "2026-11-27"}), Environment(now=late - timedelta(hours=2))).ok


def test_a_pattern_never_hangs() -> None:
    component = {"type": "textfield", "validate": {"pattern": "^(a+)+$"}}
    assert one(component, "a" * 5000 + "!")[1] == ["字段的格式不对，请核对。"]


def test_files_are_checked_by_ending_and_number() -> None:
    ids = [str(uuid4()), str(uuid4())]
    names = {ids[0]: {"id": ids[0], "name": "执照.pdf"}, ids[1]: {"id": ids[1], "name": "执照.exe"}}
    files = {"files": lambda wanted: {i: names[i] for i in wanted}}
    picker = {"type": "filepicker", "accept": ".pdf,.jpg"}
    assert one(picker, ids[0], **files) == ([ids[0]], [])
    assert one(picker, ids[1], **files)[1] == ["“执照.exe”的类型不收，请上传 PDF、JPG 文件。"]
    assert one(picker, ids, **files)[1] == ["字段只能有一个文件，请移除多余的。"]
    assert one({**picker, "multiple": True, "accept": ""}, ids, **files)[1] == []


def test_options_of_a_provider() -> None:
    options = {"units": [{"value": "u1", "label": "甲"}, {"value": "u2", "label": "乙", "disabled": True}]}
    component = {"type": "select", "valuesKey": "units"}
    assert one(component, "u1", options=options)[1] == []
    assert one(component, "u2", options=options)[1] == ["字段的选项已变化，请重新选择。"]


ENTERPRISES = {
    "type": "dynamiclist",
    "path": "enterprises",
    "label": "新增企业",
    "properties": {"item": "企业", "measure": "家", "min_rows": "1", "max_rows": "3"},
    "components": [
        {"type": "textfield", "key": "name", "label": "企业名称", "validate": {"required": True}},
        {"type": "number", "key": "capital", "label": "注册资本"},
        {"type": "checkbox", "key": "new", "label": "新成立"},
        {
            "type": "textfield",
            "key": "reason",
            "label": "说明",
            "validate": {"required": True},
            "conditional": {"hide": "=new != true"},
        },
    ],
}


def test_rows_are_read_in_the_order_of_the_page_and_numbered_anew() -> None:
    parsed = read(
        form(ENTERPRISES),
        [
            ("enterprises[4]", ""),
            ("enterprises[4].name", "甲"),
            ("enterprises[0]", ""),
            ("enterprises[0].capital", "5o"),
        ],
    )
    assert [row["name"] for row in parsed.data["enterprises"]] == ["甲", None]
    assert parsed.errors == {
        "enterprises[1].name": ["请填写企业名称。"],
        "enterprises[1].capital": ["注册资本要填数字，您填的是“5o”。"],
    }
    assert parsed.sent_rows["enterprises[0]"] == "enterprises[4]"


def test_an_empty_row_is_a_row() -> None:
    assert len(read(form(ENTERPRISES), [("enterprises[0]", "")]).data["enterprises"]) == 1


def test_too_few_and_too_many_rows() -> None:
    assert read(form(ENTERPRISES), []).errors == {"enterprises": ["至少要有 1 家企业。"]}
    rows = [(f"enterprises[{n}].name", "甲") for n in range(4)]
    assert read(form(ENTERPRISES), rows).errors == {"enterprises": ["企业最多 3 家，现在 4 家。"]}


def test_conditions_in_a_row_see_the_row() -> None:
    sent = [("enterprises[0].name", "甲"), ("enterprises[1].name", "乙"), ("enterprises[1].new", "true")]
    parsed = read(form(ENTERPRISES), sent)
    assert parsed.errors == {"enterprises[1].reason": ["请填写说明。"]}
    assert "reason" not in parsed.data["enterprises"][0]


def test_hidden_values_never_arrive_and_take_others_with_them() -> None:
    schema = form(
        {"type": "radio", "key": "verdict", "label": "结论", "values": OPTIONS},
        {"type": "textfield", "key": "why", "label": "原因", "conditional": {"hide": '=verdict != "fail"'}},
        {"type": "textfield", "key": "more", "label": "详情", "conditional": {"hide": "=why = null"}},
    )
    sent = {"verdict": "pass", "why": "缺页", "more": "第三页"}
    assert read(schema, sent).data == {"verdict": "pass"}
    assert read(schema, {**sent, "verdict": "fail"}).data == {**sent, "verdict": "fail"}


def test_conditions_see_the_context() -> None:
    schema = form({"type": "textfield", "key": "x", "label": "甲", "conditional": {"hide": "=not(barred)"}})
    assert read(schema, {"x": "1"}, context={"barred": False}).data == {}
    assert read(schema, {"x": "1"}, context={"barred": True}).data == {"x": "1"}


def test_fixed_fields_are_never_taken_from_the_browser() -> None:
    schema = form(
        {"type": "textfield", "key": "code", "label": "代码", "readonly": True},
        {"type": "number", "key": "fee", "label": "费用", "disabled": True},
        {"type": "textfield", "key": "name", "label": "名称", "readonly": "=locked"},
    )
    sent = {"code": "伪造", "fee": "1", "name": "改了"}
    data = read(schema, sent, initial={"code": "A1", "fee": Decimal(9), "name": "原名", "locked": True}).data
    assert (data["code"], data["fee"], data["name"]) == ("A1", Decimal(9), "原名")
    assert read(schema, sent, initial={"locked": False}).data["name"] == "改了"


def test_fixed_rows_keep_what_may_not_be_changed() -> None:
    schema = form(
        {
            "type": "dynamiclist",
            "path": "materials",
            "label": "材料",
            "allowAddRemove": False,
            "components": [
                {"type": "textfield", "key": "name", "label": "名称", "readonly": True},
                {"type": "radio", "key": "verdict", "label": "结论", "values": OPTIONS},
            ],
        }
    )
    initial = {"materials": [{"name": "执照"}, {"name": "报告"}]}
    sent = [("materials[1].verdict", "fail"), ("materials[1].name", "伪造"), ("materials[0].verdict", "pass")]
    assert read(schema, sent, initial=initial).data["materials"] == [
        {"name": "执照", "verdict": "pass"},
        {"name": "报告", "verdict": "fail"},
    ]
    assert read(schema, [*sent, ("materials[2].verdict", "pass")], initial=initial).errors.keys() == {""}


def test_groups_nest_by_path_and_share_without() -> None:
    schema = form(
        {"type": "group", "path": "contact", "components": [{"type": "textfield", "key": "phone", "label": "电话"}]},
        {"type": "group", "components": [{"type": "textfield", "key": "name", "label": "名称"}]},
    )
    assert read(schema, {"contact.phone": "1", "name": "甲"}).data == {"contact": {"phone": "1"}, "name": "甲"}


def test_unknown_fields_are_refused_by_name() -> None:
    parsed = read(form({"type": "textfield", "key": "x", "label": "甲"}), {"x": "1", "is_admin": "1"})
    assert parsed.errors == {"": ["提交的内容中有本表没有的字段：is_admin。请刷新页面后重新填写。"]}


def test_fields_of_the_page_around_are_no_part_of_the_form() -> None:
    parsed = read(
        form({"type": "textfield", "key": "x", "label": "甲"}), {"x": "1", "csrf_token": "t", "outcome": "pass"}
    )
    assert parsed.ok
    assert parsed.data == {"x": "1"}
