"""Make the Word templates of partner filing anew: python -m webapp.documents.make_docx

Those of the expulsion review and the evaluation are made by `make_expulsion_docx` and `make_evaluation_docx` with the
same pieces.

The templates are files that the office may edit in Word; this script is how their first versions came about. They hold
the same names as the HTML templates beside them (docxtpl: {{ name }}, {%tr … %} for rows, {%p … %} for paragraphs).
Layout after GB/T 9704-2012. docGrid is `lines`: LibreOffice breaks `linesAndChars`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from webapp.config import ROOT

FANG, HEI, KAI, BIAO, SONG = "仿宋_GB2312", "黑体", "楷体_GB2312", "方正小标宋简体", "宋体"
RED = RGBColor(0xD7, 0x00, 0x0F)
CENTER, RIGHT, LEFT = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.RIGHT, WD_ALIGN_PARAGRAPH.LEFT
LINE = 225 / 22  # mm, 22 lines in the text block

WATERMARK = (
    '<w:r xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    ' xmlns:v="urn:schemas-microsoft-com:vml"'
    ' xmlns:o="urn:schemas-microsoft-com:office:office"><w:pict><v:shapetype id="_x0000_t136" coordsize="21600,21600"'
    ' o:spt="136" adj="10800" path="m@7,l@8,m@5,21600l@6,21600e"><v:formulas><v:f eqn="sum #0 0 10800"/>'
    '<v:f eqn="prod #0 2 1"/><v:f eqn="sum 21600 0 @1"/><v:f eqn="sum 0 0 @2"/><v:f eqn="sum 21600 0 @3"/>'
    '<v:f eqn="if @0 @3 0"/><v:f eqn="if @0 21600 @1"/><v:f eqn="if @0 0 @2"/><v:f eqn="if @0 @4 21600"/></v:formulas>'
    '<v:path textpathok="t" o:connecttype="rect"/><v:textpath on="t" fitshape="t"/></v:shapetype>'
    '<v:shape id="demo{n}" type="#_x0000_t136" style="position:absolute;width:360pt;height:150pt;'
    "rotation:328;z-index:-251;"
    "mso-position-horizontal:center;mso-position-horizontal-relative:margin;mso-position-vertical:center;"
    'mso-position-vertical-relative:margin" fillcolor="#d9dde2" stroked="f"><v:fill opacity=".4"/>'
    '<v:textpath style="font-family:黑体" string="演示"/></v:shape></w:pict></w:r>'
)


def font(run: Any, name: str, points: float, color: RGBColor | None = None) -> None:
    """Set the East Asian face; Latin letters and digits are Times New Roman."""
    run.font.size, run.font.name = Pt(points), "Times New Roman"
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), name)
    if color is not None:
        run.font.color.rgb = color


class Sheet:
    """One template being built."""

    def __init__(self, *, margins: tuple[float, float, float, float] = (37, 35, 28, 26), size: float = 16) -> None:
        self.document = Document()
        self.size = size
        section = self.document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.top_margin, section.bottom_margin, section.left_margin, section.right_margin = map(Mm, margins)
        section.footer_distance = Mm(margins[1] - 10)
        self._grid(section)
        self._normal()
        self.document.settings.odd_and_even_pages_header_footer = True
        self._page_number(section.footer.paragraphs[0], RIGHT)
        self._page_number(section.even_page_footer.paragraphs[0], LEFT)
        for number, header in enumerate((section.header, section.even_page_header)):
            self._watermark(header, number)

    def _grid(self, section: Any) -> None:
        grid = section._sectPr.find(qn("w:docGrid"))
        if grid is None:
            grid = OxmlElement("w:docGrid")
            section._sectPr.append(grid)
        grid.set(qn("w:type"), "lines")
        grid.set(qn("w:linePitch"), str(round(LINE / 25.4 * 1440)))

    def _normal(self) -> None:
        style = self.document.styles["Normal"]
        style.font.size, style.font.name = Pt(self.size), "Times New Roman"
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), FANG)
        style.paragraph_format.space_after = Pt(0)

    def _page_number(self, paragraph: Any, alignment: Any) -> None:
        paragraph.alignment = alignment
        font(paragraph.add_run("— "), SONG, 14)
        for kind in ("begin", None, "end"):
            run = paragraph.add_run()
            font(run, SONG, 14)
            element = OxmlElement("w:fldChar" if kind else "w:instrText")
            if kind:
                element.set(qn("w:fldCharType"), kind)
            else:
                element.text = "PAGE"
            run._element.append(element)
        font(paragraph.add_run(" —"), SONG, 14)

    def _watermark(self, header: Any, number: int) -> None:
        header.paragraphs[0].add_run("{%p if demo %}")
        shape = header.add_paragraph()
        shape._element.append(parse_xml(WATERMARK.replace("{n}", str(number))))
        font(shape.add_run("演示文件，不产生效力"), HEI, 9, RGBColor(0x80, 0x88, 0x92))
        header.add_paragraph("{%p endif %}")

    def text(
        self,
        words: str,
        name: str = FANG,
        points: float = 0,
        align: Any = None,
        *,
        indent: bool = True,
        color: RGBColor | None = None,
        before: float = 0,
        after: float = 0,
    ) -> None:
        """A paragraph on the line grid; `before` and `after` in lines."""
        paragraph = self.document.add_paragraph()
        font(paragraph.add_run(words), name, points or self.size, color)
        paragraph.alignment = align
        form = paragraph.paragraph_format
        if indent:
            form.first_line_indent = Pt(2 * self.size)
        form.space_before, form.space_after = Mm(before * LINE), Mm(after * LINE)
        if (points or self.size) <= 16:
            form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.EXACTLY, Mm(LINE)

    def head(self) -> None:
        """版头: issuer in red, 文号, red rule, title."""
        size = 36
        self.text("{{ issuer }}", BIAO, size, CENTER, indent=False, color=RED, before=3.4)
        self.text("{{ number }}", align=CENTER, indent=False, before=1)
        rule = self.document.paragraphs[-1]._element.get_or_add_pPr()
        border = OxmlElement("w:pBdr")
        bottom = OxmlElement("w:bottom")
        for key, value in (("val", "single"), ("sz", "16"), ("space", "4"), ("color", "D7000F")):
            bottom.set(qn(f"w:{key}"), value)
        border.append(bottom)
        rule.append(border)
        self.text("{{ title }}", BIAO, 22, CENTER, indent=False, before=2, after=1)

    def sign(self, *, public: bool = True) -> None:
        """落款."""
        self.text("{{ signatory }}", align=RIGHT, indent=False, before=2)
        self.text("{{ published_on|cn_date }}　　　　", align=RIGHT, indent=False)
        if public:
            self.text("（此件公开发布）")

    def page_break(self) -> None:
        self.document.add_paragraph().paragraph_format.page_break_before = True

    def table(
        self, heads: Sequence[str], fields: Sequence[str], widths: Sequence[float], rows: str, points: float = 11
    ) -> None:
        """A table with one row per entry of `rows` (Jinja), columns in mm."""
        table = self.document.add_table(rows=4, cols=len(heads))
        table.style, table.autofit = "Table Grid", False
        for row in table.rows:
            for cell, width in zip(row.cells, widths, strict=True):
                cell.width = Mm(width)
        for cell, words in zip(table.rows[0].cells, heads, strict=True):
            self.cell(cell, words, HEI, points)
        self.repeat(table.rows[0])
        self.cell(table.rows[1].cells[0], "{%tr for row in " + rows + " %}", FANG, points)
        for cell, words in zip(table.rows[2].cells, fields, strict=True):
            self.cell(cell, words, FANG, points)
        self.cell(table.rows[3].cells[0], "{%tr endfor %}", FANG, points)

    def repeat(self, row: Any) -> None:
        """Let a head row stand on top of each page."""
        element = OxmlElement("w:tblHeader")
        row._tr.get_or_add_trPr().append(element)

    def cell(self, cell: Any, words: str, name: str, points: float) -> None:
        """Words in a cell of a table."""
        font(cell.paragraphs[0].add_run(words), name, points)

    def facts(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Two columns: label and value."""
        table = self.document.add_table(rows=len(pairs), cols=2)
        table.style, table.autofit = "Table Grid", False
        for row, (label, value) in zip(table.rows, pairs, strict=True):
            row.cells[0].width, row.cells[1].width = Mm(30), Mm(141)
            self.cell(row.cells[0], label, HEI, 10.5)
            self.cell(row.cells[1], value, SONG, 11)

    def save(self, name: str, process: str = "partner_filing") -> None:
        self.document.core_properties.author = ""
        self.document.save(str(ROOT / "processes" / process / "documents" / name))


def publicity() -> None:
    sheet = Sheet()
    sheet.head()
    sheet.text(
        "根据《广州市中小企业数字化转型城市试点数字化牵引单位管理工作规程》第4.6条，"
        "工作小组已完成{{ groups|length }}家牵引单位提交的"
        "新增产业生态联合体企业备案材料审核，现将通过审核的{{ rows|length }}家企业名单（见附件）予以公示。"
    )
    sheet.text("{%p for part in words %}")
    sheet.text("{{ part }}")
    sheet.text("{%p endfor %}")
    sheet.text("一、公示时间", HEI)
    sheet.text("公示期为{{ period_days }}个工作日，自{{ starts_on|cn_date }}起至{{ ends_on|cn_date }}24时止。")
    sheet.text("二、异议的提出", HEI)
    sheet.text(
        "任何单位和个人对名单有异议的，可在公示期内通过公示网页提出，或者书面向{{ contact }}提出，以收到时间为准。"
        "提出异议应当说明事实和理由，可以提供证明材料。"
    )
    sheet.text("三、异议的处理和名单发布", HEI)
    sheet.text(
        "工作小组办公室对异议进行调查核实，由工作小组自收到次日起{{ objection_days }}个工作日内作出决定，并告知理由。"
        "公示无异议的，由工作小组发布变更后的产业生态联合体企业名单。对其中一家企业的异议正在调查的，该企业暂不发布，不影响其他企业。"
    )
    sheet.text("附件：新增产业生态联合体企业公示名单", before=1)
    sheet.sign()
    sheet.page_break()
    sheet.text("附件", HEI, indent=False)
    sheet.text("新增产业生态联合体企业公示名单", BIAO, 22, CENTER, indent=False, after=0.6)
    rows_of_groups(sheet, "服务方向", "{{ row.need }}")
    sheet.save("publicity.docx")


def rows_of_groups(sheet: Sheet, last: str, field: str) -> None:
    sheet.table(
        ["序号", "牵引单位", "企业名称", "统一社会信用代码", last],
        ["{{ loop.index }}", "{{ row.lead_unit_name }}", "{{ row.name }}", "{{ row.credit_code }}", field],
        [12, 36, 38, 42, 28],
        "rows",
        10.5,
    )


def correction() -> None:
    sheet = Sheet()
    sheet.head()
    sheet.text(
        "{{ original.published_on|cn_date }}，工作小组发布了《{{ original.title }}》"
        "（{{ original.number }}，以下简称原公示）。"
        "现就原公示更正如下。"
    )
    sheet.text("一、更正的内容", HEI)
    sheet.text("{%p for row in rows %}")
    sheet.text(
        "（{{ loop.index }}）{{ row.name }}（统一社会信用代码{{ row.credit_code }}，"
        "由{{ row.lead_unit_name }}申请）：{{ row.change }}。"
    )
    sheet.text("{%p endfor %}")
    sheet.text("二、更正的理由", HEI)
    sheet.text("{{ reason }}")
    sheet.text("三、其他事项", HEI)
    sheet.text("原公示的其他内容不变，其他企业的公示期和名单发布不受影响。对本更正有异议的，可向{{ contact }}提出。")
    sheet.sign()
    sheet.save("correction.docx")


def withdrawal() -> None:
    sheet = Sheet()
    sheet.head()
    sheet.text(
        "{{ original.published_on|cn_date }}，工作小组发布了《{{ original.title }}》（{{ original.number }}）。"
        "现决定撤回该公示，公示期自本公告发布之日起终止。"
    )
    sheet.text("一、撤回的理由", HEI)
    sheet.text("{{ reason }}")
    sheet.text("二、后续安排", HEI)
    sheet.text(
        "撤回的公示所列企业不列入变更后的产业生态联合体企业名单。需要重新公示的，由工作小组另行公示，公示期重新计算。"
        "已收到的异议由工作小组办公室告知处理结果。对本公告有疑问的，可向{{ contact }}提出。"
    )
    sheet.sign()
    sheet.save("withdrawal.docx")


def enterprise_list() -> None:
    sheet = Sheet()
    sheet.head()
    sheet.text(
        "根据《广州市中小企业数字化转型城市试点数字化牵引单位管理工作规程》第4.6.3条，"
        "{% if publicity %}《{{ publicity.title }}》（{{ publicity.number }}）公示期已满，{% endif %}"
        "现发布变更后的产业生态联合体企业名单（见附件）。"
    )
    sheet.text(
        "本次变更新增{{ added }}家{% if removed %}，退出{{ removed }}家{% endif %}。"
        "变更后的名单共{{ rows|length }}家企业，"
        "分属{{ groups|length }}家牵引单位，自发布之日起生效。"
    )
    sheet.text("附件：产业生态联合体企业名单（截至{{ published_on|cn_date }}）", before=1)
    sheet.sign()
    sheet.page_break()
    sheet.text("附件", HEI, indent=False)
    sheet.text("产业生态联合体企业名单", BIAO, 22, CENTER, indent=False)
    sheet.text("（截至{{ published_on|cn_date }}）", align=CENTER, indent=False, after=0.6)
    rows_of_groups(sheet, "纳入日期", "{{ row.since|cn_date }}")
    sheet.save("list.docx")


def review_form() -> None:
    sheet = Sheet(margins=(23, 20, 24, 15), size=11)
    sheet.text("新增产业生态联合体企业备案审核意见表", BIAO, 20, CENTER, indent=False)
    sheet.text("依据《工作规程》第4.6条", SONG, 10, CENTER, indent=False)
    sheet.facts(
        [
            ("案件编号", "{{ case_number }}"),
            ("提交日期", "{{ submitted_on|cn_date }}"),
            ("状态", "{{ status }}"),
            ("牵引单位", "{{ lead_unit_name }}（统一社会信用代码 {{ lead_unit_code }}）"),
            ("服务需求", "{{ need }}"),
        ]
    )
    sheet.text("申请新增企业（{{ items|length }}家）", HEI, 12, indent=False)
    sheet.table(
        ["序号", "企业名称", "统一社会信用代码", "材料", "审核结论"],
        ["{{ loop.index }}", "{{ row.name }}", "{{ row.credit_code }}", "{{ row.materials }}", "{{ row.conclusion }}"],
        [14, 65, 46, 20, 26],
        "items",
        10,
    )
    sheet.text("办理意见", HEI, 12, indent=False)
    sheet.table(
        ["意见", "决定和说明", "办理人", "时间"],
        [
            "{{ row.label }}",
            "{% if row.at %}{% if row.decision %}【{{ row.decision }}】{% endif %}"
            "{{ row.words }}{% else %}尚未办理{% endif %}",
            "{{ row.role }} {{ row.who }}{% if row.on_behalf_of %}（代 {{ row.on_behalf_of }}）{% endif %}",
            "{{ row.at|cn_time }}",
        ],
        [24, 82, 35, 30],
        "opinions",
        10.5,
    )
    sheet.text("{%p if records %}", indent=False)
    sheet.text("办理记录", HEI, 12, indent=False)
    sheet.table(
        ["时间", "环节", "办理人", "决定和说明"],
        ["{{ row.at|cn_time }}", "{{ row.step }}", "{{ row.who }}", "{{ row.words }}"],
        [34, 30, 44, 63],
        "records",
        9.5,
    )
    sheet.text("{%p endif %}", indent=False)
    sheet.text("{%p if files %}", indent=False)
    sheet.text("文件目录", HEI, 12, indent=False)
    sheet.table(
        ["序号", "文件", "页数", "大小", "SHA-256（前16位）"],
        ["{{ loop.index }}", "{{ row.name }}", "{{ row.pages or '—' }}", "{{ row.size }}", "{{ row.digest[:16] }}"],
        [14, 78, 16, 22, 41],
        "files",
        9.5,
    )
    sheet.text("{%p endif %}", indent=False)
    sheet.text("生成时间 {{ printed_at|cn_time }}　{{ printed_by }}　内容以系统案卷为准", SONG, 9, indent=False)
    sheet.save("review_form.docx")


if __name__ == "__main__":
    for make in (publicity, correction, withdrawal, enterprise_list, review_form):
        make()
