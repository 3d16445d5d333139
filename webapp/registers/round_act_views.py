"""Acts on a round of quarterly evaluation: reminding in bulk, settling in bulk (3.3.2), voiding whole (3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp import access, clock
from webapp.accounts import service as accounts
from webapp.errors import Invalid
from webapp.http import db_session
from webapp.i18n import _
from webapp.registers import evaluation_labels as words
from webapp.registers import evaluation_reminding as reminding
from webapp.registers import evaluation_rounds as rounds
from webapp.registers import evaluation_voiding as voiding
from webapp.registers import labels, pages
from webapp.registers import round_matrix as matrix
from webapp.registers import round_settling as bulk
from webapp.registers.values import as_text, as_uuid

bp = Blueprint("round_acts", __name__, template_folder="templates", url_prefix="/rounds")


def _back(round_id: UUID) -> ResponseReturnValue:
    """The page of the round, with the view that the form came from."""
    page = url_for("rounds.round_page", round_id=round_id)
    wanted = request.form.get("back", "")
    return redirect(wanted if wanted.split("?")[0] == page else page, 303)


@bp.post("/<uuid:round_id>/remind")
@access.roles("office")
def remind(round_id: UUID) -> ResponseReturnValue:
    """Remind the picked units, or all that are overdue, of their report; those who have reported are left alone."""
    session, actor, now = db_session(), accounts.current_actor(), clock.now()
    ids = [found for value in request.form.getlist("ids") if (found := as_uuid(value)) is not None]
    if request.form.get("every") == "over":
        round_ = rounds.get(session, round_id)
        ids = [unit.result_id for unit in matrix.units(session, round_, now) if "over" in unit.views]
    done, left = reminding.remind(session, round_id, ids, actor, now)
    if done:
        flash(_("已提醒 %(n)s 家单位。", n=done), "success")
    for name, why in left[:10]:
        flash(_("%(name)s：%(why)s", name=name, why=why), "warning")
    if len(left) > 10:
        flash(_("另有 %(n)s 家没有提醒，理由相同。", n=len(left) - 10), "warning")
    return _back(round_id)


@bp.post("/<uuid:round_id>/void")
@access.roles("working_group")
def void(round_id: UUID) -> ResponseReturnValue:
    """Void the round whole, with reason."""
    actor = accounts.current_actor()
    fallen = voiding.void(db_session(), round_id, request.form.get("reason", ""), actor, clock.now())
    flash(_("本次评价已整体作废，%(n)s 项后续随之失效。", n=fallen.consequences), "success")
    for sentence, names in (
        (_("清退审议已终止：%(names)s。"), fallen.ended),
        (_("清退审议另有情形，继续办理：%(names)s。"), fallen.lessened),
        (_("清退决定已经签发，须依复核程序处理：%(names)s。"), fallen.decided),
        (_("通报批评已终止：%(names)s。"), fallen.criticisms.get("ended", [])),
        (_("通报批评另有依据，继续办理：%(names)s。"), fallen.criticisms.get("lessened", [])),
        (_("通报批评已经办结，请核对是否更正：%(names)s。"), fallen.criticisms.get("decided", [])),
    ):
        if names:
            flash(sentence % {"names": "、".join(names)}, "warning")
    return redirect(url_for("rounds.round_page", round_id=round_id), 303)


@bp.get("/<uuid:round_id>/settle")
@access.roles("working_group")
def settling(round_id: UUID) -> str:
    """The units whose conclusions wait, with what is entered for each."""
    return _settling(round_id, [])


@bp.post("/<uuid:round_id>/settle")
@access.roles("working_group")
def settle(round_id: UUID) -> ResponseReturnValue:
    """Settle the picked ones, each on its own; the answer says of each what became of it."""
    session, actor = db_session(), accounts.current_actor()
    picked = set(request.form.getlist("ids"))
    waiting = [one for one in bulk.candidates(session, actor, round_id) if str(one.result.id) in picked]
    chosen = [(one.result.id, one.task_id, one.result.lead_unit.name) for one in waiting]
    shared = as_text(request.form.get("shared"))
    if picked and not chosen:
        flash(_("所选单位的结论已经审定，无需再次审定。"), "warning")
        return redirect(url_for(".settling", round_id=round_id), 303)
    try:
        outcomes = bulk.settle(actor, chosen, request.form, shared)
    except Invalid as refused:
        return pages.answer(_settling(round_id, [], error=refused.message))
    session.expire_all()
    refused_any = any(not one.done for one in outcomes)
    page = _settling(round_id, outcomes)
    return (page, 422) if refused_any else page


def _settling(round_id: UUID, outcomes: Sequence[bulk.Outcome], error: str = "") -> str:
    session, round_ = db_session(), rounds.get(db_session(), round_id)
    refused = {one.result_id: one.message for one in outcomes if not one.done}
    waiting = bulk.candidates(session, accounts.current_actor(), round_id)
    given = request.form
    return render_template(
        "registers/round_settle.html",
        round=round_,
        title=_("批量审定评价结论"),
        quarter=words.quarter(round_.year, round_.quarter),
        rows=[
            {
                "one": one,
                "id": one.result.id,
                "grade": labels.word(words.GRADE, one.result.grade),
                "tone": labels.tone(words.GRADE, one.result.grade),
                "url": url_for("inbox.task", task_id=one.task_id),
                "error": refused.get(one.result.id, ""),
                "picked": one.result.id in refused or (bool(error) and str(one.result.id) in given.getlist("ids")),
                "given": {name: given.get(f"{name}:{one.result.id}", "") for name in bulk.FIELDS},
            }
            for one in waiting[: bulk.MOST]
        ],
        total=len(waiting),
        most=bulk.MOST,
        shared=given.get("shared", ""),
        done=[one for one in outcomes if one.done],
        refused=len(refused),
        error=error,
        checks=[(key, str(label)) for key, (label, _tone) in words.CARRIED_OUT.items()],
    )
