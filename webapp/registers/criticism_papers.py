"""What the documents of a criticism (4.2, 4.3) are filled in with, and their usual words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from webapp.i18n import _
from webapp.registers import criticisms
from webapp.registers.criticism_models import Criticism, Rectification
from webapp.registers.values import as_date

USUAL_WORDS = (
    "一、对你单位予以通报批评。\n"
    "二、责令你单位限期整改，整改要求和期限见责令限期整改通知书。\n"
    "三、其他牵引单位应当引以为戒，认真履行职责。"
)
CANCEL_WORDS = (
    "一、自本决定发布之日起，取消其牵引单位资格。\n"
    "二、其在办的备案、评价等事项自本决定发布之日起终止。\n"
    "三、尚未完成的改造项目，应当与试点企业妥善交接，不得影响改造。"
)
#: ground -> what is usually asked for
_REQUIREMENTS = {
    "4.2.1": "调整服务团队，补足诊断和改造人员，逐家回访投诉企业并取得书面反馈",
    "4.2.2": "补齐并规范报送材料，明确报送责任人，此后按期报送",
    "4.2.3": "逐项目说明滞后原因，制定并落实补救措施，按周报送进度",
    "4.2.4": "就变更事项提交书面说明和证明材料，建立变更报告制度",
    "4.2.5": "纠正失信和不履职行为，提交履职承诺和落实证明",
    "4.2.6": "对未通过验收的项目逐条整改，具备条件后重新申请验收",
}


def usual_requirements(case: Criticism) -> str:
    """A first wording of what is to be rectified, a line for each ground that stands."""
    found = [_REQUIREMENTS[ground.clause] for ground in criticisms.established(case)]
    lines = [*found, "期限届满前在系统中报送整改情况和证明材料"]
    return "\n".join(f"{number}. {line}。" for number, line in enumerate(lines, 1))


def order_data(case: Criticism, period: Rectification) -> dict[str, Any]:
    """The data of `rectification_order` 责令限期整改通知书, plain JSON."""
    unit = case.lead_unit
    again = period.seq > 1
    return {
        "number": period.number,
        "title": f"关于责令{unit.name}{'继续' if again else '限期'}整改的通知",
        "published_on": _day(period.served_at),
        "unit": unit.name,
        "credit_code": unit.credit_code,
        "criticism_number": case.notice_number or "",
        "criticised_on": case.decided_on.isoformat() if case.decided_on else "",
        "grounds": criticisms.told_grounds(case),
        "requirements": [line.strip() for line in period.requirements.splitlines() if line.strip()],
        "days": period.days,
        "due": period.due_at.isoformat(),
        "seq": period.seq,
        "before": _before(case, period),
    }


def _before(case: Criticism, period: Rectification) -> dict[str, str] | None:
    """The period before, which was not kept: its order and last day."""
    found = next((p for p in case.periods if p.seq == period.seq - 1), None)
    if found is None:
        return None
    return {"number": found.number, "due": _day(found.due_at - timedelta(seconds=1)), "words": found.check_words}


def _day(value: Any) -> str:
    found = as_date(value)
    return found.isoformat() if found else ""


def filename(case: Criticism, period: Rectification, suffix: str) -> str:
    """The name under which people download an order."""
    return _("责令限期整改通知书（%(unit)s，第 %(n)s 次）", unit=case.lead_unit.name, n=period.seq) + f".{suffix}"
