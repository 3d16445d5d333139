"""Words of the registers of quarterly evaluation, with the tones of their badges."""

from __future__ import annotations

from webapp.i18n import _, lazy
from webapp.registers.labels import Words

PROJECT: Words = {
    "signed": (lazy("已签合同"), "new"),
    "running": (lazy("实施中"), "run"),
    "done": (lazy("已完成"), "pub"),
    "accepted": (lazy("已验收"), "done"),
    "failed": (lazy("验收未通过"), "bad"),
}
ROUND: Words = {
    "preparing": (lazy("制定指标"), "new"),
    "served": (lazy("等待季末"), "new"),
    "opening": (lazy("正在开启"), "run"),
    "running": (lazy("办理中"), "run"),
    "settled": (lazy("待确认报告"), "fix"),
    "closed": (lazy("已办结"), "done"),
    "voided": (lazy("已作废"), "end"),
}
RESULT: Words = {
    "waiting": (lazy("等待开启"), "end"),
    "reporting": (lazy("材料报送"), "new"),
    "verifying": (lazy("核实未参加"), "bad"),
    "checking": (lazy("监督检查"), "run"),
    "scoring": (lazy("专家评分"), "run"),
    "stating": (lazy("陈述申辩"), "run"),
    "settling": (lazy("待审定"), "fix"),
    "settled": (lazy("已审定"), "done"),
    "absent": (lazy("未参加评价"), "bad"),
    "left": (lazy("已离开名单"), "end"),
    "voided": (lazy("已作废"), "end"),
}
GRADE: Words = {
    "excellent": (lazy("优秀"), "done"),
    "good": (lazy("良好"), "run"),
    "pass": (lazy("合格"), "new"),
    "fail": (lazy("不合格"), "bad"),
    "none": (lazy("不定等"), "end"),
    "absent": (lazy("未参加"), "bad"),
}
CONSEQUENCE: Words = {
    "expulsion_review": (lazy("清退审议"), "bad"),
    "criticism": (lazy("通报批评与限期整改"), "fix"),
}
#: Whether the arrangement of the last round was carried out (3.2).
CARRIED_OUT: Words = {
    "done": (lazy("已落实"), "done"),
    "partly": (lazy("部分落实"), "fix"),
    "not": (lazy("未落实"), "bad"),
}
#: The five dimensions of 3.2, in its order, with the words of the source.
DIMENSION: Words = {
    "retrofitted": (lazy("完成改造试点企业数量"), ""),
    "effect": (lazy("试点企业数字化改造成效"), ""),
    "satisfaction": (lazy("试点企业满意度"), ""),
    "service": (lazy("牵引单位服务能力"), ""),
    "commitment": (lazy("绩效任务书完成情况"), ""),
    "other": (lazy("其他"), ""),
}


def quarter(year: int, number: int) -> str:
    """2026 年第 3 季度."""
    return _("%(year)s 年第 %(n)s 季度", year=year, n=number)


def levels(before: int, after: int | None) -> str:
    """The digital level before and after a retrofit."""
    return f"{before} → {after}" if after else str(before)
