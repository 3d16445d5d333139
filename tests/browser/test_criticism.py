"""A criticism in a browser (4.2, 4.3): proposed, answered, established, signed, received, rectified, checked."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.people import Person
from tests.browser.product import Product
from webapp.demo import make

People = Callable[..., Person]
UNIT = "广州珠江智链科技股份有限公司"
TITLE = f"通报批评：{UNIT}"
SHEET = make.scan("整改报告", [("演示", "整改报告")])


def test_a_unit_is_criticised_and_rectifies(as_person: People, product: Product) -> None:
    office, group, signatory, head = (
        as_person(n) for n in ("office", "working_group", "working_group2", "lead_unit_head_b")
    )
    office.go("/registers/criticisms/new")
    office.page.get_by_label("牵引单位").select_option(label=UNIT)
    office.page.get_by_label("情形").select_option("4.2.5")
    office.page.get_by_label("事实").fill("承诺驻场服务而没有派人，两家试点企业三次催促仍不履行。")
    office.page.get_by_role("button", name="提出通报批评").click()
    office.sees("已提出通报批评", "查明事实")
    office.open_task(TITLE, "核实事实、收集证据")
    office.decide("事实已查明，告知单位")

    head.open_task(TITLE, "陈述申辩")
    head.sees("违背诚信原则，不履行职责的", "三次催促仍不履行")
    head.fill(statement="驻场人员离职，正在补派。")
    head.decide("提交陈述申辩")
    group.open_task(TITLE, "认定情形是否成立")
    group.sees("驻场人员离职，正在补派。")
    group.fill(**{"findings[0].established": "yes", "findings[0].finding": "事实清楚，情形成立。"})
    group.decide("作出认定")
    office.open_task(TITLE, "拟定通报和整改通知")
    office.decide("送签发")
    signatory.open_task(TITLE, "签发通报批评")
    signatory.sees("签发后编号并公布通报批评")
    signatory.decide("签发")

    [(case,)] = product.rows("select id from criticism where status = 'rectifying' and title like %s", f"%{UNIT}%")
    head.go(f"/registers/criticisms/{case}")
    head.sees("穗工信整改〔", "尚未签收")
    head.page.get_by_role("button", name="签收").click()
    head.sees("已签收。")
    head.open_task(TITLE, "整改并报送")
    head.fill(report_words="已补派驻场人员两名，企业书面确认到岗。")
    head.upload("report_files", "整改报告.pdf", SHEET)
    head.decide("报送整改情况")
    office.open_task(TITLE, "核查整改情况")
    office.sees("已补派驻场人员两名")
    office.fill(check_words="电话回访两家企业，驻场人员均已到岗。")
    office.decide("整改合格")
    office.go(f"/registers/criticisms/{case}")
    office.sees("整改合格", "电话回访两家企业")
    public = as_person()
    public.go("/public/")
    public.awaits(public.page.get_by_role("link", name=f"关于对牵引单位{UNIT}的通报批评", exact=True).first).click()
    public.sees("穗工信通报〔")
