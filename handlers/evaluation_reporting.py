"""`lead_unit_evaluation`, first part: the unit reports; an absent one is summoned, then verified (3.3.1, 4.4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.lead_unit_evaluation import result_of
from webapp import clock
from webapp.accounts import settings_service
from webapp.audit import service as audit
from webapp.engine.handler_api import FormContext, FormData, HandlerContext, handler, provider, validator
from webapp.i18n import _
from webapp.registers import evaluation_arrangements as arrangements
from webapp.registers import evaluation_rounds as rounds
from webapp.registers import evaluation_units as units
from webapp.registers.values import as_text, until_words, zh_date


@provider("lead_unit_evaluation.report")
def report_form(ctx: FormContext) -> FormData:
    """The commitment's indicators, each with its target and the earlier quarters of the year; what was returned."""
    result = result_of(ctx)
    context = {
        "year": result.round.year,
        "ends_on": zh_date(rounds.quarter(result.round).end),
        "excuse_words": as_text(ctx.variables.get("absence_words")),
        "returned_words": _returned(ctx),
    }
    return FormData(data=_told(ctx), context=context | _about(ctx))


def _returned(ctx: FormContext) -> str:
    """Why the head sent the report back; nothing when they did not."""
    back = ctx.variables.get("submit_decision") == "return"
    return as_text(ctx.variables.get("submit_words")) if back else ""


def _about(ctx: FormContext) -> dict[str, Any]:
    """Quarter, deadline and the last arrangement, as both forms tell them."""
    result = result_of(ctx)
    told = {"quarter_words": ctx.variables["quarter_words"], "due": until_words(result.report_due_at)}
    return told | arrangements.context(ctx.session, result)


def _told(ctx: FormContext) -> dict[str, Any]:
    """The rows of the commitment with what the staff has entered so far."""
    given = ctx.variables.get("report") or {}
    entered = given.get("rows") or []
    rows = [
        {
            "label": row["label"],
            "target_words": f"{row['target']} {row['unit']}（{_('全年累计') if row['cumulative'] else _('每季度')}）",
            "earlier": row["earlier"] or "—",
            **{"actual": None, "note": None, "evidence": []},
            **({key: entered[at].get(key) for key in ("actual", "note", "evidence")} if at < len(entered) else {}),
        }
        for at, row in enumerate(units.report_rows(ctx.session, result_of(ctx)))
    ]
    return {"rows": rows, **{name: given.get(name) for name in ("report_words", "carried_out") if given.get(name)}}


@validator("lead_unit_evaluation.report")
def report(ctx: FormContext) -> Mapping[str, Any]:
    """Every actual is there; a lower cumulative figure is asked about (3.3.1); the last arrangement answered (3.2)."""
    result = result_of(ctx)
    found = units.check_report(ctx.session, result, ctx.data)
    return found | arrangements.check_account(ctx.session, result, ctx.data)


@provider("lead_unit_evaluation.confirm")
def confirm_form(ctx: FormContext) -> FormData:
    """What the staff reported, to be read by the head who answers for it."""
    return FormData(data=_told(ctx), context=_about(ctx))


@validator("lead_unit_evaluation.confirm")
def confirm(ctx: FormContext) -> Mapping[str, Any]:
    """A return says why; what is submitted passes every check again: days may lie between the two (3.3.1)."""
    if ctx.outcome == "return":
        missing = {"submit_words": _("请写明退回修改的理由，将原文告知填报人。")}
        return {} if as_text(ctx.data.get("submit_words")) else missing
    result, given = result_of(ctx), ctx.variables.get("report") or {}
    found = units.check_report(ctx.session, result, given) | arrangements.check_account(ctx.session, result, given)
    if not found:
        return {}
    return {**found, "": _("自动检查没有通过，请退回修改：%(why)s", why="；".join(found.values()))}


@handler("evaluation.remind", inputs={"result_id": "评价结果"})
def remind(ctx: HandlerContext) -> None:
    """期限届满前提醒报送，记入案卷（工作口径）。"""
    result = result_of(ctx)
    result.reminded_at = ctx.now
    audit.record(ctx.session, "evaluation.remind", None, instance_id=ctx.instance_id, subject=result.lead_unit.name)


@handler("evaluation.urge", inputs={"result_id": "评价结果"})
def urge(ctx: HandlerContext) -> None:
    """期限届满未报送，发出催告并记为迟报；宽限期满仍未报送的转入核实（4.4.2）。"""
    result = result_of(ctx)
    units.change(ctx.session, result, "changed", urged_at=ctx.now, late=True)
    audit.record(ctx.session, "evaluation.urge", None, instance_id=ctx.instance_id, subject=result.lead_unit.name)


@handler("evaluation.accept_report", inputs={"result_id": "评价结果", "report": "报送内容"})
def accept_report(ctx: HandlerContext) -> None:
    """登记报送材料；迟报的记录在案（4.2.2）。"""
    units.accept_report(ctx.session, result_of(ctx), ctx.variables.get("report") or {}, ctx.actor, ctx.now)


@handler("evaluation.suspect_absence", inputs={"result_id": "评价结果"})
def suspect_absence(ctx: HandlerContext) -> None:
    """经催告、宽限期满仍未报送，由办公室核实（4.4.2）。"""
    units.change(ctx.session, result_of(ctx), "changed", status="verifying")


@provider("lead_unit_evaluation.verify")
def verify_form(ctx: FormContext) -> FormData:
    """The deadline, and when it was summoned."""
    result = result_of(ctx)
    context = {
        "lead_unit_name": result.lead_unit.name,
        "quarter_words": ctx.variables["quarter_words"],
        "due": until_words(result.report_due_at),
        "urged": zh_date(result.urged_at),
    }
    return FormData(context=context)


@validator("lead_unit_evaluation.verify")
def verify(ctx: FormContext) -> Mapping[str, Any]:
    """An absence is established in words (4.4.2)."""
    if found := units.over(result_of(ctx)):
        return found
    return {} if as_text(ctx.data.get("absence_words")) else {"absence_words": _("请写明核实情况与理由。")}


@handler("evaluation.reopen", inputs={"result_id": "评价结果"}, outputs={"report_due_at": "新的报送期限"})
def reopen(ctx: HandlerContext) -> Mapping[str, Any]:
    """有正当理由的，重新给予报送期限（工作口径）。"""
    result = result_of(ctx)
    due = clock.deadline(ctx.now, working_days=int(settings_service.get(ctx.session, "report_grace_days")))
    found = rounds.report_times(ctx.session, due)
    units.change(ctx.session, result, "changed", status="reporting", report_due_at=due, urged_at=None, late=False)
    return found


@handler("evaluation.record_absence", inputs={"result_id": "评价结果", "absence_words": "核实情况与理由"})
def record_absence(ctx: HandlerContext) -> None:
    """认定未按规定参加绩效评价，登记清退审议的事由（4.4.2）。"""
    units.record_absence(ctx.session, result_of(ctx), ctx.variables, ctx.actor, ctx.now)
