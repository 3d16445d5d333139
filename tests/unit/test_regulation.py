"""The regulation's own words, held against its text."""

from __future__ import annotations

import pytest

from webapp.errors import NotFound
from webapp.registers import regulation


def test_there_are_fifty_clauses_and_4_5_is_none() -> None:
    assert len(regulation.source()["clauses"]) == 50
    listed = [n for chapter in regulation.source()["chapters"] for n in chapter["clauses"]]
    assert listed == list(regulation.source()["clauses"])
    assert not regulation.exists("4.5")
    with pytest.raises(NotFound, match=r"原文没有第 4\.5 条"):
        regulation.clause("4.5")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("1.1", "为贯彻落实国家、省级中小企业数字化转型城市试点的有关工作部署"),
        ("2.2.13", "保护试点企业的商业机密和敏感信息，不泄露或滥用相关信息。"),
        ("4.4", "经市工业和信息化局局务会审议确认后进行清退。"),
        ("4.6.1", "包括营业执照、法人身份证复印件、上年度财务审计报告或加盖公章的财务报表及“信用中国”查询报告关键页"),
        ("4.6.3", "公示无异议的，工作小组发布变更后的产业生态联合体企业名单。"),
        ("4.8", "在办理相关手续前10个工作日"),
        ("5.2", "本规程自印发之日起施行"),
    ],
)
def test_a_clause_speaks_in_the_sources_words(number: str, words: str) -> None:
    assert words in regulation.clause(number)


def test_the_words_begin_after_the_number() -> None:
    for number, found in regulation.source()["clauses"].items():
        assert not found["text"][0].isdigit(), number
        assert found["text"][-1] in "。；：", number
