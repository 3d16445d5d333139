"""Forms as pages: a control with its label for every component, errors at their fields, reviews only to be read."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from webapp import assets, i18n
from webapp.forms.nodes import element_id
from webapp.forms.render import cells, error_items, render, review
from webapp.forms.schema import Schema, load
from webapp.forms.scope import Environment
from webapp.inbox.blueprint import bp

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
OPTIONS = [{"value": "pass", "label": "通过"}, {"value": "fail", "label": "不通过"}]


@pytest.fixture(scope="module")
def pages() -> Any:
    """A program with nothing but templates."""
    app = Flask("webapp.app", root_path=str(assets.STATIC.parent), template_folder="templates")
    app.secret_key = "test"
    i18n.init_app(app)
    assets.init_app(app)
    app.jinja_env.globals["csrf_token"] = lambda: ""
    app.jinja_loader.searchpath += [f"{assets.STATIC.parent}/forms/templates"]  # type: ignore[union-attr]
    with app.test_request_context():
        yield app


def form(*components: dict[str, Any]) -> Schema:
    return load({"components": list(components)})


def page(schema: Schema, data: dict[str, Any], errors: Any = None, **environment: Any) -> str:
    return str(render(schema, data, errors or {}, Environment(now=NOW, **environment)))


def test_blueprint_holds_the_forms_templates() -> None:
    assert bp.name == "inbox"


@pytest.mark.parametrize(
    ("component", "value", "expected"),
    [
        ({"type": "textfield"}, "广州<b>", 'value="广州&lt;b&gt;"'),
        ({"type": "textarea", "properties": {"rows": "5"}}, "行", ">行</textarea>"),
        ({"type": "number", "appearance": {"suffixAdder": "万元"}}, Decimal("10.50"), 'value="10.5"'),
        ({"type": "datetime", "validate": {"max": "today"}}, date(2026, 11, 1), 'max="2026-11-26"'),
        ({"type": "datetime", "subtype": "datetime"}, NOW, 'value="2026-11-26T11:00"'),
        ({"type": "datetime", "subtype": "time"}, "09:30", 'type="time"'),
        ({"type": "checkbox"}, True, "checked"),
        ({"type": "radio", "values": OPTIONS}, "pass", 'value="pass" checked'),
        (
            {"type": "radio", "values": OPTIONS, "properties": {"style": "segmented", "tones": "pass:ok"}},
            "pass",
            'class="ok"',
        ),
        ({"type": "select", "values": OPTIONS}, "fail", '<option value="fail" selected>'),
        ({"type": "checklist", "values": OPTIONS}, ["fail"], 'value="fail" checked'),
        ({"type": "taglist", "values": OPTIONS}, ["pass"], 'value="pass" checked'),
        ({"type": "filepicker", "accept": ".pdf"}, [], 'accept=".pdf"'),
    ],
)
def test_each_component_has_a_labelled_control(pages: Any, component: Any, value: Any, expected: str) -> None:
    html = page(form({"key": "x", "label": "字段", **component}), {"x": value}, upload_url="/documents")
    assert "字段" in html
    assert expected in html
    assert 'id="f-x"' in html


def test_an_error_is_tied_to_its_control(pages: Any) -> None:
    html = page(form({"type": "textfield", "key": "x", "label": "甲"}), {}, {"x": ["请填写甲。"]})
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="f-x-error"' in html
    assert '<span class="field-error" id="f-x-error">请填写甲。</span>' in html


ROWS = {
    "type": "dynamiclist",
    "path": "enterprises",
    "label": "新增企业",
    "properties": {"item": "企业", "measure": "家", "title": "name"},
    "components": [
        {"type": "textfield", "key": "name", "label": "名称"},
        {"type": "filepicker", "key": "licence", "label": "执照", "multiple": True},
        {"type": "textfield", "key": "why", "label": "原因", "conditional": {"hide": '=name != "丙"'}},
    ],
}


def test_rows_have_names_a_template_and_open_where_something_is_wrong(pages: Any) -> None:
    data = {"enterprises": [{"name": name} for name in ("甲", "乙", "丙", "丁")]}
    html = page(form(ROWS), data, {"enterprises[1].name": ["太短。"]})
    assert 'name="enterprises[3].name"' in html
    assert 'name="enterprises[__index__].name"' in html
    opened = re.findall(r'<details class="entry[^>]*id="e-enterprises-(\d)"[^>]* open', html)
    assert opened == ["1"]
    assert "1 处需要修改" in html
    assert "移除这家企业" in html
    assert "再加一家企业" in html
    assert html.count('name="enterprises[2].why"') == 1
    assert 'name="enterprises[0].why"' not in html
    items = error_items(form(ROWS), {"enterprises[1].name": ["太短。"]})
    assert items == [{"text": "太短。", "target": "f-enterprises-1-name", "where": "企业 2"}]
    assert f'id="{element_id("enterprises[1].name")}"' in html


def test_two_hundred_enterprises_ask_for_their_files_once(pages: Any) -> None:
    ids = [str(uuid4()) for _n in range(800)]
    asked: list[int] = []

    def files(wanted: Any) -> dict[str, Any]:
        asked.append(len(list(wanted)))
        return {i: {"id": i, "type": "PDF", "name": f"{i}.pdf", "meta": ""} for i in ids}

    data = {"enterprises": [{"name": f"第{n}家", "licence": ids[n * 4 : n * 4 + 4]} for n in range(200)]}
    html = page(form(ROWS), data, files=files)
    assert asked == [800]
    assert html.count("data-file=") == 800
    assert " open><summary>" not in html.split("<template")[0]  # all folded


def test_a_changed_field_brings_only_what_hangs_on_it_under_the_names_of_the_page(pages: Any) -> None:
    data = {"enterprises": [{"name": "丙"}, {"name": "丙"}]}
    sent = {"enterprises[0]": "enterprises[4]", "enterprises[1]": "enterprises[9]"}
    html = str(cells(form(ROWS), data, Environment(now=NOW), "enterprises[9].name", sent))
    assert 'id="c-enterprises-9-why"' in html
    assert 'name="enterprises[9].why"' in html
    assert "enterprises[4]" not in html
    assert ".name" not in html.replace("enterprises[9].name", "")


def test_items_to_be_checked_stand_in_one_card(pages: Any) -> None:
    def item(key: str) -> dict[str, Any]:
        return {
            "type": "group",
            "id": f"group_{key}",
            "label": f"材料{key}",
            "components": [
                {"type": "filepicker", "id": f"f_{key}", "key": f"{key}_files", "label": "文件", "readonly": True},
                {"type": "text", "id": f"t_{key}", "text": "✓ 校验位相符\n▲ 超过 30 天"},
                {
                    "type": "radio",
                    "id": f"r_{key}",
                    "key": f"{key}_verdict",
                    "label": "结论",
                    "values": OPTIONS,
                    "properties": {"style": "segmented"},
                },
                {
                    "type": "textarea",
                    "id": f"q_{key}",
                    "key": f"{key}_request",
                    "label": "补正要求",
                    "conditional": {"hide": f'={key}_verdict != "fail"'},
                },
            ],
        }

    html = page(form(item("a"), item("b")), {"a_verdict": "fail"}, refresh_url="/again")
    assert html.count('class="checks"') == 1
    assert 'class="status status-ok status-wrap"' in html
    assert 'class="status status-fix status-wrap"' in html
    assert 'name="a_request"' in html
    assert 'name="b_request"' not in html
    assert 'hx-post="/again?changed=a_verdict"' in html


def test_a_review_shows_words_and_links_and_no_control(pages: Any) -> None:
    document = str(uuid4())
    tile = {"id": document, "type": "PDF", "name": "执照.pdf", "meta": "", "download_url": f"/documents/{document}"}
    schema = form(
        {"type": "number", "key": "n", "label": "资本", "appearance": {"suffixAdder": "万元"}},
        {"type": "datetime", "subtype": "date", "key": "d", "label": "日期"},
        {"type": "radio", "key": "r", "label": "结论", "values": OPTIONS},
        {"type": "checkbox", "key": "c", "label": "属实"},
        {"type": "textfield", "key": "i", "label": "证件", "properties": {"mask": "true"}},
        {"type": "filepicker", "key": "f", "label": "执照"},
        {"type": "textarea", "key": "e", "label": "备注"},
        ROWS,
    )
    data = {"n": "1000", "d": "2026-11-06", "r": "pass", "c": True, "i": "440106199001012718", "f": [document]}
    data["enterprises"] = [{"name": "甲公司"}]
    html = str(review(schema, data, Environment(now=NOW, files=lambda ids: {document: tile})))
    for words in ("1000 万元", "2026 年 11 月 6 日", "通过", "是", "440106********2718", "甲公司", "未填"):
        assert words in html
    assert f'href="/documents/{document}"' in html
    assert not re.search(r"<(input|textarea|select|button class=\"btn btn-dashed)", html)


def test_fixed_fields_are_shown_and_texts_are_filled_in(pages: Any) -> None:
    schema = form(
        {"type": "text", "text": "## {{unit}}\n第 **{{count(rows)}}** 家"},
        {"type": "textfield", "key": "x", "label": "代码", "readonly": True},
        {"type": "table", "label": "材料", "dataSource": "=rows", "columns": [{"label": "名称", "key": "name"}]},
        {"type": "separator"},
        {"type": "spacer", "height": 30},
        {"type": "button", "label": "提交", "action": "submit"},
    )
    html = page(schema, {"x": "A<1>"}, context={"unit": "云锦<x>", "rows": [{"name": "执照"}]})
    assert "<h2>云锦&lt;x&gt;</h2>" in html
    assert "第 <strong>1</strong> 家" in html
    assert "A&lt;1&gt;" in html
    assert "<td>执照</td>" in html
    assert 'name="x"' not in html
    assert "提交" not in html


def test_what_the_domain_checks_is_not_called_optional(pages: Any) -> None:
    schema = form(
        {"type": "textfield", "key": "a", "label": "甲", "validate": {"required": True}},
        {"type": "textfield", "key": "b", "label": "乙"},
        {"type": "textfield", "key": "c", "label": "丙", "properties": {"note": "退回时必填"}},
    )
    plain, checked = page(schema, {}), page(schema, {}, schema_decides=False)
    assert plain.count("选填") == 1
    assert "选填" not in checked
    assert checked.count("必填") == 2
    assert "退回时必填" in plain
