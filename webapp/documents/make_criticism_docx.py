"""Make the Word templates of criticism anew: python -m webapp.documents.make_criticism_docx

通报批评, 责令限期整改通知书, 取消资格决定, 撤销通报公告: the same names as in the HTML templates beside them.
"""

from __future__ import annotations

from webapp.documents.make_docx import HEI, Sheet
from webapp.documents.make_expulsion_docx import LISTED, REGULATION, each, grounds

PROCESS = "criticism"
CLAUSES = "第{% for g in grounds %}{{ g.clause }}{% if not loop.last %}、{% endif %}{% endfor %}条所列情形"
UNIT = "你单位（统一社会信用代码{{ credit_code }}）"


def notice() -> None:
    sheet = Sheet()
    sheet.head()
    sheet.text("{{ unit }}：", indent=False)
    sheet.text(LISTED + f"经查，你单位存在{REGULATION}{CLAUSES}。依据《规程》第4.2条，现通报如下。")
    sheet.text("一、事实和依据", HEI)
    grounds(sheet)
    sheet.text("二、处理决定", HEI)
    each(sheet, "for part in words", "{{ part }}")
    sheet.sign()
    sheet.save("criticism_notice.docx", PROCESS)


def order() -> None:
    sheet = Sheet()
    sheet.head()
    sheet.text("{{ unit }}：", indent=False)
    sheet.text(
        f"{UNIT}因存在{REGULATION}{CLAUSES}，"
        "已于{{ criticised_on|cn_date }}被通报批评（{{ criticism_number }}）。"
        "{% if before %}{{ before.number }}责令的整改于{{ before.due|cn_date }}期满，未能完成。"
        "依据《规程》第4.3条，责令你单位继续整改，这是第{{ seq }}次责令整改。{% else %}"
        "依据《规程》第4.2条，责令你单位限期整改。{% endif %}现将要求通知如下。"
    )
    sheet.text("{%p if before and before.words %}")
    sheet.text("没有整改到位的问题", HEI)
    sheet.text("{{ before.words }}")
    sheet.text("{%p endif %}")
    sheet.text("一、整改要求", HEI)
    each(sheet, "for line in requirements", "{{ line }}")
    sheet.text("二、整改期限", HEI)
    sheet.text(
        "自本通知送达次日起{{ days }}天，至{{ due|cn_time }}止。期限届满前，在系统中报送整改情况和证明材料，"
        "由工作小组办公室核查。"
    )
    sheet.text("三、逾期的后果", HEI)
    sheet.text(
        "未能在规定时间内完成整改的，依据《规程》第4.3条，将根据实际情况和情节轻重，采取继续整改或者取消牵引单位资格。"
    )
    sheet.sign(public=False)
    sheet.save("rectification_order.docx", PROCESS)


def cancellation() -> None:
    sheet = Sheet()
    sheet.head()
    sheet.text("{{ unit }}：", indent=False)
    sheet.text(
        f"{UNIT}因存在{REGULATION}{CLAUSES}，"
        "于{{ criticised_on|cn_date }}被通报批评（{{ criticism_number }}），"
        "并被责令限期整改。经查，你单位未能在规定时间内完成整改。"
        "依据《规程》第4.3条，根据实际情况和情节轻重，现决定如下。"
    )
    sheet.text("一、责令整改的情况", HEI)
    each(
        sheet,
        "for p in periods",
        "第{{ p.seq }}次：{{ p.number }}，期限至{{ p.due|cn_time }}，未完成整改。",
    )
    sheet.text("二、处理决定", HEI)
    each(sheet, "for part in words", "{{ part }}")
    sheet.sign()
    sheet.save("cancellation_decision.docx", PROCESS)


def withdrawal() -> None:
    sheet = Sheet()
    sheet.head()
    sheet.text("{{ unit }}：", indent=False)
    sheet.text(
        "{{ criticised_on|cn_date }}，工作小组对你单位（统一社会信用代码{{ credit_code }}）予以通报批评"
        "（{{ criticism_number }}），并责令限期整改。因通报批评所依据的评价结论已作废，现决定撤销该通报批评，"
        "责令整改同时终止。"
    )
    sheet.text("撤销的理由", HEI)
    each(sheet, "for part in words", "{{ part }}")
    sheet.sign()
    sheet.save("criticism_withdrawal.docx", PROCESS)


if __name__ == "__main__":
    for make in (notice, order, cancellation, withdrawal):
        make()
