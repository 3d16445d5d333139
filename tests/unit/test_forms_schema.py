"""Forms at deployment: what the server cannot carry out is refused with a sentence."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from webapp.errors import Invalid
from webapp.forms.schema import check, load
from webapp.forms.scope import merge, prefill
from webapp.forms.text import fill, markdown

TEXT = {"type": "textfield", "key": "x", "label": "甲"}


def problems(*components: Any) -> str:
    return "；".join(check({"components": list(components)}))


@pytest.mark.parametrize("kind", ["html", "iframe", "image", "expression", "documentPreview", "nonsense"])
def test_components_that_the_server_does_not_render_are_refused(kind: str) -> None:
    assert f"类型 {kind} 不支持" in problems({"type": kind, "key": "x"})


@pytest.mark.parametrize(
    ("component", "words"),
    [
        ({**TEXT, "key": "1x"}, "没有可用的键"),
        ({**TEXT, "key": ""}, "没有可用的键"),
        ({**TEXT, "validate": {"pattern": "(["}}, "不是有效的正则表达式"),
        ({**TEXT, "conditional": {"hide": "=verdict ="}}, "表达式有误"),
        ({**TEXT, "conditional": {"hide": "=${verdict}"}}, "表达式有误"),
        ({"type": "text", "text": "{{#if a}}b{{/if}}"}, "不支持的模板写法"),
        ({"type": "select", "key": "x", "label": "甲"}, "没有可选项"),
        ({"type": "button", "label": "算一下", "action": "script"}, "自定义动作"),
        ({"type": "dynamiclist", "label": "甲", "components": []}, "没有可用的路径"),
        ({"type": "datetime", "key": "x", "subtype": "week"}, "日期类型不支持"),
        (
            {"type": "dynamiclist", "path": "rows", "components": [{**TEXT, "readonly": True}]},
            "不能只读",
        ),
        (
            {
                "type": "dynamiclist",
                "path": "rows",
                "components": [{"type": "dynamiclist", "path": "in", "components": []}],
            },
            "不能再有可增减的列表",
        ),
        ("no component", "无法识别"),
    ],
)
def test_mistakes_are_told_by_name(component: Any, words: str) -> None:
    assert words in problems(component)


def test_a_key_may_stand_once_in_its_level() -> None:
    group = {"type": "group", "components": [TEXT]}
    assert "出现了两次" in problems(TEXT, group)
    assert problems(TEXT, {**group, "path": "inner"}) == ""
    assert problems(TEXT, {"type": "dynamiclist", "path": "rows", "components": [TEXT]}) == ""


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        load({"components": [{"type": "html"}, {"type": "iframe"}]})
    assert len(caught.value.detail["problems"]) == 2  # type: ignore[arg-type]


def test_no_components_is_no_form() -> None:
    assert "components" in check({"type": "default"})[0]


def test_defaults_and_empty_rows() -> None:
    schema = load(
        {
            "components": [
                {**TEXT, "defaultValue": "广州"},
                {"type": "dynamiclist", "path": "rows", "defaultRepetitions": 2, "components": [{**TEXT, "key": "y"}]},
            ]
        }
    )
    assert prefill(schema.components, {}) == {"x": "广州", "rows": [{}, {}]}
    assert prefill(schema.components, {"x": "深圳", "rows": []}) == {"x": "深圳", "rows": []}


def test_a_draft_comes_back_with_its_types_over_what_is_given() -> None:
    schema = load(
        {
            "components": [
                {**TEXT, "readonly": True},
                {"type": "number", "key": "n", "label": "数"},
                {
                    "type": "dynamiclist",
                    "path": "rows",
                    "allowAddRemove": False,
                    "components": [{**TEXT, "key": "name", "readonly": True}, {**TEXT, "key": "y"}],
                },
            ]
        }
    )
    initial = {"x": "新的", "n": None, "rows": [{"name": "一"}, {"name": "二"}]}
    draft = {"x": "旧的", "n": "1.50", "rows": [{"name": "旧", "y": "左"}, {}, {"name": "多出"}]}
    assert merge(schema.components, initial, draft) == {
        "x": "新的",
        "n": Decimal("1.50"),
        "rows": [{"name": "一", "y": "左"}, {"name": "二"}],
    }


def test_text_views_are_safe() -> None:
    html = markdown("# 标题\n<script>alert(1)</script> **要紧** [规程](/regulation) [坏](javascript:x)\n- 一\n- 二")
    assert "<script>" not in html
    assert "<h2>标题</h2>" in html
    assert '<a href="/regulation">规程</a>' in html
    assert 'href="javascript' not in html
    assert "<ul><li>一</li><li>二</li></ul>" in html


def test_words_with_expressions() -> None:
    values = {"name": "云锦", "n": Decimal("3.10")}
    assert fill("单位 {{name}}，{{ n }} 家", values.get) == "单位 云锦，3.1 家"
