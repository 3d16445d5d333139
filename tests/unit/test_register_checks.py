"""Codes that people type: what passes, and the sentence that tells what does not."""

from __future__ import annotations

import pytest

from webapp.registers import checks

GOOD_CODE = "91350100M000100Y43"  # the example of GB 32100-2015
GOOD_ID = "11010519491231002X"  # the example of GB 11643-1999


@pytest.mark.parametrize(
    "code", [GOOD_CODE, "91440106MA59GQER2W", " 9135 0100-M000100y43 ", "９１３５０１００Ｍ０００１００Ｙ４３"]
)
def test_a_true_credit_code_passes_however_it_is_typed(code: str) -> None:
    assert checks.credit_code(code) is None
    assert len(checks.normalise_code(code)) == 18


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("", "请填写"),
        ("9135010M000100Y43", "17 位"),
        ("91350100M000100Y432", "19 位"),
        ("91350100M000100I43", "不使用字母 I，请核对第 16 位"),
        ("91350100M000100？43", "请核对第 16 位"),
        ("Z1350100M000100Y43", "不使用字母 Z"),
        ("C1350100M000100Y43", "请核对第 1 位"),
        ("913501A0M000100Y43", "请核对第 7 位"),
        ("91350100M000100Y44", "校验位不符，请核对第 18 位"),
        ("91350100M000010Y43", "校验位不符"),
    ],
)
def test_a_wrong_credit_code_is_told_with_its_place(code: str, words: str) -> None:
    assert words in (checks.credit_code(code) or "")


def test_every_single_wrong_character_of_a_credit_code_is_found() -> None:
    for place, right in enumerate(GOOD_CODE):
        for character in checks.CREDIT_ALPHABET:
            if character != right:
                assert checks.credit_code(GOOD_CODE[:place] + character + GOOD_CODE[place + 1 :])


@pytest.mark.parametrize(
    "number", [GOOD_ID, "11010519491231002x", "110105 19491231 002X", "１１０１０５１９４９１２３１００２Ｘ"]
)
def test_a_true_id_number_passes_however_it_is_typed(number: str) -> None:
    assert checks.id_number(number) is None


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("", "请填写"),
        ("110105194912310", "15 位"),
        ("1101051949123100X2", "前 17 位应为数字，请核对第 17 位"),
        ("11010519491231002Y", "末位应为数字或 X"),
        ("99010519491231002X", "前 2 位“99”"),
        ("110105194913310020", "1949-13-31 不存在"),
        ("110105190002290020", "1900-02-29 不存在"),
        ("110105299912310020", "晚于今天"),
        ("110105189912310020", "过早"),
        ("110105194912310021", "校验位不符，请核对第 18 位"),
        ("²10105194912310021", "校验位不符"),
        ("٣10105194912310021", "请核对第 1 位"),
    ],
)
def test_a_wrong_id_number_is_told_with_its_place(number: str, words: str) -> None:
    assert words in (checks.id_number(number) or "")


def test_names_keep_their_chinese_punctuation() -> None:
    assert checks.normalise_text("　广州ＡＢＣ（集团）　有限公司\u200b ") == "广州ABC（集团） 有限公司"


def test_masked_numbers_hide_the_middle() -> None:
    assert checks.mask_id_number(GOOD_ID) == "110*************2X"
    assert checks.mask_contact("13800002471") == "138****2471"
    assert "2471" not in checks.mask_contact("2471")
