"""`project_handover` (4.4, 2.2.12): what an expelled unit leaves unfinished goes to another lead unit, one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp.engine.handler_api import (
    Block,
    CancelContext,
    CasePanel,
    CasePanelContext,
    FormContext,
    FormData,
    HandlerContext,
    canceller,
    case_panel,
    handler,
    provider,
    validator,
)
from webapp.errors import Conflict
from webapp.i18n import _
from webapp.registers import handovers
from webapp.registers.expulsion_models import ExpulsionHandover
from webapp.registers.values import as_date, as_text, key, zh_date


def _entry(ctx: FormContext | HandlerContext | CancelContext | CasePanelContext) -> ExpulsionHandover:
    return handovers.get(ctx.session, key(ctx.variables["handover_id"]))


@canceller("project_handover")
def give_up(ctx: CancelContext) -> None:
    """A project is never simply left: only a reversal of the decision ends its handover."""
    if _entry(ctx).status != "cancelled":
        raise Conflict(_("项目移交须办理完毕，不能直接终止；清退决定撤销的，由复核决定终止（第 4.4 条）。"))


def _shown(entry: ExpulsionHandover) -> dict[str, Any]:
    project, review = entry.project, entry.expulsion
    return {
        "unit": review.lead_unit.name,
        "number": review.decision_number or "",
        "project": project.title,
        "enterprise": project.pilot_enterprise.name,
        "contract": project.contract_number,
        "due": zh_date(project.due_on),
        "return_words": entry.return_words,
    }


@provider("handover.hand_over")
def hand_over_form(ctx: FormContext) -> FormData:
    """The project, and the listed units that may take it over."""
    entry = _entry(ctx)
    options = [
        {"value": str(unit.id), "label": unit.name} for unit in handovers.takers(ctx.session, entry.expulsion.lead_unit)
    ]
    data = {
        "taker": str(entry.taker_id) if entry.taker_id else None,
        "handed_over_on": entry.handed_over_on,
        "handover_note": entry.note or None,
        "handover_files": list(entry.files),
    }
    return FormData(data=data, options={"takers": options}, context=_shown(entry))


@validator("handover.hand_over")
def hand_over(ctx: FormContext) -> Mapping[str, Any]:
    """A listed taker, a day that has come."""
    return handovers.check(ctx.session, _entry(ctx), ctx.data, as_date(ctx.now) or ctx.now.date())


@handler("handover.record", inputs={"taker": "接手单位", "handed_over_on": "移交日期", "handover_note": "移交情况"})
def record(ctx: HandlerContext) -> None:
    """登记接手单位和移交日期，待办公室确认（4.4）。"""
    handovers.hand_over(ctx.session, _entry(ctx), ctx.variables, ctx.actor)


@provider("handover.confirm")
def confirm_form(ctx: FormContext) -> FormData:
    """What was entered."""
    entry = _entry(ctx)
    told = {
        "taker": entry.taker.name if entry.taker else "",
        "handed_over_on": zh_date(entry.handed_over_on),
        "note": entry.note,
        "count": len(entry.files),
    }
    return FormData(context={**_shown(entry), **told})


@validator("handover.confirm")
def confirm(ctx: FormContext) -> Mapping[str, Any]:
    """A return says why; whoever takes over is still on the list."""
    entry = _entry(ctx)
    if ctx.outcome == "return":
        return {} if as_text(ctx.data.get("confirm_words")) else {"confirm_words": _("请写明退回的理由。")}
    if entry.taker is None or entry.taker.status != "listed":
        return {"": _("接手单位已不在牵引单位名单中，请退回，另行选择。")}
    return {}


@handler("handover.send_back", inputs={"confirm_words": "退回的理由"})
def send_back(ctx: HandlerContext) -> None:
    """退回移交登记（4.4）。"""
    handovers.send_back(ctx.session, _entry(ctx), as_text(ctx.variables.get("confirm_words")), ctx.actor)


@handler("handover.move", inputs={"handover_id": "移交"}, outputs={"last": "是否为最后一个项目"})
def move(ctx: HandlerContext) -> Mapping[str, Any]:
    """项目和试点企业改由接手单位牵引（4.4、2.2.12）。"""
    entry = handovers.locked(ctx.session, key(ctx.variables["handover_id"]))
    return {"last": handovers.confirm(ctx.session, entry, actor=ctx.actor, now=ctx.now)}


@case_panel("project_handover")
def panel(ctx: CasePanelContext) -> CasePanel:
    """The project, its contract, and how far its handover is."""
    entry = _entry(ctx)
    project = entry.project
    facts = [
        (_("改造项目"), project.title, f"/registers/projects/{project.id}"),
        (_("试点企业"), project.pilot_enterprise.name, None),
        (_("合同编号"), project.contract_number, None),
        (_("约定完成日期"), zh_date(project.due_on), None),
        (_("清退审议"), entry.expulsion.number, f"/registers/expulsions/{entry.expulsion_id}"),
        (_("清退决定"), entry.expulsion.decision_number or "", None),
    ]
    if entry.taker is not None:
        facts += [(_("接手单位"), entry.taker.name, None), (_("移交日期"), zh_date(entry.handed_over_on), None)]
    blocks = [Block("facts", title=_("移交的项目"), items=facts)]
    if entry.files:
        blocks.append(Block("files", title=_("移交材料"), items=[key(value) for value in entry.files]))
    return CasePanel(blocks=blocks)
