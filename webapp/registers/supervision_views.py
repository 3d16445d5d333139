"""监督检查 (3.2) of one unit in a round, for the office: which forms, the links and answers, records."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp import access, clock
from webapp.accounts import service as accounts
from webapp.documents import service as documents
from webapp.errors import Conflict, Invalid, NotFound
from webapp.http import db_session
from webapp.i18n import _
from webapp.registers import (
    evaluation_labels,
    evaluation_lists,
    evaluation_units,
    labels,
    pages,
    questionnaires,
    spot_checks,
    supervision,
    supervision_panel,
)
from webapp.registers.evaluation_models import EvaluationResult
from webapp.registers.supervision_models import Questionnaire, QuestionnaireInvitation, SpotCheck
from webapp.registers.values import until_words

bp = Blueprint("supervision", __name__, template_folder="templates", url_prefix="/registers/results")

#: Who reads the answers with names (the experts read them beside their task).
READERS = ("office", "working_group", "manager")


def _result(result_id: UUID) -> EvaluationResult:
    return evaluation_units.get(db_session(), result_id)


def _survey(result: EvaluationResult) -> Questionnaire:
    found = questionnaires.of_result(db_session(), result.id)
    if found is None:
        raise NotFound(_("该单位本季度没有问卷。"))
    return found


@bp.get("/<uuid:result_id>/supervision")
@access.roles(*READERS)
def page(result_id: UUID) -> str:
    """Everything that was checked of a unit in a round, and what still runs."""
    return _page(_result(result_id))


def _page(result: EvaluationResult, wrong: str = "") -> str:
    session, office = db_session(), "office" in accounts.current_actor().roles
    survey = questionnaires.of_result(session, result.id)
    check = spot_checks.of_result(session, result.id)
    found = supervision_panel.tables(session, result, inside=True)
    return render_template(
        "registers/supervision.html",
        result=result,
        title=_("%(quarter)s监督检查", quarter=evaluation_labels.quarter(result.round.year, result.round.quarter)),
        state=(
            labels.word(evaluation_labels.RESULT, result.status),
            labels.tone(evaluation_labels.RESULT, result.status),
        ),
        options=supervision.options(),
        chosen=supervision.ordered(result),
        own=result.checks is not None,
        may_order=office and result.status in supervision.OPEN_TO_CHANGE,
        wrong=wrong,
        survey=_survey_figures(survey) if survey else None,
        links=_links(survey) if survey and office else [],
        tables=[(table, _tiles(table.documents)) for table in found],
        spot=_spot(check) if check else None,
        tabs=pages.tabs("/registers/results"),
        list_title=str(evaluation_lists.RESULTS.title),
    )


def _tiles(ids: Any) -> list[dict[str, Any]]:
    return [documents.tile(document) for document in documents.by_ids(db_session(), ids)]


def _survey_figures(survey: Questionnaire) -> dict[str, Any]:
    told = questionnaires.tally(survey.form, questionnaires.invitations(db_session(), survey.id))
    over = questionnaires.is_over(survey, clock.now())
    closed = survey.closed_at or survey.ends_at
    return {
        "invited": told.invited,
        "answered": told.answered,
        "rate": f"{told.rate:f}",
        "satisfaction": "—" if told.satisfaction is None else str(told.satisfaction),
        "over": over,
        "until": pages.beijing(closed - timedelta(seconds=1)) if over else until_words(survey.ends_at),
    }


def _links(survey: Questionnaire) -> list[dict[str, Any]]:
    """Who was asked, with the living link of each who has not answered; these first."""
    tokens, over = questionnaires.live_tokens(db_session(), survey.id), questionnaires.is_over(survey, clock.now())
    asked = questionnaires.invitations(db_session(), survey.id)
    return [
        {
            "id": invitation.id,
            "name": invitation.pilot_enterprise.name,
            "contact": " ".join(filter(None, [invitation.pilot_enterprise.contact, invitation.pilot_enterprise.phone])),
            "answered": pages.beijing(invitation.answered_at),
            "url": "" if over or invitation.answered_at or not token else _address(token),
            "open": not over and invitation.answered_at is None,
        }
        for invitation in sorted(asked, key=lambda one: one.answered_at is not None)
        for token in [tokens.get(invitation.id)]
    ]


def _address(token: str) -> str:
    return url_for("public.questionnaire", token=token, _external=True)


def _spot(check: SpotCheck) -> dict[str, Any]:
    again = spot_checks.drawn_again(check)
    return {
        "seed": check.seed,
        "population": check.population,
        "drawn": check.drawn,
        "at": pages.beijing(check.drawn_at),
        "same": again == list(check.drawn),
    }


@bp.get("/<uuid:result_id>/supervision.json")
@access.roles(*READERS)
def live(result_id: UUID) -> ResponseReturnValue:
    """How many have answered, for the page that watches it."""
    survey = _survey(_result(result_id))
    answered, invited = questionnaires.counts(db_session(), survey.id)
    rate = questionnaires.Tally(invited, answered, None, []).rate
    response = jsonify({"answered": answered, "rate": f"{rate:f}"})
    response.add_etag()
    return response.make_conditional(request)


@bp.get("/<uuid:result_id>/supervision/sheet")
@access.roles("office")
def sheet(result_id: UUID) -> str:
    """The living links on slips to be handed out."""
    result = _result(result_id)
    survey = _survey(result)
    return render_template(
        "registers/supervision_sheet.html",
        result=result,
        quarter=evaluation_labels.quarter(result.round.year, result.round.quarter),
        until=until_words(survey.ends_at),
        links=[link for link in _links(survey) if link["url"]],
    )


@bp.post("/<uuid:result_id>/supervision/checks")
@access.roles("office")
def order(result_id: UUID) -> ResponseReturnValue:
    """The forms by which this unit alone is checked."""
    result = _result(result_id)
    try:
        supervision.order_for_unit(db_session(), result, request.form.getlist("checks"), accounts.current_actor())
    except (Conflict, Invalid) as error:
        return _page(result, error.message), error.status
    flash(_("已保存该单位的检查形式。"), "good")
    return redirect(url_for(".page", result_id=result.id), 303)


@bp.post("/<uuid:result_id>/supervision/links/<uuid:invitation_id>")
@access.roles("office")
def new_link(result_id: UUID, invitation_id: UUID) -> ResponseReturnValue:
    """A new link for one that was lost; the old one ends."""
    survey = _survey(_result(result_id))
    invitation = db_session().get(QuestionnaireInvitation, invitation_id)
    if invitation is None or invitation.questionnaire_id != survey.id:
        raise NotFound(_("没有找到这份问卷。"))
    questionnaires.renew(db_session(), invitation.id, accounts.current_actor(), clock.now())
    flash(_("%(name)s的新链接已生成，原链接作废。", name=invitation.pilot_enterprise.name), "good")
    return redirect(url_for(".page", result_id=result_id, _anchor="links"), 303)
