"""Entering a candidate lead unit 候选 (1.2): the office's form, which refuses a barred code (4.4)."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp import access
from webapp.accounts import service as accounts
from webapp.errors import Invalid
from webapp.http import db_session
from webapp.i18n import _
from webapp.registers import admission, checks, pages

bp = Blueprint("admission", __name__, template_folder="templates", url_prefix="/registers")

FIELDS = (
    "name",
    "credit_code",
    "legal_rep",
    "address",
    "registered_capital",
    "founded_on",
    "industry",
    "contact",
    "phone",
)


@bp.route("/lead-units/new", methods=["GET", "POST"])
@access.roles("office")
def new() -> ResponseReturnValue:
    """An applicant becomes a candidate in the register; it is not listed by that."""
    entered = {name: checks.normalise_text(request.form.get(name, ""))[:200] for name in FIELDS}
    if request.method == "GET":
        return _form(entered, {})
    try:
        unit = admission.enter_candidate(db_session(), entered, actor=accounts.current_actor())
    except Invalid as error:
        return pages.answer(_form(entered, {key: "".join(words) for key, words in error.fields.items()}))
    flash(_("已登记候选单位%(name)s。", name=unit.name), "success")
    return redirect(url_for("registers.lead_unit", unit_id=unit.id), 303)


def _form(entered: dict[str, str], wrong: dict[str, str]) -> str:
    return render_template(
        "registers/lead_unit_form.html",
        values=entered,
        field_errors=wrong,
        errors=[{"text": words, "target": f"f-{name}"} for name, words in wrong.items()],
    )
