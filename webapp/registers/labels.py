"""The words for statuses and kinds, in one place; each with the tone of its badge."""

from __future__ import annotations

from flask_babel.speaklater import LazyString

from webapp.i18n import lazy

#: status -> (word, tone of the badge: run new fix pub done end bad)
Words = dict[str, tuple[LazyString, str]]

LEAD_UNIT: Words = {
    "candidate": (lazy("候选"), "new"),
    "listed": (lazy("在册"), "done"),
    "cancelled": (lazy("取消资格"), "bad"),
    "expelled": (lazy("清退"), "bad"),
    "withdrawn": (lazy("退出"), "end"),
}
FILING: Words = {
    "draft": (lazy("填报中"), "end"),
    "review": (lazy("办理中"), "run"),
    "closed": (lazy("已办结"), "done"),
}
ITEM: Words = {
    "draft": (lazy("填报中"), "end"),
    "review": (lazy("审核中"), "run"),
    "confirming": (lazy("待复核"), "new"),
    "correcting": (lazy("补正中"), "fix"),
    "pooled": (lazy("待公示"), "new"),
    "public": (lazy("公示中"), "pub"),
    "objected": (lazy("异议中"), "fix"),
    "published": (lazy("已发布"), "done"),
    "rejected": (lazy("不予通过"), "bad"),
    "lapsed": (lazy("逾期未补正"), "bad"),
    "struck": (lazy("已撤下"), "bad"),
    "withdrawn": (lazy("已撤回"), "end"),
}
NOTICE: Words = {
    "draft": (lazy("未发布"), "end"),
    "published": (lazy("公示中"), "pub"),
    "closed": (lazy("公示期满"), "done"),
    "withdrawn": (lazy("已撤回"), "end"),
}
NOTICE_KIND: Words = {
    "publicity": (lazy("公示"), ""),
    "correction": (lazy("更正公告"), ""),
    "withdrawal": (lazy("撤回公告"), ""),
    "list": (lazy("名单"), ""),
    "expulsion": (lazy("清退决定"), ""),
    "reconsideration": (lazy("复核决定"), ""),
    "criticism": (lazy("通报批评"), ""),
    "cancellation": (lazy("取消资格决定"), ""),
    "criticism_withdrawal": (lazy("撤销通报公告"), ""),
}
OBJECTION: Words = {
    "open": (lazy("调查中"), "run"),
    "upheld": (lazy("异议成立"), "bad"),
    "dismissed": (lazy("异议不成立"), "done"),
    "late": (lazy("逾期，作为线索"), "fix"),
}
EXPULSION: Words = {
    "gathering": (lazy("查明事实"), "run"),
    "hearing": (lazy("告知与陈述"), "pub"),
    "proposing": (lazy("建议与审核"), "run"),
    "meeting": (lazy("局务会审议"), "new"),
    "deciding": (lazy("待签发决定"), "fix"),
    "expelled": (lazy("已清退"), "bad"),
    "not_confirmed": (lazy("不予清退"), "done"),
    "withdrawn": (lazy("已撤回退出申请"), "end"),
    "lapsed": (lazy("依据不复存在，已终止"), "end"),
    "reversed": (lazy("清退已撤销"), "end"),
}
CRITICISM: Words = {
    "gathering": (lazy("查明事实"), "run"),
    "hearing": (lazy("陈述申辩"), "pub"),
    "deciding": (lazy("认定情形"), "new"),
    "drafting": (lazy("待签发通报"), "fix"),
    "rectifying": (lazy("整改中"), "fix"),
    "checking": (lazy("核查中"), "run"),
    "weighing": (lazy("研究处理"), "bad"),
    "rectified": (lazy("整改合格"), "done"),
    "cancelled": (lazy("取消资格"), "bad"),
    "not_established": (lazy("情形不成立"), "done"),
    "lapsed": (lazy("依据不复存在，已终止"), "end"),
    "ended": (lazy("单位已离开名单"), "end"),
}
RECTIFICATION: Words = {
    "open": (lazy("整改中"), "fix"),
    "reported": (lazy("待核查"), "run"),
    "passed": (lazy("合格"), "done"),
    "failed": (lazy("不合格"), "bad"),
    "missed": (lazy("逾期未报"), "bad"),
    "ended": (lazy("已终止"), "end"),
}
HANDOVER: Words = {
    "open": (lazy("待移交"), "fix"),
    "handed": (lazy("待确认"), "run"),
    "confirmed": (lazy("已移交"), "done"),
    "cancelled": (lazy("不再移交"), "end"),
}
RECONSIDERATION: Words = {
    "examining": (lazy("审查中"), "run"),
    "meeting": (lazy("局务会审议"), "new"),
    "deciding": (lazy("待签发决定"), "fix"),
    "upheld": (lazy("维持原决定"), "bad"),
    "reversed": (lazy("撤销原决定"), "done"),
}
RESOLUTION: Words = {
    "confirm": (lazy("确认清退"), "bad"),
    "not_confirm": (lazy("不予确认"), "done"),
    "send_back": (lazy("发回补充事实"), "fix"),
    "uphold": (lazy("维持原决定"), "bad"),
    "reverse": (lazy("撤销原决定"), "done"),
}
ATTENDANCE: Words = {
    "present": (lazy("到会"), ""),
    "absent": (lazy("缺席"), ""),
    "recused": (lazy("回避"), ""),
}
SOURCE: Words = {
    "office": (lazy("办公室提出"), ""),
    "unit": (lazy("单位自行提出"), ""),
    "consequence": (lazy("由其他事项引起"), ""),
}
CHANNEL: Words = {"web": (lazy("网页"), ""), "letter": (lazy("来信"), "")}
PROGRAMME: Words = {"national": (lazy("国家级"), ""), "provincial": (lazy("省级"), "")}
TOPIC: Words = {
    "other_identity": (lazy("其他身份证件"), ""),
    "no_accounts": (lazy("没有上年度财务资料"), ""),
    "free": (lazy("其他"), ""),
}
DOCUMENT: Words = {
    "upload": (lazy("上传材料"), ""),
    "publicity": (lazy("公示"), ""),
    "correction": (lazy("更正公告"), ""),
    "withdrawal": (lazy("撤回公告"), ""),
    "list": (lazy("名单"), ""),
    "review_form": (lazy("审核意见表"), ""),
    "evidence": (lazy("异议证明材料"), ""),
    "expulsion": (lazy("清退决定"), ""),
    "expulsion_told": (lazy("清退告知书"), ""),
    "reconsideration": (lazy("复核决定"), ""),
    "expulsion_agenda": (lazy("局务会议题材料"), ""),
    "criticism": (lazy("通报批评"), ""),
    "rectification_order": (lazy("责令限期整改通知书"), ""),
    "cancellation": (lazy("取消资格决定"), ""),
    "criticism_withdrawal": (lazy("撤销通报公告"), ""),
    "evaluation_report": (lazy("季度评价报告"), ""),
}
ACTION: Words = {
    "listed": (lazy("列入名单"), "done"),
    "added": (lazy("新增"), "done"),
    "registered": (lazy("登记"), "run"),
    "submitted": (lazy("提交"), "run"),
    "open": (lazy("开始"), "run"),
    "removed": (lazy("退出"), "end"),
    "renamed": (lazy("更名"), "fix"),
    "corrected": (lazy("更正"), "fix"),
    "changed": (lazy("变更"), "fix"),
    "status": (lazy("状态变化"), "run"),
    "barred": (lazy("列入不得重新申请名单"), "bad"),
    "annulled": (lazy("撤销"), "end"),
    "expelled": (lazy("清退"), "bad"),
    "signed": (lazy("签发"), "done"),
    "closed": (lazy("办结"), "done"),
    "opened": (lazy("开启"), "run"),
    "joined": (lazy("并入情形"), "fix"),
    "gathered": (lazy("查明事实"), "run"),
    "told": (lazy("告知单位"), "pub"),
    "stated": (lazy("陈述申辩"), "new"),
    "silent": (lazy("逾期未陈述"), "end"),
    "proposed": (lazy("处理建议"), "run"),
    "resolved": (lazy("局务会决议"), "run"),
    "not_confirmed": (lazy("不予清退"), "done"),
    "withdrawn": (lazy("撤回"), "end"),
    "under_expulsion": (lazy("进入清退审议"), "fix"),
    "review_over": (lazy("清退审议结束"), "done"),
    "handed_over": (lazy("移交"), "done"),
    "confirmed": (lazy("确认"), "done"),
    "returned": (lazy("退回"), "fix"),
    "upheld": (lazy("维持原决定"), "bad"),
    "reversed": (lazy("撤销清退决定"), "done"),
    "reinstated": (lazy("恢复在册"), "done"),
    "reported": (lazy("报送材料"), "run"),
    "scored": (lazy("评分"), "run"),
    "settled": (lazy("审定"), "done"),
    "absent": (lazy("记为未参加"), "bad"),
    "left": (lazy("离开名单"), "end"),
    "voided": (lazy("整体作废"), "bad"),
    "fallen": (lazy("随评价作废"), "end"),
    "lapsed": (lazy("依据不复存在，终止审议"), "end"),
    "reminded": (lazy("提醒报送"), "fix"),
    "received": (lazy("签收"), "done"),
    "found": (lazy("认定"), "run"),
    "criticised": (lazy("通报批评"), "bad"),
    "ordered": (lazy("责令整改"), "fix"),
    "rectifying": (lazy("进入整改"), "fix"),
    "rectification_over": (lazy("整改结束"), "done"),
    "checked": (lazy("核查"), "run"),
    "weighed": (lazy("研究处理"), "run"),
    "missed": (lazy("逾期未报"), "bad"),
    "cancelled": (lazy("取消资格"), "bad"),
    "rectified": (lazy("整改合格"), "done"),
    "not_established": (lazy("情形不成立"), "done"),
    "ended": (lazy("终止"), "end"),
}
#: column of a register -> its word, for the history
FIELD: dict[str, LazyString] = {
    "name": lazy("名称"),
    "credit_code": lazy("统一社会信用代码"),
    "status": lazy("状态"),
    "legal_rep": lazy("法定代表人"),
    "address": lazy("住所"),
    "registered_capital": lazy("注册资本（万元）"),
    "founded_on": lazy("成立日期"),
    "industry": lazy("行业"),
    "contact": lazy("联系人"),
    "phone": lazy("联系电话"),
    "listed_on": lazy("列入日期"),
    "rectifying": lazy("整改中"),
    "under_expulsion": lazy("清退审议中"),
    "need": lazy("服务方向"),
    "programme": lazy("试点类别"),
    "since": lazy("纳入日期"),
    "until": lazy("退出日期"),
    "until_reason": lazy("退出理由"),
    "outcome_reason": lazy("理由"),
    "correction_due_at": lazy("补正期限"),
    "submitted_at": lazy("提交时间"),
    "closed_at": lazy("办结时间"),
    "facts": lazy("事实"),
    "told_at": lazy("告知时间"),
    "told_number": lazy("告知书文号"),
    "statement_due_at": lazy("陈述申辩期限"),
    "decision_number": lazy("决定文号"),
    "decided_on": lazy("决定日期"),
    "closed_reason": lazy("办结理由"),
    "total": lazy("得分"),
    "grade": lazy("等次"),
    "reported_at": lazy("报送时间"),
    "late": lazy("迟报"),
    "handed_over_on": lazy("移交日期"),
    "annulled_on": lazy("撤销日期"),
    "arrangement": lazy("下一阶段工作安排"),
    "settled_at": lazy("审定时间"),
    "done_on": lazy("完成日期"),
    "finding": lazy("认定的理由"),
    "established": lazy("是否成立"),
    "notice_number": lazy("通报文号"),
    "cancel_number": lazy("取消资格文号"),
    "requirements": lazy("整改要求"),
    "due_at": lazy("期限"),
    "received_at": lazy("签收时间"),
    "check_words": lazy("核查情况"),
    "accepted_on": lazy("验收日期"),
    "level_after": lazy("改造后水平"),
}


def word(words: Words, status: str | None) -> str:
    """The word of a status; the status itself when it has none."""
    return str(words[status][0]) if status in words else status or ""


def action(name: str) -> str:
    """The word of a change in a register's history: an act, or the status that the entry came into."""
    known = (ACTION, ITEM, FILING, NOTICE, OBJECTION)
    return word(next((words for words in known if name in words), ACTION), name)


def tone(words: Words, status: str | None) -> str:
    """The tone of its badge."""
    return words[status][1] if status in words else "end"
