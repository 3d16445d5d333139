"""Issue 3, "Done when" 1 (b): an expulsion and its reversal, each step in a browser, each role in turn.

The demo's review of unit C waits for the 局务会. It is sent back once for facts, told and heard again, confirmed,
signed; then everyone sees what it set off; a project is handed over; the unit asks for 复核, and the decision is
reversed. Assertions are on what people see.
"""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.people import Person
from tests.browser.product import Product
from webapp import clock
from webapp.demo import expulsion as played
from webapp.demo import make

People = Callable[..., Person]
UNIT = "广州云枢工业互联网科技有限公司"
REVIEW = f"清退审议：{UNIT}"
SHEET = make.scan("会议纪要", [("演示", "会议纪要")])


def meet(secretary: Person, title: str, step: str, words: str, decision: str) -> None:
    """The secretary enters a session with quorum and minutes."""
    secretary.open_task(title, step)
    secretary.fill(met_on=clock.today())
    first = secretary.page.locator('[name="members[0].name"]')
    known = first.count() > 0 and first.input_value() != ""  # those of the last session stand there already
    for number, member in enumerate([] if known else played.members()):
        if number or not secretary.page.locator('[name="members[0].name"]').count():
            secretary.page.locator('[data-row-add="members"]').click()
        secretary.fill(**{f"members[{number}].{name}": value for name, value in member.items() if value})
    secretary.fill(resolution_words=words, minutes="会议听取汇报和合法性审核意见，经讨论形成决议，与会人员无异议。")
    secretary.upload("minutes_files", "会议纪要.pdf", SHEET)
    secretary.decide(decision)


def propose(as_person: People) -> None:
    """Proposal, legality check by another person, agenda."""
    group, checker, office = as_person("working_group"), as_person("working_group2"), as_person("office")
    group.open_task(REVIEW, "提出处理建议")
    group.fill(
        findings="事实清楚，情形成立，建议清退。", proposal="expel", answer_to_statement="没有新的证据，不予采纳。"
    )
    group.decide("送合法性审核")
    checker.open_task(REVIEW, "合法性审核")
    checker.fill(facts_clear=True, procedure_kept=True, basis_right=True, legality_opinion="程序合法。")
    checker.decide("审核通过")
    office.open_task(REVIEW, "列入局务会议题")
    office.fill(meeting_on=clock.today(), meeting_place="局机关三楼会议室")
    office.decide("列入议题")


def review_page(product: Product) -> str:
    [(key,)] = product.rows(
        "select e.id from expulsion e join lead_unit u on u.id = e.lead_unit_id where u.name = %s", UNIT
    )
    return f"/registers/expulsions/{key}"


def test_it_is_sent_back_for_facts_told_and_heard_again_and_confirmed(as_person: People) -> None:
    office, secretary, head = (as_person(n) for n in ("office", "bureau_meeting", "lead_unit_head_c"))
    meet(secretary, REVIEW, "局务会审议", "请补充签收人的书面证言后再议。", "发回补充事实")
    office.open_task(REVIEW, "核实事实、收集证据")
    office.sees("请补充签收人的书面证言后再议。")
    office.fill(**{"grounds[0].facts": "抽查发现验收材料系伪造，三名签收人均以书面否认签字。"})
    office.decide("事实已查明，告知单位")
    head.open_task(REVIEW, "陈述申辩")
    head.sees("三名签收人均以书面否认签字")
    head.fill(statement="材料由外包人员收集，本单位已补办验收，请求从轻处理。")
    head.decide("提交陈述申辩")
    propose(as_person)
    meet(secretary, REVIEW, "局务会审议", "经审议，会议确认对该单位予以清退。", "确认清退")


def test_signed_it_takes_effect_for_everyone_at_once(as_person: People, product: Product) -> None:
    office, group, staff, head = (as_person(n) for n in ("office", "working_group2", "lead_unit_c", "lead_unit_head_c"))
    staff.expected = head.expected = {
        401
    }  # once the decision has ended their sessions, an open page still asks for counts
    staff.start("新增产业生态联合体企业备案")  # a draft under way
    office.open_task(REVIEW, "拟定清退决定")
    office.decide("送签发")
    group.open_task(REVIEW, "签发清退决定")
    group.sees("签发后立即生效", "经审议，会议确认对该单位予以清退。")
    group.fill(sign_opinion="同意签发。")
    group.decide("签发")

    page = review_page(product)
    office.go(page)
    office.sees("已清退", "穗工信清退〔", "项目移交", "个只保留移交、查阅决定和复核", "BA-")
    assert office.main().locator("#handover tbody tr").count() == 2
    office.go(f"/registers/barred?q={UNIT}")
    office.sees(UNIT, "第 4.4.5 条", "有效")
    head.context.clear_cookies()  # other roles: the session has ended
    head.sign_in()
    head.go("/tasks")  # the accounts keep handover, the decision and 复核
    head.sees("移交改造项目")
    head.go(page)
    head.sees("申请复核", "穗工信清退〔")
    head.expected = {401, 404}
    head.go("/tasks/start/partner_filing")
    assert "开始办理" not in head.main().inner_text()
    public = as_person()
    public.go("/public/")
    public.awaits(public.page.get_by_role("link", name=f"关于清退牵引单位{UNIT}的决定", exact=True)).click()
    public.sees("穗工信清退〔", "伪造资料、弄虚作假的")


def test_an_application_under_the_barred_code_is_refused_citing_4_4(as_person: People, product: Product) -> None:
    office = as_person("office")
    [(code,)] = product.rows("select credit_code from lead_unit where name = %s", UNIT)
    office.go("/registers/lead-units")
    office.page.get_by_role("link", name="登记候选单位").click()
    office.page.get_by_label("单位名称").fill("广州云枢新科技有限公司")
    office.page.get_by_label("统一社会信用代码").fill(code)
    office.expected = {422}
    office.page.get_by_role("button", name="登记候选单位").click()
    office.sees("依据第 4.4 条不得重新申请纳入")
    expect(office.page.get_by_label("单位名称")).to_have_value("广州云枢新科技有限公司")


def test_a_project_is_handed_over_and_the_office_confirms(as_person: People, product: Product) -> None:
    head, office = as_person("lead_unit_head_c"), as_person("office")
    head.open_task("项目移交", "移交改造项目")
    taker = head.option("taker", "广州联匠软件技术有限公司")
    head.page.locator('[name="taker"]').select_option(label=taker)
    head.fill(handed_over_on=clock.today(), handover_note="资料和账号已三方核对，试点企业同意。")
    head.decide("提交移交")
    office.open_task("项目移交", "确认移交")
    office.sees("广州联匠软件技术有限公司", "资料和账号已三方核对")
    office.decide("确认移交")
    office.go(review_page(product))
    office.sees("已移交", "广州联匠软件技术有限公司")


def test_the_unit_asks_for_reconsideration_and_the_decision_is_reversed(as_person: People, product: Product) -> None:
    head, office, checker, group, secretary = (
        as_person(n) for n in ("lead_unit_head_c", "office", "working_group", "working_group2", "bureau_meeting")
    )
    page = review_page(product)
    head.go(page)
    head.page.get_by_role("button", name="申请复核").first.click()
    head.page.locator("#reconsider [data-confirmed]").click()
    expect(head.page.locator("#task-form")).to_be_attached()
    head.fill(request_reasons="外包人员已书面承认系其个人所为，本单位并不知情，请求撤销。")
    head.decide("提交复核申请")
    title = f"清退决定复核：{UNIT}"
    office.open_task(title, "审查复核申请")
    office.fill(findings="新提交的书面说明属实，原认定的主观情节不成立。", proposal="reverse")
    office.decide("送合法性审核")
    checker.open_task(title, "合法性审核")
    checker.fill(legality_opinion="程序合法。")
    checker.decide("审核通过")
    meet(secretary, title, "局务会审议复核", "经审议，会议决定撤销原决定。", "撤销原决定")
    office.open_task(title, "拟定复核决定")
    office.decide("送签发")
    group.open_task(title, "签发复核决定")
    group.sees("撤销不得重新申请")
    group.decide("签发")

    office.go(page)
    office.sees("清退已撤销", "穗工信复核〔", "不再移交", "个已恢复")
    office.go(f"/registers/barred?view=annulled&q={UNIT}")
    office.sees("已撤销")
    head.context.clear_cookies()
    head.sign_in()
    assert not head.has_task("项目移交", "移交改造项目")
    [(unit,)] = product.rows("select id from lead_unit where name = %s", UNIT)
    head.go(f"/registers/lead-units/{unit}")
    head.sees("在册", "撤销不得重新申请", "恢复在册")
