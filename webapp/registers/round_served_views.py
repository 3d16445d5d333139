"""What a round serves 送达 on the units: indicators (3.3.2), each unit's arrangement (3.2); their receipts 签收."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from webapp import access, clock
from webapp.accounts import service as accounts
from webapp.engine.handler_api import Actor
from webapp.errors import NotFound
from webapp.http import db_session
from webapp.i18n import _
from webapp.registers import evaluation_arrangements as arrangements
from webapp.registers import evaluation_labels as words
from webapp.registers import evaluation_rounds as rounds
from webapp.registers import evaluation_scoring as scoring
from webapp.registers import labels, pages, queries
from webapp.registers.evaluation_models import EvaluationResult, EvaluationRound, EvaluationService
from webapp.registers.models import LeadUnit
from webapp.registers.queries import SEE_ALL, SEE_OWN

bp = Blueprint("served", __name__, template_folder="templates", url_prefix="/rounds")


@bp.get("/served")
@access.roles(*SEE_OWN)
def newest() -> ResponseReturnValue:
    """The newest round that served something on this unit."""
    query = (
        select(EvaluationService.round_id)
        .join(LeadUnit, LeadUnit.id == EvaluationService.lead_unit_id)
        .where(queries.scope(accounts.current_actor()))
        .order_by(EvaluationService.served_at.desc())
        .limit(1)
    )
    found = db_session().scalar(query)
    if found is None:
        raise NotFound(_("还没有文书送达本单位；工作小组制定评价指标后送达。"))
    return redirect(url_for(".page", round_id=found), 303)


@bp.get("/<uuid:round_id>/served")
@access.roles(*SEE_ALL, *SEE_OWN)
def page(round_id: UUID) -> str:
    """The indicators as they were served; for a unit its own receipts, for the office everybody's."""
    session, actor = db_session(), accounts.current_actor()
    round_ = rounds.get(session, round_id)
    entries = _entries(round_, actor)
    if not entries and not queries.sees_all(actor):
        raise NotFound(_("没有找到送达本单位的文书。"))
    mine = [] if queries.sees_all(actor) else [entry for entry, _unit, _result in entries]
    return render_template(
        "registers/round_served.html",
        round=round_,
        title=_("%(quarter)s评价指标和工作安排", quarter=words.quarter(round_.year, round_.quarter)),
        state=(labels.word(words.ROUND, round_.status), labels.tone(words.ROUND, round_.status)),
        inside=queries.sees_all(actor),
        indicators=[_indicator(row) for row in round_.indicators],
        served=[_row(entry, unit, result) for entry, unit, result in entries],
        open_kinds=[entry.kind for entry in mine if entry.received_at is None],
        may_receive=bool(actor.roles & {"lead_unit", "lead_unit_head"}),
        waiting=sum(entry.received_at is None for entry, _unit, _result in entries),
    )


@bp.post("/<uuid:round_id>/served/<any(indicators, arrangement):kind>")
@access.roles("lead_unit", "lead_unit_head")
def receive(round_id: UUID, kind: str) -> ResponseReturnValue:
    """签收 by a person of the unit; once."""
    arrangements.receive(db_session(), round_id, kind, accounts.current_actor(), clock.now())
    flash(_("已签收。"), "success")
    return redirect(url_for(".page", round_id=round_id), 303)


def _entries(
    round_: EvaluationRound, actor: Actor
) -> list[tuple[EvaluationService, LeadUnit, EvaluationResult | None]]:
    """What the round served that this person may see, by unit."""
    same = (EvaluationResult.round_id == round_.id) & (EvaluationResult.lead_unit_id == EvaluationService.lead_unit_id)
    query = (
        select(EvaluationService, LeadUnit, EvaluationResult)
        .join(LeadUnit, LeadUnit.id == EvaluationService.lead_unit_id)
        .outerjoin(EvaluationResult, same)
        .where(EvaluationService.round_id == round_.id, queries.scope(actor))
        .order_by(LeadUnit.name, EvaluationService.served_at)
    )
    return [(row[0], row[1], row[2]) for row in db_session().execute(query).unique()]


#: What was served, in words.
KINDS = {"indicators": lambda: _("评价指标"), "arrangement": lambda: _("下一阶段工作安排")}


def _row(entry: EvaluationService, unit: LeadUnit, result: EvaluationResult | None) -> dict[str, Any]:
    return {
        "unit": unit.name,
        "kind": entry.kind,
        "what": KINDS[entry.kind](),
        "words": result.arrangement if result is not None and entry.kind == "arrangement" else "",
        "served": pages.beijing(entry.served_at),
        "received": pages.beijing(entry.received_at),
    }


def _indicator(row: dict[str, Any]) -> list[str]:
    how = (
        scoring.formula_words(row["formula"])
        if row["kind"] == "computed"
        else _("专家评分：%(words)s", words=row["criteria"])
    )
    base = str(scoring.FIGURES[row["base"]]) if row["base"] else "—"
    return [labels.word(words.DIMENSION, row["dimension"]), row["label"], row["weight"], how, base]
