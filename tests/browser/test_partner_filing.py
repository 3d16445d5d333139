"""Issue 2, "Done when" 3: a partner-addition filing from the first draft to the published list, each step in a browser.

Five enterprises of one unit: a sound one, one without audit report, one on the barred list, one that is a member
already, one that is returned and lapses. A second unit's filing joins the batch. Assertions are on what people see.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.people import Person, agree, review
from tests.browser.product import Product
from webapp import clock
from webapp.demo import make
from webapp.demo.registers import EXPELLED

NEED = "为金属加工行业 9 家试点企业提供机床联网、生产排程和质量追溯。"
REASONS = "经查，该企业上年度确有填报的业务合同和发票，异议所述与事实不符。"
TITLE = "关于新增产业生态联合体企业名单的公示（晨帆等五家）"
STRUCK = "经查，该企业已注销主要生产线，不具备填报的服务能力。"

SOUND = make.enterprise(301, name="广州晨帆工业软件有限公司")
NO_AUDIT = make.enterprise(302, name="广州晨帆传感技术有限公司")
LAPSES = make.enterprise(303, name="广州晨帆自动化有限公司")
MEMBER = make.enterprise(1)  # unit B's own since the first list
BARRED = "广州晨帆数控科技有限公司"  # under the code of an expelled unit
OTHER = make.enterprise(304, name="广州晚舟物联科技有限公司")
DISMISSED = make.enterprise(305, name="广州晚舟数据服务有限公司")


@pytest.fixture(scope="module")
def barred(product: Product) -> dict[str, Any]:
    """An enterprise whose code is on the barred list."""
    [(code,)] = product.rows("select credit_code from barred_entry where name = %s", EXPELLED)
    return make.enterprise(306, name=BARRED, credit_code=code)


People = Callable[..., Person]


def test_a_faulty_filing_is_stopped_at_its_fields_and_a_sound_one_submitted(
    as_person: People, barred: dict[str, Any]
) -> None:
    staff = as_person("lead_unit_b")
    staff.start("新增产业生态联合体企业备案")
    staff.fill(need=NEED, programme="national")
    for number, enterprise in enumerate((SOUND, NO_AUDIT, barred, MEMBER, LAPSES)):
        if number or not staff.page.locator('[name="enterprises[0].name"]').count():
            staff.add_enterprise()
        staff.fill_enterprise(number, enterprise, without=("accounts",) if enterprise is NO_AUDIT else ())
    staff.fill(true_copies=True, knows_publicity=True)
    staff.expected = {422}
    staff.press("送负责人确认")

    summary = staff.page.locator(".error-summary li")
    expect(summary).to_have_count(2)
    expect(staff.error_at("enterprises[1].accounts")).to_contain_text("请上传上年度财务审计报告")
    expect(staff.error_at("enterprises[3].credit_code")).to_contain_text("已在本单位联合体名单中")
    summary.filter(has_text="审计报告").locator("a").click()
    expect(staff.page.locator('[data-name="enterprises[1].accounts"] input[type=file]')).to_be_focused()

    # The report is added, the member taken out; what was entered before is still there.
    staff.upload("enterprises[1].accounts", *make.materials(NO_AUDIT)["accounts"])
    staff.page.locator("details.entry", has_text=MEMBER["name"]).locator("[data-row-remove]").click()
    staff.decide("送负责人确认")

    head = as_person("lead_unit_head_b")
    head.open_task("新增联合体企业备案（4 家）", "确认并提交备案")
    head.sees(SOUND["name"], NO_AUDIT["name"], BARRED, LAPSES["name"])
    head.expected = {422}
    head.press("退回修改")
    expect(head.error_at("confirm_opinion")).to_be_visible()
    head.fill(confirm_opinion="材料齐全，同意提交。")
    head.decide("确认提交")


def test_a_second_unit_files_two_enterprises(as_person: People) -> None:
    staff = as_person("lead_unit_c")
    staff.start("新增产业生态联合体企业备案")
    staff.fill(need=NEED, programme="provincial")
    for number, enterprise in enumerate((OTHER, DISMISSED)):
        if number or not staff.page.locator('[name="enterprises[0].name"]').count():
            staff.add_enterprise()
        staff.fill_enterprise(number, enterprise)
    staff.fill(true_copies=True, knows_publicity=True)
    staff.decide("送负责人确认")
    head = as_person("lead_unit_head_c")
    head.open_task("新增联合体企业备案（2 家）", "确认并提交备案")
    head.fill(confirm_opinion="同意提交。")
    head.decide("确认提交")


def test_the_office_reviews_each_enterprise_and_a_second_person_agrees(as_person: People) -> None:
    office, second = as_person("office"), as_person("office2")
    review(office, SOUND["name"])
    agree(second, SOUND["name"])

    # The barred code is a warning that must be answered.
    office.open_task(BARRED, "审核备案材料")
    office.sees("不得重新申请名单", "4.4.5")
    office.expected = {422}
    office.fill(**{f"{m}_verdict": "pass" for m in make.materials(SOUND)}, review_opinion="四项材料齐全、有效。")
    office.press("审核通过")
    expect(office.error_at("barred_answer")).to_be_visible()
    office.fill(barred_answer="no_effect", barred_reason="该企业已由他人收购，与原违规行为无关。")
    office.decide("审核通过")
    second.open_task(BARRED, "复核审核意见")
    second.sees("该企业已由他人收购，与原违规行为无关。")
    second.fill(second_opinion="同意审核意见。")
    second.decide("同意")

    # One goes back with what is wrong; nobody else waits for it.
    office.open_task(LAPSES["name"], "审核备案材料")
    office.fill(licence_verdict="correct")
    office.fill(licence_request="页面不清晰，请重新扫描。", review_opinion="请按要求补正。", correction_days=5)
    office.fill(**{f"{m}_verdict": "pass" for m in ("identity", "accounts", "credit_report")})
    office.decide("退回补正")
    agree(second, LAPSES["name"])
    staff = as_person("lead_unit_b")
    staff.open_task(LAPSES["name"], "补正材料")
    staff.sees("页面不清晰，请重新扫描。")

    for name in (NO_AUDIT["name"], OTHER["name"], DISMISSED["name"]):
        review(office, name)
        agree(second, name)


def test_a_batch_from_both_filings_is_signed_and_shows_without_an_account(as_person: People) -> None:
    office, signatory, public = as_person("office"), as_person("working_group"), as_person()
    office.start("新增联合体企业分批公示与发布")
    for name in (SOUND["name"], NO_AUDIT["name"], BARRED, OTHER["name"], DISMISSED["name"]):
        expect(office.page.get_by_label(re.compile(name))).to_be_checked()
    assert LAPSES["name"] not in office.main().inner_text()
    office.fill(title=TITLE)
    office.decide("送签发")
    signatory.open_task(TITLE, "签发公示")
    signatory.sees(SOUND["name"], DISMISSED["name"])
    signatory.fill(sign_opinion="同意公示。")
    signatory.decide("签发")

    public.go("/public/")
    public.page.get_by_role("link", name=TITLE, exact=True).click()
    public.sees("公示中", "穗工信公示〔", SOUND["name"], SOUND["credit_code"], DISMISSED["name"])
    assert MEMBER["name"] not in public.main().inner_text()


def object_to(public: Person, enterprise: str, words: str) -> tuple[str, str]:
    """Object on the public page; gives number and code of the receipt."""
    public.go("/public/")
    public.page.get_by_role("link", name=TITLE, exact=True).click()
    public.page.get_by_role("link", name=f"对{enterprise}提出异议").click()
    page = public.page
    page.locator(".option", has_text="备案材料不真实").click()
    page.get_by_label("您了解的情况").fill(words)
    page.locator(".option", has_text="匿名").click()
    page.get_by_role("button", name="提交异议").click()
    public.sees("异议已收到", enterprise)
    number, code = (text.strip() for text in page.locator(".receipt-codes b").all_inner_texts())
    return number, code


def look_up(public: Person, number: str, code: str) -> None:
    public.go("/public/objections/answer")
    public.page.get_by_label("异议编号").fill(number)
    public.page.get_by_label("查询码").fill(code)
    public.page.get_by_role("button", name="查询答复").click()


def test_one_objection_is_upheld_and_one_dismissed(as_person: People) -> None:
    public, office, group = as_person(), as_person("office"), as_person("working_group")
    words = "据了解，该企业上年度没有开展所填报的设备联网业务，请核实其服务能力。"
    upheld, dismissed = object_to(public, BARRED, words), object_to(public, DISMISSED["name"], words)
    assert re.fullmatch(r"YY-\d{4}-\d{4}", upheld[0])
    look_up(public, *upheld)
    public.sees("正在调查核实")
    for name, proposal, decision, reasons in (
        (BARRED, "upheld", "异议成立", STRUCK),
        (DISMISSED["name"], "dismissed", "异议不成立", REASONS),
    ):
        office.open_task(name, "调查异议")
        office.sees(words)
        office.fill(findings="已电话核实并调取合同。", proposal=proposal)
        office.decide("提交调查意见")
        group.open_task(name, "决定异议")
        group.sees("已电话核实并调取合同。")
        group.fill(decision_reasons=reasons)
        group.decide(decision)
    look_up(public, *upheld)
    public.sees("异议成立", STRUCK)
    look_up(public, *dismissed)
    public.sees("异议不成立", REASONS)
    public.expected = {422}
    look_up(public, dismissed[0], upheld[1])
    public.sees("编号或查询码不符")


def test_time_passes_the_returned_one_lapses_and_the_list_is_published(
    as_person: People, advance_clock: Callable[[str], Any]
) -> None:
    office, group, staff, public = (as_person(n) for n in ("office", "working_group", "lead_unit_b", ""))
    assert not office.has_task(TITLE, "核实异议登记")
    days = (clock.add_working_days(clock.today(), 6) - clock.today()) / timedelta(days=1)
    advance_clock(f"P{days:.0f}D")
    office.open_task(TITLE, "核实异议登记")
    office.sees("不成立", "成立")
    office.expected = {422}
    office.press("确认无遗漏")
    expect(office.error_at("all_entered")).to_be_visible()
    office.fill(all_entered=True)
    office.decide("确认无遗漏")
    assert not staff.has_task(LAPSES["name"], "补正材料")

    office.open_task(TITLE.removeprefix("关于"), "拟定变更后的名单")
    office.sees(SOUND["name"], DISMISSED["name"])
    office.decide("送签发")
    group.open_task(TITLE.removeprefix("关于"), "签发名单")
    group.fill(sign_opinion="同意发布。")
    group.decide("签发")

    public.go(f"/public/lists?q={SOUND['credit_code']}")
    public.sees(SOUND["name"], "穗工信名单〔")
    for struck in (BARRED, LAPSES["name"]):
        public.go(f"/public/lists?q={struck}")
        assert not public.main().locator("tbody tr", has_text=struck).count()
    office.go(f"/registers/consortium?q={DISMISSED['credit_code']}")
    office.page.get_by_role("link", name=DISMISSED["name"]).first.click()
    office.sees("穗工信名单〔")


def test_both_filings_end_and_each_enterprise_has_its_outcome(as_person: People, product: Product) -> None:
    for unit, outcomes in (
        ("lead_unit_b", {SOUND["name"]: "已发布", BARRED: "已撤下", LAPSES["name"]: "逾期"}),
        ("lead_unit_c", {OTHER["name"]: "已发布", DISMISSED["name"]: "已发布"}),
    ):
        staff = as_person(unit)
        staff.go("/tasks/started")
        staff.awaits(staff.page.locator("tbody tr", has_text="已办结").first).locator("a").first.click()
        staff.sees(*outcomes, *set(outcomes.values()))


def test_a_published_notice_is_corrected_by_another_never_edited(as_person: People) -> None:
    office, group, public = as_person("office"), as_person("working_group"), as_person()
    office.start("公示更正与撤回")
    notice = re.compile(rf"^穗工信公示.* {re.escape(TITLE)}")
    office.page.locator('[name="notice_id"]').select_option(label=office.option("notice_id", notice))
    office.fill(correction_title="关于晨帆等五家公示的更正公告", correction_words="因录入有误，现将企业名称予以更正。")
    office.page.locator('[data-row-add="lines"]').click()
    line = re.compile(rf"^穗工信公示.*{OTHER['name']}")
    office.page.locator('[name="lines[0].line"]').select_option(label=office.option("lines[0].line", line))
    office.fill(**{"lines[0].field": "name", "lines[0].after": "广州晚舟物联网科技有限公司"})
    office.decide("送签发")
    group.open_task("更正公告", "签发更正或撤回")
    group.sees(OTHER["name"], "广州晚舟物联网科技有限公司")
    group.fill(sign_opinion="同意发布。")
    group.decide("签发")

    public.go("/public/")
    public.page.get_by_role("link", name=TITLE, exact=True).click()
    public.sees(OTHER["name"])  # as published
    public.page.get_by_role("link", name=re.compile("更正")).first.click()
    public.sees("穗工信更正〔", "广州晚舟物联网科技有限公司")
    public.go(f"/public/lists?q={OTHER['credit_code']}")
    public.sees("广州晚舟物联网科技有限公司")
