"""What a designer reads when an expression is wrong."""

from __future__ import annotations

import pytest

from webapp.engine.feel import FeelError, LimitExceeded, compile_expression, compile_unary_tests


@pytest.mark.parametrize(
    ("source", "position", "words"),
    [
        ("1 +", 3, "不完整"),
        ("", 0, "为空"),
        ("  ", 0, "为空"),
        ("a b c )", 6, ")"),
        ("${amount > 3}", 0, "FEEL"),
        ("金额 ＞ 3", 3, "全角"),
        ('"abc', 0, "字符串没有结束"),
        ("1 + /* x", 4, "注释没有结束"),
        ("a; b", 1, ";"),
        ("= 1 + + 2", 6, "+"),
        ("[1, 2", 5, "不完整"),
        ("a and not b", 6, "not("),
        ("1e9999", 0, "超出范围"),
        ("(" * 70 + "1" + ")" * 70, 60, "60"),
    ],
)
def test_syntax_errors_have_a_position_and_a_sentence(source: str, position: int, words: str) -> None:
    with pytest.raises(FeelError, match="第") as caught:
        compile_expression(source)
    assert caught.value.detail["position"] == position
    assert words in str(caught.value)
    assert f"第 {position + 1} 个字符" in str(caught.value)


@pytest.mark.parametrize("source", ["f(1, a: 2)", "f(a: 1, a: 2)", "(1, 2)", "{a: 1, a: 2}", "if " * 300, "x" * 40_000])
def test_other_refusals(source: str) -> None:
    with pytest.raises(FeelError):
        compile_expression(source)


@pytest.mark.parametrize("cell", ["< ", "1,", "not(1", "1 2"])
def test_faulty_cells(cell: str) -> None:
    with pytest.raises(FeelError):
        compile_unary_tests(cell)


def test_a_misspelled_function_is_told_at_once() -> None:
    with pytest.raises(FeelError, match="sums"):
        compile_expression("1 + sums([1, 2])")
    assert compile_expression("{f: function(a) a, r: f(1)}.r").names == frozenset()


def test_a_syntax_error_is_no_limit() -> None:
    with pytest.raises(FeelError) as caught:
        compile_expression("1 +")
    assert not isinstance(caught.value, LimitExceeded)
