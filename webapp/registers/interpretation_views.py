"""Interpretations 解释 (5.1): read by everyone who meets the regulation, entered by the office, never edited."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp import access, clock
from webapp.accounts import service as accounts
from webapp.audit import service as audit
from webapp.http import db_session
from webapp.i18n import _
from webapp.registers import checks, history, labels, lists, numbers, pages, queries, regulation
from webapp.registers.models import Interpretation
from webapp.registers.queries import SEE_ALL, SEE_OWN

bp = Blueprint("interpretations", __name__, template_folder="templates", url_prefix="/registers/interpretations")

pages.add_list(bp, lists.INTERPRETATIONS, "/", *SEE_ALL, *SEE_OWN)


@bp.get("/<uuid:interpretation_id>")
@access.roles(*SEE_ALL, *SEE_OWN)
def entry(interpretation_id: UUID) -> str:
    """One interpretation beside the clause's own words."""
    session = db_session()
    found = session.get(Interpretation, interpretation_id) or queries.missing(_("没有找到该解释。"))
    count = queries.citing(session, found.id)
    words = regulation.clause(found.clause) if regulation.exists(found.clause) else ""
    return render_template(
        "registers/interpretation.html",
        found=found,
        topic=labels.word(labels.TOPIC, found.topic),
        words=words,
        count=count,
        tabs=pages.tabs("/registers/interpretations"),
    )


@bp.route("/new", methods=["GET", "POST"])
@access.roles("office")
def new() -> ResponseReturnValue:
    """Enter an interpretation that the bureau signed (5.1). It is never edited: another one follows it."""
    entered = {
        name: checks.normalise_text(request.form.get(name, "")) for name in ("clause", "topic", "text", "signed_by")
    }
    entered["signed_on"] = request.form.get("signed_on", "").strip()
    if request.method == "GET":
        entered["clause"] = request.args.get("clause", "")
        return _interpretation_form(entered, {})
    signed = lists.as_day(entered["signed_on"])
    wrong = _check_interpretation(entered, signed)
    if wrong or signed is None:
        return pages.answer(_interpretation_form(entered, wrong))
    session, actor = db_session(), accounts.current_actor()
    number = numbers.document_number(session, "interpretation", signed.year)
    found = Interpretation(
        number=number,
        clause=entered["clause"],
        topic=entered["topic"],
        text=entered["text"],
        signed_by=entered["signed_by"],
        signed_on=signed,
    )
    session.add(found)
    history.record(session, found, "registered", actor=actor)
    audit.record(session, "interpretation.enter", actor, subject=number)
    flash(_("已登记解释 %(number)s。", number=number), "success")
    return redirect(url_for("interpretations.entry", interpretation_id=found.id), 303)


def _check_interpretation(entered: dict[str, str], signed: date | None) -> dict[str, str]:
    wrong = {}
    if not regulation.exists(entered["clause"]):
        wrong["clause"] = _("请选择被解释的条款。")
    if entered["topic"] not in labels.TOPIC:
        wrong["topic"] = _("请选择事项。")
    if len(entered["text"]) < 10:
        wrong["text"] = _("请写明解释的内容，至少 10 字。")
    if not entered["signed_by"]:
        wrong["signed_by"] = _("请填写签发人。")
    if signed is None:
        wrong["signed_on"] = _("请填写签发日期，例如 2026-03-18。")
    elif signed > clock.today():
        wrong["signed_on"] = _("签发日期晚于今天，请核对。")
    return wrong


def _interpretation_form(entered: dict[str, str], wrong: dict[str, str]) -> str:
    clauses = regulation.source()["clauses"]
    return render_template(
        "registers/interpretation_form.html",
        values=entered,
        field_errors=wrong,
        errors=[{"text": words, "target": f"f-{name}"} for name, words in wrong.items()],
        clauses=[{"value": key, "label": f"{key}　{found['text'][:36]}"} for key, found in clauses.items()],
        topics=[{"value": key, "label": word} for key, (word, _tone) in labels.TOPIC.items()],
    )
