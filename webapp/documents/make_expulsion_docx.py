"""Make the Word templates of the expulsion review anew: python -m webapp.documents.make_expulsion_docx

清退告知书, 局务会议题材料, 清退决定, 复核决定: the same names as in the HTML templates beside them.
"""

from __future__ import annotations

from webapp.documents.make_docx import HEI, Sheet

PROCESS = "expulsion_review"
REGULATION = "《广州市中小企业数字化转型城市试点数字化牵引单位管理工作规程》（以下简称《规程》）"
LISTED = (
    "你单位（统一社会信用代码{{ credit_code }}）"
    "{% if listed_on %}于{{ listed_on|cn_date }}列入广州市中小企业数字化转型城市试点数字化牵引单位名单。{% endif %}"
)


def each(sheet: Sheet, head: str, *lines: str) -> None:
    """Paragraphs repeated for each entry of a list (docxtpl: `{%p for … %}`)."""
    sheet.text("{%p " + head + " %}")
    for line in lines:
        sheet.text(line)
    sheet.text("{%p endfor %}")


def grounds(sheet: Sheet, *more: str) -> None:
    """Each ground in the regulation's words, with its facts."""
    each(
        sheet, "for g in grounds", "（{{ loop.index }}）第{{ g.clause }}条情形：{{ g.words }}。", "{{ g.facts }}", *more
    )


def told() -> None:
    sheet = Sheet()
    sheet.head()
    sheet.text("{{ unit }}：", indent=False)
    sheet.text(
        LISTED + f"经查，你单位存在{REGULATION}第4.4条所列情形，拟提请市工业和信息化局局务会审议清退。现告知如下。"
    )
    sheet.text("一、事实和依据", HEI)
    grounds(sheet)
    sheet.text("二、拟作出的处理", HEI)
    sheet.text("依据《规程》第4.4条，经局务会审议确认后予以清退，且不得重新申请纳入。")
    sheet.text("三、陈述申辩", HEI)
    sheet.text(
        "你单位可以自本告知次日起{{ days }}个工作日内（至{{ due|cn_time }}止）在系统中提出陈述申辩，并提交证明材料。"
        "逾期未提出的，如实记录后继续办理。"
    )
    sheet.sign(public=False)
    sheet.save("expulsion_told.docx", PROCESS)


def decision() -> None:
    sheet = Sheet()
    sheet.head()
    sheet.text("{{ unit }}：", indent=False)
    sheet.text(
        LISTED + f"经查，你单位存在{REGULATION}第"
        "{% for g in grounds %}{{ g.clause }}{% if not loop.last %}、{% endif %}{% endfor %}条所列情形。"
        "经市工业和信息化局{{ met_on|cn_date }}局务会审议确认，现决定如下。"
    )
    sheet.text("一、事实和依据", HEI)
    grounds(sheet)
    sheet.text("二、处理决定", HEI)
    each(sheet, "for part in words", "{{ part }}")
    sheet.sign()
    sheet.save("expulsion_decision.docx", PROCESS)


def agenda() -> None:
    sheet = Sheet()
    sheet.head()
    sheet.text(
        "提请审议：是否清退牵引单位{{ unit }}（统一社会信用代码{{ credit_code }}）。"
        "会议日期：{{ meeting_on|cn_date }}{% if place %}，地点：{{ place }}{% endif %}。"
    )
    sheet.text("一、情形和事实", HEI)
    grounds(sheet, "证据{{ g.evidence }}份，见案卷。")
    sheet.text("二、单位的陈述申辩", HEI)
    each(sheet, "for line in said", "{{ line }}")
    sheet.text("{% if not said %}单位自行要求退出，已知悉不得重新申请纳入。{% endif %}{{ answer }}")
    sheet.text("三、认定和处理建议", HEI)
    sheet.text("{{ findings }}")
    sheet.text("{{ proposal }}。")
    sheet.text("四、合法性审核", HEI)
    sheet.text("{{ legality }}")
    sheet.text("五、此前的审议和议题说明", HEI)
    each(sheet, "for m in earlier", "{{ m.on|cn_date }}：{{ m.words }}")
    sheet.text("{{ note or '无。' }}")
    sheet.sign(public=False)
    sheet.save("expulsion_agenda.docx", PROCESS)


def reconsideration() -> None:
    sheet = Sheet()
    sheet.head()
    sheet.text("{{ unit }}：", indent=False)
    sheet.text("{%p if basis == 'ruling' %}")
    sheet.text(
        "{{ ruling.authority }}于{{ ruling.on|cn_date }}作出生效裁判（{{ ruling.number }}），撤销我局"
        "{{ decided_on|cn_date }}对你单位（统一社会信用代码{{ credit_code }}）作出的清退决定"
        "（{{ decision_number }}）。现决定如下。"
    )
    sheet.text("{%p else %}")
    sheet.text(
        "你单位（统一社会信用代码{{ credit_code }}）不服我局{{ decided_on|cn_date }}作出的清退决定"
        "（{{ decision_number }}），于{{ asked_on|cn_date }}申请复核。"
        "经审查，并经市工业和信息化局{{ met_on|cn_date }}局务会审议，"
        "现决定如下。"
    )
    sheet.text("{%p endif %}")
    each(sheet, "for part in words", "{{ part }}")
    sheet.sign()
    sheet.save("reconsideration_decision.docx", "expulsion_reconsideration")


if __name__ == "__main__":
    for make in (told, decision, agenda, reconsideration):
        make()
