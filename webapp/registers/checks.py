"""Checks of what people type: unified social credit codes, resident ID numbers, and the normalising before them.

Each check takes the text as typed (full-width characters and spaces are forgiven) and gives None when it holds, else
one sentence that says what is wrong, where, and what to do. No check asks the database.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from webapp import clock
from webapp.i18n import _

#: GB 32100-2015: digits and capitals without I, O, S, V, Z; the value of a character is its place here (modulus 31).
CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
#: GB 32100-2015 table 1: the registering authority (first character).
_AUTHORITIES = frozenset("123456789ANY")
#: GB 32100-2015: weights 3^(i-1) mod 31 of the first 17 characters.
_CREDIT_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
#: GB 11643-1999 (ISO 7064 MOD 11-2): weights of the first 17 digits and the check character by remainder.
_ID_WEIGHTS = tuple(pow(2, 17 - i, 11) for i in range(17))
_ID_CHECK = "10X98765432"
#: GB/T 2260: provinces; 83: residence permits of Taiwan residents.
_PROVINCES = frozenset(
    str(n) for n in (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71)
) | {"81", "82", "83"}
_FULL_WIDTH = {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}


def normalise_code(text: str) -> str:
    """A code as it is stored: half-width, capitals, without spaces, dashes and invisible characters."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(c for c in folded if not c.isspace() and c not in "-‐‑–—−" and unicodedata.category(c) != "Cf")


def normalise_text(text: str) -> str:
    """A name or a sentence as it is stored: full-width letters and digits become half-width, spaces are single.

    Chinese punctuation stays as it is: 「（」 is part of a registered name.
    """
    half = text.translate(_FULL_WIDTH)
    visible = "".join(c for c in half if unicodedata.category(c) not in {"Cf", "Cc"} or c in "\n\t")
    return re.sub(r"[ \t\u00a0\u3000]+", " ", visible).strip()


def credit_check_character(first17: str) -> str:
    """The check character (18th) of a unified social credit code. GB 32100-2015, 5.

    >>> credit_check_character("91440106MA59GQER2")
    'W'
    """
    total = sum(CREDIT_ALPHABET.index(c) * w for c, w in zip(first17, _CREDIT_WEIGHTS, strict=True))
    return CREDIT_ALPHABET[-total % 31]


def credit_code(text: str) -> str | None:
    """What is wrong with a unified social credit code (统一社会信用代码, GB 32100-2015), or None."""
    code = normalise_code(text)
    if not code:
        return _("请填写统一社会信用代码。")
    if len(code) != 18:
        return _("统一社会信用代码应为 18 位，您填写了 %(n)s 位，请核对是否漏填或多填。", n=len(code))
    for place, character in enumerate(code, 1):
        if character not in CREDIT_ALPHABET:
            return _credit_character(place, character)
    if code[0] not in _AUTHORITIES:
        return _("统一社会信用代码第 1 位“%(c)s”不是登记管理部门代码，请核对第 1 位。", c=code[0])
    for place in range(3, 9):
        if not code[place - 1].isdigit():
            return _("统一社会信用代码第 3 至 8 位是行政区划代码，应为数字，请核对第 %(n)s 位。", n=place)
    if credit_check_character(code[:17]) != code[17]:
        return _("统一社会信用代码校验位不符，请核对第 18 位；第 18 位无误的，请核对其余各位。")
    return None


def _credit_character(place: int, character: str) -> str:
    if character in "IOSVZ":
        return _("统一社会信用代码不使用字母 %(c)s，请核对第 %(n)s 位。", c=character, n=place)
    return _("统一社会信用代码只含数字和大写字母，请核对第 %(n)s 位“%(c)s”。", c=character, n=place)


def id_check_character(first17: str) -> str:
    """The check character (18th) of a resident ID number. GB 11643-1999, 4.3.

    >>> id_check_character("11010519491231002")
    'X'
    """
    return _ID_CHECK[sum(int(d) * w for d, w in zip(first17, _ID_WEIGHTS, strict=True)) % 11]


def id_number(text: str) -> str | None:
    """What is wrong with a resident ID number (居民身份证号码, GB 11643-1999), or None."""
    number = normalise_code(text)
    if not number:
        return _("请填写身份证号码。")
    if len(number) != 18:
        return _("身份证号码应为 18 位，您填写了 %(n)s 位，请核对是否漏填或多填。", n=len(number))
    for place, character in enumerate(number, 1):
        if not (character in "0123456789" or (place == 18 and character == "X")):
            return _id_character(place, character)
    if number[:2] not in _PROVINCES:
        return _("身份证号码前 2 位“%(c)s”不是省级行政区划代码，请核对第 1、2 位。", c=number[:2])
    if problem := _birth_date(number):
        return problem
    if id_check_character(number[:17]) != number[17]:
        return _("身份证号码校验位不符，请核对第 18 位；第 18 位无误的，请核对其余各位。")
    return None


def _id_character(place: int, character: str) -> str:
    if place == 18:
        return _("身份证号码末位应为数字或 X，请核对第 18 位“%(c)s”。", c=character)
    return _("身份证号码前 17 位应为数字，请核对第 %(n)s 位“%(c)s”。", c=character, n=place)


def _birth_date(number: str) -> str | None:
    year, month, day = int(number[6:10]), int(number[10:12]), int(number[12:14])
    words = {"y": number[6:10], "m": number[10:12], "d": number[12:14]}
    try:
        born = date(year, month, day)
    except ValueError:
        return _("身份证号码中的出生日期 %(y)s-%(m)s-%(d)s 不存在，请核对第 7 至 14 位。", **words)
    if born > clock.today():
        return _("身份证号码中的出生日期 %(y)s-%(m)s-%(d)s 晚于今天，请核对第 7 至 14 位。", **words)
    if year < 1900:
        return _("身份证号码中的出生日期 %(y)s-%(m)s-%(d)s 过早，请核对第 7 至 14 位。", **words)
    return None


def mask_id_number(number: str) -> str:
    """How an ID number is shown outside the review: the first three and the last two characters."""
    return f"{number[:3]}{'*' * (len(number) - 5)}{number[-2:]}" if len(number) > 5 else "*" * len(number)


def mask_contact(contact: str) -> str:
    """How a phone number or an address is shown to those who need not know it: ends only."""
    if len(contact) <= 4:
        return "*" * len(contact)
    head = 3 if len(contact) > 7 else 1
    return f"{contact[:head]}****{contact[-min(4, len(contact) - head) :]}"
