"""Make the Word template of the 季度评价报告 anew: python -m webapp.documents.make_evaluation_docx

The same names as in the HTML template beside it; the ranking stands in an annex across the page.
"""

from __future__ import annotations

from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.shared import Mm

from webapp.documents.make_docx import BIAO, CENTER, FANG, HEI, Sheet

PROCESS = "quarterly_evaluation"


def report() -> None:
    sheet = Sheet()
    sheet.head()
    sheet.text(
        "依据《广州市中小企业数字化转型城市试点数字化牵引单位管理工作规程》第3.2条、第3.3条，"
        "工作小组自{{ opened_on|cn_date }}起对数字化牵引单位开展{{ quarter }}绩效评价，现将结果报告如下。"
    )
    sheet.text("一、总体情况", HEI)
    sheet.text(
        "列入本次评价的牵引单位{{ units }}家，评定等次并排名的{{ ranked }}家，平均得分{{ mean }}分。"
        "各单位名次和得分见附件。"
    )
    sheet.text("二、等次分布", HEI)
    sheet.table(("等次", "家数"), ("{{ row.name }}", "{{ row.count }}"), (78, 78), "grades")
    sheet.text("三、得分分布", HEI)
    sheet.table(("分数段", "家数"), ("{{ row.name }}", "{{ row.count }}"), (78, 78), "bands")
    sheet.text("四、各方面平均得分", HEI)
    fields = ("{{ row.name }}", "{{ row.mean }}", "{{ row.weight }}", "{{ row.percent }}%")
    sheet.table(("方面", "平均得分", "权重", "得分率"), fields, (66, 30, 30, 30), "dimensions")
    sheet.text("五、不合格与未参加评价的单位", HEI)
    sheet.text("{%p if not failed %}")
    sheet.text("无。")
    sheet.text("{%p endif %}")
    sheet.text("{%p if failed %}")
    columns = ("{{ row.name }}", "{{ row.grade }}", "{{ row.words }}")
    sheet.table(("牵引单位", "等次", "下一阶段工作安排"), columns, (60, 24, 72), "failed")
    sheet.text("{%p endif %}")
    sheet.text("附件：牵引单位{{ quarter }}绩效评价排名", before=1)
    sheet.sign(public=False)
    ranking(sheet)
    sheet.save("evaluation_report.docx", PROCESS)


def ranking(sheet: Sheet) -> None:
    """As many columns as the round's dimensions need (docxtpl: `{%tc for … %}`)."""
    section = sheet.document.add_section(WD_SECTION.NEW_PAGE)
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(297), Mm(210)
    section.left_margin = section.right_margin = Mm(20)
    section.top_margin, section.bottom_margin = Mm(26), Mm(22)
    sheet.text("附件", HEI, indent=False)
    sheet.text("牵引单位{{ quarter }}绩效评价排名", BIAO, 22, CENTER, indent=False, after=0.6)
    table = sheet.document.add_table(rows=4, cols=3)
    table.style = "Table Grid"
    rows = (
        ("{%tc for column in columns %}", "{{ column }}", "{%tc endfor %}"),
        ("{%tr for row in table %}", "", ""),
        ("{%tc for value in row %}", "{{ value }}", "{%tc endfor %}"),
        ("{%tr endfor %}", "", ""),
    )
    for number, (row, cells) in enumerate(zip(table.rows, rows, strict=True)):
        for cell, words in zip(row.cells, cells, strict=True):
            sheet.cell(cell, words, HEI if number == 0 else FANG, 9)
    sheet.repeat(table.rows[0])
    sheet.text("{%p if note %}", indent=False)
    sheet.text("{{ note }}", indent=False)
    sheet.text("{%p endif %}", indent=False)


if __name__ == "__main__":
    report()
