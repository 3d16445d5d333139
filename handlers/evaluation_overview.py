"""What the managers' dashboard shows of the quarterly evaluation (3.2): the newest round, grades, units at risk."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from webapp.engine.handler_api import Actor, OverviewFigure, OverviewPanel, overview
from webapp.i18n import _
from webapp.registers import evaluation_labels as words
from webapp.registers import evaluation_risk as risk
from webapp.registers import labels

#: Units in the table; the link leads to the others.
_MOST = 8


@overview("quarterly_evaluation")
def quarter(session: Session, actor: Actor, now: datetime) -> OverviewPanel | None:
    """The newest round that stands; None while there was none."""
    found = risk.glance(session, now)
    if found is None:
        return None
    here = f"/rounds/{found.round.id}"
    state = labels.word(words.ROUND, found.round.status)
    name = words.quarter(found.round.year, found.round.quarter)
    return OverviewPanel(
        title=_("季度评价"),
        note=_("%(quarter)s，%(state)s，%(n)s 家", quarter=name, state=state, n=found.round.total_units),
        link=here,
        figures=(
            OverviewFigure(_("已审定"), str(found.settled), "", "good", f"{here}?view=settled"),
            OverviewFigure(_("不合格"), str(found.grades["fail"]), "", "bad", f"{here}?view=fail"),
            OverviewFigure(_("迟报"), str(found.late), "", "warn", f"{here}?view=late"),
            OverviewFigure(_("有超期待办"), str(found.overdue), "", "bad", f"{here}?view=over"),
        ),
        shares=[
            (labels.word(words.GRADE, grade), count, _STYLE[grade], f"{here}/report")
            for grade, count in found.grades.items()
            if count
        ],
        table_title=_("需关注的牵引单位（%(n)s 家）", n=len(found.risks)),
        columns=(_("牵引单位"), _("原因"), _("近四季得分"), _("本季"), _("累计不合格")),
        rows=[_row(one) for one in found.risks[:_MOST]],
        empty=_("没有需关注的单位。"),
    )


_STYLE = {"excellent": "good", "good": "run", "pass": "new", "fail": "bad", "none": "idle", "absent": "bad"}


def _row(one: risk.Risk) -> list[object]:
    told = {"failed": _("本季不合格"), "absent": _("未参加评价"), "late": _("材料迟报"), "fails": _("曾不合格")}
    reasons = [
        reason for reason in one.reasons if not (reason == "fails" and "failed" in one.reasons and one.fails < 2)
    ]
    totals = " → ".join("—" if total is None else f"{total:f}" for total in one.totals)
    result = f"/registers/results/{one.result_id}"
    now = f"{one.total:f}" if one.total is not None else labels.word(words.RESULT, one.status)
    return [
        (one.name, f"/registers/lead-units/{one.lead_unit_id}"),
        "、".join(told[reason] for reason in reasons),
        totals,
        (now, result, "bad" if one.grade in {"fail", "absent"} else ""),
        (_("%(n)s 次", n=one.fails), "", "bad" if one.fails >= 2 else ""),
    ]
